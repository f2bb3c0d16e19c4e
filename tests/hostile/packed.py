#!/usr/bin/python3
"""One small bootable disk in every packing, from a file, a pipe, a FIFO and the standard input: the findings are those of
the raw disk, but for those of the packing itself. Then packings that are damaged, and no room to unpack them.

  packed.py PROGRAM
"""

import bz2
import gzip
import hashlib
import json
import lzma
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import small_disk as small  # noqa: E402

TAR_RULES = ("image.tar-member", "image.tar-format", "image.tar-name")
ROOM = "set TMPDIR to a folder with more"


class Trial:
    def __init__(self, program, folder):
        self.program, self.folder, self.complaints, self.runs = program, folder, [], 0
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.environment = dict(os.environ, TMPDIR=str(self.scratch))

    def expect(self, what, got, wanted):
        self.runs += 1
        if got != wanted:
            self.complaints.append(f"{what}: {got!r}, not {wanted!r}")

    def check(self, name, **more):
        """The report on one input."""
        more = {"env": self.environment, "stdin": subprocess.DEVNULL, **more}
        done = subprocess.run([self.program, "check", "--format=json", name], cwd=self.folder, capture_output=True,
                              check=False, timeout=120, **more)
        if done.returncode not in (0, 1, 2) or done.stderr:
            self.complaints.append(f"{name}: status {done.returncode}, {done.stderr.decode(errors='replace')}")
            return {"findings": [], "reason": None, "examined": None}
        self.expect(f"{name}: what is left in TMPDIR", os.listdir(self.scratch), [])
        return json.loads(done.stdout)["inputs"][0]

    def reason(self, name, wanted, **more):
        """An input that is not examined, and the sentence that says why."""
        report = self.check(name, **more)
        self.expect(f"{name}: examined", report["examined"], "none")
        if wanted not in (report["reason"] or ""):
            self.complaints.append(f"{name}: {report['reason']!r} says nothing of {wanted!r}")


def verdicts(report, names=None):
    """What is said of the disk; or, of these rules."""
    return {one["id"]: (one["verdict"], one["reason"]) for one in report["findings"]
            if (one["id"] in names if names else one["id"] not in TAR_RULES)}


def tar(folder, *words):
    return subprocess.run(["tar", "-C", folder, *words], stdout=subprocess.PIPE, check=True).stdout


def through(command, content):
    return subprocess.run(command, input=content, stdout=subprocess.PIPE, check=True).stdout


