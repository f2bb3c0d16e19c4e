"""What the tests on real images share: where things are, calling slipway, and reading an image with other tools."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get("SLIPWAY_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
sys.path.insert(0, str(SOURCE / "script/lib"))
sys.dont_write_bytecode = True

from images import catalogue, disk  # noqa: E402
from images.tools import SYSTEM_PATH, environment  # noqa: E402

os.environ["PATH"] = SYSTEM_PATH
SLIPWAY = os.environ.get("SLIPWAY", str(SOURCE / "build/src/cmd/slipway"))
IMAGES = pathlib.Path(os.environ.get("SLIPWAY_IMAGES") or SOURCE / "build/images")
SKIPPED = 77


def need(path):
    """An image that is not there is a skipped test, said aloud; in script/test, which makes them, a failure."""
    if path.exists():
        return
    print(f"{path} is not there: run script/test-images")
    sys.exit(1 if os.environ.get("SLIPWAY_REQUIRE") == "1" else SKIPPED)


class image:
    """The image of a name for the time of a test: a base as it is, anything else made now and removed after."""

    def __init__(self, name):
        self.name, self.folder = name, None

    def __enter__(self):
        made = IMAGES / f"{self.name}.raw"
        if self.name in catalogue.BASES or made.exists():
            need(made)
            return made
        need(IMAGES / f"{catalogue.VARIANTS[self.name].base}.raw")
        self.folder = tempfile.TemporaryDirectory(dir=IMAGES, prefix="test-")
        path = pathlib.Path(self.folder.name) / f"{self.name}.raw"
        catalogue.make_variant(self.name, IMAGES, path)
        return path

    def __exit__(self, *_):
        if self.folder:
            self.folder.cleanup()


def slipway(*arguments):
    """Runs slipway; returns its exit status, what it printed and what it complained of."""
    done = subprocess.run([SLIPWAY, *map(str, arguments)], capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def slipway_json(*arguments):
    status, out, complaint = slipway(*arguments)
    try:
        return status, json.loads(out)
    except ValueError:
        sys.exit(f"slipway {' '.join(map(str, arguments))} ended with {status} and no JSON: {out[:300]}{complaint}")


def partitions(name):
    """{number: part} as the image was laid out; a whole disk without a table is partition 0."""
    if name == "trixie-whole-disk":
        return {0: disk.Part(0, "linux", 0, 0)}
    return {part.number: part for part in disk.plan(catalogue.layout_of(name))}


def cat(path, part, inner):
    """A file's bytes as debugfs, GRUB (xfs, btrfs) or mtools read them; None where there is no such regular file."""
    if part.file_system in ("xfs", "btrfs"):
        done = subprocess.run(["grub-fstest", path, "cat", f"(loop0,gpt{part.number}){inner}"], capture_output=True,
                              env=environment(), check=False)
        return done.stdout if done.returncode == 0 else None
    if part.kind == "esp":
        command = ["mtype", "-i", f"{path}@@{part.start}", f"::{inner}"]
        done = subprocess.run(command, capture_output=True, env=environment(), check=False)
        return done.stdout if done.returncode == 0 else None
    device = f"{path}?offset={part.start}"
    done = subprocess.run(["debugfs", "-R", f'stat "{inner}"', device], capture_output=True, env=environment(),
                          check=False)
    if b"Type: regular" not in done.stdout:
        return None
    return subprocess.run(["debugfs", "-R", f'cat "{inner}"', device], capture_output=True, env=environment(),
                          check=False).stdout


def cat_volume(path, volume, inner):
    """The same of a file in a logical volume, whose paths are those of the running system, as GRUB reads it."""
    device = "-".join(part.replace("-", "--") for part in volume.split("/"))
    done = subprocess.run(["grub-fstest", path, "cat", f"(lvm/{device}){inner}"], capture_output=True,
                          env=environment(), check=False)
    return done.stdout if done.returncode == 0 else None


def inside(name, number, path):
    """A path of the running system as one inside its partition: without the directory that it is mounted on."""
    layout = catalogue.layout_of(name)
    mount = {layout.boot: "/boot", layout.usr: "/usr", disk.ESP_NUMBER: "/boot/efi"}.get(number, "")
    return path[len(mount):] if number and mount and path.startswith(mount + "/") else path


def cat_mounted(path, name, number, inner):
    """A file's bytes by its path on the running system."""
    part = partitions(name).get(number or 0)
    return cat(path, part, inside(name, number, inner)) if part else None


def finish(wrong):
    """Prints every complaint and ends the test."""
    for words in wrong:
        print(words)
    sys.exit(1 if wrong else 0)
