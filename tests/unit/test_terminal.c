// What a guest says on its way to somebody who watches.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine/terminal.h"

static struct text shown;

static const char *show(struct terminal *terminal, const char *bytes, size_t size)
{
	text_clear(&shown);
	/* Split anywhere */
	for (size_t i = 0; i < size; i++)
		terminal_filter(terminal, span_of(bytes + i, 1), &shown);
	return text_get(&shown);
}

#define SHOWS(bytes, wanted) assert_string_equal(show(&terminal, bytes, sizeof(bytes) - 1), wanted)

/* Text, colours and the cursor's moves reach those who watch, and nothing else that drives a terminal. */
static void text_colours_and_moves_pass(void **state)
{
	(void)state;
	struct terminal terminal = { 0 };
	SHOWS("a\tb\r\nc\b \xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7\n",
	      "a\tb\r\nc\b \xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7\n");
	SHOWS("[\x1b[0;32m  OK  \x1b[0m] \x1b[2J\x1b[01;01H\x1b[K",
	      "[\x1b[0;32m  OK  \x1b[0m] \x1b[2J\x1b[01;01H\x1b[K");
	assert_string_equal(terminal_restore(&terminal), "");
}

/* Questions, whose answers are typed; titles, the clipboard, modes, windows, character sets, bells */
static void what_drives_it_is_dropped(void **state)
{
	(void)state;
	struct terminal terminal = { 0 };
	SHOWS("1\x1b[6n\x1b[c\x1b[>0q\x1b[5i\x1b]52;c;cm0gLXJm\x07\x1b]0;t\x1b\\2", "12");
	SHOWS("\x1b[?1049h\x1b[?25l\x1b[8;1;1t\x1b[1;2r\x1b[4h\x1b(0\x1b"
	      "c\x0e\x05\x07\x1bP$q\x1b\\3",
	      "3");
	/* Controls of eight bits, as UTF-8 and bare; marks of direction; what is no UTF-8 */
	SHOWS("\xc2\x9b"
	      "6n\x9b"
	      "6n",
	      "?6n?6n");
	SHOWS("\xe2\x80\xaeX\xe2\x81\xa6Y\xc0\xafZ\xed\xa0\x80\xff\xe2\x82", "?X?Y??Z??");
	SHOWS("!", "?!");
	/* More than anyone needs */
	SHOWS("\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1mx\x1b[31m", "x\x1b[31m");
	assert_string_equal(terminal_restore(&terminal), "\x1b[m");
}

static int tear_down(void **state)
{
	(void)state;
	text_free(&shown);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_colours_and_moves_pass),
		cmocka_unit_test(what_drives_it_is_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