def packings(folder):
    """(name, content, verdicts of the three rules on the packing) of one disk."""
    plain = tar(folder, "--format=oldgnu", "-cf", "-", "disk.raw")
    sparse = tar(folder, "--format=oldgnu", "-S", "-cf", "-", "disk.raw")
    zipped = gzip.compress(plain, 1)
    (folder / "image.img").symlink_to("disk.raw")
    (folder / "README").write_text("two members\n")
    yield "sparse.tar.gz", gzip.compress(sparse, 1), ("pass", "pass", "pass")
    yield "plain.tar.gz", zipped, ("pass", "pass", "pass")
    yield "gnu.tar.gz", gzip.compress(tar(folder, "--format=gnu", "-cf", "-", "disk.raw"), 1), ("pass", "pass", "pass")
    yield "members.tar.gz", gzip.compress(plain[:3 << 20], 1) + gzip.compress(plain[3 << 20:], 1), ("pass", "pass", "pass")
    yield "zeros-behind.tar.gz", zipped + bytes(700), ("pass", "pass", "pass")
    yield "garbage-behind.tar.gz", zipped + b"something else", ("pass", "pass", "unknown")
    yield "behind-the-end.tar.gz", gzip.compress(plain + b"\1" * 700, 1), ("pass", "pass", "pass")
    yield "v7.tar.gz", gzip.compress(tar(folder, "--format=v7", "-cf", "-", "disk.raw"), 1), ("pass", "fail", "pass")
    yield "ustar.tar.gz", gzip.compress(tar(folder, "--format=ustar", "-cf", "-", "disk.raw"), 1), ("pass", "fail", "pass")
    for version in ("0.0", "0.1", "1.0"):
        pax = tar(folder, "--format=posix", "-S", f"--sparse-version={version}", "-cf", "-", "disk.raw")
        yield f"pax-{version}.tar.gz", gzip.compress(pax, 1), ("pass", "fail", "pass")
    yield "dot.tar.gz", gzip.compress(tar(folder, "--format=gnu", "-cf", "-", "./disk.raw"), 1), ("fail", "pass", "pass")
    yield "two.tar.gz", gzip.compress(tar(folder, "--format=gnu", "-cf", "-", "README", "disk.raw"), 1), ("fail", "pass", "pass")
    yield "name.tar.gz", gzip.compress(tar(folder, "--format=gnu", "-hcf", "-", "image.img"), 1), ("fail", "pass", "pass")
    yield "ending.tgz", zipped, ("pass", "pass", "fail")
    yield "disk.tar", plain, ("pass", "pass", "fail")
    yield "disk.tar.xz", lzma.compress(plain, preset=0), ("pass", "pass", "fail")
    yield "disk.tar.bz2", bz2.compress(plain, 1), ("pass", "pass", "fail")
    yield "disk.tar.zst", through(["zstd", "-q", "-1"], plain), ("pass", "pass", "fail")
    yield "disk.tar.lz4", through(["lz4", "-q", "-1"], plain), ("pass", "pass", "fail")
    raw = (folder / "disk.raw").read_bytes()
    yield "disk.raw.gz", gzip.compress(raw, 1), ("n/a", "n/a", "fail")
    yield "disk.raw.xz", lzma.compress(raw, preset=0), ("n/a", "n/a", "fail")
    yield "disk.raw.zst", through(["zstd", "-q", "-1"], raw), ("n/a", "n/a", "fail")
    qemu_img = shutil.which("qemu-img", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    subprocess.run([qemu_img, "convert", "-O", "qcow2", folder / "disk.raw", folder / "made.qcow2"], check=True)
    qcow2 = (folder / "made.qcow2").read_bytes()
    yield "disk.qcow2", qcow2, ("n/a", "n/a", "n/a")
    yield "disk.qcow2.xz", lzma.compress(qcow2, preset=0), ("n/a", "n/a", "fail")


def check_packings(trial):
    wanted = verdicts(trial.check("disk.raw"))
    trial.expect("disk.raw: findings", len(wanted) > 50, True)
    for name, content, rules in packings(trial.folder):
        path = trial.folder / name
        path.write_bytes(content)
        before = hashlib.sha256(content).digest()
        report = trial.check(name)
        trial.expect(f"{name}: the disk's findings", verdicts(report), wanted)
        got = verdicts(report, TAR_RULES)
        trial.expect(f"{name}: the packing's findings", tuple(got[rule][0] for rule in TAR_RULES), rules)
        trial.expect(f"{name}: digest", hashlib.sha256(path.read_bytes()).digest(), before)
    check_streams(trial, wanted)


def check_streams(trial, wanted):
    for name in ("sparse.tar.gz", "disk.raw", "disk.tar", "disk.raw.zst", "disk.qcow2", "disk.qcow2.xz"):
        content = (trial.folder / name).read_bytes()
        with open(trial.folder / name, "rb") as file:
            trial.expect(f"- < {name}", verdicts(trial.check("-", stdin=file)), wanted)
        piped = trial.check("-", stdin=None, input=content)
        trial.expect(f"{name} | -", verdicts(piped), wanted)
        trial.expect(f"{name} | -: input", piped["input"], "-")
        rule = verdicts(piped, ["image.tar-name"])["image.tar-name"][0]
        trial.expect(f"{name} | -: name", rule, "fail" if name in ("disk.tar", "disk.raw.zst", "disk.qcow2.xz") else "n/a")
        os.mkfifo(trial.folder / "fifo")
        with subprocess.Popen(["sh", "-c", f"sleep 0.1; cat {name} > fifo"], cwd=trial.folder):
            piped = trial.check("fifo")
            trial.expect(f"{name} > fifo", verdicts(piped), wanted)
            trial.expect(f"{name} > fifo: name", verdicts(piped, ["image.tar-name"])["image.tar-name"][0], rule)
        (trial.folder / "fifo").unlink()


def check_damage(trial):
    packed = (trial.folder / "plain.tar.gz").read_bytes()
    for cut in (0, 1, 2, 9, 17, 100, len(packed) // 2, len(packed) - 9, len(packed) - 1):
        (trial.folder / "cut.tar.gz").write_bytes(packed[:cut])
        words = "is empty" if cut == 0 else "it is no disk image" if cut < 3 else "end too early"
        trial.reason("cut.tar.gz", words)
        if cut > 2:
            trial.reason("-", words, stdin=None, input=packed[:cut])
    archive = (trial.folder / "disk.tar").read_bytes()
    inner = gzip.compress(archive[:9 << 20], 1)
    cases = {
        "crc": (packed[:-8] + b"\0\0\0\0" + packed[-4:], "damaged before offset"),
        "length": (packed[:-4] + b"\0\0\0\0", "damaged before offset"),
        "nested": (gzip.compress(packed, 1), "holds a gzip file"),
        "cut-inside": (inner, "the tar archive ends at offset 9437184"),
        "checksum": (gzip.compress(b"\x01" + archive[1:], 1), "its checksum is wrong"),
        "vmdk": (gzip.compress(b"KDMV" + bytes(5000), 1), "holds no raw disk but a vmdk image"),
        "qcow2-inside": (gzip.compress(tar(trial.folder, "--transform=s/.*/disk.raw/", "-cf", "-", "disk.qcow2"), 1),
                         "this tar.gz file holds no raw disk but a qcow2 image"),
        "qcow2-beside": (gzip.compress(tar(trial.folder, "-cf", "-", "README", "disk.qcow2"), 1),
                         "this tar.gz file holds no raw disk but a qcow2 image"),
        "tar-inside": (gzip.compress(tar(trial.folder, "--transform=s/.*/disk.raw/", "-cf", "-", "disk.tar"), 1),
                       "this tar.gz file holds no raw disk but a tar image"),
        "nothing": (gzip.compress(b"", 1), "0 bytes unpacked"),
        "folder": (gzip.compress(tar(trial.folder, "--format=gnu", "-cf", "-", "README", "pax-0.0.tar.gz"), 1),
                   "neither a disk nor a system"),
    }
    for name, (content, words) in cases.items():
        (trial.folder / f"{name}.tar.gz").write_bytes(content)
        trial.reason(f"{name}.tar.gz", words)
    trial.reason("-", "cannot be read from a pipe", stdin=None, input=b"KDMV" + bytes(5000))
    trial.reason("-", "is empty", stdin=None, input=b"")


def check_room(trial):
    """Without a place to unpack to, or with too little of it: one sentence; what needs none is read all the same."""
    plain = trial.environment
    trial.environment = dict(plain, TMPDIR=str(trial.folder / "missing"))
    trial.reason("plain.tar.gz", "set TMPDIR to a folder that can be written")
    trial.expect("disk.raw without room", trial.check("disk.raw")["reason"], trial.check("disk.raw")["reason"])
    trial.expect("disk.raw without room", "TMPDIR" in (trial.check("disk.raw")["reason"] or ""), False)
    trial.environment = plain
    trial.reason("plain.tar.gz", ROOM, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    bomb = b"\1" + bytes(1 << 20)
    (trial.folder / "bomb.gz").write_bytes(gzip.compress(bomb * 100, 9))
    trial.reason("bomb.gz", ROOM, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    if os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", trial.scratch],
                                            capture_output=True, check=False).returncode == 0:
        try:
            trial.reason("plain.tar.gz", ROOM)
            trial.reason("-", ROOM, stdin=None, input=(trial.folder / "disk.raw").read_bytes())
        finally:
            subprocess.run(["umount", trial.scratch], check=True)


def check_killed(trial):
    """Nothing is left behind by one that is killed while it unpacks."""
    with subprocess.Popen([trial.program, "check", "-"], env=trial.environment, stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL) as process:
        process.stdin.write((trial.folder / "plain.tar.gz").read_bytes()[:300000])
        process.stdin.flush()
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
    trial.expect("killed: what is left in TMPDIR", os.listdir(trial.scratch), [])


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        small.make(folder / "disk.raw", folder / "parts")
        trial = Trial(os.path.abspath(sys.argv[1]), folder)
        check_packings(trial)
        check_damage(trial)
        check_room(trial)
        check_killed(trial)
    print("\n".join(trial.complaints) if trial.complaints else f"{trial.runs} expectations hold")
    return 1 if trial.complaints or trial.runs < 150 else 0


sys.exit(main())
