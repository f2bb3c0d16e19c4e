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

/*
 * error_set(error, code, format, ...) fills *error; error_wrap(error, format, ...) puts "context: " in front
 * of its message and keeps the code. Both are false, so that a function can `return error_set(...)`: macros,
 * because a compiler that sees the constant knows that nothing behind it runs.
 */
#define error_set(error, ...)  (error_fill((error), __VA_ARGS__), false)
#define error_wrap(error, ...) (error_add_context((error), __VA_ARGS__), false)

void error_fill(struct error *error, enum error_code code, const char *format, ...) PRINTF(3, 4);
void error_add_context(struct error *error, const char *format, ...) PRINTF(2, 3);

void error_clear(struct error *error);
