#!/usr/bin/env python3
"""Boots one image that is broken on purpose: slipway has to say what happened, where, and what explains it.

  broken_test.py NAME      a name of broken.BROKEN
  broken_test.py --names   all of them
"""

import sys

import broken
import run


def complaints(wanted, status, report):
    boot = report["run"][0]
    if boot["end"] != wanted.end:
        yield f"the end is {boot['end']}, expected {wanted.end}"
    names = [symptom["name"] for symptom in boot["symptoms"]]
    if wanted.symptom not in names:
        yield f"the symptoms are {names}, expected {wanted.symptom}"
        return
    symptom = boot["symptoms"][names.index(wanted.symptom)]
    explained = symptom["explained_by"]
    if wanted.explained and not set(wanted.explained) & set(explained):
        yield f"{wanted.symptom} is explained by {explained}, expected one of {wanted.explained}"
    if report["boots"] != wanted.boots:
        yield f"it says of booting: {report['boots']}, expected {wanted.boots}"
    # An image that boots without a word is advised against, and conforms.
    if (status == 0) != (wanted.boots == "yes"):
        yield f"its exit status is {status}"
    if boot["end"] != "came-up" and not boot["last_lines"]:
        yield "it does not show the console's last lines"
    for finding in report["findings"]:
        if finding["how"] == "ran" and finding["verdict"] == "pass" and finding["id"] in wanted.explained:
            yield f"{finding['id']} passes as seen on the machine: {finding['reason']}"


def main():
    name = sys.argv[1]
    if name == "--names":
        print("\n".join(broken.BROKEN))
        return
    wanted = broken.BROKEN[name]
    options = ["--firmware", wanted.firmware]
    if wanted.patience:
        options += ["--patience", wanted.patience]
    with broken.image(name) as path:
        status, report = run.boot(path, *options)
    wrong = list(complaints(wanted, status, report))
    run.common.finish(wrong + [run.told(report["run"][0])] if wrong else [])


main()
