#include "base/reader.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"

bool reader_read(const struct reader *reader, uint64_t offset, void *buffer, size_t length,
                 struct error *error)
{
	uint64_t start;
	if (!range_inside(offset, length, reader->size) || !add_u64(reader->base, offset, &start))
		return error_set(error, ERROR_TRUNCATED,
		                 "%zu bytes at offset %" PRIu64 " lie behind the end at %" PRIu64, length,
		                 offset, reader->size);
	if (length == 0)
		return true;
	return reader->read(reader->state, start, buffer, length, error);
}

uint64_t reader_locate(const struct reader *reader, uint64_t offset)
{
	return reader->locate ? reader->locate(reader->state, reader->base + offset) : reader->base + offset;
}

bool reader_slice(const struct reader *reader, uint64_t offset, uint64_t size, struct reader *out,
                  struct error *error)
{
	uint64_t base;
	if (!range_inside(offset, size, reader->size) || !add_u64(reader->base, offset, &base))
		return error_set(error, ERROR_TRUNCATED,
		                 "%" PRIu64 " bytes at offset %" PRIu64 " lie behind the end at %" PRIu64,
		                 size, offset, reader->size);
	*out = *reader;
	out->base = base;
	out->size = size;
	return true;
}

bool reader_load(const struct reader *reader, size_t most, struct arena *arena, struct span *out,
                 struct error *error)
{
	if (reader->size > most)
		return error_set(error, ERROR_LIMIT, "%" PRIu64 " bytes where at most %zu are read",
		                 reader->size, most);
	size_t size = (size_t)reader->size;
	uint8_t *bytes = arena_alloc(arena, size + 1);
	if (!reader_read(reader, 0, bytes, size, error))
		return false;
	*out = span_of(bytes, size);
	return true;
}

static bool read_span(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	const struct span *span = state;
	struct span part;
	if (!span_slice(*span, (size_t)offset, length, &part))
		return error_set(error, ERROR_TRUNCATED, "read behind the end of memory");
	memcpy(buffer, part.data, length);
	return true;
}

struct reader reader_of_span(const struct span *span)
{
	return (struct reader){ .read = read_span, .state = (void *)(uintptr_t)span, .size = span->size };
}

/* Reads what of [offset, offset + length) lies in a part of `padded` bytes, of which `part` holds the first.
 */
static bool read_part(const struct reader *part, uint64_t padded, uint64_t offset, uint8_t *buffer,
                      size_t length, size_t *got, struct error *error)
{
	*got = padded - offset < length ? (size_t)(padded - offset) : length;
	size_t real = offset >= part->size         ? 0
	              : part->size - offset < *got ? (size_t)(part->size - offset)
	                                           : *got;
	memset(buffer + real, 0, *got - real);
	return reader_read(part, offset < part->size ? offset : part->size, buffer, real, error);
}

static bool read_sequence(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	const struct reader_sequence *sequence = state;
	uint8_t *to = buffer;
	for (size_t i = 0; i < sequence->count && length > 0; i++) {
		const struct reader *part = &sequence->parts[i];
		uint64_t padded = part->size;
		if (i + 1 < sequence->count && !align_up_u64(part->size, sequence->unit, &padded))
			break;
		if (offset >= padded) {
			offset -= padded;
			continue;
		}
		size_t got;
		if (!read_part(part, padded, offset, to, length, &got, error))
			return false;
		to += got;
		length -= got;
		offset = 0;
	}
	return length == 0 || error_set(error, ERROR_TRUNCATED, "read behind the end of a sequence");
}

bool reader_of_sequence(const struct reader_sequence *sequence, struct reader *out, struct error *error)
{
	uint64_t size = 0;
	for (size_t i = 0; i < sequence->count; i++) {
		uint64_t padded = sequence->parts[i].size;
		if (i + 1 < sequence->count && !align_up_u64(padded, sequence->unit, &padded))
			return error_set(error, ERROR_LIMIT, "the files are too large together");
		if (!add_u64(size, padded, &size))
			return error_set(error, ERROR_LIMIT, "the files are too large together");
	}
	*out = (struct reader){ .read = read_sequence, .state = (void *)(uintptr_t)sequence, .size = size };
	return true;
}

/* The run that holds the byte at `offset`, which lies inside the map. */
static const struct reader_run *run_at(const struct reader_map *map, uint64_t offset)
{
	size_t low = 0, high = map->count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (map->runs[middle].at <= offset)
			low = middle;
		else
			high = middle;
	}
	return &map->runs[low];
}

static bool read_map(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	const struct reader_map *map = state;
	uint8_t *to = buffer;
	for (const struct reader_run *run = run_at(map, offset); length > 0; run++) {
		uint64_t skipped = offset - run->at, left = run->size - skipped;
		size_t part = left < length ? (size_t)left : length;
		if (!reader_read(&map->below, run->from + skipped, to, part, error))
			return false;
		to += part;
		offset += part;
		length -= part;
	}
	return true;
}

static uint64_t locate_in_map(const void *state, uint64_t offset)
{
	const struct reader_map *map = state;
	const struct reader_run *run = run_at(map, offset);
	return reader_locate(&map->below, run->from + (offset - run->at));
}

bool reader_of_map(const struct reader_map *map, struct reader *out, struct error *error)
{
	uint64_t size = 0;
	for (size_t i = 0; i < map->count; i++) {
		const struct reader_run *run = &map->runs[i];
		if (run->at != size || run->size == 0 ||
		    !range_inside(run->from, run->size, map->below.size) || !add_u64(size, run->size, &size))
			return error_set(error, ERROR_CORRUPT,
			                 "%" PRIu64 " bytes at offset %" PRIu64
			                 " do not fit behind each other",
			                 run->size, run->from);
	}
	if (size == 0)
		return error_set(error, ERROR_CORRUPT, "a map of nothing");
	*out = (struct reader){
		.read = read_map,
		.state = (void *)(uintptr_t)map,
		.size = size,
		.locate = locate_in_map,
	};
	return true;
}

static bool read_watched(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	struct reader_watch *watch = state;
	if (reader_read(&watch->below, offset, buffer, length, error))
		return true;
	watch->failures++;
	watch->last = *error;
	return false;
}

static uint64_t locate_watched(const void *state, uint64_t offset)
{
	const struct reader_watch *watch = state;
	return reader_locate(&watch->below, offset);
}

struct reader reader_watched(struct reader_watch *watch)
{
	return (struct reader){
		.read = read_watched,
		.state = watch,
		.size = watch->below.size,
		.locate = locate_watched,
	};
}
