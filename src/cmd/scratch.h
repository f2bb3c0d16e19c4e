// A file without a name, into which a worker unpacks what cannot be read where it lies.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "disk/input.h"

/*
 * Opens one in $TMPDIR, else in /var/tmp or /tmp, and says how much may be written: input->scratch, which the
 * caller closes, and scratch_most; or -1 and the reason, in `arena`. The kernel frees it with its last
 * descriptor, however the processes end.
 */
void scratch_open(struct input *input, struct arena *arena);

/* A file like that, for other purposes; *most is what may be written. -1: *error says why, and what to do. */
NODISCARD int scratch_file(uint64_t *most, struct error *error);
