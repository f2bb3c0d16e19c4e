#!/usr/bin/env python3
"""Systems on btrfs as installers lay them out: which subvolume is the root, where the loader's paths lead, and that
everything said of them is said of paths of the running system.

usage: test_subvolumes.py SLIPWAY

Only the kernel makes subvolumes: this needs root and loop devices, and is skipped (exit 77) without; with
SLIPWAY_REQUIRE=1 it fails then.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import filesystems

UUID = "11111111-2222-3333-4444-555555555555"
MIB = 1 << 20

FIND = f"search --no-floppy --fs-uuid --set=root {UUID}\n"
SUSE_HEADER = 'set btrfs_relative_path="y"\nexport btrfs_relative_path\n'

# name: (subvolumes, the default one, the root, /EFI/debian/grub.cfg, folder of the menu, the kernel in the menu,
#        rootflags, fstab, loader's header)
LAYOUTS = {
    "ubuntu": dict(
        subvolumes=["@", "@home"], root="@", esp=FIND + "set prefix=($root)'/@/boot/grub'\nconfigfile $prefix/grub.cfg\n",
        menu="/boot/grub", kernel="/@/boot/vmlinuz-6.1.0", flags="rootflags=subvol=@",
        fstab="/ subvol=@\n/home subvol=@home\n"),
    "default": dict(
        subvolumes=["root", "home"], root="root", default="root",
        esp=FIND + "set prefix=($root)'/root/boot/grub2'\nconfigfile $prefix/grub.cfg\n",
        menu="/boot/grub2", kernel="/root/boot/vmlinuz-6.1.0", flags="", fstab="/ defaults\n/home subvol=home\n"),
    "top-level": dict(
        subvolumes=["home"], root="", esp=FIND + "set prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n",
        menu="/boot/grub", kernel="/boot/vmlinuz-6.1.0", flags="", fstab="/ defaults\n/home subvol=home\n"),
    "missing": dict(
        subvolumes=["@"], root="@", esp=FIND + "set prefix=($root)'/@/boot/grub'\nconfigfile $prefix/grub.cfg\n",
        menu="/boot/grub", kernel="/@/boot/vmlinuz-6.1.0", flags="rootflags=subvol=@gone", root_found=False,
        fstab="/ subvol=@\n"),
    # Theirs is the one that GRUB's embedded configuration sources, and the variable tells it where paths begin.
    "snapper": dict(
        subvolumes=["@", "@/home", "@/.snapshots", "@/.snapshots/1/snapshot", "@/boot/grub2/x86_64-efi"],
        root="@/.snapshots/1/snapshot", default="@/.snapshots/1/snapshot",
        esp='set btrfs_relative_path="yes"\n' + FIND + "set prefix=($root)/boot/grub2\nsource \"${prefix}/grub.cfg\"\n",
        config="/EFI/debian/grub.cfg", menu="/boot/grub2", header=SUSE_HEADER, kernel="/boot/vmlinuz-6.1.0", flags="",
        fstab="/ defaults\n/home subvol=/@/home\n/.snapshots subvol=/@/.snapshots\n"
              "/boot/grub2/x86_64-efi subvol=/@/boot/grub2/x86_64-efi\n"),
}


def make_kernel():
    kernel = bytearray(4096)
    kernel[514:520] = b"HdrS\x0f\x02"
    kernel[526:528] = b"\0\1"
    kernel[768:791] = b"6.1.0 (builder@host) #1"
    return bytes(kernel)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def fill_root(root, layout):
    write(root / "etc/os-release", "ID=debian\n")
    write(root / "sbin/init", "")
    lines = [line.split() for line in layout["fstab"].splitlines()]
    write(root / "etc/fstab", "".join(f"UUID={UUID} {point} btrfs {options} 0 0\n" for point, options in lines))
    write(root / "boot/vmlinuz-6.1.0", make_kernel())
    write(root / "boot/initrd.img-6.1.0", b"070701")
    initrd = layout["kernel"].replace("vmlinuz", "initrd.img")
    write(root / layout["menu"].lstrip("/") / "grub.cfg",
          f"{layout.get('header', '')}set timeout=0\nmenuentry one {{\n{FIND}linux {layout['kernel']} "
          f"root=UUID={UUID} {layout['flags']} console=ttyS0\ninitrd {initrd}\n}}\n")


def make_btrfs(image, folder, layout):
    with open(image, "wb") as file:
        file.truncate(200 * MIB)
    filesystems.run("mkfs.btrfs", "-q", "-U", UUID, image)
    filesystems.run("mount", "-o", "loop", image, folder)
    try:
        for path in layout["subvolumes"]:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            filesystems.run("btrfs", "subvolume", "create", folder / path)
        fill_root(folder / layout["root"], layout)
        if "default" in layout:
            filesystems.run("btrfs", "subvolume", "set-default", folder / layout["default"])
    finally:
        filesystems.run("umount", folder)


def make_esp(image, scratch, layout):
    write(scratch / "esp.cfg", layout["esp"])
    filesystems.run("grub-mkimage", "-O", "x86_64-efi", "-p", "/EFI/debian", "-o", scratch / "grub.efi",
                    "normal", "configfile", "search", "search_fs_uuid", "btrfs", "fat", "part_gpt", "linux")
    with open(image, "wb") as file:
        file.truncate(40 * MIB)
    filesystems.run("mkfs.vfat", image)
    for name in ("EFI", "EFI/BOOT", "EFI/debian"):
        filesystems.run("mmd", "-i", image, f"::{name}")
    filesystems.run("mcopy", "-i", image, scratch / "grub.efi", "::EFI/BOOT/BOOTX64.EFI")
    filesystems.run("mcopy", "-i", image, scratch / "esp.cfg", "::EFI/debian/grub.cfg")


def make_disk(disk, scratch, layout):
    folder = scratch / "mounted"
    folder.mkdir(exist_ok=True)
    make_esp(scratch / "esp", scratch, layout)
    make_btrfs(scratch / "btrfs", folder, layout)
    with open(disk, "wb") as file:
        file.truncate(300 * MIB)
    filesystems.run("sfdisk", "-q", disk, input=b"label: gpt\nstart=2048, size=40MiB, type=uefi\nsize=200MiB, type=linux\n")
    for part, offset in (("esp", 1), ("btrfs", 41)):
        filesystems.run("dd", f"if={scratch / part}", f"of={disk}", "bs=1M", f"seek={offset}", "conv=notrunc,sparse",
                        "status=none")


def inspect(slipway, disk):
    result = subprocess.run([slipway, "inspect", "--format=json", disk], stdout=subprocess.PIPE, check=False)
    return json.loads(result.stdout)


def differences(facts, layout):
    """What is said otherwise than it is."""
    found = []

    def want(what, got, wanted):
        if got != wanted:
            found.append(f"{what}: {got!r}, wanted {wanted!r}")

    boot, entry = facts["boot"], facts["boot"]["entries"][0]
    want("the default entry", boot["default"]["index"], 0)
    want("the configuration", boot["config"]["path"], layout.get("config", f"{layout['menu']}/grub.cfg"))
    want("the entry's line", entry["evidence"]["path"], f"{layout['menu']}/grub.cfg")
    want("the entry's kernel", entry["kernel"]["path"], "/boot/vmlinuz-6.1.0")
    want("the entry's initramfs", entry["initrds"][0]["path"], "/boot/initrd.img-6.1.0")
    want("its being there", (entry["kernel"]["found"], entry["initrds"][0]["found"]), (True, True))
    want("the root", entry["root_found"], layout.get("root_found", True))
    want("the kernels", [kernel["path"] for kernel in facts["kernels"]], ["/boot/vmlinuz-6.1.0"])
    want("the system", facts["os"]["id"], "debian")
    want("how much was examined", facts["examined"], "full")
    return found


def main():
    slipway, failures = sys.argv[1], 0
    if os.geteuid() != 0 or not os.path.exists("/dev/loop-control"):
        print("subvolumes were not tested: making them needs root and loop devices")
        return 1 if os.environ.get("SLIPWAY_REQUIRE") == "1" else 77
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for name, layout in LAYOUTS.items():
            disk = scratch / f"{name}.raw"
            make_disk(disk, scratch, layout)
            facts = inspect(slipway, disk)
            found = differences(facts, layout)
            print(f"{name}: {len(found)} differences")
            print("".join(f"  {line}\n" for line in found), end="", flush=True)
            failures += len(found)
    return 1 if failures else 0


sys.exit(main())
