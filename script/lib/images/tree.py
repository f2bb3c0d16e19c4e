"""The directory that becomes an image: a release's root, as installed or dressed to meet every requirement."""

import pathlib
import shutil

from . import layouts
from .tools import run

SYSCTLS = """\
net.ipv4.tcp_syncookies = 1
net.ipv4.conf.all.accept_source_route = 0
net.ipv4.conf.default.accept_source_route = 0
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.default.accept_redirects = 0
net.ipv4.conf.all.secure_redirects = 1
net.ipv4.conf.default.secure_redirects = 1
net.ipv4.ip_forward = 0
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.send_redirects = 0
net.ipv4.conf.all.rp_filter = 1
net.ipv4.conf.default.rp_filter = 1
net.ipv4.icmp_echo_ignore_broadcasts = 1
net.ipv4.icmp_ignore_bogus_error_responses = 1
net.ipv4.conf.all.log_martians = 1
net.ipv4.conf.default.log_martians = 1
kernel.randomize_va_space = 2
fs.protected_hardlinks = 1
fs.protected_symlinks = 1
kernel.kptr_restrict = 1
kernel.yama.ptrace_scope = 1
kernel.perf_event_paranoid = 2
"""
SYSCTL_FILE = "/etc/sysctl.d/60-image.conf"

INTERFACES = """\
auto lo
iface lo inet loopback

allow-hotplug ens4
iface ens4 inet dhcp
"""

NETWORKD = """\
[Match]
Type=ether

[Network]
DHCP=ipv4

[DHCPv4]
UseMTU=true
"""

CHRONY = """\
server metadata.google.internal iburst
driftfile /var/lib/chrony/chrony.drift
makestep 1 3
rtcsync
"""

SSHD = "PermitRootLogin no\nPasswordAuthentication no\n"


def unpack(tar, into):
    """Unpacks with owners and modes; the tree is then made into images under the same root (or fakeroot)."""
    if into.exists():
        shutil.rmtree(into)
    into.mkdir(parents=True)
    run("tar", "--numeric-owner", "-xpf", tar, "-C", into, "--exclude=./dev/*")


def kernel_of(tree):
    """The version of the one kernel of an undressed tree."""
    return next((tree / "boot").glob("vmlinuz-*")).name.removeprefix("vmlinuz-")


def put(tree, path, text, mode=0o644):
    file = tree / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    file.write_text(text)
    file.chmod(mode)


def fstab(layout):
    options = {"ext4": "errors=remount-ro 0 1", "xfs": "defaults 0 0", "btrfs": "defaults 0 0"}[layout.root_type]
    lines = [f"UUID={layouts.ROOT_UUID} / {layout.root_type} {options}"]
    if layout.boot:
        lines.append(f"UUID={layouts.BOOT_UUID} /boot ext4 defaults 0 2")
    if layout.usr:
        lines.append(f"UUID={layouts.USR_UUID} /usr ext4 defaults 0 2")
    if layout.uefi:
        lines.append(f"UUID={layouts.ESP_VOLUME_ID} /boot/efi vfat umask=0077 0 1")
    return "\n".join(lines) + "\n"


def install_boot(tree, layout, boot_files):
    """What grub-install and update-grub leave on the root file system, and the fstab of the layout."""
    grub = tree / "boot/grub"
    shutil.rmtree(grub, ignore_errors=True)
    efi_platform = {"x64": "x86_64-efi", "aa64": "arm64-efi"}[layout.efi]
    for wanted, platform in ((layout.bios, "i386-pc"), (layout.uefi, efi_platform)):
        if wanted:
            shutil.copytree(tree / "usr/lib/grub" / platform, grub / platform,
                            ignore=lambda _, names: [name for name in names if not name.endswith((".mod", ".lst"))])
    put(tree, "/boot/grub/grub.cfg", (boot_files / "grub.cfg").read_text(), 0o444)
    put(tree, "/etc/default/grub", (boot_files / "default-grub").read_text())
    put(tree, "/etc/fstab", fstab(layout))
    efi = tree / "boot/efi"
    if layout.uefi:
        efi.mkdir(exist_ok=True)
    elif efi.exists():
        efi.rmdir()


def dress(tree, suite):
    """Everything the requirements ask that a release does not do by itself."""
    put(tree, SYSCTL_FILE, SYSCTLS)
    put(tree, "/etc/chrony/chrony.conf", CHRONY)
    put(tree, "/etc/hostname", "localhost\n")
    put(tree, "/etc/machine-id", "")
    (tree / "etc/resolv.conf").unlink(missing_ok=True)
    if suite == "bookworm-arm64":
        put(tree, "/etc/sysctl.d/61-arm64.conf", "vm.mmap_min_addr = 65536\n")
    if suite == "trixie":
        put(tree, "/etc/systemd/network/20-dhcp.network", NETWORKD)
        enable(tree, "systemd-networkd.service")
    else:
        put(tree, "/etc/network/interfaces", INTERFACES)
    put(tree, "/etc/ssh/sshd_config.d/60-image.conf", SSHD)
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()


def enable(tree, unit):
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    link = wants / unit
    if not link.is_symlink():
        link.symlink_to(pathlib.Path("/lib/systemd/system") / unit)


def add_kernel(tree, other):
    """Puts another release's kernel, modules and initramfs beside the tree's own; returns its version."""
    version = kernel_of(other)
    for name in ("vmlinuz", "initrd.img", "config", "System.map"):
        shutil.copy2(other / "boot" / f"{name}-{version}", tree / "boot")
    modules = next(folder for folder in (other / "usr/lib/modules", other / "lib/modules") if folder.exists())
    shutil.copytree(modules / version, tree / "usr/lib/modules" / version, symlinks=True)
    return version


def remove_kernel(tree, version):
    for name in ("vmlinuz", "initrd.img", "config", "System.map"):
        (tree / "boot" / f"{name}-{version}").unlink()
    shutil.rmtree(tree / "usr/lib/modules" / version)
