"""Changing a finished image in place: files through debugfs, partition tables byte by byte."""

import re
import struct
import subprocess
import tempfile

from . import disk
from .tools import ImageError, environment, run


class Image:
    """An image under change. Paths are inside the ext4 file system of partition `number`, or the root's."""

    def __init__(self, path, layout):
        self.path, self.root = path, layout.root
        self.parts = {part.number: part for part in disk.plan(layout)}

    # --- files ---

    def _device(self, number):
        return f"{self.path}?offset={self.parts[number or self.root].start}"

    def debugfs(self, *commands, number=None):
        with tempfile.NamedTemporaryFile("w") as script:
            script.write("\n".join(commands) + "\n")
            script.flush()
            return run("debugfs", "-w", "-f", script.name, self._device(number)).decode(errors="replace")

    def read(self, path, number=None):
        done = subprocess.run(["debugfs", "-R", f'cat "{path}"', self._device(number)], capture_output=True,
                              env=environment(), check=False)
        if b"File not found" in done.stderr:
            raise ImageError(f"{self.path} has no {path}")
        return done.stdout

    def list(self, path, number=None):
        """The names in a directory."""
        text = run("debugfs", "-R", f'ls -p "{path}"', self._device(number)).decode()
        names = [line.split("/")[5] for line in text.splitlines() if line.startswith("/")]
        return sorted(name for name in names if name not in (".", "..", ""))

    def remove(self, *paths, number=None):
        self.debugfs(*(f'rm "{path}"' for path in paths), number=number)

    def write(self, path, content, number=None):
        """Makes or replaces a file, and makes the directories that it is in."""
        folder, name = path.rsplit("/", 1)
        above = [f'mkdir "{folder[:at]}"' for at in range(1, len(folder)) if folder[at] == "/"]
        with tempfile.NamedTemporaryFile() as source:
            source.write(content if isinstance(content, bytes) else content.encode())
            source.flush()
            self.debugfs(*above, f'mkdir "{folder}"' if folder else "", f'rm "{path}"',
                         f'cd "{folder or "/"}"', f'write "{source.name}" "{name}"',
                         f'set_inode_field "{path}" mode 0100644', number=number)
        if name not in self.list(folder or "/", number):
            raise ImageError(f"debugfs did not write {path} into {self.path}")

    def symlink(self, path, target, number=None):
        folder, name = path.rsplit("/", 1)
        self.debugfs(f'cd "{folder}"', f'symlink "{name}" "{target}"', number=number)

    def edit(self, path, pattern, replacement, number=None):
        """Replaces every match of a pattern in a text file; one that matches nowhere is a mistake of ours."""
        text, count = re.subn(pattern, replacement, self.read(path, number).decode(), flags=re.M)
        if not count:
            raise ImageError(f"nothing in {path} of {self.path} matches {pattern!r}")
        self.write(path, text, number)

    def kernel(self):
        """The version of the first kernel in /boot."""
        return next(name for name in self.list("/boot") if name.startswith("vmlinuz-")).removeprefix("vmlinuz-")

    # --- bytes ---

    def peek(self, offset, length):
        with open(self.path, "rb") as disk:
            disk.seek(offset)
            return disk.read(length)

    def poke(self, offset, content):
        with open(self.path, "r+b") as disk:
            disk.seek(offset)
            disk.write(content)

    def flip(self, offset):
        """Inverts one byte: a checksum over it no longer holds."""
        self.poke(offset, bytes([self.peek(offset, 1)[0] ^ 0xFF]))

    def resize(self, size):
        with open(self.path, "r+b") as disk:
            disk.truncate(size)

    def size(self):
        return self.path.stat().st_size


# --- partition tables (UEFI specification 2.10, chapter 5) ---

MBR_ENTRIES = 446


def mbr_entry(kind, first, count, active=False):
    """One 16-byte MBR entry, with the cylinder fields at their maximum."""
    return struct.pack("<B3sB3sII", 0x80 if active else 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", first, count)


# --- initramfs ---

def newc_members(archive):
    """The members of one newc archive: (name, start, end) until its trailer; `end` is the next one's start."""
    at = 0
    while True:
        if archive[at:at + 6] not in (b"070701", b"070702"):
            raise ImageError("the initramfs is not a newc archive where one was expected")
        size, name_length = int(archive[at + 54:at + 62], 16), int(archive[at + 94:at + 102], 16)
        name = archive[at + 110:at + 110 + name_length - 1].decode()
        data = (at + 110 + name_length + 3) & ~3
        end = (data + size + 3) & ~3
        yield name, at, end
        if name == "TRAILER!!!":
            return
        at = end


def without(archive, pattern):
    """The archive without the members that match; everything after its trailer is kept as it is."""
    kept, end, dropped = [], 0, 0
    for name, start, end in newc_members(archive):
        if re.search(pattern, name):
            dropped += 1
        else:
            kept.append(archive[start:end])
    if not dropped:
        raise ImageError(f"the initramfs has no {pattern}")
    # What follows stays where the kernel looks for it: after padding to a multiple of 512.
    body = b"".join(kept)
    rest = archive[end:].lstrip(b"\0")
    if rest:
        body += bytes(-len(body) % 512)
    return body + rest


def drop_from_initramfs(image, pattern):
    """Takes modules out of the initramfs as if it had been made without them."""
    path = f"/boot/initrd.img-{image.kernel()}"
    packed = image.read(path)
    if packed.startswith(b"0707"):
        image.write(path, without(packed, pattern))
        return
    tool = "zstd" if packed.startswith(b"\x28\xb5\x2f\xfd") else "gzip"
    plain = run(tool, "-dc", input=packed)
    image.write(path, run(tool, "-c", "-1", input=without(plain, pattern)))
