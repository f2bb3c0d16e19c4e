#!/bin/sh
# Runs inside a root of the release that is to boot: writes that release's own GRUB menu and core images for one
# disk layout to /tmp/boot-files/$NAME. There is no disk yet, so grub-probe and grub-mkrelpath, which look for
# one, are stood in for while grub-mkconfig runs; they answer what they would answer on the finished disk.
set -eu

out=/tmp/boot-files/$NAME
mkdir -p "$out"

if [ "$TABLE" = gpt ]; then part=gpt; else part=msdos; fi
if [ "$BOOT_NUMBER" = 0 ]; then
	boot_number=$ROOT_NUMBER
	boot_prefix=/boot/grub
	separate=no
else
	boot_number=$BOOT_NUMBER
	boot_prefix=/grub
	separate=yes
fi

stand_in() { # PROGRAM: its new text on stdin
	mv "$1" "$1.real"
	cat >"$1"
	chmod 755 "$1"
}

put_back() {
	for program in /usr/sbin/grub-probe /usr/bin/grub-mkrelpath; do
		[ ! -e "$program.real" ] || mv "$program.real" "$program"
	done
	rm -rf /dev/disk/by-uuid
	rmdir /dev/disk 2>/dev/null || :
	for file in vmlinuz initrd.img config; do
		[ -z "$OTHER_KERNEL" ] || rm -f "/boot/$file-$OTHER_KERNEL"
	done
}
trap put_back EXIT

stand_in /usr/sbin/grub-probe <<PROBE
#!/bin/sh
number=$ROOT_NUMBER uuid=$ROOT_UUID target=fs
for word; do
	case \$word in
	--target=*) target=\${word#--target=} ;;
	/boot|/boot/*|/dev/sda$boot_number) number=$boot_number uuid=$BOOT_UUID ;;
	esac
done
case \$target in
device) echo /dev/sda\$number ;;
disk) echo /dev/sda ;;
fs) echo ext2 ;;
fs_uuid) echo \$uuid ;;
partmap) echo $part ;;
drive) echo "(hd0,$part\$number)" ;;
compatibility_hint) echo hd0,$part\$number ;;
hints_string) echo "--hint-bios=hd0,$part\$number --hint-efi=hd0,$part\$number --hint-baremetal=ahci0,$part\$number" ;;
abstraction) ;;
*) exit 1 ;;
esac
PROBE

stand_in /usr/bin/grub-mkrelpath <<RELPATH
#!/bin/sh
for path; do :; done
[ $separate = no ] || path=\${path#/boot}
echo "\${path:-/}"
RELPATH

# 10_linux writes root=UUID= only where udev's link exists.
mkdir -p /dev/disk/by-uuid
: >"/dev/disk/by-uuid/$ROOT_UUID"

# A second kernel will be put beside the first; only its file names matter to the menu.
for file in vmlinuz initrd.img config; do
	[ -z "$OTHER_KERNEL" ] || : >"/boot/$file-$OTHER_KERNEL"
done

cat >/etc/default/grub <<DEFAULTS
GRUB_DEFAULT=$DEFAULT
GRUB_TIMEOUT=$TIMEOUT
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT="$QUIET"
GRUB_CMDLINE_LINUX="$COMMAND_LINE"
DEFAULTS
cp /etc/default/grub "$out/default-grub"
mkdir -p /boot/grub
grub-mkconfig >"$out/grub.cfg" 2>"$out/grub-mkconfig.log" || { cat "$out/grub-mkconfig.log" >&2; exit 1; }
rm -f /etc/default/grub
rmdir /boot/grub 2>/dev/null || :

drivers="biosdisk part_$part ext2"
grub-mkimage -O i386-pc -o "$out/core.img" -p "(hd0,$part$boot_number)$boot_prefix" $drivers
cp /usr/lib/grub/i386-pc/boot.img "$out/boot.img"

# As grub-install lays it out: a loader whose prefix is its own folder on the ESP, where a small file says which
# file system holds the menu.
cat >"$out/esp.cfg" <<ESP
search.fs_uuid $BOOT_UUID root hd0,$part$boot_number
set prefix=(\$root)'$boot_prefix'
configfile \$prefix/grub.cfg
ESP
grub-mkimage -O x86_64-efi -o "$out/grubx64.efi" -p /EFI/debian \
	part_gpt part_msdos fat ext2 search search_fs_uuid configfile normal echo linux gzio
