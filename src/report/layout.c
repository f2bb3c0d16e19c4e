#include "report/layout.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

static const char *const escapes[] = {
	[STYLE_FAIL] = "\033[1;31m", [STYLE_UNKNOWN] = "\033[33m", [STYLE_PASS] = "\033[32m",
	[STYLE_DIM] = "\033[2m",     [STYLE_BOLD] = "\033[1m",
};

/*
 * Takes one character off the front of *text. Any byte that is no UTF-8 is taken as a character of its own:
 * what is printed is clean by then, and a wrong width only breaks a line too early.
 */
static wchar_t next_character(const char **text)
{
	const unsigned char *bytes = (const unsigned char *)*text;
	unsigned length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
	uint32_t character = length == 1 ? bytes[0] : bytes[0] & (0xffu >> (length + 1));
	for (unsigned i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80) {
			length = 1;
			character = bytes[0];
			break;
		}
		character = character << 6 | (bytes[i] & 0x3fu);
	}
	*text += length;
	return (wchar_t)character;
}

static unsigned columns_until(const char *text, const char *end)
{
	unsigned columns = 0;
	while (text < end) {
		int width = wcwidth(next_character(&text));
		columns += width < 0 ? 1 : (unsigned)width;
	}
	return columns;
}

unsigned layout_columns(const char *text)
{
	return columns_until(text, text + strlen(text));
}

void layout_styled(const struct layout *layout, enum style style, const char *text)
{
	bool styled = layout->colour && style != STYLE_PLAIN;
	if (styled)
		fputs(escapes[style], layout->out);
	fputs(text, layout->out);
	if (styled)
		fputs("\033[0m", layout->out);
}

void layout_blanks(const struct layout *layout, unsigned count)
{
	fprintf(layout->out, "%*s", (int)count, "");
}

void layout_padded(const struct layout *layout, enum style style, const char *text, unsigned columns)
{
	unsigned used = layout_columns(text);
	layout_styled(layout, style, text);
	if (used < columns)
		layout_blanks(layout, columns - used);
}

void layout_wrapped(const struct layout *layout, unsigned column, unsigned indent, const char *text)
{
	bool first = true;
	while (*text) {
		if (*text == ' ') {
			text++;
			continue;
		}
		if (*text == '\n') {
			text++;
			fputc('\n', layout->out);
			layout_blanks(layout, indent);
			column = indent;
			first = true;
			continue;
		}
		const char *end = text + strcspn(text, " \n");
		unsigned wide = columns_until(text, end);
		if (!first && layout->width && column + 1 + wide > layout->width) {
			fputc('\n', layout->out);
			layout_blanks(layout, indent);
			column = indent;
		} else if (!first) {
			fputc(' ', layout->out);
			column++;
		}
		fwrite(text, 1, (size_t)(end - text), layout->out);
		column += wide;
		first = false;
		text = end;
	}
	fputc('\n', layout->out);
}

void layout_unbroken(const struct layout *layout, unsigned indent, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, "\n");
		fwrite(text, 1, length, layout->out);
		fputc('\n', layout->out);
		text += length;
		if (!*text)
			return;
		text++;
		layout_blanks(layout, indent);
	}
}
