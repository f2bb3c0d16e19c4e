"""The images by name: some are made from a root, the others are one of those with one thing changed.

What slipway must say of each is in tests/image/expected/NAME.ini.
"""

import dataclasses
import pathlib
import shutil
from typing import Callable

from . import disk, edit, layouts, loaders, lvm, roots, tree
from .edit import Image
from .tools import ImageError, run

MIB, GIB = disk.MIB, disk.GIB

# Debian 13 makes its file systems with these; GRUB of the releases before cannot read them.
NEW_FEATURES = "metadata_csum_seed,orphan_file"
OLD_FEATURES = "^metadata_csum_seed,^orphan_file"


@dataclasses.dataclass(frozen=True)
class Base:
    """An image that is made from a release's root."""
    suite: str
    layout: layouts.Layout
    about: str
    dressed: bool = True
    boot_files: str = "standard"  # the layout whose GRUB files it boots with
    prepare: Callable = lambda tree, folder: None


@dataclasses.dataclass(frozen=True)
class Variant:
    """A copy of a base with something changed."""
    base: str
    change: Callable
    about: str


def _two_kernels(root, folder):
    other = folder / "bullseye"
    tree.unpack(folder.parent / "roots/bullseye.tar", other)
    tree.add_kernel(root, other)
    shutil.rmtree(other)


STANDARD = layouts.named("standard")

BASES = {
    "bullseye": Base("bullseye", STANDARD, "Debian 11 that meets every requirement, BIOS and UEFI"),
    "bookworm": Base("bookworm", STANDARD, "Debian 12 that meets every requirement, BIOS and UEFI"),
    "trixie": Base("trixie", STANDARD, "Debian 13 that meets every requirement, BIOS and UEFI"),
    "bookworm-stock": Base("bookworm", layouts.named("stock"), "Debian 12 as the packages leave it", dressed=False,
                           boot_files="stock"),
    "bullseye-mbr": Base("bullseye", layouts.named("mbr"), "MBR with a logical partition, BIOS only",
                         boot_files="mbr"),
    "bookworm-boot": Base("bookworm", layouts.named("boot"), "/boot is a partition of its own", boot_files="boot"),
    "bookworm-usr": Base("bookworm", dataclasses.replace(STANDARD, name="usr", usr=2),
                         "/usr is a partition of its own"),
    "bookworm-xfs": Base("bookworm", dataclasses.replace(layouts.named("boot"), name="xfs", root_type="xfs"),
                         "the root is xfs, /boot a partition of its own", boot_files="boot"),
    "bookworm-btrfs": Base("bookworm", dataclasses.replace(layouts.named("boot"), name="btrfs", root_type="btrfs"),
                           "the root is btrfs, /boot a partition of its own", boot_files="boot"),
    "trixie-4k": Base("trixie", dataclasses.replace(STANDARD, name="4k", sector=4096, bios=False),
                      "sectors of 4096 bytes, UEFI only"),
    "bookworm-arm64": Base("bookworm-arm64", layouts.named("arm64"), "Debian 12 for arm64, UEFI",
                           boot_files="arm64"),
    "bookworm-two": Base("bookworm", layouts.named("saved"), "two kernels, no saved entry: the first one boots",
                         boot_files="saved", prepare=_two_kernels),
}


# --- the boot ---

def uefi_only(image):
    run("sgdisk", "--delete=14", image.path)
    image.poke(0, bytes(440))


def bios_only(image):
    run("sgdisk", "--delete=15", image.path)
    image.edit("/etc/fstab", r"^UUID=\S+ /boot/efi.*\n", "")


def no_boot_code(image):
    uefi_only(image)
    start = image.parts[disk.ESP_NUMBER].start
    run("mdeltree", "-i", f"{image.path}@@{start}", "::/EFI")


def no_core_image(image):
    """boot.img jumps to a BIOS boot partition that is empty; no ESP."""
    bios_only(image)
    image.poke(image.parts[disk.BIOS_NUMBER].start, bytes(MIB))


