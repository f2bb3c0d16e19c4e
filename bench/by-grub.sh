#!/bin/bash
# The facts through grub-fstest, which reads one file a call.
. "$(dirname "$0")/facts.sh"

sfdisk -J "$image" >"$out/table.json"
for file in $files; do
	# It does not follow a link out of the directory that it is in.
	case $file in */os-release) file=/usr/lib/os-release ;; esac
	grub-fstest "$image" cat "(loop0,gpt1)$file"
done >"$out/files"
grub-fstest "$image" cp "(loop0,gpt1)$initramfs" "$out/initramfs"
list_initramfs "$out/initramfs"
