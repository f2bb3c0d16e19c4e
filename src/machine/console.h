// What the guest says on ttyS0: lines, the phases of the boot, the marks of failures.
//
//   console.c       bytes to lines: what a terminal of one line would show
//   console_text.c  lines to phases: which program speaks, how far it has come
//   console_jobs.c  lines to what systemd waits for
//   symptoms.c      lines to failures: a table of marks
//
// The bytes are the guest's, hostile: lines have a limit, terminal sequences are dropped, what is kept is
// bounded.
#pragma once

#include "base/span.h"
#include "base/text.h"
#include "facts/run.h"
#include "machine/log.h"
#include "machine/sequence.h"

#define CONSOLE_LINE_MOST   1024 /* bytes; what is longer goes on in the next line */
#define CONSOLE_KNOWN      65536
#define CONSOLE_LINES_MOST  16384
#define CONSOLE_TEXT_MOST   ((size_t)4 << 20) /* bytes of all lines that are kept */
#define CONSOLE_RECENT_MOST 10

/* Jobs that are shown take turns, a second or so each. */
#define CONSOLE_JOBS_MOST 4
#define CONSOLE_JOB_SHOWN 60.0

/* What systemd waits for, as it says again and again. */
struct console_job {
	char name[160]; /* a unit, or what it calls itself; cut by systemd where it is long */
	double limit;   /* seconds after which systemd gives up; 0: never */
	double seconds; /* of its last line */
	uint64_t line;  /* the number of that; 0: this place is free */
};

struct console_line {
	const char *text; /* printable, without sequences and the carriage return */
	double seconds;   /* when it was complete */
};

/* Where systemd runs: an initramfs may have one of its own, which speaks like the system's. */
enum console_initrd {
	CONSOLE_INITRD_UNSEEN,
	CONSOLE_INITRD_IN,
	CONSOLE_INITRD_LEFT,
};

struct console {
	struct arena *arena;
	struct run *run; /* its steps and symptoms are filled */
	struct log log;  /* each line is written here as it is complete, 64 MiB at most */
	struct text raw; /* the line that is not complete */
	size_t column;   /* of raw, where the next byte goes */
	unsigned row;    /* of the screen, from 1, where the guest put the cursor; 0: not known */
	struct text last;
	LIST(struct console_line) lines; /* the first ones; the rest is counted, and the newest kept below */
	size_t begin; /* of those, the first of this boot: others are of one before a restart */
	size_t text_size;                /* bytes of those */
	struct text recent[CONSOLE_RECENT_MOST]; /* a ring: line n is in place n % CONSOLE_RECENT_MOST */
	uint64_t line_count;                     /* of all */
	uint64_t bytes;
	uint64_t looked; /* bytes of lines that marks were looked for in: the work that they made */
	uint64_t news;                    /* lines in words that no line before had, numbers aside */
	uint8_t known[CONSOLE_KNOWN / 8]; /* the words of which lines: a bit for each value of their hash */
	struct console_job jobs[CONSOLE_JOBS_MOST];
	struct sequence sequence;         /* of a terminal, that is not complete */
	size_t fresh;                /* bytes that were put since a line that is written over was looked at */
	uint64_t logged;             /* bytes of the log */
	double seconds, cpu_seconds; /* of the bytes that are being read */
	enum console_initrd initrd;
	bool kernel_spoke; /* a line of the kernel's own, not of its loader or stub */
	bool failed;       /* a symptom that ends the boot was seen */
	bool noted;        /* something was found in the line that is not complete: it is evidence */
};

void console_open(struct console *console, struct run *run, struct arena *arena);

/* What came, at `seconds` of the run, with `cpu_seconds` used by the machine. */
void console_feed(struct console *console, struct span bytes, double seconds, double cpu_seconds);

/* The machine starts anew: what stands is a line, no phase is reached, and no symptom seen. What failed has
 * failed. */
void console_restart(struct console *console);

/* Nothing comes any more: what stands is a line. */
void console_end(struct console *console);

/* The first line from the n-th on (0-based) of this boot that holds `text`; NULL: none. *place is filled
 * unless NULL. */
const char *console_find(const struct console *console, size_t from, const char *text, struct place *place);

/* The line that stands now, complete or not; "" */
const char *console_last(const struct console *console);

/* The newest lines that say something, ten at most, oldest first, as lists of the run have them. */
void console_recent(const struct console *console, struct run *run);

void console_free(struct console *console);

/*
 * What a line says of the phases. One that is not `complete` may go on: of those only a prompt is taken.
 * False: nothing.
 */
bool console_read_phase(struct console *console, const char *line, bool complete);

/* A phase that is reached, told by the line that stands or was just completed. */
void console_reach(struct console *console, enum run_phase phase, const char *line);

/* Does systemd say in this line what it waits for? *name is a part of the line then. */
bool console_read_job(struct console *console, const char *line, struct span *name);

/* What it waits for now, one behind the other; NULL for the first one, and when there are no more. */
const struct console_job *console_next_job(const struct console *console, const struct console_job *job);

/* The line of the kernel without its time stamp ("[    1.234567] ", "[    1.234567][    T1] "); else NULL. */
const char *console_kernel_line(const char *line);

/* What becomes of a boot in which a symptom is seen. */
enum symptom_weight {
	SYMPTOM_HINTS, /* explains a boot that fails; nothing where it comes up all the same */
	SYMPTOM_LASTS, /* counts where the system comes up, too */
	SYMPTOM_ENDS,  /* nothing good comes after it: the run has failed */
	SYMPTOM_NONE,  /* looks like the one in the next row, and is none */
};

/* One mark of a failure. */
struct symptom_row {
	const char *name;    /* "kernel-panic"; several rows may share one */
	const char *pattern; /* the line as in str_glob(), without the kernel's time stamp; one that does not
	                        end in '*' is a prompt, which no newline ends. NULL: not told by a line */
	const char *message;
	enum symptom_weight weight;
};

/* Ends with a NULL name; all names, those without a pattern too. The first that matches a line counts. */
extern const struct symptom_row symptom_rows[];

/* Looks for marks in a line, and takes down what it finds. False: nothing that was not known. */
bool console_read_symptom(struct console *console, const char *line, bool complete);

/* Adds a symptom that no line tells, by its name: symptom_rows has its message. */
void symptom_add(struct run *run, struct arena *arena, const char *name, struct place place);

/* Those from `from` on go before the others; each keeps its order. */
void symptoms_put_first(struct run *run, size_t from);

/* Takes out what is no symptom of a system that has come up. */
void symptoms_came_up(struct run *run);
