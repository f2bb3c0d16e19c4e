// Names are found as the kernel finds them: by their hash, in the index that every directory of blocks has.
// Layout: "XFS Algorithms & Data Structures", chapter "Directories".
#include "fs/xfs_directory.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "fs/xfs_entries.h"
#include "fs/xfs_map.h"

#define PAIR_SIZE     8 /* of an index: a hash, and where it leads */
#define LEVELS_MAX    5
#define SAME_HASH_MAX 256 /* blocks of an index that may hold one hash */

static uint32_t rotate(uint32_t value, unsigned bits)
{
	return value << bits | value >> (32 - bits);
}

/* The hash of the format: seven bits of distance between the characters, four of them at a time. */
static uint32_t hash_name(const uint8_t *name, size_t length)
{
	uint32_t hash = 0;
	for (; length >= 4; name += 4, length -= 4)
		hash = (uint32_t)name[0] << 21 ^ (uint32_t)name[1] << 14 ^ (uint32_t)name[2] << 7 ^ name[3] ^
		       rotate(hash, 28);
	switch (length) {
	case 3:
		return (uint32_t)name[0] << 14 ^ (uint32_t)name[1] << 7 ^ name[2] ^ rotate(hash, 21);
	case 2:
		return (uint32_t)name[0] << 7 ^ name[1] ^ rotate(hash, 14);
	case 1:
		return name[0] ^ rotate(hash, 7);
	default:
		return hash;
	}
}

/* --- the list --- */

struct listing {
	const struct xfs_directory *directory;
	fs_list_fn *each;
	void *context;
	struct error *error;
	bool failed;
};

static bool list_entry(void *context, const struct xfs_entry *entry)
{
	struct listing *listing = context;
	char name[UINT8_MAX + 1];
	if (span_equal_text(entry->name, ".") || span_equal_text(entry->name, ".."))
		return true;
	if (span_find(entry->name, 0, "/", 1) != SIZE_MAX || span_find(entry->name, 0, "", 1) != SIZE_MAX) {
		listing->failed = true;
		return xfs_directory_fail(listing->directory, "holds an impossible name", listing->error);
	}
	memcpy(name, entry->name.data, entry->name.size);
	name[entry->name.size] = '\0';
	return listing->each(listing->context, name);
}

bool xfs_directory_list(const struct filesystem *fs, const struct xfs_inode *inode, fs_list_fn *each,
                        void *context, struct error *error)
{
	struct xfs_directory directory;
	xfs_directory_open(&directory, fs, inode);
	struct listing listing = { &directory, each, context, error, false };
	bool done = xfs_entries_scan(&directory, list_entry, &listing, error) && !listing.failed;
	xfs_directory_close(&directory);
	return done;
}

/* --- the index --- */

/* The first pair of sorted ones whose hash is not less than the one sought; their count when there is none.
 */
