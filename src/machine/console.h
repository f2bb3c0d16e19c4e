// What the guest says on ttyS0: lines, the phases of the boot, the marks of failures.
//
// The bytes are the guest's, hostile: lines have a limit, terminal sequences are dropped, what is kept is
// bounded.
#pragma once

#include "base/span.h"
#include "base/text.h"
#include "facts/run.h"

#define CONSOLE_LINE_MOST 1024

struct console_line {
	const char *text; /* printable, without sequences and the carriage return */
	double seconds;   /* when it was complete */
};

struct console {
	struct arena *arena;
	struct run *run;                 /* its steps and symptoms are filled */
	struct text raw;                 /* the line that is not complete */
	LIST(struct console_line) lines; /* bounded; the rest is dropped, and counted */
	uint64_t line_count;             /* of all */
	uint64_t bytes;
	int escape; /* state of a terminal sequence that is not complete */
};

void console_open(struct console *console, struct run *run, struct arena *arena);

/* What came, at `seconds` of the run, with `cpu_seconds` used by the machine. */
void console_feed(struct console *console, struct span bytes, double seconds, double cpu_seconds);

/* The first line from the n-th on (0-based) that holds `text`; NULL: none. *place is filled unless NULL. */
const char *console_find(const struct console *console, size_t from, const char *text, struct place *place);

/* The line that stands now, complete or not; "" */
const char *console_last(const struct console *console);
void console_free(struct console *console);

/* One mark of a failure. */
struct symptom_row {
	const char *name;    /* "kernel-panic" */
	const char *pattern; /* what the line holds; '*' stands for anything between, as in str_glob() */
	const char *message;
	bool ends; /* nothing good comes after it: the run has failed */
};

extern const struct symptom_row
	symptom_rows[]; /* ends with a NULL name; all names, those without a pattern too */
