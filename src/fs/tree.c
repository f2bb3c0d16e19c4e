#include "fs/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far more names than any directory that is listed has; it bounds what a crafted one costs. */
#define NAMES_MAX 100000

struct tree tree_of(struct filesystem *root)
{
	return (struct tree){ .root = root };
}

struct tree tree_of_directory(struct filesystem *root, const struct node *directory)
{
	return (struct tree){ .root = root, .directory = *directory };
}

static bool add_mount(struct tree *tree, const struct tree_mount *mount, struct error *error)
{
	const char *path = mount->path;
	if (path[0] != '/' || path[strspn(path, "/")] == '\0')
		return error_set(error, ERROR_USAGE,
		                 "cannot mount at '%s': not an absolute path below the root", path);
	if (tree->mount_count == TREE_MOUNTS_MAX)
		return error_set(error, ERROR_LIMIT, "cannot mount at '%s': more than %d mounts", path,
		                 TREE_MOUNTS_MAX);
	tree->mounts[tree->mount_count++] = *mount;
	return true;
}

bool tree_mount(struct tree *tree, const char *path, struct filesystem *fs, struct error *error)
{
	return add_mount(tree, &(struct tree_mount){ .path = path, .fs = fs }, error);
}

bool tree_mount_directory(struct tree *tree, const char *path, const struct node *directory,
                          struct error *error)
{
	return add_mount(tree, &(struct tree_mount){ path, directory->fs, *directory }, error);
}

/*
 * A directory that nothing holds, but that a mount point lies below: init makes what is missing of its path.
 * It has no names of its own.
 */
static bool missing_lookup(const struct node *directory, const char *name, struct node *out,
                           struct error *error)
{
	(void)directory, (void)out;
	return error_set(error, ERROR_NOT_FOUND, "%s: no such name", name);
}

static bool missing_list(const struct node *directory, fs_list_fn *each, void *context, struct error *error)
{
	(void)directory, (void)each, (void)context, (void)error;
	return true;
}

static const struct fs_driver missing_driver = {
	.name = "missing",
	.lookup = missing_lookup,
	.list = missing_list,
};

static const struct filesystem missing_fs = { .driver = &missing_driver, .type = "missing" };
static const struct node missing_directory = { .fs = &missing_fs, .type = NODE_DIRECTORY, .mode = 0755 };

/* A directory on the way from the root to where a walk stands, and the length of its path. */
struct level {
	struct node node;
	size_t path_length;
};

/* A path being followed. `rest` is what is still to do; a link's target is put in front of it. */
struct walk {
	const struct tree *tree;
	struct level *levels; /* owned; [0] is the root of the tree */
	size_t count, capacity;
	char path[TREE_PATH_MAX]; /* of the top level; "" for the root */
	char rest[TREE_PATH_MAX];
	size_t position;          /* in rest: behind the component that is in name */
	char name[TREE_PATH_MAX]; /* the component being looked up */
	unsigned links;
};

/* Not by an initialiser: that would clear the paths, 12 KiB for every lookup. */
static void walk_begin(struct walk *walk, const struct tree *tree)
{
	walk->tree = tree;
	walk->levels = NULL;
	walk->count = walk->capacity = walk->position = 0;
	walk->path[0] = walk->rest[0] = walk->name[0] = '\0';
	walk->links = 0;
}

static void walk_free(struct walk *walk)
{
	free(walk->levels);
}

static struct level *walk_top(struct walk *walk)
{
	return &walk->levels[walk->count - 1];
}

static void walk_push(struct walk *walk, const struct node *node)
{
	if (walk->count == walk->capacity) {
		walk->capacity = walk->capacity ? walk->capacity * 2 : 16;
		walk->levels = xrealloc(walk->levels, walk->capacity * sizeof(*walk->levels));
	}
	walk->levels[walk->count++] = (struct level){ .node = *node, .path_length = strlen(walk->path) };
}

/* To the parent directory; the root is its own parent. */
static void walk_up(struct walk *walk)
{
	if (walk->count > 1)
		walk->count--;
	walk->path[walk_top(walk)->path_length] = '\0';
}

static void walk_to_root(struct walk *walk)
{
	walk->count = 1;
	walk->path[0] = '\0';
}

/* Takes the next component of rest into name; false at the end. */
static bool next_component(struct walk *walk)
{
	const char *start = walk->rest + walk->position;
	start += strspn(start, "/");
	size_t length = strcspn(start, "/");
	memcpy(walk->name, start, length);
	walk->name[length] = '\0';
	walk->position = (size_t)(start - walk->rest) + length;
	return length > 0;
}

