// The console: bytes to lines, as a terminal of one line shows them, and what a hostile guest makes of it.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console_bench.h"

static void a_terminal_of_one_line(void **state)
{
	(void)state;
	feed("a\r\nb\r\r\nc\n");
	assert_line(1, "a");
	assert_line(2, "b");
	assert_line(3, "c");
	/* Sequences: colours, titles, character sets, split anywhere */
	feed("[\x1b[0;32m  OK  \x1b");
	feed("[0m] \x1b]3008;start=x\x1b\\Started\x1b(B \x1b]0;t\x07it.\r\n");
	assert_line(4, "[  OK  ] Started it.");
	/* Written over, taken back, erased */
	feed("12345\rab\b\bX\n50%\r\x1b[K100%\nabc\b \b\n");
	assert_line(5, "Xb345");
	assert_line(6, "100%");
	assert_line(7, "ab");
	/* The cursor elsewhere begins a line, and an empty screen is none */
	feed("\x1b[2J\x1b[01;01HHere\x1b[5;1HThere\x1b[2J\x1b[H\n");
	assert_line(8, "Here");
	assert_line(9, "There");
	assert_line(10, "");
	assert_int_equal(console.line_count, 10);
}

/* SeaBIOS says where the cursor is in the midst of words. A loader's error is one all the same. */
static void lines_that_the_firmware_tore(void **state)
{
	(void)state;
	feed_file("torn-lines-bios.log", 7);
	assert_non_null(console_find(&console, 0, "error: no suitable video mode found.", NULL));
	assert_non_null(console_find(&console, 0, "Loading Linux 6.12.107+deb13-cloud-amd64 ...", NULL));
	assert_symptom(0, "boot-loader-failed", "error: you need to load the kernel first.");
	const char *of_80 = "abcdefghi-abcdefghi-abcdefghi-abcdefghi-abcdefghi-abcdefghi-abcdefghi-abcdefghi";
	for (size_t i = 0; i < console.lines.count; i++)
		if (str_starts(console.lines.items[i].text, "abc"))
			assert_string_equal(console.lines.items[i].text, of_80);
}

