// Everything that a worker does with an input, and more: every file system in it is walked to its last file.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "boot/initramfs.h"
#include "facts/facts.h"
#include "fs/tarfs.h"
#include "fs/tree.h"
#include "mutate.h"
#include "policy/policy.h"

#define FILES_MOST   1500
#define DEPTH_MOST   40
#define CONTENT_MOST (64u << 10)
#define SCRATCH_MOST (UINT64_C(64) << 20)

struct source {
	const struct image *image;
	struct ranges *traced; /* NULL: content is read, too */
};

struct walk {
	const struct tree *tree;
	struct explored *out;
	bool reads_content;
	unsigned left;
};

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Whatever fails has to say why. */
static bool well(bool succeeded, const struct error *error)
{
	demand(succeeded || (error->code != ERROR_NONE && error->message[0]), "a failure without a reason");
	return succeeded;
}

static bool read_image(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	const struct source *source = state;
	(void)error;
	image_read(source->image, offset, buffer, length);
	if (source->traced && length <= 65536)
		ranges_add(source->traced, offset, length);
	return true;
}

static void read_content(const struct node *file)
{
	static uint8_t buffer[5000];
	struct reader reader = node_reader(file);
	struct error error = { 0 };
	for (uint64_t offset = 0; offset < reader.size && offset < CONTENT_MOST;) {
		uint64_t left = reader.size - offset;
		size_t part = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		if (!well(reader_read(&reader, offset, buffer, part, &error), &error))
			break;
		offset += part;
	}
	/* Far into a chain or a tree of extents. */
	for (unsigned i = 1; i <= 4 && reader.size > 0; i++)
		if (!well(reader_read(&reader, (reader.size - 1) / 4 * i, buffer, 1, &error), &error))
			break;
}

// NOLINTNEXTLINE(misc-no-recursion): capped by depth and by walk->left
static void visit(struct walk *walk, const char *path, unsigned depth)
{
	struct arena arena = { 0 };
	struct tree_file *file = arena_alloc(&arena, sizeof(*file));
	char target[TREE_PATH_MAX];
	struct names names;
	struct error error = { 0 };
	if (walk->left > 0 && well(tree_lookup_link(walk->tree, path, file, &error), &error)) {
		walk->left--;
		walk->out->files++;
		(void)tree_read_link(walk->tree, path, target, sizeof(target));
		if (file->node.type == NODE_FILE && walk->reads_content)
			read_content(&file->node);
		if (file->node.type == NODE_DIRECTORY && depth < DEPTH_MOST &&
		    well(tree_names(walk->tree, path, &arena, &names, &error), &error))
			for (size_t i = 0; i < names.count && walk->left > 0; i++)
				visit(walk, arena_printf(&arena, "%s/%s", depth ? path : "", names.items[i]),
				      depth + 1);
	}
	arena_free(&arena);
}

static void walk_mounts(struct filesystem *fs, const struct source *source, struct explored *out)
{
	static const char *const options[] = { "", "subvol=@", "subvolid=256", "subvol=/a/b/c" };
	struct tree tree = tree_of(fs);
	struct walk walk = { &tree, out, !source->traced, FILES_MOST };
	visit(&walk, "/", 0);
	for (size_t i = 0; i < ARRAY_SIZE(options) && fs->driver->find_mounted; i++) {
		struct node directory;
		const char *shown;
		struct error error = { 0 };
		if (!well(fs_find_mounted(fs, options[i], &directory, &shown, &error), &error))
			continue;
		tree = tree_of_directory(fs, &directory);
		walk.left = FILES_MOST / 16;
		visit(&walk, "/", 0);
	}
}

static void walk_partitions(const struct reader *disk, const struct source *source, struct budget *budget,
                            struct arena *arena, struct explored *out)
{
	struct partition_table table;
	struct error error = { 0 };
	if (!well(volume_scan(disk, budget, arena, &table, &error), &error))
		return;
	out->opened |= !str_equal(table.kind, "none");
	for (size_t i = 0; i < table.partitions.count; i++) {
		const struct partition *partition = &table.partitions.items[i];
		struct reader part;
		struct filesystem fs;
		if (!partition->readable)
			continue;
		demand(volume_reader(disk, partition, &part, &error),
		       "a readable partition without a reader");
		if (fs_identify(&part, partition->number, budget, arena, &fs) && fs_open(&fs, &error)) {
			out->opened = true;
			walk_mounts(&fs, source, out);
		}
		fs_close(&fs);
	}
}

static bool see_entry(void *context, const struct cpio_entry *entry)
{
	struct explored *out = context;
	demand(strlen(entry->name) < TREE_PATH_MAX, "a name that is no path");
	out->files++;
	return true;
}

static void walk_initramfs(const struct reader *file, struct explored *out)
{
	struct budget budget = budget_default();
	struct arena arena = { 0 };
	struct initramfs initramfs;
	struct error error = { 0 };
	(void)well(initramfs_walk(file, &budget, &arena, see_entry, out, &initramfs, &error), &error);
	out->opened = out->files > 0;
	arena_free(&arena);
}

static void walk_image(const struct image *image, struct ranges *traced, struct explored *out)
{
	struct source source = { image, traced };
	struct reader disk = { .read = read_image, .state = &source, .size = image->size };
	struct budget budget = budget_default();
	struct arena arena = { 0 };
	struct tar_archive archive;
	struct filesystem fs;
	struct error error = { 0 };
	uint8_t first[TAR_BLOCK];
	image_read(image, 0, first, sizeof(first));
	if (!tar_is_header(span_of(first, sizeof(first)))) {
		walk_partitions(&disk, &source, &budget, &arena, out);
	} else if ((well(tar_read(&disk, &budget, &arena, &archive, &error), &error) ||
	            archive.members.count) &&
	           well(tarfs_open(&archive, &budget, &arena, &fs, &error), &error)) {
		out->opened = true;
		walk_mounts(&fs, &source, out);
		fs_close(&fs);
	}
	if (!out->opened)
		walk_initramfs(&disk, out);
	arena_free(&arena);
}

static void no_checkpoint(void *context, const struct facts *facts)
{
	(void)context;
	demand(facts->examined != EXAMINED_NONE || facts->reason || facts->kind == INPUT_DISK,
	       "a checkpoint of nothing");
}

static bool holds_something(const struct facts *facts)
{
	for (size_t i = 0; i < facts->table.partitions.count; i++)
		if (facts->table.partitions.items[i].file_system)
			return true;
	return false;
}

static void gather(const struct image *image, struct explored *out)
{
	static struct policy policy;
	static struct questions questions;
	struct error error = { 0 };
	if (!policy.name) {
		demand(policy_builtin(&policy, &error), "the policy cannot be read");
		policy_questions(&policy, &policy.arena, &questions);
	}
	struct arena arena = { 0 };
	struct facts facts;
	struct input input = input_of_file("disk", image->file);
	input.scratch = memfd_create("scratch", MFD_CLOEXEC);
	input.scratch_most = SCRATCH_MOST;
	facts_gather(&input, &questions, no_checkpoint, NULL, &arena, &facts);
	demand(facts.examined == EXAMINED_FULL || (facts.reason && facts.reason[0]),
	       "not examined, and no reason");
	out->opened |= facts.examined == EXAMINED_FULL || facts.served || holds_something(&facts);
	close(input.scratch);
	arena_free(&arena);
}

void explore(const struct image *image, struct ranges *traced, struct explored *out)
{
	*out = (struct explored){ 0 };
	walk_image(image, traced, out);
	if (!traced)
		gather(image, out);
}
