#include "fs/block_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

static struct cached_piece *oldest_piece(struct block_cache *cache)
{
	struct cached_piece *oldest = &cache->pieces[0];
	for (size_t i = 1; i < CACHED_PIECE_COUNT; i++)
		if (cache->pieces[i].used < oldest->used)
			oldest = &cache->pieces[i];
	return oldest;
}

static struct cached_piece *cached_piece(struct block_cache *cache, uint64_t offset)
{
	for (size_t i = 0; i < CACHED_PIECE_COUNT; i++)
		if (cache->pieces[i].length > 0 && cache->pieces[i].offset == offset)
			return &cache->pieces[i];
	return NULL;
}

/* The piece that starts at `offset`, read when it is not cached; NULL when it cannot be. */
static struct cached_piece *load_piece(struct block_cache *cache, uint64_t offset, struct error *error)
{
	struct cached_piece *piece = cached_piece(cache, offset);
	if (!piece) {
		uint64_t left = offset < cache->reader.size ? cache->reader.size - offset : 0;
		size_t length = left < CACHED_PIECE_SIZE ? (size_t)left : CACHED_PIECE_SIZE;
		piece = oldest_piece(cache);
		piece->length = 0;
		if (!piece->bytes)
			piece->bytes = xmalloc(CACHED_PIECE_SIZE);
		if (!reader_read(&cache->reader, offset, piece->bytes, length, error))
			return NULL;
		piece->offset = offset;
		piece->length = length;
	}
	piece->used = ++cache->clock;
	return piece;
}

bool block_cache_read(struct block_cache *cache, uint64_t offset, void *buffer, size_t length,
                      struct error *error)
{
	uint8_t *out = buffer;
	/* A range that leaves the device gets its error from there. */
	if (length > CACHED_PIECE_SIZE || !range_inside(offset, length, cache->reader.size))
		return reader_read(&cache->reader, offset, buffer, length, error);
	while (length > 0) {
		size_t inside = (size_t)(offset % CACHED_PIECE_SIZE);
		const struct cached_piece *piece = load_piece(cache, offset - inside, error);
		if (!piece)
			return false;
		size_t part = piece->length - inside;
		if (part > length)
			part = length;
		memcpy(out, piece->bytes + inside, part);
		out += part;
		offset += part;
		length -= part;
	}
	return true;
}

void block_cache_init(struct block_cache *cache, const struct reader *reader)
{
	*cache = (struct block_cache){ .reader = *reader };
}

void block_cache_free(struct block_cache *cache)
{
	for (size_t i = 0; i < CACHED_PIECE_COUNT; i++)
		free(cache->pieces[i].bytes);
}
