#!/usr/bin/env python3
"""Partition tables made by sfdisk, sgdisk and fdisk, whole and damaged: we must see what sfdisk, and partx (libblkid)
for PARTUUIDs and 4096-byte sectors, see.

usage: test_partitions.py PARTITIONS
"""

import concurrent.futures
import json
import pathlib
import random
import shlex
import shutil
import subprocess
import sys
import tempfile

MIB = 1 << 20
complaints = []


def run(*command, script=None, no_table=None):
    """What a tool prints; nothing when it fails with the message `no_table`."""
    result = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    if result.returncode != 0 and no_table and no_table in result.stderr:
        return ""
    if result.returncode != 0:
        sys.exit(f"{shlex.join(map(str, command))}: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def expect(disk, what, ours, theirs):
    if ours != theirs:
        complaints.append(f"{disk.name}: {what}: we say {ours!r}, wanted {theirs!r}")


def new_disk(folder, name, size):
    disk = folder / name
    with open(disk, "wb") as file:
        file.truncate(size)
    return disk


def patch(disk, offset, change):
    """Changes the byte at an offset (from the end, when negative)."""
    with open(disk, "r+b") as file:
        file.seek(offset, 0 if offset >= 0 else 2)
        old = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([change(old)]))


def flip(disk, offset):
    patch(disk, offset, lambda old: old ^ 0x20)


def sfdisk_view(disk):
    """What sfdisk reads, in our words; None: no table."""
    text = run("sfdisk", "-J", disk, no_table="does not contain a recognized partition table")
    if not text:
        return None
    table = json.loads(text)["partitiontable"]
    sector = table["sectorsize"]
    gpt = table["label"] == "gpt"
    partitions = []
    for row in table.get("partitions", []):
        number = int(row["node"][len(str(disk)):].removeprefix("p"))
        partitions.append({
            "number": number,
            "start": row["start"] * sector,
            "size": row["size"] * sector,
            "type": row["type"].lower() if gpt else f"0x{int(row['type'], 16):02x}",
            "name": row.get("name", ""),
            "part_uuid": row["uuid"].lower() if gpt else f"{int(table['id'], 16):08x}-{number:02x}",
            "bootable": "LegacyBIOSBootable" in row.get("attrs", "") if gpt else row.get("bootable", False),
        })
    identity = table["id"].lower()
    return {
        "kind": "gpt" if gpt else "mbr",
        "disk_uuid": None if identity == "0x00000000" else identity,
        "partitions": sorted(partitions, key=lambda row: row["number"]),
    }


def partx_view(disk, sector):
    """number -> (start, size, PARTUUID), as libblkid reads them."""
    rows = {}
    text = run("partx", "-S", str(sector), "--pairs", "-o", "NR,START,SECTORS,UUID", disk,
               no_table="failed to read partition table")
    for line in text.splitlines():
        row = dict(pair.split("=", 1) for pair in shlex.split(line))
        rows[int(row["NR"])] = (int(row["START"]) * 512, int(row["SECTORS"]) * 512, row["UUID"])
    return rows


def ours(program, disk):
    return json.loads(run(program, disk))


def compare(program, disk):
    """Our view of a disk against sfdisk's; returns ours."""
    table, other = ours(program, disk), sfdisk_view(disk)
    if other is None:
        expect(disk, "kind", table["kind"], "none")
        return table
    for key in ("kind", "disk_uuid"):
        expect(disk, key, table[key], other[key])
    seen = [{key: row[key] for key in other_row} for row, other_row in zip(table["partitions"], other["partitions"])]
    expect(disk, "partitions", len(table["partitions"]), len(other["partitions"]))
    for row, other_row in zip(seen, other["partitions"]):
        expect(disk, f"partition {other_row['number']}", row, other_row)
    return table


