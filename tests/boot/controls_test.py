#!/usr/bin/env python3
"""The proofs of `slipway boot` on a guest that lacks on purpose what they prove: none may say yes.

  controls_test.py NAME    a name of controls.GUESTS
"""

import os
import pathlib
import shlex
import shutil
import sys
import tempfile

import run  # before the others: it tells where they are
import common
import controls

ROOT = pathlib.Path(os.environ.get("SLIPWAY_ROOTS", common.IMAGES / "roots")) / "bookworm.tar"
ANSWERS = {True: controls.YES, False: controls.NO, None: controls.UNKNOWN}


def complaints(guest, boot):
    if boot["end"] != "came-up":
        yield f"the end is {boot['end']}, expected came-up"
    proofs, expected = run.proofs(boot), {**controls.WHOLE, **guest.expected}
    if proofs.keys() != expected.keys():
        yield f"these proofs are not in the table, or not made: {sorted(proofs.keys() ^ expected.keys())}"
    for name, proof in proofs.items():
        shown, wanted = ANSWERS[proof["shown"]], expected.get(name, ())
        if shown not in (wanted if isinstance(wanted, tuple) else (wanted,)):
            yield f"{name} is {shown}, expected {wanted}: {proof['reason']} ({proof['found']})"
        if shown != controls.UNKNOWN and not proof["evidence"]:
            yield f"{name} is {shown} without any evidence"
        if not proof["reason"]:
            yield f"{name} is {shown} without a reason"
    if (boot["inside"] is not None) != guest.reports:
        yield f"it {'told nothing' if guest.reports else 'told'} of itself over ttyS1: {boot['inside_reason']}"


def environment(folder, guest):
    """In which QEMU is started with the guest's own words for it."""
    if not guest.machine:
        return {}
    program = shutil.which("qemu-system-x86_64")
    (folder / "bin").mkdir()
    player = folder / "bin" / "qemu-system-x86_64"
    player.write_text(f'#!/bin/sh\nexec {shlex.quote(program)} "$@" {shlex.join(guest.machine)}\n')
    player.chmod(0o755)
    return {"PATH": f"{player.parent}:{os.environ['PATH']}"}


def main():
    guest = controls.GUESTS[sys.argv[1]]
    common.need(ROOT)
    run.need_emulator()
    with tempfile.TemporaryDirectory(dir=common.IMAGES, prefix="boot-") as name:
        folder = pathlib.Path(name)
        kernel = controls.Kernel(ROOT, folder)
        initrd = folder / "modules.cpio"
        initrd.write_bytes(kernel.initramfs(guest.without))
        options = ["--append", guest.append] if guest.append else []
        _, report = run.boot(kernel.vmlinuz, "--initrd", initrd, *options, environment=environment(folder, guest))
    boot = report["run"][0]
    wrong = list(complaints(guest, boot))
    common.finish(wrong + [run.told(boot)] if wrong else [])


main()
