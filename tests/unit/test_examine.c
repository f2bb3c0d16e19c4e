// How the end of a worker becomes an exit status and a sentence. The worker here is a puppet: its three
// functions are defined below, so that the sandbox's own are not linked.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/examine.h"
#include "facts/wire.h"
#include "sandbox/sandbox.h"

/* What the next worker does. */
static struct {
	bool starts;
	enum worker_end end;
	int signal;
	const struct facts *said; /* NULL: nothing */
	const char *garbage;      /* behind it, or alone */
} puppet;

struct worker_limits worker_limits_default(void)
{
	return (struct worker_limits){ 0 };
}

void worker_write(int output, const void *data, size_t size)
{
	(void)output;
	(void)data;
	(void)size;
}

bool worker_run(worker_fn *work, void *context, const struct worker_access *access,
                const struct worker_limits *limits, struct worker_result *out, struct error *error)
{
	(void)work;
	(void)context;
	(void)limits;
	assert_int_equal((access->input >= 0) + (access->directory >= 0) + (access->server >= 0), 1);
	if (!puppet.starts)
		return error_set(error, ERROR_IO, "a worker cannot be started: out of processes");
	*out = (struct worker_result){ .end = puppet.end, .signal = puppet.signal, .peak_kilobytes = 77 };
	if (puppet.said)
		wire_encode(puppet.said, &out->output);
	if (puppet.garbage)
		text_add(&out->output, puppet.garbage);
	return true;
}

static struct arena arena;

static struct examination examine_with(enum worker_end end, const struct facts *said, const char *garbage)
{
	struct examination examination;
	struct questions questions = { 0 };
	puppet.starts = true;
	puppet.end = end;
	puppet.signal = end == WORKER_CRASHED ? 11 : 0;
	puppet.said = said;
	puppet.garbage = garbage;
	examine("/proc/self/exe", &questions, &arena, &examination);
	return examination;
}

static const struct facts full = { .kind = INPUT_DISK, .examined = EXAMINED_FULL, .container = "raw" };
static const struct facts partial = { .kind = INPUT_DISK,
	                              .examined = EXAMINED_PARTIAL,
	                              .reason = "the xfs file system cannot be read" };

static void test_finished(void **state)
{
	(void)state;
	struct examination all = examine_with(WORKER_FINISHED, &full, NULL);
	assert_int_equal(all.status, STATUS_CONFORMS);
	assert_int_equal(all.facts.examined, EXAMINED_FULL);
	assert_string_equal(all.facts.container, "raw");
	assert_null(all.facts.reason);
	assert_int_equal(all.peak_kilobytes, 77);
	assert_true(all.seconds >= 0);

	struct examination some = examine_with(WORKER_FINISHED, &partial, NULL);
	assert_int_equal(some.status, STATUS_NOT_EXAMINED);
	assert_int_equal(some.facts.examined, EXAMINED_PARTIAL);
	assert_string_equal(some.facts.reason, "the xfs file system cannot be read");
}

