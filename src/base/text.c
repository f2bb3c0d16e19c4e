#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/checked.h"

static void reserve(struct text *text, size_t more)
{
	size_t need;
	if (__builtin_add_overflow(text->size, more, &need) || need > SIZE_MAX / 2 - 1)
		abort();
	if (need < text->capacity)
		return;
	size_t larger = text->capacity ? text->capacity : 64;
	while (larger <= need)
		larger *= 2;
	text->data = xrealloc(text->data, larger);
	text->capacity = larger;
}

void text_add_span(struct text *text, struct span more)
{
	reserve(text, more.size);
	if (more.size)
		memcpy(text->data + text->size, more.data, more.size);
	text->size += more.size;
	text->data[text->size] = 0;
}

void text_add(struct text *text, const char *more)
{
	text_add_span(text, span_text(more));
}

void text_add_char(struct text *text, char character)
{
	text_add_span(text, span_of(&character, 1));
}

static bool has_word(const char *words, const char *word, size_t length)
{
	for (const char *at = words; *at;) {
		size_t its_length = strcspn(at, " ");
		if (its_length == length && strncmp(at, word, length) == 0)
			return true;
		at += its_length;
		at += strspn(at, " ");
	}
	return false;
}

void text_add_words(struct text *text, const char *words)
{
	for (const char *at = words; *at;) {
		size_t length = strcspn(at, " ");
		if (length > 0 && !has_word(text_get(text), at, length)) {
			text_add(text, text->size > 0 ? " " : "");
			text_add_span(text, span_of(at, length));
		}
		at += length;
		at += strspn(at, " ");
	}
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length > 0) {
		reserve(text, (size_t)length);
		vsnprintf(text->data + text->size, (size_t)length + 1, format, again);
		text->size += (size_t)length;
	}
	va_end(again);
}

const char *text_get(const struct text *text)
{
	return text->data ? text->data : "";
}

bool words_have(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words ? words : ""; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (strcspn(at, " ") == length && strncmp(at, word, length) == 0)
			return true;
	return false;
}

void text_clear(struct text *text)
{
	text->size = 0;
	if (text->data)
		text->data[0] = 0;
}

void text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

bool str_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
	size_t length = strlen(text), end = strlen(suffix);
	return length >= end && strcmp(text + length - end, suffix) == 0;
}

size_t str_fit(const char *text, size_t most)
{
	size_t size = strnlen(text, most + 1);
	if (size <= most)
		return size;
	for (size = most; size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80; size--)
		;
	return size;
}

bool str_is_plain(const char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:/=+@-";
	return *text && *text != '-' && text[strspn(text, letters)] == '\0';
}

