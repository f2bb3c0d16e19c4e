// The index of an archive is flat and names whole paths; here it becomes directories, once: a table of nodes
// in which each knows its parent, and a hash of parent and name. All of it lives in the arena.
#include "fs/tarfs.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "fs/identify.h"

#define PATH_MOST  ((size_t)4096) /* bytes of a path that Linux takes */
#define NAME_MOST  ((size_t)255)
#define LINKS_MOST 40
/* Problems that are remembered of a crafted archive. */
#define PROBLEMS_MOST 16

struct entry {
	const char *name;
	const struct tar_member *member; /* whose content it has; NULL for a directory that was made up */
	uint32_t parent;                 /* index; the root is its own */
	uint32_t next;                   /* 1 + index of the next entry of its bucket */
	uint32_t first, last,
		sibling; /* 1 + index: children of a directory, and the next child of its parent */
	enum node_type type;
	const char *left_out; /* why there is no content that it could have; NULL: there is */
};

struct tarfs {
	const struct tar_archive *archive;
	LIST(struct entry) entries; /* [0] is the root */
	uint32_t *buckets;          /* 1 + index of an entry */
	size_t mask;
	const char *gap; /* tarfs_gap(): what is not in the index may be all the same */
};

/* Where a path is followed. */
struct position {
	uint32_t at;    /* index of a directory */
	unsigned links; /* that were followed */
};

static struct entry *entry_at(const struct tarfs *tar, uint32_t index)
{
	return &tar->entries.items[index];
}

static uint32_t *bucket_of(const struct tarfs *tar, uint32_t parent, struct span name)
{
	uint32_t hash = 2166136261u ^ parent; /* FNV-1a */
	for (size_t i = 0; i < name.size; i++)
		hash = (hash ^ name.data[i]) * 16777619u;
	return &tar->buckets[(hash ^ parent * 2654435761u) & tar->mask];
}

/* The index of a child; 0, the root, when there is none of that name. */
static bool find_child(const struct filesystem *fs, uint32_t parent, struct span name, uint32_t *out,
                       struct error *error)
{
	const struct tarfs *tar = fs->state;
	*out = 0;
	for (uint32_t at = *bucket_of(tar, parent, name); at; at = entry_at(tar, at - 1)->next) {
		if (!budget_step(fs->budget, 1, "the names in the archive", error))
			return false;
		const struct entry *entry = entry_at(tar, at - 1);
		if (entry->parent == parent && span_equal_text(name, entry->name)) {
			*out = at - 1;
			break;
		}
	}
	return true;
}

/* Twice as many buckets, and every entry in its new one. */
static void grow(const struct filesystem *fs)
{
	struct tarfs *tar = fs->state;
	tar->mask = tar->mask * 2 + 1;
	tar->buckets = arena_alloc_array(fs->arena, tar->mask + 1, sizeof(*tar->buckets));
	for (uint32_t i = 1; i < tar->entries.count; i++) {
		struct entry *entry = entry_at(tar, i);
		uint32_t *bucket = bucket_of(tar, entry->parent, span_text(entry->name));
		entry->next = *bucket;
		*bucket = i + 1;
	}
}

static uint32_t add_child(const struct filesystem *fs, uint32_t parent, struct span name, enum node_type type)
{
	struct tarfs *tar = fs->state;
	uint32_t index = (uint32_t)tar->entries.count;
	*LIST_ADD(fs->arena, &tar->entries) =
		(struct entry){ .name = arena_string(fs->arena, name), .parent = parent, .type = type };
	if (index > tar->mask) {
		grow(fs);
	} else {
		uint32_t *bucket = bucket_of(tar, parent, name);
		entry_at(tar, index)->next = *bucket;
		*bucket = index + 1;
	}
	struct entry *directory = entry_at(tar, parent);
	if (directory->last)
		entry_at(tar, directory->last - 1)->sibling = index + 1;
	else
		directory->first = index + 1;
	directory->last = index + 1;
	return index;
}

/* Takes the next component of a path that is none of "" and "."; false at its end. */
static bool next_component(struct span *path, struct span *name)
{
	while (path->size > 0) {
		size_t length = span_find(*path, 0, "/", 1);
		*name = span_of(path->data, length == SIZE_MAX ? path->size : length);
		*path = span_from(*path, name->size + 1);
		if (name->size > 0 && !span_equal_text(*name, "."))
			return true;
	}
	return false;
}

static bool cannot(struct error *error, struct span name, const char *why)
{
	return error_set(error, ERROR_CORRUPT, "%.*s: %s", (int)(name.size < 64 ? name.size : 64),
	                 (const char *)name.data, why);
}

static bool enter(const struct filesystem *fs, struct span path, bool make, struct position *position,
                  struct error *error);

