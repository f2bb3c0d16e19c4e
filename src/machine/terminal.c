#include "machine/terminal.h"

#include <string.h>

/* The final bytes of what moves the cursor, erases, inserts and deletes, and of colours. No privates ("?25l")
 */
#define FINALS     "ABCDEFGHJKLMPX@dfm"
#define PARAMETERS "0123456789;"

static void add_control(struct terminal *terminal, uint8_t final, struct text *out)
{
	const struct sequence *sequence = &terminal->sequence;
	const char *parameters = sequence->parameters;
	if (!sequence->whole || !strchr(FINALS, final) || parameters[strspn(parameters, PARAMETERS)])
		return;
	text_printf(out, "\x1b[%s%c", parameters, final);
	if (final == 'm')
		terminal->coloured = sequence->number > 0;
}

/* Of a byte that begins a character; 0: none does. */
static unsigned length_of(uint8_t byte)
{
	return byte >= 0xc2 && byte < 0xe0   ? 2
	       : byte >= 0xe0 && byte < 0xf0 ? 3
	       : byte >= 0xf0 && byte < 0xf5 ? 4
	                                     : 0;
}

static void add_text(struct terminal *terminal, uint8_t byte, struct text *out)
{
	bool goes_on = (byte & 0xc0) == 0x80 && terminal->have > 0;
	if (terminal->have > 0 && !goes_on) {
		text_add_char(out, '?');
		terminal->have = 0;
	}
	if (byte < 0x80) {
		if ((byte >= 0x20 && byte != 0x7f) || (byte && strchr("\n\r\t\b", byte)))
			text_add_char(out, (char)byte);
		return;
	}
	if (!goes_on) {
		terminal->need = length_of(byte);
		if (terminal->need == 0) {
			text_add_char(out, '?');
			return;
		}
	}
	terminal->character[terminal->have++] = byte;
	if (terminal->have < terminal->need)
		return;
	/* The same test by which reports are made printable: controls and overlong forms are not. */
	struct span character = span_of(terminal->character, terminal->have);
	struct text clean CLEANUP(text_free) = { 0 };
	text_add_clean(&clean, character);
	if (clean.size == character.size)
		text_add_span(out, character);
	else
		text_add_char(out, '?');
	terminal->have = 0;
}

void terminal_filter(struct terminal *terminal, struct span bytes, struct text *out)
{
	for (size_t i = 0; i < bytes.size; i++) {
		enum sequence_found found = sequence_take(&terminal->sequence, bytes.data[i]);
		if (found == SEQUENCE_TEXT)
			add_text(terminal, bytes.data[i], out);
		else if (found == SEQUENCE_CONTROL)
			add_control(terminal, bytes.data[i], out);
	}
}

const char *terminal_restore(const struct terminal *terminal)
{
	return terminal->coloured ? "\x1b[m" : "";
}
