#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "boot/grub_machine.h"

/* Longest line that is quoted as evidence. */
#define LINE_MAX_QUOTED 1024

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

const char *grub_reason(struct grub_machine *machine, const char *format, ...)
{
	char what[256];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	if (!machine->source)
		return arena_strdup(machine->arena, what);
	return arena_printf(machine->arena, "%s:%" PRIu64 ": %s", file_name(machine->source->path),
	                    machine->line, what);
}

/* The text of a line; empty behind the last one. */
static struct span find_line(struct grub_machine *machine, const struct grub_source *source, uint64_t line)
{
	struct grub_cursor start = { 1, source->text };
	struct grub_cursor *cursor = source->cursor ? source->cursor : &start;
	if (cursor->line == 0 || cursor->line > line)
		*cursor = start;
	uint64_t before = cursor->line;
	struct span rest = cursor->rest, text = { 0 };
	while (span_next_line(&rest, &text) && cursor->line < line) {
		*cursor = (struct grub_cursor){ cursor->line + 1, rest };
		text = (struct span){ 0 };
	}
	(void)grub_spend(machine, (cursor->line - before) / 64);
	return span_trim(text);
}

struct place grub_place(struct grub_machine *machine, const struct grub_source *source, uint64_t line)
{
	struct place place = { 0 };
	if (!source)
		return place;
	place.partition = source->partition;
	place.path = source->path;
	place.line = line;
	struct span text = find_line(machine, source, line);
	if (text.size > LINE_MAX_QUOTED)
		text.size = LINE_MAX_QUOTED;
	place.text = arena_string(machine->arena, text);
	return place;
}

void grub_problem(struct grub_machine *machine, const char *code, const char *message, struct place place)
{
	if (machine->out->problems.count >= GRUB_PROBLEMS_MAX)
		return;
	for (size_t i = 0; i < machine->out->problems.count; i++)
		if (str_equal(machine->out->problems.items[i].message, message))
			return;
	*LIST_ADD(machine->arena, &machine->out->problems) =
		(struct problem){ .code = code, .message = message, .place = place };
}

static int digit_of(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return INT_MAX;
}

long grub_number(const char *text, const char **end)
{
	const char *at = text + strspn(text, " \t\n\v\f\r");
	int base = 10;
	if (at[0] == '0' && at[1] == 'x') {
		base = 16;
		at += 2;
	} else if (at[0] == '0' && at[1] >= '0' && at[1] <= '7') {
		base = 8;
	}
	*end = text;
	long value = 0;
	for (; digit_of(*at) < base; at++) {
		if (value > (INT_MAX - digit_of(*at)) / base) {
			*end = text;
			return 0;
		}
		value = value * base + digit_of(*at);
		*end = at + 1;
	}
	return value;
}
