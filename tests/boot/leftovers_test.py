#!/usr/bin/env python3
"""Ends boots in every way, at every stage, and looks for what they leave: a process, a file, a changed terminal.

  leftovers_test.py SLIPWAY ROOT    the tar of a root file system, with a kernel in it

A kernel by itself does: it goes through all stages in seconds. An end from outside blames nothing on what was booted.
"""

import contextlib
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import termios
import time

SLIPWAY, ROOT = map(os.path.abspath, sys.argv[1:3])
KERNEL = "vmlinuz"
STAGES = {"firmware": "firmware after", "kernel": "kernel after", "proofs": "login after"}

# Stage, whom, signal, whether to the group as a terminal does; exit status, and a word of the report.
ENDS = [
    ("firmware", "slipway", signal.SIGINT, True, 130, "signal 2 (Interrupt) came"),
    ("kernel", "slipway", signal.SIGINT, True, 130, "signal 2 (Interrupt) came"),
    ("kernel", "slipway", signal.SIGKILL, False, -9, ""),
    ("kernel", "machine", signal.SIGKILL, False, 75, "QEMU was killed by signal 9 (Killed)"),
    ("proofs", "slipway", signal.SIGTERM, False, 130, "signal 15 (Terminated) came"),
    ("proofs", "machine", signal.SIGKILL, False, 75, "QEMU was killed by signal 9 (Killed)"),
]


def extract_kernel():
    with tarfile.open(ROOT) as root:
        for member in root:
            if member.isfile() and member.name.removeprefix("./").startswith("boot/vmlinuz-"):
                pathlib.Path(KERNEL).write_bytes(root.extractfile(member).read())
                return
    sys.exit(f"{ROOT} holds no kernel")


def state(pid):
    """Name, parent and state of a process; None: there is none."""
    try:
        name, rest = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split("(", 1)[1].rsplit(")", 1)
    except OSError:
        return None
    return name, int(rest.split()[1]), rest.split()[0]


def children(parent):
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        found = state(int(entry.name))
        if found and found[1] == parent:
            yield int(entry.name), found[0]


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def gone(pid):
    found = state(pid)
    return not found or found[2] in "ZX"


@contextlib.contextmanager
def booted(*options, **more):
    """A boot that runs, its machine's folder, and the file of what it says on the standard error."""
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as said:
        boot = subprocess.Popen([SLIPWAY, "boot", *options, "--kernel", KERNEL], start_new_session=True,
                                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": said, **more},
                                env={**os.environ, "TMPDIR": folder})
        try:
            yield boot, folder, pathlib.Path(said.name)
        finally:
            boot.kill()
            boot.wait()


def left_behind(machines, folder):
    for pid in machines:
        if not wait_for(lambda pid=pid: gone(pid), 10):
            yield f"the machine {pid} lives"
    for name in os.listdir(folder):
        yield f"the file {name} is left"


def ends(stage, whom, number, group, status, word):
    with booted() as (boot, folder, said):
        if not wait_for(lambda: STAGES[stage] in said.read_text() or boot.poll() is not None, 120):
            return [f"it does not come to its {stage}"]
        machines = [pid for pid, name in children(boot.pid) if name.startswith("qemu")]
        if len(machines) != 1:
            return [f"its machines are {machines}: {said.read_text()}"]
        if whom == "machine":
            os.kill(machines[0], number)
        elif group:
            os.killpg(boot.pid, number)
        else:
            os.kill(boot.pid, number)
        report = boot.communicate(timeout=60)[0].decode()
        wrong = list(left_behind(machines, folder))
        if boot.returncode != status:
            wrong.append(f"the exit status is {boot.returncode}, expected {status}")
        if word not in report:
            wrong.append(f"'{word}' is not said")
        if "FAIL" in report or "Did not come up" in report:
            wrong.append(f"it blames what was booted: {report[-300:]}")
        return wrong


def reader_who_stops(*options):
    """Standard error and console go to somebody who does not read: a signal ends the boot all the same."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    with booted("--console", *options, stderr=writing) as (boot, folder, _):
        wait_for(lambda: any(name.startswith("qemu") for _, name in children(boot.pid)), 30)
        machines = [pid for pid, name in children(boot.pid) if name.startswith("qemu")]
        # Until the kernel has said a word: slipway waits to write then.
        time.sleep(5)
        if boot.poll() is not None:
            return ["it does not wait for its reader"]
        os.close(writing)
        os.kill(boot.pid, signal.SIGTERM)
        if not wait_for(lambda: boot.poll() is not None or select.select([boot.stdout], [], [], 0)[0], 20):
            return ["it waits for its reader"]
        boot.stdout.read()
        boot.wait(20)
        os.close(reading)
        return list(left_behind(machines, folder))


def terminal():
    """With the console on a terminal, which is as it was."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    with booted("--console", stdin=theirs, stderr=theirs) as (boot, folder, _):
        seen = b""
        end = time.monotonic() + 120
        while b"Linux version" not in seen and time.monotonic() < end:
            seen += os.read(ours, 4096)
        machines = [pid for pid, name in children(boot.pid) if name.startswith("qemu")]
        os.killpg(boot.pid, signal.SIGINT)
        while boot.poll() is None:
            if select.select([ours], [], [], 0.1)[0]:
                os.read(ours, 4096)
        wrong = list(left_behind(machines, folder))
    if termios.tcgetattr(theirs) != before:
        wrong.append("the terminal has other settings")
    return wrong


def main():
    if not pathlib.Path(ROOT).exists() or not shutil.which("qemu-system-x86_64"):
        print(f"there is no QEMU, or no {ROOT}: script/test-images makes it")
        return 1 if os.environ.get("SLIPWAY_REQUIRE") == "1" else 77
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        extract_kernel()
        return test()


def test():
    complaints = []
    for row in ENDS:
        complaints += [f"{row[1]} at {row[0]}, {row[2].name}: {wrong}" for wrong in ends(*row)]
    for options in (), ("--quiet",):
        complaints += [f"a reader who stops {options}: {wrong}" for wrong in reader_who_stops(*options)]
    complaints += [f"a terminal: {wrong}" for wrong in terminal()]
    print("\n".join(complaints) or f"{len(ENDS) + 3} boots left nothing behind")
    return 1 if complaints else 0


sys.exit(main())
