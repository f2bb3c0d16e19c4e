#!/usr/bin/env python3
"""Boots a guest that attacks: slipway says how it ended, with bounded means, and drives no terminal.

  flood_test.py FLOOD    the guest's init, a static program
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import run  # before the others: it tells where they are
import common
import controls

ROOT = pathlib.Path(os.environ.get("SLIPWAY_ROOTS", common.IMAGES / "roots")) / "bookworm.tar"
MEMORY_MOST = 256 << 10  # KiB of slipway itself
LOG_MOST = 65 << 20
# Text, and of sequences those that colour and move: see src/machine/terminal.h.
SHOWN = re.compile(rb"(?:[\t\n\r\x08\x20-\x7e]|\xc2[\xa0-\xbf]|[\xc3-\xf4][\x80-\xbf]+|\x1b\[[0-9;]*[A-HJ-MPX@dfm])*")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def boot(folder, vmlinuz, initrd):
    """The exit status, the report, what those who watch saw, and the most memory that slipway took."""
    command = [common.SLIPWAY, "boot", "--format", "json", "--console", "--keep-logs", folder / "logs", "--initrd", initrd,
               "--append", "rdinit=/flood", vmlinuz]
    with open(folder / "seen", "wb") as seen:
        with subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=seen) as child:
            peak = [0]

            def look():
                while child.poll() is None:
                    try:
                        status = pathlib.Path(f"/proc/{child.pid}/status").read_text(encoding="utf-8")
                    except OSError:
                        return
                    found = re.search(r"VmHWM:\s*(\d+)", status)
                    peak[0] = max(peak[0], int(found[1]) if found else 0)
                    time.sleep(0.5)

            watcher = threading.Thread(target=look)
            watcher.start()
            said = child.stdout.read()
            watcher.join()
    return child.returncode, said, (folder / "seen").read_bytes(), peak[0]


def complaints(folder, status, said, seen, peak):
    if status not in (0, 1, 2):
        yield f"the exit status is {status}"
    try:
        report = json.loads(said)
    except ValueError:
        yield f"there is no report: {said[:300]!r} {seen[-500:]!r}"
        return
    boots = report["inputs"][0]["run"]
    if len(boots) != 1 or boots[0]["end"] != "came-up":
        yield run.told(boots[0]) if boots else "there is no run"
    for text in strings(report):
        if CONTROL.search(text):
            yield f"the report would drive a terminal: {text!r}"
    whole = SHOWN.match(seen)
    if whole.end() != len(seen):
        yield f"what is watched drives the terminal: {seen[whole.end() - 20:whole.end() + 20]!r}"
    if len(seen) < 10000:
        yield f"the guest said {len(seen)} bytes: it did not flood"
    if peak > MEMORY_MOST:
        yield f"slipway took {peak} KiB"
    for log in (folder / "logs").iterdir():
        if log.stat().st_size > LOG_MOST:
            yield f"{log.name} has {log.stat().st_size} bytes"
    print(f"{len(seen)} bytes seen, {peak} KiB, " + ", ".join(f"{log.name} {log.stat().st_size}"
                                                                for log in (folder / "logs").iterdir()))


def main():
    common.need(ROOT)
    run.need_emulator()
    with tempfile.TemporaryDirectory(dir=common.IMAGES, prefix="boot-") as name:
        folder = pathlib.Path(name)
        kernel = controls.Kernel(ROOT, folder)
        initrd = folder / "flood.cpio"
        flood = controls.cpio([("flood", 0o100755, pathlib.Path(sys.argv[1]).read_bytes())])
        initrd.write_bytes(kernel.initramfs() + flood)
        common.finish(list(complaints(folder, *boot(folder, kernel.vmlinuz, initrd))))


main()
