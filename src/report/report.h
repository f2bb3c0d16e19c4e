// Findings and facts, said to a person or to a program. One format is one file and one row in
// report_formats[].
#pragma once

#include <stdio.h>

#include "facts/run.h"
#include "policy/policy.h"

struct report_options {
	bool colour;
	bool quiet;     /* only the last line of each input */
	bool verbose;   /* passes too */
	bool boot;      /* of runs everything, and not only how they went */
	unsigned width; /* of the terminal, columns; 0: do not wrap */
	enum level fail_on;
	const char *version; /* of this program */
};

/* One checked input. */
struct report_input {
	const char *name; /* as the user gave it: any bytes */
	const struct facts *facts;
	const struct judgement *judgement;
	double seconds;          /* it took; below 0: not said */
	uint64_t peak_kilobytes; /* of its worker's memory; 0: not known */
	bool conforms;           /* fully examined, with no failure at or above `fail_on` */
	const struct run *runs;  /* on the reference machine; joined in the judgement */
	size_t run_count;
};

struct report_format {
	const char *name; /* "text", "json" */
	/* Called once with all inputs of a call, in their order. */
	void (*check)(FILE *out, const struct policy *policy, const struct report_input *inputs, size_t count,
	              const struct report_options *options);
	/* NULL where a format has no such view. */
	void (*inspect)(FILE *out, const struct report_input *input, const struct report_options *options);
};

/* Ends with a NULL name. */
extern const struct report_format report_formats[];
