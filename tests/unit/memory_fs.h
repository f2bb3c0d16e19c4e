// A file system in memory for tests: a table of paths behind a struct fs_driver, and a tree over it.
//
//     struct memory_fs files = { 0 };
//     memory_file(&files, "/etc/fstab", "UUID=1 / ext4 defaults 0 1\n");
//     memory_link(&files, "/etc/os-release", "../usr/lib/os-release");
//     struct tree tree = memory_tree(&files);
//
// Directories come into being with the files in them; memory_directory() makes an empty one. Text of several
// files at once, for oracles and fuzz targets, is read by memory_parse(). End with memory_free().
#pragma once

#include <string.h>

#include "base/arena.h"
#include "base/budget.h"
#include "base/text.h"
#include "fs/tree.h"

struct memory_entry {
	const char *path; /* absolute, no trailing slash */
	enum node_type type;
	struct span content; /* of a link: its target */
	uint32_t mode;
};

struct memory_fs {
	LIST(struct memory_entry) entries;
	struct arena arena;
	struct budget budget;
	struct filesystem filesystem;
};

/* A node is an entry's index and how much of its path it stands for: "/etc" of "/etc/fstab" is a directory.
 */
#define MEMORY_PATH_MOST 4096u

static inline const struct memory_entry *memory_entry_of(const struct node *node, size_t *length)
{
	const struct memory_fs *files = node->fs->state;
	*length = (size_t)(node->inode % MEMORY_PATH_MOST);
	return &files->entries.items[node->inode / MEMORY_PATH_MOST];
}

static inline void memory_fill(const struct filesystem *fs, size_t index, size_t length, struct node *out)
{
	const struct memory_fs *files = fs->state;
	const struct memory_entry *entry = &files->entries.items[index];
	bool whole = entry->path[length] == 0;
	*out = (struct node){
		.fs = fs,
		.inode = index * MEMORY_PATH_MOST + length,
		.type = whole ? entry->type : NODE_DIRECTORY,
		.mode = whole ? entry->mode : 0755,
		.size = whole ? entry->content.size : 0,
	};
}

static inline bool memory_root(const struct filesystem *fs, struct node *out, struct error *error)
{
	(void)error;
	memory_fill(fs, 0, 0, out);
	return true;
}

static inline bool memory_lookup(const struct node *directory, const char *name, struct node *out,
                                 struct error *error)
{
	const struct memory_fs *files = directory->fs->state;
	size_t length, size = strlen(name);
	const struct memory_entry *parent = memory_entry_of(directory, &length);
	for (size_t i = 0; i < files->entries.count; i++) {
		const char *path = files->entries.items[i].path;
		if (strncmp(path, parent->path, length) != 0 || path[length] != '/' ||
		    strncmp(path + length + 1, name, size) != 0)
			continue;
		char end = path[length + 1 + size];
		if (end != 0 && end != '/')
			continue;
		memory_fill(directory->fs, i, length + 1 + size, out);
		return true;
	}
	return error_set(error, ERROR_NOT_FOUND, "no '%s' here", name);
}

static inline bool memory_list(const struct node *directory, fs_list_fn *each, void *context,
                               struct error *error)
{
	const struct memory_fs *files = directory->fs->state;
	size_t length;
	const struct memory_entry *parent = memory_entry_of(directory, &length);
	for (size_t i = 0; i < files->entries.count; i++) {
		const char *path = files->entries.items[i].path;
		if (strncmp(path, parent->path, length) != 0 || path[length] != '/')
			continue;
		char name[MEMORY_PATH_MOST] = { 0 };
		memcpy(name, path + length + 1, strcspn(path + length + 1, "/"));
		struct node node;
		if (name[0] == 0 || !memory_lookup(directory, name, &node, error))
			continue;
		/* Each name once: by the first entry that has it. */
		if (node.inode / MEMORY_PATH_MOST == i && !each(context, name))
			return true;
	}
	return true;
}

