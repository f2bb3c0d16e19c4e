// A small cache in front of a reader, for the metadata of a file system: drivers come back to the same
// inodes, directories and trees again and again, a few hundred bytes at a time.
#pragma once

#include "base/reader.h"

/* One cached piece of the device, aligned to its size; near the end of the device it is shorter. */
#define CACHED_PIECE_SIZE  8192
#define CACHED_PIECE_COUNT 64

struct cached_piece {
	uint64_t offset;
	size_t length; /* 0: nothing cached here */
	uint64_t used; /* the clock when last used */
	uint8_t *bytes;
};

struct block_cache {
	struct reader reader;
	uint64_t clock;
	struct cached_piece pieces[CACHED_PIECE_COUNT];
};

void block_cache_init(struct block_cache *cache, const struct reader *reader);
void block_cache_free(struct block_cache *cache);

/* As reader_read(); what is longer than a piece is read past the cache. */
NODISCARD bool block_cache_read(struct block_cache *cache, uint64_t offset, void *buffer, size_t length,
                                struct error *error);
