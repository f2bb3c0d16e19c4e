// Chunks: btrfs addresses its content by logical addresses, and chunks say where on the device those lie. The
// few that hold the tree of all chunks are repeated in the superblock.
//
//    0  le64 length               44  le16 stripes
//   16  le64 bytes of a stripe    48  for each stripe: le64 device, le64 offset on it, the device's UUID (16)
//   24  le64 profile
#include <inttypes.h>
#include <stdlib.h>

#include "base/checked.h"
#include "fs/btrfs.h"

#define CHUNK_TREE_OBJECT 256
#define CHUNK_STRIPES     48
#define CHUNK_STRIPE_SIZE 32
/* Chunks of data are 1 GiB and mostly more: these cover more than any disk image. */
#define CHUNKS_MOST 100000

#define PROFILE_DUP (UINT64_C(1) << 5)

/* The profiles that spread content over stripes or devices. */
static const struct {
	uint64_t bit;
	const char *name;
} spread[] = {
	{ UINT64_C(1) << 3, "RAID0" },    { UINT64_C(1) << 4, "RAID1" }, { UINT64_C(1) << 6, "RAID10" },
	{ UINT64_C(1) << 7, "RAID5" },    { UINT64_C(1) << 8, "RAID6" }, { UINT64_C(1) << 9, "RAID1C3" },
	{ UINT64_C(1) << 10, "RAID1C4" },
};

/* One stripe is all of the chunk; the two of DUP are copies of each other. */
static bool check_profile(uint64_t profile, uint16_t stripes, struct error *error)
{
	if (stripes == 1 || (stripes == 2 && (profile & PROFILE_DUP)))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(spread); i++)
		if (profile & spread[i].bit)
			return error_set(error, ERROR_UNSUPPORTED, "it is stored as %s over %u stripes",
			                 spread[i].name, (unsigned)stripes);
	return error_set(error, ERROR_CORRUPT, "a chunk has %u stripes and no profile for them",
	                 (unsigned)stripes);
}

/* Decodes the chunk at the front of `bytes`; *size is how many of them it takes. */
static bool decode_chunk(const struct btrfs *btrfs, struct span bytes, uint64_t logical,
                         struct btrfs_chunk *out, size_t *size, struct error *error)
{
	uint64_t profile, device, end;
	uint16_t stripes;
	*out = (struct btrfs_chunk){ .logical = logical };
	if (!get_le64(bytes, 0, &out->length) || !get_le64(bytes, 24, &profile) ||
	    !get_le16(bytes, 44, &stripes) || out->length == 0 || !add_u64(logical, out->length, &end))
		return error_set(error, ERROR_CORRUPT, "the chunk at address %" PRIu64 " is not sound",
		                 logical);
	if (!check_profile(profile, stripes, error))
		return false;
	for (; out->copy_count < stripes; out->copy_count++) {
		size_t at = CHUNK_STRIPES + out->copy_count * (size_t)CHUNK_STRIPE_SIZE;
		if (!get_le64(bytes, at, &device) ||
		    !get_le64(bytes, at + 8, &out->copies[out->copy_count]) ||
		    !add_u64(out->copies[out->copy_count], out->length, &end))
			return error_set(error, ERROR_CORRUPT,
			                 "the chunk at address %" PRIu64 " is not sound", logical);
		if (device != btrfs->super.device)
			return error_set(error, ERROR_UNSUPPORTED,
			                 "the chunk at address %" PRIu64 " lies on device %" PRIu64
			                 ", which is not this one",
			                 logical, device);
	}
	*size = CHUNK_STRIPES + stripes * (size_t)CHUNK_STRIPE_SIZE;
	return true;
}

static bool add_chunk(struct btrfs_chunks *chunks, const struct btrfs_chunk *chunk, struct error *error)
{
	if (chunks->count == CHUNKS_MOST)
		return error_set(error, ERROR_LIMIT, "it has more than %d chunks", CHUNKS_MOST);
	if (chunks->count == chunks->capacity) {
		chunks->capacity = chunks->capacity ? chunks->capacity * 2 : 16;
		chunks->items = xrealloc(chunks->items, chunks->capacity * sizeof(*chunks->items));
	}
	chunks->items[chunks->count++] = *chunk;
	return true;
}

static int compare_chunks(const void *a, const void *b)
{
	const struct btrfs_chunk *x = a, *y = b;
	return (x->logical > y->logical) - (x->logical < y->logical);
}

