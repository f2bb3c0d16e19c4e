// Sparse members of tar archives: GNU's own (type 'S') and the three formats that it writes as pax. GNU tar's
// manual, "Storing Sparse Files".
#include <string.h>

#include "base/checked.h"
#include "disk/tar_private.h"

#define GNU_EXTENTS      386
#define GNU_IS_EXTENDED  482
#define GNU_REAL_SIZE    483
#define MORE_IS_EXTENDED 504
#define EXTENT_SIZE      ((size_t)24)

bool tar_sparse_add(struct tar_walk *walk, uint64_t logical, uint64_t length, struct error *error)
{
	/* An empty one at the end says how long the file is, as other fields do. */
	if (length == 0)
		return true;
	if (walk->out->extents.count >= TAR_EXTENTS_MOST)
		return error_set(error, ERROR_LIMIT,
		                 "the tar archive has sparse files of more than %zu pieces of data",
		                 TAR_EXTENTS_MOST);
	if (!budget_step(walk->budget, 1, "the tar archive's sparse map", error))
		return false;
	*LIST_ADD(walk->arena, &walk->out->extents) =
		(struct tar_extent){ .logical = logical, .length = length };
	walk->local.map_count++;
	return true;
}

/* All extents are there: they must ascend, end inside the file, and be stored one behind the other. */
static bool finish(struct tar_walk *walk, struct tar_member *member, uint64_t size, struct error *error)
{
	size_t count = walk->local.map_count, first = walk->out->extents.count - count;
	struct tar_extent *extents = count ? &walk->out->extents.items[first] : NULL;
	uint64_t position = 0, used = 0;
	for (size_t i = 0; i < count; i++) {
		if (extents[i].logical < position ||
		    !range_inside(extents[i].logical, extents[i].length, size) ||
		    !range_inside(used, extents[i].length, member->stored) ||
		    !add_u64(member->data, used, &extents[i].offset))
			return tar_error(error, member->header, "has a sparse map that contradicts itself");
		position = extents[i].logical + extents[i].length;
		used += extents[i].length;
	}
	member->sparse = true;
	member->size = size;
	member->first_extent = (uint32_t)first;
	member->extent_count = (uint32_t)count;
	return true;
}

/* `most` entries from `offset` of a block; one without a length's digits ends the map. */
static bool add_entries(struct tar_walk *walk, struct span block, size_t offset, size_t most,
                        struct error *error)
{
	for (size_t i = 0; i < most; i++) {
		size_t at = offset + i * EXTENT_SIZE;
		int64_t logical, length;
		if (span_has(block, at + 12, "\0", 1))
			return true;
		if (!tar_number(block, at, 12, &logical) || !tar_number(block, at + 12, 12, &length) ||
		    logical < 0 || length < 0)
			return tar_error(error, walk->offset, "has a sparse map that is no list of numbers");
		if (!tar_sparse_add(walk, (uint64_t)logical, (uint64_t)length, error))
			return false;
	}
	return true;
}

bool tar_sparse_gnu(struct tar_walk *walk, struct span header, struct tar_member *member, struct error *error)
{
	int64_t size;
	uint8_t extended;
	walk->local.map_count = 0;
	if (!tar_number(header, GNU_REAL_SIZE, 12, &size) || size < 0 ||
	    !get_u8(header, GNU_IS_EXTENDED, &extended))
		return tar_error(error, member->header, "has no size of its sparse file");
	if (!add_entries(walk, header, GNU_EXTENTS, 4, error))
		return false;
	while (extended) {
		struct span block;
		if (!tar_block(walk, member->data, &block, error) ||
		    !add_entries(walk, block, 0, 21, error) || !get_u8(block, MORE_IS_EXTENDED, &extended) ||
		    !budget_step(walk->budget, 1, "the tar archive's sparse map", error))
			return false;
		member->data += TAR_BLOCK;
	}
	return finish(walk, member, (uint64_t)size, error);
}

/* The map of format 1.0: decimal numbers, a line each, in whole blocks in front of the data. */
struct map_text {
	uint64_t offset; /* of the next block */
	uint64_t left;   /* what is stored from there on */
	struct span block;
	uint8_t bytes[TAR_BLOCK];
};

static bool next_block(struct tar_walk *walk, struct map_text *map, struct error *error)
{
	struct span block;
	if (map->left < TAR_BLOCK)
		return tar_error(error, walk->offset, "has a sparse map longer than what is stored");
	if (!budget_step(walk->budget, 1, "the tar archive's sparse map", error) ||
	    !tar_block(walk, map->offset, &block, error))
		return false;
	memcpy(map->bytes, block.data, TAR_BLOCK);
	map->block = span_of(map->bytes, TAR_BLOCK);
	map->offset += TAR_BLOCK;
	map->left -= TAR_BLOCK;
	return true;
}

static bool next_number(struct tar_walk *walk, struct map_text *map, uint64_t *out, struct error *error)
{
	uint64_t value = 0;
	for (unsigned digits = 0;; digits++) {
		if (map->block.size == 0 && !next_block(walk, map, error))
			return false;
		uint8_t byte = map->block.data[0];
		map->block = span_from(map->block, 1);
		if (byte == '\n' && digits > 0)
			break;
		if (byte < '0' || byte > '9' || !mul_u64(value, 10, &value) ||
		    !add_u64(value, (uint64_t)(byte - '0'), &value))
			return tar_error(error, walk->offset, "has a sparse map that is no list of numbers");
	}
	*out = value;
	return true;
}

static bool read_map(struct tar_walk *walk, struct tar_member *member, struct error *error)
{
	struct map_text map = { .offset = member->data, .left = member->stored };
	uint64_t count;
	if (!next_number(walk, &map, &count, error))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t logical, length;
		if (!next_number(walk, &map, &logical, error) || !next_number(walk, &map, &length, error) ||
		    !tar_sparse_add(walk, logical, length, error))
			return false;
	}
	member->data = map.offset;
	member->stored = map.left;
	return true;
}

bool tar_sparse_pax(struct tar_walk *walk, const struct tar_overrides *overrides, struct tar_member *member,
                    struct error *error)
{
	bool in_data = overrides->sparse_major.given && overrides->sparse_major.value > 0;
	if (in_data && (overrides->sparse_major.value > 1 || overrides->sparse_minor.value > 0))
		return error_set(error, ERROR_UNSUPPORTED,
		                 "the tar header at offset %" PRIu64 " has a sparse map of format %" PRIu64
		                 ".%" PRIu64 ", which is not known",
		                 member->header, overrides->sparse_major.value,
		                 overrides->sparse_minor.value);
	if (!overrides->sparse_size.given)
		return tar_error(error, member->header, "has no size of its sparse file");
	uint64_t size = overrides->sparse_size.value;
	if (in_data) {
		walk->local.map_count = 0;
		if (!read_map(walk, member, error))
			return false;
	}
	return finish(walk, member, size, error);
}
