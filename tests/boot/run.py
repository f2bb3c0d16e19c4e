"""What the tests of `slipway boot` share: one boot as JSON, and a look at what it left behind."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "image"))

import common  # noqa: E402


def need_emulator():
    if not shutil.which("qemu-system-x86_64"):
        print("there is no qemu-system-x86_64: run script/bootstrap")
        sys.exit(1)


def boot_once(path, *options, environment=None):
    command = [common.SLIPWAY, "boot", "--format", "json", *map(str, options), str(path)]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, **(environment or {})})
    try:
        return done.returncode, json.loads(done.stdout)["inputs"][0]
    except (ValueError, LookupError):
        sys.exit(f"{' '.join(command)} ended with {done.returncode} and no report: {done.stdout[:300]!r}"
                 f" {done.stderr.decode(errors='replace')[-1000:]}")


def boot(path, *options, environment=None):
    """Boots an input; returns the exit status and the report on it. QEMU without KVM aborts now and then by an assertion of
    its own ("iotlb_to_section"): 75 says to try again, and so it is done, once."""
    status, report = boot_once(path, *options, environment=environment)
    died = [run["ended"] for run in report["run"] if run["end"] == "machine"]
    if status != 75 or not died or not all("Assertion" in ended for ended in died):
        return status, report
    print(f"tried again, for the machine died: {died}")
    if "--keep-logs" in options:
        shutil.rmtree(options[options.index("--keep-logs") + 1])
    return boot_once(path, *options, environment=environment)


def proofs(run):
    return {proof["name"]: proof for proof in run["proofs"]}


def findings(report):
    return {finding["id"]: finding for finding in report["findings"]}


def told(run):
    """A run in words, for a test that fails."""
    symptoms = ", ".join(symptom["name"] for symptom in run["symptoms"]) or "none"
    lines = "\n    ".join(run["last_lines"])
    return f"it ended as {run['end']} ({run['ended']}); symptoms: {symptoms}\n    {lines}"