def grub_words(old, new):
    return lambda image: image.edit("/boot/grub/grub.cfg", old, new)


def add_words(words):
    return grub_words(r"(\slinux\s.*" + layouts.CONSOLE + ")", r"\1 " + words)


def no_console(image):
    image.edit("/boot/grub/grub.cfg", " " + layouts.CONSOLE, "")


def missing_initrd(image):
    image.remove(f"/boot/initrd.img-{image.kernel()}")


def missing_kernel(image):
    image.remove(f"/boot/vmlinuz-{image.kernel()}")


def kernel_bytes(change_bytes):
    def change(image):
        path = f"/boot/vmlinuz-{image.kernel()}"
        image.write(path, change_bytes(image.read(path)))
    return change


def save_entry(version_pattern):
    """grubenv as grub-set-default writes it: the path through the submenu to one kernel."""
    def change(image):
        versions = [name.removeprefix("vmlinuz-") for name in image.list("/boot") if name.startswith("vmlinuz-")]
        version = next(version for version in versions if version.startswith(version_pattern))
        entry = f"gnulinux-advanced-{layouts.ROOT_UUID}>gnulinux-{version}-advanced-{layouts.ROOT_UUID}"
        text = f"# GRUB Environment Block\nsaved_entry={entry}\n"
        image.write("/boot/grub/grubenv", text + "#" * (1024 - len(text)))
    return change


def drop_module(pattern):
    return lambda image: edit.drop_from_initramfs(image, pattern)


def no_config(image):
    image.remove(f"/boot/config-{image.kernel()}")


def fstab_line(line):
    return lambda image: image.edit("/etc/fstab", r"\Z", line + "\n")


# --- the disk ---

def resized(by):
    return lambda image: image.resize(image.size() + by)


def odd_size(image):
    """One MiB more than 3 GiB, with the backup GPT moved to the new end as it should be."""
    image.resize(image.size() + MIB)
    run("sgdisk", "--move-second-header", image.path)


def no_backup_gpt(image):
    image.poke(image.size() - 512, bytes(512))


def protective_mbr(*records):
    def change(image):
        image.poke(edit.MBR_ENTRIES, b"".join(records).ljust(64, b"\0"))
    return change


