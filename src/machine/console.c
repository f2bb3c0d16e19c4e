#include "machine/console.h"

#include <stdlib.h>
#include <string.h>

/* Of the firmware's text screen: behind the last row it scrolls. */
#define SCREEN_ROWS 25

/*
 * What a guest may have looked at again and again: a line that is written over from its front on, once a
 * quarter as many bytes came as it has; and how far a line goes in one jump. A look at a long line takes half
 * a millisecond.
 */
#define LOOK_AGAIN 4
#define JUMP_MOST  80

/* A guest that talks without end does not fill the disk. */
#define LOG_MOST ((uint64_t)64 << 20)
#define LOG_END  "(so much for this log: the guest says more than 64 MiB)\n"

void console_open(struct console *console, struct run *run, struct arena *arena)
{
	*console = (struct console){ .arena = arena, .run = run, .log.file = -1 };
}

void console_free(struct console *console)
{
	text_free(&console->raw);
	text_free(&console->last);
	for (size_t i = 0; i < CONSOLE_RECENT_MOST; i++)
		text_free(&console->recent[i]);
}

/* The line that stands, printable, without blanks at its end. */
static const char *cleaned(struct console *console)
{
	struct span line = span_of(text_get(&console->raw), console->raw.size);
	while (line.size > 0 && line.data[line.size - 1] == ' ')
		line.size--;
	text_clear(&console->last);
	text_add_clean(&console->last, line);
	return text_get(&console->last);
}

static void write_log(struct console *console, struct span line)
{
	console->logged += line.size;
	bool last = console->logged > LOG_MOST;
	log_write(&console->log, last ? span_text(LOG_END) : line);
	if (last)
		console->log.file = -1;
}

static void keep(struct console *console, const char *line)
{
	size_t size = strlen(line);
	if (console->lines.count < CONSOLE_LINES_MOST && size <= CONSOLE_TEXT_MOST - console->text_size) {
		struct console_line *kept = LIST_ADD(console->arena, &console->lines);
		*kept = (struct console_line){ arena_strdup(console->arena, line), console->seconds };
		console->text_size += size;
	}
	struct text *recent = &console->recent[console->line_count % CONSOLE_RECENT_MOST];
	text_clear(recent);
	text_add(recent, line);
	text_add(recent, "\n");
	write_log(console, span_of(recent->data, recent->size));
	recent->data[--recent->size] = 0;
}

/* What the line that stands says, `complete` or not. */
static void look(struct console *console, bool complete)
{
	const char *line = cleaned(console);
	console->looked += complete ? console->raw.size : 0;
	if (!*line)
		return;
	bool phase = console_read_phase(console, line, complete);
	bool symptom = console_read_symptom(console, line, complete);
	if (phase || symptom)
		console->noted = true;
}

/*
 * Is a line new? Of one that counts, names the time or shows an address the letters alone are compared. Two lines
 * that share a bit cost a second of patience somewhere, no more.
 */
static void count_news(struct console *console, struct span line)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	size_t letters = 0;
	for (size_t i = 0; i < line.size; i++) {
		uint8_t letter = line.data[i] | 0x20;
		if (letter < 'a' || letter > 'z')
			continue;
		hash = (hash ^ letter) * 16777619u;
		letters++;
	}
	hash = (hash ^ hash >> 16) % CONSOLE_KNOWN;
	if (letters == 0 || console->known[hash / 8] & 1u << hash % 8)
		return;
	console->known[hash / 8] |= (uint8_t)(1u << hash % 8);
	console->news++;
}

static void end_line(struct console *console)
{
	look(console, true);
	const char *line = cleaned(console);
	struct span words = span_text(line);
	/* What it waits for may be new; for how long it does is not. */
	(void)console_read_job(console, line, &words);
	count_news(console, words);
	keep(console, line);
	console->line_count++;
	text_clear(&console->raw);
	console->column = 0;
	console->noted = false;
}

