#!/usr/bin/env python3
"""Disks in containers made by qemu-img: their bytes and what is said of them must be those of the raw disk. Then
containers that name other files, damaged ones, and servers that misbehave.

usage: test_containers.py SLIPWAY DISK_BYTES FAKE_SERVER
"""

import ctypes
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "hostile"))
sys.dont_write_bytecode = True

import small_disk  # noqa: E402

SLIPWAY, DISK_BYTES, FAKE = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
SECRET = ["--object", "secret,id=key,data=passphrase"]

# name: (container in reports, options of qemu-img convert)
READ = {
    "qcow2": ("qcow2", ["-O", "qcow2"]),
    "qcow2-version-2": ("qcow2", ["-O", "qcow2", "-o", "compat=0.10"]),
    "qcow2-zlib": ("qcow2", ["-c", "-O", "qcow2"]),
    "qcow2-zstd": ("qcow2", ["-c", "-O", "qcow2", "-o", "compression_type=zstd"]),
    "qcow2-clusters-of-512": ("qcow2", ["-O", "qcow2", "-o", "cluster_size=512"]),
    "qcow2-clusters-of-2-MiB": ("qcow2", ["-c", "-O", "qcow2", "-o", "cluster_size=2M"]),
    "qcow2-extended-l2": ("qcow2", ["-O", "qcow2", "-o", "extended_l2=on"]),
    "qcow2-lazy-refcounts": ("qcow2", ["-O", "qcow2", "-o", "lazy_refcounts=on,refcount_bits=1"]),
    "qed": ("qed", ["-O", "qed"]),
    "vmdk": ("vmdk", ["-O", "vmdk"]),
    "vmdk-stream": ("vmdk", ["-O", "vmdk", "-o", "subformat=streamOptimized"]),
    "vhd": ("vhd", ["-O", "vpc", "-o", "force_size=on"]),
    "vhd-fixed": ("vhd", ["-O", "vpc", "-o", "force_size=on,subformat=fixed"]),
    "vhdx": ("vhdx", ["-O", "vhdx"]),
    "vhdx-fixed": ("vhdx", ["-O", "vhdx", "-o", "subformat=fixed"]),
    "vdi": ("vdi", ["-O", "vdi"]),
    "vdi-static": ("vdi", ["-O", "vdi", "-o", "static=on"]),
    "parallels": ("parallels", ["-O", "parallels"]),
}

# name: (the arguments of qemu-img that make FILE, what the refusal has to say)
REFUSED = {
    "backing.qcow2": (["create", "-b", "/etc/passwd", "-F", "raw", "-f", "qcow2", "FILE"],
                      ["'/etc/passwd' (its backing file)", "`qemu-img convert -f qcow2 -O raw disk.qcow2 disk.raw`"]),
    "data-file.qcow2": (["create", "-o", "data_file=FOLDER/secret", "-f", "qcow2", "FILE", "1M"],
                        ["keeps its data in another file, ", "/secret'"]),
    "luks.qcow2": (["create", *SECRET, "-o", "encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10",
                    "-f", "qcow2", "FILE", "1M"], ["is encrypted", "encrypt.key-secret=key"]),
    "backing.qed": (["create", "-b", "/etc/passwd", "-F", "raw", "-f", "qed", "FILE"],
                    ["'/etc/passwd' (its backing file)"]),
    "backing.vmdk": (["create", "-b", "FOLDER/vmdk", "-F", "vmdk", "-f", "vmdk", "FILE"], ["(its parent)"]),
    "flat.vmdk": (["create", "-o", "subformat=monolithicFlat", "-f", "vmdk", "FILE", "1M"], ["('flat-flat.vmdk')"]),
    "parts.vmdk": (["create", "-o", "subformat=twoGbMaxExtentSparse", "-f", "vmdk", "FILE", "1M"],
                   ["('parts-s001.vmdk')"]),
}

# Servers that misbehave: the exit status, and what is said.
SERVERS = {
    "mark": (2, "qemu-nbd cannot read this vdi image: a mark\\x1b[31m of it"),
    "flood": (2, "qemu-nbd cannot read this vdi image: no end of words no end of words"),
    "crash": (2, f"qemu-nbd was ended by signal {int(signal.SIGBUS)} while it read this vdi image"),
    "killed": (75, f"qemu-nbd was ended by signal {int(signal.SIGKILL)} while it read this vdi image: try again"),
    "garbage": (2, "qemu-nbd, which reads the image, is gone or answers nonsense"),
    "hang": (2, "qemu-nbd, which reads the image, has not answered for 10 seconds"),
}

