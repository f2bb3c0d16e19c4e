// The one read gate. Every parser sees an image through a reader: a size and a function that fills a
// buffer. Range and overflow are checked here, so that a parser never holds a file descriptor and never
// reads outside its partition or file.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

/* Fills all of buffer[length] from `offset`; the range is known to lie inside the reader. */
typedef bool reader_fn(void *state, uint64_t offset, void *buffer, size_t length, struct error *error);

/* Where the byte at `offset` lies in the disk. */
typedef uint64_t reader_locate_fn(const void *state, uint64_t offset);

struct reader {
	reader_fn *read;
	void *state;              /* borrowed: outlives the reader */
	uint64_t base;            /* added to every offset before `read` sees it */
	uint64_t size;            /* bytes */
	reader_locate_fn *locate; /* NULL: where `read` is asked for it */
};

/* Where a byte of this reader lies in the reader that it was sliced or mapped from: the disk, for a volume.
 */
uint64_t reader_locate(const struct reader *reader, uint64_t offset);

/* Reads exactly `length` bytes or fails; ERROR_TRUNCATED when the range leaves the reader. */
NODISCARD bool reader_read(const struct reader *reader, uint64_t offset, void *buffer, size_t length,
                           struct error *error);

/* A part of a reader as a reader of its own; ERROR_TRUNCATED when it does not lie inside. */
NODISCARD bool reader_slice(const struct reader *reader, uint64_t offset, uint64_t size, struct reader *out,
                            struct error *error);

/* The whole content, in the arena, with a NUL behind it; ERROR_LIMIT when it is larger than `most`. */
NODISCARD bool reader_load(const struct reader *reader, size_t most, struct arena *arena, struct span *out,
                           struct error *error);

/* A reader over bytes in memory; the span must outlive it. */
struct reader reader_of_span(const struct span *span);

#define READER_PARTS_MAX 16

/* Several readers one behind the other, each but the last filled up with zeros to a multiple of `unit`. */
struct reader_sequence {
	struct reader parts[READER_PARTS_MAX]; /* their states are borrowed */
	size_t count;
	uint64_t unit; /* a power of two; 1 for no padding */
};

/* A reader over the whole sequence, which must outlive it; ERROR_LIMIT when the sizes do not add up. */
NODISCARD bool reader_of_sequence(const struct reader_sequence *sequence, struct reader *out,
                                  struct error *error);

/* Some bytes of a map, one after the other in the reader below it. */
struct reader_run {
	uint64_t at;   /* in the map, bytes */
	uint64_t from; /* in the reader below, bytes */
	uint64_t size; /* bytes, not 0 */
};

/* A device put together of pieces of another one. */
struct reader_map {
	struct reader below;
	const struct reader_run *runs; /* borrowed; without gaps, in the order of `at` */
	size_t count;
};

/* A reader over the whole map, which must outlive it; ERROR_CORRUPT when its runs do not fit. */
NODISCARD bool reader_of_map(const struct reader_map *map, struct reader *out, struct error *error);

/* What could not be read through reader_watched(): an answer that was found meanwhile may lack something. */
struct reader_watch {
	struct reader below; /* its state is borrowed */
	size_t failures;
	struct error last; /* set when there was any */
};

/* A reader over the same bytes that counts the reads that fail below it; *watch must outlive it. */
struct reader reader_watched(struct reader_watch *watch);