/* One component down: into a directory, made up where it may be, or through a link. */
static bool enter_child(const struct filesystem *fs, struct span name, bool make, struct position *position,
                        struct error *error)
{
	const struct tarfs *tar = fs->state;
	uint32_t child;
	if (!find_child(fs, position->at, name, &child, error))
		return false;
	if (!child && !make)
		return cannot(error, name, "there is no such directory");
	if (!child)
		child = add_child(fs, position->at, name, NODE_DIRECTORY);
	const struct entry *entry = entry_at(tar, child);
	if (entry->type == NODE_SYMLINK) {
		struct span target = span_text(entry->member->link);
		if (++position->links > LINKS_MOST)
			return cannot(error, name, "its parent is a loop of symbolic links");
		if (span_has(target, 0, "/", 1))
			position->at = 0;
		/* Recursion ends with the count of links. tar makes up no directories for a link to lead to.
		 */
		return enter(fs, target, false, position, error);
	}
	if (entry->type != NODE_DIRECTORY)
		return cannot(error, name, "its parent is no directory");
	position->at = child;
	return true;
}

/* Follows a path of directories from where `position` is. */
static bool enter(const struct filesystem *fs, struct span path, bool make, struct position *position,
                  struct error *error)
{
	const struct tarfs *tar = fs->state;
	struct span name;
	while (next_component(&path, &name)) {
		if (!budget_step(fs->budget, 1, "the paths in the archive", error))
			return false;
		if (name.size > NAME_MOST)
			return cannot(error, name, "the name is longer than 255 bytes");
		if (span_equal_text(name, ".."))
			position->at = entry_at(tar, position->at)->parent;
		else if (!enter_child(fs, name, make, position, error))
			return false;
	}
	return true;
}

/* Splits a member's path into the folder and the last name; both empty for the root. */
static bool split_path(const char *path, struct span *folder, struct span *name, struct error *error)
{
	struct span whole = span_text(tar_plain_name(path)), rest = whole, one;
	if (whole.size >= PATH_MOST)
		return error_set(error, ERROR_CORRUPT, "its path is longer than %zu bytes", PATH_MOST - 1);
	*folder = *name = span_of(whole.data, 0);
	while (next_component(&rest, &one)) {
		if (span_equal_text(one, ".."))
			return error_set(error, ERROR_CORRUPT, "its path goes up with ..");
		*name = one;
	}
	*folder = span_of(whole.data, name->size > 0 ? (size_t)(name->data - whole.data) : 0);
	return true;
}

static enum node_type type_of(const struct tar_member *member)
{
	switch (member->type) {
	case TAR_FILE:
		return NODE_FILE;
	case TAR_SYMLINK:
		return NODE_SYMLINK;
	case TAR_DIRECTORY:
		return NODE_DIRECTORY;
	default:
		return NODE_OTHER;
	}
}

/* What a hard link shares: the entry that has the name by now. */
static bool find_linked(const struct filesystem *fs, const struct tar_member *link, struct entry *out,
                        struct error *error)
{
	struct position position = { 0 };
	struct span folder, name;
	uint32_t child = 0;
	if (!split_path(link->link ? link->link : "", &folder, &name, error) ||
	    !enter(fs, folder, false, &position, error) || !find_child(fs, position.at, name, &child, error))
		return false;
	const struct entry *found = entry_at(fs->state, child);
	if (!child || found->type == NODE_DIRECTORY || found->left_out)
		return error_set(error, ERROR_CORRUPT, "it is a hard link to %.100s, which is not there",
		                 link->link ? link->link : "nothing");
	*out = *found;
	return true;
}

/* Puts a member in its place, where something may be already. */
static bool put(const struct filesystem *fs, const struct tar_member *member, struct error *error)
{
	struct position position = { 0 };
	struct span folder, name;
	struct entry content = { .member = member, .type = type_of(member) };
	if (member->type == TAR_CONTINUED)
		content.left_out = "its beginning is on another volume";
	if (member->type == TAR_HARD_LINK && !find_linked(fs, member, &content, error)) {
		if (error->code == ERROR_LIMIT)
			return false;
		content.left_out = arena_strdup(fs->arena, error->message);
	}
	if (member->type == TAR_SYMLINK && !member->link)
		return error_set(error, ERROR_CORRUPT, "it is a link to nothing");
	if (!split_path(member->name, &folder, &name, error) || !enter(fs, folder, true, &position, error))
		return false;
	if (name.size > NAME_MOST)
		return cannot(error, name, "the name is longer than 255 bytes");
	uint32_t child = 0;
	if (name.size > 0 && !find_child(fs, position.at, name, &child, error))
		return false;
	if (name.size > 0 && !child)
		child = add_child(fs, position.at, name, content.type);
	struct entry *entry = entry_at(fs->state, child);
	/* tar removes no directory that is not empty. */
	bool stays = entry->type == NODE_DIRECTORY && (entry->first || child == 0);
	if (stays && content.type != NODE_DIRECTORY)
		return error_set(error, ERROR_CORRUPT, "it is a directory already");
	entry->member = content.member;
	entry->type = content.type;
	entry->left_out = content.left_out;
	return !entry->left_out || error_set(error, ERROR_CORRUPT, "%s", entry->left_out);
}

static void note(struct filesystem *fs, const struct tar_member *member, const char *why)
{
	if (fs->problems.count < PROBLEMS_MOST)
		fs_problem(fs, "tar-member", member->header, "%.200s in the archive is left out: %s",
		           member->name, why);
}

