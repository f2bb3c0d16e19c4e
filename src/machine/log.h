// A file of --keep-logs. A full disk takes from the log, not from the run; that it did is told at the end.
#pragma once

#include "base/span.h"

struct log {
	int file;  /* borrowed; -1: nothing is written (any more) */
	int error; /* why not all of it is there, of errno; 0: nothing went wrong */
};

/* Writes all of it, or gives the log up. */
void log_write(struct log *log, struct span bytes);
