#!/usr/bin/python3
"""What cannot be read is not missing, of a root file system in a tar archive. The archive is cut at many places and between
all its members, and each member's header is damaged in turn. Each time the report is held against the whole archive's: no
rule may fail or pass that did not, and the damage is said. The order of the members decides what is lost: they are in the
order of their names, in the reverse, and with those last that make a rule fail.

  unread_tar.py PROGRAM
"""

import io
import os
import pathlib
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True

import small_disk as small  # noqa: E402
import unread_disks  # noqa: E402
from unread_report import FAILURE, check, hides, knows_more  # noqa: E402

CUTS = 40
DAMAGED = "what comes behind it is not examined"
CHECKSUM = 148  # in a header
# Trees: what is added to the one that passes all the rules that are asked of it, and the rules that fail for it.
TREES = {
    "sound": ({}, []),
    "bad": ({
        "/usr/share/zoneinfo/Europe/Berlin": "TZif",
        "/etc/localtime": ("../usr/share/zoneinfo/Europe/Berlin",),
        "/etc/ssh/ssh_host_ed25519_key": "x",
        "/etc/sysctl.d/99-zz.conf": "net.ipv4.ip_forward = 1\n",
    }, ["guest.host-keys", "guest.utc", "sysctl.net.ipv4.ip_forward"]),
}


def add(archive, path, content):
    member = tarfile.TarInfo(path.lstrip("/"))
    if content is None:
        member.type, member.mode = tarfile.DIRTYPE, 0o755
    elif isinstance(content, tuple):
        member.type, member.linkname = tarfile.SYMTYPE, content[0]
    else:
        content = content if isinstance(content, bytes) else content.encode()
        member.size = len(content)
    archive.addfile(member, io.BytesIO(content) if member.size else None)


def by_name(files, _changes):
    return sorted(files)


def by_name_reversed(files, _changes):
    return sorted(files, reverse=True)


def changes_last(files, changes):
    return sorted(files, key=lambda name: (list(changes).index(name) if name in changes else -1, name))


def make(files, names, path):
    """The archive of files in the order of `names`, and the offsets behind each of them."""
    ends = []
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            add(archive, name, files[name])
            ends.append(archive.offset)
    return path.read_bytes(), ends


def flipped(image, at):
    return image[:at] + bytes([image[at] ^ 1]) + image[at + 1:]


def damages(image, ends):
    """(what it is, the archive with it, what the report has to say)."""
    for size in sorted({len(image[:ends[-1]]) * (number + 1) // (CUTS + 1) for number in range(CUTS)} | set(ends)):
        yield f"cut to {size} bytes", image[:size], FAILURE
    for start in ends[:-1]:
        yield f"damaged at {start}", flipped(image, start + CHECKSUM), DAMAGED


def go_over(program, path, image, ends, failing):
    sound = check(program, path)
    found = sorted(rule for rule, verdict in sound["verdicts"].items() if verdict == "fail")
    if sound["examined"] != "full" or found != failing:
        yield f"the whole archive is examined {sound['examined']}, and fails {found}"
    for what, damaged, failure in damages(image, ends):
        path.write_bytes(damaged)
        found = check(program, path)
        if found["examined"] == "full":
            yield f"{what}: it was examined in full"
        for one in (*knows_more(sound, found), *hides(program, path, sound, found, failure)):
            yield f"{what}: {one}"


def go_over_tree(program, changes, failing, path):
    """Each order of the members, of files and of the folders that they are in."""
    files = {**small.system(), **unread_disks.files(), **changes}
    files = {name: content for name, content in files.items() if content is not None}
    folders = {str(parent): None for name in files for parent in pathlib.PurePath(name).parents if parent.name}
    members = {**folders, **files}
    for order in (by_name, by_name_reversed, changes_last):
        image, ends = make(members, order(members, changes), path)
        for one in go_over(program, path, image, ends, failing):
            yield f"{order.__name__}: {one}"


def main():
    os.environ.setdefault("ASAN_OPTIONS", "abort_on_error=1:detect_leaks=0")
    complaints = []
    with tempfile.TemporaryDirectory(prefix="unread-") as scratch:
        path = pathlib.Path(scratch) / "root.tar"
        for name, (changes, failing) in TREES.items():
            complaints += [f"{name}, {one}" for one in go_over_tree(sys.argv[1], changes, failing, path)]
    print("\n".join(complaints))
    print(f"{len(complaints)} complaints")
    return 1 if complaints else 0


sys.exit(main())
