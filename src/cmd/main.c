// slipway: one function a command, and what they share.

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"

#define POLICY_MOST (1u << 20)

void complain(const char *format, ...)
{
	struct text line CLEANUP(text_free) = { 0 };
	char *message = NULL;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&message, format, arguments);
	va_end(arguments);
	text_add(&line, "slipway: ");
	if (length >= 0)
		text_add_clean(&line, span_of(message, (size_t)length));
	free(message);
	fprintf(stderr, "%s\n", text_get(&line));
}

/* A policy is the user's own file, read as any program reads its configuration. */
static bool read_policy_file(const char *path, struct text *out, struct error *error)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return error_set(error, ERROR_IO, "%s", strerror(errno));
	char chunk[4096];
	size_t got;
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0 && out->size <= POLICY_MOST)
		text_add_span(out, span_of(chunk, got));
	bool failed = ferror(file);
	int cause = errno;
	fclose(file);
	if (failed)
		return error_set(error, ERROR_IO, "%s", strerror(cause));
	if (out->size > POLICY_MOST)
		return error_set(error, ERROR_LIMIT, "it is larger than 1 MiB: that is no policy");
	return true;
}

bool load_policy(const struct options *options, struct policy *out)
{
	struct error error = { 0 };
	if (!options->policy) {
		if (policy_builtin(out, &error))
			return true;
		complain("the built-in policy is broken: %s", error.message);
		return false;
	}
	struct text text CLEANUP(text_free) = { 0 };
	if (!read_policy_file(options->policy, &text, &error)) {
		complain("the policy '%s' cannot be read: %s", options->policy, error.message);
		return false;
	}
	if (policy_parse(span_of(text.data, text.size), options->policy, out, &error))
		return true;
	complain("%s", error.message); /* begins with the file and the line */
	return false;
}

static void print_version(void)
{
	puts("slipway " SLIPWAY_VERSION);
}

static enum status command_help(const struct options *options)
{
	const struct command *command = commands;
	if (options->operand_count > 0)
		command = command_find(options->operands[0]); /* the parser takes no other */
	options_help(stdout, command);
	return STATUS_CONFORMS;
}

static enum status run(const struct options *options)
{
	if (options->help) {
		options_help(stdout, options->command);
		return STATUS_CONFORMS;
	}
	switch (options->command->id) {
	case COMMAND_CHECK:
		return command_check(options);
	case COMMAND_INSPECT:
		return command_inspect(options);
	case COMMAND_BOOT:
		return command_boot(options);
	case COMMAND_MACHINE:
		return command_machine(options);
	case COMMAND_EXPLAIN:
		return command_explain(options);
	case COMMAND_HELP:
		return command_help(options);
	case COMMAND_NONE: /* with nothing but --version: the parser refuses the rest */
	case COMMAND_VERSION:
		break;
	}
	print_version();
	return STATUS_CONFORMS;
}

/* A report that did not reach its reader whole must not look like one that did. */
static enum status finish_output(enum status status)
{
	bool failed = ferror(stdout);
	errno = 0;
	if (fclose(stdout) != 0 || failed) {
		/* A reader that has seen enough (head, a pager) needs no complaint; the status is for
		 * scripts. */
		if (errno != EPIPE)
			complain("the report could not be written: %s",
			         errno ? strerror(errno) : "write error");
		return STATUS_TEMPORARY;
	}
	return status;
}

/*
 * Descriptors 0 to 2 are taken, so that no input is ever opened as one of them. Those that were closed are
 * opened the wrong way round: a report into a closed output must fail, not vanish.
 */
static void open_standard_descriptors(void)
{
	for (int descriptor = 0; descriptor <= 2; descriptor++)
		if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF)
			if (open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY) != descriptor)
				exit(STATUS_TEMPORARY);
}

int main(int argc, char **argv)
{
	open_standard_descriptors();
	/* A reader that goes away is a failed write, with its message, not a silent death. */
	signal(SIGPIPE, SIG_IGN);
	/* The same for a file that may not grow any more (ulimit -f). */
	signal(SIGXFSZ, SIG_IGN);
	/* Widths of characters, whatever the user's locale; nothing is parsed or sorted by a locale. */
	setlocale(LC_CTYPE, "C.UTF-8");

	struct options options;
	struct error error = { 0 };
	if (!options_parse(argc, argv, &options, &error)) {
		bool asks = str_ends(error.message, "?");
		complain("%s%s 'slipway%s%s --help'", error.message, asks ? " Try" : "; try",
		         *options.command->name ? " " : "", options.command->name);
		return STATUS_USAGE;
	}
	return (int)finish_output(run(&options));
}
