// Workers that misbehave in every way that the parent must survive.
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "worker_bench.h"

#include "base/arena.h"
#include "sandbox/lockdown.h"

static void expect(worker_fn *work, enum worker_end end, int signal_number)
{
	struct worker_result result = run(work);
	assert_int_equal(result.end, end);
	assert_int_equal(result.signal, signal_number);
	text_free(&result.output);
}

static void read_and_answer(void *context, int input, int output)
{
	char buffer[16];
	struct stat status;
	ssize_t got = pread(input, buffer, sizeof(buffer), 3);
	if (got > 0)
		worker_write(output, buffer, (size_t)got);
	if (fstat(input, &status) == 0 && lseek(input, 0, SEEK_END) == status.st_size)
		say(output, context);
}

static void finished_worker_answers(void **state)
{
	(void)state;
	char path[] = "test-sandbox-XXXXXX";
	int input = mkstemp(path);
	assert_true(input >= 0);
	unlink(path);
	assert_int_equal(write(input, "is alive", 8), 8);
	struct worker_result result =
		run_with(read_and_answer, (void *)(uintptr_t) " and well", input, &test_limits);
	assert_int_equal(result.end, WORKER_FINISHED);
	assert_int_equal(result.signal, 0);
	assert_string_equal(text_get(&result.output), "alive and well");
	assert_true(result.peak_kilobytes > 100);
	text_free(&result.output);
	close(input);
}

static int compare_bytes(const void *a, const void *b)
{
	return *(const uint8_t *)a - *(const uint8_t *)b;
}

/* What the C library does behind the back of those who call it. */
static void use_the_library(void *context, int input, int output)
{
	(void)context, (void)input;
	size_t size = (size_t)1 << 20;
	uint8_t *bytes = xmalloc(size);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7);
	qsort(bytes, size, 1, compare_bytes);
	bytes = xrealloc(bytes, 32 * size);
	free(bytes);
	char *pieces[100];
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		pieces[i] = xmalloc(i * 10000);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		free(pieces[i]);
	if (time(NULL) > 0)
		say(output, strerror(EIO));
}

static void library_works_in_a_worker(void **state)
{
	(void)state;
	/* Any locale but C makes strerror() look for a catalogue. */
	assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
	struct worker_result result = run(use_the_library);
	setlocale(LC_ALL, "C");
	assert_int_equal(result.end, WORKER_FINISHED);
	assert_string_equal(text_get(&result.output), "Input/output error");
	text_free(&result.output);
}

static void say_much(void *context, int input, int output)
{
	(void)input;
	size_t size = *(size_t *)context;
	char *bytes = xmalloc(size);
	memset(bytes, 'x', size);
	worker_write(output, bytes, size);
	free(bytes);
}

static void output_is_limited(void **state)
{
	(void)state;
	size_t size = test_limits.output_bytes;
	struct worker_result result = run_with(say_much, &size, -1, &test_limits);
	assert_int_equal(result.end, WORKER_FINISHED);
	assert_int_equal(result.output.size, size);
	text_free(&result.output);
	size++;
	result = run_with(say_much, &size, -1, &test_limits);
	assert_int_equal(result.end, WORKER_OUTPUT);
	assert_int_equal(result.output.size, test_limits.output_bytes);
	text_free(&result.output);
}

static void say_half_and_abort(void *context, int input, int output)
{
	(void)context, (void)input;
	say(output, "half a mess");
	abort();
}

static void last_words_are_kept(void **state)
{
	(void)state;
	struct worker_result result = run(say_half_and_abort);
	assert_int_equal(result.end, WORKER_CRASHED);
	assert_int_equal(result.signal, SIGABRT);
	assert_string_equal(text_get(&result.output), "half a mess");
	text_free(&result.output);
}

/* Not by a wild pointer, which a sanitizer turns into an exit. */
static void crash(void *context, int input, int output)
{
	(void)context, (void)input, (void)output;
	raise(SIGSEGV);
}

static void exit_oddly(void *context, int input, int output)
{
	(void)context, (void)input, (void)output;
	_exit(3);
}

static void end_is_told_where_children_are_ignored(void **state)
{
	(void)state;
	signal(SIGCHLD, SIG_IGN);
	expect(exit_oddly, WORKER_CRASHED, 0);
	assert_ptr_equal(signal(SIGCHLD, SIG_DFL), SIG_IGN);
}

static void crashes_are_told(void **state)
{
	(void)state;
	expect(crash, WORKER_CRASHED, SIGSEGV);
	expect(exit_oddly, WORKER_CRASHED, 0);
}

static void spin(void *context, int input, int output)
{
	(void)context, (void)input, (void)output;
	for (volatile unsigned turns = 0;; turns++)
		;
}

static void spin_deaf(void *context, int input, int output)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	spin(context, input, output);
}

static void processor_time_is_limited(void **state)
{
	(void)state;
	struct worker_limits limits = test_limits;
	limits.cpu_seconds = 1;
	assert_int_equal(run_with(spin, NULL, -1, &limits).end, WORKER_CPU);
	assert_int_equal(run_with(spin_deaf, NULL, -1, &limits).end, WORKER_CPU);
}

static void wait_for_input(void *context, int input, int output)
{
	(void)context;
	char byte;
	say(output, "waiting");
	ssize_t got = read(input, &byte, 1);
	(void)got;
}

/* Its pipe is closed, but it goes on. With a filter it cannot even do that. */
static void close_and_wait(void *context, int input, int output)
{
	(void)context;
	char byte;
	close(output);
	ssize_t got = read(input, &byte, 1);
	(void)got;
}

