// What main() hands over to: one function a command, each with the exit status as its result.
#pragma once

#include "cmd/options.h"

/* Exit status; a call with several inputs ends with the gravest, see graver_status() in examine.h. */
enum status {
	STATUS_CONFORMS = 0,
	STATUS_FAILURES = 1,     /* at or above --fail-on */
	STATUS_NOT_EXAMINED = 2, /* an input, or a part of it, could not be read */
	STATUS_USAGE = 3,
	STATUS_BUG = 70,          /* ours: a worker crashed (EX_SOFTWARE) */
	STATUS_TEMPORARY = 75,    /* no process, no room on the output: worth a retry (EX_TEMPFAIL) */
	STATUS_INTERRUPTED = 130, /* while a machine ran; what a shell makes of SIGINT */
};

enum status command_check(const struct options *options);
enum status command_inspect(const struct options *options);
enum status command_boot(const struct options *options);
enum status command_machine(const struct options *options);
enum status command_explain(const struct options *options);

/* One sentence on the standard error, "slipway: ..."; what is unprintable in it is escaped. */
void complain(const char *format, ...) PRINTF(1, 2);

/* The policy that was asked for; says what is wrong with it and returns false. */
NODISCARD bool load_policy(const struct options *options, struct policy *out);
