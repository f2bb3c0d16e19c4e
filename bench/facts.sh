# What all the ways below have in common: the files that hold the facts, and what is done with the initramfs.
# Sourced by them with IMAGE, START (of the root file system, bytes), VERSION (of the kernel) and OUT (a folder).
set -eu
image=$1 start=$2 version=$3 out=$4

files="/etc/os-release /etc/fstab /etc/machine-id /etc/ssh/sshd_config /etc/chrony/chrony.conf
/etc/sysctl.d/60-image.conf /boot/grub/grub.cfg /boot/config-$version
/usr/lib/modules/$version/modules.dep /usr/lib/modules/$version/modules.builtin
/boot/vmlinuz-$version"
initramfs=/boot/initrd.img-$version

# The names in an initramfs: of its plain first archive, or of the compressed one.
list_initramfs() {
	if [ "$(head -c 4 "$1")" = 0707 ]; then
		cpio --quiet -t <"$1"
	else
		zstd -dcq "$1" | cpio --quiet -t
	fi >"$out/initramfs.list"
}
