"""Running the tools that make images: one way to call them, one way to fail."""

import os
import pathlib
import shutil
import subprocess
import sys

# Partition and file-system tools live here on Debian, outside an ordinary user's PATH.
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LIBRARY = pathlib.Path(__file__).resolve().parent


class ImageError(Exception):
    """Why an image could not be made, as one sentence for the person who asked for it."""


def environment(**extra):
    """A small, fixed environment: the images must not depend on the caller's locale or time zone."""
    fakeroot = {name: os.environ[name] for name in ("FAKEROOTKEY", "LD_PRELOAD", "LD_LIBRARY_PATH")
                if "FAKEROOTKEY" in os.environ and name in os.environ}
    return {"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC0", "HOME": "/", **fakeroot, **extra}


def run(*command, input=None, **extra):
    """Runs a tool and returns what it printed; a failure carries the tool's own last words."""
    command = [str(word) for word in command]
    try:
        done = subprocess.run(command, input=input, capture_output=True, env=environment(**extra), check=False)
    except FileNotFoundError:
        raise ImageError(f"{command[0]} is not installed: run script/bootstrap") from None
    if done.returncode != 0:
        words = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise ImageError(f"'{' '.join(command)}' failed with status {done.returncode}: {words[-1500:]}")
    return done.stdout


def become_root():
    """Owners inside the images need root, or what fakeroot makes of an ordinary user: starts again under it."""
    if os.geteuid() != 0 and "FAKEROOTKEY" not in os.environ:
        fakeroot = shutil.which("fakeroot")
        if not fakeroot:
            raise ImageError("fakeroot is not installed: run script/bootstrap, or run this as root")
        os.execv(fakeroot, [fakeroot, sys.executable, *sys.argv])
