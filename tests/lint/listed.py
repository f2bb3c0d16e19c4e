#!/usr/bin/env python3
"""Fails when a unit test, a fuzz target or a lint stands in its folder and in no list of meson's: it would never run.

A name without a file needs no look: meson says so itself.
"""

import pathlib
import re
import sys

LISTS = {  # folder: pattern of the files whose names its lists hold, without what is around the star
    "tests/unit": "test_*.c",
    "fuzz": "fuzz_*.c",
    "tests/lint": "*.py",
    "tests/oracle": "test_*.py",
}


def listed(build, pattern):
    """The names in the list that is gone through, or those in the files of tests."""
    text = re.sub(r"#.*", "", build.read_text())
    loop = re.search(r"foreach name : \[(.*?)\]", text, re.S)
    before, after = pattern.split("*")
    names = re.findall(r"'(\w+)'", loop[1]) if loop else re.findall(rf"files\('{before}(\w+){re.escape(after)}'\)", text)
    return set(names)


def complaints(root):
    for folder, pattern in LISTS.items():
        build = root / folder / "meson.build"
        before, after = pattern.split("*")
        names = listed(build, pattern)
        if not names:
            yield f"{build}: it lists nothing"
        for path in sorted((root / folder).glob(pattern)):
            name = path.name.removeprefix(before).removesuffix(after)
            if name not in names:
                yield f"{path}: '{name}' is not listed in {build}, so that it is never built or run"


def main():
    found = list(complaints(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "all that tests is listed")
    return 1 if found else 0


sys.exit(main())
