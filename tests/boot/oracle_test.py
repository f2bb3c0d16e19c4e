#!/usr/bin/env python3
"""Boots an image and holds what its guest shows against what `check` and `inspect` had said of it before.

  oracle_test.py IMAGE [FIRMWARE]

One boot is of the image's kernel and initramfs, with a look from inside; with FIRMWARE there is another one, through
that and the image's own loader. Every proof must come out. A difference is a mistake in the prediction.
"""

import errno
import hashlib
import os
import re
import sys

import run
from run import common

# What the page's machine has, whatever boots on it.
PROOFS = {"acpi", "pnp", "net-driven", "net-checksum", "net-tso4", "net-gro4", "scsi-driven", "scsi-command-sets",
          "scsi-one-queue", "scsi-sectors", "scsi-disks-only", "scsi-hotplug", "scsi-hotunplug", "serial-ttyS0",
          "serial-ttyS1", "serial-ttyS2", "serial-ttyS3", "console", "root", "login"}
# Nothing in these guests speaks TCP: they have no guest environment, and their SSH server finds no host keys.
SILENT = {"bullseye-mbr": {"net-tso4", "net-gro4"}}
PHASES = ("kernel", "root", "init", "login")


PIECE = 1 << 16


def digest(path):
    """Of what is not zero, and where: a hole, and zeros that a file system has not written yet, are the same."""
    found = hashlib.sha256()
    with open(path, "rb") as disk:
        at, size = 0, disk.seek(0, os.SEEK_END)
        found.update(b"%d" % size)
        while at < size:
            try:
                at = os.lseek(disk.fileno(), at, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                break  # nothing but a hole is left
            at -= at % PIECE
            piece = os.pread(disk.fileno(), PIECE, at)
            if piece.strip(b"\0"):
                found.update(b"%d" % at)
                found.update(piece)
            at += PIECE
    return found.hexdigest()


def wrong_proofs(boot, silent):
    if boot["end"] != "came-up":
        yield run.told(boot)
        return
    for phase in boot["phases"]:
        if phase["phase"] in PHASES and not phase["reached"]:
            yield f"the phase {phase['phase']} was not seen"
    proofs = run.proofs(boot)
    for name in sorted(PROOFS):
        if name in silent:
            if proofs[name]["shown"] is not None:
                yield f"proof {name}: {proofs[name]['shown']}, though nothing in the guest speaks TCP"
        elif proofs[name]["shown"] is not True:
            yield f"proof {name}: {proofs[name]['shown']}, {proofs[name]['reason']}"
        elif not proofs[name]["evidence"]:
            yield f"proof {name} has no evidence"


def wrong_predictions(read, report):
    """Findings that were read before the boot, against those of it."""
    ran = run.findings(report)
    for finding in read["findings"]:
        seen = ran[finding["id"]]
        if seen["how"] == "ran" and {finding["verdict"], seen["verdict"]} == {"pass", "fail"}:
            yield f"{finding['id']}: read {finding['verdict']}, ran {seen['verdict']}: {seen['reason']}"
    if ran["boot.as-predicted"]["verdict"] != "pass":
        yield f"boot.as-predicted: {ran['boot.as-predicted']['verdict']}, {ran['boot.as-predicted']['reason']}"


INTERFACE = re.compile(r"(net\.ipv4\.conf\.)(?!all\.|default\.)[^.]+(\..*)")
DRIVERS = {"1af4:1000": "virtio_net", "1af4:1004": "virtio_scsi"}


def predicted_name(key):
    """`inspect` stands at no machine: it says eth0 for whatever the interface will be called."""
    return INTERFACE.sub(r"\1eth0\2", key)


def wrong_sysctls(facts, inside):
    predicted = {sysctl["key"]: sysctl for sysctl in facts["sysctls"]}
    shown = {sysctl["key"]: sysctl for sysctl in inside["sysctls"]}
    for key, sysctl in sorted(shown.items()):
        said = predicted.get(predicted_name(key))
        if not said:
            yield f"{key}: the guest has {sysctl['value']}, and nothing was predicted"
            continue
        for what in ("value", "effective"):
            if said[what] != sysctl[what]:
                yield f"{key}: {what} predicted {said[what]} ({said['source']}), the guest has {sysctl[what]}"
    interfaces = [key for key in shown if INTERFACE.match(key)]
    if len(shown) - len(interfaces) < 22 or len(interfaces) < 6:
        yield f"the guest shows {len(shown) - len(interfaces)} keys, and {len(interfaces)} of interfaces"


def wrong_modules(facts, inside):
    """What drives the page's devices, and that it is in the kernel, or loaded, as was read of the image."""
    kernel = next(kernel for kernel in facts["kernels"] if kernel["judged"])
    if inside["kernels"][0]["version"] != kernel["version"]:
        yield f"the kernel is {inside['kernels'][0]['version']}, and {kernel['version']} was to boot"
    read = {module["name"]: module["state"] for module in kernel["modules"]}
    loaded = {module["name"] for module in inside["kernels"][0]["modules"] if module["loaded"]}
    for name, state in sorted(read.items()):
        if name in loaded and state != "file":
            yield f"{name} is a module in the guest, and was read as {state}"
    virtio = {device["pci"]: device["driver"] for device in inside["hardware"]["virtio"]}
    driven = {device["id"]: virtio.get(device["address"]) for device in inside["hardware"]["pci"]}
    for device, driver in DRIVERS.items():
        if driven.get(device) != driver:
            yield f"{device} is driven by {driven.get(device)}, not by {driver}"
        if read.get(driver) == "file" and driver not in loaded:
            yield f"{driver} was read as a module, and is none in the guest"


def wrong_command_line(facts, inside):
    said = next(entry for entry in facts["boot"]["entries"] if entry["default"])["command_line"]
    shown = inside["boot"]["entries"][0]["command_line"]
    if not shown.startswith(said):
        yield f"the command line is '{shown}', and '{said}' was read"


def main():
    name, firmware = sys.argv[1], sys.argv[2:]
    with common.image(name) as path:
        before = digest(path)
        _, read = common.slipway_json("check", "--format", "json", path)
        _, facts = common.slipway_json("inspect", "--format", "json", path)
        reports = [run.boot(path, "--firmware", *firmware)[1]] if firmware else []
        reports.append(run.boot(path, "--inside")[1])
        after = digest(path)
    wrong = []
    for report in reports:
        wrong += wrong_proofs(report["run"][0], SILENT.get(name, ()))
        wrong += wrong_predictions(read["inputs"][0], report)
    inside = reports[-1]["run"][0]["inside"]
    if inside:
        for compare in (wrong_sysctls, wrong_modules, wrong_command_line):
            wrong += compare(facts, inside)
    else:
        wrong += [f"nothing came from inside: {reports[-1]['run'][0]['inside_reason']}", run.told(reports[-1]["run"][0])]
    if before != after:
        wrong.append("the image was changed")
    common.finish(wrong)


main()
