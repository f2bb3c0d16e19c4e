// What a guest says on its console. The first byte is how many bytes come at a time.
#include <string.h>

#include "machine/console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void require_printable(const char *text)
{
	require(text != NULL);
	for (; *text; text++)
		require((unsigned char)*text >= 0x20 && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct run run = { 0 };
	struct console console;
	console_open(&console, &run, &arena);
	size_t step = size > 0 && data[0] > 0 ? data[0] : 1;
	for (size_t at = 1; at < size; at += step) {
		size_t left = size - at;
		console_feed(&console, span_of(data + at, left < step ? left : step), (double)at, 0);
		require(console.raw.size <= CONSOLE_LINE_MOST && console.column <= CONSOLE_LINE_MOST);
		require_printable(console_last(&console));
	}
	console_end(&console);
	require(console.line_count >= console.lines.count && console.lines.count <= CONSOLE_LINES_MOST);
	require(console.text_size <= CONSOLE_TEXT_MOST);
	for (size_t i = 0; i < console.lines.count; i++)
		require_printable(console.lines.items[i].text);
	for (size_t i = 0; i < RUN_PHASES; i++)
		if (run.steps[i].reached)
			require_printable(run.steps[i].place.text);
	for (size_t i = 0; i < run.symptoms.count; i++) {
		require(run.symptoms.items[i].name && run.symptoms.items[i].message);
		require_printable(run.symptoms.items[i].place.text);
	}
	console_recent(&console, &run);
	require(run.last_lines.count <= CONSOLE_RECENT_MOST);
	symptoms_came_up(&run);
	console_free(&console);
	arena_free(&arena);
	return 0;
}