static bool sort_chunks(struct btrfs_chunks *chunks, struct error *error)
{
	if (chunks->count > 0)
		qsort(chunks->items, chunks->count, sizeof(*chunks->items), compare_chunks);
	for (size_t i = 1; i < chunks->count; i++) {
		const struct btrfs_chunk *one = &chunks->items[i - 1], *next = &chunks->items[i];
		if (next->logical - one->logical < one->length)
			return error_set(error, ERROR_CORRUPT,
			                 "the chunks at the addresses %" PRIu64 " and %" PRIu64 " overlap",
			                 one->logical, next->logical);
	}
	return true;
}

static bool read_system_chunks(struct btrfs *btrfs, struct error *error)
{
	uint8_t buffer[BTRFS_SYSTEM_CHUNKS_MOST];
	size_t size = btrfs->super.system_chunks_size;
	if (!reader_read(&btrfs->fs->reader, BTRFS_SUPER_OFFSET + BTRFS_SYSTEM_CHUNKS_OFFSET, buffer, size,
	                 error))
		return false;
	for (struct span rest = span_of(buffer, size); rest.size > 0; rest = span_from(rest, size)) {
		struct btrfs_key key;
		struct btrfs_chunk chunk;
		if (!btrfs_get_key(rest, 0, &key) || key.type != BTRFS_CHUNK_ITEM)
			return error_set(error, ERROR_CORRUPT,
			                 "the superblock's system chunks are not sound");
		if (!decode_chunk(btrfs, span_from(rest, BTRFS_KEY_SIZE), key.offset, &chunk, &size, error) ||
		    !add_chunk(&btrfs->chunks, &chunk, error))
			return false;
		size += BTRFS_KEY_SIZE;
	}
	return sort_chunks(&btrfs->chunks, error);
}

/* All chunks, from their tree. */
static bool read_tree(struct btrfs *btrfs, struct btrfs_chunks *out, struct error *error)
{
	const struct btrfs_pointer top = { btrfs->super.chunk_root, btrfs->super.chunk_generation,
		                           btrfs->super.chunk_level };
	const struct btrfs_key first = { CHUNK_TREE_OBJECT, BTRFS_CHUNK_ITEM, 0 };
	struct btrfs_cursor cursor;
	bool found;
	if (!btrfs_seek(btrfs, &top, &first, &cursor, &found, error))
		return false;
	while (found && btrfs_compare_keys(&cursor.key, &first) < 0)
		if (!btrfs_next(&cursor, &found, error))
			return false;
	while (found && cursor.key.object == CHUNK_TREE_OBJECT && cursor.key.type == BTRFS_CHUNK_ITEM) {
		struct btrfs_chunk chunk;
		size_t size;
		if (!decode_chunk(btrfs, cursor.item, cursor.key.offset, &chunk, &size, error) ||
		    !add_chunk(out, &chunk, error) || !btrfs_next(&cursor, &found, error))
			return false;
	}
	return sort_chunks(out, error);
}

bool btrfs_chunks_read(struct btrfs *btrfs, struct error *error)
{
	struct btrfs_chunks all = { 0 };
	if (!read_system_chunks(btrfs, error))
		return false;
	if (!read_tree(btrfs, &all, error)) {
		free(all.items);
		return error_wrap(error, "the chunk tree");
	}
	free(btrfs->chunks.items);
	btrfs->chunks = all;
	return true;
}

bool btrfs_chunks_find(const struct btrfs *btrfs, uint64_t address, uint64_t length, struct btrfs_chunk *out,
                       struct error *error)
{
	size_t low = 0, high = btrfs->chunks.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (btrfs->chunks.items[middle].logical <= address)
			low = middle + 1;
		else
			high = middle;
	}
	const struct btrfs_chunk *chunk = low > 0 ? &btrfs->chunks.items[low - 1] : NULL;
	if (!chunk || !range_inside(address - chunk->logical, length, chunk->length))
		return error_set(error, ERROR_CORRUPT, "no chunk holds the address %" PRIu64, address);
	*out = (struct btrfs_chunk){
		.logical = address,
		.length = length,
		.copy_count = chunk->copy_count,
	};
	for (unsigned i = 0; i < chunk->copy_count; i++)
		out->copies[i] = chunk->copies[i] + (address - chunk->logical);
	return true;
}
