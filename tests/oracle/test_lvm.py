#!/usr/bin/env python3
"""Logical volumes made by LVM's own tools: we must list what lvs lists, and read what lies in the extents that lvs states.

LVM takes block devices alone, so that making them needs root, and a kernel with loop devices. Anyone else compares a
disk that was made so, tests/oracle/lvm/two-members.img.xz, with what lvs said of it; GRUB reads both kinds of disk.

usage: test_lvm.py VOLUMES [--record]    --record makes that disk anew
"""

import json
import lzma
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile

KIB, MIB = 1 << 10, 1 << 20
SECTOR = 512
SEED = pathlib.Path(__file__).resolve().parent / "lvm/two-members.img.xz"
complaints = []


def run(*command, quiet=False, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, check=False, stdin=subprocess.DEVNULL,
                            env=dict(os.environ, LVM_SUPPRESS_FD_WARNINGS="1", LC_ALL="C.UTF-8"), **options)
    if result.returncode != 0 and not quiet:
        sys.exit(f"{' '.join(map(str, command))}: exit {result.returncode}\n{result.stderr.decode()}")
    return result.stdout


def expect(where, what, ours, theirs):
    if ours != theirs:
        complaints.append(f"{where}: {what}: we say {ours!r}, wanted {theirs!r}")


