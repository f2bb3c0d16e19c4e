"""Running the tools that make images: one way to call them, one way to fail."""

import pathlib
import subprocess

# Partition and file-system tools live here on Debian, outside an ordinary user's PATH.
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LIBRARY = pathlib.Path(__file__).resolve().parent


class ImageError(Exception):
    """Why an image could not be made, as one sentence for the person who asked for it."""


def environment(**extra):
    """A small, fixed environment: the images must not depend on the caller's locale or time zone."""
    return {"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC0", "HOME": "/", **extra}


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
