// Everything that the readers see in the file system of one image, for comparison with other tools.
//
// usage: walk IMAGE | walk DIRECTORY | walk ROOT.tar, each with MOUNT-OPTIONS behind it or not
// With options, "" for none, it shows what a mount would; without, all that a boot loader sees.
// The first line is "type uuid label". For every path follow a line with its kind, mode, uid, gid, size,
// mtime and the lengths of path and link target; then path, target, and for a regular file its content.
// Problems of the file system go to the standard error, by their codes.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/hostdir.h"
#include "fs/tarfs.h"
#include "fs/tree.h"

static void stop(const char *where, const struct error *error)
{
	fprintf(stderr, "%s: %s\n", where, error->message);
	exit(1);
}

static bool read_descriptor(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	if (pread(*(int *)state, buffer, length, (off_t)offset) != (ssize_t)length)
		return error_set(error, ERROR_IO, "cannot read");
	return true;
}

static void print_content(const struct node *file, const char *path)
{
	static uint8_t buffer[1 << 17];
	struct reader reader = node_reader(file);
	struct error error;
	for (uint64_t offset = 0; offset < reader.size;) {
		uint64_t left = reader.size - offset;
		size_t part = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		if (!reader_read(&reader, offset, buffer, part, &error))
			stop(path, &error);
		fwrite(buffer, 1, part, stdout);
		offset += part;
	}
}

static void walk(const struct tree *tree, const char *path, unsigned depth);

static void walk_names(const struct tree *tree, const char *path, unsigned depth)
{
	struct arena arena = { 0 };
	struct names names;
	struct error error;
	if (!tree_names(tree, path, &arena, &names, &error))
		stop(path, &error);
	for (size_t i = 0; i < names.count; i++)
		walk(tree, arena_printf(&arena, "%s/%s", str_equal(path, "/") ? "" : path, names.items[i]),
		     depth + 1);
	arena_free(&arena);
}

static void walk(const struct tree *tree, const char *path, unsigned depth)
{
	struct tree_file file;
	struct error error;
	char target[TREE_PATH_MAX] = "";
	if (!tree_lookup_link(tree, path, &file, &error))
		stop(path, &error);
	const struct node *node = &file.node;
	if (node->type == NODE_SYMLINK && !tree_read_link(tree, path, target, sizeof(target)))
		stop(path, &(struct error){ .message = "cannot read the link" });
	printf("%c %o %u %u %" PRIu64 " %" PRId64 " %zu %zu\n%s%s", "fdlo"[node->type], node -> mode,
	       node -> uid, node -> gid, node -> size, node -> modified, strlen(file.path), strlen(target),
	       file.path, target);
	if (node->type == NODE_FILE)
		print_content(node, path);
	if (node->type == NODE_DIRECTORY && depth < 1000)
		walk_names(tree, path, depth);
}

int main(int count, char **arguments)
{
	struct arena arena = { 0 };
	struct budget budget = { .inflated_left = UINT64_MAX, .steps_left = UINT64_MAX };
	struct filesystem fs;
	struct error error;
	if (count < 2 || count > 3)
		return 3;
	int descriptor = open(arguments[1], O_RDONLY | O_CLOEXEC);
	off_t size = descriptor < 0 ? -1 : lseek(descriptor, 0, SEEK_END);
	if (descriptor < 0) {
		perror(arguments[1]);
		return 1;
	}
	struct reader reader = { .read = read_descriptor, .state = &descriptor, .size = (uint64_t)size };
	struct tar_archive archive;
	if (str_ends(arguments[1], ".tar")) {
		if (!tar_read(&reader, &budget, &arena, &archive, &error) ||
		    !tarfs_open(&archive, &budget, &arena, &fs, &error))
			stop(arguments[1], &error);
	} else if (hostdir_open(descriptor, &budget, &arena, &fs, &error)) {
		/* a directory, and no file that is an image */
	} else if (!fs_identify(&reader, 0, &budget, &arena, &fs)) {
		stop(arguments[1], &(struct error){ .message = "not recognised" });
	} else if (!fs_open(&fs, &error)) {
		stop(arguments[1], &error);
	}
	for (size_t i = 0; i < fs.problems.count; i++)
		fprintf(stderr, "%s\n", fs.problems.items[i].code);
	printf("%s %s %s\n", fs.type ? fs.type : "-", fs.uuid ? fs.uuid : "-", fs.label ? fs.label : "-");
	struct tree tree = tree_of(&fs);
	struct node directory;
	const char *shown;
	if (count == 3) {
		if (!fs_find_mounted(&fs, arguments[2], &directory, &shown, &error))
			stop(arguments[1], &error);
		tree = tree_of_directory(&fs, &directory);
	}
	walk(&tree, "/", 0);
	fs_close(&fs);
	arena_free(&arena);
	close(descriptor);
	return 0;
}
