// Which QEMU there is, and what it can be: asked for by feature, never by version.
#pragma once

#include "base/arena.h"
#include "base/error.h"

enum qemu_accelerator {
	QEMU_TCG, /* emulation */
	QEMU_KVM,
};

/* A QEMU program and what it answered. Strings in the arena of qemu_find(). */
struct qemu {
	const char *program; /* absolute path */
	const char *version; /* "10.0.2", for people */
	const char *arch;    /* of its guests: "x86_64", "arm64" */
	bool is_reference;   /* can it be the page's machine? (arm64's virt cannot) */
	bool piix4_isa;      /* has it the PIIX4 ISA bridge? */
	enum qemu_accelerator accelerator;
	const char *accelerator_reason;    /* why not KVM; NULL with it */
	const char *ovmf_code, *ovmf_vars; /* UEFI firmware; NULL: not installed, see ovmf_missing() */
	bool no_cx16; /* its emulation of cmpxchg16b is wrong: its guests have a processor without */
	LIST(const char *) limits;         /* what it cannot offer of the page's machine, one sentence each */
	/* What the command line is made by: has it this switch, property or device? */
	struct {
		bool sandbox, user_network;    /* -sandbox, -netdev user */
		bool hpet, vmport, usb;        /* of the machine, to be switched off */
		bool floppy_irq;               /* of the floppy controller, which is to make room */
		bool rng;                      /* the device virtio-rng-pci */
		bool root_port; /* the device pcie-root-port, whose slot names a network card */
		bool scsi_version;             /* of the disk, which says SPC-4 by it */
		bool rotation_rate, device_id; /* of the disk */
		bool hotplug, param_change;    /* of the SCSI controller */
	} has;
};

/* What a kernel calls the serial port that its machine has the console on: "ttyS0", of virt "ttyAMA0". */
const char *qemu_console(const struct qemu *qemu);

/*
 * Finds the QEMU for guests of `arch` ("x86_64", "i386", "arm64") along PATH and asks it, by one start of it
 * that takes some ten milliseconds. ERROR_NOT_FOUND with what to install; ERROR_UNSUPPORTED with what it
 * lacks; ERROR_IO: no process could be had.
 */
NODISCARD bool qemu_find(const char *arch, struct arena *arena, struct qemu *out, struct error *error);
