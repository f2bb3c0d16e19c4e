#!/bin/bash
# The facts through debugfs, all files in one call.
. "$(dirname "$0")/facts.sh"

sfdisk -J "$image" >"$out/table.json"
{
	for file in $files; do echo "cat $file"; done
	echo "dump $initramfs $out/initramfs"
} >"$out/commands"
debugfs -f "$out/commands" "$image?offset=$start" >"$out/files" 2>"$out/complaints"
list_initramfs "$out/initramfs"
