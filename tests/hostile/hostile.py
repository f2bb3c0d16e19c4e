#!/usr/bin/python3
"""Damages a small bootable disk in every way it knows and checks it each time. Whatever the damage: an exit status of
0, 1 or 2, a whole report, nothing on the standard error, and an end in time. Fixed seeds: each run does the same.

  hostile.py PROGRAM [ROUNDS [SEED]]     ROUNDS: random damages, 60 without it; the crafted disks come first
  hostile.py PROGRAM only NAME...        crafted disks and inputs alone
  hostile.py PROGRAM keep ROUND FILE     leaves the disk of one round in a file
"""

import json
import os
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import crafted  # noqa: E402
import crafted_inputs  # noqa: E402
import small_disk as small  # noqa: E402

SECONDS = 10  # of processor time: other work on the machine is not the disk's fault
PATIENCE = 120
MEMORY = 640 << 20  # the address space that a worker gives itself, and the parent's own needs
NUMBERS = (0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 62, (1 << 63) - 1, 1 << 63,
           (1 << 64) - 1)


def processor_time():
    """Of all children so far, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Trial:
    """The program under test, and what it did wrong."""

    def __init__(self, program):
        self.program, self.complaints, self.runs, self.slowest = program, [], 0, (0.0, "")
        self.sanitized = b"__asan_init" in pathlib.Path(program).read_bytes()

    def limit(self, room):
        if not self.sanitized:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        if room:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    def check(self, what, path, command, room=None):
        """The exit status and the report. `room`: bytes that may be written to a temporary file."""
        words = [self.program, command, "--format=json", path]
        start = processor_time()
        self.runs += 1
        try:
            done = subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE, preexec_fn=lambda: self.limit(room))
        except subprocess.TimeoutExpired:
            self.complaints.append(f"{what}: {command} does not end")
            return None
        seconds = processor_time() - start
        self.slowest = max(self.slowest, (seconds, what))
        if seconds > SECONDS:
            self.complaints.append(f"{what}: {command} takes {seconds:.0f} s")
        # The one thing that a worker itself may say.
        said = done.stderr.replace(b"slipway: out of memory\n", b"")
        if done.returncode not in (0, 1, 2) or said:
            self.complaints.append(f"{what}: {command} ends with {done.returncode}: {done.stdout[-300:]} {said[-3000:]}")
            return None
        try:
            report = json.loads(done.stdout)
        except ValueError as error:
            self.complaints.append(f"{what}: {command} prints no JSON: {error}")
            return None
        if command == "check" and report["inputs"][0]["examined"] != "full" and done.returncode != 2:
            self.complaints.append(f"{what}: not examined in full, and yet the status is {done.returncode}")
        return done.returncode, report


def find_regions(image):
    """Where the structures lie that a reader follows: {name: (start, length)}."""
    root, esp = small.ROOT[0], small.ESP[0]
    regions = {
        "boot code": (0, 440), "MBR": (440, 72), "GPT header": (512, 92), "GPT entries": (1024, 384),
        "backup GPT": (len(image) - 33 * 512, 33 * 512), "core image": (small.BIOS[0], 1024),
        "packed core image": (small.BIOS[0] + 1024, 20000),
        "FAT boot sector": (esp, 90), "FAT": (esp + 512, 64), "superblock": (root + 1024, 512),
        "group descriptors": (root + 2048, 96),
    }
    contents = {path: content for path, content in small.system().items() if content and not isinstance(content, tuple)}
    for path, content in contents.items():
        content = content if isinstance(content, bytes) else content.encode()
        at = image.find(content[:1024])
        if at >= 0 and len(content) > 20:
            regions[path] = (at, len(content))
    for name, mark in (("PE header", b"PE\0\0d\x86"), ("directory of the ESP", b"BOOTX64 EFI"), ("modules of GRUB", b"mimg"),
                       ("directory /boot", b"vmlinuz-"), ("directory /etc", b"os-release"), ("root directory", b"lost+found")):
        at = image.find(mark, small.ESP[0])
        if at >= 0:
            regions[name] = (at - at % 32 if "directory" in name else at, 512)
    table, = struct.unpack_from("<I", image, root + 2048 + 8)
    regions["inodes"] = (root + table * 1024, 256 * 60)
    return regions


def damage(image, start, length, chance):
    """One to four changes somewhere in the region."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at, kind = start + chance.randrange(length), chance.randrange(6)
        width = chance.choice((1, 2, 4, 8))
        if kind == 0:
            image[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            image[at] = chance.randrange(256)
        elif kind == 2:
            at -= (at - start) % width
            image[at:at + width] = (chance.choice(NUMBERS) & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        elif kind == 3:
            run = min(chance.choice((4, 16, 64, 512)), start + length - at)
            image[at:at + run] = bytes([chance.choice((0, 0xff, 0x20, 0x0a))]) * run
        elif kind == 4:
            source, run = start + chance.randrange(length), min(chance.choice((4, 32, 128)), start + length - at)
            image[at:at + run] = bytes(image[source:source + run]).ljust(run, b"\0")
        else:
            image[at:start + length] = bytes(start + length - at)


def damaged(sound, regions, number, seed):
    """The image of one round and what was done to it; regions take turns."""
    chance = random.Random(seed * 1000003 + number)
    name = sorted(regions)[number % len(regions)]
    image = bytearray(sound)
    damage(image, *regions[name], chance)
    if "GPT" in name and chance.randrange(4):
        small.sign_gpt(image)
    return name, image


def random_rounds(trial, sound, rounds, seed, path):
    regions = find_regions(sound)
    for number in range(rounds):
        name, image = damaged(sound, regions, number, seed)
        path.write_bytes(image)
        trial.check(f"round {number} of seed {seed}, {name}", path, "inspect" if number % 3 == 0 else "check")


def crafted_disks(trial, folder, wanted):
    for name, changes in crafted.FILES.items():
        if wanted and name not in wanted:
            continue
        path = folder / "crafted.raw"
        small.make(path, folder / f"crafted-{name}".replace(" ", "-"), changes())
        trial.check(name, path, "check")
        trial.check(name, path, "inspect")
    for name, change in crafted.BYTES.items():
        if wanted and name not in wanted:
            continue
        path = folder / "crafted.raw"
        small.make(path, folder / f"crafted-{name}".replace(" ", "-"))
        change(path)
        trial.check(name, path, "check")


def crafted_others(trial, folder, wanted):
    """What is said has to be one sentence: the reason why it was not examined, or else a problem of the input."""
    for name, (make, status, sentence) in crafted_inputs.INPUTS.items():
        if wanted and name not in wanted:
            continue
        path, room = folder / name, crafted_inputs.ROOM if "bytes without end" in name else None
        make(folder, path)
        checked, inspected = (trial.check(name, path, command, room) for command in ("check", "inspect"))
        path.unlink()
        if not checked or not inspected:
            continue
        said = [checked[1]["inputs"][0]["reason"] or ""] + [problem["message"] for problem in inspected[1]["problems"]]
        if checked[0] != status or not any(sentence in one for one in said):
            trial.complaints.append(f"{name}: status {checked[0]} and {said[:5]}, wanted {status} and '{sentence}'")


def main():
    program, rest = sys.argv[1], sys.argv[2:]
    os.environ.setdefault("ASAN_OPTIONS", "abort_on_error=1:detect_leaks=0")
    os.environ.setdefault("UBSAN_OPTIONS", "halt_on_error=1:abort_on_error=1:print_stacktrace=1")
    trial = Trial(program)
    with tempfile.TemporaryDirectory(prefix="hostile-") as scratch:
        folder = pathlib.Path(scratch)
        small.make(folder / "sound.raw", folder / "sound")
        trial.check("the sound disk", folder / "sound.raw", "check")
        sound = (folder / "sound.raw").read_bytes()
        if rest[:1] == ["keep"]:
            name, image = damaged(sound, find_regions(sound), int(rest[1]), 1)
            pathlib.Path(rest[2]).write_bytes(image)
            print(name)
            return 0
        only = rest[1:] if rest[:1] == ["only"] else []
        crafted_disks(trial, folder, only)
        crafted_others(trial, folder, only)
        if not only:
            rounds, seed = int(rest[0]) if rest else 60, int(rest[1]) if len(rest) > 1 else 1
            random_rounds(trial, sound, rounds, seed, folder / "damaged.raw")
    print("\n".join(trial.complaints))
    print(f"{trial.runs} runs, {len(trial.complaints)} wrong; the slowest took {trial.slowest[0]:.1f} s ({trial.slowest[1]})")
    return 1 if trial.complaints else 0


sys.exit(main())
