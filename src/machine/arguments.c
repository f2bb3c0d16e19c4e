#include "machine/arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "machine/network.h"

/* What is being written. */
struct line {
	const struct qemu *qemu;
	const struct machine_wiring *wiring;
	struct arena *arena;
	struct machine_words *words;
};

struct machine_wiring machine_wiring_none(void)
{
	const struct machine_file none = { .descriptor = -1 };
	return (struct machine_wiring){
		.disk = none,
		.overlay = none,
		.spare = none,
		.kernel = none,
		.initrd = none,
		.ovmf_vars = none,
		.serial = { -1, -1, -1, -1 },
		.qmp = -1,
		.tap = -1,
	};
}

static bool there(const struct machine_file *file)
{
	return file->descriptor >= 0 || file->path;
}

static void add_word(struct line *line, const char *word)
{
	*LIST_ADD(line->arena, &line->words->items) = word;
}

/* An option and its value. */
PRINTF(3, 4) static void add(struct line *line, const char *option, const char *format, ...)
{
	char *value = NULL;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&value, format, arguments) < 0)
		abort();
	va_end(arguments);
	add_word(line, option);
	add_word(line, arena_strdup(line->arena, value));
	free(value);
}

/* A text inside a value, where a comma would end it. */
static const char *inside_value(struct line *line, const char *text)
{
	char *out = arena_alloc_array(line->arena, 2, strlen(text) + 1), *at = out;
	for (; *text; text++) {
		if (*text == ',')
			*at++ = ',';
		*at++ = *text;
	}
	return out;
}

/*
 * What QEMU opens as a part of its block layer: a descriptor goes over in a set of its own, of the same
 * number, so that its sandbox and ours need not let it open anything.
 */
static const char *block_file(struct line *line, const struct machine_file *file)
{
	if (file->descriptor < 0)
		return inside_value(line, file->path);
	add(line, "-add-fd", "fd=%d,set=%d", file->descriptor, file->descriptor);
	return arena_printf(line->arena, "/dev/fdset/%d", file->descriptor);
}

/* What it opens with plain calls. */
static const char *plain_file(struct line *line, const struct machine_file *file)
{
	return file->descriptor < 0 ? file->path
	                            : arena_printf(line->arena, "/proc/self/fd/%d", file->descriptor);
}

/* Its driver of files refuses devices. */
static const char *file_driver(const struct machine_file *file)
{
	struct stat status;
	int got = file->descriptor >= 0 ? fstat(file->descriptor, &status) : stat(file->path, &status);
	return got == 0 && S_ISBLK(status.st_mode) ? "host_device" : "file";
}

