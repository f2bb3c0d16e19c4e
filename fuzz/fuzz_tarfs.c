// A tar archive as a root file system: every name that is listed is found, its parent is a directory above
// it, and no path loops.
#include <stdlib.h>
#include <string.h>

#include "fs/tarfs.h"
#include "fs/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_node(const struct node *node)
{
	uint8_t byte;
	char target[4096];
	struct error error = { 0 };
	struct reader reader = node_reader(node);
	if (reader.size > 0 && !reader_read(&reader, reader.size - 1, &byte, 1, &error) && !error.message[0])
		abort();
	if (node->type == NODE_SYMLINK &&
	    !node->fs->driver->read_link(node, target, sizeof(target), &error) && error.code != ERROR_CORRUPT)
		abort();
}

static void walk(const struct tree *tree, const char *path, unsigned depth, struct arena *arena)
{
	struct names names;
	struct error error = { 0 };
	if (depth > 64 || !tree_names(tree, path, arena, &names, &error))
		return;
	for (size_t i = 0; i < names.count; i++) {
		struct tree_file *file = arena_alloc(arena, sizeof(*file));
		const char *below = arena_printf(arena, "%s/%s", path, names.items[i]);
		if (strchr(names.items[i], '/') || (i > 0 && str_equal(names.items[i], names.items[i - 1])))
			abort();
		if (!tree_lookup_link(tree, below, file, &error)) {
			if (error.code == ERROR_NOT_FOUND && strlen(below) < TREE_PATH_MAX)
				abort();
			return;
		}
		read_node(&file->node);
		if (file->node.type == NODE_DIRECTORY)
			walk(tree, below, depth + 1, arena);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_of(data, size);
	struct reader reader = reader_of_span(&input);
	struct arena arena = { .limit = 64u << 20 };
	struct budget budget = { .steps_left = 20000 };
	struct error error = { 0 };
	struct tar_archive archive;
	struct filesystem fs;
	bool whole = tar_read(&reader, &budget, &arena, &archive, &error);
	if ((whole || archive.members.count > 0) && tarfs_open(&archive, &budget, &arena, &fs, &error)) {
		struct tree tree = tree_of(&fs);
		walk(&tree, "", 0, &arena);
		fs_close(&fs);
	}
	arena_free(&arena);
	return 0;
}
