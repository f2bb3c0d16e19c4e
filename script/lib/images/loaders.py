"""Other boot loaders than Debian's GRUB, put onto a finished image; all without a mount and without root."""

import pathlib
import tempfile

from . import disk, layouts
from .tools import run

SYSTEMD_BOOT = pathlib.Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
STUB = pathlib.Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
SYSLINUX_MBR = pathlib.Path("/usr/lib/syslinux/mbr/gptmbr.bin")

COMMAND_LINE = f"root=UUID={layouts.ROOT_UUID} ro {layouts.CONSOLE}"
MACHINE = "9f2c4d6e8a0b4c3d9e1f5a7b3c8d2e60"


class Esp:
    """The EFI system partition of an image, emptied, through mtools."""

    def __init__(self, image):
        self.drive = f"{image.path}@@{image.parts[disk.ESP_NUMBER].start}"
        self.folders = set()
        run("mdeltree", "-i", self.drive, "::/EFI")


    def _make_folder(self, folder):
        if folder in self.folders:
            return
        self.folders.add(folder)
        run("mmd", "-i", self.drive, f"::{folder}")

    def write(self, path, content):
        for folder in reversed(list(pathlib.PurePosixPath(path).parents)[:-1]):
            self._make_folder(folder)
        with tempfile.NamedTemporaryFile() as source:
            source.write(content if isinstance(content, bytes) else content.encode())
            source.flush()
            run("mcopy", "-n", "-o", "-i", self.drive, source.name, f"::{path}")


def _kernel_files(image):
    version = image.kernel()
    return version, image.read(f"/boot/vmlinuz-{version}"), image.read(f"/boot/initrd.img-{version}")


def _entry(version, folder):
    """As kernel-install writes it."""
    return (f"# Boot Loader Specification type#1 entry\n"
            f"title      Debian GNU/Linux 13 (trixie)\nversion    {version}\nmachine-id {MACHINE}\n"
            f"sort-key   debian\noptions    {COMMAND_LINE}\n"
            f"linux      {folder}/linux\ninitrd     {folder}/initrd.img\n")


def systemd_boot(image):
    """Entries of type 1: the kernel under the machine's id, and an older one whose files are gone."""
    version, kernel, initrd = _kernel_files(image)
    folder = f"/{MACHINE}/{version}"
    esp = Esp(image)
    esp.write("/EFI/BOOT/BOOTX64.EFI", SYSTEMD_BOOT.read_bytes())
    esp.write("/loader/loader.conf", "#timeout 3\n#console-mode keep\n")
    esp.write("/loader/entries.srel", "type1\n")
    esp.write(f"{folder}/linux", kernel)
    esp.write(f"{folder}/initrd.img", initrd)
    esp.write(f"/loader/entries/{MACHINE}-{version}.conf", _entry(version, folder))
    esp.write(f"/loader/entries/{MACHINE}-6.1.0-1-amd64.conf", _entry("6.1.0-1-amd64", f"/{MACHINE}/6.1.0-1-amd64"))


def unified_kernel(stub, sections):
    """The stub with sections added behind its own, as systemd-stub(7) has it done with objcopy."""
    end = 0
    for line in run("objdump", "-h", stub).decode().splitlines():
        words = line.split()
        if len(words) > 3 and words[0].isdigit():
            end = max(end, int(words[3], 16) + int(words[2], 16))
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        for number, (name, content) in enumerate(sections):
            file = pathlib.Path(folder) / str(number)
            file.write_bytes(content)
            end = (end + 4095) & ~4095
            arguments += [f"--add-section={name}={file}", f"--change-section-vma={name}={end:#x}"]
            end += len(content)
        run("objcopy", *arguments, stub, f"{folder}/image")
        return (pathlib.Path(folder) / "image").read_bytes()


def unified(image):
    """A unified kernel image in the place where firmware looks."""
    version, kernel, initrd = _kernel_files(image)
    esp = Esp(image)
    esp.write("/EFI/BOOT/BOOTX64.EFI", unified_kernel(STUB, [
        (".osrel", image.read("/usr/lib/os-release")), (".uname", version.encode()),
        (".cmdline", (COMMAND_LINE + "\n").encode()), (".initrd", initrd), (".linux", kernel),
    ]))


def syslinux(image):
    """SYSLINUX on the FAT partition, started by the code for GPT disks through the legacy boot attribute."""
    version, kernel, initrd = _kernel_files(image)
    esp, part = Esp(image), image.parts[disk.ESP_NUMBER]
    esp.write(f"/vmlinuz-{version}", kernel)
    esp.write(f"/initrd.img-{version}", initrd)
    esp.write("/syslinux/syslinux.cfg",
              f"DEFAULT linux\nLABEL linux\n  LINUX ../vmlinuz-{version}\n  INITRD ../initrd.img-{version}\n"
              f"  APPEND {COMMAND_LINE}\n")
    run("syslinux", "--directory", "/syslinux", "--offset", str(part.start), "--install", image.path)
    run("sgdisk", f"--attributes={disk.ESP_NUMBER}:set:2", f"--delete={disk.BIOS_NUMBER}", image.path)
    image.poke(0, SYSLINUX_MBR.read_bytes()[:440].ljust(440, b"\0"))


FEDORA_CONFIG = """\
set pager=1
if [ -f ${config_directory}/grubenv ]; then
  load_env -f ${config_directory}/grubenv
elif [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="${saved_entry}"
fi
if [ x$feature_timeout_style = xy ] ; then
  set timeout_style=menu
  set timeout=0
else
  set timeout=0
fi
insmod part_gpt
insmod ext2
search --no-floppy --fs-uuid --set=root ROOT
search --no-floppy --fs-uuid --set=boot ROOT
if [ -z "${kernelopts}" ]; then
  set kernelopts="root=UUID=ROOT ro "
fi
insmod blscfg
blscfg
""".replace("ROOT", layouts.ROOT_UUID)


def entries_for_grub(image):
    """Fedora's layout: grub.cfg with blscfg, an entry a kernel, the command line in grubenv. Debian's GRUB has no
    such command, nor a module for it but by name: the image is for reading alone."""
    version = image.kernel()
    for platform in ("i386-pc", "x86_64-efi"):
        image.write(f"/boot/grub/{platform}/blscfg.mod", "not the module\n")
    image.write("/boot/grub/grub.cfg", FEDORA_CONFIG)
    text = (f"# GRUB Environment Block\nsaved_entry={MACHINE}-{version}\n"
            f"kernelopts={COMMAND_LINE} \nboot_success=0\n")
    image.write("/boot/grub/grubenv", text + "#" * (1024 - len(text)))
    for name, files in ((version, version), ("9.9.9-1.fc41.x86_64", "9.9.9")):
        image.write(f"/boot/loader/entries/{MACHINE}-{name}.conf",
                    f"title Fedora Linux ({name}) 41\nversion {name}\nlinux /boot/vmlinuz-{files}\n"
                    f"initrd /boot/initrd.img-{files} $tuned_initrd\noptions $kernelopts $tuned_params\n"
                    f"grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class fedora\n")