def compare_sound(program, disk):
    """The same of a disk that nothing is wrong with; and PARTUUIDs as libblkid gives them."""
    table = compare(program, disk)
    expect(disk, "problems", [row["code"] for row in table["problems"]], [])
    expect(disk, "readable", all(row["readable"] for row in table["partitions"]), True)
    if table["kind"] == "gpt":
        copies = [table[key] for key in ("protective_mbr", "primary_sound", "backup_sound")]
        expect(disk, "soundness", copies, ["yes"] * 3)
    seen = {row["number"]: (row["start"], row["size"], row["part_uuid"]) for row in table["partitions"]}
    wanted = partx_view(disk, table["sector_size"])
    if table["disk_uuid"] is None:
        # The kernel makes a PARTUUID of the disk id 0, libblkid does not.
        seen = {number: (start, size, "") for number, (start, size, _) in seen.items()}
    for row in table["partitions"]:
        if row["type"] in ("0x05", "0x0f", "0x85") and row["number"] in wanted:
            # As in the kernel, libblkid's extended partition has only the room of a boot loader.
            start, _, uuid = wanted[row["number"]]
            wanted[row["number"]] = (start, row["size"], uuid)
    expect(disk, "partx", seen, wanted)
    return table


def gpt_script(noise, sectors):
    """A random GPT for sfdisk: gaps, numbers out of order, attributes, names."""
    lines = ["label: gpt", "unit: sectors", "first-lba: 34", f"label-id: {uuid_of(noise)}"]
    names = ["", "root", "EFI System Partition", "größe ☃", "a" * 36, 'quoted \\\\ "']
    types = ["U", "L", "S", "H", "21686148-6449-6E6F-744E-656564454649", "E6D6D379-F507-44C2-A23C-238F2A3DF928",
             "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", uuid_of(noise)]
    numbers = noise.sample(range(1, 129), noise.randrange(1, 12))
    at = 34
    for number in numbers:
        at += noise.choice([0, 0, 1, 6, 2014])
        size = noise.choice([1, 8, 63, 2048, 4000])
        if at + size > sectors - 34:
            break
        name = noise.choice(names).replace('"', "'")
        attributes = noise.choice(["", ", attrs=LegacyBIOSBootable", ', attrs="RequiredPartition,GUID:60"'])
        lines.append(f"disk{number} : start={at}, size={size}, type={noise.choice(types)}, uuid={uuid_of(noise)}"
                     f'{attributes}' + (f', name="{name}"' if name else ""))
        at += size
    return "\n".join(lines) + "\n"


def uuid_of(noise):
    digits = f"{noise.getrandbits(128):032X}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def mbr_script(noise, sectors):
    """A random MBR for sfdisk: primaries, and sometimes an extended partition with logicals."""
    lines = ["label: dos", "unit: sectors", f"label-id: {noise.getrandbits(32):#010x}"]
    at = 2048
    extended = noise.choice([None, 1, 2, 3, 4])
    for number in range(1, 5):
        size = noise.choice([1, 63, 2048, 4096])
        if number == extended:
            size = 20480
            lines.append(f"disk{number} : start={at}, size={size}, type={noise.choice('5f')}")
        elif noise.random() < 0.8:
            flag = noise.choice(["", ", bootable"])
            lines.append(f"disk{number} : start={at}, size={size}, type={noise.choice(['83', '82', '8e', 'c', 'ef'])}"
                         f"{flag}")
        if number == extended:
            inner = at
            for logical in range(5, 5 + noise.randrange(0, 8)):
                inner += noise.choice([2048, 2049, 3000])
                inner_size = noise.choice([1, 100, 512])
                if inner + inner_size >= at + size:
                    break
                lines.append(f"disk{logical} : start={inner}, size={inner_size}, type=83")
                inner += inner_size
        at += size + noise.choice([0, 1, 2048])
    assert at < sectors
    return "\n".join(lines) + "\n"


