"""Root file systems of Debian releases, one tar each, from the archive that this machine itself uses."""

import os
import pathlib
import re
import shlex
import tempfile

from . import layouts
from .tools import LIBRARY, ImageError, run

SUITES = ("bullseye", "bookworm", "trixie", "bookworm-arm64")

PACKAGES = (
    "linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "udev", "procps", "kmod", "zstd", "e2fsprogs",
    "grub2-common", "grub-pc-bin", "grub-efi-amd64-bin", "openssh-server", "chrony", "ifupdown",
    "isc-dhcp-client",
)
# Not in bullseye.
LATER_PACKAGES = ("google-guest-agent",)

# Unpacked alone, so that the essential packages which a boot to the login needs are named here as well.
ARM64_PACKAGES = (
    "linux-image-cloud-arm64", "base-files", "base-passwd", "systemd-sysv", "udev", "procps", "kmod", "busybox-static",
    "grub-efi-arm64-bin", "openssh-server", "chrony", "ifupdown", "isc-dhcp-client", "google-guest-agent",
    "dash", "coreutils", "debianutils", "util-linux", "login", "libpam-modules", "sed", "grep", "hostname",
)

# Roots that are made from another one's files: bookworm's GRUB menu of two kernels names bullseye's, and the shell
# scripts that write a menu write the same one on every architecture.
NEEDS = {"bookworm": ("bullseye",), "bookworm-arm64": ("bookworm",)}

# Nothing that slipway reads lives here, and a third of a minimal root does.
UNREAD = ("/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*")


# What came along and nothing that the image starts needs.
ARM64_UNREAD = ("/usr/share/perl", "/usr/bin/perl*", "/usr/lib/*/perl", "/usr/lib/*/libperl*", "/usr/lib/*/gconv",
                "/usr/lib/linux-image-*", "/usr/lib/klibc", "/usr/lib/udev/hwdb.d", "/usr/share/grub",
                "/usr/lib/grub/arm64-efi/*.mod", "/usr/lib/grub/arm64-efi/monolithic/*net*")


def _stanzas_of_deb822(text):
    for block in re.split(r"\n\s*\n", text):
        fields, name = {}, None
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace() and name:
                fields[name] += "\n" + line
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.lower()
                fields[name] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
            yield fields["uris"].split(), fields["suites"].split(), fields.get("components", "").split(), \
                fields.get("signed-by", "")


def _stanzas_of_list(text):
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if match:
            options = dict(word.split("=", 1) for word in (match[1] or "").split() if "=" in word)
            yield [match[2]], [match[3]], match[4].split(), options.get("signed-by", "")


def _stanzas():
    folder = pathlib.Path("/etc/apt/sources.list.d")
    for path in sorted(folder.glob("*.sources")):
        yield from _stanzas_of_deb822(path.read_text())
    for path in [pathlib.Path("/etc/apt/sources.list"), *sorted(folder.glob("*.list"))]:
        if path.exists():
            yield from _stanzas_of_list(path.read_text())


def _own_codename():
    match = re.search(r"^VERSION_CODENAME=\"?([a-z]+)", pathlib.Path("/etc/os-release").read_text(), re.M)
    return match[1] if match else ""


def sources_for(suite):
    """The machine's own archive with another suite; updates and security suites are left out, since an old or
    new release need not have them there."""
    own = _own_codename()
    for uris, suites, components, signed_by in _stanzas():
        if own in suites and "main" in components:
            lines = ["Types: deb", "URIs: " + " ".join(uris), f"Suites: {suite}", "Components: main"]
            if signed_by:
                lines.append("Signed-By: " + signed_by)
            return "\n".join(lines) + "\n"
    raise ImageError("this machine's apt sources name no Debian archive for its own release: "
                     "the images are made on Debian 12 or later")


def kernel_version(root_tar):
    """The version of the one kernel in a root, from the names in /boot."""
    names = run("tar", "-tf", root_tar, "--wildcards", "./boot/vmlinuz-*").decode().split()
    return names[0].removeprefix("./boot/vmlinuz-")