static bool put_all(struct filesystem *fs, struct error *error)
{
	const struct tarfs *tar = fs->state;
	for (size_t i = 0; i < tar->archive->members.count; i++) {
		const struct tar_member *member = &tar->archive->members.items[i];
		if (put(fs, member, error))
			continue;
		if (error->code == ERROR_LIMIT)
			return false;
		note(fs, member, error->message);
		error_clear(error);
	}
	return true;
}

static void fill_node(const struct filesystem *fs, uint32_t index, struct node *out)
{
	const struct entry *entry = entry_at(fs->state, index);
	*out = (struct node){ .fs = fs, .inode = index, .type = entry->type, .mode = 0755 };
	if (!entry->member)
		return;
	out->mode = entry->member->mode;
	out->uid = entry->member->uid;
	out->gid = entry->member->gid;
	out->modified = entry->member->mtime;
	out->size = entry->type == NODE_FILE      ? entry->member->size
	            : entry->type == NODE_SYMLINK ? strlen(entry->member->link)
	                                          : 0;
}

static bool tarfs_root(const struct filesystem *fs, struct node *out, struct error *error)
{
	(void)error;
	fill_node(fs, 0, out);
	return true;
}

static bool tarfs_lookup(const struct node *directory, const char *name, struct node *out,
                         struct error *error)
{
	uint32_t child;
	if (!find_child(directory->fs, (uint32_t)directory->inode, span_text(name), &child, error))
		return false;
	const char *gap = ((const struct tarfs *)directory->fs->state)->gap;
	if (!child && gap)
		return error_set(error, ERROR_TRUNCATED, "%s", gap);
	if (!child)
		return error_set(error, ERROR_NOT_FOUND, "no such file or directory");
	const struct entry *entry = entry_at(directory->fs->state, child);
	if (entry->left_out)
		return error_set(error, ERROR_CORRUPT, "it is left out: %s", entry->left_out);
	fill_node(directory->fs, child, out);
	return true;
}

static bool tarfs_list(const struct node *directory, fs_list_fn *each, void *context, struct error *error)
{
	const struct tarfs *tar = directory->fs->state;
	uint32_t at = entry_at(tar, (uint32_t)directory->inode)->first;
	for (; at; at = entry_at(tar, at - 1)->sibling) {
		if (!budget_step(directory->fs->budget, 1, "the names in the archive", error))
			return false;
		if (!each(context, entry_at(tar, at - 1)->name))
			return true;
	}
	/* Any directory may have more members there: an archive is in no order. */
	return !tar->gap || error_set(error, ERROR_TRUNCATED, "%s", tar->gap);
}

static const struct tar_member *member_of(const struct node *node)
{
	return entry_at(node->fs->state, (uint32_t)node->inode)->member;
}

static bool tarfs_read_link(const struct node *link, char *target, size_t capacity, struct error *error)
{
	const char *text = member_of(link)->link;
	size_t length = strlen(text);
	if (length >= capacity)
		return error_set(error, ERROR_CORRUPT, "the link's target is longer than %zu bytes",
		                 capacity - 1);
	memcpy(target, text, length + 1);
	return true;
}

static bool tarfs_read(const struct node *file, uint64_t offset, void *buffer, size_t length,
                       struct error *error)
{
	const struct tarfs *tar = file->fs->state;
	return tar_member_read(tar->archive, member_of(file), offset, buffer, length, error);
}

static void tarfs_close(struct filesystem *fs)
{
	(void)fs; /* all of it lives in the arena */
}

static const struct fs_driver tarfs_driver = {
	.name = "tar",
	.close = tarfs_close,
	.root = tarfs_root,
	.lookup = tarfs_lookup,
	.list = tarfs_list,
	.read_link = tarfs_read_link,
	.read = tarfs_read,
};

const char *tarfs_gap(const struct tar_archive *archive, struct arena *arena)
{
	if (archive->damage)
		return arena_printf(arena, "%s: %s", archive->damage,
		                    archive->is_cut ? "was it copied completely?"
		                                    : "what comes behind it is not examined");
	if (!archive->has_end)
		return arena_printf(arena,
		                    "the tar archive ends at offset %" PRIu64
		                    " without its end mark: was it copied completely?",
		                    archive->end);
	if (archive->members.count > 0 && archive->members.items[0].type == TAR_CONTINUED)
		return "the tar archive is one of several volumes, and not the first: put them together";
	return NULL;
}

bool tarfs_open(const struct tar_archive *archive, struct budget *budget, struct arena *arena,
                struct filesystem *fs, struct error *error)
{
	struct tarfs *tar = arena_alloc(arena, sizeof(*tar));
	*tar = (struct tarfs){ .archive = archive, .mask = 1023, .gap = tarfs_gap(archive, arena) };
	tar->buckets = arena_alloc_array(arena, tar->mask + 1, sizeof(*tar->buckets));
	*LIST_ADD(arena, &tar->entries) = (struct entry){ .name = "", .type = NODE_DIRECTORY };
	*fs = (struct filesystem){ .driver = &tarfs_driver, .budget = budget, .arena = arena, .state = tar };
	return put_all(fs, error);
}