def test_random_tables(program, folder):
    noise = random.Random(20)
    disks = []
    for i in range(60):
        # Odd sizes too: the last sector is the last whole one.
        size = noise.choice([24, 32, 40]) * MIB + noise.choice([0, 0, 512, 511, 1, 100 * 512 + 7])
        for kind, script in (("gpt", gpt_script), ("mbr", mbr_script)):
            disks.append((new_disk(folder, f"{kind}-{i}", size), script(noise, size // 512)))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:  # sfdisk spends its time asleep
        list(pool.map(lambda pair: run("sfdisk", "--no-reread", "--wipe", "never", pair[0], script=pair[1]), disks))
    for disk, _ in disks:
        compare_sound(program, disk)


def make_gpt(folder, name, *more, first=()):
    """A disk by sgdisk; the plain one is made once and copied, since sgdisk takes its time."""
    disk = new_disk(folder, name, 20 * MIB)
    plain = folder / "plain"
    if not more and not first and plain.exists():
        shutil.copyfile(plain, disk)
        return disk
    run("sgdisk", *first, "-n", "1:0:+2M", "-t", "1:ef02", "-n", "2:0:+5M", "-t", "2:ef00", "-c", "2:ESP",
        "-n", "15:0:0", "-t", "15:8304", "-A", "15:set:2", *more, disk)
    if not more and not first:
        shutil.copyfile(disk, plain)
    return disk


def test_sgdisk(program, folder):
    compare_sound(program, make_gpt(folder, "sgdisk"))
    table = compare_sound(program, make_gpt(folder, "hybrid", "-h", "1:2"))
    expect(folder / "hybrid", "hybrid", table["hybrid"], True)
    table = compare_sound(program, make_gpt(folder, "hybrid-ee-last", "-h", "1:2:15:EE"))
    expect(folder / "hybrid-ee-last", "hybrid", table["hybrid"], True)
    compare_sound(program, make_gpt(folder, "larger-table", first=("-S", "256")))
    compare_sound(program, make_gpt(folder, "moved-table", first=("-j", "40")))
    compare_sound(program, make_gpt(folder, "to-mbr", "-m", "1:2:15"))
    disk = make_gpt(folder, "type-names")
    names = [row["type_name"] for row in ours(program, disk)["partitions"]]
    expect(disk, "type names", names, ["BIOS boot", "EFI System", "Linux root (x86-64)"])


def test_large_sectors(program, folder):
    disk = new_disk(folder, "sectors-of-4096", 64 * MIB)
    run("fdisk", "-b", "4096", disk, script="g\nn\n1\n\n+4M\nt\n1\nn\n2\n\n+9M\nn\n7\n\n\nx\nn\n2\nroot\nr\nw\n")
    table = ours(program, disk)
    expect(disk, "sector size", table["sector_size"], 4096)
    expect(disk, "problems", table["problems"], [])
    expect(disk, "kind", table["kind"], "gpt")
    seen = {row["number"]: (row["start"], row["size"], row["part_uuid"]) for row in table["partitions"]}
    expect(disk, "partx", seen, partx_view(disk, 4096))
    expect(disk, "names", [row["name"] for row in table["partitions"]], ["", "root", ""])
    rows = [line.split() for line in run("fdisk", "-b", "4096", "-l", "-o", "Start,Sectors", disk).splitlines()]
    wanted = [[int(word) * 4096 for word in row] for row in rows if len(row) == 2 and row[0].isdigit()]
    expect(disk, "fdisk", [[row["start"], row["size"]] for row in table["partitions"]], wanted)


def test_damage(program, folder):
    """sfdisk repairs in memory what we name: the partitions must be the same."""
    last = 20 * MIB - 512
    for name, offset, code, sound in [
            ("primary-header", 512 + 56, "gpt-primary-header-crc", ("no", "yes")),
            ("primary-entries", 1024 + 128 + 60, "gpt-primary-entries-crc", ("no", "yes")),
            ("primary-magic", 512, "gpt-primary-missing", ("no", "yes")),
            ("backup-header", last + 56, "gpt-backup-header-crc", ("yes", "no")),
            ("backup-entries", last - 32 * 512 + 60, "gpt-backup-entries-crc", ("yes", "no")),
            ("backup-magic", last, "gpt-backup-missing", ("yes", "no"))]:
        disk = make_gpt(folder, name)
        flip(disk, offset)
        table = compare(program, disk)
        expect(disk, "problems", [row["code"] for row in table["problems"]], [code])
        expect(disk, "soundness", (table["primary_sound"], table["backup_sound"]), sound)

    disk = make_gpt(folder, "grown")
    with open(disk, "r+b") as file:
        file.truncate(30 * MIB)
    table = compare(program, disk)
    expect(disk, "problems", [row["code"] for row in table["problems"]],
           ["gpt-protective-mbr-size", "gpt-backup-misplaced"])
    run("sgdisk", "-e", disk)
    compare_sound(program, disk)

    disk = make_gpt(folder, "cut")
    with open(disk, "r+b") as file:
        file.truncate(6 * MIB)
    codes = {row["code"] for row in ours(program, disk)["problems"]}
    expect(disk, "problems", codes >= {"gpt-backup-outside", "gpt-partition-outside"}, True)
    expect(disk, "libblkid sees no partition that we call readable", partx_view(disk, 512), {})


def test_protective_mbr(program, folder):
    """Without the entry 0xee there is no GPT for sfdisk and libblkid either."""
    def no_gpt(disk):
        table, other = ours(program, disk), sfdisk_view(disk)
        expect(disk, "sfdisk", other is None or other["kind"] != "gpt", True)
        expect(disk, "partx", partx_view(disk, 512) if other is None else {}, {})
        expect(disk, "code", "gpt-no-protective-mbr" in [row["code"] for row in table["problems"]], True)
        return table

    disk = make_gpt(folder, "no-mbr")
    with open(disk, "r+b") as file:
        file.write(bytes(512))
    table = no_gpt(disk)
    expect(disk, "partitions", (table["kind"], table["protective_mbr"], len(table["partitions"])), ("gpt", "no", 3))

    disk = make_gpt(folder, "no-signature")
    patch(disk, 511, lambda old: 0)
    no_gpt(disk)

    disk = make_gpt(folder, "other-type")
    patch(disk, 446 + 4, lambda old: 0x83)
    table = no_gpt(disk)
    compare(program, disk)
    expect(disk, "kind", table["kind"], "mbr")


def test_bare_disks(program, folder):
    for name, command in {
            "ext4": ["mke2fs", "-q", "-F", "-t", "ext4"], "fat16": ["mkfs.vfat", "-F", "16"],
            "fat32": ["mkfs.vfat", "-F", "32"], "fat-mbr": ["mkfs.vfat", "--mbr=y"], "swap": ["mkswap"]}.items():
        disk = new_disk(folder, f"bare-{name}", 64 * MIB)
        run(*command, disk)
        table = ours(program, disk)
        expect(disk, "kind", (table["kind"], [row["number"] for row in table["partitions"]]), ("none", [0]))
        expect(disk, "size", table["partitions"][0]["size"], 64 * MIB)
    disk = new_disk(folder, "zero", MIB)
    table = compare(program, disk)
    expect(disk, "partitions", table["partitions"], [])
    disk = new_disk(folder, "empty-mbr", MIB)
    run("sfdisk", disk, script="label: dos\nlabel-id: 0x12345678\n")
    compare_sound(program, disk)
    disk = new_disk(folder, "empty-gpt", MIB)
    run("sfdisk", disk, script="label: gpt\n")
    compare_sound(program, disk)


def test_type_names(program, folder):
    """Every name that we give is the one that sfdisk gives."""
    for label, limit in (("gpt", 120), ("dos", 4)):
        listed = {}
        for line in run("sfdisk", "--list-types", "-X", label).splitlines():
            words = line.split(None, 1)
            if len(words) == 2 and words[0] != "Id":
                listed[words[0].lower() if label == "gpt" else f"0x{int(words[0], 16):02x}"] = words[1].strip()
        types = [kind for kind in sorted(listed) if kind not in ("0x00", "0x05", "0x0f", "0x85", "0xee")]
        for at in range(0, len(types), limit):
            disk = new_disk(folder, f"types-{label}-{at}", 16 * MIB)
            part = types[at:at + limit]
            script = [f"label: {label}", "unit: sectors"] + (["first-lba: 34"] if label == "gpt" else [])
            script += [f"start={64 + 8 * i}, size=8, type={kind.removeprefix('0x')}" for i, kind in enumerate(part)]
            run("sfdisk", "--no-reread", disk, script="\n".join(script) + "\n")
            table = ours(program, disk)
            expect(disk, "rows", len(table["partitions"]), len(part))
            for row in table["partitions"]:
                if row["type_name"]:
                    expect(disk, row["type"], row["type_name"], listed[row["type"]])


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for test in (test_random_tables, test_sgdisk, test_large_sectors, test_damage, test_protective_mbr,
                     test_bare_disks, test_type_names):
            before = len(complaints)
            test(program, folder)
            print(f"{test.__name__}: {'ok' if len(complaints) == before else 'FAILED'}")
    print("\n".join(complaints[:50]))
    return 1 if complaints else 0


sys.exit(main())
