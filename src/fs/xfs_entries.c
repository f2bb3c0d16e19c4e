// "XFS Algorithms & Data Structures", chapter "Directories".
#include "fs/xfs_entries.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "fs/xfs_map.h"

#define HEADER_V4 16
#define HEADER_V5 64
#define UNUSED                                                                                               \
	0xffff /* begins an unused stretch, where an entry has the highest bits of its inode number          \
	        */

static const struct xfs_header data_header = {
	.what = "directory block", .checksum = 4, .block = 8, .uuid = 24, .owner = 40
};

void xfs_directory_open(struct xfs_directory *directory, const struct filesystem *fs,
                        const struct xfs_inode *inode)
{
	const struct xfs_super *super = &xfs_of(fs)->super;
	*directory = (struct xfs_directory){
		.fs = fs,
		.inode = inode,
		.buffer = xmalloc((size_t)super->block_size * super->directory_blocks),
	};
}

void xfs_directory_close(struct xfs_directory *directory)
{
	free(directory->buffer);
}

bool xfs_directory_fail(const struct xfs_directory *directory, const char *why, struct error *error)
{
	return error_set(error, ERROR_CORRUPT, "directory inode %" PRIu64 " %s", directory->inode->number,
	                 why);
}

size_t xfs_entries_start(const struct filesystem *fs)
{
	return xfs_is_v5(fs) ? HEADER_V5 : HEADER_V4;
}

/* A directory block may be larger than a block, and then lie in pieces. */
bool xfs_directory_read(struct xfs_directory *directory, uint64_t logical, struct error *error)
{
	const struct xfs_super *super = &xfs_of(directory->fs)->super;
	struct xfs_run run;
	for (uint64_t done = 0; done < super->directory_blocks; done += run.count) {
		if (!xfs_map(directory->fs, directory->inode, logical + done, &run, error))
			return false;
		if (run.offset == 0)
			return xfs_directory_fail(directory, "has a hole where a block should be", error);
		if (run.count > super->directory_blocks - done)
			run.count = super->directory_blocks - done;
		if (!xfs_read_metadata(directory->fs, run.offset,
		                       directory->buffer + done * super->block_size,
		                       (size_t)run.count * super->block_size, error))
			return error_wrap(error, "directory inode %" PRIu64, directory->inode->number);
		if (done == 0)
			directory->offset = run.offset;
	}
	directory->block = span_of(directory->buffer, (size_t)super->block_size * super->directory_blocks);
	return true;
}

/* A directory of one block ends with its index, and that with how long it is. */
static bool split_block(struct span block, struct span *entries, struct span *index)
{
	uint32_t count;
	size_t end = block.size - 8;
	if (!get_be32(block, end, &count) || count > end / 8)
		return false;
	return span_slice(block, end - (size_t)count * 8, (size_t)count * 8, index) &&
	       span_slice(block, 0, end - (size_t)count * 8, entries);
}

bool xfs_directory_read_entries(struct xfs_directory *directory, uint64_t logical, struct span *entries,
                                struct span *index, struct error *error)
{
	bool v5 = xfs_is_v5(directory->fs);
	if (!xfs_directory_read(directory, logical, error))
		return false;
	struct span block = directory->block;
	bool single = span_has(block, 0, v5 ? "XDB3" : "XD2B", 4);
	*entries = block;
	*index = (struct span){ 0 };
	if (!single && !span_has(block, 0, v5 ? "XDD3" : "XD2D", 4))
		return error_set(error, ERROR_CORRUPT,
		                 "directory inode %" PRIu64 ": no block of entries at offset %" PRIu64,
		                 directory->inode->number, directory->offset);
	if (!xfs_check_block(directory->fs, &data_header, block, directory->offset, directory->inode->number,
	                     error))
		return false;
	if (single && (logical != 0 || !split_block(block, entries, index)))
		return xfs_directory_fail(directory, "has an index that does not fit into its block", error);
	return true;
}

/*
 * Inode number, length of the name, name, type of file where the superblock says so; then, at the end of a
 * multiple of 8 bytes, the entry's own offset. An unused stretch has its length behind the mark.
 */
