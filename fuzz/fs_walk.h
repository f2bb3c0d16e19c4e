// What the fuzz targets of file systems do with an image: everything, within a small allowance.
#pragma once

#include <string.h>

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

/* Identifies, opens and walks what the reader holds, and finds what mounts of it show. */
static inline void fuzz_reader(const struct reader *reader)
{
	struct budget budget = { .inflated_left = 1 << 20, .steps_left = 20000 };
	struct arena arena = { 0 };
	struct filesystem fs;
	struct error error;
	struct node shown;
	const char *path;
	if (fs_identify(reader, 1, &budget, &arena, &fs) && fs_open(&fs, &error)) {
		struct tree tree = tree_of(&fs);
		struct fuzz_walk walk = { .tree = &tree, .arena = &arena, .left = 300 };
		fuzz_visit(&walk, "/", 0);
		(void)!(fs_find_mounted(&fs, "subvol=/@", &shown, &path, &error) &&
		        fs_find_mounted(&fs, "", &shown, &path, &error));
	}
	fs_close(&fs);
	arena_free(&arena);
}

static inline void fuzz_image(const uint8_t *data, size_t size)
{
	struct span bytes = span_of(data, size);
	struct reader reader = reader_of_span(&bytes);
	fuzz_reader(&reader);
}

/*
 * An image of which the input holds only some pieces, for formats that spread what little they have: pairs of
 * a 32-bit big-endian number and the FUZZ_PIECE bytes that lie at so many times FUZZ_PIECE. All else is
 * zeros. fuzz/pieces.py makes such an input of an image.
 */
#define FUZZ_PIECE 512

static inline bool fuzz_read_pieces(void *state, uint64_t offset, void *buffer, size_t length,
                                    struct error *error)
{
	const struct span *input = state;
	struct span piece;
	uint32_t number;
	uint8_t *out = buffer;
	(void)error;
	memset(out, 0, length);
	for (size_t at = 0; get_be32(*input, at, &number) && span_slice(*input, at + 4, FUZZ_PIECE, &piece);
	     at += 4 + FUZZ_PIECE) {
		uint64_t start = (uint64_t)number * FUZZ_PIECE, end = start + FUZZ_PIECE;
		uint64_t from = start > offset ? start : offset,
			 to = end < offset + length ? end : offset + length;
		if (from < to)
			memcpy(out + (from - offset), piece.data + (from - start), (size_t)(to - from));
	}
	return true;
}

static inline void fuzz_pieces(const uint8_t *data, size_t size, uint64_t image_size)
{
	struct span input = span_of(data, size);
	struct reader reader = { .read = fuzz_read_pieces, .state = &input, .size = image_size };
	fuzz_reader(&reader);
}
