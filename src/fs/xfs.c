// XFS of versions 4 and 5: the driver. Inodes, extents and directories are decoded in the files beside this
// one.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "fs/identify.h"
#include "fs/xfs_directory.h"
#include "fs/xfs_map.h"

static bool xfs_open(struct filesystem *fs, struct error *error)
{
	uint8_t buffer[XFS_SUPER_SIZE];
	struct xfs_super super;
	if (!reader_read(&fs->reader, 0, buffer, sizeof(buffer), error))
		return error_wrap(error, "xfs");
	if (!xfs_super_decode(span_of(buffer, sizeof(buffer)), &super))
		return error_set(error, ERROR_CORRUPT, "xfs: the superblock is not sound");
	if (!xfs_super_supported(&super, error))
		return error_wrap(error, "xfs");
	struct xfs *xfs = xmalloc(sizeof(*xfs));
	*xfs = (struct xfs){ .super = super };
	block_cache_init(&xfs->cache, &fs->reader);
	fs->state = xfs;
	return true;
}

static void xfs_close(struct filesystem *fs)
{
	block_cache_free(&xfs_of(fs)->cache);
	free(fs->state);
}

static bool make_node(const struct filesystem *fs, uint64_t number, struct node *out, struct error *error)
{
	struct xfs_inode inode;
	if (!xfs_inode_read(fs, number, &inode, error))
		return false;
	*out = (struct node){
		.fs = fs,
		.inode = number,
		.type = inode.type,
		.mode = inode.mode,
		.uid = inode.uid,
		.gid = inode.gid,
		.size = inode.size,
		.modified = inode.modified,
	};
	return true;
}

static bool xfs_root(const struct filesystem *fs, struct node *out, struct error *error)
{
	if (!make_node(fs, xfs_of(fs)->super.root, out, error))
		return error_wrap(error, "xfs");
	if (out->type != NODE_DIRECTORY)
		return error_set(error, ERROR_CORRUPT, "xfs: the root inode is no directory");
	return true;
}

static bool find_name(const struct node *directory, const char *name, uint64_t *found, struct error *error)
{
	struct name_cache *names = &xfs_of(directory->fs)->names;
	struct xfs_inode inode;
	if (name_cache_find(names, directory->inode, name, found))
		return true;
	if (!xfs_inode_read(directory->fs, directory->inode, &inode, error) ||
	    !xfs_directory_find(directory->fs, &inode, name, found, error))
		return false;
	name_cache_keep(names, directory->inode, name, *found);
	return true;
}

static bool xfs_lookup(const struct node *directory, const char *name, struct node *out, struct error *error)
{
	uint64_t found;
	if (!find_name(directory, name, &found, error))
		return error_wrap(error, "xfs");
	if (found == 0)
		return error_set(error, ERROR_NOT_FOUND, "no such name");
	return make_node(directory->fs, found, out, error) ? true : error_wrap(error, "xfs");
}

static bool xfs_list(const struct node *directory, fs_list_fn *each, void *context, struct error *error)
{
	struct xfs_inode inode;
	if (!xfs_inode_read(directory->fs, directory->inode, &inode, error) ||
	    !xfs_directory_list(directory->fs, &inode, each, context, error))
		return error_wrap(error, "xfs");
	return true;
}

/* Finds the run that holds block `logical` of the file. */
static bool find_run(const struct node *file, uint64_t logical, struct error *error)
{
	struct xfs *xfs = xfs_of(file->fs);
	struct xfs_inode inode;
	struct xfs_run run;
	if (xfs->run_inode == file->inode && logical >= xfs->run.logical &&
	    logical - xfs->run.logical < xfs->run.count)
		return true;
	if (!budget_step(file->fs->budget, 1, "an xfs file system", error) ||
	    !xfs_inode_read(file->fs, file->inode, &inode, error) ||
	    !xfs_map(file->fs, &inode, logical, &run, error))
		return error_wrap(error, "xfs");
	xfs->run_inode = file->inode;
	xfs->run = run;
	return true;
}

static bool xfs_read(const struct node *file, uint64_t offset, void *buffer, size_t length,
                     struct error *error)
{
	const struct xfs *xfs = xfs_of(file->fs);
	uint8_t *out = buffer;
	while (length > 0) {
		uint64_t logical = offset >> xfs->super.block_log;
		if (!find_run(file, logical, error))
			return false;
		/* A run has less than 2^54 blocks, but its bytes may not fit 64 bits. */
		uint64_t inside = offset - (xfs->run.logical << xfs->super.block_log), left;
		if (!mul_u64(xfs->run.count, xfs->super.block_size, &left))
			left = UINT64_MAX;
		left -= inside;
		size_t part = length < left ? length : (size_t)left;
		if (xfs->run.offset == 0)
			memset(out, 0, part);
		else if (!reader_read(&file->fs->reader, xfs->run.offset + inside, out, part, error))
			return error_wrap(error, "xfs");
		out += part;
		offset += part;
		length -= part;
	}
	return true;
}