def needed_by(suite):
    """The suites whose roots a suite's is made from, at first hand and through others."""
    return {other for needed in NEEDS.get(suite, ()) for other in (needed, *needed_by(needed))}


def _arm64_options(folder):
    """Packages unpacked and their scripts left out: what they do for an image, foreign-root.sh does."""
    script = shlex.quote(str(LIBRARY / "foreign-root.sh"))
    yield "--architectures=arm64"
    yield "--variant=extract"
    yield "--include=" + ",".join(ARM64_PACKAGES)
    yield '--setup-hook=for name in bin sbin lib; do mkdir -p "$1/usr/$name"; ln -s "usr/$name" "$1/$name"; done'
    # The last hooks of this variant are those of the extraction.
    yield f"--extract-hook=tar-in {shlex.quote(str(folder / 'bookworm.boot.tar'))} /tmp"
    yield f"--extract-hook=upload {script} /tmp/foreign-root.sh"
    yield f'--extract-hook=sh "$1"/tmp/foreign-root.sh "$1" {layouts.ARM64_CONSOLE}'
    yield '--extract-hook=cd "$1" && rm -rf ' + " ".join(path.lstrip("/") for path in UNREAD + ARM64_UNREAD)
    yield from (f"--extract-hook={hook}" for hook in _last_hooks("bookworm-arm64", folder))


def _options(suite, folder, names):
    if suite == "bookworm-arm64":
        yield from _arm64_options(folder)
        return
    packages = PACKAGES + (LATER_PACKAGES if suite != "bullseye" else ())
    yield "--variant=minbase"
    yield "--include=" + ",".join(packages)
    yield from (f"--dpkgopt=path-exclude={pattern}" for pattern in UNREAD)
    yield from (f"--customize-hook={hook}" for hook in _boot_hooks(suite, folder, names))
    yield from (f"--customize-hook={hook}" for hook in _last_hooks(suite, folder))


def _last_hooks(suite, folder):
    yield f"tar-out /tmp/boot-files {shlex.quote(str(folder / (suite + '.boot.tar.part')))}"
    yield 'rm -rf "$1"/tmp/boot-files "$1"/tmp/*.sh'


def _boot_hooks(suite, folder, names):
    """The suite's own GRUB writes its menu and its core images inside the root while mmdebstrap has it open."""
    yield f"upload {shlex.quote(str(LIBRARY / 'boot-files.sh'))} /tmp/boot-files.sh"
    for layout in layouts.LAYOUTS:
        if (layout.suites and suite not in layout.suites) or (names and layout.name not in names):
            continue
        other = kernel_version(folder / "bullseye.tar") if layout.two_kernels else ""
        settings = dict(layout.settings(), OTHER_KERNEL=other)
        words = " ".join(f"{key}={shlex.quote(value)}" for key, value in settings.items())
        yield f'chroot "$1" env {words} sh -eu /tmp/boot-files.sh'


def make(suite, folder, names=()):
    """Makes folder/SUITE.tar, and folder/SUITE.boot.tar with the boot files of the layouts of these names (all of
    them without), unless both are there already; tells whether it did."""
    tar, boot = folder / f"{suite}.tar", folder / f"{suite}.boot.tar"
    if tar.exists() and boot.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{suite}.tar.part"
    command = ["mmdebstrap", "--quiet", "--format=tar", *_options(suite, folder, names)]
    release = suite.removesuffix("-arm64")
    with tempfile.NamedTemporaryFile("w", suffix=".sources", dir=folder) as sources:
        sources.write(sources_for(release))
        sources.flush()
        os.chmod(sources.name, 0o644)
        run(*command, release, part, sources.name, DEBIAN_FRONTEND="noninteractive")
    os.replace(folder / f"{suite}.boot.tar.part", boot)
    os.replace(part, tar)
    return True
