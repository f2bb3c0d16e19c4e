#!/bin/bash
# The facts through the kernel's own driver: a read-only loop mount, as root.
. "$(dirname "$0")/facts.sh"

sfdisk -J "$image" >"$out/table.json"
mkdir -p "$out/mount"
mount -o "ro,noload,loop,offset=$start" "$image" "$out/mount"
trap 'umount "$out/mount"' EXIT
for file in $files; do
	case $file in */os-release) file=/usr/lib/os-release ;; esac
	cat "$out/mount$file"
done >"$out/files"
list_initramfs "$out/mount$initramfs"
