#!/usr/bin/python3
"""Holds JSON reports against the published schemas: the golden ones, and, given the program, its own.

A schema that takes anything proves nothing: every report is also broken in every place, one at a time, and each broken
one must be refused.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

ROOT = pathlib.Path(sys.argv[1])
GOLDEN = ROOT / "tests/golden/report"


def validator(name):
    schema = json.loads((ROOT / "schema" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def spoiled(value, free=False):
    """All variants of a value with one member dropped, one added, or one scalar of another type.

    `free` objects are maps from names that the image chooses: there a member more or less is no mistake.
    """
    if isinstance(value, dict):
        for key in value:
            if not free:
                yield {name: each for name, each in value.items() if name != key}
            for variant in spoiled(value[key], key in ("config", "config_lines", "guest")):
                yield dict(value, **{key: variant})
        if not free:
            yield dict(value, surplus=1)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            for variant in spoiled(each):
                yield value[:index] + [variant] + value[index + 1:]
        yield "no list"
    else:
        yield [] if value is None else "3.5" if isinstance(value, float) else 3.5


# The members that may be absent.
OPTIONAL = ("offset", "volume", "root_volume", "run")


def without_optional(report, optional=OPTIONAL):
    if isinstance(report, dict):
        return {key: without_optional(value, optional) for key, value in report.items() if key not in optional}
    return [without_optional(each, optional) for each in report] if isinstance(report, list) else report


def check_runs(name, report, inspect):
    """A run, with the guest's own view held against the schema of inspect."""
    runs = json.loads((GOLDEN / name).read_text())["inputs"][0]["run"]
    schema = json.loads((ROOT / "schema/report.schema.json").read_text())
    of_run = jsonschema.Draft202012Validator({"$ref": "#/$defs/run", "$defs": schema["$defs"]})
    insides = [run["inside"] for run in runs if run["inside"]]
    complaints = [] if insides else [f"{name}: no run has the guest's own view"]
    for inside in insides:
        complaints += check(f"{name}: inside", inspect, inside)
    for run in runs:
        complaints += check(f"{name}: run", of_run, dict(run, inside=None))
    return complaints + [f"{name}: {error.message}" for error in report.iter_errors(json.loads(
        (GOLDEN / name).read_text()))]


def check(name, schema, report):
    errors = [f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message}"
              for error in schema.iter_errors(report)]
    if errors:
        return errors
    return [f"{name}: the schema takes a broken report: {json.dumps(variant)[:300]}"
            for variant in spoiled(without_optional(copy.deepcopy(report))) if schema.is_valid(variant)]


def main():
    report, inspect = validator("report.schema.json"), validator("inspect.schema.json")
    complaints = check("check.json", report, json.loads((GOLDEN / "check.json").read_text()))
    complaints += check_runs("boot.json", report, inspect)
    for name in ("inspect.json", "inspect-live.json", "inspect-none.json"):
        complaints += check(name, inspect, json.loads((GOLDEN / name).read_text()))
    for program in sys.argv[2:]:
        with tempfile.NamedTemporaryFile() as empty:
            for command, schema in (("check", report), ("inspect", inspect)):
                run = subprocess.run([program, command, "--format=json", empty.name],
                                     stdout=subprocess.PIPE, check=False)
                complaints += [f"slipway {command}: exit {run.returncode}, not 2"] * (run.returncode != 2)
                complaints += [f"slipway {command}: {error.message}"
                               for error in schema.iter_errors(json.loads(run.stdout))]
    print("\n".join(complaints) or "all reports are as the schemas say")
    return 1 if complaints else 0


sys.exit(main())