static inline bool memory_read_link(const struct node *link, char *target, size_t capacity,
                                    struct error *error)
{
	size_t length;
	const struct memory_entry *entry = memory_entry_of(link, &length);
	if (entry->content.size >= capacity)
		return error_set(error, ERROR_CORRUPT, "link target too long");
	if (entry->content.size)
		memcpy(target, entry->content.data, entry->content.size);
	target[entry->content.size] = 0;
	return true;
}

static inline bool memory_read(const struct node *file, uint64_t offset, void *buffer, size_t length,
                               struct error *error)
{
	(void)error;
	size_t unused;
	const struct memory_entry *entry = memory_entry_of(file, &unused);
	if (length)
		memcpy(buffer, entry->content.data + offset, length);
	return true;
}

static const struct fs_driver memory_driver = {
	.name = "memory",
	.root = memory_root,
	.lookup = memory_lookup,
	.list = memory_list,
	.read_link = memory_read_link,
	.read = memory_read,
};

static inline void memory_add(struct memory_fs *files, const char *path, enum node_type type,
                              struct span content, uint32_t mode)
{
	if (files->entries.count == 0 && *path)
		memory_add(files, "", NODE_DIRECTORY, (struct span){ 0 }, 0755);
	if (strlen(path) >= MEMORY_PATH_MOST)
		return;
	uint8_t *copy = arena_alloc(&files->arena, content.size + 1);
	if (content.size)
		memcpy(copy, content.data, content.size);
	*LIST_ADD(&files->arena, &files->entries) =
		(struct memory_entry){ arena_strdup(&files->arena, path), type, span_of(copy, content.size),
		                       mode };
}

static inline void memory_file(struct memory_fs *files, const char *path, const char *content)
{
	memory_add(files, path, NODE_FILE, span_text(content), 0644);
}

static inline void memory_link(struct memory_fs *files, const char *path, const char *target)
{
	memory_add(files, path, NODE_SYMLINK, span_text(target), 0777);
}

static inline void memory_directory(struct memory_fs *files, const char *path)
{
	memory_add(files, path, NODE_DIRECTORY, (struct span){ 0 }, 0755);
}

/* Adds many: "@file PATH SIZE\n" and that many bytes and a newline; "@link PATH TARGET\n"; "@directory
 * PATH\n". Stops at what is none of these. */
static inline void memory_parse(struct memory_fs *files, struct span text)
{
	struct span line, content;
	while (span_next_line(&text, &line)) {
		char *words = arena_string(&files->arena, line);
		char *path = words + strcspn(words, " ");
		if (*path)
			*path++ = 0;
		char *third = path + strcspn(path, " ");
		if (*third)
			*third++ = 0;
		uint64_t size;
		if (path[0] != '/' || str_ends(path, "/") || strstr(path, "//"))
			return;
		if (str_equal(words, "@file") && str_to_u64(third, &size) && size <= text.size &&
		    span_slice(text, 0, (size_t)size, &content)) {
			memory_add(files, path, NODE_FILE, content, 0644);
			text = span_from(text, (size_t)size + 1);
		} else if (str_equal(words, "@link")) {
			memory_link(files, path, third);
		} else if (str_equal(words, "@directory")) {
			memory_directory(files, path);
		} else {
			return;
		}
	}
}

static inline struct tree memory_tree(struct memory_fs *files)
{
	if (files->entries.count == 0)
		memory_directory(files, "");
	files->budget = budget_default();
	files->filesystem = (struct filesystem){
		.driver = &memory_driver,
		.type = "memory",
		.partition = 1,
		.budget = &files->budget,
		.arena = &files->arena,
		.state = files,
	};
	return tree_of(&files->filesystem);
}

static inline void memory_free(struct memory_fs *files)
{
	arena_free(&files->arena);
	*files = (struct memory_fs){ 0 };
}
