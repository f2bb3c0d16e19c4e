// What the fuzz targets of file systems do with an image: everything, within a small allowance.
#pragma once

#include "fs/tree.h"

struct fuzz_walk {
	const struct tree *tree;
	struct arena *arena;
	unsigned left; /* files still to visit */
};

static inline void fuzz_read(const struct node *file)
{
	struct reader reader = node_reader(file);
	struct error error;
	uint8_t buffer[5000];
	for (uint64_t offset = 0, pieces = 0; offset < reader.size && pieces < 20; pieces++) {
		uint64_t left = reader.size - offset;
		size_t part = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		if (!reader_read(&reader, offset, buffer, part, &error))
			break;
		offset += part;
	}
	/* The last byte, too: far into a chain or a tree of extents. */
	if (reader.size > 0 && !reader_read(&reader, reader.size - 1, buffer, 1, &error))
		return;
}

// NOLINTNEXTLINE(misc-no-recursion): capped by depth and by walk->left
static inline void fuzz_visit(struct fuzz_walk *walk, const char *path, unsigned depth)
{
	struct tree_file file;
	struct names names;
	struct error error;
	char target[300];
	if (walk->left == 0 || depth > 12)
		return;
	walk->left--;
	(void)tree_read_link(walk->tree, path, target, sizeof(target));
	if (!tree_lookup(walk->tree, path, &file, &error))
		return;
	fuzz_read(&file.node);
	if (!tree_names(walk->tree, path, walk->arena, &names, &error))
		return;
	for (size_t i = 0; i < names.count; i++)
		fuzz_visit(walk, arena_printf(walk->arena, "%s/%s", depth ? path : "", names.items[i]),
		           depth + 1);
}

/* Identifies, opens and walks the image. */
static inline void fuzz_image(const uint8_t *data, size_t size)
{
	struct span bytes = span_of(data, size);
	struct reader reader = reader_of_span(&bytes);
	struct budget budget = { .inflated_left = 1 << 20, .steps_left = 20000 };
	struct arena arena = { 0 };
	struct filesystem fs;
	struct error error;
	if (fs_identify(&reader, 1, &budget, &arena, &fs) && fs_open(&fs, &error)) {
		struct tree tree = tree_of(&fs);
		struct fuzz_walk walk = { .tree = &tree, .arena = &arena, .left = 300 };
		fuzz_visit(&walk, "/", 0);
	}
	fs_close(&fs);
	arena_free(&arena);
}
