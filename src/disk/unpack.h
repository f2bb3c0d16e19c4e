// Private to disk/: what has to be read in order, into the scratch file, where it can be read at any place.
#pragma once

#include "codec/codec.h"
#include "disk/container.h"

/* The bytes of the input in order; the first ones may have been read already. */
struct feed {
	struct disk *disk;
	const uint8_t *head; /* borrowed: what of a pipe was read to see what it holds */
	size_t head_size;
	uint64_t offset; /* of the next byte */
};

/* The head of a pipe, as far as it goes up to `capacity`. */
NODISCARD bool feed_read(void *feed, void *buffer, size_t capacity, size_t *got, struct error *error);

/*
 * Writes what the feed gives, decoded when `codec` is not NULL, to the input's scratch file, and makes that
 * the file that disk->state reads. Blocks of zeros become holes. Costs a step of the budget for each MiB.
 */
NODISCARD bool unpack(struct disk *disk, struct feed *feed, const struct codec *codec, struct error *error);
