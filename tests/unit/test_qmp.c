// QMP against a QEMU that is played: all that may come between a command and its reply, and all that may come
// instead of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_qemu.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"
#define READY    GREETING "\0{\"return\": {}, \"id\": 1}\r\n\0"
#define COMMANDS "{\"return\": [{\"name\": \"stop\"}, {\"name\": 7}, {\"nome\": 1}, 3], \"id\": 2}\r\n"

/* A script with NULs in it. */
#define SCRIPT(text) span_of(text, sizeof(text) - 1)

struct bench {
	struct fake_qemu fake;
	struct qmp qmp;
	struct error error;
	json_t *value;
	bool opened;
};

static void bench_open(struct bench *bench, struct span script, bool ends, int log)
{
	*bench = (struct bench){ 0 };
	fake_open(&bench->fake, script, ends ? FAKE_ENDS : FAKE_FALLS_SILENT);
	bench->opened = qmp_open(bench->fake.ours, &bench->fake.loop, log, &bench->qmp, &bench->error);
}

static void bench_close(struct bench *bench)
{
	json_decref(bench->value);
	qmp_close(&bench->qmp);
	qmp_close(&bench->qmp);
	assert_int_equal(bench->fake.loop.count <= 1, 1);
	fake_close(&bench->fake);
}

static bool ask(struct bench *bench, const char *command)
{
	json_decref(bench->value);
	return qmp_ask(&bench->qmp, command, NULL, &bench->value, &bench->error);
}

static void replies_are_told_from_events(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(
		&bench,
		SCRIPT(READY
	               "{\"event\": \"RESET\"}\r\n" COMMANDS "\0{\"return\": \"late\", \"id\": 1}\n"
	               "{\"return\": \"early\", \"id\": 4}\n"
	               "{\"return\": \"text\", \"id\": \"3\"}\n"
	               "{\"return\": \"none\"}\n"
	               "{\"event\": \"STOP\", \"id\": 3}\n"
	               "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}\n"
	               "{\"return\": \"mine\", \"id\": 3}\n"
	               "{\"event\": \"DEVICE_DELETED\", \"data\": {\"device\": \"spare\"}}\n"),
		false, -1);
	assert_true(bench.opened);
	assert_true(qmp_has(&bench.qmp, "stop"));
	assert_false(qmp_has(&bench.qmp, "cont"));
	assert_true(ask(&bench, "query-status"));
	assert_string_equal(json_string_value(bench.value), "mine");
	assert_true(qmp_saw(&bench.qmp, 0, "RESET", NULL));
	assert_false(qmp_saw(&bench.qmp, 1, "RESET", NULL));
	assert_true(qmp_saw(&bench.qmp, 0, "STOP", NULL));
	assert_true(qmp_saw(&bench.qmp, 0, "SHUTDOWN", "guest-reset"));
	assert_false(qmp_saw(&bench.qmp, 0, "SHUTDOWN", "guest-panic"));
	assert_true(qmp_saw(&bench.qmp, 0, "DEVICE_DELETED", "spare"));
	bench_close(&bench);
}

static void commands_are_one_line_each(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench,
	           SCRIPT(READY COMMANDS "\0{\"return\": {}, \"id\": 3}\n\0"
	                                 "{\"return\": \"a\\nb\", \"id\": 4}\n"),
	           false, -1);
	assert_true(bench.opened);
	text_clear(&bench.fake.got);
	assert_true(qmp_ask(&bench.qmp, "device_del", json_pack("{s:s}", "id", "a\nb"), NULL, &bench.error));
	assert_string_equal(text_get(&bench.fake.got),
	                    "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"a\\nb\"},\"id\":3}\n");
	struct text answer = { 0 };
	assert_true(qmp_monitor(&bench.qmp, "info irq", &answer, &bench.error));
	assert_string_equal(text_get(&answer), "a\nb");
	text_free(&answer);
	bench_close(&bench);
}

static void a_refusal_is_said_in_its_words(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(
		&bench,
		SCRIPT(READY COMMANDS
	               "\0{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such\\tdevice\\u0007\"}, "
	               "\"id\": 3}\n\0{\"id\": 4}\n\0{\"return\": 5, \"id\": 5}\n"),
		false, -1);
	assert_false(ask(&bench, "device_del"));
	assert_int_equal(bench.error.code, ERROR_UNSUPPORTED);
	assert_string_equal(bench.error.message, "QEMU, asked for device_del: no such device\\x07");
	assert_false(ask(&bench, "stop"));
	assert_int_equal(bench.error.code, ERROR_CORRUPT);
	struct text answer = { 0 };
	assert_false(qmp_monitor(&bench.qmp, "info irq", &answer, &bench.error));
	assert_int_equal(bench.error.code, ERROR_CORRUPT);
	text_free(&answer);
	bench_close(&bench);
}

