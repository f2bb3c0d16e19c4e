// The command line of the reference machine. Each option is there for a line of the page, or to keep the
// guest in.
#pragma once

#include "base/text.h"
#include "machine/machine.h"

/* The names of what can be asked for over QMP. */
#define MACHINE_DISK_NODE    "base0"    /* block nodes: the input, */
#define MACHINE_OVERLAY_NODE "ov0"      /* what the boot disk is made of, */
#define MACHINE_SPARE_NODE   "spare0"   /* and the disk that is not plugged in yet: device_add it */
#define MACHINE_SCSI         "scsi0"    /* devices, below /machine/peripheral/; its bus is "scsi0.0" */
#define MACHINE_DISK         "disk0"    /* on it, SCSI id 1 */
#define MACHINE_NET          "net0"     /* virtio-net */
#define MACHINE_RNG_DEVICE   "entropy0" /* virtio-rng */
#define MACHINE_SERIAL       "ttyS"     /* and a digit, on x86; their character devices are "s0" to "s3" */

/*
 * A thing that the machine opens: a descriptor that it inherits (handed over with -add-fd, so that no name of
 * the host's is interpreted), or for people the path to type. Neither: not there.
 */
struct machine_file {
	int descriptor;   /* -1 */
	const char *path; /* NULL */
};

/* What an unprivileged user may ask of F_SETPIPE_SZ. */
#define SERIAL_PIPE_BYTES (1 << 20)

struct machine_wiring {
	enum machine_firmware firmware;
	struct machine_file disk;    /* raw, read alone; a file or a block device */
	struct machine_file overlay; /* qcow2 that takes the writes */
	struct machine_file spare;   /* raw, read alone: the disk that is plugged in while it runs */
	struct machine_file kernel, initrd;
	struct machine_file ovmf_vars; /* our copy of the variables */
	const char *command_line;      /* of the kernel; NULL: empty */
	/*
	 * ttyS0: the end to write of a pipe of SERIAL_PIPE_BYTES; -1: the terminal. No socket: of those each
	 * byte takes some 700 of the buffer, and Linux waits ten milliseconds for a full one before it drops
	 * what its console had to say. The others: connected stream sockets, the machine's ends; -1: nothing.
	 */
	int serial[4];
	int qmp;       /* a connected stream socket, the machine's end; -1: none */
	int tap;       /* opened with a vnet header; -1: QEMU's own user network, closed towards the host */
};

/* Nothing wired: all descriptors -1. */
struct machine_wiring machine_wiring_none(void);

struct machine_words {
	LIST(const char *) items; /* the program first */
};

void machine_arguments(const struct qemu *qemu, const struct machine_wiring *wiring, struct arena *arena,
                       struct machine_words *out);
