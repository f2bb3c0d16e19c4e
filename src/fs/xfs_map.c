// "XFS Algorithms & Data Structures", chapter "Data Extents". An extent is 128 bits, from the highest: 1 flag
// "not written yet", 54 first block in the file, 52 first block in the file system, 21 count of blocks.
#include "fs/xfs_map.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/checked.h"

#define EXTENT_SIZE 16
#define KEY_SIZE    8 /* a key is the first block that its child maps; a pointer is as long */
#define LOGICAL_END (UINT64_C(1) << 54)
#define LEVELS_MAX  9

struct extent {
	uint64_t logical, block, count;
	bool unwritten;
};

static bool fail(const struct xfs_inode *inode, const char *why, struct error *error)
{
	return error_set(error, ERROR_CORRUPT, "inode %" PRIu64 " %s", inode->number, why);
}

static bool decode_extent(struct span records, size_t index, struct extent *out)
{
	uint64_t high, low;
	if (!get_be64(records, index * EXTENT_SIZE, &high) ||
	    !get_be64(records, index * EXTENT_SIZE + 8, &low))
		return false;
	out->unwritten = high >> 63;
	out->logical = high >> 9 & (LOGICAL_END - 1);
	out->block = (high & 0x1ff) << 43 | low >> 21;
	out->count = low & 0x1fffff;
	return true;
}

/* The part of an extent from block `logical` on. */
static bool run_of(const struct filesystem *fs, const struct xfs_inode *inode, const struct extent *extent,
                   uint64_t logical, struct xfs_run *out, struct error *error)
{
	const struct xfs_super *super = &xfs_of(fs)->super;
	uint64_t skipped = logical - extent->logical;
	if (!xfs_block_offset(super, extent->block, extent->count, &out->offset) || out->offset == 0)
		return fail(inode, "has an extent outside the file system", error);
	out->logical = logical;
	out->count = extent->count - skipped;
	out->offset += skipped << super->block_log;
	if (extent->unwritten)
		out->offset = 0;
	return true;
}

/* The extent among sorted records that holds block `logical`, or the hole up to the next one, at most to
 * `limit`. */
static bool search_extents(const struct filesystem *fs, const struct xfs_inode *inode, struct span records,
                           uint64_t logical, uint64_t limit, struct xfs_run *out, struct error *error)
{
	struct extent extent, before = { 0 };
	size_t low = 0, high = records.size / EXTENT_SIZE;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (!decode_extent(records, middle, &extent))
			return fail(inode, "has a list of extents that is cut off", error);
		if (extent.logical > logical) {
			high = middle;
			limit = extent.logical;
		} else {
			low = middle + 1;
			before = extent;
		}
	}
	if (low > 0 && logical - before.logical < before.count)
		return run_of(fs, inode, &before, logical, out, error);
	*out = (struct xfs_run){ .logical = logical, .count = limit - logical };
	return true;
}

/* A node of the tree: keys, then, behind room for as many as fit, pointers. In a leaf: extents. */
struct node_block {
	uint16_t level, count;
	struct span keys, pointers; /* of a leaf: the extents, and nothing */
};

static bool decode_node(struct span bytes, size_t header, struct node_block *out)
{
	struct span body = span_from(bytes, header);
	size_t room = body.size / EXTENT_SIZE;
	if (out->count == 0 || out->count > room)
		return false;
	if (out->level == 0)
		return span_slice(body, 0, (size_t)out->count * EXTENT_SIZE, &out->keys);
	return span_slice(body, 0, (size_t)out->count * KEY_SIZE, &out->keys) &&
	       span_slice(body, room * KEY_SIZE, (size_t)out->count * KEY_SIZE, &out->pointers);
}

static bool decode_root(const struct xfs_inode *inode, struct node_block *out)
{
	struct span fork = xfs_inode_fork(inode);
	return get_be16(fork, 0, &out->level) && get_be16(fork, 2, &out->count) && out->level > 0 &&
	       out->level <= LEVELS_MAX && decode_node(fork, 4, out);
}