#define LINK_MAX 1024

/* Where each extent of a link's target begins, in version 5. */
#define LINK_HEADER 56

static const struct xfs_header link_header = {
	.what = "symbolic link block", .checksum = 12, .block = 40, .uuid = 16, .owner = 32
};

/* What one extent holds of a target, from `done` bytes on; in version 5 it says so itself. */
static bool decode_link(const struct filesystem *fs, uint64_t inode, const struct xfs_run *run,
                        struct span block, uint64_t done, struct span *out, struct error *error)
{
	uint32_t offset, length;
	*out = block;
	if (!xfs_is_v5(fs))
		return true;
	if (!span_has(block, 0, "XSLM", 4) || !get_be32(block, 4, &offset) || !get_be32(block, 8, &length) ||
	    offset != done || !span_slice(block, LINK_HEADER, length, out))
		return error_set(error, ERROR_CORRUPT,
		                 "no part of the target of inode %" PRIu64 " at offset %" PRIu64, inode,
		                 run->offset);
	return xfs_check_block(fs, &link_header, block, run->offset, inode, error);
}

/* Copies one extent's part of the target; *done grows by it. */
static bool read_link_extent(const struct filesystem *fs, const struct xfs_inode *inode, uint64_t *logical,
                             char *target, size_t *done, struct error *error)
{
	const struct xfs_super *super = &xfs_of(fs)->super;
	uint8_t buffer[XFS_BLOCK_SIZE_MAX];
	struct xfs_run run;
	struct span part;
	if (!xfs_map(fs, inode, *logical, &run, error))
		return false;
	if (run.offset == 0 || run.count > sizeof(buffer) >> super->block_log)
		return error_set(error, ERROR_CORRUPT, "inode %" PRIu64 " has a damaged target",
		                 inode->number);
	size_t length = (size_t)run.count << super->block_log;
	if (!xfs_read_metadata(fs, run.offset, buffer, length, error) ||
	    !decode_link(fs, inode->number, &run, span_of(buffer, length), *done, &part, error))
		return false;
	size_t left = (size_t)inode->size - *done;
	size_t taken = part.size < left ? part.size : left;
	if (taken == 0)
		return error_set(error, ERROR_CORRUPT, "inode %" PRIu64 " has an empty part of a target",
		                 inode->number);
	memcpy(target + *done, part.data, taken);
	*done += taken;
	*logical += run.count;
	return true;
}

static bool read_target(const struct filesystem *fs, const struct xfs_inode *inode, char *target,
                        struct error *error)
{
	size_t done = 0;
	if (inode->format == XFS_LOCAL) {
		memcpy(target, xfs_inode_fork(inode).data, (size_t)inode->size);
		return true;
	}
	for (uint64_t logical = 0; done < inode->size;)
		if (!read_link_extent(fs, inode, &logical, target, &done, error))
			return false;
	return true;
}

static bool xfs_read_link(const struct node *link, char *target, size_t capacity, struct error *error)
{
	struct xfs_inode inode;
	if (!xfs_inode_read(link->fs, link->inode, &inode, error))
		return error_wrap(error, "xfs");
	if (inode.size >= capacity || inode.size > LINK_MAX)
		return error_set(error, ERROR_CORRUPT,
		                 "xfs: symlink inode %" PRIu64 " has a target of %" PRIu64 " bytes",
		                 link->inode, inode.size);
	target[inode.size] = '\0';
	return read_target(link->fs, &inode, target, error) ? true : error_wrap(error, "xfs");
}

static bool refuse_damaged(struct filesystem *fs, struct error *error)
{
	return error_set(error, ERROR_CORRUPT, "%s", fs->problems.items[0].message);
}

const struct fs_driver xfs_driver = {
	.name = "xfs",
	.identify = xfs_identify,
	.open = xfs_open,
	.close = xfs_close,
	.root = xfs_root,
	.lookup = xfs_lookup,
	.list = xfs_list,
	.read_link = xfs_read_link,
	.read = xfs_read,
};

const struct fs_driver xfs_damaged_driver = {
	.name = "xfs-damaged",
	.identify = xfs_identify_damaged,
	.open = refuse_damaged,
};
