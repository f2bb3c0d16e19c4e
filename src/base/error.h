// What went wrong, as one object: a code to decide by and one clear sentence to show.
//
// Functions that can fail return bool and take `struct error *` last: false means that *error is
// filled. A caller adds where it happened with error_wrap() and passes it on.
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

enum error_code {
	ERROR_NONE,
	ERROR_CORRUPT,     /* the bytes contradict their format */
	ERROR_TRUNCATED,   /* the input ends before what it promises */
	ERROR_NOT_FOUND,   /* no such file, entry, partition */
	ERROR_UNSUPPORTED, /* a sound thing that we cannot read */
	ERROR_LIMIT,       /* a budget is used up: the input asks for too much work */
	ERROR_IO,          /* the system refused: open, read, seek */
	ERROR_USAGE,       /* the caller's words are off */
};

struct error {
	enum error_code code;
	char message[480]; /* one sentence, no full stop, no newline */
};

/* Fills *error and returns false, so that a function can `return error_set(...)`. */
bool error_set(struct error *error, enum error_code code, const char *format, ...) PRINTF(3, 4);

/* Puts "context: " in front of the message; keeps the code; returns false. */
bool error_wrap(struct error *error, const char *format, ...) PRINTF(2, 3);

void error_clear(struct error *error);
