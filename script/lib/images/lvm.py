"""A physical volume of LVM2, written without LVM: its tools want a block device, and so root (LVM2:
lib/label/label.h, lib/format_text/layout.h)."""

import binascii
import struct

SECTOR = 512
AREA, AREA_SIZE = 4096, (1 << 20) - 4096  # the metadata area, as pvcreate lays it out
EXTENT = 4 << 20
HEADER = EXTENT  # where the extents start


def _crc(content):
    """LVM's CRC-32 starts with a value of its own and is not inverted."""
    return binascii.crc32(content, 0xF597A6CF ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def _id(letter):
    """One of LVM's UUIDs, of one letter."""
    return "-".join(letter * length for length in (6, 4, 4, 4, 4, 4, 6))


def _text(group, volume, size, runs):
    segments, at = "", 0
    for number, (first, count) in enumerate(runs, 1):
        segments += (f"segment{number} {{\nstart_extent = {at}\nextent_count = {count}\ntype = \"striped\"\n"
                     f"stripe_count = 1\nstripes = [\n\"pv0\", {first}\n]\n}}\n")
        at += count
    return (f"{group} {{\nid = \"{_id('G')}\"\nseqno = 2\nformat = \"lvm2\"\n"
            "status = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\nflags = []\n"
            f"extent_size = {EXTENT // SECTOR}\nmax_lv = 0\nmax_pv = 0\nmetadata_copies = 0\n"
            f"physical_volumes {{\npv0 {{\nid = \"{_id('P')}\"\ndevice = \"/dev/sda3\"\nstatus = [\"ALLOCATABLE\"]\n"
            f"flags = []\ndev_size = {size // SECTOR}\npe_start = {HEADER // SECTOR}\n"
            f"pe_count = {(size - HEADER) // EXTENT}\n}}\n}}\n"
            f"logical_volumes {{\n{volume} {{\nid = \"{_id('L')}\"\nstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\n"
            f"flags = []\ncreation_time = 1700000000\ncreation_host = \"builder\"\nsegment_count = {len(runs)}\n{segments}}}\n}}\n}}\n"
            "contents = \"Text Format Volume Group\"\nversion = 1\ndescription = \"\"\ncreation_host = \"builder\"\n"
            "creation_time = 1700000000\n\0").encode()


def header(group, volume, size, runs):
    """What stands in front of the extents of a physical volume of `size` bytes, the only one of its group, with one
    linear volume in it: `runs` are its (first extent, number of extents)."""
    text = _text(group, volume, size, runs)
    label = bytearray(SECTOR)
    struct.pack_into("<8sQII8s32sQ", label, 0, b"LABELONE", 1, 0, 32, b"LVM2 001",
                     _id("P").replace("-", "").encode(), size)
    struct.pack_into("<QQQQ", label, 72, HEADER, 0, 0, 0)
    struct.pack_into("<QQ", label, 104, AREA, AREA_SIZE)
    struct.pack_into("<I", label, 16, _crc(label[20:]))
    area = bytearray(SECTOR)
    struct.pack_into("<16sIQQ", area, 4, b" LVM2 x[5A%r0N*>", 1, AREA, AREA_SIZE)
    struct.pack_into("<QQII", area, 40, SECTOR, len(text), _crc(text), 0)
    struct.pack_into("<I", area, 0, _crc(area[4:]))
    content = bytearray(HEADER)
    content[SECTOR:2 * SECTOR] = label
    content[AREA:AREA + SECTOR] = area
    content[AREA + SECTOR:AREA + SECTOR + len(text)] = text
    return bytes(content)
