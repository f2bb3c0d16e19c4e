#!/usr/bin/python3
"""Compares the manual page with the program's own --help, every option of every command and no other, and tries the
example of the policy's manual page."""

import pathlib
import re
import subprocess
import sys
import tempfile

# *-f*, *--format*=_FORMAT_ (check, inspect)
ENTRY = re.compile(r"^(?:\*-(?P<letter>\w)\*, )?\*--(?P<name>[\w-]+)\*(?:=_(?P<argument>\w+)_)?"
                   r"(?: \((?P<commands>[^)]*)\))?$", re.M)
#   -f, --format=FORMAT      how to report
HELP = re.compile(r"^  (?:-(?P<letter>\w)|  )[, ] --(?P<name>[\w-]+)(?:=(?P<argument>\w+))?  ", re.M)
COMMAND = re.compile(r"^  (?P<name>[a-z]+)  ", re.M)


def help_of(program, *words):
    return subprocess.run([program, *words, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout


def try_example(program, page):
    """The complaints of the program about the page's example policy."""
    example = page.split("# EXAMPLE")[1].split("```")[1]
    rules = re.findall(r"^\[(?!policy)([\w.-]+)\]$", example, re.M)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(example)
        file.flush()
        run = subprocess.run([program, "explain", "--policy", file.name], capture_output=True, text=True, check=False)
    listed = re.findall(r"^([\w.-]+)", run.stdout, re.M)
    if run.returncode != 0 or not rules or listed != rules:
        return [f"the example of slipway-policy(5) has the rules {rules}, explain lists {listed}: {run.stderr}"]
    return []


def main():
    program, page = sys.argv[1], pathlib.Path(sys.argv[2]).read_text()
    overview = help_of(program)
    commands = COMMAND.findall(overview.split("Options:")[0])
    told = {name: {match.group("letter", "name", "argument") for match in HELP.finditer(help_of(program, name))}
            for name in commands}
    told[""] = {match.group("letter", "name", "argument") for match in HELP.finditer(overview)}

    written = {name: set() for name in told}
    for match in ENTRY.finditer(page.split("# OPTIONS")[1].split("\n# ")[0]):
        where = match.group("commands")
        names = [""] if where == "without a command" else where.split(", ") if where else list(told)
        for name in names:
            written.setdefault(name, set()).add(match.group("letter", "name", "argument"))

    complaints = try_example(program, pathlib.Path(sys.argv[3]).read_text())
    complaints += [f"the manual page has no entry *{name}* under COMMANDS" for name in commands
                  if f"\n*{name}*\n" not in page]
    for name in sorted(set(told) | set(written)):
        for option in sorted(told.get(name, set()) ^ written.get(name, set()), key=str):
            side = "the manual page" if option in told.get(name, set()) else "--help"
            complaints.append(f"slipway {name}: {side} lacks --{option[1]} as {option}")
    if not all(told.values()) or not commands:
        complaints.append("a command's --help was not understood")
    print("\n".join(complaints) or "the manual page and --help agree")
    return 1 if complaints else 0


sys.exit(main())