static void add_machine(struct line *line)
{
	const struct qemu *qemu = line->qemu;
	struct text machine CLEANUP(text_free) = { 0 };
	bool uefi = line->wiring->firmware == MACHINE_UEFI;
	text_add(&machine, qemu->is_reference ? "pc" : "virt");
	if (qemu->is_reference) {
		/* The page's bridge and power management are PIIX4's; QEMU's usual bridge is PIIX3. */
		text_add(&machine, qemu->piix4_isa ? ",x-south-bridge=piix4-isa" : "");
		/* SeaBIOS and what it loads speak on ttyS0 then, as the platform's does. */
		text_add(&machine, ",graphics=off");
		text_add(&machine, qemu->has.usb ? ",usb=off" : "");
		text_add(&machine, qemu->has.vmport ? ",vmport=off" : "");
		text_add(&machine, qemu->has.hpet ? ",hpet=off" : "");
	}
	text_add(&machine, uefi ? ",pflash0=code0,pflash1=vars0" : "");
	add(line, "-machine", "%s", text_get(&machine));
	add(line, "-accel", "%s", qemu->accelerator == QEMU_KVM ? "kvm" : "tcg");
	add(line, "-cpu", "%s", qemu->no_cx16 ? "max,cx16=off" : "max");
	add(line, "-smp", "2");
	add(line, "-m", "1024");
	add(line, "-display", "none");
	if (qemu->is_reference)
		add(line, "-vga", "none");
	/* A guest that wants to start again has ended its boot. */
	add_word(line, "-no-reboot");
	if (qemu->has.sandbox)
		add(line, "-sandbox",
		    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	/* What guest agents and cloud-init know the platform by. */
	add(line, "-smbios", "type=0,vendor=Google,version=Google");
	add(line, "-smbios",
	    "type=1,manufacturer=Google,product=Google Compute Engine,"
	    "serial=GoogleCloud-0123456789ABCDEF0123456789ABCDEF");
}

static void add_flash(struct line *line)
{
	if (line->wiring->firmware != MACHINE_UEFI)
		return;
	add(line, "-blockdev", "driver=file,node-name=code0,filename=%s,read-only=on,auto-read-only=off",
	    inside_value(line, line->qemu->ovmf_code));
	add(line, "-blockdev", "driver=file,node-name=vars0,filename=%s",
	    block_file(line, &line->wiring->ovmf_vars));
}

static void add_kernel(struct line *line)
{
	const struct machine_wiring *wiring = line->wiring;
	if (wiring->firmware != MACHINE_KERNEL)
		return;
	add(line, "-kernel", "%s", plain_file(line, &wiring->kernel));
	if (there(&wiring->initrd))
		add(line, "-initrd", "%s", plain_file(line, &wiring->initrd));
	if (wiring->command_line && *wiring->command_line)
		add(line, "-append", "%s", wiring->command_line);
}

static void add_qmp(struct line *line)
{
	if (line->wiring->qmp < 0)
		return;
	add(line, "-chardev", "socket,id=qmp,fd=%d", line->wiring->qmp);
	add(line, "-mon", "chardev=qmp,mode=control");
}

static void add_character_device(struct line *line, unsigned port)
{
	int end = line->wiring->serial[port];
	if (end >= 0 && port == 0) {
		/* Appended to: a pipe cannot be cut to nothing. */
		add(line, "-add-fd", "fd=%d,set=%d", end, end);
		add(line, "-chardev", "file,id=s0,path=/dev/fdset/%d,append=on", end);
	} else if (end >= 0) {
		add(line, "-chardev", "socket,id=s%u,fd=%d", port, end);
	} else if (port > 0) {
		add(line, "-chardev", "null,id=s%u", port);
	} else {
		/* The guest's Ctrl-C is the guest's; Ctrl-A X ends the machine, Ctrl-A C shows its monitor.
		 */
		add(line, "-chardev", "stdio,id=s0,mux=on,signal=off");
		add(line, "-mon", "chardev=s0,mode=readline");
	}
}

/* The four 16550A of the page, by port and interrupt. */
static void add_serial_ports(struct line *line)
{
	static const struct {
		unsigned port, interrupt;
	} ports[4] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 6 }, { 0x2e8, 7 } };
	if (!line->qemu->is_reference) {
		/* virt has one port, a PL011. */
		add_character_device(line, 0);
		add(line, "-serial", "chardev:s0");
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		add_character_device(line, i);
		add(line, "-device",
		    "isa-serial,id=" MACHINE_SERIAL "%u,chardev=s%u,index=%u,iobase=0x%x,irq=%u", i, i, i,
		    ports[i].port, ports[i].interrupt);
	}
	/* The floppy controller cannot be left out, and would sit on the interrupt of ttyS2. */
	if (line->qemu->has.floppy_irq)
		add(line, "-global", "isa-fdc.irq=5");
}

/* A virtio device speaks the legacy protocol alone, as on the platform: a driver that lacks it must show. */
static const char *placed(struct line *line, unsigned slot)
{
	return line->qemu->is_reference
	               ? arena_printf(line->arena,
	                              ",bus=pci.0,addr=0x%x,disable-modern=on,disable-legacy=off", slot)
	               : "";
}

static void add_raw_node(struct line *line, const struct machine_file *file, const char *file_node,
                         const char *node)
{
	add(line, "-blockdev", "driver=%s,node-name=%s,filename=%s,read-only=on,auto-read-only=off",
	    file_driver(file), file_node, block_file(line, file));
	add(line, "-blockdev", "driver=raw,node-name=%s,file=%s,read-only=on", node, file_node);
}

