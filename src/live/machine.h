// The running machine: what must be asked of the kernel by system calls, and the hardware that it shows in
// /sys and /proc. The former is asked before the worker is locked down; the latter is text, read through a
// tree, so that a recorded machine can be read in the place of the real one.
#pragma once

#include "base/budget.h"
#include "fs/tree.h"
#include "live/hardware.h"

/* Answers to system calls. Strings are owned; machine_answers_free(). */
struct machine_answers {
	char *release;  /* uname -r; NULL: not known */
	char *hardware; /* uname -m: "x86_64", "aarch64" */
	bool root;      /* may it read what is root's alone? */
	char *offloads; /* of all interfaces, see ethtool.h; NULL: not known */
};

/* Asks the kernel. Opens nothing but a socket, which is closed again, and changes nothing. */
void machine_ask(struct machine_answers *out);
void machine_answers_free(struct machine_answers *answers);

/*
 * Reads the hardware below /sys and /proc of `tree`. What is not there is not listed; what is there and
 * cannot be read is in hardware->unread.
 */
void hardware_read(const struct tree *tree, const struct machine_answers *answers, struct budget *budget,
                   struct arena *arena, struct hardware *out);