bool xfs_entry_decode(const struct xfs_directory *directory, struct span entries, size_t at,
                      struct xfs_entry *out, size_t *length)
{
	uint16_t mark, tag, unused;
	uint8_t name_length;
	if (!get_be16(entries, at, &mark) || !get_be16(entries, at + 2, &unused))
		return false;
	*out = (struct xfs_entry){ 0 };
	if (mark == UNUSED) {
		*length = unused;
	} else {
		size_t type = xfs_of(directory->fs)->super.file_types ? 1 : 0;
		if (!get_be64(entries, at, &out->inode) || !get_u8(entries, at + 8, &name_length) ||
		    name_length == 0 || !span_slice(entries, at + 9, name_length, &out->name))
			return false;
		*length = (9 + name_length + type + sizeof(tag) + 7) & ~(size_t)7;
	}
	return *length >= 8 && *length % 8 == 0 && range_inside(at, *length, entries.size) &&
	       get_be16(entries, at + *length - sizeof(tag), &tag) && tag == at;
}

static bool scan_block(struct xfs_directory *directory, uint64_t logical, xfs_entry_fn *each, void *context,
                       bool *stopped, struct error *error)
{
	struct span entries, index;
	struct xfs_entry entry;
	size_t length;
	if (!xfs_directory_read_entries(directory, logical, &entries, &index, error))
		return false;
	for (size_t at = xfs_entries_start(directory->fs); at < entries.size && !*stopped; at += length) {
		if (!xfs_entry_decode(directory, entries, at, &entry, &length))
			return error_set(error, ERROR_CORRUPT,
			                 "directory inode %" PRIu64 ": the entry at offset %" PRIu64
			                 " is damaged",
			                 directory->inode->number, directory->offset + at);
		*stopped = entry.name.size > 0 && !each(context, &entry);
	}
	return true;
}

static bool scan_blocks(struct xfs_directory *directory, xfs_entry_fn *each, void *context,
                        struct error *error)
{
	const struct xfs_super *super = &xfs_of(directory->fs)->super;
	uint64_t step = super->directory_blocks;
	uint64_t size =
		directory->inode->size < XFS_DIRECTORY_PART ? directory->inode->size : XFS_DIRECTORY_PART;
	uint64_t end = (size + super->block_size - 1) >> super->block_log;
	bool stopped = false;
	for (uint64_t logical = 0; logical < end && !stopped;) {
		struct xfs_run run;
		if (!xfs_map(directory->fs, directory->inode, logical, &run, error))
			return false;
		/* Blocks of which every entry is gone are given back. */
		uint64_t behind = (logical + run.count) & ~(step - 1);
		if (run.offset == 0 && behind > logical) {
			logical = behind;
			continue;
		}
		if (!scan_block(directory, logical, each, context, &stopped, error))
			return false;
		logical += step;
	}
	return true;
}

/*
 * Inside the inode: how many entries, how many of their inode numbers need 8 bytes (then all have them), the
 * parent; for each entry length of the name, an offset of no meaning here, name, type of file, inode number.
 */
static bool scan_inode(struct xfs_directory *directory, xfs_entry_fn *each, void *context,
                       struct error *error)
{
	static const char damaged[] = "has entries that do not fit into it";
	struct span bytes;
	uint8_t count, wide, length;
	size_t type = xfs_of(directory->fs)->super.file_types ? 1 : 0;
	if (!span_slice(xfs_inode_fork(directory->inode), 0, (size_t)directory->inode->size, &bytes) ||
	    !get_u8(bytes, 0, &count) || !get_u8(bytes, 1, &wide))
		return xfs_directory_fail(directory, damaged, error);
	size_t number_size = wide ? 8 : 4, at = 2 + number_size;
	for (unsigned i = 0; i < count; i++) {
		struct xfs_entry entry;
		uint32_t number = 0;
		if (!get_u8(bytes, at, &length) || length == 0 ||
		    !span_slice(bytes, at + 3, length, &entry.name))
			return xfs_directory_fail(directory, damaged, error);
		at += 3U + length + type;
		if (wide ? !get_be64(bytes, at, &entry.inode) : !get_be32(bytes, at, &number))
			return xfs_directory_fail(directory, damaged, error);
		if (!wide)
			entry.inode = number;
		at += number_size;
		if (!each(context, &entry))
			return true;
	}
	return true;
}

bool xfs_entries_scan(struct xfs_directory *directory, xfs_entry_fn *each, void *context, struct error *error)
{
	if (directory->inode->format == XFS_LOCAL)
		return scan_inode(directory, each, context, error);
	return scan_blocks(directory, each, context, error);
}
