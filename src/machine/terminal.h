// What of a guest's bytes may reach the terminal of somebody who watches: text, colours, and the cursor's
// moves.
//
// All else that drives a terminal is dropped: what makes it answer (the answer would be typed into the shell
// behind slipway), what sets its title or the clipboard, what leaves it in another mode, character set or
// scrolling region, and bells.
#pragma once

#include "base/span.h"
#include "base/text.h"
#include "machine/sequence.h"

struct terminal {
	struct sequence sequence;
	uint8_t character[4]; /* UTF-8 that is not complete */
	unsigned have, need;
	bool coloured; /* by the last colour that came */
};

/* Adds what is left of `bytes`, which go on where the last ones ended. */
void terminal_filter(struct terminal *terminal, struct span bytes, struct text *out);

/* What brings a terminal back to its own colours; "": it has them. */
const char *terminal_restore(const struct terminal *terminal);
