#include "machine/sequence.h"

#include <string.h>

/* ECMA-48: ESC [ parameters final, ESC ] text BEL, ESC letter. */
enum state {
	STATE_NONE,
	STATE_BEGUN,   /* behind ESC */
	STATE_CHARSET, /* behind ESC ( and its like: one more */
	STATE_CONTROL, /* behind ESC [ */
	STATE_STRING,  /* behind ESC ] and its like, until BEL or ESC \ */
};

void sequence_forget(struct sequence *sequence)
{
	sequence->state = STATE_NONE;
}

static enum sequence_found begin(struct sequence *sequence, uint8_t byte)
{
	*sequence = (struct sequence){ .whole = true };
	if (byte == '[')
		sequence->state = STATE_CONTROL;
	else if (byte && strchr("]PX^_", byte))
		sequence->state = STATE_STRING;
	else
		sequence->state = byte >= 0x20 && byte <= 0x2f ? STATE_CHARSET : STATE_NONE;
	return byte == 'c' ? SEQUENCE_RESET : SEQUENCE_INSIDE;
}

static enum sequence_found control(struct sequence *sequence, uint8_t byte)
{
	if (byte >= 0x40) {
		sequence->state = STATE_NONE;
		return SEQUENCE_CONTROL;
	}
	if (byte >= '0' && byte <= '9' && sequence->number < 10000)
		sequence->number = sequence->number * 10 + (unsigned)(byte - '0');
	sequence->whole = sequence->whole && sequence->count < SEQUENCE_PARAMETERS;
	if (sequence->whole)
		sequence->parameters[sequence->count++] = (char)byte;
	return SEQUENCE_INSIDE;
}

enum sequence_found sequence_take(struct sequence *sequence, uint8_t byte)
{
	if (byte == 0x1b) {
		sequence->state = STATE_BEGUN;
		return SEQUENCE_INSIDE;
	}
	if (sequence->state == STATE_NONE)
		return SEQUENCE_TEXT;
	/* A new line ends what somebody forgot to end; CAN and SUB do by definition. */
	if (byte == '\n' || byte == '\r' || byte == 0x18 || byte == 0x1a ||
	    ++sequence->length > SEQUENCE_MOST) {
		sequence->state = STATE_NONE;
		return SEQUENCE_TEXT;
	}
	switch (sequence->state) {
	case STATE_BEGUN:
		return begin(sequence, byte);
	case STATE_CONTROL:
		return control(sequence, byte);
	case STATE_STRING:
		if (byte == 0x07)
			sequence->state = STATE_NONE;
		return SEQUENCE_INSIDE;
	default:
		sequence->state = STATE_NONE;
		return SEQUENCE_INSIDE;
	}
}
