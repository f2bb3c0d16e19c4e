// A policy file as sections and settings, before anything of it means anything.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

#define POLICY_MOST (1u << 20) /* largest policy file, bytes */

/* "Key=value"; continuation lines are joined to the value by a blank. */
struct setting {
	const char *key;
	const char *value;
	unsigned line;
	bool used; /* by the rule made of it: what is left over is no key that we know */
};

struct section {
	const char *name;
	unsigned line;
	LIST(struct setting) settings;
};

struct document {
	const char *name; /* of the file, for messages */
	LIST(struct section) sections;
};

/* Reads the text. Errors name file and line; a section or a key that is there twice is one. */
NODISCARD bool document_read(struct span text, const char *name, struct arena *arena, struct document *out,
                             struct error *error);

/* Fills *error with "file:line: sentence" and returns false. */
bool document_error(const struct document *document, unsigned line, struct error *error, const char *format,
                    ...) PRINTF(4, 5);

/* The setting, marked as used; NULL when the section has none of that key. */
struct setting *section_take(struct section *section, const char *key);
