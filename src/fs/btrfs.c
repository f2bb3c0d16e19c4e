// btrfs on one device: the driver. Its root is the top level subvolume, number 5, as boot loaders see it;
// what a mount shows is asked by find_mounted. Subvolumes in it are directories.
#include "fs/btrfs.h"

#include <inttypes.h>
#include <stdlib.h>

#include "fs/identify.h"

static void btrfs_close(struct filesystem *fs)
{
	struct btrfs *btrfs = btrfs_of(fs);
	btrfs_nodes_free(btrfs);
	btrfs_unpacked_free(btrfs);
	free(btrfs->chunks.items);
	free(btrfs);
}

static bool read_super(struct filesystem *fs, struct btrfs_super *super, struct error *error)
{
	uint8_t buffer[BTRFS_SUPER_SIZE];
	if (!reader_read(&fs->reader, BTRFS_SUPER_OFFSET, buffer, sizeof(buffer), error))
		return false;
	if (!btrfs_super_decode(span_of(buffer, sizeof(buffer)), super))
		return error_set(error, ERROR_CORRUPT, "the superblock is not sound");
	return btrfs_super_check(super, error);
}

/* Everything that is needed of any file: the chunks, and the subvolume that paths begin at. */
static bool read_trees(struct btrfs *btrfs, struct error *error)
{
	struct btrfs_root top;
	struct node node;
	return btrfs_chunks_read(btrfs, error) && btrfs_root_find(btrfs, BTRFS_TOP_LEVEL, &top, error) &&
	       btrfs_make_node(btrfs->fs, &top, top.directory, &node, error);
}

static bool btrfs_open(struct filesystem *fs, struct error *error)
{
	struct btrfs_super super;
	if (!read_super(fs, &super, error))
		return error_wrap(error, "btrfs");
	struct btrfs *btrfs = xmalloc(sizeof(*btrfs));
	*btrfs = (struct btrfs){ .fs = fs, .super = super };
	fs->state = btrfs;
	if (read_trees(btrfs, error))
		return true;
	btrfs_close(fs);
	fs->state = NULL;
	return error_wrap(error, "btrfs");
}

static bool btrfs_root(const struct filesystem *fs, struct node *out, struct error *error)
{
	struct btrfs_root top;
	if (!btrfs_root_find(btrfs_of(fs), BTRFS_TOP_LEVEL, &top, error) ||
	    !btrfs_make_node(fs, &top, top.directory, out, error))
		return false;
	if (out->type != NODE_DIRECTORY)
		return error_set(error, ERROR_CORRUPT, "the root inode is no directory");
	return true;
}

static bool btrfs_read_link(const struct node *link, char *target, size_t capacity, struct error *error)
{
	if (link->size >= capacity)
		return error_set(error, ERROR_CORRUPT,
		                 "symlink inode %" PRIu64 " has a target of %" PRIu64 " bytes", link->inode,
		                 link->size);
	size_t length = (size_t)link->size;
	target[length] = '\0';
	return btrfs_read(link, 0, target, length, error);
}

static bool refuse_damaged(struct filesystem *fs, struct error *error)
{
	return error_set(error, ERROR_CORRUPT, "%s",
	                 fs->problems.count > 0 ? fs->problems.items[0].message
	                                        : "the superblock is damaged");
}

const struct fs_driver btrfs_driver = {
	.name = "btrfs",
	.identify = btrfs_identify,
	.open = btrfs_open,
	.close = btrfs_close,
	.root = btrfs_root,
	.lookup = btrfs_lookup,
	.list = btrfs_list,
	.read_link = btrfs_read_link,
	.read = btrfs_read,
	.find_mounted = btrfs_find_mounted,
};

const struct fs_driver btrfs_damaged_driver = {
	.name = "btrfs-damaged",
	.identify = btrfs_identify_damaged,
	.open = refuse_damaged,
};