/* Both ends of what was said, and where the reply stands in it. */
static void the_log_has_every_line(void **state)
{
	(void)state;
	int log = memfd_create("log", 0);
	char text[4096] = "";
	struct bench bench;
	bench_open(&bench,
	           SCRIPT(READY COMMANDS "\0{\"event\": \"STOP\"}\n{\"return\": 1, \"id\": 3}\n"
	                                 "{\"event\": \"RESET\"}\n"),
	           false, log);
	assert_true(ask(&bench, "stop"));
	assert_true(pread(log, text, sizeof(text) - 1, 0) > 0);
	struct span rest = span_text(text), line;
	static const char *const expected[] = {
		"{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}",
		"{\"execute\":\"qmp_capabilities\",\"id\":1}",
		"{\"return\": {}, \"id\": 1}",
		"{\"execute\":\"query-commands\",\"id\":2}",
		"{\"return\": [{\"name\": \"stop\"}, {\"name\": 7}, {\"nome\": 1}, 3], \"id\": 2}",
		"{\"execute\":\"stop\",\"id\":3}",
		"{\"event\": \"STOP\"}",
		"{\"return\": 1, \"id\": 3}",
		"{\"event\": \"RESET\"}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_true(span_next_line(&rest, &line));
		assert_true(span_equal_text(line, expected[i]));
	}
	assert_false(span_next_line(&rest, &line));
	assert_int_equal(bench.qmp.line, 9);
	assert_int_equal(bench.qmp.reply_line, 8);
	bench_close(&bench);
	close(log);
}

static void expect_gone(struct bench *bench, enum error_code code, const char *words)
{
	assert_false(ask(bench, "query-status"));
	assert_int_equal(bench->error.code, code);
	assert_non_null(strstr(bench->error.message, words));
	assert_int_equal(bench->qmp.socket, -1);
	/* And again, without waiting for anything. */
	assert_false(ask(bench, "query-status"));
	assert_int_equal(bench->error.code, code);
	assert_non_null(strstr(bench->error.message, words));
	bench_close(bench);
}

static void it_may_end_at_any_time(void **state)
{
	(void)state;
	static const char whole[] = READY COMMANDS "\0{\"event\": \"STOP\"}\n{\"return\": 1, \"id\": 3}\n";
	for (size_t size = 0; size < sizeof(whole) - 2; size++) {
		struct bench bench;
		bench_open(&bench, span_of(whole, size), true, -1);
		if (!bench.opened)
			assert_int_equal(bench.error.code, ERROR_IO);
		expect_gone(&bench, ERROR_IO, "QEMU, asked for query-status: it has ended");
	}
	struct bench bench;
	bench_open(&bench, span_of(whole, sizeof(whole) - 1), true, -1);
	assert_true(ask(&bench, "query-status"));
	bench_close(&bench);
}

static void half_lines_are_waited_for(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, SCRIPT(READY COMMANDS "\0{\"return\": {\"a\": 1}, \"id\": 3}\r\n"), false, -1);
	assert_true(bench.opened);
	bench.fake.step = 1;
	assert_true(ask(&bench, "query-status"));
	assert_int_equal(json_integer_value(json_object_get(bench.value, "a")), 1);
	bench_close(&bench);
}

static void nonsense_ends_the_talk(void **state)
{
	(void)state;
	static const struct {
		const char *said, *words;
		enum error_code code;
	} rows[] = {
		{ "hello\n", "no JSON object", ERROR_CORRUPT },
		{ "[1, 2]\n", "no JSON object", ERROR_CORRUPT },
		{ "{\"a\": \"\\ud800\"}\n", "no JSON object", ERROR_CORRUPT },
		{ "{\"return\": 1, \"id\": 3\n", "no JSON object", ERROR_CORRUPT },
		{ "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}\n", "levels",
		  ERROR_LIMIT },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct text script = { 0 };
		struct bench bench;
		text_add_span(&script, SCRIPT(READY COMMANDS "\0"));
		text_add(&script, rows[i].said);
		bench_open(&bench, span_of(script.data, script.size), false, -1);
		assert_true(bench.opened);
		expect_gone(&bench, rows[i].code, rows[i].words);
		text_free(&script);
	}
	struct bench bench;
	bench_open(&bench, SCRIPT("{\"return\": 1, \"id\": 1}\n"), false, -1);
	assert_false(bench.opened);
	assert_string_equal(bench.error.message, "QEMU's monitor: it does not greet as QEMU's monitor does");
	bench_close(&bench);
}