static void add_disk(struct line *line)
{
	const struct machine_wiring *wiring = line->wiring;
	const struct qemu *qemu = line->qemu;
	if (there(&wiring->disk)) {
		add_raw_node(line, &wiring->disk, "f0", MACHINE_DISK_NODE);
		/* Thrown away at the end: nothing of it need reach a disk. */
		add(line, "-blockdev", "driver=file,node-name=ovf0,filename=%s,cache.no-flush=on",
		    block_file(line, &wiring->overlay));
		add(line, "-blockdev",
		    "driver=qcow2,node-name=" MACHINE_OVERLAY_NODE ",file=ovf0,backing=" MACHINE_DISK_NODE
		    ",cache.no-flush=on");
	}
	if (there(&wiring->spare))
		add_raw_node(line, &wiring->spare, "sf0", MACHINE_SPARE_NODE);
	add(line, "-device", "virtio-scsi-pci,id=" MACHINE_SCSI ",num_queues=1%s%s%s",
	    qemu->has.hotplug ? ",hotplug=on" : "", qemu->has.param_change ? ",param_change=on" : "",
	    placed(line, 3));
	if (!there(&wiring->disk))
		return;
	/*
	 * Of a kernel that is loaded directly the first place is the loader's. What cannot be written stops
	 * the machine: it is no fault of the guest's disk, which the guest would see in it.
	 */
	add(line, "-device",
	    "scsi-hd,id=" MACHINE_DISK ",bus=" MACHINE_SCSI ".0,scsi-id=1,drive=" MACHINE_OVERLAY_NODE
	    ",logical_block_size=512,physical_block_size=4096,vendor=Google,product=PersistentDisk,ver=1%s,"
	    "serial=persistent-disk-0,werror=stop%s%s%s",
	    qemu->has.scsi_version ? ",scsi_version=6" : "",
	    qemu->has.device_id ? ",device_id=persistent-disk-0" : "",
	    qemu->has.rotation_rate ? ",rotation_rate=1" : "",
	    wiring->firmware == MACHINE_KERNEL ? "" : ",bootindex=0");
}

static void add_network(struct line *line)
{
	if (line->wiring->tap >= 0)
		add(line, "-netdev", "tap,id=n0,fd=%d,vhost=off", line->wiring->tap);
	else if (line->qemu->has.user_network)
		add(line, "-netdev", "user,id=n0,restrict=on");
	else
		add(line, "-netdev", "hubport,id=n0,hubid=0");
	/* In a slot, as on the platform: a guest that names its card by that (ens4) has its configuration. */
	bool in_slot = !line->qemu->is_reference && line->qemu->has.root_port;
	if (in_slot)
		add(line, "-device", "pcie-root-port,id=slot4,bus=pcie.0,addr=0x4,chassis=4,slot=4");
	/* Without its ROM, which would boot from the network where the disk cannot. */
	add(line, "-device", "virtio-net-pci,id=" MACHINE_NET ",netdev=n0,mac=" NETWORK_MAC ",romfile=%s",
	    in_slot ? ",bus=slot4" : placed(line, 4));
}

static void add_random(struct line *line)
{
	if (!line->qemu->has.rng)
		return;
	add(line, "-object", "rng-random,id=rng0,filename=/dev/urandom");
	add(line, "-device", "virtio-rng-pci,id=" MACHINE_RNG_DEVICE ",rng=rng0%s", placed(line, 5));
}

void machine_arguments(const struct qemu *qemu, const struct machine_wiring *wiring, struct arena *arena,
                       struct machine_words *out)
{
	*out = (struct machine_words){ 0 };
	struct line line = { qemu, wiring, arena, out };
	add_word(&line, qemu->program);
	add_word(&line, "-nodefaults");
	add_word(&line, "-no-user-config");
	add_machine(&line);
	add_qmp(&line);
	add_serial_ports(&line);
	add_flash(&line);
	add_kernel(&line);
	add_disk(&line);
	add_network(&line);
	add_random(&line);
}
