#include "boot/bls.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

static struct span without_leading_blanks(struct span text)
{
	size_t at = 0;
	while (at < text.size && (text.data[at] == ' ' || text.data[at] == '\t'))
		at++;
	return span_from(text, at);
}

/* Where the key ends: for GRUB the first blank, and only where there is none, the first tab. */
static size_t key_length(struct span line, enum bls_reader reader)
{
	size_t blank = span_find(line, 0, " ", 1), tab = span_find(line, 0, "\t", 1);
	if (reader == BLS_GRUB)
		return blank != SIZE_MAX ? blank : tab;
	return blank < tab ? blank : tab;
}

static struct span without_quotes(struct span value)
{
	bool quoted = value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"';
	return quoted ? span_of(value.data + 1, value.size - 2) : value;
}

void bls_parse(struct span text, enum bls_reader reader, struct arena *arena, struct bls_keys *out)
{
	struct span line, key;
	*out = (struct bls_keys){ 0 };
	for (uint64_t number = 1; span_next_line(&text, &line); number++) {
		line = reader == BLS_GRUB ? without_leading_blanks(line) : span_trim(line);
		if (line.size > 0 && line.data[0] == '#')
			continue;
		size_t length = key_length(line, reader);
		if (length == SIZE_MAX || length + 1 == line.size) {
			if (reader == BLS_GRUB)
				return;
			continue;
		}
		struct span value = without_leading_blanks(span_from(line, length));
		if (!span_slice(line, 0, length, &key))
			continue;
		*LIST_ADD(arena, &out->list) = (struct bls_key){
			.key = arena_string(arena, key),
			.value = arena_string(arena, reader == BLS_SYSTEMD ? without_quotes(value) : value),
			.line = number,
		};
	}
}

const struct bls_key *bls_get(const struct bls_keys *keys, const char *key, size_t n)
{
	for (size_t i = 0; i < keys->list.count; i++)
		if (str_equal(keys->list.items[i].key, key) && n-- == 0)
			return &keys->list.items[i];
	return NULL;
}

const struct bls_key *bls_last(const struct bls_keys *keys, const char *key)
{
	const struct bls_key *last = NULL, *next;
	for (size_t n = 0; (next = bls_get(keys, key, n)); n++)
		last = next;
	return last;
}

bool bls_is_entry_name(const char *name)
{
	return name[0] != '.' && str_ends(name, ".conf") && strlen(name) > strlen(".conf");
}

static int sign(long difference)
{
	return difference > 0 ? 1 : difference < 0 ? -1 : 0;
}

static size_t count_digits(struct span text)
{
	size_t count = 0;
	while (count < text.size && isdigit(text.data[count]))
		count++;
	return count;
}

static size_t count_letters(struct span text)
{
	size_t count = 0;
	while (count < text.size && isalpha(text.data[count]))
		count++;
	return count;
}

/* Byte by byte, and the longer one behind its own beginning. */
static int compare_bytes(struct span a, struct span b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int difference = common > 0 ? memcmp(a.data, b.data, common) : 0;
	return difference ? sign(difference) : sign((long)a.size - (long)b.size);
}

static int compare_numbers(struct span a, struct span b)
{
	while (a.size > 0 && a.data[0] == '0')
		a = span_from(a, 1);
	while (b.size > 0 && b.data[0] == '0')
		b = span_from(b, 1);
	return a.size != b.size ? sign((long)a.size - (long)b.size) : compare_bytes(a, b);
}

static uint8_t first_of(struct span text)
{
	return text.size > 0 ? text.data[0] : 0;
}

static bool parts_segments(uint8_t character)
{
	return !isalnum(character) && character != '~' && character != '+';
}

/* '~' at the front of one is older than all, '+' than all but the end; at both fronts it is passed. */
static bool pass_rpm_mark(struct span *a, struct span *b, uint8_t mark, int *order)
{
	bool in_a = first_of(*a) == mark, in_b = first_of(*b) == mark;
	bool at_end = a->size == 0 || b->size == 0;
	*order = 0;
	if (in_a != in_b)
		*order = in_a == (mark == '+' && at_end) ? 1 : -1;
	if (in_a && in_b) {
		*a = span_from(*a, 1);
		*b = span_from(*b, 1);
	}
	return in_a || in_b;
}

