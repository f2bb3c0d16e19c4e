// The proofs: what is asked of the machine, and looked for on its console and network, for each device.
//
// One proof is one row. Each fills its struct proof: YES with evidence, NO when the opposite was seen, or a
// reason why nothing decides it. What the firmware did before the kernel ran proves nothing.
//
// Features, rings, counters, registers, SCSI commands and frames are what the machine saw. Lines of the
// console are what the guest says of itself: PNP, the way to the login, and the interrupts that ttyS2 and
// ttyS3 listen on show nowhere else, and a guest that prints such a line on purpose is believed where nothing
// seen speaks against it.
#pragma once

#include "machine/console.h"
#include "machine/machine.h"
#include "machine/network.h"
#include "machine/process.h"
#include "machine/qmp.h"

/* A machine that runs, as the proofs see it. */
struct machine {
	const struct machine_request *request;
	struct loop *loop;
	struct arena *arena;
	struct qmp *qmp;
	struct console *console;
	struct network *network;
	struct run *run; /* run->proofs is filled here */
	const struct machine_process *process; /* NULL: nothing is known of it */
	int said;        /* its standard error, to read, where its traces come out; -1: none can be had */
	struct proof_state *state; /* what the proofs keep from each other: see proofs_private.h */
};

struct proof_row {
	enum proof_id id;
	const char *doing; /* for the progress: "plugging in a disk" */
	void (*prove)(struct machine *machine, struct proof *out);
};

extern const struct proof_row proof_rows[]; /* in the order in which they are made; ends with a NULL prove */

/*
 * What the counters and registers stand at before a kernel's driver has touched them, so that the firmware's
 * share is known: it uses the disk, and probes the serial ports, itself. Called at the loader's first line
 * (a kernel may be quiet), or at the kernel's where there is no loader.
 */
void proofs_begin(struct machine *machine);

/* Evidence: a line of the console or of the QMP log. */
void proof_evidence(struct machine *machine, struct proof *proof, const char *path, uint64_t line,
                    const char *format, ...) PRINTF(5, 6);
void proof_set(struct machine *machine, struct proof *proof, enum answer shown, const char *format, ...)
	PRINTF(4, 5);

/* proofs_scsi.c, proofs_serial.c, proofs_net.c, proofs_system.c */
void prove_acpi(struct machine *machine, struct proof *out);
void prove_pnp(struct machine *machine, struct proof *out);
void prove_net_driven(struct machine *machine, struct proof *out);
void prove_net_checksum(struct machine *machine, struct proof *out);
void prove_net_tso4(struct machine *machine, struct proof *out);
void prove_net_gro4(struct machine *machine, struct proof *out);
void prove_scsi_driven(struct machine *machine, struct proof *out);
void prove_scsi_command_sets(struct machine *machine, struct proof *out);
void prove_scsi_one_queue(struct machine *machine, struct proof *out);
void prove_scsi_sectors(struct machine *machine, struct proof *out);
void prove_scsi_disks_only(struct machine *machine, struct proof *out);
void prove_scsi_hotplug(struct machine *machine, struct proof *out);
void prove_scsi_hotunplug(struct machine *machine, struct proof *out);
void prove_serial_ttys0(struct machine *machine, struct proof *out);
void prove_serial_ttys1(struct machine *machine, struct proof *out);
void prove_serial_ttys2(struct machine *machine, struct proof *out);
void prove_serial_ttys3(struct machine *machine, struct proof *out);
void prove_kvm_guest(struct machine *machine, struct proof *out);
void prove_kvm_clock(struct machine *machine, struct proof *out);
void prove_console(struct machine *machine, struct proof *out);
void prove_root(struct machine *machine, struct proof *out);
void prove_login(struct machine *machine, struct proof *out);
