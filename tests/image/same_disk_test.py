#!/usr/bin/env python3
"""One disk in every container must be the same disk: the findings of each are those of the raw one, their evidence
included. What may differ is what the rules say of the container itself.

usage: same_disk_test.py NAME
"""

import pathlib
import subprocess
import sys
import tempfile

import common

# These judge the archive, and have nothing to judge in any other container.
OF_THE_ARCHIVE = {"image.tar-member", "image.tar-format", "image.tar-name"}


def convert(kind, *options):
    def make(raw, wrapped):
        subprocess.run(["qemu-img", "convert", "-q", "-f", "raw", "-O", kind, *options, raw, wrapped], check=True)
    return make


def shell(command):
    def make(raw, wrapped):
        subprocess.run(["sh", "-c", command, "sh", raw.name, wrapped], cwd=raw.parent, check=True)
    return make


CONTAINERS = {
    "disk.tar.gz": shell('tar --format=oldgnu -S --use-compress-program="gzip -1" -cf "$2" "$1"'),
    "plain.tar.gz": shell('tar --format=gnu --use-compress-program="igzip -1" -cf "$2" "$1"'),
    "pax.tar.gz": shell('tar --format=posix -S --use-compress-program="igzip -1" -cf "$2" "$1"'),
    "disk.tar": shell('tar --format=oldgnu -Scf "$2" "$1"'),
    "disk.tar.zst": shell('tar --format=oldgnu -S --use-compress-program="zstd -q1" -cf "$2" "$1"'),
    "disk.raw.gz": shell('igzip -1 -c "$1" >"$2"'),
    "disk.raw.xz": shell('xz -0 -T0 -c "$1" >"$2"'),
    "disk.raw.zst": shell('zstd -q1c "$1" >"$2"'),
    "disk.qcow2": convert("qcow2"),
    "compressed.qcow2": convert("qcow2", "-c", "-o", "compression_type=zstd"),
    "disk.vmdk": convert("vmdk"),
    "stream.vmdk": convert("vmdk", "-o", "subformat=streamOptimized"),
    "disk.vhd": convert("vpc", "-o", "force_size=on"),
    "fixed.vhd": convert("vpc", "-o", "subformat=fixed,force_size=on"),
    "disk.vhdx": convert("vhdx"),
    "disk.vdi": convert("vdi"),
}


def comparable(status, report):
    """What must not depend on the container."""
    entry = report["inputs"][0]
    findings = {finding["id"]: finding for finding in entry["findings"] if finding["id"] not in OF_THE_ARCHIVE}
    return {"examined": entry["examined"], "reason": entry["reason"], "kind": entry["kind"], "boots": entry["boots"],
            "boots_because": [rule for rule in entry["boots_because"] if rule not in OF_THE_ARCHIVE],
            "features": entry["features"], "bug": status in (2, 70, 75), **findings}


def differences(name, wanted, got):
    for key in wanted:
        if wanted[key] != got.get(key):
            yield f"{name}: {key} is {got.get(key)}\n    and in the raw disk {wanted[key]}"


def from_standard_input(path):
    with open(path, "rb") as file:
        done = subprocess.run([common.SLIPWAY, "check", "--format", "json", "-"], stdin=file, capture_output=True,
                              check=False)
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        piped = subprocess.run([common.SLIPWAY, "check", "--format", "json", "-"], stdin=cat.stdout,
                               capture_output=True, check=False)
    return done, piped


def check_standard_input(path, wanted):
    for how, done in zip(("a redirected", "a piped"), from_standard_input(path)):
        try:
            report = common.json.loads(done.stdout)
        except ValueError:
            yield f"{how} {path.name}: exit {done.returncode}: {done.stderr.decode()[:200]}"
            continue
        yield from differences(f"{how} {path.name}", wanted, comparable(done.returncode, report))


def main():
    name, wrong = sys.argv[1], []
    with common.image(name) as image, tempfile.TemporaryDirectory(dir=common.IMAGES, prefix="test-") as folder:
        folder = pathlib.Path(folder)
        raw = folder / "disk.raw"
        raw.hardlink_to(image)
        wanted = comparable(*common.slipway_json("check", "--format", "json", raw))
        if wanted["examined"] != "full" or len(wanted) < 50:
            wrong.append(f"the raw disk is examined {wanted['examined']}")
        for wrapped, make in CONTAINERS.items():
            path = folder / wrapped
            make(raw, path)
            got = comparable(*common.slipway_json("check", "--format", "json", path))
            found = list(differences(wrapped, wanted, got))
            print(f"{wrapped}: {path.stat().st_size >> 20} MiB, {len(found)} differences")
            wrong += found
            if wrapped in ("disk.tar.gz", "disk.raw.zst"):
                wrong += check_standard_input(path, wanted)
            path.unlink()
        wrong += check_standard_input(raw, wanted)
    common.finish(wrong)


main()
