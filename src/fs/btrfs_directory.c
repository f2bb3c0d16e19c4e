// Inodes and the names of directories.
//
// A directory has its names twice: DIR_ITEM by the crc32c of the name (several where that is the same), and
// DIR_INDEX in the order in which they were made. An entry is
//
//   0  key that it leads to (17)    25  le16 bytes of data, le16 bytes of name
//  17  le64 generation              29  type, then the name
#include <ext2fs/ext2fs.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "fs/btrfs.h"

#define ENTRY_NAME 30
#define NAME_MOST  255

/* The format's start value of the hash, ~1. */
#define NAME_HASH_SEED UINT32_C(0xfffffffe)

#define MODE_TYPE      0170000
#define MODE_DIRECTORY 0040000
#define MODE_FILE      0100000
#define MODE_LINK      0120000

static enum node_type type_of(uint32_t mode)
{
	switch (mode & MODE_TYPE) {
	case MODE_FILE:
		return NODE_FILE;
	case MODE_DIRECTORY:
		return NODE_DIRECTORY;
	case MODE_LINK:
		return NODE_SYMLINK;
	default:
		return NODE_OTHER;
	}
}

bool btrfs_make_node(const struct filesystem *fs, const struct btrfs_root *root, uint64_t inode,
                     struct node *out, struct error *error)
{
	const struct btrfs_key key = { inode, BTRFS_INODE_ITEM, 0 };
	struct btrfs_cursor cursor;
	uint64_t modified;
	uint32_t links, mode;
	bool found;
	if (!btrfs_find(btrfs_of(fs), &root->top, &key, &cursor, &found, error))
		return false;
	*out = (struct node){ .fs = fs, .inode = inode, .driver = { root->id } };
	if (!found || !get_le64(cursor.item, 16, &out->size) || !get_le32(cursor.item, 40, &links) ||
	    !get_le32(cursor.item, 44, &out->uid) || !get_le32(cursor.item, 48, &out->gid) ||
	    !get_le32(cursor.item, 52, &mode) || !get_le64(cursor.item, 136, &modified) || links == 0)
		return error_set(error, ERROR_CORRUPT,
		                 "inode %" PRIu64 " of subvolume %" PRIu64 " is named and does not exist",
		                 inode, root->id);
	out->type = type_of(mode);
	out->mode = mode & 07777;
	out->modified = (int64_t)modified;
	return true;
}

/* Takes the next entry off the front of an item: several names may have the same hash. */
static bool take_entry(struct span *item, struct btrfs_key *location, struct btrfs_name *name)
{
	uint16_t data_length, length;
	struct span text;
	if (!btrfs_get_key(*item, 0, location) || !get_le16(*item, 25, &data_length) ||
	    !get_le16(*item, 27, &length) || length == 0 || length > NAME_MOST ||
	    !span_slice(*item, ENTRY_NAME, length, &text))
		return false;
	memcpy(name->text, text.data, length);
	name->text[length] = '\0';
	*item = span_from(*item, (size_t)ENTRY_NAME + length + data_length);
	return strlen(name->text) == length && !strchr(name->text, '/');
}

static bool fail_entry(uint64_t directory, struct error *error)
{
	return error_set(error, ERROR_CORRUPT, "directory inode %" PRIu64 " holds an impossible name",
	                 directory);
}

bool btrfs_name_find(struct btrfs *btrfs, const struct btrfs_pointer *top, uint64_t directory,
                     const char *name, struct btrfs_key *location, struct error *error)
{
	size_t length = strlen(name);
	const struct btrfs_key key = { directory, BTRFS_DIR_ITEM,
		                       ext2fs_crc32c_le(NAME_HASH_SEED, (const uint8_t *)name, length) };
	struct btrfs_cursor cursor;
	struct btrfs_name own;
	bool found = false;
	if (length <= NAME_MOST && !btrfs_find(btrfs, top, &key, &cursor, &found, error))
		return false;
	while (found && cursor.item.size > 0) {
		if (!take_entry(&cursor.item, location, &own))
			return fail_entry(directory, error);
		if (str_equal(own.text, name))
			return true;
	}
	return error_set(error, ERROR_NOT_FOUND, "no such name");
}

/* What stands where a subvolume would be, in a snapshot of the one around it: an empty directory. */
static void make_placeholder(const struct node *directory, uint64_t subvolume, struct node *out)
{
	*out = (struct node){
		.fs = directory->fs,
		.inode = subvolume,
		.type = NODE_DIRECTORY,
		.mode = 0755,
	};
}

static bool is_placeholder(const struct node *node)
{
	return node->driver[0] == 0;
}

static bool enter_subvolume(const struct node *directory, uint64_t id, const char *name, struct node *out,
                            struct error *error)
{
	struct btrfs *btrfs = btrfs_of(directory->fs);
	struct btrfs_root root;
	bool is;
	if (!btrfs_root_is_child(btrfs, directory->driver[0], directory->inode, id, name, &is, error))
		return false;
	if (!is) {
		make_placeholder(directory, id, out);
		return true;
	}
	return btrfs_root_find(btrfs, id, &root, error) &&
	       btrfs_make_node(directory->fs, &root, root.directory, out, error);
}

bool btrfs_lookup(const struct node *directory, const char *name, struct node *out, struct error *error)
{
	struct btrfs *btrfs = btrfs_of(directory->fs);
	struct btrfs_root root;
	struct btrfs_key location;
	if (is_placeholder(directory))
		return error_set(error, ERROR_NOT_FOUND, "no such name");
	if (!btrfs_root_find(btrfs, directory->driver[0], &root, error) ||
	    !btrfs_name_find(btrfs, &root.top, directory->inode, name, &location, error))
		return false;
	if (location.type == BTRFS_ROOT_ITEM)
		return enter_subvolume(directory, location.object, name, out, error);
	if (location.type == BTRFS_INODE_ITEM)
		return btrfs_make_node(directory->fs, &root, location.object, out, error);
	return fail_entry(directory->inode, error);
}

bool btrfs_list(const struct node *directory, fs_list_fn *each, void *context, struct error *error)
{
	struct btrfs *btrfs = btrfs_of(directory->fs);
	const struct btrfs_key before = { directory->inode, BTRFS_DIR_INDEX, 0 };
	struct btrfs_root root;
	struct btrfs_cursor cursor;
	struct btrfs_key location;
	struct btrfs_name name;
	bool found;
	if (is_placeholder(directory))
		return true;
	if (!btrfs_root_find(btrfs, directory->driver[0], &root, error) ||
	    !btrfs_seek(btrfs, &root.top, &before, &cursor, &found, error))
		return false;
	for (;;) {
		if (!btrfs_next(&cursor, &found, error))
			return false;
		if (!found || cursor.key.object != directory->inode || cursor.key.type != BTRFS_DIR_INDEX)
			return true;
		if (!take_entry(&cursor.item, &location, &name))
			return fail_entry(directory->inode, error);
		if (!each(context, name.text))
			return true;
	}
}
