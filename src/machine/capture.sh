# What a systemd guest does once it has said on ttyS1 that it is ready: this text is fed to its shell there.
# It brings the system up as it would have come up by itself, copies what the kernel shows of it to memory, and
# sends that as a tar. Written for any sh, with few processes: emulation makes each of them slow. No byte of the
# image's file systems is written.
exec 2>/dev/null
D=/run/slipway-inside
mkdir -p $D/slipway
t=$(readlink -f /etc/systemd/system/default.target)
[ -e "$t" ] || t=$(readlink -f /usr/lib/systemd/system/default.target)
[ -e "$t" ] || t=$(readlink -f /lib/systemd/system/default.target)
systemctl start "${t##*/}" </dev/null >/dev/null &
p=$!
n=0
while kill -0 $p && [ $n -lt 60 ]; do sleep 1; n=$((n+1)); done
echo slipway-inside-port >/dev/ttyS2 &
echo slipway-inside-port >/dev/ttyS3 &
systemctl list-jobs --no-legend --no-pager </dev/null >$D/slipway/jobs
v=$(uname -r)
echo "$v" >$D/slipway/release
uname -m >$D/slipway/hardware
cd /
m=/usr/lib/modules/$v
[ -d $m ] || m=/lib/modules/$v
L=
for f in /proc/config.gz /proc/cmdline /proc/version /proc/modules /proc/mounts /proc/tty/driver/serial /proc/interrupts /etc/os-release $m/modules.builtin; do [ -e $f ] && L="$L $f"; done
[ -e /proc/config.gz ] || for f in /boot/config-$v $m/config; do [ -e $f ] && L="$L $f"; done
K=
M=
take() { r=$PWD; for a; do [ -f $r/$a ] && L="$L $r/$a"; [ -h $r/$a ] && K="$K $r/$a"; done; }
for d in /sys/bus/pci/devices/*; do K="$K $d"; cd -P $d && take vendor device subsystem_vendor subsystem_device class revision irq config driver; done
for d in /sys/bus/virtio/devices/*; do K="$K $d"; cd -P $d && take vendor device features driver; done
for d in /sys/bus/pnp/devices/*; do K="$K $d"; cd -P $d && take id resources; done
for d in /sys/class/scsi_host/*; do K="$K $d"; cd -P $d && take proc_name nr_hw_queues; done
for d in /sys/bus/scsi/devices/*:*:*:*; do K="$K $d"; cd -P $d && take type vendor model rev scsi_level inquiry vpd_pg80 vpd_pg83 vpd_pgb0 vpd_pgb1 queue_depth driver && for b in block/*; do M="$M $r/$b"; done; done
for d in /sys/block/*; do [ -e $d/device ] || continue; K="$K $d"; cd -P $d && take size ro device && for b in queue/logical_block_size queue/physical_block_size queue/scheduler queue/nr_requests queue/write_cache queue/max_sectors_kb; do take $b; done; for b in mq/*; do [ -d $b ] && M="$M $r/$b"; done; done
for d in /sys/class/net/*; do K="$K $d"; cd -P $d && take mtu address operstate device; for b in queues/*; do [ -d $b ] && M="$M $r/$b"; done; ethtool -k "${d##*/}" </dev/null >>$D/slipway/offloads; done
for d in /sys/class/tty/ttyS*; do K="$K $d"; cd -P $d && take irq type port uartclk device; done
for d in /sys/class/dmi/id; do K="$K $d"; cd -P $d && take product_name sys_vendor bios_vendor bios_version; done
cd /
for d in $M; do mkdir -p $D$d; done
cp --parents $L $D
cp -P --parents $K $D
cp -r --parents /proc/sys/kernel /proc/sys/net /proc/sys/vm /proc/sys/fs/[!b]* $D
cd $D
if gzip -V >/dev/null </dev/null; then tar -cf - . | gzip -1 >../slipway.tar; else tar -cf ../slipway.tar .; fi
s=$(wc -c <../slipway.tar)
[ "$s" -gt 1024 ] || echo slipway-inside-failed
echo "slipway-inside-begin $((s))"
cat ../slipway.tar
echo slipway-inside-end
rm -rf $D $D/../slipway.tar
exit
