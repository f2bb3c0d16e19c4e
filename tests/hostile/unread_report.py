"""What a report on a damaged input says, held against the one on the sound input: it may know less, and has to say so."""

import json
import subprocess

FAILURE = "was it copied completely?"


def report(program, command, path):
    done = subprocess.run([program, command, "--format=json", path], capture_output=True, check=False)
    if done.returncode not in (0, 1, 2):
        raise SystemExit(f"{command} ends with {done.returncode}: {done.stderr.decode()}")
    return json.loads(done.stdout)


def check(program, path):
    """Of the report, what may not change for the worse."""
    checked = report(program, "check", path)["inputs"][0]
    return {
        "examined": checked["examined"],
        "reason": checked["reason"],
        "boots": checked["boots"],
        "because": set(checked["boots_because"]),
        "features": set(checked["features"]),
        "verdicts": {finding["id"]: finding["verdict"] for finding in checked["findings"]},
        "reasons": {finding["id"]: finding["reason"] for finding in checked["findings"]},
    }


def knows_more(sound, found):
    """Sentences on what the report says and the sound image does not bear out."""
    for rule, verdict in found["verdicts"].items():
        before = sound["verdicts"][rule]
        if verdict not in (before, "unknown"):
            yield f"{rule}: {before} became {verdict}: {found['reasons'][rule]}"
    if found["boots"] not in (sound["boots"], "unknown"):
        yield f"boots: {sound['boots']} became {found['boots']}"
    if found["features"] - sound["features"]:
        yield f"features: {found['features'] - sound['features']} came"


def hides(program, path, sound, found, failure=FAILURE):
    """The same on what it does not say. The failed read is a problem, or where nothing was examined, the reason."""
    if found["examined"] == "full":
        if any(found[key] != sound[key] for key in ("boots", "features", "verdicts")):
            yield "it knows less, and was examined in full"
        return
    problems = [problem["message"] for problem in report(program, "inspect", path)["problems"]]
    if found["examined"] == "partial" and not any(failure in problem for problem in problems):
        yield f"no problem is the read that failed: {problems}"
    if not found["reason"] or failure not in found["reason"]:
        yield f"the reason is not the read that failed: {found['reason']}"
