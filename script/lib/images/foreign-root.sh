#!/bin/sh
# Does in a root of another architecture what its packages' scripts would have done there, since nothing in it can
# run here: accounts, configuration files, the modules' dependencies, the initramfs and the boot loader.
#
#   foreign-root.sh ROOT CONSOLE
#
# ROOT/tmp/boot-files holds the boot files of the release's own amd64 root.
set -eu

root=$1 console=$2
out=$root/tmp/boot-files/arm64
kernel=$(echo "$root"/boot/vmlinuz-*)
version=${kernel##*/vmlinuz-}
mkdir -p "$out"

# base-passwd, openssh-server, chrony, systemd, ifupdown
sed 's/:\*:/:x:/' "$root/usr/share/base-passwd/passwd.master" >"$root/etc/passwd"
sed 's/:\*:/:x:/' "$root/usr/share/base-passwd/group.master" >"$root/etc/group"
sed 's/:.*/:*:19675:0:99999:7:::/' "$root/usr/share/base-passwd/passwd.master" >"$root/etc/shadow"
chmod 640 "$root/etc/shadow"
echo '_chrony:x:105:105:Chrony daemon:/var/lib/chrony:/usr/sbin/nologin' >>"$root/etc/passwd"
echo '_chrony:x:105:' >>"$root/etc/group"
echo '_chrony:!:19675::::::' >>"$root/etc/shadow"
chown -R 105:105 "$root/var/lib/chrony"
cp "$root/usr/share/openssh/sshd_config" "$root/etc/ssh/sshd_config"
cp "$root/usr/share/chrony/chrony.conf" "$root/etc/chrony/chrony.conf"
wants=$root/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants"
for unit in ssh chrony networking google-guest-agent; do
	ln -s "/lib/systemd/system/$unit.service" "$wants/$unit.service"
done

depmod -b "$root" "$version"

# The initramfs is a small one: the drivers of the boot disk with all they depend on, and a busybox that loads them,
# mounts root= and starts its init.
initramfs=$(mktemp -d)
trap 'rm -rf "$initramfs"' EXIT
modules=usr/lib/modules/$version
mkdir -p "$initramfs/bin" "$initramfs/dev" "$initramfs/proc" "$initramfs/sys" "$initramfs/root" "$initramfs/$modules"
ln -s usr/lib "$initramfs/lib"
cp "$root/bin/busybox" "$initramfs/bin/busybox"
for driver in virtio_pci virtio_scsi sd_mod nvme ext4; do
	modprobe -d "$root" -S "$version" --show-depends "$driver"
done | sed -n "s,^insmod .*/$version/,,p" | sort -u | while read -r module; do
	mkdir -p "$initramfs/$modules/${module%/*}"
	cp "$root/$modules/$module" "$initramfs/$modules/$module"
done
cp "$root/$modules/modules.builtin" "$root/$modules/modules.order" "$initramfs/$modules/"
depmod -b "$initramfs" "$version"
cat >"$initramfs/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
modprobe -a virtio_pci virtio_scsi sd_mod
for word in $(cat /proc/cmdline); do
	case $word in root=*) root=${word#root=} ;; esac
done
until device=$(findfs "$root"); do sleep 1; done
mount -o ro "$device" /root
exec switch_root /root /sbin/init
INIT
chmod 755 "$initramfs/init"
(cd "$initramfs" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) | zstd -q >"$root/boot/initrd.img-$version"

standard=$root/tmp/boot-files/standard
for file in grub.cfg default-grub esp.cfg; do
	sed "s/[0-9][^ ']*-amd64/$version/g; s/console=[^ \"]*/$console/" "$standard/$file" >"$out/$file"
done
find "$root/tmp/boot-files" -mindepth 1 -maxdepth 1 ! -name arm64 -exec rm -rf {} +

# The loader that Debian builds and signs looks for its menu in /EFI/debian, whatever disk it comes from.
cp "$root/usr/lib/grub/arm64-efi/monolithic/grubaa64.efi" "$out/grubaa64.efi"
