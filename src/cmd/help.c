// The help texts and the guesses at mistyped names.

#include <stdint.h>
#include <string.h>

#include "cmd/options.h"

#define NAME_MAX_LENGTH 64

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to change, add, drop or swap with their neighbour to turn one name into the other. */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned rows[3][NAME_MAX_LENGTH + 1];
	size_t width = strlen(b);
	for (size_t j = 0; j <= width; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= width; j++) {
			row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]),
			               least(above[j] + 1, row[j - 1] + 1));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[strlen(a) % 3][width];
}

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	if (length > NAME_MAX_LENGTH || length < 2)
		return NULL;
	/* One slip in three letters: "chek" is check, "foo" is nothing. */
	unsigned best = (unsigned)(length / 3 > 0 ? length / 3 : 1) + 1;
	for (size_t i = 0; i < count; i++) {
		if (strlen(names[i]) > NAME_MAX_LENGTH)
			continue;
		unsigned distance = edit_distance(word, names[i]);
		/* The beginning of a name, or what stands behind its first dot, is as good as a slip. */
		if (str_starts(names[i], word) || (length >= 4 && strstr(names[i], word)))
			distance = least(distance, 1);
		if (distance < best) {
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}

static void print_option(FILE *out, const struct option_row *row)
{
	char left[48];
	if (row->letter)
		snprintf(left, sizeof(left), "-%c, --%s%s%s", row->letter, row->name,
		         row->argument ? "=" : "", row->argument ? row->argument : "");
	else
		snprintf(left, sizeof(left), "    --%s%s%s", row->name, row->argument ? "=" : "",
		         row->argument ? row->argument : "");
	fprintf(out, "  %-23s  %s\n", left, row->help);
}

/* Its options that say how to boot, and the others, or one of both. */
static void print_options(FILE *out, const struct command *command, bool of_boot, bool others)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if (row->commands >> command->id & 1 && (row->commands & OPTION_OF_BOOT ? of_boot : others))
			print_option(out, row);
}

void options_help(FILE *out, const struct command *command)
{
	bool top = command->id == COMMAND_NONE;
	fprintf(out, "Usage: slipway%s%s%s%s\n\n", *command->name ? " " : "", command->name,
	        *command->operands ? " " : "", command->operands);
	if (top) {
		fprintf(out, "%s\n\nCommands:\n", command->summary);
		for (const struct command *each = commands + 1; each->name; each++)
			fprintf(out, "  %-23s  %s\n", each->name, each->summary);
	} else {
		/* The summary is a part of the list above: here it is a sentence. */
		fprintf(out, "%c%s.\n", command->summary[0] - 'a' + 'A', command->summary + 1);
	}
	if (command->details)
		fprintf(out, "\n%s\n", command->details);
	fputs("\nOptions:\n", out);
	bool apart = command->id == COMMAND_CHECK;
	print_options(out, command, !apart, true);
	if (apart) {
		fputs("\nOptions with --boot:\n", out);
		print_options(out, command, true, false);
	}
	if (top)
		fputs("\n'slipway COMMAND --help' says more of a command, and slipway(1) of all.\n", out);
}
