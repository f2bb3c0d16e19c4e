// Terminal sequences in what a guest says, told from its text. Shared by the console, which reads the text,
// and the copy for those who watch.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A sequence that is longer is none: the guest must not swallow what comes by opening one. */
#define SEQUENCE_MOST 512

/* Parameters that are kept: "1;31" */
#define SEQUENCE_PARAMETERS 24

enum sequence_found {
	SEQUENCE_TEXT,    /* the byte belongs to none */
	SEQUENCE_INSIDE,  /* it belongs to one */
	SEQUENCE_CONTROL, /* it ends ESC [ parameters final: see `parameters`; the byte is `final` */
	SEQUENCE_RESET,   /* it ends ESC c, which starts the terminal anew */
};

struct sequence {
	int state;
	unsigned length;
	unsigned number; /* the digits of the parameters as one number */
	char parameters[SEQUENCE_PARAMETERS + 1];
	unsigned count;
	bool whole; /* no parameter was too much to be kept */
};

enum sequence_found sequence_take(struct sequence *sequence, uint8_t byte);

/* A sequence that stands half is forgotten. */
void sequence_forget(struct sequence *sequence);
