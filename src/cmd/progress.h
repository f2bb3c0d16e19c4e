// How a boot goes, on the standard error: one live line on a terminal; elsewhere a line for each phase.
#pragma once

#include "base/text.h"
#include "machine/machine.h"

struct progress {
	const char *firmware; /* "BIOS" */
	bool quiet;
	bool live;       /* the standard error is a terminal */
	bool shown;      /* a live line stands */
	double last;     /* when it was drawn, seconds of the run */
	unsigned phases; /* that were said: bits */
};

/* `quiet`: nothing is said. With `console` the terminal is the guest's, and there is no live line. */
struct progress progress_start(const char *firmware, bool quiet, bool console);

/* As machine_progress_fn, with the struct progress as its context. */
void progress_show(void *context, const struct machine_progress *now);

/* Takes the live line away. */
void progress_end(struct progress *progress);

/* What the live line says, cut to `width` columns; in `out`. */
void progress_line(const struct progress *progress, const struct machine_progress *now, unsigned width,
                   struct text *out);
