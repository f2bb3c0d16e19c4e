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


def boot(path, *options, environment=None):
    """Boots an input; returns the exit status and the report on it."""
    command = [common.SLIPWAY, "boot", "--format", "json", *map(str, options), str(path)]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, **(environment or {})})
    try:
        return done.returncode, json.loads(done.stdout)["inputs"][0]
    except (ValueError, LookupError):
        sys.exit(f"{' '.join(command)} ended with {done.returncode} and no report: {done.stdout[:300]!r}"
                 f" {done.stderr.decode(errors='replace')[-1000:]}")


def proofs(run):
    return {proof["name"]: proof for proof in run["proofs"]}


def findings(report):
    return {finding["id"]: finding for finding in report["findings"]}


def told(run):
    """A run in words, for a test that fails."""
    symptoms = ", ".join(symptom["name"] for symptom in run["symptoms"]) or "none"
    lines = "\n    ".join(run["last_lines"])
    return f"it ended as {run['end']} ({run['ended']}); symptoms: {symptoms}\n    {lines}"