static size_t first_pair(struct span pairs, uint32_t hash)
{
	size_t low = 0, high = pairs.size / PAIR_SIZE;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t there = 0;
		if (get_be32(pairs, middle * PAIR_SIZE, &there) && there < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct search {
	struct xfs_directory index, data;
	const char *name;
	size_t length;
	uint32_t hash;
	bool single;         /* the index and all entries are in one block */
	struct span entries; /* of the block that was looked into last; NULL: none yet */
	uint64_t logical;    /* which one that is */
	uint64_t found;      /* inode number; 0: not found yet */
};

/* Is the entry at an address, which counts in 8 bytes, the one? */
static bool compare_entry(struct search *search, uint32_t address, struct error *error)
{
	const struct xfs_super *super = &xfs_of(search->data.fs)->super;
	uint64_t size = (uint64_t)super->block_size * super->directory_blocks, place = (uint64_t)address * 8;
	uint64_t logical = place / size * super->directory_blocks;
	struct span unused;
	struct xfs_entry entry;
	size_t length;
	if (!search->entries.data || search->logical != logical) {
		if (search->single)
			return xfs_directory_fail(&search->data, "has an index that leads outside it", error);
		search->logical = logical;
		if (!xfs_directory_read_entries(&search->data, logical, &search->entries, &unused, error))
			return false;
	}
	if (place % size < xfs_entries_start(search->data.fs) ||
	    !xfs_entry_decode(&search->data, search->entries, (size_t)(place % size), &entry, &length) ||
	    entry.name.size == 0)
		return xfs_directory_fail(&search->data, "has an index that leads to no entry", error);
	if (entry.name.size == search->length && memcmp(entry.name.data, search->name, search->length) == 0)
		search->found = entry.inode;
	return true;
}

/* Looks at all entries of the hash among sorted pairs; *more: the next block of the index may have others. */
static bool search_pairs(struct search *search, struct span pairs, bool *more, struct error *error)
{
	size_t count = pairs.size / PAIR_SIZE;
	size_t first = first_pair(pairs, search->hash);
	*more = false;
	for (size_t i = first; i < count && !search->found; i++) {
		uint32_t hash = 0, address = 0;
		if (!get_be32(pairs, i * PAIR_SIZE, &hash) || hash != search->hash)
			return true;
		/* Address 0 is a pair whose entry was removed. */
		if (get_be32(pairs, i * PAIR_SIZE + 4, &address) && address != 0 &&
		    !compare_entry(search, address, error))
			return false;
	}
	*more = first < count && !search->found;
	return true;
}

/* A block of the index: a leaf leads to entries, a node to blocks below it, by the highest hash in each. */
struct index_block {
	struct span pairs;
	uint32_t next; /* leaf of higher hashes; 0: none */
	uint16_t level;
};

static const struct xfs_header index_header = {
	.what = "directory index block", .checksum = 12, .block = 16, .uuid = 32, .owner = 48
};

static bool decode_index(struct span block, bool v5, struct index_block *out)
{
	uint16_t magic, count;
	size_t counts = v5 ? 56 : 12, header = v5 ? 64 : 16;
	if (!get_be32(block, 0, &out->next) || !get_be16(block, 8, &magic) ||
	    !get_be16(block, counts, &count) || !get_be16(block, counts + 2, &out->level))
		return false;
	/* The index of one block, and a leaf of a larger one; their second number is not a level. */
	if (magic == (v5 ? 0x3df1 : 0xd2f1) || magic == (v5 ? 0x3dff : 0xd2ff))
		out->level = 0;
	else if (magic != (v5 ? 0x3ebe : 0xfebe) || out->level == 0 || out->level > LEVELS_MAX)
		return false;
	return span_slice(block, header, (size_t)count * PAIR_SIZE, &out->pairs);
}

static uint64_t first_index_block(const struct xfs_super *super)
{
	return XFS_DIRECTORY_PART >> super->block_log;
}

static bool read_index(struct search *search, uint64_t logical, struct index_block *out, struct error *error)
{
	struct xfs_directory *directory = &search->index;
	const struct xfs_super *super = &xfs_of(directory->fs)->super;
	uint64_t first = first_index_block(super);
	if (logical < first || logical >= 2 * first || (logical - first) % super->directory_blocks != 0)
		return xfs_directory_fail(directory, "has an index that leads outside it", error);
	if (!xfs_directory_read(directory, logical, error))
		return false;
	if (!decode_index(directory->block, xfs_is_v5(directory->fs), out))
		return error_set(error, ERROR_CORRUPT,
		                 "directory inode %" PRIu64 ": no block of its index at offset %" PRIu64,
		                 directory->inode->number, directory->offset);
	return xfs_check_block(directory->fs, &index_header, directory->block, directory->offset,
	                       directory->inode->number, error);
}

/* Goes down to the first leaf that may have the hash; *beyond: none has, it is higher than all. */
static bool find_leaf(struct search *search, struct index_block *block, bool *beyond, struct error *error)
{
	uint64_t logical = first_index_block(&xfs_of(search->index.fs)->super);
	*beyond = false;
	if (!read_index(search, logical, block, error))
		return false;
	while (block->level > 0) {
		uint16_t level = block->level;
		uint32_t below;
		size_t chosen = first_pair(block->pairs, search->hash);
		*beyond = !get_be32(block->pairs, chosen * PAIR_SIZE + 4, &below);
		if (*beyond)
			return true;
		if (!read_index(search, below, block, error))
			return false;
		if (block->level != level - 1)
			return xfs_directory_fail(&search->index,
			                          "has an index whose levels do not step down", error);
	}
	return true;
}

static bool search_index(struct search *search, struct error *error)
{
	struct index_block block;
	bool more;
	if (!find_leaf(search, &block, &more, error))
		return false;
	if (more)
		return true;
	for (unsigned blocks = 0; blocks < SAME_HASH_MAX; blocks++) {
		if (!search_pairs(search, block.pairs, &more, error))
			return false;
		if (!more || block.next == 0)
			return true;
		if (!read_index(search, block.next, &block, error))
			return false;
		if (block.level != 0)
			return xfs_directory_fail(&search->index, "has an index whose leaves lead elsewhere",
			                          error);
	}
	return xfs_directory_fail(&search->index, "has an index whose leaves are a loop", error);
}

static bool search_blocks(struct search *search, struct error *error)
{
	const struct filesystem *fs = search->data.fs;
	struct xfs_run run;
	struct span pairs;
	bool more;
	if (!xfs_map(fs, search->data.inode, first_index_block(&xfs_of(fs)->super), &run, error))
		return false;
	if (run.offset != 0)
		return search_index(search, error);
	search->single = true;
	return xfs_directory_read_entries(&search->data, 0, &search->entries, &pairs, error) &&
	       search_pairs(search, pairs, &more, error);
}

/* --- without the index --- */

static uint8_t lower(uint8_t character)
{
	return character >= 'A' && character <= 'Z' ? character + ('a' - 'A') : character;
}

/* Names of a file system whose case does not count are compared as the kernel does, and in no order of
 * hashes. */
static bool match_entry(void *context, const struct xfs_entry *entry)
{
	struct search *search = context;
	bool folded = xfs_of(search->data.fs)->super.case_insensitive;
	if (entry->name.size != search->length)
		return true;
	for (size_t i = 0; i < search->length; i++) {
		uint8_t ours = (uint8_t)search->name[i], theirs = entry->name.data[i];
		if (folded ? lower(ours) != lower(theirs) : ours != theirs)
			return true;
	}
	search->found = entry->inode;
	return false;
}

bool xfs_directory_find(const struct filesystem *fs, const struct xfs_inode *inode, const char *name,
                        uint64_t *found, struct error *error)
{
	struct search search = { .name = name, .length = strlen(name) };
	bool done;
	search.hash = hash_name((const uint8_t *)name, search.length);
	xfs_directory_open(&search.data, fs, inode);
	xfs_directory_open(&search.index, fs, inode);
	if (inode->format == XFS_LOCAL || xfs_of(fs)->super.case_insensitive)
		done = xfs_entries_scan(&search.data, match_entry, &search, error);
	else
		done = search_blocks(&search, error);
	xfs_directory_close(&search.index);
	xfs_directory_close(&search.data);
	*found = search.found;
	return done;
}
