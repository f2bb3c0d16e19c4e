#!/usr/bin/env python3
"""Checks one real image and compares everything that slipway says of it with expected/NAME.ini.

An expectation names every rule that does not pass; with `like`, it is another one with some things changed. Every
line of evidence is looked up in the image with debugfs, mtools or GRUB: it must be there, word for word.

  image_test.py NAME           compares
  image_test.py --show NAME    prints what slipway says, in the form of an expectation
"""

import configparser
import fnmatch
import pathlib
import sys

import common

EXPECTED = pathlib.Path(__file__).resolve().parent / "expected"


def expectation(name):
    """The sections of NAME.ini on top of those of the file that it is `like`."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=True)
    parser.optionxform = str
    path = EXPECTED / f"{name}.ini"
    if not parser.read(path):
        sys.exit(f"{path} is missing: every image needs an expectation")
    base = parser.get("report", "like", fallback=None)
    # None of them is booted here.
    verdicts = {"boot.as-predicted": "n/a"}
    sections = expectation(base) if base else {"report": {}, "verdicts": verdicts, "evidence": {}, "found": {}}
    for section in parser.sections():
        for key, value in parser.items(section):
            if key != "like":
                sections[section][key] = value
    return sections


def expected_verdicts(patterns, rules):
    """What is expected of each rule that is not to pass: a name goes before a pattern, a longer one before a
    shorter one."""
    found = {}
    for rule in rules:
        fitting = [pattern for pattern in patterns if fnmatch.fnmatchcase(rule, pattern)]
        if fitting:
            best = max(fitting, key=lambda pattern: (pattern == rule, len(pattern)))
            if patterns[best] != "pass":
                found[rule] = patterns[best]
    return found


def summary(status, entry):
    """The [report] section that a report amounts to."""
    return {
        "exit": str(status), "examined": entry["examined"], "boots": entry["boots"],
        "because": " ".join(entry["boots_because"]), "conforms": "yes" if entry["conforms"] else "no",
    }


def verdicts(entry):
    return {finding["id"]: finding["verdict"] for finding in entry["findings"] if finding["verdict"] != "pass"}


def differences(what, wanted, got, reasons):
    for key in sorted(wanted.keys() | got.keys()):
        if wanted.get(key) != got.get(key):
            reason = f": {reasons[key]}" if reasons.get(key) else ""
            yield f"{what} {key}: {got.get(key, 'pass')}, expected {wanted.get(key, 'pass')}{reason}"


def wrong_features(wanted, features):
    for feature in wanted.split():
        if feature.startswith("-") == (feature.lstrip("-") in features):
            yield f"feature {feature.lstrip('-')}: expected {'absent' if feature[0] == '-' else 'present'}"


def wrong_evidence(path, name, findings):
    """Evidence that is not what other tools find at that place of the image."""
    files = {}
    for finding in findings:
        for place in finding["evidence"]:
            if not place["line"] or not place["path"] or not place["text"]:
                continue
            key = place.get("volume"), place["partition"], place["path"]
            if key not in files:
                files[key] = (common.cat_volume(path, key[0], key[2]) if key[0]
                              else common.cat_mounted(path, name, *key[1:]))
            where = f"{finding['id']}: {place['path']}:{place['line']} of partition {place['partition']}"
            if files[key] is None:
                yield f"{where}: the image has no such file"
                continue
            lines = files[key].decode(errors="replace").split("\n")
            text = lines[place["line"] - 1] if place["line"] <= len(lines) else ""
            # Reports carry no control characters, so a tab is a blank in them, and no secrets of /etc/shadow.
            if " ".join(place["text"].split()) not in " ".join(text.split()):
                yield f"{where}: slipway quotes {place['text']!r}, there is {text!r}"


def missing_evidence(wanted, findings):
    """An [evidence] line names a path, with :LINE or not, that a finding must point to; an empty one undoes what
    the expectation that this one is like has."""
    for rule, place in wanted.items():
        if not place:
            continue
        found = [f"{at['path']}:{at['line']}" if ":" in place else at["path"] or "" for at in findings[rule]["evidence"]]
        if not any(each == place or (place.endswith("*") and each.startswith(place[:-1])) for each in found):
            yield f"evidence of {rule}: {', '.join(found) or 'none'}, expected {place}"


def show(status, entry):
    print("[report]")
    for key, value in summary(status, entry).items():
        print(f"{key} = {value}")
    print("features =", " ".join(entry["features"]))
    print(f"# {entry['reason']}\n\n[verdicts]")
    for finding in entry["findings"]:
        if finding["verdict"] != "pass":
            print(f"{finding['id']} = {finding['verdict']}\n# {finding['found']} / {finding['wanted']}: {finding['reason']}")


def main():
    name = sys.argv[-1]
    with common.image(name) as path:
        status, report = common.slipway_json("check", "--format", "json", path)
        entry = report["inputs"][0]
        findings = {finding["id"]: finding for finding in entry["findings"]}
        wrong = list(wrong_evidence(path, name, entry["findings"]))
        if sys.argv[1] == "--show":
            show(status, entry)
            common.finish(wrong)
    wanted = expectation(name)
    features = wanted["report"].pop("features", "")
    reasons = {rule: finding["reason"] for rule, finding in findings.items()}
    wrong += differences("report", wanted["report"], summary(status, entry), {"examined": entry["reason"]})
    wrong += [f"{pattern}: no rule of the policy is called so" for pattern in wanted["verdicts"]
              if not fnmatch.filter(findings, pattern)]
    wrong += differences("verdict of", expected_verdicts(wanted["verdicts"], findings), verdicts(entry), reasons)
    wrong += differences("found by", wanted["found"],
                         {rule: findings[rule]["found"] for rule in wanted["found"]}, reasons)
    wrong += wrong_features(features, entry["features"])
    wrong += missing_evidence(wanted["evidence"], findings)
    common.finish(wrong)


main()