static void wall_time_is_limited(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	struct worker_limits limits = test_limits;
	limits.wall_seconds = 1;
	struct worker_result result = run_with(wait_for_input, NULL, ends[0], &limits);
	assert_int_equal(result.end, WORKER_HUNG);
	assert_int_equal(result.signal, 0);
	assert_string_equal(text_get(&result.output), "waiting");
	text_free(&result.output);
	result = run_with(close_and_wait, NULL, ends[0], &limits);
	assert_int_equal(result.end, lockdown_has_call_filter() ? WORKER_FORBIDDEN : WORKER_HUNG);
	close(ends[0]);
	close(ends[1]);
}

static void allocate_at_once(void *context, int input, int output)
{
	(void)context, (void)input, (void)output;
	memset(xmalloc((size_t)256 << 20), 1, (size_t)256 << 20);
}

static void allocate_forever(void *context, int input, int output)
{
	(void)context, (void)input, (void)output;
	for (;;)
		memset(xmalloc(10000), 1, 10000);
}

static void arena_beyond_limit(void *context, int input, int output)
{
	(void)context, (void)input, (void)output;
	struct arena arena = { .limit = 1 << 20 };
	for (;;)
		arena_alloc(&arena, 1000);
}

static void memory_is_limited(void **state)
{
	(void)state;
	/* Their message belongs on stderr, but not in the middle of the test's. */
	int kept = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	dup2(null, STDERR_FILENO);
	enum worker_end of_arena = run(arena_beyond_limit).end;
	/* Under a sanitizer there is no limit of the address space. */
	bool limited = lockdown_has_call_filter();
	enum worker_end at_once = limited ? run(allocate_at_once).end : WORKER_MEMORY;
	enum worker_end by_pieces = limited ? run(allocate_forever).end : WORKER_MEMORY;
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(null);
	assert_int_equal(of_arena, WORKER_MEMORY);
	assert_int_equal(at_once, WORKER_MEMORY);
	assert_int_equal(by_pieces, WORKER_MEMORY);
}

static void signal_itself(void *context, int input, int output)
{
	(void)context, (void)input;
	say(output, "now");
	raise(SIGUSR1);
	say(output, " and still here");
}

static void parent_handler(int signal_number)
{
	(void)signal_number;
}

static void handlers_of_the_parent_are_gone(void **state)
{
	(void)state;
	signal(SIGUSR1, parent_handler);
	struct worker_result result = run(signal_itself);
	signal(SIGUSR1, SIG_DFL);
	assert_int_equal(result.end, WORKER_CRASHED);
	assert_int_equal(result.signal, SIGUSR1);
	assert_string_equal(text_get(&result.output), "now");
	text_free(&result.output);
}

static void kill_itself(void *context, int input, int output)
{
	(void)context, (void)input;
	say(output, "now");
	raise(SIGKILL);
}

/* The worker itself is not to blame. */
static void killed_from_outside(void **state)
{
	(void)state;
	struct worker_result result = run(kill_itself);
	assert_int_equal(result.end, WORKER_KILLED);
	assert_string_equal(text_get(&result.output), "now");
	text_free(&result.output);
}

static void announce_and_spin(void *context, int input, int output)
{
	worker_write(STDERR_FILENO, "!", 1);
	spin(context, input, output);
}

/* A parent that is killed takes its worker along: the pipe that the worker holds comes to its end. */
static void worker_dies_with_its_parent(void **state)
{
	(void)state;
	int alive[2];
	assert_int_equal(pipe(alive), 0);
	pid_t parent = fork();
	if (parent == 0) {
		struct worker_result result;
		struct worker_access access = worker_access_none();
		struct error error;
		close(alive[0]);
		dup2(alive[1], STDERR_FILENO);
		close(alive[1]);
		bool ran = worker_run(announce_and_spin, NULL, &access, &test_limits, &result, &error);
		_exit(ran ? 0 : 1);
	}
	close(alive[1]);
	char byte = 0;
	assert_int_equal(read(alive[0], &byte, 1), 1);
	assert_int_equal(byte, '!');
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	/* The worker spins on its CPU allowance of ten seconds: were it alive, the pipe would stay open. */
	struct pollfd wanted = { .fd = alive[0], .events = POLLIN };
	assert_int_equal(poll(&wanted, 1, 5000), 1);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	close(alive[0]);
}

static void limits_have_defaults(void **state)
{
	(void)state;
	struct worker_limits limits = worker_limits_default();
	assert_int_equal(limits.memory_bytes, UINT64_C(512) << 20);
	assert_true(limits.cpu_seconds > 0 && limits.wall_seconds > 0 && limits.output_bytes > 0);
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct worker_result result = run_with(read_and_answer, (void *)(uintptr_t) "", nothing, &limits);
	close(nothing);
	assert_int_equal(result.end, WORKER_FINISHED);
	assert_string_equal(text_get(&result.output), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finished_worker_answers),
		cmocka_unit_test(library_works_in_a_worker),
		cmocka_unit_test(output_is_limited),
		cmocka_unit_test(last_words_are_kept),
		cmocka_unit_test(crashes_are_told),
		cmocka_unit_test(end_is_told_where_children_are_ignored),
		cmocka_unit_test(processor_time_is_limited),
		cmocka_unit_test(wall_time_is_limited),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(handlers_of_the_parent_are_gone),
		cmocka_unit_test(killed_from_outside),
		cmocka_unit_test(worker_dies_with_its_parent),
		cmocka_unit_test(limits_have_defaults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
