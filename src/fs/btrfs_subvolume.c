// Subvolumes: trees of files with a number and, in another one, a name. The tree of tree roots knows them
// all.
//
//   ROOT_ITEM (id, 132, any)          160  le64 generation       176  le64 address
//                                     168  le64 first directory  238  level
//   ROOT_BACKREF (id, 144, parent)      0  le64 directory in the parent, le64 index
//   ROOT_REF (parent, 156, id)         16  le16 bytes of name, then the name
//   INODE_REF (inode, 12, directory)    0  le64 index, le16 bytes of name, then the name
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "fs/btrfs.h"

#define ROOT_TREE_DIRECTORY 6
#define FIRST_FREE          256
#define LAST_FREE           (UINT64_MAX - 255)
/* Of the path to a subvolume: the depth of a crafted one. */
#define PATH_NAMES_MOST 256

static struct btrfs_pointer root_tree(const struct btrfs *btrfs)
{
	return (struct btrfs_pointer){ btrfs->super.root, btrfs->super.generation, btrfs->super.root_level };
}

static bool decode_root(struct span item, struct btrfs_root *out)
{
	return get_le64(item, 160, &out->top.generation) && get_le64(item, 168, &out->directory) &&
	       get_le64(item, 176, &out->top.address) && get_u8(item, 238, &out->top.level);
}

bool btrfs_root_find(struct btrfs *btrfs, uint64_t id, struct btrfs_root *out, struct error *error)
{
	struct btrfs_root *kept = &btrfs->roots[id % BTRFS_ROOTS_KEPT];
	const struct btrfs_pointer tree = root_tree(btrfs);
	const struct btrfs_key last = { id, BTRFS_ROOT_ITEM, UINT64_MAX };
	struct btrfs_cursor cursor;
	bool found;
	if (id != 0 && kept->id == id) {
		*out = *kept;
		return true;
	}
	if (id != BTRFS_TOP_LEVEL && (id < FIRST_FREE || id > LAST_FREE))
		return error_set(error, ERROR_NOT_FOUND, "there is no subvolume %" PRIu64, id);
	if (!btrfs_seek(btrfs, &tree, &last, &cursor, &found, error))
		return error_wrap(error, "the root tree");
	if (!found || cursor.key.object != id || cursor.key.type != BTRFS_ROOT_ITEM)
		return error_set(error, ERROR_NOT_FOUND, "there is no subvolume %" PRIu64, id);
	*out = (struct btrfs_root){ .id = id };
	if (!decode_root(cursor.item, out))
		return error_set(error, ERROR_CORRUPT, "the root of subvolume %" PRIu64 " is not sound", id);
	*kept = *out;
	return true;
}

bool btrfs_root_is_child(struct btrfs *btrfs, uint64_t parent, uint64_t directory, uint64_t child,
                         const char *name, bool *is, struct error *error)
{
	const struct btrfs_pointer tree = root_tree(btrfs);
	const struct btrfs_key key = { parent, BTRFS_ROOT_REF, child };
	struct btrfs_cursor cursor;
	uint64_t own;
	uint16_t length;
	struct span text;
	if (!btrfs_find(btrfs, &tree, &key, &cursor, is, error))
		return error_wrap(error, "the root tree");
	*is = *is && get_le64(cursor.item, 0, &own) && own == directory &&
	      get_le16(cursor.item, 16, &length) && span_slice(cursor.item, 18, length, &text) &&
	      span_equal_text(text, name);
	return true;
}

/* A path that is put together from its end. */
struct backward {
	char *path;
	size_t start, capacity; /* path[start] on is filled, NUL-terminated */
	unsigned names;
};

static bool put_in_front(struct backward *backward, struct span item, size_t length_at, struct error *error)
{
	uint16_t length;
	struct span name;
	if (!get_le16(item, length_at, &length) || !span_slice(item, length_at + 2, length, &name) ||
	    length == 0)
		return error_set(error, ERROR_CORRUPT, "a name on the way to a subvolume is not sound");
	if (backward->start < length + 1U || ++backward->names > PATH_NAMES_MOST)
		return error_set(error, ERROR_CORRUPT, "the path of a subvolume is too long");
	backward->start -= length;
	memcpy(backward->path + backward->start, name.data, length);
	backward->path[--backward->start] = '/';
	return true;
}

/* Puts the names of the directories between one of a subvolume and its first directory in front. */
static bool climb_directories(struct btrfs *btrfs, const struct btrfs_root *root, uint64_t directory,
                              struct backward *backward, struct error *error)
{
	while (directory != root->directory) {
		const struct btrfs_key last = { directory, BTRFS_INODE_REF, UINT64_MAX };
		struct btrfs_cursor cursor;
		bool found;
		if (!btrfs_seek(btrfs, &root->top, &last, &cursor, &found, error))
			return false;
		if (!found || cursor.key.object != directory || cursor.key.type != BTRFS_INODE_REF)
			return error_set(error, ERROR_CORRUPT,
			                 "directory inode %" PRIu64 " of subvolume %" PRIu64 " has no name",
			                 directory, root->id);
		if (!put_in_front(backward, cursor.item, 8, error))
			return false;
		directory = cursor.key.offset;
	}
	return true;
}

