#!/usr/bin/python3
"""Inputs and command lines that must be refused: each with its exact sentence and exit status.

One row of the tables is one case. Inputs are made in a scratch folder, where the program runs.
"""

import errno
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

from images import EMPTY, FIXTURES, NO_DISK, bzimage

GIVE = "give a disk image or a block device"
TIME = re.compile(r" \([0-9.]+ s\)$", re.M)

# Inputs that cannot be examined at all: name, what the closing line says. Exit status 2.
NOT_EXAMINED = [
    ("missing.raw", "there is no such file: check the path"),
    ("disk.raw/below", "there is no such file: check the path"),
    ("dangling", "there is no such file: check the path"),
    ("circle", "its symbolic links lead in a circle: give the file itself"),
    ("folder", "it holds no Linux system, neither /etc nor /usr: give the root directory of one"),
    ("layers.tar", "it holds the layers of a container image, and no root file system: give what `docker export` or "
     "`podman export` writes of a container"),
    ("private", "permission denied: make it readable for this user, or run as one who may read it"),
    ("cut.bzImage", "the kernel file is cut off, its payload: 100 bytes at offset 2560 lie behind the end at 2600"),
    ("short.bzImage", "the kernel file ends inside its setup header"),
    ("program", "it is an ELF file and no kernel: it does not contain \"Linux version\""),
    ("u-boot.config", "it is a \"U-Boot 2023.01 Configuration\", and not that of a kernel"),
    ("-", f"it is a character device: {GIVE}"),
    ("/dev/null", f"it is a character device: {GIVE}"),
    ("socket", f"it is a socket or a device that is not there: {GIVE}"),
    ("private.raw", "permission denied: make it readable for this user, or run as one who may read it"),
]

# What is not booted, and why. Exit status 2, nothing on the standard output.
NOT_BOOTED = [
    (["boot", "empty.raw"], EMPTY),
    (["boot", "text.raw"], NO_DISK),
    (["boot", "folder"], "it holds no Linux system, neither /etc nor /usr: give the root directory of one"),
    (["boot", "tree"], "a root file system by itself has no boot loader and no disk: make an image of it, and give that"),
    (["boot", "kernel.config"], "a configuration is no kernel: build one with it, and give that"),
    (["boot", "--kernel=kernel.config"], "a configuration is no kernel: build one with it, and give that"),
    (["boot", "--kernel=text.raw"], f"it is no kernel, and {NO_DISK}"),
    (["boot", "--kernel=cut.bzImage"], "the kernel file is cut off, its payload: 100 bytes at offset 2560 lie behind the "
     "end at 2600"),
    (["boot", "--kernel=no-system.raw"], "it is a disk image, and no kernel: give it without --kernel"),
    (["boot", "private.raw"], "permission denied: make it readable for this user, or run as one who may read it"),
    (["boot", "pipe"], "a pipe can be read once, and a machine reads its disk at any place: save it to a file and give "
     "that"),
]
NO_QEMU = ("qemu-system-x86_64 is not in PATH: install QEMU (Debian, Ubuntu: qemu-system-x86; Fedora: "
           "qemu-system-x86-core; Alpine: qemu-system-x86_64)")