static const struct xfs_header tree_header = {
	.what = "block of extents", .checksum = 64, .block = 24, .uuid = 40, .owner = 56
};

static bool read_node(const struct filesystem *fs, const struct xfs_inode *inode, uint64_t block,
                      unsigned level, uint8_t *buffer, struct node_block *out, struct error *error)
{
	const struct xfs_super *super = &xfs_of(fs)->super;
	bool v5 = xfs_is_v5(fs);
	struct span bytes = span_of(buffer, super->block_size);
	uint64_t offset;
	if (!xfs_block_offset(super, block, 1, &offset))
		return fail(inode, "has a tree of extents that leads outside the file system", error);
	if (!xfs_read_metadata(fs, offset, buffer, bytes.size, error))
		return error_wrap(error, "inode %" PRIu64, inode->number);
	if (!span_has(bytes, 0, v5 ? "BMA3" : "BMAP", 4) || !get_be16(bytes, 4, &out->level) ||
	    !get_be16(bytes, 6, &out->count) || out->level != level || !decode_node(bytes, v5 ? 72 : 24, out))
		return error_set(error, ERROR_CORRUPT,
		                 "the tree of extents of inode %" PRIu64 " is damaged at offset %" PRIu64,
		                 inode->number, offset);
	return xfs_check_block(fs, &tree_header, bytes, offset, inode->number, error);
}

/* The child of a node that block `logical` is under: false for the hole in front of the first. */
static bool choose_child(const struct node_block *node, uint64_t logical, uint64_t *limit, uint64_t *child)
{
	size_t low = 0, high = node->count;
	uint64_t key;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (!get_be64(node->keys, middle * KEY_SIZE, &key))
			return false;
		if (key > logical) {
			high = middle;
			if (key < *limit)
				*limit = key;
		} else {
			low = middle + 1;
		}
	}
	return low > 0 && get_be64(node->pointers, (low - 1) * KEY_SIZE, child);
}

/* Each level must be one less than that above it: no tree is endless. */
static bool search_tree(const struct filesystem *fs, const struct xfs_inode *inode, uint64_t logical,
                        uint8_t *buffer, struct xfs_run *out, struct error *error)
{
	struct node_block node;
	uint64_t limit = LOGICAL_END, child;
	if (!decode_root(inode, &node))
		return fail(inode, "has a tree of extents whose root is damaged", error);
	while (node.level > 0) {
		if (!choose_child(&node, logical, &limit, &child)) {
			*out = (struct xfs_run){ .logical = logical, .count = limit - logical };
			return true;
		}
		if (!read_node(fs, inode, child, node.level - 1U, buffer, &node, error))
			return false;
	}
	return search_extents(fs, inode, node.keys, logical, limit, out, error);
}

bool xfs_map(const struct filesystem *fs, const struct xfs_inode *inode, uint64_t logical,
             struct xfs_run *out, struct error *error)
{
	struct span records;
	if (inode->realtime)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "inode %" PRIu64 " lies on the real-time device, which is not read",
		                 inode->number);
	if (logical >= LOGICAL_END)
		return fail(inode, "is larger than a file can be", error);
	if (inode->format == XFS_EXTENTS) {
		if (inode->extents > XFS_INODE_SIZE_MAX ||
		    !span_slice(xfs_inode_fork(inode), 0, (size_t)inode->extents * EXTENT_SIZE, &records))
			return fail(inode, "has more extents than fit into it", error);
		return search_extents(fs, inode, records, logical, LOGICAL_END, out, error);
	}
	if (inode->format != XFS_BTREE)
		return fail(inode, "has no extents", error);
	uint8_t *buffer = xmalloc(xfs_of(fs)->super.block_size);
	bool found = search_tree(fs, inode, logical, buffer, out, error);
	free(buffer);
	return found;
}
