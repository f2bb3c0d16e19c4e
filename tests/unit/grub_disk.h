// A disk in memory as GRUB's script evaluator sees it, for tests and fuzz targets: files in partitions, and
// what `search` finds.
#pragma once

#include <string.h>

#include "base/text.h"
#include "boot/grub.h"

struct fake_file {
	uint64_t partition;
	const char *path;
	struct span content;
};

struct fake_disk {
	struct fake_file files[32];
	size_t count;
	uint64_t unreadable; /* number of a partition whose files cannot be read; 0: none */
};

/* The file system of partition 2 in the golden configurations of Debian. */
#define DEBIAN_UUID "1b0c2a6e-3d77-4a1c-9c77-6a6f1de3b001"

/* File systems of every fake disk: partition 1 holds "boot-uuid", 2 holds "root-uuid" with label "root". */
static inline enum answer fake_search(void *context, enum grub_search by, const char *key,
                                      uint64_t *partition)
{
	const struct fake_disk *disk = context;
	for (size_t i = 0; by == GRUB_SEARCH_FILE && i < disk->count; i++) {
		*partition = disk->files[i].partition;
		if (str_equal(disk->files[i].path, key))
			return ANSWER_YES;
	}
	if (by == GRUB_SEARCH_UUID && str_equal(key, "twice-uuid"))
		return ANSWER_UNKNOWN;
	if (by == GRUB_SEARCH_UUID && str_equal(key, "boot-uuid"))
		return *partition = 1, ANSWER_YES;
	if (by == GRUB_SEARCH_UUID && str_equal(key, DEBIAN_UUID))
		return *partition = 2, ANSWER_YES;
	if (str_equal(key, by == GRUB_SEARCH_UUID ? "root-uuid" : "root"))
		return *partition = 2, ANSWER_YES;
	return ANSWER_NO;
}

static inline const struct fake_file *fake_find(const struct fake_disk *disk, uint64_t partition,
                                                const char *path)
{
	for (size_t i = 0; i < disk->count; i++)
		if (disk->files[i].partition == partition && str_equal(disk->files[i].path, path))
			return &disk->files[i];
	return NULL;
}

static inline enum answer fake_look(void *context, uint64_t partition, const char *path,
                                    enum grub_file_kind *kind)
{
	const struct fake_disk *disk = context;
	if (disk->unreadable && partition == disk->unreadable)
		return ANSWER_UNKNOWN;
	const struct fake_file *file = fake_find(disk, partition, path);
	*kind = !file ? GRUB_FILE_ABSENT : file->content.size ? GRUB_FILE_REGULAR : GRUB_FILE_EMPTY;
	for (size_t i = 0; i < disk->count && !file; i++)
		if (disk->files[i].partition == partition && str_starts(disk->files[i].path, path) &&
		    disk->files[i].path[strlen(path)] == '/')
			*kind = GRUB_FILE_DIRECTORY;
	return ANSWER_YES;
}

/* The names below a folder, each once, in the order of the files (which tests give sorted). */
static inline enum answer fake_list(void *context, uint64_t partition, const char *path, struct arena *arena,
                                    struct names *out)
{
	const struct fake_disk *disk = context;
	enum grub_file_kind kind;
	*out = (struct names){ .items = arena_alloc_array(arena, disk->count, sizeof(char *)) };
	if (fake_look(context, partition, path, &kind) != ANSWER_YES)
		return ANSWER_UNKNOWN;
	for (size_t i = 0; i < disk->count; i++) {
		const struct fake_file *file = &disk->files[i];
		size_t length = strlen(path);
		if (file->partition == partition && str_starts(file->path, path) &&
		    file->path[length] == '/' && !strchr(file->path + length + 1, '/'))
			out->items[out->count++] = file->path + length + 1;
	}
	return kind == GRUB_FILE_DIRECTORY ? ANSWER_YES : ANSWER_NO;
}

static inline bool fake_load(void *context, uint64_t partition, const char *path, size_t most,
                             struct arena *arena, struct span *out, struct error *error)
{
	const struct fake_file *file = fake_find(context, partition, path);
	if (!file || file->content.size > most)
		return error_set(error, ERROR_NOT_FOUND, "%s: no such file", path);
	/* A copy of the exact size, so that a sanitizer sees a read behind its end. */
	uint8_t *copy = arena_alloc(arena, file->content.size);
	if (file->content.size)
		memcpy(copy, file->content.data, file->content.size);
	*out = span_of(copy, file->content.size);
	return true;
}

static inline struct grub_disk fake_interface(struct fake_disk *disk)
{
	return (struct grub_disk){ .context = disk,
		                   .scheme = "gpt",
		                   .search = fake_search,
		                   .look = fake_look,
		                   .load = fake_load,
		                   .list = fake_list };
}

static inline void fake_add_span(struct fake_disk *disk, uint64_t partition, const char *path,
                                 struct span content)
{
	if (disk->count < ARRAY_SIZE(disk->files))
		disk->files[disk->count++] = (struct fake_file){ partition, path, content };
}

static inline void fake_add(struct fake_disk *disk, uint64_t partition, const char *path, const char *content)
{
	fake_add_span(disk, partition, path, span_text(content));
}

/* Several files at once: lines "=== PATH" begin further files. */
static inline void fake_add_files(struct fake_disk *disk, const char *path, struct span input,
                                  struct arena *arena)
{
	while (input.size > 0) {
		size_t next = span_find(input, 0, "\n=== ", 5);
		struct span content = input, name;
		if (next != SIZE_MAX)
			content.size = next + 1;
		fake_add_span(disk, 2, path, content);
		if (next == SIZE_MAX)
			return;
		input = span_from(input, next + 5);
		if (!span_next_line(&input, &name))
			return;
		path = arena_string(arena, name);
	}
}