/* A crash after everything was said leaves what was said, and is never "fully examined". */
static void test_bad_ends(void **state)
{
	(void)state;
	static const struct {
		enum worker_end end;
		enum status status;
		const char *reason;
	} cases[] = {
		{ WORKER_CRASHED, STATUS_BUG,
		  "reading it crashed slipway (signal 11): that is a bug, please report it" },
		{ WORKER_FORBIDDEN, STATUS_BUG,
		  "reading it made slipway try what its sandbox forbids: that is a bug, please report it" },
		{ WORKER_MEMORY, STATUS_NOT_EXAMINED,
		  "reading it takes more memory than slipway allows itself: the image may be damaged" },
		{ WORKER_CPU, STATUS_NOT_EXAMINED,
		  "reading it takes more processor time than slipway allows itself: the image may be "
		  "damaged" },
		{ WORKER_HUNG, STATUS_NOT_EXAMINED,
		  "reading it takes more time than slipway allows itself: the image may be damaged, or its "
		  "disk "
		  "slow" },
		{ WORKER_OUTPUT, STATUS_NOT_EXAMINED,
		  "it holds more than slipway allows itself to report: the image may be damaged" },
		{ WORKER_KILLED, STATUS_TEMPORARY,
		  "the process that read it was killed from outside, as a system does that has no memory "
		  "left: try again" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct examination silent = examine_with(cases[i].end, NULL, NULL);
		assert_int_equal(silent.status, cases[i].status);
		assert_int_equal(silent.facts.examined, EXAMINED_NONE);
		assert_string_equal(silent.facts.reason, cases[i].reason);

		struct examination spoke = examine_with(cases[i].end, &full, NULL);
		assert_int_equal(spoke.status, cases[i].status);
		assert_int_equal(spoke.facts.examined, EXAMINED_PARTIAL);
		assert_string_equal(spoke.facts.reason, cases[i].reason);
		assert_string_equal(spoke.facts.container, "raw");
	}
}

/* A worker that says all is well and speaks nonsense, or nothing, is not believed. */
static void test_nonsense(void **state)
{
	(void)state;
	struct examination silent = examine_with(WORKER_FINISHED, NULL, NULL);
	assert_int_equal(silent.status, STATUS_BUG);
	assert_int_equal(silent.facts.examined, EXAMINED_NONE);
	assert_non_null(strstr(silent.facts.reason, "that is a bug, please report it"));

	struct examination nonsense = examine_with(WORKER_FINISHED, NULL, "SLIPWAY what is this thing here?");
	assert_int_equal(nonsense.status, STATUS_BUG);
	assert_int_equal(nonsense.facts.examined, EXAMINED_NONE);
}

static void test_no_worker(void **state)
{
	(void)state;
	struct examination examination;
	struct questions questions = { 0 };
	puppet.starts = false;
	examine("/proc/self/exe", &questions, &arena, &examination);
	assert_int_equal(examination.status, STATUS_TEMPORARY);
	assert_int_equal(examination.facts.examined, EXAMINED_NONE);
	assert_string_equal(examination.facts.reason, "a worker cannot be started: out of processes");
}

static const struct facts asks = { .served = SERVED_VDI, .container = "vdi" };

/* A worker that asks for a server gets one of the table, or a sentence. */
static void test_no_server(void **state)
{
	(void)state;
	static const struct problem dirty = { .code = "vdi-dirty", .message = "not closed" };
	struct facts with_problem = asks;
	with_problem.problems.items = (struct problem *)(uintptr_t)&dirty;
	with_problem.problems.count = 1;
	char *path = strdup(getenv("PATH") ? getenv("PATH") : "");
	setenv("PATH", "bin:/nonexistent", 1);
	struct examination examination = examine_with(WORKER_FINISHED, &with_problem, NULL);
	setenv("PATH", path, 1);
	free(path);
	assert_int_equal(examination.status, STATUS_NOT_EXAMINED);
	assert_int_equal(examination.facts.examined, EXAMINED_NONE);
	assert_string_equal(examination.facts.reason,
	                    "reading a vdi image takes qemu-nbd, which is not there: install the package "
	                    "qemu-utils (Debian, Ubuntu) or qemu-img (Fedora, Alpine)");
	assert_int_equal(examination.facts.problems.count, 1);
}

static void test_nothing_is_left(void **state)
{
	(void)state;
	struct questions questions = { 0 };
	struct examination examination;
	puppet.said = &full;
	int before = dup(0);
	close(before);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "/proc/self/exe", "/", "/dev/null" };
		examine(names[i], &questions, &arena, &examination);
	}
	/* Where there is a server, it is gone again. */
	examine_with(WORKER_FINISHED, &asks, NULL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	int after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

static void test_graver_status(void **state)
{
	(void)state;
	static const enum status order[] = { STATUS_CONFORMS, STATUS_FAILURES, STATUS_NOT_EXAMINED,
		                             STATUS_TEMPORARY, STATUS_BUG };
	for (size_t a = 0; a < ARRAY_SIZE(order); a++)
		for (size_t b = 0; b < ARRAY_SIZE(order); b++)
			assert_int_equal(graver_status(order[a], order[b]), order[a > b ? a : b]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finished),      cmocka_unit_test(test_bad_ends),
		cmocka_unit_test(test_nonsense),      cmocka_unit_test(test_no_worker),
		cmocka_unit_test(test_no_server),     cmocka_unit_test(test_nothing_is_left),
		cmocka_unit_test(test_graver_status),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}
