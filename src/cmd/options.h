// The commands and their options, as one table: the parser, --help, the completions and the test of the
// manual page all read it.
#pragma once

#include <stdio.h>

#include "base/error.h"
#include "base/text.h"
#include "policy/policy.h"

enum command_id {
	COMMAND_NONE, /* `slipway --help`, `slipway --version` */
	COMMAND_CHECK,
	COMMAND_INSPECT,
	COMMAND_BOOT,
	COMMAND_MACHINE,
	COMMAND_EXPLAIN,
	COMMAND_HELP,
	COMMAND_VERSION,
};

struct command {
	enum command_id id;
	const char *name;     /* "" for COMMAND_NONE */
	const char *operands; /* as in the usage line: "INPUT..." */
	const char *operand;  /* what to ask for when one is missing: "an input"; NULL: none is needed */
	size_t most;          /* operands; SIZE_MAX: any number */
	const char *summary;  /* one line */
	const char *details;  /* a paragraph for its own --help, lines of up to 80 columns */
};

enum option_id {
	OPTION_FORMAT = 256, /* above any letter */
	OPTION_FAIL_ON,
	OPTION_POLICY,
	OPTION_KERNEL,
	OPTION_ALL_KERNELS,
	OPTION_COLOR,
	OPTION_BOOT,
	OPTION_FIRMWARE,
	OPTION_INSIDE,
	OPTION_KERNEL_FILE,
	OPTION_INITRD,
	OPTION_APPEND,
	OPTION_CONSOLE,
	OPTION_KEEP_LOGS,
	OPTION_PATIENCE,
	OPTION_NO_PROOFS,
	OPTION_EXEC,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_HELP,
	OPTION_VERSION,
};

/* A bit beside those of the commands: it says how to boot, and check takes it with --boot alone. */
#define OPTION_OF_BOOT (1u << 31)

struct option_row {
	enum option_id id;
	const char *name;
	char letter;          /* 0: none */
	const char *argument; /* "FILE"; NULL: takes none */
	const char *choices;  /* its values, blank between; NULL: any */
	const char *help;     /* one line */
	unsigned commands;    /* bits: 1 << COMMAND_CHECK, ... */
};

extern const struct command commands[];       /* ends with a NULL name */
extern const struct option_row option_rows[]; /* ends with a NULL name */

enum colour {
	COLOUR_AUTO,
	COLOUR_ALWAYS,
	COLOUR_NEVER,
};

/* What was asked for. Strings are those of argv. */
struct options {
	const struct command *command;
	bool help;
	bool version;
	const char *format; /* "text" unless chosen */
	enum level fail_on;
	const char *policy; /* NULL: the built-in one */
	const char *kernel; /* NULL: the default entry's */
	bool all_kernels;
	enum colour colour;
	bool boot;            /* check: boot it as well */
	const char *of_boot;  /* the last option that says how to boot; NULL: none */
	const char *firmware; /* "bios", "uefi", "both"; NULL: what the image can boot by */
	bool inside;
	const char *kernel_file; /* NULL: an operand names the input */
	const char *initrd;      /* NULL */
	const char *append;      /* to the kernel's command line; NULL */
	bool console;
	const char *logs;  /* directory; NULL: not kept */
	uint64_t patience; /* seconds; 0: the default */
	bool no_proofs;
	bool execute;
	bool quiet;
	bool verbose;
	char **operands;
	size_t operand_count;
};

/* Understands a whole command line. An error (ERROR_USAGE) is one sentence; out->command is set even then. */
NODISCARD bool options_parse(int argc, char **argv, struct options *out, struct error *error);

const struct command *command_find(const char *name); /* NULL: there is none */

/* The whole of `slipway --help` (COMMAND_NONE) or `slipway COMMAND --help`. */
void options_help(FILE *out, const struct command *command);

/* The nearest of `count` names to a mistyped one; NULL when none is near. */
const char *nearest_name(const char *word, const char *const *names, size_t count);
