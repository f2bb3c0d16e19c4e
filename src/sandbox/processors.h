// Two processes that take turns: on one processor, the next is there when the last has gone to sleep.
#pragma once

#include <sched.h>
#include <stdbool.h>

struct processors {
	cpu_set_t allowed;
	bool known;
};

/*
 * Keeps this process, and those that it starts from now on, on the processor that it is on. Where each of two
 * only ever waits for the other, a second processor does nothing but sleep and be woken, which in a virtual
 * machine takes longer than the question and its answer. Nothing happens where the kernel does not allow it.
 * `before` gets what was allowed, for processors_release(), which those started in between do not feel.
 */
void processors_stay_on_one(struct processors *before);
void processors_release(const struct processors *before);
