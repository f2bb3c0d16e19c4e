// Extended headers of POSIX.1-2001 (pax): records "LENGTH KEY=VALUE\n" that replace or add to the fields of
// the header behind them, and GNU tar's keys for sparse files (its manual, "Storing Sparse Files").
#include <string.h>

#include "base/checked.h"
#include "disk/tar_private.h"

/* Decimal digits up to the end or `until`, which is taken off too. */
static bool take_number(struct span *rest, char until, uint64_t *out)
{
	uint64_t value = 0;
	size_t at = 0;
	for (; at < rest->size && rest->data[at] >= '0' && rest->data[at] <= '9'; at++)
		if (!mul_u64(value, 10, &value) || !add_u64(value, (uint64_t)(rest->data[at] - '0'), &value))
			return false;
	if (at == 0 || (at < rest->size && rest->data[at] != (uint8_t)until))
		return false;
	*rest = span_from(*rest, at + 1);
	*out = value;
	return true;
}

static bool whole_number(struct span value, uint64_t *out)
{
	return take_number(&value, '\0', out) && value.size == 0;
}

/* Seconds with an optional fraction and sign; the fraction is not kept. */
static bool seconds(struct span value, int64_t *out)
{
	bool negative = span_has(value, 0, "-", 1);
	uint64_t whole;
	struct span digits = span_from(value, negative ? 1 : 0);
	if (!take_number(&digits, '.', &whole) || whole > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)whole : (int64_t)whole;
	return true;
}

/* Format 0.1: all extents in one value, "offset,length,offset,length". */
static bool map_record(struct tar_walk *walk, struct span value, struct tar_overrides *into,
                       struct error *error)
{
	while (value.size > 0) {
		uint64_t logical, length;
		if (!take_number(&value, ',', &logical) || !take_number(&value, ',', &length))
			return tar_error(error, walk->offset, "has a sparse map that is no list of numbers");
		if (!tar_sparse_add(walk, logical, length, error))
			return false;
	}
	into->has_map = true;
	return true;
}

/* Keys with a number, where a member of tar_overrides takes it. */
static bool number_record(struct span key, struct span value, struct tar_overrides *into, bool *sound)
{
	const struct {
		const char *key;
		bool *given;
		uint64_t *value;
	} keys[] = {
		{ "size", &into->size.given, &into->size.value },
		{ "uid", &into->uid.given, &into->uid.value },
		{ "gid", &into->gid.given, &into->gid.value },
		{ "GNU.sparse.major", &into->sparse_major.given, &into->sparse_major.value },
		{ "GNU.sparse.minor", &into->sparse_minor.given, &into->sparse_minor.value },
		{ "GNU.sparse.size", &into->sparse_size.given, &into->sparse_size.value },
		{ "GNU.sparse.realsize", &into->sparse_size.given, &into->sparse_size.value },
	};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!span_equal_text(key, keys[i].key))
			continue;
		*keys[i].given = value.size > 0; /* without a value the header's field holds again */
		*sound = value.size == 0 || whole_number(value, keys[i].value);
		return true;
	}
	return false;
}

static bool text_record(struct tar_walk *walk, struct span key, struct span value, struct tar_overrides *into)
{
	const struct {
		const char *key;
		const char **value;
	} keys[] = {
		{ "path", &into->path },
		{ "linkpath", &into->link },
		{ "GNU.sparse.name", &into->sparse_name },
	};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!span_equal_text(key, keys[i].key))
			continue;
		*keys[i].value = value.size > 0 ? arena_string(walk->arena, value) : NULL;
		return true;
	}
	return false;
}

static bool take_record(struct tar_walk *walk, struct span key, struct span value, struct tar_overrides *into,
                        struct error *error)
{
	/* What says how one member is stored has no place in a header for all. */
	if (into == &walk->global && span_has(key, 0, "GNU.sparse.", strlen("GNU.sparse.")))
		return true;
	bool sound = true;
	if (text_record(walk, key, value, into))
		return true;
	if (number_record(key, value, into, &sound)) {
	} else if (span_equal_text(key, "mtime")) {
		into->mtime.given = value.size > 0;
		sound = value.size == 0 || seconds(value, &into->mtime.value);
	} else if (span_equal_text(key, "GNU.sparse.map")) {
		return map_record(walk, value, into, error);
	} else if (span_equal_text(key, "GNU.sparse.offset")) {
		sound = whole_number(value, &into->map_offset);
	} else if (span_equal_text(key, "GNU.sparse.numbytes")) {
		uint64_t length;
		sound = whole_number(value, &length);
		into->has_map = true;
		if (sound)
			return tar_sparse_add(walk, into->map_offset, length, error);
	}
	if (!sound)
		return tar_error(error, walk->offset, "has an extended record whose value is no number");
	return true;
}

bool tar_pax_parse(struct tar_walk *walk, struct span records, struct tar_overrides *into,
                   struct error *error)
{
	while (records.size > 0 && records.data[0] != '\0') {
		struct span rest = records, record, key;
		uint64_t length;
		bool sound = take_number(&rest, ' ', &length) && length <= records.size;
		size_t digits = records.size - rest.size;
		/* At least "=" and the end of the line. */
		sound = sound && length >= digits + 2 && records.data[length - 1] == '\n' &&
		        span_slice(records, digits, (size_t)length - digits - 1, &record);
		size_t equals = sound ? span_find(record, 0, "=", 1) : SIZE_MAX;
		if (equals == SIZE_MAX || !span_slice(record, 0, equals, &key))
			return tar_error(error, walk->offset, "is an extended one whose records are damaged");
		if (!budget_step(walk->budget, 1, "the tar archive", error) ||
		    !take_record(walk, key, span_from(record, equals + 1), into, error))
			return false;
		records = span_from(records, (size_t)length);
	}
	return true;
}
