#!/bin/bash
# The facts through libguestfs, which starts a small machine of its own to read them.
. "$(dirname "$0")/facts.sh"

{
	for file in $files; do echo "download $file $out/file"; done
	echo "download $initramfs $out/initramfs"
} >"$out/commands"
guestfish --ro -a "$image" -i <"$out/commands" >"$out/files"
list_initramfs "$out/initramfs"