static void where_the_cursor_goes(void **state)
{
	(void)state;
	static const struct {
		const char *said, *lines;
	} cases[] = {
		/* No row is known: the column tells. */
		{ "error: you need\x1b[06;15H\x1b[06;16H to load", "error: you need to load|" },
		{ "Boo\x1b[3;4Hting", "Booting|" },
		{ "Boo\x1b[3;9Hting", "Boo|ting|" },
		{ "Boo\x1b[Hting", "Boo|ting|" },
		{ "Boo\x1b[;Hting", "Boo|ting|" },
		/* A letter is a place, however many bytes it has. */
		{ "\xc3\xa9t\xc3\xa9\x1b[3;3H\x1b[3;4Hs", "\xc3\xa9t\xc3\xa9s|" },
		{ "Boo\r\x1b[Hting", "Boo|ting|" },
		{ "B\x1b[6;1H\x1b[6;2Hooting", "Booting|" },
		{ "Boo\x1b[99999999999999999999;4Hting", "Boo|ting|" },
		/* The row that was told, and no other */
		{ "\x1b[3;1HBoo\x1b[3;1Hting", "Boo|ting|" },
		{ "\x1b[3;1HBoo\x1b[3;5Hting", "Boo|ting|" },
		{ "\x1b[3;1HBoo\x1b[3;6Hgrub> ", "Boo|grub>|" },
		{ "\x1b[3;1HBoo\x1b[4;4Hting", "Boo|ting|" },
		{ "\x1b[3;1HA\r\nBoo\x1b[4;3H\x1b[4;4Hting", "A|Booting|" },
		{ "\x1b[3;1HA\r\nBoo\x1b[3;4Hting", "A|Boo|ting|" },
		/* Behind the last row it scrolls, and none is known again. */
		{ "\x1b[25;1HA\r\nBoo\x1b[25;3H\x1b[25;4Hting", "A|Booting|" },
		/* Another screen */
		{ "\x1b[3;1HBoo\x1b[2J\x1b[3;4Hting", "Boo|ting|" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text lines = { 0 };
		again();
		feed(cases[i].said);
		feed("\n");
		for (size_t n = 0; n < console.lines.count; n++)
			text_add(&lines, arena_printf(&arena, "%s|", console.lines.items[n].text));
		assert_string_equal(text_get(&lines), cases[i].lines);
		text_free(&lines);
	}
}

static void hostile_bytes(void **state)
{
	(void)state;
	console_feed(&console, span_of("a\0b\x07\xff\xc2\x9b\x7f\n", 9), 0, 0);
	assert_line(1, "ab\\xff\\xc2\\x9b");
	/* A sequence without an end takes no more than its line */
	feed("\x1b]0;never ends\nnext\n\x1b[99999999999999999999999999999C.\n");
	assert_true(console_find(&console, 0, "next", NULL) != NULL);
	assert_true(console.raw.size == 0);
	char *much = malloc(100001);
	memset(much, 'x', 100000);
	much[100000] = 0;
	again();
	feed(much);
	assert_int_equal(console.line_count, 100000 / CONSOLE_LINE_MOST);
	assert_int_equal(strlen(console.lines.items[0].text), CONSOLE_LINE_MOST);
	again();
	memset(much, '\n', 100000);
	feed(much);
	assert_int_equal(console.line_count, 100000);
	assert_int_equal(console.lines.count, CONSOLE_LINES_MOST);
	for (unsigned i = 0; i < 30; i++)
		feed(arena_printf(&arena, "line %u\n", i));
	assert_string_equal(console_last(&console), "line 29");
	console_recent(&console, &run);
	assert_int_equal(run.last_lines.count, CONSOLE_RECENT_MOST);
	assert_string_equal(run.last_lines.items[0], "line 20");
	feed("and this");
	console_recent(&console, &run);
	assert_int_equal(run.last_lines.count, CONSOLE_RECENT_MOST);
	assert_string_equal(run.last_lines.items[0], "line 21");
	assert_string_equal(run.last_lines.items[9], "and this");
	free(much);
}

static void a_guest_that_repeats_itself_takes_no_memory(void **state)
{
	(void)state;
	feed("[    1.000000] EXT4-fs error (device sda1): bad\n");
	for (unsigned i = 0; i < CONSOLE_LINES_MOST; i++)
		feed("\n");
	size_t used = arena.used;
	for (unsigned i = 0; i < 1000; i++)
		feed("[    1.000000] EXT4-fs error (device sda1): bad\r\nhost login: \n");
	/* One login step */
	assert_in_range(arena.used, used, used + 200);
	assert_int_equal(run.symptoms.count, 1);
}

static void the_log_is_line_for_line(void **state)
{
	(void)state;
	FILE *log = tmpfile();
	assert_non_null(log);
	console.log.file = fileno(log);
	feed("a\x1b[1mb\r\n\nhost login: ");
	console_end(&console);
	char bytes[64] = { 0 };
	assert_int_equal(pread(console.log.file, bytes, sizeof(bytes) - 1, 0), 16);
	assert_string_equal(bytes, "ab\n\nhost login:\n");
	fclose(log);
}

/* One that has no end in it. */
static void the_log_has_an_end(void **state)
{
	(void)state;
	char path[] = "/tmp/slipway-log-XXXXXX", end[64] = { 0 };
	char *much = malloc((1 << 20) + 1);
	memset(much, 'x', 1 << 20);
	much[1 << 20] = 0;
	console.log.file = mkostemp(path, O_CLOEXEC);
	unlink(path);
	int log = console.log.file;
	/* Most of it was written before. */
	console.logged = 63 << 20;
	for (unsigned i = 0; i < 3; i++)
		feed(much);
	off_t size = lseek(log, 0, SEEK_END);
	assert_in_range(size, (1 << 20) - 2 * CONSOLE_LINE_MOST, (1 << 20) + 100);
	assert_true(pread(log, end, 40, size - 40) == 40 && strstr(end, "says more than 64 MiB)\n"));
	close(log);
	free(much);
}

/* What a guest writes over again and again, and how far it jumps, makes no more work than as much text. */
static void work_is_by_the_byte(void **state)
{
	(void)state;
	static const char *const hard[] = { "\rx",
		                            "\x1b[1023Cx\n",
		                            "\x1b[1023Cx\x1b[H",
		                            "\t\t\t\t\tx\n",
		                            "\x1b[1000Gx\r\x1b[K",
		                            "\x1b[80Cx\ry",
		                            "\x1b[1;1000Hx\x1b[1;1H" };
	for (size_t i = 0; i < ARRAY_SIZE(hard); i++) {
		again();
		for (unsigned n = 0; n < 1000; n++)
			feed("x");
		for (unsigned n = 0; n < 20000; n++)
			feed(hard[i]);
		if (console.looked > 48 * console.bytes)
			fail_msg("%zu: %llu bytes for %llu", i, (unsigned long long)console.looked,
			         (unsigned long long)console.bytes);
	}
	/* What a counter wrote over has been read all the same. */
	again();
	feed("Kernel panic - not syncing: Fatal exception\r 1%\r 2%\n");
	assert_symptom(0, "kernel-panic", "*");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_terminal_of_one_line),
		TEST(lines_that_the_firmware_tore),
		TEST(where_the_cursor_goes),
		TEST(hostile_bytes),
		TEST(a_guest_that_repeats_itself_takes_no_memory),
		TEST(the_log_is_line_for_line),
		TEST(the_log_has_an_end),
		TEST(work_is_by_the_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
