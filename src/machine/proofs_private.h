// What the proofs share: the baseline, what QEMU tells of a virtio device, the disk that is plugged in.
#pragma once

#include "machine/proofs.h"

#define PROOF_PORTS 4
#define PROOF_IRQS  16

/* A virtio device as QEMU sees it. Firmware agrees on no feature; a driver of an operating system does. */
struct virtio_view {
	bool known;        /* QEMU told */
	uint64_t queues;   /* of the device; a controller's are control, event, and one for each CPU served */
	uint64_t features; /* how many the guest agreed on: the device's own and those of the rings */
	const char *names; /* of the device's own, "CHANGE, HOTPLUG"; "" */
	const char *offered; /* the same of what the device offers; NULL: QEMU did not tell */
	uint64_t line;     /* of the QMP log */
	const char *unknown; /* why not known, one sentence; NULL */
};

void virtio_view(struct machine *machine, const char *device, struct virtio_view *out);

/* The number of requests of a queue that the device has finished (modulo 65536); false: not known. */
bool virtio_used(struct machine *machine, const char *device, unsigned queue, uint64_t *used, uint64_t *line);

/* The number of buffers that the guest has put into a queue (modulo 65536), out of its memory. */
bool virtio_offered(struct machine *machine, const char *device, unsigned queue, uint64_t *offered,
                    uint64_t *line);

/* A register of an I/O port, `size` 1 or 2 bytes; only those that change nothing when they are read. */
bool port_read(struct machine *machine, unsigned port, unsigned size, unsigned *out, uint64_t *line);

/* Counters of the interrupt controller's lines. */
bool irq_read(struct machine *machine, uint64_t counts[PROOF_IRQS], uint64_t *line);

/* The SCSI commands for the disk that was plugged in, as the trace tells them. */
struct scsi_seen {
	bool traced; /* the trace could be had */
	uint64_t commands;
	uint64_t inquiry_line, pages_line, block_page_line, capacity16_line, capacity10_line, mode_line,
		read_line;
	const char *pages; /* vital product data that was asked for: "00, 80, 83, b0"; NULL */
};

struct proof_state {
	bool begun;
	bool has_irqs, has_modem[PROOF_PORTS];
	uint64_t irqs[PROOF_IRQS];
	uint64_t console_lines;      /* that had come */
	unsigned modem[PROOF_PORTS]; /* modem control registers */
	bool was_plugged;            /* the spare disk was taken by the machine */
	size_t plugged_from;         /* the console's line from which on it may be told of */
	struct scsi_seen seen;
};

/* The serial port with the console, as the guest's kernel calls it: "ttyS0" */
const char *proof_console(const struct machine *machine);

/* Has this machine no ISA devices, arm64's virt? Then *proof says so. */
bool proof_lacks_isa(struct machine *machine, struct proof *proof);

/* Never NULL. */
struct proof_state *proof_state(struct machine *machine);

/* Did the guest's own programs run? What no driver took by then stays so. */
bool userland_ran(const struct machine *machine);

/*
 * A line of the kernel from the n-th on (0-based) that holds `text`, which is the whole of its first words
 * behind the time stamp where `begins`. NULL: none.
 */
const char *kernel_line(const struct machine *machine, size_t from, const char *text, bool begins,
                        struct place *place);

/*
 * Does a program speak, in a line that looks like the kernel's? journald and others write to terminals
 * "[   12.345678] cloud-init[512]: done", and copies of what the kernel said behind "kernel: ".
 */
bool is_of_a_program(const char *words);

/* A line of the console without the time stamp and the level in front: "[    1.234567] " */
const char *kernel_words(const char *line);

/* Adds the console's line as evidence. */
void proof_evidence_place(struct machine *machine, struct proof *proof, const struct place *place);

/* Waits that long, or until the machine is gone: false. */
bool proof_wait(struct machine *machine, double seconds);

/* proofs_time.c: what the guest was given until a moment, and what it did with it. */
struct guest_time {
	double seconds, cpu; /* of the clock on the wall; of processors */
	double starved;      /* in which it had to wait for one; below 0: not known */
	uint64_t said;       /* bytes on the console */
};

struct guest_time guest_time_now(const struct machine *machine);

/*
 * Had it the time to do what it was not seen to do between the two? So it had where it was idle with a
 * processor free for it, or busy for long. One on a host that is busy itself had not: that says nothing of
 * the guest.
 */
bool guest_had_time(const struct guest_time *from, const struct guest_time *to);

/* scsi_trace.c: the trace is on between the two. NULL: this machine has none. */
struct scsi_trace;
struct scsi_trace *scsi_trace_begin(struct machine *machine, unsigned target, struct scsi_seen *seen);
void scsi_trace_end(struct scsi_trace *trace);

/* One that is only fed, with what QEMU says on its standard error. */
struct scsi_trace *scsi_trace_new(struct machine *machine, unsigned target, struct scsi_seen *seen);
void scsi_trace_feed(struct scsi_trace *trace, struct span bytes);
void scsi_trace_free(struct scsi_trace *trace);
