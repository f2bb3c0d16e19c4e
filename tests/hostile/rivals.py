#!/usr/bin/python3
"""Entries of a menu that boot one kernel, where it is not known which of them does: what they agree on is judged, and what
they differ in is unknown. And a member of a RAID whose own superblock cannot be read, which is not the file system that it
looks like.

  rivals.py PROGRAM
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import small_disk as small  # noqa: E402

KERNEL = f"/boot/vmlinuz-{small.VERSION}"
INITRD = f" initrd /boot/initrd.img-{small.VERSION}\n"
# The default entry is missing, and GRUB goes on with another one, which slipway does not follow.
HEAD = (f"search --no-floppy --fs-uuid --set=root {small.UUID}\nset timeout=0\nset fallback=2\n"
        "menuentry 'none' {\n linux /boot/missing\n}\n")
CLUSTER = 4096


def entry(kernel, words, initrd=INITRD):
    return f"menuentry 'x' {{\n linux {kernel} root=UUID={small.UUID} ro {words}\n{initrd}}}\n"


# name: (entries, other files, verdict of boot.console)
MENUS = {
    "one": (entry(KERNEL, "console=ttyS0"), {}, "pass"),
    "two alike": (entry(KERNEL, "console=ttyS0") * 2, {}, "pass"),
    "other words": (entry(KERNEL, "console=ttyS0") + entry(KERNEL, "console=tty0"), {}, "unknown"),
    "other words, by a link": (entry(KERNEL, "console=ttyS0") + entry("/vmlinuz", "console=tty0"), {"/vmlinuz": (KERNEL,)},
                               "unknown"),
    "no initramfs": (entry(KERNEL, "console=ttyS0") + entry(KERNEL, "console=ttyS0", ""), {}, "unknown"),
}


def check(program, image):
    done = subprocess.run([program, "check", "--format=json", image], capture_output=True, check=False, timeout=120)
    report = json.loads(done.stdout)["inputs"][0]
    return report, {finding["id"]: finding["verdict"] for finding in report["findings"]}


def check_menus(program, folder):
    for number, (name, (entries, files, wanted)) in enumerate(MENUS.items()):
        image = folder / f"{number}.raw"
        small.make(image, folder / f"menu-{number}", {"/boot/grub/grub.cfg": HEAD + entries, **files})
        report, verdicts = check(program, image)
        if (report["examined"], verdicts["boot.console"]) != ("full", wanted):
            yield f"{name}: {report['examined']}, boot.console {verdicts['boot.console']}, not {wanted}"


def put_member(image):
    """A superblock of md 1.0 at the end of the root's partition, which still looks like ext4; where it stands."""
    start, size = small.ROOT
    offset = (size // 512 - 16 & ~7) * 512
    superblock = bytearray(512)
    struct.pack_into("<II", superblock, 0, 0xa92b4efc, 1)
    struct.pack_into("<Q", superblock, 144, offset // 512)
    small.put(image, start + offset, bytes(superblock))
    return start + offset


def break_cluster(image, offset):
    """The entry of a qcow2 image for an offset of the disk leads behind the end of the file."""
    data = bytearray(image.read_bytes())
    l1, = struct.unpack_from(">Q", data, 40)
    table, index = divmod(offset // CLUSTER, CLUSTER // 8)
    l2 = struct.unpack_from(">Q", data, l1 + 8 * table)[0] & 0x00fffffffffffe00
    struct.pack_into(">Q", data, l2 + 8 * index, 1 << 50 | 1 << 63)
    image.write_bytes(data)


def check_member(program, folder):
    raw, image = folder / "member.raw", folder / "member.qcow2"
    small.make(raw, folder / "member")
    offset = put_member(raw)
    small.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-o", f"cluster_size={CLUSTER}", raw, image)
    sound, before = check(program, image)
    break_cluster(image, offset)
    broken, after = check(program, image)
    if (sound["boots"], broken["boots"], broken["examined"]) != ("unknown", "unknown", "partial"):
        yield f"the member boots {sound['boots']}; unread {broken['boots']}, {broken['examined']}"
    for rule, verdict in after.items():
        if verdict in ("pass", "fail") and before[rule] == "unknown":
            yield f"{rule}: {verdict}, though the member cannot be read"


def main():
    os.environ.setdefault("ASAN_OPTIONS", "abort_on_error=1:detect_leaks=0")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        complaints = [*check_menus(sys.argv[1], folder), *check_member(sys.argv[1], folder)]
    print("\n".join(complaints) or f"{len(MENUS)} menus and a member of a RAID are judged by what is known")
    return 1 if complaints else 0


sys.exit(main())