static bool fail_not_found(const char *path, struct error *error)
{
	return error_set(error, ERROR_NOT_FOUND, "%s: no such file or directory", path);
}

static bool append_name(struct walk *walk, struct error *error)
{
	size_t length = strlen(walk->path), more = strlen(walk->name);
	if (length + 1 + more >= sizeof(walk->path))
		return error_set(error, ERROR_CORRUPT, "the path is longer than %d bytes", TREE_PATH_MAX - 1);
	walk->path[length] = '/';
	memcpy(walk->path + length + 1, walk->name, more + 1);
	return true;
}

/* "/boot/" and "/boot" are the same mount. */
static bool is_mount_path(const char *mount, const char *path)
{
	size_t length = strlen(mount);
	while (length > 1 && mount[length - 1] == '/')
		length--;
	return strlen(path) == length && memcmp(mount, path, length) == 0;
}

/* What is mounted at the walk's path; the last mount hides those before it. */
static const struct tree_mount *mounted_at(const struct walk *walk)
{
	for (size_t i = walk->tree->mount_count; i > 0; i--)
		if (is_mount_path(walk->tree->mounts[i - 1].path, walk->path))
			return &walk->tree->mounts[i - 1];
	return NULL;
}

static bool leads_to_mount(const struct walk *walk)
{
	size_t length = strlen(walk->path);
	for (size_t i = 0; i < walk->tree->mount_count; i++) {
		const char *path = walk->tree->mounts[i].path;
		if (str_starts(path, walk->path) && path[length] == '/')
			return true;
	}
	return false;
}

/* The directory that a mount shows: of its file system the root, where it names none. */
static bool shown_node(const struct filesystem *fs, const struct node *directory, struct node *out,
                       struct error *error)
{
	if (directory->fs) {
		*out = *directory;
		return true;
	}
	if (!fs_is_open(fs))
		return error_set(error, ERROR_UNSUPPORTED, "the %s file system there cannot be read",
		                 fs->type ? fs->type : "unknown");
	return fs->driver->root(fs, out, error);
}

/* Finds the name in the top directory and makes it the top of the walk. */
static bool step_into(struct walk *walk, struct error *error)
{
	struct node node;
	const struct node *directory = &walk_top(walk)->node;
	if (!append_name(walk, error))
		return false;
	const struct tree_mount *mounted = mounted_at(walk);
	if (mounted) {
		if (!shown_node(mounted->fs, &mounted->directory, &node, error))
			return error_wrap(error, "%s", walk->path);
	} else if (!directory->fs->driver->lookup(directory, walk->name, &node, error)) {
		if (error->code != ERROR_NOT_FOUND)
			return error_wrap(error, "%s", walk->path);
		if (!leads_to_mount(walk))
			return fail_not_found(walk->path, error);
		node = missing_directory;
	}
	walk_push(walk, &node);
	return true;
}

/* Replaces the link on top of the walk by its target, in front of what is still to do. */
static bool follow_link(struct walk *walk, struct error *error)
{
	char target[TREE_PATH_MAX], rest[TREE_PATH_MAX];
	const struct node *link = &walk_top(walk)->node;
	if (++walk->links > TREE_LINKS_MAX)
		return error_set(error, ERROR_CORRUPT, "%s: more than %d symbolic links, probably a loop",
		                 walk->path, TREE_LINKS_MAX);
	if (!link->fs->driver->read_link(link, target, sizeof(target), error))
		return error_wrap(error, "%s", walk->path);
	if (target[0] == '\0')
		return fail_not_found(walk->path, error);

	const char *more = walk->rest + walk->position;
	size_t length = strlen(target), more_length = strlen(more);
	if (length + more_length >= sizeof(rest))
		return error_set(error, ERROR_CORRUPT, "%s: its target makes a path of more than %d bytes",
		                 walk->path, TREE_PATH_MAX - 1);
	memcpy(rest, target, length);
	memcpy(rest + length, more, more_length + 1);
	memcpy(walk->rest, rest, length + more_length + 1);
	walk->position = 0;
	if (target[0] == '/')
		walk_to_root(walk);
	else
		walk_up(walk);
	return true;
}

/* One component: down, up, or through a link. */
static bool walk_step(struct walk *walk, bool keep_last_link, struct error *error)
{
	if (!budget_step(walk->tree->root->budget, 1, "following paths", error))
		return false;
	if (str_equal(walk->name, "."))
		return true;
	if (str_equal(walk->name, "..")) {
		walk_up(walk);
		return true;
	}
	if (!step_into(walk, error))
		return false;
	/* A trailing slash asks for a directory, and so follows the last link, too. */
	bool last = walk->rest[walk->position] == '\0';
	enum node_type type = walk_top(walk)->node.type;
	if (type == NODE_SYMLINK && !(last && keep_last_link))
		return follow_link(walk, error);
	if (!last && type != NODE_DIRECTORY)
		return fail_not_found(walk->path, error);
	return true;
}