/* `unit`, `count` times, between the two. */
static void expect_large(const char *before, const char *unit, size_t count, const char *after,
                         const char *words)
{
	struct text script = { 0 };
	struct bench bench;
	text_add_span(&script, SCRIPT(READY COMMANDS "\0"));
	text_add(&script, before);
	for (size_t i = 0; i < count; i++)
		text_add(&script, unit);
	text_add(&script, after);
	bench_open(&bench, span_of(script.data, script.size), false, -1);
	assert_true(bench.opened);
	if (words) {
		expect_gone(&bench, ERROR_LIMIT, words);
	} else {
		assert_true(ask(&bench, "query-status"));
		bench_close(&bench);
	}
	text_free(&script);
}

static void lines_have_a_limit(void **state)
{
	(void)state;
	expect_large("{\"return\": \"", "0123456789abcdef", 200000, "\", \"id\": 3}\n", NULL);
	expect_large("{\"return\": \"", "0123456789abcdef", 300000, "\", \"id\": 3}\n", "bytes");
	expect_large("{\"return\": \"", "0123456789abcdef", 300000, "", "bytes");
	expect_large("{\"return\": \"", "[],{},", 100000, "\", \"id\": 3}\n", NULL);
	expect_large("{\"return\": [", "[],", 20000, "[]], \"id\": 3}\n", NULL);
	expect_large("{\"return\": [", "[],", 40000, "[]], \"id\": 3}\n", "members");
}

/* Whatever a guest has QEMU tell, and how often, the events that count are seen, printable. */
static void events_leave_room_for_those_that_count(void **state)
{
	(void)state;
	struct text script = { 0 };
	struct bench bench;
	text_add_span(&script, SCRIPT(READY COMMANDS "\0"));
	for (unsigned i = 0; i < 1000; i++)
		text_add(&script,
		         "{\"event\": \"ACPI_DEVICE_OST\", \"data\": {\"info\": {\"slot\": \"0\"}}}\n"
		         "{\"event\": \"BLOCK_IO_ERROR_OF_A_NAME_THAT_IS_RATHER_LONG\"}\n"
		         "{\"event\": \"RESET\", \"data\": {\"reason\": \"guest-reset\"}}\n");
	text_add(&script, "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"\\u001b[2J"
	                  "01234567890123456789012345678901234567890123456789012345678901234567890"
	                  "\\u00e9\\u00e9\"}}\n{\"return\": 1, \"id\": 3}\n");
	bench_open(&bench, span_of(script.data, script.size), false, -1);
	assert_true(ask(&bench, "query-status"));
	assert_int_equal(bench.qmp.event_count, 2);
	assert_true(
		qmp_saw(&bench.qmp, 0, "SHUTDOWN",
	                "\\x1b[2J01234567890123456789012345678901234567890123456789012345678901234567890"));
	bench_close(&bench);
	text_free(&script);
}

/* A wait ends when the user interrupts. */
static void stop(void *context, int descriptor, short events)
{
	(void)events;
	struct loop *loop = context;
	loop->stopped = true;
	loop_forget(loop, descriptor);
}

static void an_interruption_ends_the_wait(void **state)
{
	(void)state;
	int pipe_ends[2];
	struct bench bench;
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	assert_int_equal(write(pipe_ends[1], "x", 1), 1);
	bench_open(&bench, SCRIPT(READY COMMANDS), false, -1);
	assert_true(bench.opened);
	loop_watch(&bench.fake.loop, pipe_ends[0], POLLIN, stop, &bench.fake.loop);
	assert_false(ask(&bench, "query-status"));
	assert_string_equal(bench.error.message, "QEMU, asked for query-status: interrupted");
	bench_close(&bench);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static void a_reply_is_not_waited_for_without_end(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench, SCRIPT(READY COMMANDS), false, -1);
	assert_true(bench.qmp.patience == 10);
	bench.qmp.patience = 0.3;
	double begin = seconds_now();
	assert_false(ask(&bench, "query-status"));
	assert_int_equal(bench.error.code, ERROR_LIMIT);
	assert_true(seconds_now() - begin > 0.25 && seconds_now() - begin < 5);
	/* It is not gone for that: a later command may have its reply, and the late one is known as such. */
	static const char late[] = "{\"return\": \"late\", \"id\": 3}\n{\"return\": \"now\", \"id\": 4}\n";
	bench.fake.left = span_of(late, sizeof(late) - 1);
	assert_true(ask(&bench, "query-status"));
	assert_string_equal(json_string_value(bench.value), "now");
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_told_from_events),
		cmocka_unit_test(commands_are_one_line_each),
		cmocka_unit_test(a_refusal_is_said_in_its_words),
		cmocka_unit_test(the_log_has_every_line),
		cmocka_unit_test(it_may_end_at_any_time),
		cmocka_unit_test(half_lines_are_waited_for),
		cmocka_unit_test(nonsense_ends_the_talk),
		cmocka_unit_test(lines_have_a_limit),
		cmocka_unit_test(events_leave_room_for_those_that_count),
		cmocka_unit_test(an_interruption_ends_the_wait),
		cmocka_unit_test(a_reply_is_not_waited_for_without_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
