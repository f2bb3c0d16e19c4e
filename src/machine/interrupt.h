// SIGINT, SIGTERM and SIGHUP while a machine runs: they end the wait, so that everything is put away.
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "base/compiler.h"

#define INTERRUPT_SIGNALS 3

struct interrupt {
	int descriptor; /* becomes readable; -1: not caught */
	struct sigaction before[INTERRUPT_SIGNALS];
	bool caught[INTERRUPT_SIGNALS];
};

/*
 * Catches them from here on, but for those that are ignored (nohup). One at a time in a process. False: no
 * pipe could be had.
 */
NODISCARD bool interrupt_catch(struct interrupt *interrupt);

/* As they were before. */
void interrupt_release(struct interrupt *interrupt);

/* The signal that came; 0: none. */
int interrupt_signal(void);
