// The process of the machine: confined, watched, and gone with us.
#pragma once

#include <sys/types.h>

#include "machine/arguments.h"

struct machine_process {
	pid_t process;         /* -1: none */
	int pidfd;             /* readable when it has ended; -1: this kernel has none */
	int said;              /* the end to read of its standard error */
	struct text complaint; /* the first 4 KiB of what it said there */
};

/*
 * Starts it in a network namespace without a network (where one can be had), with no_new_privs, killed when
 * we die. It inherits the descriptors of the wiring and no others.
 */
NODISCARD bool process_start(const struct machine_words *words, const struct machine_wiring *wiring,
                             struct machine_process *out, struct error *error);

/* Processor time that it has used, seconds; below 0: not known. */
double process_cpu_seconds(const struct machine_process *process);

/* Has it ended? *status as waitpid() has it. */
bool process_ended(struct machine_process *process, int *status);

/* Kills it, whatever it does, and frees. */
void process_stop(struct machine_process *process);