/* The cursor goes elsewhere: what stands is a line, unless nothing does. */
static void leave_line(struct console *console)
{
	if (*cleaned(console))
		end_line(console);
	text_clear(&console->raw);
	console->column = 0;
	console->row = 0;
}

/* Does a letter begin with it? Those of UTF-8 have several bytes, and take one column. */
static bool begins_letter(uint8_t byte)
{
	return (byte & 0xc0) != 0x80;
}

/* Columns of the screen that the first `bytes` of the line take. */
static size_t columns_of(const struct console *console, size_t bytes)
{
	size_t columns = 0;
	for (size_t i = 0; i < bytes && i < console->raw.size; i++)
		columns += begins_letter((uint8_t)console->raw.data[i]);
	return columns;
}

/* Where the letter behind so many columns begins. */
static size_t bytes_of(const struct console *console, size_t columns)
{
	size_t at = 0;
	for (; at < console->raw.size; at++) {
		bool begins = begins_letter((uint8_t)console->raw.data[at]);
		if (begins && columns == 0)
			break;
		columns -= begins;
	}
	return at;
}

/*
 * ESC [ row ; column H, both from 1. SeaBIOS mirrors the screen of a loader to ttyS0, and says at a timer's
 * pleasure where the cursor is, first one place back, in the midst of a word: "Loa ESC[4;3H ESC[4;4H ding".
 * Nothing is left then. Where no row was told before, the column tells.
 */
static void move_to(struct console *console)
{
	char *end = NULL;
	unsigned long row = strtoul(console->sequence.parameters, &end, 10);
	unsigned long column = *end == ';' ? strtoul(end + 1, &end, 10) : 0;
	size_t before = column > 0 ? column - 1 : 0; /* columns, as the two it is compared with */
	size_t now = columns_of(console, console->column);
	bool near =
		before + 1 >= now && before <= now + 1 && before <= columns_of(console, console->raw.size);
	row += row == 0;
	if (near && row <= SCREEN_ROWS && (console->row == 0 ? now > 0 : row == console->row))
		console->column = bytes_of(console, before);
	else
		leave_line(console);
	console->row = row <= SCREEN_ROWS ? (unsigned)row : 0;
}

static void next_row(struct console *console)
{
	if (console->row > 0)
		console->row = console->row < SCREEN_ROWS ? console->row + 1 : 0;
}

static void put(struct console *console, char byte)
{
	/* Back at the front and written over, as counters are: what stood there counted, too. */
	if (console->column == 0 && console->fresh * LOOK_AGAIN >= console->raw.size &&
	    console->raw.size > 0) {
		look(console, true);
		console->fresh = 0;
		if (console->noted)
			end_line(console);
	}
	if (console->column >= CONSOLE_LINE_MOST)
		end_line(console);
	if (console->column > console->raw.size + JUMP_MOST)
		console->column = console->raw.size + JUMP_MOST;
	while (console->raw.size <= console->column)
		text_add_char(&console->raw, ' ');
	console->raw.data[console->column++] = byte;
	console->fresh++;
}

static void erase_from(struct console *console, size_t column)
{
	if (column >= console->raw.size)
		return;
	if (column == 0)
		look(console, true);
	if (column == 0 && console->noted) {
		end_line(console);
		return;
	}
	console->raw.size = column;
	console->raw.data[column] = 0;
}

/* The end of ESC [ parameters final. */
static void control(struct console *console, char final)
{
	unsigned number = console->sequence.number;
	size_t steps = number ? number : 1;
	switch (final) {
	case 'A':
	case 'B':
	case 'E':
	case 'F':
	case 'd':
		leave_line(console);
		break;
	case 'H':
	case 'f':
		move_to(console);
		break;
	case 'J':
		if (number >= 2) /* the whole screen */
			leave_line(console);
		else if (number == 0)
			erase_from(console, console->column);
		break;
	case 'C':
		console->column += steps;
		if (console->column > CONSOLE_LINE_MOST)
			console->column = CONSOLE_LINE_MOST;
		break;
	case 'D':
		console->column -= steps < console->column ? steps : console->column;
		break;
	case 'G':
		console->column = steps - 1 < CONSOLE_LINE_MOST ? steps - 1 : CONSOLE_LINE_MOST;
		break;
	case 'K':
		if (number != 1) /* from the cursor, or all */
			erase_from(console, number == 2 ? 0 : console->column);
		break;
	default: /* colours, modes, questions */
		break;
	}
}