bool str_to_u64(const char *text, uint64_t *out)
{
	uint64_t value = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (!mul_u64(value, 10, &value) || !add_u64(value, (uint64_t)(*text - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}

bool command_line_has(const char *command_line, const char *name, char *value, size_t capacity)
{
	bool found = false;
	size_t length = strlen(name);
	const char *at = command_line ? command_line : "";
	while (*at) {
		at += strspn(at, " \t\n");
		/* The kernel keeps blanks inside double quotes together, wherever the quotes stand. */
		size_t word = 0;
		bool quoted = false;
		while (at[word] && (quoted || !strchr(" \t\n", at[word]))) {
			if (at[word] == '"')
				quoted = !quoted;
			word++;
		}
		const char *start = at;
		at += word;
		if (word > 0 && *start == '"') {
			start++;
			word--;
		}
		if (word < length || strncmp(start, name, length) != 0)
			continue;
		if (word > length && start[length] != '=')
			continue;
		found = true;
		if (!value || capacity == 0)
			continue;
		const char *begin = word > length ? start + length + 1 : start + word;
		size_t size = (size_t)(start + word - begin), used = 0;
		for (size_t i = 0; i < size && used + 1 < capacity; i++)
			if (begin[i] != '"')
				value[used++] = begin[i];
		value[used] = 0;
	}
	return found;
}

/* Length of the well-formed UTF-8 sequence at the front of `bytes`; 0 when it is none (or an overlong one).
 */
static size_t utf8_length(struct span bytes)
{
	uint8_t first = bytes.data[0];
	size_t length = first < 0x80                    ? 1
	                : first >= 0xc2 && first < 0xe0 ? 2
	                : first >= 0xe0 && first < 0xf0 ? 3
	                : first >= 0xf0 && first < 0xf5 ? 4
	                                                : 0;
	if (length == 0 || length > bytes.size)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((bytes.data[i] & 0xc0) != 0x80)
			return 0;
	if ((first == 0xe0 && bytes.data[1] < 0xa0) || (first == 0xed && bytes.data[1] > 0x9f) ||
	    (first == 0xf0 && bytes.data[1] < 0x90) || (first == 0xf4 && bytes.data[1] > 0x8f))
		return 0;
	return length;
}

/* Marks that change the order of what stands around them: U+061C, U+200E, U+200F, U+202A-E, U+2066-9. */
static bool is_direction(const uint8_t *bytes, size_t length)
{
	if (length == 2)
		return bytes[0] == 0xd8 && bytes[1] == 0x9c;
	if (length != 3 || bytes[0] != 0xe2)
		return false;
	uint8_t last = bytes[2];
	return (bytes[1] == 0x80 && (last == 0x8e || last == 0x8f || (last >= 0xaa && last <= 0xae))) ||
	       (bytes[1] == 0x81 && last >= 0xa6 && last <= 0xa9);
}

void text_add_clean(struct text *text, struct span untrusted)
{
	while (untrusted.size > 0) {
		uint8_t first = untrusted.data[0];
		size_t length = utf8_length(untrusted);
		/* C1 controls (U+0080..U+009F) drive terminals too. */
		bool control = first < 0x20 || first == 0x7f ||
		               (length == 2 && first == 0xc2 && untrusted.data[1] < 0xa0) ||
		               is_direction(untrusted.data, length);
		if (length == 0 || control) {
			size_t bytes = length ? length : 1;
			for (size_t i = 0; i < bytes; i++)
				text_printf(text, first == '\t' ? " " : "\\x%02x", untrusted.data[i]);
			untrusted = span_from(untrusted, bytes);
			continue;
		}
		text_add_span(text, span_of(untrusted.data, length));
		untrusted = span_from(untrusted, length);
	}
}

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* As strverscmp's users expect of versions: '~' and "-rc" sort before the end of the string. */
static int order_of(char character)
{
	if (character == '~')
		return -2;
	if (character == 0)
		return 0;
	if (is_digit(character))
		return 0;
	return (unsigned char)character +
	       ((character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ? 0 : 256);
}

int version_compare(const char *a, const char *b)
{
	while (*a || *b) {
		bool rc_a = str_starts(a, "-rc"), rc_b = str_starts(b, "-rc");
		if (rc_a != rc_b && (rc_a || rc_b))
			return rc_a ? -1 : 1;
		while ((*a && !is_digit(*a)) || (*b && !is_digit(*b))) {
			int difference = order_of(*a) - order_of(*b);
			if (difference != 0)
				return difference < 0 ? -1 : 1;
			a += *a != 0;
			b += *b != 0;
		}
		a += strspn(a, "0");
		b += strspn(b, "0");
		size_t digits_a = strspn(a, "0123456789"), digits_b = strspn(b, "0123456789");
		if (digits_a != digits_b)
			return digits_a < digits_b ? -1 : 1;
		int difference = strncmp(a, b, digits_a);
		if (difference != 0)
			return difference < 0 ? -1 : 1;
		a += digits_a;
		b += digits_b;
	}
	return 0;
}

/* One bracket expression at `*pattern` (behind its '['); moves it behind the ']'. -1: not closed, a literal
 * '['.
 */
static int match_bracket(const char **pattern, char character)
{
	const char *at = *pattern;
	bool negated = *at == '!' || *at == '^';
	if (negated)
		at++;
	bool matched = false;
	for (bool first = true; *at && (first || *at != ']'); first = false) {
		unsigned char low = (unsigned char)*at, high = low;
		if (at[1] == '-' && at[2] && at[2] != ']') {
			high = (unsigned char)at[2];
			at += 2;
		}
		at++;
		if ((unsigned char)character >= low && (unsigned char)character <= high)
			matched = true;
	}
	if (*at != ']')
		return -1;
	*pattern = at + 1;
	return matched != negated;
}

bool str_glob(const char *pattern, const char *text, bool path)
{
	const char *star = NULL, *retry = NULL;
	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
			continue;
		}
		const char *next = pattern + 1;
		bool matched = false;
		if (!*text) {
			if (!*pattern)
				return true;
		} else if (*pattern == '[' && !(path && *text == '/')) {
			next = pattern + 1;
			int in = match_bracket(&next, *text);
			matched = in < 0 ? *text == '[' : in > 0;
		} else if (*pattern == '?') {
			matched = !(path && *text == '/');
		} else {
			if (*pattern == '\\' && pattern[1])
				next = ++pattern + 1;
			matched = *pattern && *pattern == *text;
		}
		if (matched) {
			pattern = next;
			text++;
		} else if (star && *retry && !(path && *retry == '/')) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
}