class Disk:
    """A disk in a file, with a loop device for each of its partitions. Without sizes, it has no partitions."""

    def __init__(self, folder, name, sizes, total=64 * MIB):
        self.path = folder / f"{name}.img"
        with open(self.path, "wb") as file:
            file.truncate(total)
        self.starts, at, lines = {}, MIB, ["label: gpt"]
        for number, size in enumerate(sizes, 1):
            lines.append(f"start={at // SECTOR}, size={size // SECTOR}")
            self.starts[number] = at
            at += size
        if sizes:
            subprocess.run(["sfdisk", "-q", self.path], input="\n".join(lines).encode(), check=True)
        else:
            self.starts, sizes = {0: 0}, [total]
        self.loops = {}
        for (number, start), size in zip(self.starts.items(), sizes):
            self.loops[number] = run("losetup", "--find", "--show", "--offset", start, "--sizelimit", size,
                                     self.path).decode().strip()
        self.settings = (
            'global{activation=0 use_lvmpolld=0} activation{udev_sync=0 udev_rules=0 monitoring=0} '
            'backup{backup=0 archive=0} devices{scan_lvs=0 use_devicesfile=0 obtain_device_list_from_udev=0 '
            'md_component_detection=0 pv_min_size=512 global_filter=['
            + "".join(f'"a|^{loop}$|",' for loop in self.loops.values()) + '"r|.*|"]}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for loop in self.loops.values():
            run("losetup", "--detach", loop, quiet=True)

    def lvm(self, command, *arguments, quiet=False):
        """Loops among the arguments are named by the numbers of their partitions, as in "@2:0-7"."""
        words = [re.sub("^@([0-9]+)", lambda match: self.loops[int(match[1])], str(word)) for word in arguments]
        return run(command, "--config", self.settings, *words, quiet=quiet)

    def group(self, name, *members, extent="64k", settings=()):
        for member in members:
            self.lvm("pvcreate", "-y", *settings, member)
        self.lvm("vgcreate", "-s", extent, name, *members)

    def create(self, group, name, extents, *where):
        self.lvm("lvcreate", "-an", "-Wn", "-Zn", "-y", "-n", name, "-l", extents, group, *where)

    def rows(self, command, key, fields, *options):
        text = self.lvm(command, "--reportformat", "json", "--units", "b", "--nosuffix", *options, "-o", fields)
        return json.loads(text)["report"][0][key]

    def truth(self):
        """What lvs says: name -> its UUIDs, and its content as (start, size) in the disk; None: not linear, not whole."""
        partitions = {loop: number for number, loop in self.loops.items()}
        starts = {}
        for row in self.rows("pvs", "pv", "pv_name,pe_start"):
            if row["pv_name"] in partitions:
                starts[row["pv_name"]] = self.starts[partitions[row["pv_name"]]] + int(row["pe_start"])
        volumes = {}
        for row in self.rows("lvs", "seg", "vg_name,lv_name,vg_uuid,lv_uuid,seg_start_pe,segtype,seg_pe_ranges,lv_size,"
                             "vg_extent_size", "--segments", "--sort", "vg_name,lv_name,seg_start"):
            volume = volumes.setdefault(f"{row['vg_name']}/{row['lv_name']}", {
                "id": f"{row['vg_uuid']}/{row['lv_uuid']}", "size": int(row["lv_size"]), "runs": []})
            match = re.fullmatch("(/dev/loop[0-9]+):([0-9]+)-([0-9]+)", row["seg_pe_ranges"])
            if row["segtype"] != "linear" or not match or match[1] not in starts:
                volume["runs"] = None
            elif volume["runs"] is not None:
                extent, first, last = int(row["vg_extent_size"]), int(match[2]), int(match[3])
                volume["runs"].append([starts[match[1]] + first * extent, (last - first + 1) * extent])
        return volumes

    def fill(self):
        """Gives each 16 KiB of the volumes that are read a content of their own."""
        with open(self.path, "r+b") as file:
            for volume in self.truth().values():
                for start, size in volume["runs"] or []:
                    for at in range(start, start + size, 16 * KIB):
                        file.seek(at)
                        file.write(b"what lies at %d\n" % at)


def ours(program, path):
    """Our volumes by name, our answers by physical volume, and the codes of our problems."""
    volumes, members, problems = {}, {}, []
    for line in run(program, path).decode().splitlines():
        words = line.split(" ")
        if words[0] == "volume":
            volumes[words[1]] = {"id": words[2], "number": int(words[3]), "size": int(words[5]), "read": words[6] == "yes"}
        elif words[0] == "member":
            members[int(words[1])] = words[2]
        else:
            problems.append(words[1])
    return volumes, members, problems


def grub_content(path, name, size):
    """What GRUB reads of a volume: its own name for it, with doubled hyphens, and a list of blocks."""
    group, volume = name.replace("-", "--").split("/")
    return run("grub-fstest", path, "cat", f"(lvm/{group}-{volume})0+{size // SECTOR}")


def compare(program, path, truth, grub=True):
    volumes, members, problems = ours(program, path)
    expect(path.name, "volumes", sorted(volumes), sorted(truth))
    expect(path.name, "numbers", sorted(volume["number"] for volume in volumes.values()),
           list(range(1001, 1001 + len(truth))))
    with open(path, "rb") as file:
        for name in sorted(volumes.keys() & truth.keys()):
            volume, wanted = volumes[name], truth[name]
            expect(path.name, f"id of {name}", volume["id"], wanted["id"])
            expect(path.name, f"{name} is read", volume["read"], wanted["runs"] is not None)
            if not volume["read"]:
                continue
            content = b""
            for start, size in wanted["runs"]:
                file.seek(start)
                content += file.read(size)
            expect(path.name, f"size of {name}", volume["size"], wanted["size"])
            expect(path.name, f"{name} is as its extents", run(program, path, name) == content, True)
            if grub:
                expect(path.name, f"{name} is as GRUB reads it", grub_content(path, name, len(content)) == content, True)
    return members, problems


def ring(path, start):
    """Of the first metadata area of a physical volume: its size, and offset and length of the text in it."""
    with open(path, "rb") as file:
        file.seek(start + 4096)
        header = file.read(SECTOR)
    size, = struct.unpack_from("<Q", header, 32)
    return (size, *struct.unpack_from("<QQ", header, 40))


def test_segments(program, folder):
    """Volumes that grow and go in turns until they are in many pieces, over two physical volumes."""
    noise = random.Random(5)
    names = ["root", "swap", "home", "my-home", "a--b", "x_1.y+z", "v-", "var-log-audit"]
    with Disk(folder, "segments", [2 * MIB, 24 * MIB, 16 * MIB]) as disk:
        disk.group("vg-slip", "@2", "@3")
        there = []
        for _ in range(40):
            name, extents = noise.choice(names), noise.randrange(1, 24)
            if name not in there:
                disk.create("vg-slip", name, extents)
                there.append(name)
            elif noise.random() < 0.3:
                disk.lvm("lvremove", "-y", f"vg-slip/{name}")
                there.remove(name)
            else:
                disk.lvm("lvextend", "-l", f"+{extents}", f"vg-slip/{name}", quiet=True)
        disk.create("vg-slip", "third", 3, "@3")
        disk.lvm("lvextend", "-l", "+5", "vg-slip/third", "@2")
        disk.fill()
        truth = disk.truth()
        pieces = max(len(volume["runs"]) for volume in truth.values())
        expect("segments", "a volume is in many pieces", pieces >= 4, True)
        members, problems = compare(program, disk.path, truth)
        expect("segments", "members", (members[2], members[3]), ("yes", "yes"))
        expect("segments", "problems", problems, [])

        # Without one of the two: what lies on it is refused, the rest is read.
        with open(disk.path, "r+b") as file:
            file.seek(disk.starts[3])
            file.write(bytes(MIB))
        truth = disk.truth()
        expect("segments", "some volumes are cut, some are not", {row["runs"] is None for row in truth.values()},
               {True, False})
        members, problems = compare(program, disk.path, truth, grub=False)
        expect("segments", "member", members[2], "unknown")
        expect("segments", "problems", set(problems), {"lvm-volume-unsupported"})


def test_ring(program, folder):
    """A small metadata area, and a volume group that is renamed until the text has wrapped around several times."""
    with Disk(folder, "ring", [8 * MIB]) as disk:
        disk.group("vg0", "@1", settings=("--metadatasize", "32k", "--dataalignment", "4k"))
        disk.create("vg0", "root", 10)
        disk.fill()
        wrapped = 0
        for i in range(80):
            disk.lvm("vgrename", f"vg{i}", f"vg{i + 1}")
            size, at, length = ring(disk.path, disk.starts[1])
            if at + length > size:
                wrapped += 1
            if at + length > size or i % 20 == 0:
                compare(program, disk.path, disk.truth())
        expect("ring", "the text has wrapped around", wrapped >= 2, True)


def test_places(program, folder):
    """Two metadata areas, one of them damaged; a label in sector 3; a physical volume without metadata; a bare disk."""
    with Disk(folder, "places", [8 * MIB, 8 * MIB]) as disk:
        disk.group("data", "@1", settings=("--metadatacopies", "2", "--labelsector", "3"))
        disk.lvm("pvcreate", "--metadatacopies", "0", "@2")
        disk.lvm("vgextend", "data", "@2")
        disk.create("data", "one", 30, "@2:0-29")
        disk.create("data", "two", 7)
        disk.fill()
        # GRUB does without physical volumes that have no metadata.
        expect("places", "problems", compare(program, disk.path, disk.truth(), grub=False)[1], [])
        truth = disk.truth()
        _, at, _ = ring(disk.path, disk.starts[1])
        with open(disk.path, "r+b") as file:
            file.seek(disk.starts[1] + 4096 + at + 20)
            file.write(b"#")
        members, problems = compare(program, disk.path, truth, grub=False)
        expect("places", "the other copy is read", (members, problems), ({1: "yes", 2: "yes"}, ["lvm-metadata-crc"]))

    with Disk(folder, "bare", [], total=8 * MIB) as disk:
        disk.group("bare", "@0")
        disk.create("bare", "root", 20)
        disk.fill()
        expect("bare", "problems", compare(program, disk.path, disk.truth())[1], [])


def test_groups(program, folder):
    """Several volume groups, one of them exported; kinds of volumes that are not read."""
    with Disk(folder, "groups", [8 * MIB, 8 * MIB, 8 * MIB, 8 * MIB]) as disk:
        disk.group("first", "@1", "@3")
        disk.group("second", "@2")
        disk.group("away", "@4", extent="1m")
        disk.create("first", "linear", 5)
        disk.lvm("lvcreate", "-an", "-Wn", "-Zn", "-i", "2", "-n", "striped", "-l", "4", "first")
        disk.lvm("lvcreate", "-an", "-Wn", "-Zn", "--type", "error", "-n", "nothing", "-l", "4", "first")
        disk.create("second", "linear", 9)
        disk.create("away", "linear", 2)
        disk.fill()
        truth = disk.truth()
        disk.lvm("vgexport", "away")  # lvs lists it no more
        truth["away/linear"]["runs"] = None
        # GRUB knows nothing of segments of the type "error", and gives up on their group.
        members, problems = compare(program, disk.path, truth, grub=False)
        expect("groups", "members", members, {1: "unknown", 2: "yes", 3: "unknown", 4: "unknown"})
        expect("groups", "problems", problems, ["lvm-volume-unsupported"] * 3)


def test_files(program, folder):
    """A file system in a volume that is in pieces: the files as GRUB reads them, and the file system as we do."""
    with Disk(folder, "files", [24 * MIB]) as disk:
        disk.group("vg-slip", "@1")
        disk.create("vg-slip", "root", 64)
        disk.create("vg-slip", "swap", 2)
        disk.lvm("lvextend", "-l", "+96", "vg-slip/root")
        tree, image = folder / "tree", folder / "root.ext4"
        tree.mkdir()
        noise = random.Random(7)
        (tree / "large").write_bytes(noise.randbytes(5 * MIB))
        run("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^metadata_csum_seed,^orphan_file", "-d", tree, image, "10240k")
        content, truth = image.read_bytes(), disk.truth()
        with open(disk.path, "r+b") as file:
            for start, size in truth["vg-slip/root"]["runs"]:
                file.seek(start)
                file.write(content[:size])
                content = content[size:]
        compare(program, disk.path, truth)
        expect("files", "the file system", run(program, disk.path, "vg-slip/root") == image.read_bytes(), True)
        expect("files", "a file", run("grub-fstest", disk.path, "cat", "(lvm/vg--slip-root)/large")
               == (tree / "large").read_bytes(), True)


def record():
    """A small disk with two volume groups, for those who cannot make one."""
    with tempfile.TemporaryDirectory() as name:
        with Disk(pathlib.Path(name), "two-members", [2 * MIB, 2 * MIB, 2 * MIB], total=8 * MIB) as disk:
            for group, members in (("vg-slip", ["@1", "@3"]), ("two", ["@2"])):
                disk.group(group, *members, settings=("--metadatasize", "64k", "--dataalignment", "64k"))
            disk.lvm("lvcreate", "-an", "-Wn", "-Zn", "-i", "2", "-n", "striped", "-l", "4", "vg-slip")
            disk.create("vg-slip", "root", 8)
            disk.create("vg-slip", "my-home", 4)
            disk.lvm("lvextend", "-l", "+25", "vg-slip/root")
            disk.create("two", "data", 10)
            disk.fill()
            SEED.parent.mkdir(exist_ok=True)
            SEED.write_bytes(lzma.compress(disk.path.read_bytes(), preset=9))
            SEED.with_name("two-members.json").write_text(json.dumps(disk.truth(), indent=1) + "\n")


def test_seed(program, folder):
    path = folder / "two-members.img"
    path.write_bytes(lzma.decompress(SEED.read_bytes()))
    compare(program, path, json.loads(SEED.with_name("two-members.json").read_text()))


def main():
    if "--record" in sys.argv:
        record()
        return 0
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    tests = [test_seed]
    if os.geteuid() == 0:
        tests += [test_segments, test_ring, test_places, test_groups, test_files]
    with tempfile.TemporaryDirectory() as name:
        for test in tests:
            folder = pathlib.Path(name) / test.__name__
            folder.mkdir()
            test(sys.argv[1], folder)
    print("\n".join(complaints) or f"{len(tests)} tests of LVM agree")
    return 1 if complaints else 0


sys.exit(main())