void console_feed(struct console *console, struct span bytes, double seconds, double cpu_seconds)
{
	console->seconds = seconds;
	console->cpu_seconds = cpu_seconds;
	console->bytes += bytes.size;
	for (size_t i = 0; i < bytes.size; i++) {
		uint8_t byte = bytes.data[i];
		enum sequence_found found = sequence_take(&console->sequence, byte);
		if (found == SEQUENCE_CONTROL)
			control(console, (char)byte);
		if (found == SEQUENCE_RESET)
			leave_line(console);
		if (found != SEQUENCE_TEXT)
			continue;
		if (byte == '\n' || byte == '\f' || byte == '\v') {
			end_line(console);
			next_row(console);
		} else if (byte == '\r')
			console->column = 0;
		else if (byte == '\b')
			console->column -= console->column > 0;
		else if (byte >= 0x20 && byte != 0x7f)
			put(console, (char)byte);
		else if (byte == '\t')
			do
				put(console, ' ');
			while (console->column % 8 != 0);
	}
	/* Prompts end with no newline. */
	look(console, false);
}

void console_restart(struct console *console)
{
	leave_line(console);
	for (int phase = RUN_LOADER; phase < RUN_PHASES; phase++)
		console->run->steps[phase] = (struct run_step){ 0 };
	/* What the boot before showed, or failed at, is nothing that this one did. */
	console->run->symptoms.count = 0;
	console->begin = console->lines.count;
	sequence_forget(&console->sequence);
	console->initrd = CONSOLE_INITRD_UNSEEN;
	console->kernel_spoke = false;
	memset(console->jobs, 0, sizeof(console->jobs));
	/* It says the same again, and that is progress. */
	memset(console->known, 0, sizeof(console->known));
}

void console_end(struct console *console)
{
	leave_line(console);
}

const char *console_find(const struct console *console, size_t from, const char *text, struct place *place)
{
	for (size_t i = from > console->begin ? from : console->begin; i < console->lines.count; i++) {
		const char *line = console->lines.items[i].text;
		if (!strstr(line, text))
			continue;
		if (place)
			*place = (struct place){ .path = RUN_CONSOLE_PATH, .line = i + 1, .text = line };
		return line;
	}
	return NULL;
}

const char *console_last(const struct console *console)
{
	if (*text_get(&console->last))
		return text_get(&console->last);
	for (uint64_t i = 1; i <= CONSOLE_RECENT_MOST && i <= console->line_count; i++) {
		const struct text *line = &console->recent[(console->line_count - i) % CONSOLE_RECENT_MOST];
		if (line->size > 0)
			return text_get(line);
	}
	return "";
}

void console_recent(const struct console *console, struct run *run)
{
	uint64_t first =
		console->line_count > CONSOLE_RECENT_MOST ? console->line_count - CONSOLE_RECENT_MOST : 0;
	run->last_lines.count = 0;
	bool stands = console->raw.size > 0 && *text_get(&console->last);
	for (uint64_t i = first; i < console->line_count; i++) {
		const struct text *line = &console->recent[i % CONSOLE_RECENT_MOST];
		if (line->size > 0 && !(stands && i == first && console->line_count >= CONSOLE_RECENT_MOST))
			*LIST_ADD(console->arena, &run->last_lines) =
				arena_strdup(console->arena, text_get(line));
	}
	if (stands)
		*LIST_ADD(console->arena, &run->last_lines) =
			arena_strdup(console->arena, text_get(&console->last));
}
