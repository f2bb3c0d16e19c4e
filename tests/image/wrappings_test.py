#!/usr/bin/env python3
"""One root file system as a directory, as a tar and as a compressed tar: slipway must say the same of each, evidence
included, and of the kernel's configuration alone what it says of it inside.

  wrappings_test.py SUITE
"""

import pathlib
import subprocess
import sys
import tempfile

import common


def said(path, kind):
    """What is said of an input, but for its name."""
    status, out = common.slipway_json("check", "--format=json", path)
    entry = out["inputs"][0]
    if (entry["kind"], entry["examined"], status) != (kind, "full", 0):
        sys.exit(f"{path}: {entry['kind']}, {entry['examined']} ({entry['reason']}), exit status {status}")
    return {key: value for key, value in entry.items() if key != "input"}


def complain(name, wanted, got):
    """Names the findings that differ; tells whether any does."""
    if got == wanted:
        return False
    for one, other in zip(wanted["findings"], got["findings"]):
        if one != other:
            print(f"{name}: {one['id']}: {other['verdict']}, {other['reason']}, {other['evidence']}; in the directory "
                  f"{one['verdict']}, {one['reason']}, {one['evidence']}")
    print(f"{name} differs from the directory")
    return True


def check_configuration(folder, whole):
    """Alone, the configuration fails where it does in the system; what it cannot show is not known."""
    config = next((folder / "boot").glob("config-*"))
    failed = False
    inside = {finding["id"]: finding for finding in whole["findings"]}
    for finding in said(config, "config")["findings"]:
        verdict, other = finding["verdict"], inside[finding["id"]]["verdict"]
        if finding["section"] in ("sysctl", "image", "boot", "guest"):
            fits = verdict == "n/a"
        else:
            fits = verdict == other or (verdict == "unknown" and other == "pass" and "m" in finding["found"])
        if not fits:
            print(f"{config.name}: {finding['id']}: {verdict} ({finding['reason']}), in the system {other}")
            failed = True
    return failed


def main():
    suite = sys.argv[1]
    tar = common.IMAGES / "roots" / f"{suite}.tar"
    common.need(tar)
    with tempfile.TemporaryDirectory(dir=common.IMAGES, prefix="test-") as name:
        scratch = pathlib.Path(name)
        folder = scratch / "root"
        folder.mkdir()
        # Devices cannot be made by everybody, and nothing looks at them.
        subprocess.run(["tar", "-xf", tar, "-C", folder, "--exclude=./dev/*"], check=True)
        wanted = said(folder, "tree")
        failed = complain(tar.name, wanted, said(tar, "tree"))
        packed = scratch / f"{suite}.tar.zst"
        subprocess.run(["zstd", "-q", "-1", tar, "-o", packed], check=True)
        failed |= complain(packed.name, wanted, said(packed, "tree"))
        failed |= check_configuration(folder, wanted)
    return 1 if failed else 0


sys.exit(main())
