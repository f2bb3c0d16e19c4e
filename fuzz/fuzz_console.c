// What a guest says on its console. The first byte is how many bytes come at a time.
#include <string.h>

#include "machine/console.h"
#include "machine/terminal.h"

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

/* Text, and of sequences those that colour and move, are shown to those who watch. */
static void check_shown(struct span shown)
{
	for (size_t i = 0; i < shown.size; i++) {
		uint8_t byte = shown.data[i];
		require((byte >= 0x20 && byte != 0x7f) || strchr("\n\r\t\b\x1b", byte));
		require(byte != 0xc2 || (i + 1 < shown.size && shown.data[i + 1] >= 0xa0));
		if (byte != 0x1b)
			continue;
		require(++i < shown.size && shown.data[i] == '[');
		while (++i < shown.size && shown.data[i] && strchr("0123456789;", shown.data[i]))
			;
		require(i < shown.size && shown.data[i] && strchr("ABCDEFGHJKLMPX@dfm", shown.data[i]));
	}
}

static void show(const uint8_t *data, size_t size, size_t step)
{
	struct terminal terminal = { 0 };
	struct text shown CLEANUP(text_free) = { 0 };
	for (size_t at = 1; at < size; at += step)
		terminal_filter(&terminal, span_of(data + at, size - at < step ? size - at : step), &shown);
	require(shown.size <= size + SEQUENCE_PARAMETERS);
	check_shown(span_of(shown.data, shown.size));
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
	/* The work grows with the bytes, whatever they are. */
	require(console.looked <= 48 * console.bytes + 2 * CONSOLE_LINE_MOST);
	show(data, size, step);
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