static bool walk_path(struct walk *walk, const char *path, bool keep_last_link, struct tree_file *out,
                      struct error *error)
{
	struct node root;
	size_t length = strlen(path);
	if (length == 0)
		return error_set(error, ERROR_NOT_FOUND, "an empty path names no file");
	if (length >= sizeof(walk->rest))
		return error_set(error, ERROR_NOT_FOUND, "a path of %zu bytes names no file", length);
	memcpy(walk->rest, path, length + 1);
	if (!shown_node(walk->tree->root, &walk->tree->directory, &root, error))
		return false;
	walk_push(walk, &root);
	while (next_component(walk))
		if (!walk_step(walk, keep_last_link, error))
			return false;
	out->node = walk_top(walk)->node;
	snprintf(out->path, sizeof(out->path), "%s", walk->count == 1 ? "/" : walk->path);
	return true;
}

static bool look_up(const struct tree *tree, const char *path, bool keep_last_link, struct tree_file *out,
                    struct error *error)
{
	struct walk walk;
	walk_begin(&walk, tree);
	bool found = walk_path(&walk, path, keep_last_link, out, error);
	walk_free(&walk);
	return found;
}

bool tree_lookup(const struct tree *tree, const char *path, struct tree_file *out, struct error *error)
{
	return look_up(tree, path, false, out, error);
}

bool tree_lookup_link(const struct tree *tree, const char *path, struct tree_file *out, struct error *error)
{
	return look_up(tree, path, true, out, error);
}

bool tree_exists(const struct tree *tree, const char *path)
{
	struct tree_file file;
	struct error ignored;
	return tree_lookup(tree, path, &file, &ignored);
}

bool tree_read_link(const struct tree *tree, const char *path, char *target, size_t capacity)
{
	struct tree_file file;
	struct error ignored;
	return tree_lookup_link(tree, path, &file, &ignored) && file.node.type == NODE_SYMLINK &&
	       file.node.fs->driver->read_link(&file.node, target, capacity, &ignored);
}

bool tree_load(const struct tree *tree, const char *path, size_t most, struct arena *arena, struct span *out,
               struct place *place, struct error *error)
{
	struct tree_file file;
	if (!tree_lookup(tree, path, &file, error))
		return false;
	if (file.node.type != NODE_FILE)
		return error_set(error, ERROR_NOT_FOUND, "%s: not a regular file", file.path);
	struct reader reader = node_reader(&file.node);
	if (!reader_load(&reader, most, arena, out, error))
		return error_wrap(error, "%s", file.path);
	if (place)
		*place = tree_place(&file, 0, NULL, arena);
	return true;
}

struct collection {
	struct arena *arena;
	LIST(const char *) names;
	bool full;
};

static bool collect_name(void *context, const char *name)
{
	struct collection *collection = context;
	collection->full = collection->names.count == NAMES_MAX;
	if (collection->full)
		return false;
	*LIST_ADD(collection->arena, &collection->names) = arena_strdup(collection->arena, name);
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool tree_names(const struct tree *tree, const char *path, struct arena *arena, struct names *out,
                struct error *error)
{
	struct tree_file file;
	struct collection collection = { .arena = arena };
	*out = (struct names){ 0 };
	if (!tree_lookup(tree, path, &file, error)) {
		if (error->code != ERROR_NOT_FOUND)
			return false;
		error_clear(error);
		return true;
	}
	if (file.node.type != NODE_DIRECTORY)
		return true;
	if (!file.node.fs->driver->list(&file.node, collect_name, &collection, error))
		return error_wrap(error, "%s", file.path);
	if (collection.full)
		return error_set(error, ERROR_LIMIT, "%s: more than %d names", file.path, NAMES_MAX);
	if (collection.names.count > 0)
		qsort(collection.names.items, collection.names.count, sizeof(const char *), compare_names);
	*out = (struct names){ collection.names.items, collection.names.count };
	return true;
}

struct place tree_place(const struct tree_file *file, uint64_t line, const char *text, struct arena *arena)
{
	return (struct place){
		.partition = file->node.fs->partition,
		.path = arena_strdup(arena, file->path),
		.line = line,
		.text = text ? arena_strdup(arena, text) : NULL,
	};
}
