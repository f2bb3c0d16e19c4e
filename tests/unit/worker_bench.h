// Runs a worker of a test with limits that tests can wait for.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "sandbox/sandbox.h"

static const struct worker_limits test_limits = {
	.memory_bytes = UINT64_C(128) << 20,
	.cpu_seconds = 10,
	.wall_seconds = 60,
	.output_bytes = 1 << 20,
};

static inline unsigned open_descriptors(void)
{
	unsigned count = 0;
	DIR *folder = opendir("/proc/self/fd");
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* Runs the worker; afterwards nothing of it may be left. */
static inline struct worker_result run_with(worker_fn *work, void *context, int input,
                                            const struct worker_limits *limits)
{
	struct worker_result result;
	struct error error;
	unsigned before = open_descriptors();
	struct worker_access access = worker_access_none();
	access.input = input;
	if (!worker_run(work, context, &access, limits, &result, &error))
		fail_msg("%s", error.message);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return result;
}

static inline struct worker_result run(worker_fn *work)
{
	return run_with(work, NULL, -1, &test_limits);
}

static inline void say(int output, const char *text)
{
	worker_write(output, text, strlen(text));
}
