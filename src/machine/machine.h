// The reference machine: QEMU with the page's hardware, a network of our own, and what is proved on it.
//
//   machine_boot()  boot.c       the director: starts the machine, follows the console, has the proofs made
//     qemu.h        which QEMU there is, and what it can be
//     arguments.h   its command line
//     process.h     it runs: confined, gone with us
//     qmp.h         what it is asked
//     console.h     what the guest says, the phases and symptoms in that
//     network.h     the platform's network: DHCP, the metadata server, frames
//     proofs.h      one proof = one row
//     inside.h      what the guest says of itself
#pragma once

#include "base/error.h"
#include "facts/run.h"
#include "machine/qemu.h"

enum machine_firmware {
	MACHINE_BIOS,
	MACHINE_UEFI,
	MACHINE_KERNEL, /* none: QEMU loads kernel and initrd itself */
};

/* How it goes, for a person who watches. Called some times a second. */
struct machine_progress {
	enum run_phase phase;
	double seconds;
	const char *last_line; /* of the console, printable; "" */
	const char *doing;     /* what is being proved; NULL while it boots */
};

typedef void machine_progress_fn(void *context, const struct machine_progress *progress);

/* What to boot. Descriptors are borrowed. */
struct machine_request {
	const struct qemu *qemu;
	enum machine_firmware firmware;
	int disk; /* a raw disk, open for reading alone; -1: none (a kernel by itself gets an empty one) */
	uint64_t disk_size;       /* bytes */
	int kernel;               /* MACHINE_KERNEL; else -1 */
	int initrd;               /* -1: none */
	const char *command_line; /* MACHINE_KERNEL */
	bool inside;              /* the guest will report over ttyS1 (see inside.h): wait for it */
	bool prove;               /* false: boot and nothing more, to compare with */
	int console;              /* what comes out of ttyS0 is written here as it comes, for people (see
	                             terminal.h); -1: nowhere */
	const char *logs;         /* directory for console.log, qmp.log, frames.pcap, which is empty; NULL */
	double patience;          /* seconds without progress after which it counts as hung; 0: the default */
	machine_progress_fn *progress; /* NULL */
	void *context;
};

/*
 * Boots it once and fills *out, whose strings live in `arena`. False only when no machine could be started:
 * ERROR_UNSUPPORTED (this QEMU cannot be it), ERROR_IO (no process, no room: worth a retry). A machine that
 * died, a guest that hangs and an interruption are facts of the run.
 *
 * With `inside`, what the guest sent lies in *inside_capture, a file without a name for the caller to close;
 * -1: nothing came, and out->inside_reason says why.
 */
NODISCARD bool machine_boot(const struct machine_request *request, struct arena *arena, struct run *out,
                            int *inside_capture, struct error *error);
