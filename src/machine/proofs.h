// The proofs: what is asked of the machine, and looked for on its console and network, for each device.
//
// One proof is one row. Each fills its struct proof: YES with evidence, NO when the opposite was seen, or a
// reason why nothing decides it. What the firmware did before the kernel ran proves nothing.
#pragma once

#include "machine/console.h"
#include "machine/machine.h"
#include "machine/network.h"
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
};

struct proof_row {
	enum proof_id id;
	const char *doing; /* for the progress: "plugging in a disk" */
	void (*prove)(struct machine *machine, struct proof *out);
};

extern const struct proof_row proof_rows[]; /* in the order in which they are made; ends with a NULL prove */

/* Before the kernel runs: what the counters and rings stand at, so that the firmware's share is known. */
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
void prove_console(struct machine *machine, struct proof *out);
void prove_root(struct machine *machine, struct proof *out);
void prove_login(struct machine *machine, struct proof *out);
