#!/usr/bin/env python3
"""What slipway reads from an image, against tools that others wrote: sfdisk, debugfs, grub-fstest, lsinitramfs."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import common
from images.tools import run


def wrong_partitions(path, name, facts):
    """Numbers, starts and sizes against sfdisk, which is told nothing of how the image was made."""
    if name == "trixie-4k":  # sfdisk takes a file's sectors for 512 bytes: against the plan it was made by
        wanted = {number: (part.start, part.size) for number, part in common.partitions(name).items()}
    else:
        table = json.loads(run("sfdisk", "--json", path))["partitiontable"]
        wanted = {int(re.search(r"(\d+)$", entry["node"])[1]): (entry["start"] * 512, entry["size"] * 512)
                  for entry in table["partitions"]}
    # An extended partition holds others and nothing else: it need not be named.
    got = {entry["number"]: (entry["start"], entry["size"]) for entry in facts["disk"]["partitions"]}
    for number in sorted(wanted.keys() | got.keys()):
        part = common.partitions(name).get(number)
        if wanted.get(number) != got.get(number) and not (part and part.kind == "extended"):
            yield f"partition {number}: slipway {got.get(number)}, the oracle {wanted.get(number)}"


def judged(facts):
    """The kernel that boots; of others slipway looks at the header alone."""
    return [kernel for kernel in facts["kernels"] if kernel["judged"]] or sys.exit("slipway judges no kernel")


def wrong_config(path, name, facts):
    """Each symbol and its line against the file as debugfs reads it."""
    for kernel in judged(facts):
        part = next(part for part in common.partitions(name).values()
                    if part.kind == "linux" and boot_file(path, name, part, f"config-{kernel['version']}"))
        text = boot_file(path, name, part, f"config-{kernel['version']}").decode()
        values = dict(re.findall(r"^CONFIG_(\w+)=(.*)$", text, re.M))
        if not kernel["config"]:
            yield f"kernel {kernel['version']}: no configuration was read"
        for symbol, value in kernel["config"].items():
            if values.get(symbol, "n").strip('"') != value.strip('"'):
                yield f"CONFIG_{symbol}: slipway {value}, debugfs {values.get(symbol, 'n')}"


def boot_file(path, name, part, file):
    folder = "" if part.number == common.catalogue.layout_of(name).boot else "/boot"
    return common.cat(path, part, f"{folder}/{file}")


def wrong_modules(path, name, facts):
    """The modules of each initramfs against lsinitramfs, which unpacks it with cpio."""
    for kernel in judged(facts):
        content = next(filter(None, (boot_file(path, name, part, f"initrd.img-{kernel['version']}")
                                     for part in common.partitions(name).values() if part.kind == "linux")))
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            names = run("lsinitramfs", file.name).decode().split("\n")
        wanted = {re.sub(r"\.ko(\.\w+)?$", "", pathlib.PurePath(line).name).replace("-", "_") for line in names
                  if re.search(rf"lib/modules/{re.escape(kernel['version'])}/.*\.ko(\.\w+)?$", line)}
        got = set(kernel["initramfs"]["modules"])
        if not wanted:
            yield f"lsinitramfs finds no module for {kernel['version']}: it is no oracle here"
        for module in sorted(wanted ^ got):
            yield f"initramfs of {kernel['version']}: {module} is seen by {'lsinitramfs' if module in wanted else 'slipway'} alone"


def wrong_sysctls(path, name, facts):
    """Each value that a file sets is in that file, at that line."""
    seen = 0
    for entry in facts["sysctls"]:
        place = entry.get("evidence") or {}
        if not place.get("path") or not place.get("line"):
            continue
        content = common.cat_mounted(path, name, place["partition"], place["path"])
        line = content.decode().split("\n")[place["line"] - 1] if content else ""
        match = re.match(r"\s*-?\s*(\S+)\s*=\s*(.*?)\s*$", line)
        if not match or match[2] != entry["value"]:
            yield f"{entry['key']}: slipway {entry['value']} from {place['path']}:{place['line']}, which is {line!r}"
        seen += 1
    if seen < 22:
        yield f"slipway traces {seen} sysctls to a file, the image sets at least 22"


def wrong_content(path, name, facts):
    """The menu as GRUB's own file-system code reads it: the same bytes, and the line of every entry in it."""
    place = facts["boot"]["config"]
    part = next(entry for entry in facts["disk"]["partitions"] if entry["number"] == place["partition"])
    kind = "gpt" if facts["disk"]["table"] == "gpt" else "msdos"
    inner = common.inside(name, part["number"], place["path"])
    done = subprocess.run(["grub-fstest", str(path), "cat", f"(loop0,{kind}{part['number']}){inner}"],
                          capture_output=True, env=common.environment(), check=False)
    if done.returncode != 0:
        yield f"grub-fstest does not read {place['path']}: {done.stderr.decode().strip()}"
        return
    lines = done.stdout.decode().split("\n")
    for entry in facts["boot"]["entries"]:
        at = entry["evidence"]
        if at and at["line"] and at["text"].split() != lines[at["line"] - 1].split():
            yield f"entry {entry['title']!r}: line {at['line']} is {lines[at['line'] - 1]!r} to GRUB"
        kernel = common.inside(name, part["number"], entry["kernel"]["path"])
        if not any(kernel in line for line in lines):
            yield f"entry {entry['title']!r}: GRUB's file names no {kernel}"


def main():
    name = sys.argv[1]
    with common.image(name) as path:
        status, facts = common.slipway_json("inspect", "--format", "json", path)
        facts = facts["inputs"][0] if "inputs" in facts else facts
        wrong = [] if status == 0 else [f"slipway inspect ended with {status}"]
        checks = [wrong_partitions, wrong_config, wrong_modules, wrong_sysctls]
        # grub-fstest takes every disk's sectors for 512 bytes.
        if name != "trixie-4k":
            checks.append(wrong_content)
        for check in checks:
            wrong += check(path, name, facts)
    common.finish(wrong)


main()
