#!/usr/bin/env python3
"""compare.py SLIPWAY IMAGES FOLDER ROUNDS: other ways to the facts of an image, as ratios to slipway's time.

All ways take turns within one run, so that what else the machine does falls on all of them; a ratio of medians is
what remains true on another machine. The page cache is warm.
"""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "script/lib"))
sys.dont_write_bytecode = True

from images import catalogue, disk, edit  # noqa: E402
from images.tools import SYSTEM_PATH, run  # noqa: E402

RELEASES = {"bookworm": "Debian 12 (zstd initramfs)", "trixie": "Debian 13 (modules in a plain cpio)"}

# The images of one system by the file system of its root.
FILE_SYSTEMS = {"ext4": "bookworm-boot", "xfs": "bookworm-xfs", "btrfs": "bookworm-btrfs"}

# The least for a table of checks alone: one takes some tens of milliseconds, no more than one disturbance on a busy
# machine, and the median of few does not get over those. The slow ways need fewer.
CHECK_ROUNDS = 25


def good(command, status):
    """slipway ends with 1 where it has findings."""
    return status == 0 or (status == 1 and os.path.basename(command[0]) == "slipway")


def seconds_of(command):
    """Wall time of a command; None where it fails."""
    begun = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begun if good(command, done.returncode) else None