/* The path of a subvolume below the top level one, which has none. */
static bool find_path(struct btrfs *btrfs, uint64_t id, char *path, size_t capacity, struct error *error)
{
	const struct btrfs_pointer tree = root_tree(btrfs);
	struct backward backward = { .path = path, .start = capacity - 1 };
	path[capacity - 1] = '\0';
	while (id != BTRFS_TOP_LEVEL) {
		const struct btrfs_key last = { id, BTRFS_ROOT_BACKREF, UINT64_MAX };
		struct btrfs_cursor cursor;
		struct btrfs_root parent;
		uint64_t directory;
		bool found;
		if (!btrfs_seek(btrfs, &tree, &last, &cursor, &found, error))
			return false;
		if (!found || cursor.key.object != id || cursor.key.type != BTRFS_ROOT_BACKREF ||
		    !get_le64(cursor.item, 0, &directory))
			return error_set(error, ERROR_NOT_FOUND, "subvolume %" PRIu64 " has no name", id);
		id = cursor.key.offset;
		if (!put_in_front(&backward, cursor.item, 16, error) ||
		    !btrfs_root_find(btrfs, id, &parent, error) ||
		    !climb_directories(btrfs, &parent, directory, &backward, error))
			return false;
	}
	memmove(path, path + backward.start, capacity - backward.start);
	return true;
}

/* The subvolume that is mounted where no option names one. */
static bool find_default(struct btrfs *btrfs, uint64_t *id, struct error *error)
{
	const struct btrfs_pointer tree = root_tree(btrfs);
	struct btrfs_key location;
	*id = BTRFS_TOP_LEVEL;
	if (!btrfs_name_find(btrfs, &tree, ROOT_TREE_DIRECTORY, "default", &location, error))
		return error->code == ERROR_NOT_FOUND;
	if (location.type == BTRFS_ROOT_ITEM)
		*id = location.object;
	return true;
}

static bool mounted_by_id(const struct filesystem *fs, uint64_t id, struct node *out, char *path,
                          size_t capacity, struct error *error)
{
	struct btrfs_root root;
	return btrfs_root_find(btrfs_of(fs), id, &root, error) &&
	       find_path(btrfs_of(fs), id, path, capacity, error) &&
	       btrfs_make_node(fs, &root, root.directory, out, error);
}

/* By a path below the top level subvolume, with or without a slash in front. */
static bool mounted_by_path(const struct filesystem *fs, const char *name, struct node *out, char *path,
                            size_t capacity, struct error *error)
{
	struct btrfs *btrfs = btrfs_of(fs);
	struct btrfs_root root;
	struct node node;
	size_t used = 0;
	if (!btrfs_root_find(btrfs, BTRFS_TOP_LEVEL, &root, error) ||
	    !btrfs_make_node(fs, &root, root.directory, out, error))
		return false;
	path[0] = '\0';
	for (const char *rest = name + strspn(name, "/"); *rest; rest += strspn(rest, "/")) {
		struct btrfs_name part = { 0 };
		size_t length = strcspn(rest, "/");
		if (length >= sizeof(part.text) || used + length + 2 > capacity)
			return error_set(error, ERROR_NOT_FOUND, "there is no subvolume '%s'", name);
		memcpy(part.text, rest, length);
		if (!btrfs_lookup(out, part.text, &node, error))
			return error->code == ERROR_NOT_FOUND &&
			       error_set(error, ERROR_NOT_FOUND, "there is no subvolume '%s'", name);
		*out = node;
		path[used++] = '/';
		memcpy(path + used, rest, length);
		path[used += length] = '\0';
		rest += length;
	}
	/* Of its first directory the kernel makes a mount, of another one it does not. */
	if (out->driver[0] == 0 || !btrfs_root_find(btrfs, out->driver[0], &root, error) ||
	    out->inode != root.directory)
		return error_set(error, ERROR_NOT_FOUND, "'%s' is no subvolume", name);
	return true;
}

struct option {
	char value[4096];
};

/* The value of a mount option, of several the last; false when it is not among them. */
static bool option_value(const char *options, const char *name, struct option *out)
{
	bool found = false;
	size_t length = strlen(name);
	while (*options) {
		size_t size = strcspn(options, ",");
		if (size > length && strncmp(options, name, length) == 0 && options[length] == '=' &&
		    size - length <= sizeof(out->value)) {
			memcpy(out->value, options + length + 1, size - length - 1);
			out->value[size - length - 1] = '\0';
			found = true;
		}
		options += size + (options[size] == ',');
	}
	return found;
}

bool btrfs_find_mounted(const struct filesystem *fs, const char *options, struct node *out, char *path,
                        size_t capacity, struct error *error)
{
	struct option name, number;
	uint64_t id = 0;
	bool by_name = option_value(options, "subvol", &name),
	     by_id = option_value(options, "subvolid", &number);
	if (by_id && !str_to_u64(number.value, &id))
		return error_set(error, ERROR_NOT_FOUND, "subvolid=%s is no number", number.value);
	if (by_id && id == 0)
		id = BTRFS_TOP_LEVEL;
	if (!by_name && !by_id && !find_default(btrfs_of(fs), &id, error))
		return false;
	if (!by_name)
		return mounted_by_id(fs, id, out, path, capacity, error);
	if (!mounted_by_path(fs, name.value, out, path, capacity, error))
		return false;
	/* The kernel mounts nothing where both are given and name two, as after a snapshot was rolled back.
	 */
	return !by_id || out->driver[0] == id ||
	       error_set(error, ERROR_NOT_FOUND, "subvolume '%s' has not the number of subvolid=%s",
	                 name.value, number.value);
}
