// The trees of btrfs: nodes of one size, which carry their own address, checksum and level.
//
//   0  checksum (32)        80  le64 generation      a leaf, from 101 on, for each item:
//  32  id (16)              88  le64 owner             key (17), le32 offset behind the header, le32 bytes
//  48  le64 own address     96  le32 count           a node above, for each child:
//  56  le64 flags          100  level                  key (17), le64 address, le64 generation
//
// A key is le64 object, type, le64 offset; keys ascend through the whole tree.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "fs/btrfs.h"
#include "fs/identify.h"

#define HEADER_SIZE  101
#define ITEM_SIZE    25
#define POINTER_SIZE 33

bool btrfs_get_key(struct span span, size_t offset, struct btrfs_key *out)
{
	return get_le64(span, offset, &out->object) && get_u8(span, offset + 8, &out->type) &&
	       get_le64(span, offset + 9, &out->offset);
}

int btrfs_compare_keys(const struct btrfs_key *a, const struct btrfs_key *b)
{
	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

void btrfs_nodes_free(struct btrfs *btrfs)
{
	for (size_t i = 0; i < BTRFS_NODES_KEPT; i++)
		free(btrfs->nodes[i].bytes);
}

static struct span node_span(const struct btrfs *btrfs, const struct btrfs_node *node)
{
	return span_of(node->bytes, btrfs->super.node_size);
}

static size_t record_size(const struct btrfs_node *node)
{
	return node->pointer.level == 0 ? ITEM_SIZE : POINTER_SIZE;
}

static bool node_key(const struct btrfs *btrfs, const struct btrfs_node *node, uint32_t slot,
                     struct btrfs_key *out)
{
	return btrfs_get_key(node_span(btrfs, node), HEADER_SIZE + slot * record_size(node), out);
}

static bool keys_ascend(const struct btrfs *btrfs, const struct btrfs_node *node)
{
	struct btrfs_key last, key;
	for (uint32_t i = 0; i < node->count; i++) {
		if (!node_key(btrfs, node, i, &key) || (i > 0 && btrfs_compare_keys(&last, &key) >= 0))
			return false;
		last = key;
	}
	return true;
}

/* Why these bytes are not the node that they should be; NULL when they are. */
static const char *find_fault(const struct btrfs *btrfs, struct btrfs_node *node)
{
	struct span bytes = node_span(btrfs, node);
	uint64_t address, generation;
	uint8_t level;
	if (!btrfs_checksum_fits(btrfs->super.checksum, bytes))
		return "its checksum is wrong";
	if (!span_has(bytes, 32, btrfs->super.metadata_id, sizeof(btrfs->super.metadata_id)))
		return "it belongs to another file system";
	if (!get_le64(bytes, 48, &address) || address != node->pointer.address)
		return "it belongs to another address";
	if (!get_le64(bytes, 80, &generation) || generation != node->pointer.generation)
		return "it is of another generation than the tree";
	if (!get_u8(bytes, 100, &level) || level != node->pointer.level)
		return "it is of another level than the tree";
	if (!get_le32(bytes, 96, &node->count) ||
	    node->count > (btrfs->super.node_size - HEADER_SIZE) / record_size(node) ||
	    (node->count == 0 && level > 0))
		return "it counts more entries than it has room for, or none";
	return keys_ascend(btrfs, node) ? NULL : "its keys are out of order";
}

/* Reads a node from the first of its copies that is sound. */
static bool read_node(struct btrfs *btrfs, struct btrfs_node *node, struct error *error)
{
	struct btrfs_chunk place;
	if (!btrfs_chunks_find(btrfs, node->pointer.address, btrfs->super.node_size, &place, error))
		return false;
	for (unsigned i = 0; i < place.copy_count; i++) {
		const char *fault = NULL;
		if (reader_read(&btrfs->fs->reader, place.copies[i], node->bytes, btrfs->super.node_size,
		                error)) {
			fault = find_fault(btrfs, node);
			if (!fault)
				return true;
			error_fill(error, ERROR_CORRUPT,
			           "the node at address %" PRIu64 " (offset %" PRIu64 "): %s",
			           node->pointer.address, place.copies[i], fault);
		}
		if (i + 1 == place.copy_count || btrfs->copy_used)
			continue;
		btrfs->copy_used = true;
		fs_problem(btrfs->fs, "btrfs-copy-damaged", place.copies[i],
		           "a copy of a metadata node of this btrfs is damaged, the other one is read: %s",
		           fault ? fault : "it cannot be read");
	}
	return false;
}

/* The node, from those that are kept or from the device; valid until the next call. */
static struct btrfs_node *get_node(struct btrfs *btrfs, const struct btrfs_pointer *pointer,
                                   struct error *error)
{
	struct btrfs_node *node = &btrfs->nodes[0];
	if (!budget_step(btrfs->fs->budget, 1, "a btrfs file system", error))
		return NULL;
	for (size_t i = 0; i < BTRFS_NODES_KEPT; i++) {
		struct btrfs_node *one = &btrfs->nodes[i];
		if (one->used && one->pointer.address == pointer->address &&
		    one->pointer.generation == pointer->generation && one->pointer.level == pointer->level) {
			one->used = ++btrfs->clock;
			return one;
		}
		if (one->used < node->used)
			node = one;
	}
	if (!node->bytes)
		node->bytes = xmalloc(btrfs->super.node_size);
	node->used = 0;
	node->pointer = *pointer;
	if (!read_node(btrfs, node, error))
		return NULL;
	node->used = ++btrfs->clock;
	return node;
}

/* The last slot whose key is not above `key`; count where there is none. */
static uint32_t search_node(const struct btrfs *btrfs, const struct btrfs_node *node,
                            const struct btrfs_key *key)
{
	uint32_t low = 0, high = node->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct btrfs_key own;
		if (node_key(btrfs, node, middle, &own) && btrfs_compare_keys(&own, key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? low - 1 : node->count;
}

/* A child's level is one below its parent's: no tree is deeper than it says, and none is a circle. */
static bool child_of(const struct btrfs *btrfs, const struct btrfs_node *node, uint32_t slot,
                     struct btrfs_pointer *out, struct error *error)
{
	size_t at = HEADER_SIZE + (size_t)slot * POINTER_SIZE + BTRFS_KEY_SIZE;
	struct span bytes = node_span(btrfs, node);
	out->level = (uint8_t)(node->pointer.level - 1);
	if (!get_le64(bytes, at, &out->address) || !get_le64(bytes, at + 8, &out->generation))
		return error_set(error, ERROR_CORRUPT, "the node at address %" PRIu64 " ends early",
		                 node->pointer.address);
	return true;
}

/* Fills key and item from the cursor's slot of its leaf. */
static bool load_item(struct btrfs_cursor *cursor, const struct btrfs_node *leaf, struct error *error)
{
	struct btrfs *btrfs = cursor->btrfs;
	struct span bytes = node_span(btrfs, leaf);
	size_t at = HEADER_SIZE + (size_t)cursor->slots[0] * ITEM_SIZE;
	uint32_t offset, size;
	struct span data = span_from(bytes, HEADER_SIZE);
	if (!node_key(btrfs, leaf, cursor->slots[0], &cursor->key) ||
	    !get_le32(bytes, at + BTRFS_KEY_SIZE, &offset) ||
	    !get_le32(bytes, at + BTRFS_KEY_SIZE + 4, &size) ||
	    !span_slice(data, offset, size, &cursor->item))
		return error_set(error, ERROR_CORRUPT,
		                 "item %" PRIu32 " of the node at address %" PRIu64 " is not sound",
		                 cursor->slots[0], leaf->pointer.address);
	return true;
}

/* From the node at `level` down to the leaf, always by the last key that is not above `key` (NULL: the
 * first). */
static bool descend(struct btrfs_cursor *cursor, uint8_t level, const struct btrfs_key *key, bool *found,
                    struct error *error)
{
	for (;; level--) {
		struct btrfs_node *node = get_node(cursor->btrfs, &cursor->nodes[level], error);
		if (!node)
			return false;
		uint32_t slot = key ? search_node(cursor->btrfs, node, key) : 0;
		*found = slot < node->count;
		if (!*found)
			return true;
		cursor->slots[level] = slot;
		if (level == 0)
			return load_item(cursor, node, error);
		if (!child_of(cursor->btrfs, node, slot, &cursor->nodes[level - 1], error))
			return false;
	}
}

bool btrfs_seek(struct btrfs *btrfs, const struct btrfs_pointer *top, const struct btrfs_key *key,
                struct btrfs_cursor *cursor, bool *found, struct error *error)
{
	*found = false;
	if (top->level >= BTRFS_LEVELS_MAX)
		return error_set(error, ERROR_CORRUPT, "a tree of %u levels is too deep", top->level + 1U);
	*cursor = (struct btrfs_cursor){ .btrfs = btrfs, .top = top->level };
	cursor->nodes[top->level] = *top;
	return descend(cursor, top->level, key, found, error);
}

bool btrfs_find(struct btrfs *btrfs, const struct btrfs_pointer *top, const struct btrfs_key *key,
                struct btrfs_cursor *cursor, bool *found, struct error *error)
{
	if (!btrfs_seek(btrfs, top, key, cursor, found, error))
		return false;
	*found = *found && btrfs_compare_keys(&cursor->key, key) == 0;
	return true;
}

bool btrfs_next(struct btrfs_cursor *cursor, bool *found, struct error *error)
{
	struct btrfs_key last = cursor->key;
	uint8_t level = 0;
	*found = false;
	for (;; level++) {
		if (level > cursor->top)
			return true;
		struct btrfs_node *node = get_node(cursor->btrfs, &cursor->nodes[level], error);
		if (!node)
			return false;
		if (++cursor->slots[level] >= node->count)
			continue;
		*found = true;
		if (level == 0) {
			if (!load_item(cursor, node, error))
				return false;
		} else if (!child_of(cursor->btrfs, node, cursor->slots[level], &cursor->nodes[level - 1],
		                     error) ||
		           !descend(cursor, (uint8_t)(level - 1), NULL, found, error)) {
			return false;
		}
		break;
	}
	if (*found && btrfs_compare_keys(&last, &cursor->key) >= 0)
		return error_set(error, ERROR_CORRUPT,
		                 "the keys of the nodes at address %" PRIu64 " and before are out of order",
		                 cursor->nodes[0].address);
	return true;
}