def memory_of(command):
    """Peak memory in MiB of the largest process of a command, as GNU time has it from the kernel."""
    with tempfile.NamedTemporaryFile("r") as answer:
        subprocess.run(["time", "-q", "-f", "%M", "-o", answer.name, *command], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        return int(answer.read()) / 1024


def rounds_of(ways, rounds):
    """Median times by way; a way that fails is left out, and said."""
    samples = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name in list(samples):
            seconds = seconds_of(ways[name])
            if seconds is None:
                del samples[name]
                print(f"{name}: '{' '.join(ways[name])}' fails here, left out", file=sys.stderr)
            elif turn:  # the first turn warms the cache
                samples[name].append(seconds)
    return {name: statistics.median(taken) for name, taken in samples.items()}


def loop_mounts_work(image, start):
    if os.geteuid() != 0:
        return "needs root"
    with tempfile.TemporaryDirectory() as folder:
        options = f"ro,noload,loop,offset={start}"
        done = subprocess.run(["mount", "-o", options, image, folder], capture_output=True, check=False)
        if done.returncode:
            return done.stderr.decode().strip().replace("\n", " ")
        subprocess.run(["umount", folder], check=True)
    return ""


def ways_to(slipway, image, folder):
    """The commands that are compared, by name, slipway first; and the initramfs, unpacked alone, last."""
    layout = catalogue.layout_of(image.stem)
    start = next(part.start for part in disk.plan(layout) if part.number == layout.root)
    version = re.search(r"vmlinuz-(\S+)", run("debugfs", "-R", "ls -p /boot", f"{image}?offset={start}").decode())[1]
    version = version.split("/")[0]
    initramfs = folder / f"{image.stem}.initrd"
    run("debugfs", "-R", f"dump /boot/initrd.img-{version} {initramfs}", f"{image}?offset={start}")
    words = [str(image), str(start), version, str(folder)]

    ways = {"slipway check": [slipway, "check", str(image)]}
    why_not = loop_mounts_work(image, start)
    if why_not:
        print(f"loop mount: left out ({why_not})", file=sys.stderr)
    else:
        ways["loop mount, as root"] = ["bash", str(HERE / "by-mount.sh"), *words]
    ways["debugfs"] = ["bash", str(HERE / "by-debugfs.sh"), *words]
    ways["grub-fstest"] = ["bash", str(HERE / "by-grub.sh"), *words]
    if shutil.which("guestfish"):
        ways["guestfish --ro -i"] = ["bash", str(HERE / "by-guestfish.sh"), *words]
    else:
        print("guestfish: left out (not installed)", file=sys.stderr)
    if initramfs.read_bytes()[:4] != b"0707":
        ways["floor: zstd -dc of the initramfs"] = ["zstd", "-dcq", str(initramfs)]
    return ways


def bytes_read(slipway, image):
    """What one check reads of the image, as it says itself: "2.2 MiB read"."""
    report = subprocess.run([slipway, "check", "--verbose", str(image)], capture_output=True, text=True, check=False)
    return re.search(r"[\d.]+ \w+(?= read)", report.stdout).group()


def print_release(slipway, image, folder, rounds):
    ways = ways_to(slipway, image, folder)
    medians = rounds_of(ways, rounds)
    own = medians["slipway check"]
    print(f"\n{RELEASES[image.stem]}, 3 GiB, {rounds} rounds\n")
    print("| way | median | ratio | peak memory |\n|---|---:|---:|---:|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds * 1000:.0f} ms | {seconds / own:.2f} | {memory_of(ways[name]):.0f} MiB |")


def print_ratios(slipway, title, forms, rounds):
    """A table of forms of one disk, {name: path}; the first is what the others are measured by."""
    rounds = max(rounds, CHECK_ROUNDS)
    medians = rounds_of({name: [slipway, "check", str(path)] for name, path in forms.items()}, rounds)
    own = medians[next(iter(forms))]
    print(f"\n{rounds} rounds\n\n| {title} | ratio | bytes read |\n|---|---:|---:|")
    for name, path in forms.items():
        print(f"| {name} | {medians[name] / own:.2f} | {bytes_read(slipway, path)} |")


def print_sizes(slipway, image, folder, rounds):
    """The same system on a sparse disk a hundred times as large."""
    large = folder / f"{image.stem}-300.raw"
    run("cp", "--reflink=auto", "--sparse=always", image, large)
    try:
        os.truncate(large, 300 * disk.GIB)
        run("sgdisk", "--move-second-header", large)
        print_ratios(slipway, "disk", {"3 GiB": image, "300 GiB, sparse": large}, rounds)
    finally:
        large.unlink()


def print_containers(slipway, image, folder, rounds):
    """The same disk as qcow2: its clusters as they are, and compressed."""
    forms = {"raw": image}
    for name, options in {"qcow2": [], "qcow2, compressed": ["-c"]}.items():
        forms[name] = folder / f"{image.stem}{''.join(options)}.qcow2"
        run("qemu-img", "convert", *options, "-O", "qcow2", image, forms[name])
    try:
        print_ratios(slipway, RELEASES[image.stem], forms, rounds)
    finally:
        for name, path in forms.items():
            if name != "raw":
                path.unlink()


def unpack_initramfs(path, layout):
    """Takes the compression off the initramfs, on the partition for /boot; kernels take a plain cpio as well."""
    image, number = edit.Image(path, layout), layout.boot
    initramfs = next(f"/{name}" for name in image.list("/", number) if name.startswith("initrd.img-"))
    image.write(initramfs, run("zstd", "-dcq", input=image.read(initramfs, number)), number)


def print_file_systems(slipway, images, folder, rounds):
    """The same system with its root on each file system, and /boot with the same files on an ext4 of its own.

    What xfs and btrfs take longer is not their reading: the initramfs is inflated up to the last module that the root
    needs, theirs lie far back in it, and ext4 is built into the kernel. In a plain initramfs modules are skipped, and
    what remains is the file system's.
    """
    forms = {kind: (images / f"{name}.raw").resolve() for kind, name in FILE_SYSTEMS.items()}
    print_ratios(slipway, "root file system, zstd initramfs up to its modules", forms, rounds)
    plain = {kind: folder / f"{kind}.raw" for kind in forms}
    try:
        for kind, path in plain.items():
            run("cp", "--reflink=auto", "--sparse=always", forms[kind], path)
            unpack_initramfs(path, catalogue.layout_of(FILE_SYSTEMS[kind]))
        print_ratios(slipway, "root file system, plain initramfs", plain, rounds)
    finally:
        for path in plain.values():
            path.unlink(missing_ok=True)


def print_packed(slipway, image, folder, rounds):
    """The same disk as the platform takes it, against nothing but its unpacking."""
    if not shutil.which("igzip"):
        print("tar.gz: left out (igzip is not installed)", file=sys.stderr)
        return
    print("\n| tar.gz | `igzip -dc` | slipway check | ratio | peak memory |\n|---|---:|---:|---:|---:|")
    for option, what in (("-S", "sparse"), (None, "not sparse")):
        packed = folder / f"{image.stem}{option or ''}.tar.gz"
        words = ["tar", "--format=oldgnu", *filter(None, [option]), "-C", image.parent, "-I", "gzip -1", "-cf", packed]
        run(*words, "--transform=s/.*/disk.raw/", image.name)
        ways = {"igzip": ["igzip", "-dc", str(packed)], "slipway": [slipway, "check", str(packed)]}
        medians = rounds_of(ways, rounds)
        print(f"| {what} | {medians['igzip'] * 1000:.0f} ms | {medians['slipway'] * 1000:.0f} ms | "
              f"{medians['slipway'] / medians['igzip']:.2f} | {memory_of(ways['slipway']):.0f} MiB |")
        packed.unlink()


def print_boots(slipway, image, rounds):
    """What the proofs add to a boot: processor time of the machine, which on a busy host says more than the clock."""
    def machine_seconds(*options):
        done = subprocess.run([slipway, "boot", "--quiet", "--format", "json", *options, str(image)],
                              capture_output=True, check=False)
        run = json.loads(done.stdout)["inputs"][0]["run"][0]
        if run["end"] != "came-up":
            sys.exit(f"{image} did not come up: {run['ended']}")
        return run["cpu_seconds"], run["seconds"]

    plain, proved = [], []
    for _ in range(rounds):
        plain.append(machine_seconds("--no-proofs"))
        proved.append(machine_seconds())
    median = [[statistics.median(column) for column in zip(*runs)] for runs in (plain, proved)]
    print(f"\nboot of {image.stem}, medians of {rounds}\n\n| | CPU s | s |\n|---|---:|---:|")
    for name, (cpu, wall) in zip(("boot alone", "boot with all proofs"), median):
        print(f"| {name} | {cpu:.1f} | {wall:.1f} |")
    print(f"| ratio | {median[1][0] / median[0][0]:.2f} | {median[1][1] / median[0][1]:.2f} |")


def main():
    slipway, images, folder, rounds = sys.argv[1], *map(pathlib.Path, sys.argv[2:4]), int(sys.argv[4])
    os.environ["PATH"] = SYSTEM_PATH
    slipway = str(pathlib.Path(slipway).resolve())
    for release in RELEASES:
        image = (images / f"{release}.raw").resolve()
        print_release(slipway, image, folder.resolve(), rounds)
        print_containers(slipway, image, folder.resolve(), rounds)
    print_sizes(slipway, (images / "bookworm.raw").resolve(), folder.resolve(), rounds)
    print_file_systems(slipway, images, folder.resolve(), rounds)
    print_packed(slipway, (images / "bookworm.raw").resolve(), folder.resolve(), rounds)
    # Half a minute or more each without KVM.
    print_boots(slipway, (images / "bookworm.raw").resolve(), min(rounds, 3))


main()