# Command lines that are refused before anything is read. Exit status 3, nothing on the standard output.
CHECK, TOP = "try 'slipway check --help'", "try 'slipway --help'"
REFUSED = [
    ([], f"name a command: check, inspect, boot, machine or explain; {TOP}"),
    (["frobnicate"], f"there is no command 'frobnicate'; {TOP}"),
    (["chekc", "disk.raw"], "there is no command 'chekc': did you mean check? Try 'slipway --help'"),
    (["--frobnicate"], f"there is no option '--frobnicate'; {TOP}"),
    (["check", "-disk.raw"], f"there is no option '-d'; {CHECK}"),
    (["check", "--format=xml", "disk.raw"], f"--format wants text or json, not 'xml'; {CHECK}"),
    (["check", "--fail-on=never", "disk.raw"],
     f"--fail-on wants required, recommended or advice, not 'never'; {CHECK}"),
    (["check", "disk.raw", "--kernel"], f"--kernel wants a value: --kernel=VERSION; {CHECK}"),
    (["check", "--quiet", "--verbose", "disk.raw"], f"--quiet and --verbose exclude each other; {CHECK}"),
    (["check", "--\x1b[31m", "disk.raw"], f"there is no option '--\\x1b[31m'; {CHECK}"),
    (["inspect", "disk.raw", "disk.raw"], "'disk.raw' is one argument too many; try 'slipway inspect --help'"),
    (["boot"], "name a disk image or a kernel; try 'slipway boot --help'"),
    (["boot", "--kernel=vmlinuz", "disk.raw"], "--kernel and 'disk.raw' are two inputs: boot one at a time; "
     "try 'slipway boot --help'"),
    (["boot", "--firmware=bios,uefi", "disk.raw"], "--firmware wants bios, uefi or both, not 'bios,uefi'; "
     "try 'slipway boot --help'"),
    (["check", "--boot", "--all-kernels", "disk.raw"], "--boot boots the default entry: it excludes --all-kernels; "
     f"{CHECK}"),
    (["help", "frobnicate"], f"there is no command 'frobnicate'; {TOP}"),
    (["check", "--policy=disk.raw", "disk.raw"], "disk.raw:1: the line is longer than 198 bytes; "
     "break it with an indented continuation"),
    (["explain", "kernel.virtio-scis"],
     "there is no requirement 'kernel.virtio-scis': did you mean kernel.virtio-scsi? 'slipway explain' lists all"),
    (["explain", "frobnicate"], "there is no requirement 'frobnicate': 'slipway explain' lists all"),
    (["check", "--policy=missing.conf", "disk.raw"],
     "the policy 'missing.conf' cannot be read: No such file or directory"),
    (["check", "--policy=folder", "disk.raw"], "the policy 'folder' cannot be read: Is a directory"),
]


