"""Root file systems of Debian releases, one tar each, from the archive that this machine itself uses."""

import os
import pathlib
import re
import shlex
import tempfile

from . import layouts
from .tools import LIBRARY, ImageError, run

SUITES = ("bullseye", "bookworm", "trixie")

PACKAGES = (
    "linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "udev", "procps", "kmod", "zstd", "e2fsprogs",
    "grub2-common", "grub-pc-bin", "grub-efi-amd64-bin", "openssh-server", "chrony", "ifupdown",
    "isc-dhcp-client",
)
# Not in bullseye.
LATER_PACKAGES = ("google-guest-agent",)

# Nothing that slipway reads lives here, and a third of a minimal root does.
UNREAD = ("/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*")


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


def _hooks(suite, folder, names):
    """The suite's own GRUB writes its menu and its core images inside the root while mmdebstrap has it open."""
    yield f"upload {shlex.quote(str(LIBRARY / 'boot-files.sh'))} /tmp/boot-files.sh"
    for layout in layouts.LAYOUTS:
        if (layout.suites and suite not in layout.suites) or (names and layout.name not in names):
            continue
        other = kernel_version(folder / "bullseye.tar") if layout.two_kernels else ""
        settings = dict(layout.settings(), OTHER_KERNEL=other)
        words = " ".join(f"{key}={shlex.quote(value)}" for key, value in settings.items())
        yield f'chroot "$1" env {words} sh -eu /tmp/boot-files.sh'
    yield f"tar-out /tmp/boot-files {shlex.quote(str(folder / (suite + '.boot.tar.part')))}"
    yield 'rm -rf "$1"/tmp/boot-files "$1"/tmp/boot-files.sh'


def make(suite, folder, names=()):
    """Makes folder/SUITE.tar, and folder/SUITE.boot.tar with the boot files of the layouts of these names (all of
    them without), unless both are there already; tells whether it did."""
    tar, boot = folder / f"{suite}.tar", folder / f"{suite}.boot.tar"
    if tar.exists() and boot.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{suite}.tar.part"
    packages = PACKAGES + (LATER_PACKAGES if suite != "bullseye" else ())
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", "--include=" + ",".join(packages)]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in UNREAD]
    command += [f"--customize-hook={hook}" for hook in _hooks(suite, folder, names)]
    with tempfile.NamedTemporaryFile("w", suffix=".sources", dir=folder) as sources:
        sources.write(sources_for(suite))
        sources.flush()
        os.chmod(sources.name, 0o644)
        run(*command, suite, part, sources.name, DEBIAN_FRONTEND="noninteractive")
    os.replace(folder / f"{suite}.boot.tar.part", boot)
    os.replace(part, tar)
    return True
