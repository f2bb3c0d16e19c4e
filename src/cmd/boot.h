// An examined input, started on the reference machine: for boot, and for check --boot.
#pragma once

#include "cmd/examine.h"
#include "facts/run.h"

struct booted {
	struct run *runs; /* one for each firmware, in `arena` */
	size_t count;
	enum status status; /* STATUS_CONFORMS when all came to an end of their own */
};

/*
 * Boots the input `name`, which was examined, as the options ask. What cannot be had is one sentence on the
 * standard error; runs that were made before stand.
 */
void boot_input(const struct options *options, const char *name, const struct questions *questions,
                const struct examination *examined, struct arena *arena, struct booted *out);
