#!/usr/bin/env python3
"""Boots an image for arm64 on QEMU's virt machine, through its own firmware and loader. That is not the page's machine,
and a guest tells nothing of itself there: what it shows is held against what `check` had said of it all the same, virt's
devices that the page has as well are proved, and what virt lacks fails nothing.
"""

import sys
import tempfile

import run
from run import common

PROOFS = {"acpi", "net-driven", "net-checksum", "net-tso4", "net-gro4", "scsi-driven", "scsi-command-sets",
          "scsi-one-queue", "scsi-sectors", "scsi-disks-only", "scsi-hotplug", "scsi-hotunplug", "console", "root", "login"}
LACKED = {"pnp", "serial-ttyS0", "serial-ttyS1", "serial-ttyS2", "serial-ttyS3"}
RAN = {"hardware.serial.pl011", "boot.serial-getty"}


def wrong_proofs(boot):
    proofs = run.proofs(boot)
    for name in sorted(PROOFS):
        if proofs[name]["shown"] is not True or not proofs[name]["evidence"]:
            yield f"proof {name}: {proofs[name]['shown']}, {proofs[name]['reason']}"
    for name in sorted(LACKED):
        if proofs[name]["shown"] is not None or "virt machine has no" not in proofs[name]["reason"]:
            yield f"proof {name}, which virt lacks: {proofs[name]['shown']}, {proofs[name]['reason']}"
    for name in ("console", "login"):
        if "ttyAMA0" not in proofs[name]["reason"]:
            yield f"proof {name} does not name the port: {proofs[name]['reason']}"


def wrong_boot(boot):
    if boot["end"] != "came-up" or not all(phase["reached"] for phase in boot["phases"]):
        yield run.told(boot)
    if (boot["firmware"], boot["is_reference"]) != ("UEFI", False) or "virt" not in boot["machine"]:
        yield f"booted with {boot['firmware']} on {boot['machine']}, the page's machine: {boot['is_reference']}"


def wrong_console(logs, facts):
    """What the guest says of itself: the kernel that runs and its command line are those that were read."""
    with open(f"{logs}/console.log", encoding="utf-8", errors="replace") as file:
        console = file.read()
    kernel = next(kernel for kernel in facts["kernels"] if kernel["judged"])
    line = next(entry for entry in facts["boot"]["entries"] if entry["default"])["command_line"]
    for text in (f"Linux version {kernel['version']} ", f"{line}\n"):
        if text not in console:
            yield f"the console does not show '{text.strip()}', which was read"


def wrong_findings(read, report):
    """No verdict is another one than before; those that virt can show were seen."""
    ran = run.findings(report)
    for finding in read["findings"]:
        seen = ran[finding["id"]]
        if seen["verdict"] != finding["verdict"]:
            yield f"{finding['id']}: read {finding['verdict']}, then {seen['verdict']}: {seen['reason']}"
        if (seen["how"] == "ran") != (finding["id"] in RAN):
            yield f"{finding['id']}: how is {seen['how']}: {seen['reason']}"
    if report["boots"] != read["boots"]:
        yield f"boots: read {read['boots']}, then {report['boots']}"


def main():
    with common.image("bookworm-arm64") as path, tempfile.TemporaryDirectory(prefix="slipway-logs-") as logs:
        _, read = common.slipway_json("check", "--format", "json", path)
        _, facts = common.slipway_json("inspect", "--format", "json", path)
        status, report = run.boot(path, "--keep-logs", logs)
        boot = report["run"][0]
        wrong = [*wrong_boot(boot), *wrong_proofs(boot), *wrong_console(logs, facts),
                 *wrong_findings(read["inputs"][0], report)]
    if status != 0:
        wrong.append(f"exit status {status}")
    print(f"{boot['cpu_seconds']:.0f} s of processor time", file=sys.stderr)
    common.finish(wrong)


main()