class Cases:
    """The program under test, its scratch folder, and what went wrong."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.complaints = []

    def run(self, *words, **more):
        # Root may read everything: a refusal is only seen by someone else.
        someone = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.run([self.program, *words], cwd=self.folder, text=True, check=False, timeout=60,
                              stdin=subprocess.DEVNULL, **{"stdout": subprocess.PIPE,
                                                           "stderr": subprocess.PIPE, **someone, **more})

    def expect(self, what, got, wanted):
        if got != wanted:
            self.complaints.append(f"{what}:\n   got {got!r}\n  want {wanted!r}")

    def not_examined(self, name, sentence):
        run = self.run("check", "--quiet", "--", name)
        self.expect(name, TIME.sub("", run.stdout), f"Not examined: {sentence}.\n")
        self.expect(f"{name}: stderr, exit status", (run.stderr, run.returncode), ("", 2))

    def refused(self, words, sentence):
        run = self.run(*words)
        self.expect(" ".join(words), run.stderr, f"slipway: {sentence}\n")
        self.expect(f"{' '.join(words)}: stdout, exit status", (run.stdout, run.returncode), ("", 3))

    def not_booted(self, words, sentence, **more):
        run = self.run(*words, **more)
        name = words[-1].removeprefix("--kernel=")
        self.expect(" ".join(words), run.stderr, f"slipway: '{name}' was not booted: {sentence}\n")
        self.expect(f"{' '.join(words)}: stdout, exit status", (run.stdout, run.returncode), ("", 2))

    def damaged(self, name, examined, reason, table):
        """An image that can be opened, with its reason and, where given, what the rule of the table says."""
        run = self.run("check", "--format=json", name)
        self.expect(f"{name}: stderr, exit status", (run.stderr, run.returncode), ("", 2))
        report = json.loads(run.stdout)["inputs"][0]
        self.expect(f"{name}: examined, reason", (report["examined"], report["reason"]), (examined, reason))
        self.expect(f"{name}: conforms", report["conforms"], False)
        said = {finding["id"]: finding["reason"] for finding in report["findings"]}
        if table:
            self.expect(f"{name}: image.partition-table", said["image.partition-table"], table)


def make_inputs(folder):
    (folder / "disk.raw").write_bytes(bytes(4096))
    (folder / "folder").mkdir()
    (folder / "private").mkdir(0o000)
    (folder / "manifest.json").write_text("[]")
    subprocess.run(["tar", "-cf", "layers.tar", "manifest.json"], cwd=folder, check=True)
    (folder / "cut.bzImage").write_bytes(bzimage(100)[:2600])
    (folder / "short.bzImage").write_bytes(bzimage(100)[:0x210])
    (folder / "program").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(11) + b"\x3e" + bytes(4077))
    (folder / "u-boot.config").write_text("#\n# Automatically generated file; DO NOT EDIT.\n"
                                          "# U-Boot 2023.01 Configuration\n#\nCONFIG_CREATE_ARCH_SYMLINK=y\n")
    (folder / "kernel.config").write_text("#\n# Linux/x86 6.1.0 Kernel Configuration\n#\nCONFIG_64BIT=y\n"
                                          "CONFIG_X86_64=y\n")
    (folder / "tree/etc").mkdir(parents=True)
    (folder / "tree/etc/os-release").write_text("ID=debian\n")
    (folder / "tree/usr").mkdir()
    (folder / "dangling").symlink_to("nowhere")
    (folder / "circle").symlink_to("circle")
    os.mkfifo(folder / "pipe", 0o644)
    (folder / "private.raw").write_bytes(bytes(4096))
    (folder / "private.raw").chmod(0)
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(str(folder / "socket"))
    (folder / "socket").chmod(0o666)
    for name, make, *_ in FIXTURES:
        make(folder / name)
        (folder / name).chmod(0o644)


def not_booted(cases, folder):
    """With QEMU, where this machine has one, and without."""
    if shutil.which("qemu-system-x86_64"):
        for words, sentence in NOT_BOOTED:
            cases.not_booted(words, sentence)
    cases.not_booted(["boot", "no-system.raw"], NO_QEMU, env={"PATH": str(folder)})


def others_go_on(cases):
    """One input that cannot be had does not keep the others from being reported, in their order."""
    run = cases.run("check", "--quiet", "missing.raw", "empty.raw", "folder")
    names = [line.split(": ")[0] for line in run.stdout.splitlines()]
    cases.expect("several inputs", (names, run.returncode), (["missing.raw", "empty.raw", "folder"], 2))
    run = cases.run("explain", "frobnicate", "kernel.virtio-scsi")
    cases.expect("explain: the known one is explained", (run.stdout.split("\n")[0], run.returncode),
                 ("kernel.virtio-scsi", 3))


def lost_output(cases):
    """A report that cannot be written is said to be lost."""
    for words in (["check", "missing.raw"], ["check", "--format=json", "missing.raw"], ["explain"], ["--help"]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            run = cases.run(*words, stdout=full)
        cases.expect(f"{words} to a full disk", (run.stderr, run.returncode),
                     (f"slipway: the report could not be written: {os.strerror(errno.ENOSPC)}\n", 75))
    reading, writing = os.pipe()
    os.close(reading)
    run = cases.run("explain", stdout=writing)
    os.close(writing)
    cases.expect("to a reader that is gone", (run.stderr, run.returncode), ("", 75))
    run = cases.run("version", stdout=None, preexec_fn=lambda: os.close(1))
    cases.expect("to a closed output", (run.stderr, run.returncode),
                 (f"slipway: the report could not be written: {os.strerror(errno.EBADF)}\n", 75))


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        folder.chmod(0o755)
        # The build folder may be closed to the user that the cases run as.
        program = shutil.copy(sys.argv[1], folder / "slipway")
        make_inputs(folder)
        cases = Cases(str(program), folder)
        for name, sentence in NOT_EXAMINED:
            cases.not_examined(name, sentence)
        for words, sentence in REFUSED:
            cases.refused(words, sentence)
        for name, _, *wanted in FIXTURES:
            cases.damaged(name, *wanted)
        not_booted(cases, folder)
        others_go_on(cases)
        lost_output(cases)
    count = len(NOT_EXAMINED) + len(NOT_BOOTED) + len(REFUSED) + len(FIXTURES)
    print("\n".join(cases.complaints) or f"{count} cases were refused as they should be")
    return 1 if cases.complaints else 0


sys.exit(main())