complaints = []


def expect(what, got, wanted):
    if got != wanted:
        complaints.append(f"{what}:\n   got {got!r}\n  want {wanted!r}")


def qemu_img(*words):
    done = subprocess.run(["qemu-img", *map(str, words)], env=dict(os.environ, PATH=PATH), capture_output=True,
                          text=True, check=False)
    if done.returncode:
        raise SystemExit(f"qemu-img {' '.join(map(str, words))}: {done.stderr}")


def left_of(session):
    """The processes of a session that is over."""
    left = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat[3]) == session and stat[0] not in "ZX":
            left.append(folder.name)
    return left


def check(image, path=PATH):
    """Exit status, report and standard error output of a check; nothing of it may be left behind."""
    with subprocess.Popen([SLIPWAY, "check", "--format=json", image], env=dict(os.environ, PATH=str(path)), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        out, err = process.communicate(timeout=120)
    expect(f"{image}: processes that are left", left_of(process.pid), [])
    return process.returncode, json.loads(out)["inputs"][0], err


def verdicts(report):
    return report["examined"], report["boots"], report["conforms"], [
        (finding["id"], finding["verdict"], finding["found"], finding["evidence"]) for finding in report["findings"]]


def same_as_raw(raw, folder):
    bytes_of_raw = hashlib.sha256(raw.read_bytes()).hexdigest()
    status, wanted, _ = check(raw)
    expect("the raw disk", wanted["examined"], "full")
    for name, (container, options) in READ.items():
        image = folder / name
        qemu_img("convert", *options, raw, image)
        with subprocess.Popen([DISK_BYTES, image], env=dict(os.environ, PATH=PATH), stdout=subprocess.PIPE) as process:
            got = hashlib.sha256(process.stdout.read()).hexdigest()
        expect(f"{name}: bytes", (got, process.returncode), (bytes_of_raw, 0))
        got_status, report, err = check(image)
        expect(f"{name}: report", (got_status, verdicts(report), err), (status, verdicts(wanted), ""))
        inspected = json.loads(subprocess.run([SLIPWAY, "inspect", "--format=json", image], check=False,
                                              env=dict(os.environ, PATH=PATH), stdout=subprocess.PIPE).stdout)
        expect(f"{name}: container, size", (inspected["disk"]["container"], inspected["disk"]["size"]),
               (container, raw.stat().st_size))


def names_of_files_are_refused(folder):
    """Before any server is started: the fake one would leave its mark in the message."""
    fake = fake_server(folder, "mark")
    status, report, _ = check(folder / "vdi", fake)
    expect("the fake is seen where a server is started", (status, "a mark" in report["reason"]), (2, True))
    for name, (words, parts) in REFUSED.items():
        qemu_img(*[word.replace("FILE", str(folder / name)).replace("FOLDER", str(folder)) for word in words])
        status, report, err = check(folder / name, fake)
        expect(f"{name}: exit status, examined", (status, report["examined"], err), (2, "none", ""))
        for part in parts:
            expect(f"{name}: '{part}' in {report['reason']!r}", part in report["reason"], True)
    # A snapshot inside the image is no other file.
    qemu_img("snapshot", "-c", "one", folder / "qcow2")
    expect("an image with a snapshot", check(folder / "qcow2")[1]["examined"], "full")


def fake_server(folder, role):
    """A folder for PATH with the program that plays this role."""
    place = folder / role
    place.mkdir(exist_ok=True)
    shutil.copy(FAKE, place / "qemu-nbd")
    return place


def servers_misbehave(folder):
    image = folder / "vdi"
    for role, (wanted, words) in SERVERS.items():
        status, report, err = check(image, fake_server(folder, role))
        expect(f"{role}: exit status, examined", (status, report["examined"], err), (wanted, "none", ""))
        expect(f"{role}: '{words}' in {report['reason']!r}", words in report["reason"], True)
    status, report, _ = check(image, folder / "nowhere")
    expect("no server", (status, report["reason"]),
           (2, "reading a vdi image takes qemu-nbd, which is not there: install the package qemu-utils (Debian, "
               "Ubuntu) or qemu-img (Fedora, Alpine)"))
    status, report, _ = check(folder / "qcow2", folder / "nowhere")
    expect("qcow2 without a server", (status, report["examined"]), (check(folder / "disk.raw")[0], "full"))


def has_landlock():
    return ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1


def server_is_confined(folder):
    _, report, _ = check(folder / "vdi", fake_server(folder, "probe"))
    said = dict(word.split("=") for word in report["reason"].split(": ", 1)[1].split())
    expect("the image can be read", said["image"], "1")
    expect("descriptors", said["descriptors"], "0,1,2,3,4,")
    expect("environment", "LISTEN_FDS" in said and "LISTEN_PID" in said and len(said) == 14, True)
    program = SLIPWAY.read_bytes()
    if b"seccomp_load" in program and b"__asan_init" not in program:
        expect("the server may make sockets, processes", (said["socket"], said["process"]), ("0", "0"))
        expect("the server may send signals", said["signal"], "0")
    expect("the server keeps root's capabilities", said["capabilities"], "0")
    if not has_landlock():
        print("this kernel has no landlock: what the server may open is not tested")
        return
    for path in ("written", "/etc/passwd", "/proc/1/cmdline", "/tmp", "/", "made"):
        expect(f"the server may open {path}", said[path], "0")


def ends_with_its_parent(folder):
    """Whatever ends slipway: an interrupt, or a kill that it never sees."""
    fake = fake_server(folder, "hang")
    for how in (signal.SIGINT, signal.SIGKILL):
        process = subprocess.Popen([SLIPWAY, "check", folder / "vdi"], env=dict(os.environ, PATH=str(fake)),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 20
        while len(left_of(process.pid)) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        expect(f"{how.name}: parent, worker and server", len(left_of(process.pid)), 3)
        process.send_signal(how)
        process.wait(timeout=20)
        while left_of(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        expect(f"{how.name}: processes that are left", left_of(process.pid), [])


def damage(folder):
    """Mutated tables, the same ones at each run: an honest exit status, and never a bug of ours."""
    chance = random.Random(20)
    for name in ("qcow2", "qcow2-zlib", "vmdk", "vhd", "vhdx", "vdi", "parallels", "qed"):
        sound = (folder / name).read_bytes()
        # Tables lie in the first part of all of these, but for VHDX.
        room = 4 << 20 if name == "vhdx" else 256 << 10
        for turn in range(12):
            bytes_ = bytearray(sound)
            for _ in range(1 << turn % 6):
                bytes_[chance.randrange(0x200 if turn < 10 else 0, min(room, len(bytes_)))] = chance.randrange(256)
            if turn == 11:
                del bytes_[chance.randrange(len(bytes_)):]
            image = folder / "damaged"
            image.write_bytes(bytes_)
            status, report, err = check(image)
            expect(f"{name}, damage {turn}: exit status {status} ({report['reason']}), {err}",
                   status in (0, 1, 2) and (report["examined"] == "full") == (status < 2) and err == "", True)
    # A cluster that lies behind the end of the file.
    image, sound = folder / "damaged", bytearray((folder / "qcow2").read_bytes())
    l1 = int.from_bytes(sound[40:48], "big")
    l2 = int.from_bytes(sound[l1:l1 + 8], "big") & ~(1 << 63)
    for entry in range(64, 128):
        sound[l2 + 8 * entry:l2 + 8 * entry + 8] = ((1 << 63) | (1 << 40)).to_bytes(8, "big")
    image.write_bytes(sound)
    status, report, _ = check(image)
    expect(f"clusters behind the end ({report['reason']})", (status, report["examined"]), (2, "partial"))


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        raw = folder / "disk.raw"
        small_disk.make(raw, folder / "system")
        same_as_raw(raw, folder)
        damage(folder)
        names_of_files_are_refused(folder)
        servers_misbehave(folder)
        server_is_confined(folder)
        ends_with_its_parent(folder)
    print("\n".join(complaints) or f"{len(READ)} containers hold what the raw disk does")
    return 1 if complaints else 0


sys.exit(main())
