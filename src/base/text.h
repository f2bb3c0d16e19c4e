// Strings: a growing buffer, and the few questions asked of C strings.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"

/* A growing string, always terminated. Zero-initialise; text_free() or CLEANUP(text_free). */
struct text {
	char *data; /* owned; NULL while empty */
	size_t size;
	size_t capacity;
};

void text_add(struct text *text, const char *more);
void text_add_span(struct text *text, struct span more);
void text_add_char(struct text *text, char character);
void text_printf(struct text *text, const char *format, ...) PRINTF(2, 3);
const char *text_get(const struct text *text); /* "" while empty */
/* Those of the words, blank between, that the text does not have as words yet. */
void text_add_words(struct text *text, const char *words);
/* Does a list of words, blank between, have this one? NULL has none. */
bool words_have(const char *words, const char *word);
void text_clear(struct text *text);
void text_free(struct text *text);

/* A list of strings that something else owns. */
struct names {
	const char **items;
	size_t count;
};

bool str_equal(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
/* Of UTF-8 as many bytes as `most` holds without cutting a character. */
size_t str_fit(const char *text, size_t most);
/* A word of letters that a shell takes as they are; no option, not empty. */
bool str_is_plain(const char *text);
/* Decimal digits only, the whole string, in range. */
NODISCARD bool str_to_u64(const char *text, uint64_t *out);
/* Like systemd's fnmatch use: *, ?, [...] where '*' does match '/' only if `path` is false. */
bool str_glob(const char *pattern, const char *text, bool path);

/*
 * Does a kernel command line hold this word? `name` alone matches "name" and "name=...". The value
 * ("" without one) of the last such word goes to value[] (cut at its capacity) when value is not NULL.
 */
bool command_line_has(const char *command_line, const char *name, char *value, size_t capacity);

/*
 * Makes untrusted text printable: control characters, DEL, marks of direction (which would show a line in
 * another order) and bytes that are not UTF-8 become \xNN. Used once, where text leaves the worker.
 */
void text_add_clean(struct text *text, struct span untrusted);

/* Orders versions as `sort -V` and the kernel's users do: "6.9" < "6.10", "6.1-rc1" < "6.1". */
int version_compare(const char *a, const char *b);