/* RPM's order: segments of digits or of letters, all else only parts them; a number is newer than letters. */
static int compare_rpm(struct span a, struct span b)
{
	int order = 0;
	while (order == 0 && (a.size > 0 || b.size > 0)) {
		while (a.size > 0 && parts_segments(a.data[0]))
			a = span_from(a, 1);
		while (b.size > 0 && parts_segments(b.data[0]))
			b = span_from(b, 1);
		if (pass_rpm_mark(&a, &b, '~', &order) || pass_rpm_mark(&a, &b, '+', &order))
			continue;
		if (a.size == 0 || b.size == 0)
			break;
		bool number = isdigit(a.data[0]);
		if (number != (isdigit(b.data[0]) != 0))
			return number ? 1 : -1;
		struct span in_a = span_of(a.data, number ? count_digits(a) : count_letters(a));
		struct span in_b = span_of(b.data, number ? count_digits(b) : count_letters(b));
		order = number ? compare_numbers(in_a, in_b) : compare_bytes(in_a, in_b);
		a = span_from(a, in_a.size);
		b = span_from(b, in_b.size);
	}
	return order ? order : (a.size > 0) - (b.size > 0);
}

/* "name-version-release"; of fewer parts the last ones are missing. */
static void split_id(const char *id, struct span parts[3])
{
	struct span text = span_text(id);
	size_t release = SIZE_MAX, version = SIZE_MAX;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != '-')
			continue;
		version = release;
		release = i;
	}
	memset(parts, 0, 3 * sizeof(*parts));
	if (release == SIZE_MAX) {
		parts[0] = text;
		return;
	}
	size_t name = version != SIZE_MAX ? version : release;
	parts[0] = span_of(text.data, name);
	parts[1] = span_of(text.data + name + 1, (version != SIZE_MAX ? release : text.size) - name - 1);
	if (version != SIZE_MAX)
		parts[2] = span_from(text, release + 1);
}

int bls_compare_ids(const char *a, const char *b)
{
	struct span in_a[3], in_b[3];
	int order = 0;
	split_id(a, in_a);
	split_id(b, in_b);
	for (size_t i = 0; i < 3 && order == 0; i++)
		order = compare_rpm(in_a[i], in_b[i]);
	return order;
}

/* Drops what is no part of a version. */
static struct span to_version(struct span text)
{
	while (text.size > 0 && !isalnum(text.data[0]) && !strchr("~-^.", text.data[0]))
		text = span_from(text, 1);
	return text;
}

/* Both begin with `mark`: passed; one alone: that one is older. */
static int pass_mark(struct span *a, struct span *b, uint8_t mark)
{
	bool in_a = first_of(*a) == mark, in_b = first_of(*b) == mark;
	if (in_a != in_b)
		return in_a ? -1 : 1;
	if (in_a) {
		*a = span_from(*a, 1);
		*b = span_from(*b, 1);
	}
	return 0;
}

/* The next segments of both, taken off their fronts. */
static int compare_segments(struct span *a, struct span *b)
{
	bool number = isdigit(first_of(*a)) || isdigit(first_of(*b));
	struct span in_a = span_of(a->data, number ? count_digits(*a) : count_letters(*a));
	struct span in_b = span_of(b->data, number ? count_digits(*b) : count_letters(*b));
	*a = span_from(*a, in_a.size);
	*b = span_from(*b, in_b.size);
	if (number && (in_a.size > 0) != (in_b.size > 0))
		return in_a.size > 0 ? 1 : -1;
	return number ? compare_numbers(in_a, in_b) : compare_bytes(in_a, in_b);
}

int bls_compare_versions(const char *a, const char *b)
{
	struct span in_a = span_text(a), in_b = span_text(b);
	for (;;) {
		in_a = to_version(in_a);
		in_b = to_version(in_b);
		int order = pass_mark(&in_a, &in_b, '~');
		if (order)
			return order;
		if (in_a.size == 0 || in_b.size == 0)
			return (in_a.size > 0) - (in_b.size > 0);
		for (const char *mark = "-^."; *mark; mark++)
			if ((order = pass_mark(&in_a, &in_b, (uint8_t)*mark)))
				return order;
		order = compare_segments(&in_a, &in_b);
		if (order)
			return order;
	}
}
