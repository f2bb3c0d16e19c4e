// The disk as boot loaders see it: its file systems, each by the number of its partition.
#include "boot/firmware.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

struct filesystem *boot_disk_filesystem(const struct boot_disk *disk, uint64_t partition)
{
	for (size_t i = 0; i < disk->filesystems->count; i++)
		if (disk->filesystems->items[i]->partition == partition)
			return disk->filesystems->items[i];
	return NULL;
}

/* Holds other block devices, whose file systems GRUB may see and we do not. */
static bool is_container(const struct filesystem *fs)
{
	return fs->encrypted || str_equal(fs->type, "linux_raid_member");
}

/* Does this file system answer a search? UNKNOWN: it might, or one inside it. */
static enum answer answers_search(const struct boot_disk *disk, struct filesystem *fs, enum grub_search by,
                                  const char *key)
{
	if (is_container(fs))
		return ANSWER_UNKNOWN;
	/* Its logical volumes are asked by themselves, if they could be read. */
	if (str_equal(fs->type, "LVM2_member")) {
		const struct partition *member = volume_find(disk->table, fs->partition);
		return member && member->volumes_read == ANSWER_YES ? ANSWER_NO : ANSWER_UNKNOWN;
	}
	if (fs->unread && (by == GRUB_SEARCH_UUID ? !fs->uuid : by == GRUB_SEARCH_LABEL && !fs->label))
		return ANSWER_UNKNOWN;
	if (by == GRUB_SEARCH_UUID)
		return fs->uuid && strcasecmp(fs->uuid, key) == 0 ? ANSWER_YES : ANSWER_NO;
	if (by == GRUB_SEARCH_LABEL)
		return str_equal(fs->label, key) ? ANSWER_YES : ANSWER_NO;
	if (!fs_is_open(fs))
		return str_equal(fs->type, "swap") ? ANSWER_NO : ANSWER_UNKNOWN;
	struct tree tree = tree_of(fs);
	struct tree_file *file = arena_alloc(disk->arena, sizeof(*file));
	struct error error = { 0 };
	size_t failures = boot_disk_failures(disk);
	if (tree_lookup(&tree, key, file, &error))
		return ANSWER_YES;
	return boot_disk_failures(disk) > failures ? ANSWER_UNKNOWN : ANSWER_NO;
}

size_t boot_disk_failures(const struct boot_disk *disk)
{
	const struct reader_watch *watch = disk->filesystems->watch;
	return watch ? watch->failures : 0;
}

enum answer boot_disk_search(void *context, enum grub_search by, const char *key, uint64_t *partition)
{
	const struct boot_disk *disk = context;
	unsigned found = 0;
	bool perhaps = volume_unread(disk->table) != NULL;
	for (size_t i = 0; i < disk->filesystems->count; i++) {
		struct filesystem *fs = disk->filesystems->items[i];
		enum answer answer = answers_search(disk, fs, by, key);
		perhaps |= answer == ANSWER_UNKNOWN;
		if (answer != ANSWER_YES)
			continue;
		*partition = fs->partition;
		found++;
	}
	if (found > 1)
		return ANSWER_UNKNOWN;
	if (found == 1)
		return by == GRUB_SEARCH_FILE && perhaps ? ANSWER_UNKNOWN : ANSWER_YES;
	return perhaps ? ANSWER_UNKNOWN : ANSWER_NO;
}

enum answer boot_disk_look(void *context, uint64_t partition, const char *path, enum grub_file_kind *kind)
{
	const struct boot_disk *disk = context;
	struct filesystem *fs = boot_disk_filesystem(disk, partition);
	*kind = GRUB_FILE_ABSENT;
	if (!volume_find(disk->table, partition))
		return disk->table->unread ? ANSWER_UNKNOWN : ANSWER_YES;
	if (!fs || !fs_is_open(fs))
		return ANSWER_UNKNOWN;
	struct tree tree = tree_of(fs);
	struct tree_file *file = arena_alloc(disk->arena, sizeof(*file));
	struct error error = { 0 };
	if (!tree_lookup(&tree, path, file, &error))
		return error.code == ERROR_NOT_FOUND ? ANSWER_YES : ANSWER_UNKNOWN;
	if (file->node.type == NODE_DIRECTORY)
		*kind = GRUB_FILE_DIRECTORY;
	else if (file->node.type == NODE_FILE)
		*kind = file->node.size ? GRUB_FILE_REGULAR : GRUB_FILE_EMPTY;
	return ANSWER_YES;
}

bool boot_disk_load(void *context, uint64_t partition, const char *path, size_t most, struct arena *arena,
                    struct span *out, struct error *error)
{
	const struct boot_disk *disk = context;
	struct filesystem *fs = boot_disk_filesystem(disk, partition);
	if (!fs || !fs_is_open(fs))
		return error_set(error, ERROR_UNSUPPORTED, "the file system of %s cannot be read",
		                 volume_phrase(disk->table, partition, disk->arena));
	struct tree tree = tree_of(fs);
	return tree_load(&tree, path, most, arena, out, NULL, error);
}

enum answer boot_disk_list(void *context, uint64_t partition, const char *path, struct arena *arena,
                           struct names *out)
{
	const struct boot_disk *disk = context;
	enum grub_file_kind kind;
	struct error error = { 0 };
	if (boot_disk_look(context, partition, path, &kind) != ANSWER_YES)
		return ANSWER_UNKNOWN;
	if (kind != GRUB_FILE_DIRECTORY)
		return ANSWER_NO;
	struct tree tree = tree_of(boot_disk_filesystem(disk, partition));
	return tree_names(&tree, path, arena, out, &error) ? ANSWER_YES : ANSWER_UNKNOWN;
}

static const char *default_subvolume(void *context, uint64_t partition)
{
	struct filesystem *fs = boot_disk_filesystem(context, partition);
	struct error ignored;
	struct node node;
	const char *path;
	return fs && fs_is_open(fs) && fs_find_mounted(fs, "", &node, &path, &ignored) ? path : NULL;
}

struct grub_disk boot_disk_interface(struct boot_disk *disk)
{
	const char *kind = disk->table->kind;
	return (struct grub_disk){
		.context = disk,
		.scheme = str_equal(kind, "gpt")   ? "gpt"
		          : str_equal(kind, "mbr") ? "msdos"
		                                   : NULL,
		.table = disk->table,
		.search = boot_disk_search,
		.look = boot_disk_look,
		.load = boot_disk_load,
		.list = boot_disk_list,
		.default_subvolume = default_subvolume,
	};
}

bool boot_disk_exists(struct boot_disk *disk, uint64_t partition, const char *path)
{
	enum grub_file_kind kind;
	return boot_disk_look(disk, partition, path, &kind) == ANSWER_YES && kind == GRUB_FILE_REGULAR;
}

const char *boot_disk_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

const char *boot_disk_folder(const struct boot_disk *disk, const char *path)
{
	const char *slash = strrchr(path, '/');
	return arena_string(disk->arena, span_of(path, slash ? (size_t)(slash - path) : 0));
}
