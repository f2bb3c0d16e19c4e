// The process of the machine: confined, watched, and gone with us.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "machine/arguments.h"

/* Watch `said` for reading and call process_listen() then, or it stands still when it has much to say. */
struct machine_process {
	pid_t process;           /* -1: none, or its end was collected */
	int pidfd;               /* readable when it has ended; -1: this kernel has none */
	int said;                /* the end to read of its standard error; -1: that was closed */
	struct text complaint;   /* the first 4 KiB of what it said there, printable, one line */
	double cpu_seconds;      /* of a process whose end was collected */
	struct sigaction before; /* of SIGCHLD: who ignores it is never told how children end */
};

/*
 * Starts it in a user and network namespace without interfaces (where one can be had), with no_new_privs,
 * without a way to open files for writing, or others than its own, or to make sockets (landlock, seccomp: see
 * sandbox/lockdown.h), in a session of its own, so that the terminal's signals are ours alone, and killed
 * when we die. It inherits the descriptors of the wiring and no others. A program that cannot be run is a
 * process that ends at once with status 127 and its reason in `complaint`. ERROR_IO: no process could be had.
 */
NODISCARD bool process_start(const struct machine_words *words, const struct machine_wiring *wiring,
                             struct machine_process *out, struct error *error);

/*
 * For `slipway machine --exec`: becomes the machine, confined alike, on the terminal. Comes back only when
 * that fails.
 */
void process_become(const struct machine_words *words, const struct machine_wiring *wiring,
                    struct error *error);

/* Takes in what it said, without waiting. False: it has closed that end, and `said` is -1: forget it. */
bool process_listen(struct machine_process *process);

/* Is that complaint of this host, which had no memory, processes or descriptors left for it? */
bool process_is_starved(const char *complaint);

/* Processor time that it has used, seconds; below 0: not known. */
double process_cpu_seconds(const struct machine_process *process);

/*
 * How long the one of its threads that waited most had to wait for a processor while it had work, seconds:
 * what a busy host took from the guest. Below 0: not known, as on a kernel without CONFIG_SCHED_INFO.
 */
double process_starved_seconds(const struct machine_process *process);

/* Has it ended? *status as waitpid() has it, once; `complaint` is complete then. */
bool process_ended(struct machine_process *process, int *status);

/* Kills it, whatever it does, and frees. Does nothing to one that was stopped before. */
void process_stop(struct machine_process *process);
