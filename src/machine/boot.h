// One boot as the director sees it. For the files of machine_boot() alone:
//
//   boot.c          the order of things
//   boot_power.c    everything there is, switched on and off again
//   boot_follow.c   waits for the boot
//   boot_progress.c tells progress from standstill
//   boot_restart.c  lets a guest restart itself, once
//   boot_verdict.c  how it ended, in words
//   interrupt.c     Ctrl-C and its like
#pragma once

#include "machine/arguments.h"
#include "machine/inside.h"
#include "machine/interrupt.h"
#include "machine/process.h"
#include "machine/proofs.h"
#include "machine/terminal.h"
#include "machine/workspace.h"

/* What ended the wait. */
enum boot_outcome {
	BOOT_WAITS,
	BOOT_LOGIN,
	BOOT_QUIET,    /* init runs, and nothing happens any more */
	BOOT_REPORTED, /* the guest's own view is complete, or will not come */
	BOOT_SYMPTOM,  /* the console named a failure */
	BOOT_STOPPED,  /* the machine stands still or is gone: events and process tell why */
	BOOT_HUNG,
	BOOT_INTERRUPTED,
};

/*
 * What was seen at the last look, and when it last changed. Seconds of the run; "given" are those without
 * what a busy host took (boot_given_seconds()).
 */
struct boot_progress {
	uint64_t bytes, news; /* of the console */
	uint64_t operations;  /* of the disks */
	uint64_t traffic;     /* bytes that they read and wrote */
	double fresh;         /* when the console said something new, or the disks worked, last */
	double fresh_given;
	uint64_t fresh_traffic;  /* what traffic was when the console said something new last */
	double window_given;     /* since when the disks are watched for work, */
	uint64_t window_traffic; /* and what traffic was then */
	double moved, moved_cpu; /* when the console or a disk moved last; processor time then */
	double spoke, spoke_cpu; /* the same of the console alone */
	double looked;           /* when QMP was asked */
};

struct boot {
	const struct machine_request *request;
	struct arena *arena;
	struct run *run;
	struct loop loop;
	struct qmp qmp;
	struct console console;
	struct network network;
	struct machine machine; /* the same, for the proofs */
	struct workspace workspace;
	struct machine_wiring wiring;
	struct machine_process process;
	struct interrupt interrupt;
	struct inside inside;
	bool has_inside;
	int capture;      /* what inside writes; -1 */
	int ports[4];     /* our ends of ttyS0 to ttyS3; -1: closed */
	int port_ends[4]; /* the machine's, until it has them */
	int qmp_ends[2];  /* ours, the machine's */
	int copy;         /* request->console, while it takes what is written */
	struct terminal watched; /* what goes there */
	int console_log, qmp_log, pcap;
	double switched_on; /* seconds_now() */
	double cpu_seconds, cpu_read;
	bool ended;         /* the process was collected */
	int status;         /* then */
	bool on;            /* QMP has greeted */
	bool begun;         /* proofs_begin() was called */
	bool may_restart;   /* a guest that restarts itself is only halted, so that it can be let go on */
	unsigned restarts;  /* how often it did */
	size_t events_read; /* of QMP: those before a restart count no more */

	struct boot_progress progress;
	bool has_written; /* the guest, to its disk: no initramfs does, nor firmware */
	double shown_at;  /* when progress was shown */
	enum boot_outcome outcome;
};

/* boot_power.c. After a false boot_switch_on() too, boot_switch_off() is to be called. */
NODISCARD bool boot_switch_on(struct boot *boot, struct error *error);
void boot_switch_off(struct boot *boot);
/* What stands in the pipes yet. */
void boot_drain(struct boot *boot);
/* Seconds since it was switched on; processor time that the machine has used. */
double boot_seconds(const struct boot *boot);
double boot_cpu_seconds(struct boot *boot);
/* Seconds since it was switched on in which it had a processor, or no use for one. */
double boot_given_seconds(const struct boot *boot);
/* What QEMU said on its standard error; "" */
const char *boot_complaint(const struct boot *boot);
/* Has the machine ended? */
bool boot_is_gone(struct boot *boot);

/* boot_follow.c */
void boot_follow(struct boot *boot);
void boot_show(struct boot *boot, const char *doing);
/* Has a driver agreed on features with the disk's controller? Firmware asks for none. *line: of the QMP log
 */
enum answer boot_disk_is_driven(struct boot *boot, uint64_t *line);

/* boot_progress.c: takes down what moved since the last look; then: has init no more to do, or does nothing
 * go on? */
void boot_look(struct boot *boot);
bool boot_is_quiet(struct boot *boot);
bool boot_is_hung(struct boot *boot);

/* Has a BIOS jumped into the disk's boot code, and nothing spoken since? */
bool boot_is_in_boot_code(const struct boot *boot);

/*
 * boot_restart.c. A system may restart itself in its first boot, once: after it has labelled its files, or
 * made its root larger. boot_halt_resets() has QEMU halt there instead of ending, where this QEMU can;
 * boot_restart() tells whether the guest stands there and was let go on. Before the proofs that is over.
 */
void boot_halt_resets(struct boot *boot, bool halt);
bool boot_restart(struct boot *boot);
/* When the second boot has begun: firmware resets a machine by itself. */
void boot_forbid_resets(struct boot *boot);

/* boot_verdict.c */
void boot_judge(struct boot *boot);
/* Of what came up without a login prompt: does anything else show that it is up? Behind the proofs. */
void boot_look_for_services(struct boot *boot);
/* Has the machine said that it stopped, shut down or was reset? */
const struct qmp_event *boot_stop_event(const struct boot *boot);
