// Real command line tools as a source of test data: `zstd`, `cpio`, ... A tool that is not there fails the
// test that needs it.
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/span.h"

/* Words of a command line, as execvp() takes them. */
#define COMMAND(...) ((const char *const[]){ __VA_ARGS__, NULL })

static inline void tool_failed(const char *name, const char *why)
{
	fprintf(stderr, "%s: %s\n", name, why);
	abort();
}

static inline FILE *tool_file(struct span content)
{
	FILE *file = tmpfile();
	if (!file || fwrite(content.data, 1, content.size, file) != content.size || fflush(file) != 0)
		tool_failed("tmpfile", "cannot be written");
	rewind(file);
	return file;
}

static inline struct span tool_content(FILE *file, struct arena *arena)
{
	if (fseek(file, 0, SEEK_END) != 0)
		tool_failed("tmpfile", "cannot be read");
	size_t size = (size_t)ftell(file);
	rewind(file);
	uint8_t *bytes = arena_alloc(arena, size + 1);
	if (fread(bytes, 1, size, file) != size)
		tool_failed("tmpfile", "cannot be read");
	return span_of(bytes, size);
}

/* What the command makes of `input`; the test ends when it is not there or fails. */
static inline struct span tool_filter(const char *const *command, struct span input, struct arena *arena)
{
	FILE *in = tool_file(input);
	FILE *out = tool_file((struct span){ 0 });
	pid_t child = fork();
	if (child == 0) {
		/* Nothing that a tool says of its own success shall mix with the test's output. */
		int quiet = open("/dev/null", O_WRONLY);
		if (dup2(fileno(in), 0) < 0 || dup2(fileno(out), 1) < 0 || dup2(quiet, 2) < 0)
			_exit(126);
		/* The test run's way to find uses of uninitialised memory makes large windows slow. */
		unsetenv("MALLOC_PERTURB_");
		execvp(command[0], (char *const *)(uintptr_t)command);
		_exit(127);
	}
	int status;
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		tool_failed(command[0], "is missing or failed");
	struct span output = tool_content(out, arena);
	fclose(in);
	fclose(out);
	return output;
}

/* a, then b, in the arena. */
static inline struct span joined(struct span a, struct span b, struct arena *arena)
{
	uint8_t *bytes = arena_alloc(arena, a.size + b.size + 1);
	if (a.size)
		memcpy(bytes, a.data, a.size);
	if (b.size)
		memcpy(bytes + a.size, b.data, b.size);
	return span_of(bytes, a.size + b.size);
}