def hybrid_mbr(offset):
    """The root partition in the MBR as well, `offset` sectors from where the GPT has it."""
    def change(image):
        start, size = image.parts[image.root].start, image.parts[image.root].size
        protective_mbr(edit.mbr_entry(0xEE, 1, start // 512 - 1),
                       edit.mbr_entry(0x83, start // 512 + offset, size // 512 - offset, active=True))(image)
    return change


def zero_superblock(image):
    start = image.parts[image.root].start
    image.poke(start + 1024, bytes(1024))


def luks_root(image):
    start = image.parts[image.root].start
    header = image.path.with_name(image.path.name + ".luks")
    with open(header, "wb") as file:
        file.truncate(32 * MIB)
    try:
        run("cryptsetup", "luksFormat", "--batch-mode", "--type=luks2", "--pbkdf=pbkdf2",
            "--pbkdf-force-iterations=1000", "--key-file=-", header, input=b"a key that guards nothing")
        image.poke(start, header.read_bytes()[:16 * MIB])
    finally:
        header.unlink()


def lvm_root(image):
    """The root partition becomes a physical volume, in which the root's file system stays where it is but for its
    first extent: that makes room for LVM's metadata, and goes to the end, so that the volume is in two pieces."""
    start, number = image.parts[image.root].start, image.root
    extents = -(-image.parts[number].size // lvm.EXTENT)
    image.edit("/grub/grub.cfg", rf"root=UUID={layouts.ROOT_UUID}", "root=/dev/mapper/vg--slip-root", number=2)
    if image.parts[number].file_system == "ext4":
        image.edit("/etc/fstab", rf"^UUID={layouts.ROOT_UUID} ", "/dev/vg-slip/root ")
    image.resize(image.size() + GIB)
    run("sgdisk", "--move-second-header", f"--delete={number}", f"--new={number}:{start // 512}:0",
        f"--typecode={number}:8e00", image.path)
    size = image.size() - start - MIB
    first = image.peek(start, lvm.EXTENT)
    image.poke(start, lvm.header("vg-slip", "root", size, [(extents - 1, 1), (0, extents - 1)]))
    image.poke(start + lvm.HEADER + (extents - 1) * lvm.EXTENT, first)


def blank(image):
    image.resize(0)
    image.resize(GIB)


def whole_disk(image):
    """The root file system without a partition table around it."""
    part = image.parts[image.root]
    run("fallocate", "--collapse-range", "--offset=0", f"--length={part.start}", image.path)
    image.resize(3 * GIB)


# --- the system ---

def sysctl_words(pattern, replacement):
    return lambda image: image.edit(tree.SYSCTL_FILE, pattern, replacement)


def masked_sysctls(image):
    """The settings are in /usr/lib/sysctl.d, and a file of the same name in /etc, a dangling link, hides them."""
    image.write("/usr/lib/sysctl.d/60-image.conf", tree.SYSCTLS)
    image.remove(tree.SYSCTL_FILE)
    image.symlink(tree.SYSCTL_FILE, "/nowhere")


def globbed_sysctls(image):
    """A glob sets log_martians for every interface but `default`, which an exclusion leaves at the kernel's 0."""
    image.edit(tree.SYSCTL_FILE, r"^net\.ipv4\.conf\.(all|default)\.log_martians.*\n", "")
    image.write("/etc/sysctl.d/70-globs.conf",
                "-net.ipv4.conf.default.log_martians\nnet.ipv4.conf.*.log_martians = 1\n")


def later_sysctls(image):
    """A later file takes back what the first one set."""
    image.write("/etc/sysctl.d/90-late.conf", "net/ipv4/ip_forward=1\nnet.ipv4.conf.all.rp_filter = 2\n")


def sysctls_on_command_line(image):
    """kptr_restrict comes from the command line alone; randomize_va_space is taken away there."""
    image.edit(tree.SYSCTL_FILE, r"^kernel\.(kptr_restrict|randomize_va_space).*\n", "")
    add_words("norandmaps sysctl.kernel.kptr_restrict=1")(image)


def baked_identity(image):
    image.write("/etc/machine-id", "3f1c8a52e7b94d60a5d2c4189e6b7f03\n")
    image.write("/etc/ssh/ssh_host_ed25519_key", "-----BEGIN OPENSSH PRIVATE KEY-----\n")
    image.write("/etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA root@build\n")


def untidy_guest(image):
    """Other time servers, another time zone, persistent network names, root over SSH with a password."""
    image.write("/etc/chrony/chrony.conf", "pool 2.debian.pool.ntp.org iburst\n")
    image.remove("/etc/localtime")
    image.symlink("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin")
    image.write("/etc/udev/rules.d/70-persistent-net.rules",
                'SUBSYSTEM=="net", ATTR{address}=="42:01:0a:80:00:02", NAME="eth0"\n')
    image.write("/etc/ssh/sshd_config.d/60-image.conf", "PermitRootLogin yes\nPasswordAuthentication yes\n")
    image.edit("/etc/shadow", r"^root:[^:]*:", "root:$6$untidy$aHashThatFitsNoPassword:")


GPT_HEADER = 512
GPT_ENTRIES = 1024

VARIANTS = {
    "trixie-uefi": Variant("trixie", uefi_only, "UEFI only"),
    "trixie-bios": Variant("trixie", bios_only, "BIOS only, on GPT"),
    "trixie-sdboot": Variant("trixie", lambda image: (uefi_only(image), loaders.systemd_boot(image)),
                             "systemd-boot with entries of type 1"),
    "trixie-uki": Variant("trixie", lambda image: (uefi_only(image), loaders.unified(image)),
                          "a unified kernel image that the firmware starts"),
    "bookworm-syslinux": Variant("bookworm", loaders.syslinux, "SYSLINUX on the FAT partition, BIOS only"),
    "bookworm-bls": Variant("bookworm", loaders.entries_for_grub, "Boot Loader Specification entries through GRUB"),
    "trixie-no-boot-code": Variant("trixie", no_boot_code, "neither boot code nor a loader on the ESP"),
    "trixie-no-core": Variant("trixie", no_core_image, "the BIOS boot partition is empty"),
    "bookworm-two-old": Variant("bookworm-two", save_entry("5."), "grubenv chooses the older of two kernels"),
    "bookworm-two-new": Variant("bookworm-two", save_entry("6."), "grubenv chooses the newer of two kernels"),
    "trixie-no-virtio-scsi": Variant("trixie", drop_module(r"/virtio_scsi\.ko"),
                                     "the initramfs lacks the disk's driver"),
    "bookworm-no-virtio-scsi": Variant("bookworm", drop_module(r"/virtio_scsi\.ko"),
                                       "the initramfs lacks the disk's driver"),
    "bullseye-no-virtio-pci": Variant("bullseye", drop_module(r"/virtio_pci\.ko"),
                                      "the initramfs has the disk's driver but not its transport"),
    "trixie-no-console": Variant("trixie", no_console, "no console= on the command line"),
    "trixie-console-ttyS1": Variant("trixie", add_words("console=ttyS1"), "the last serial console is another one"),
    "trixie-quiet": Variant("trixie", add_words("quiet splash"), "quiet splash"),
    "trixie-wrong-root": Variant("trixie", grub_words(r"root=UUID=[0-9a-f-]+",
                                                      "root=UUID=00000000-1111-4222-8333-444444444444"),
                                 "root= names no file system of this disk"),
    "trixie-no-initrd": Variant("trixie", missing_initrd, "the default entry's initramfs is not there"),
    "trixie-no-kernel": Variant("trixie", missing_kernel, "the default entry's kernel is not there"),
    "trixie-cut-kernel": Variant("trixie", kernel_bytes(lambda content: content[:1 << 20]),
                                 "the kernel file ends after its first MiB"),
    "trixie-zero-kernel": Variant("trixie", kernel_bytes(lambda content: bytes(len(content))),
                                  "the kernel file holds zeros alone"),
    "trixie-no-config": Variant("trixie", no_config, "the kernel's configuration is not in the image"),
    "bookworm-arm64-ttyS0": Variant("bookworm-arm64", grub_words(layouts.ARM64_CONSOLE, layouts.CONSOLE),
                                    "an x86 machine's console on arm64"),
    "bookworm-arm64-no-virtio-scsi": Variant("bookworm-arm64", drop_module(r"/virtio_scsi\.ko"),
                                             "the initramfs lacks the driver of SCSI disks; that of NVMe is built in"),
    "trixie-killers": Variant("trixie", add_words("pci=nomsi no-kvmclock rodata=off iomem=relaxed lsm=capability"),
                              "the command line defeats the configuration"),
    "trixie-fstab-device": Variant("trixie", fstab_line("/dev/sdb1 /data ext4 defaults 0 2"),
                                   "fstab names a disk that is not there"),
    "trixie-gpt-header": Variant("trixie", lambda image: image.flip(GPT_HEADER + 56),
                                 "the primary GPT header's checksum is wrong"),
    "trixie-gpt-entries": Variant("trixie", lambda image: image.flip(GPT_ENTRIES + 56),
                                  "the primary GPT entries' checksum is wrong"),
    "trixie-no-backup-gpt": Variant("trixie", no_backup_gpt, "the backup GPT header is gone"),
    "trixie-no-protective": Variant("trixie", protective_mbr(), "no protective MBR"),
    "trixie-hybrid": Variant("trixie", hybrid_mbr(0), "a hybrid MBR that agrees with the GPT"),
    "trixie-hybrid-disagrees": Variant("trixie", hybrid_mbr(2048), "a hybrid MBR that does not"),
    "trixie-truncated": Variant("trixie", lambda image: image.resize(2 * GIB), "the last GiB is missing"),
    "trixie-odd-size": Variant("trixie", odd_size, "not a whole number of GiB"),
    "trixie-no-superblock": Variant("trixie", zero_superblock, "the root's first superblock is zeroed"),
    "trixie-luks": Variant("trixie", luks_root, "the root is encrypted"),
    "trixie-blank": Variant("trixie", blank, "one GiB of zeros"),
    "trixie-whole-disk": Variant("trixie", whole_disk, "a file system without a partition table"),
    "bookworm-lvm": Variant("bookworm-boot", lvm_root, "the root is a logical volume, and the initramfs has no lvm"),
    "bookworm-lvm-xfs": Variant("bookworm-xfs", lvm_root, "the same with xfs in it, which fstab knows by its UUID"),
    "bookworm-masked": Variant("bookworm", masked_sysctls, "the sysctl file is masked"),
    "bookworm-globs": Variant("bookworm", globbed_sysctls, "sysctls set by a glob, with an exclusion"),
    "bookworm-late": Variant("bookworm", later_sysctls, "a later sysctl file wins"),
    "trixie-no-kptr": Variant("trixie", sysctl_words(r"^kernel\.kptr_restrict.*\n", ""),
                              "kptr_restrict is left at the kernel's default"),
    "trixie-cmdline-sysctls": Variant("trixie", sysctls_on_command_line, "sysctls on the kernel command line"),
    "trixie-baked": Variant("trixie", baked_identity, "a machine-id and host keys are baked in"),
    "trixie-untidy": Variant("trixie", untidy_guest, "guest settings that are not the platform's"),
}

NAMES = (*BASES, *VARIANTS)


def about(name):
    return (BASES.get(name) or VARIANTS[name]).about


def layout_of(name):
    return BASES[name if name in BASES else VARIANTS[name].base].layout


def suites_of(names):
    """The roots that these images need."""
    wanted = {BASES[name if name in BASES else VARIANTS[name].base].suite for name in names}
    for suite in tuple(wanted):
        wanted.update(roots.needed_by(suite))
    return [suite for suite in roots.SUITES if suite in wanted]


def _make_base(name, root, suite_boot, folder):
    base = BASES[name]
    boot_files = suite_boot / base.boot_files
    tree.install_boot(root, base.layout, boot_files)
    base.prepare(root, folder / "work")
    features = NEW_FEATURES if base.suite == "trixie" else OLD_FEATURES
    disk.make(folder / f"{name}.raw", base.layout, root, boot_files, features=features)


def make_bases(suite, names, folder, say=lambda words: None):
    """Makes those of a release's bases that are not there yet, from one unpacked root."""
    missing = [name for name in names if BASES[name].suite == suite and not (folder / f"{name}.raw").exists()]
    if not missing:
        return
    work = folder / "work"
    root, suite_boot = work / suite, work / f"{suite}.boot"
    tree.unpack(folder / "roots" / f"{suite}.tar", root)
    tree.unpack(folder / "roots" / f"{suite}.boot.tar", suite_boot)
    # Undressed ones first, and those that add to the tree last.
    missing.sort(key=lambda name: (BASES[name].dressed, BASES[name].boot_files == "saved"))
    dressed = False
    for name in missing:
        if BASES[name].dressed and not dressed:
            tree.dress(root, suite)
            dressed = True
        _make_base(name, root, suite_boot / "boot-files", folder)
        say(f"  {name:<24} {about(name)}")
    shutil.rmtree(work)


def make_variant(name, folder, path):
    """Makes the image `path` of a variant from its base in `folder`, which must be there."""
    variant = VARIANTS[name]
    base = folder / f"{variant.base}.raw"
    if not base.exists():
        raise ImageError(f"{base} is not there: run script/test-images")
    run("cp", "--reflink=auto", "--sparse=always", base, path)
    variant.change(Image(pathlib.Path(path), layout_of(name)))
