// Lines on a terminal: how wide text is, where it breaks, and what is coloured.
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum style {
	STYLE_PLAIN,
	STYLE_FAIL,
	STYLE_UNKNOWN,
	STYLE_PASS,
	STYLE_DIM, /* labels, and what only frames the rest */
	STYLE_BOLD,
};

struct layout {
	FILE *out;
	unsigned width; /* columns; 0: lines are never broken */
	bool colour;
};

/* Columns that UTF-8 text takes on a terminal; needs LC_CTYPE set to an UTF-8 locale. */
unsigned layout_columns(const char *text);

void layout_styled(const struct layout *layout, enum style style, const char *text);

/* Text, and blanks behind it until `columns` are used. */
void layout_padded(const struct layout *layout, enum style style, const char *text, unsigned columns);

void layout_blanks(const struct layout *layout, unsigned count);

/*
 * Text from the cursor's `column` on to the end of the line. It is broken at blanks; the lines that follow
 * start at `indent`. A word that is wider than a line is left whole, so that paths can be copied.
 */
void layout_wrapped(const struct layout *layout, unsigned column, unsigned indent, const char *text);

/* Text whose lines are never broken, for commands that must survive being copied; later lines start at
 * `indent`. */
void layout_unbroken(const struct layout *layout, unsigned indent, const char *text);
