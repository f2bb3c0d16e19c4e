// A wanted value, as policies write it: "y", "1", ">=65536".
#pragma once

#include "base/arena.h"
#include "base/error.h"

enum compare {
	COMPARE_EQUAL,
	COMPARE_AT_LEAST,
};

struct want {
	enum compare compare;
	const char *value; /* without the ">=" */
	bool numeric;
	int64_t number; /* when numeric */
};

/* Numbers as the kernel reads them: a sign, decimal, 0x or 0. False for anything else. */
NODISCARD bool number_read(const char *text, int64_t *out);

/* False for an empty value and for a ">=" without a number. */
NODISCARD bool want_parse(const char *text, struct arena *arena, struct want *out);

/* Does `value` meet it? Numbers are compared as numbers. */
bool want_met(const struct want *want, const char *value);

/* "y", "65536 or more": for people. */
const char *want_text(const struct want *want, struct arena *arena);
