#!/usr/bin/python3
"""What cannot be read is not missing. Of a qcow2 image, one cluster after the other is put behind the end of its file, then
many at a time, and then the file is cut in ever more places, as in a copy that is not complete; and so is the raw disk. Each
time the report is held against the sound image's: it may know less, but no rule may fail or pass that did not, nothing may
stop booting, and what could not be read is said. Of a raw disk that was cut the table is wrong, and its size: no more.

  unread.py PROGRAM DISK [CLUSTER...]     DISK: a name of unread_disks.DISKS; CLUSTER: numbers of those to break at
                                          once, instead of all of it
  unread.py - list                        the names of the disks
"""

import os
import pathlib
import random
import struct
import sys
import tempfile

sys.dont_write_bytecode = True

import small_disk as small  # noqa: E402
import unread_disks  # noqa: E402
from unread_report import check, hides, knows_more  # noqa: E402

CUTS = 40
MANY = 40
SANITIZED = sys.argv[1] != "-" and b"__asan_init" in pathlib.Path(sys.argv[1]).read_bytes()
CLUSTER = 4096 if SANITIZED else 512  # those of 4096 are fewer, and take as long there
BEYOND = 1 << 50 | 1 << 63  # an L2 entry: a cluster of its own, at an offset that no file has
NOT_PASSED = {"boot.timeout", "image.whole-gib"}  # by the sound images
OF_THE_DISK = {"image.partition-table", "image.whole-gib"}  # what a raw disk that was cut fails for good reason


def l2_entries(image):
    """{number of a cluster of the disk: offset of its L2 entry in the image}, of those that hold data."""
    bits, size = struct.unpack(">IQ", image[20:32])
    table, = struct.unpack(">Q", image[40:48])
    entries, each = {}, (1 << bits) // 8
    for number in range(-(-size >> bits)):
        at = table + 8 * (number // each)
        l2 = struct.unpack(">Q", image[at:at + 8])[0] & 0x00fffffffffffe00
        at = l2 + 8 * (number % each)
        if l2 and struct.unpack(">Q", image[at:at + 8])[0]:
            entries[number] = at
    return entries


def excuse(sound, found):
    """Takes the end of a raw disk that was cut for what it is: what the rules of the disk alone say of it counts no more."""
    for rule in OF_THE_DISK:
        found["verdicts"][rule] = sound["verdicts"][rule]
    if found["boots"] == "no" and OF_THE_DISK.issuperset(found["because"]):
        found["boots"] = sound["boots"]


class Trial:
    """Damaged images, held against the sound one."""

    def __init__(self, program, path):
        self.program, self.path = program, path
        self.image = path.read_bytes()
        self.is_raw = path.suffix == ".raw"
        self.entries = {} if self.is_raw else l2_entries(self.image)
        self.sound = check(program, path)
        self.complaints, self.missed = [], 0

    def look(self, what):
        found = check(self.program, self.path)
        if self.is_raw:
            excuse(self.sound, found)
        self.missed += found["examined"] != "full"
        said = [*knows_more(self.sound, found), *hides(self.program, self.path, self.sound, found)]
        self.complaints += [f"{what}: {one}" for one in said]

    def write(self, offset, content):
        with open(self.path, "r+b") as file:
            file.seek(offset)
            file.write(content)

    def break_clusters(self, numbers):
        offsets = [self.entries[number] for number in numbers]
        for offset in offsets:
            self.write(offset, struct.pack(">Q", BEYOND))
        self.look("clusters " + " ".join(map(str, numbers)))
        for offset in offsets:
            self.write(offset, self.image[offset:offset + 8])

    def cut(self, size):
        self.path.write_bytes(self.image[:size])
        self.look(f"{self.path.name} cut to {size} bytes")

    def cut_everywhere(self):
        for number in range(CUTS):
            self.cut(len(self.image) * (number + 1) // (CUTS + 1))


def some_of(numbers):
    """Two of them, and ever more, the same ones at each run."""
    chance = random.Random(7)
    for count in range(MANY):
        yield sorted(chance.sample(sorted(numbers), 2 + count * len(numbers) // (4 * MANY)))


def go_over(program, name, wanted):
    with tempfile.TemporaryDirectory(prefix="unread-") as scratch:
        folder = pathlib.Path(scratch)
        raw, path = folder / "disk.raw", folder / "disk.qcow2"
        unread_disks.make(name, raw, folder)
        small.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-o", f"cluster_size={CLUSTER}", raw, path)
        trial = Trial(program, path)
        for number in trial.entries if not wanted else ():
            trial.break_clusters([number])
        for numbers in [wanted] if wanted else some_of(trial.entries):
            trial.break_clusters(numbers)
        trials = [trial] if wanted else [trial, Trial(program, raw)]
        for one in () if wanted else trials:
            one.cut_everywhere()
    tried = len(wanted or trial.entries)
    failing = sorted(rule for rule, verdict in trial.sound["verdicts"].items() if verdict in ("fail", "unknown"))
    if trial.sound["boots"] != "yes" or not NOT_PASSED.issuperset(failing):
        trial.complaints.append(f"the sound image has little to lose: it boots: {trial.sound['boots']}, {failing}")
    if not wanted and trials[1].missed < CUTS // 2:
        trial.complaints.append(f"only {trials[1].missed} cuts of the raw disk were missed, which tests little")
    trial.complaints += [complaint for one in trials[1:] for complaint in one.complaints]
    if not wanted and trial.missed < tried // 5:
        trial.complaints.append(f"only {trial.missed} of {tried} clusters were missed, which tests little")
    print("\n".join(trial.complaints))
    print(f"{tried} clusters, {trial.missed} of them and of the cuts missed, {len(trial.complaints)} complaints")
    return len(trial.complaints)


def main():
    program, name = sys.argv[1:3]
    if name == "list":
        print("\n".join(unread_disks.DISKS))
        return 0
    os.environ.setdefault("ASAN_OPTIONS", "abort_on_error=1:detect_leaks=0")
    return 1 if go_over(program, name, [int(word) for word in sys.argv[3:]]) else 0


sys.exit(main())
