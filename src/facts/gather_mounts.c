// The namespace of the running system: which file system, or which directory of one, is mounted where, and
// how the paths of boot loaders become paths of that system and back.
#include <string.h>

#include "base/path.h"
#include "facts/gatherer.h"

/* A mount point as what paths begin with: nothing for the root. */
static const char *point_prefix(const struct fs_mount *mount)
{
	return str_equal(mount->point, "/") ? "" : mount->point;
}

const char *gather_image_path(const struct gatherer *gatherer, uint64_t partition, const char *path)
{
	const struct filesystem *fs = gather_filesystem(gatherer, partition);
	const struct fs_mount *best = NULL;
	for (size_t i = 0; path && fs && i < fs->mounts.count; i++) {
		const struct fs_mount *mount = &fs->mounts.items[i];
		if (path_below(path, mount->shown) && (!best || strlen(mount->shown) > strlen(best->shown)))
			best = mount;
	}
	if (!best)
		return path;
	const char *image =
		arena_printf(gatherer->arena, "%s%s", point_prefix(best), path_below(path, best->shown));
	return *image ? image : "/";
}

const char *gather_own_path(const struct gatherer *gatherer, const struct tree_file *file)
{
	const struct filesystem *fs = file->node.fs;
	const struct fs_mount *best = NULL;
	for (size_t i = 0; i < fs->mounts.count; i++) {
		const struct fs_mount *mount = &fs->mounts.items[i];
		if (path_below(file->path, point_prefix(mount)) &&
		    (!best || strlen(mount->point) > strlen(best->point)))
			best = mount;
	}
	if (!best)
		return arena_strdup(gatherer->arena, file->path);
	return arena_printf(gatherer->arena, "%s%s", best->shown, path_below(file->path, point_prefix(best)));
}

static struct partition *partition_of(struct facts *facts, uint64_t number)
{
	for (size_t i = 0; i < facts->table.partitions.count; i++)
		if (facts->table.partitions.items[i].number == number)
			return &facts->table.partitions.items[i];
	return NULL;
}

/* Is this directory of the file system mounted already, or anything where its mounts always show the same? */
static bool is_mounted(const struct filesystem *fs, const char *shown)
{
	for (size_t i = 0; i < fs->mounts.count; i++)
		if (str_equal(fs->mounts.items[i].shown, shown))
			return true;
	return false;
}

static bool mount_directory(struct gatherer *gatherer, struct filesystem *fs, const char *point,
                            const char *options, struct error *error)
{
	struct node directory;
	const char *shown;
	if (!fs_find_mounted(fs, options, &directory, &shown, error))
		return false;
	if (is_mounted(fs, shown))
		return true;
	if (!tree_mount_directory(&gatherer->tree, point, &directory, error))
		return false;
	*LIST_ADD(gatherer->arena, &fs->mounts) = (struct fs_mount){ point, shown };
	return true;
}

/* Are files of a mount at this point asked for, wherever they lie? What else is mounted decides nothing. */
static bool is_asked_for(const char *point)
{
	static const char *const systems[] = { "/usr", "/etc",   "/boot",  "/lib",
		                               "/bin", "/lib64", "/lib32", "/sbin" };
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
		if (path_below(point, systems[i]))
			return !str_equal(point, "/boot/efi"); /* firmware's, which boot/ reads by itself */
	return str_equal(point, "/var") || str_equal(point, "/var/lib");
}

/*
 * What is mounted at boot and cannot be read here covers what lies below it: a path that leads there is not
 * known to be missing. The mount stands in the tree, and gives nothing but errors.
 */
static void mount_closed(struct gatherer *gatherer, const struct mount_entry *entry, const char *point,
                         const char *why)
{
	struct error error = { 0 };
	struct filesystem *closed = arena_alloc(gatherer->arena, sizeof(*closed));
	closed->type = entry->type;
	closed->partition = entry->partition;
	if (!tree_mount(&gatherer->tree, point, closed, &error))
		why = error.message;
	if (is_asked_for(point))
		gather_note_gap(gatherer, "mount-unreadable", &entry->place,
		                "what %s mounts at %s cannot be read: %s", entry->device, point, why);
}

/* Names a device of this machine, as nothing over a network and no "tmpfs" does? */
static bool names_device(const struct mount_entry *entry)
{
	return str_starts(entry->device, "/dev/") || strchr(entry->device, '=');
}

/* What is not on this disk was meant to be in an empty directory: in any other one, what is seen was meant.
 */
static bool is_empty(struct gatherer *gatherer, const char *point)
{
	struct error error = { 0 };
	struct names names;
	return tree_names(&gatherer->tree, point, gatherer->arena, &names, &error) && names.count == 0;
}

static void mount_entry(struct gatherer *gatherer, const struct mount_entry *entry)
{
	struct error error = { 0 };
	struct filesystem *fs = gather_filesystem(gatherer, entry->partition);
	struct partition *partition = partition_of(gatherer->facts, entry->partition);
	const char *point = path_plain(entry->path, gatherer->arena);
	/* The root is mounted already, as the kernel's command line says. */
	if (!*point)
		return;
	if (entry->found != ANSWER_YES) {
		bool is_missed = entry->found == ANSWER_NO && !entry->optional && is_empty(gatherer, point);
		if (is_missed || (entry->found == ANSWER_UNKNOWN && names_device(entry)))
			mount_closed(gatherer, entry, point, entry->reason);
		return;
	}
	if (partition && !partition->mount)
		partition->mount = point;
	if (!fs)
		mount_closed(gatherer, entry, point, gather_why_closed(gatherer, entry->partition));
	else if (!mount_directory(gatherer, fs, point, entry->options, &error))
		gather_note_gap(gatherer, "mount-failed", &entry->place, "%s cannot be mounted: %s", point,
		                error.message);
}

bool gather_mounts(struct gatherer *gatherer, struct filesystem *root, const char *options,
                   struct error *error)
{
	struct facts *facts = gatherer->facts;
	struct partition *partition = partition_of(facts, root->partition);
	struct node directory;
	const char *shown;
	if (!fs_find_mounted(root, options, &directory, &shown, error))
		return false;
	gatherer->tree = tree_of_directory(root, &directory);
	*LIST_ADD(gatherer->arena, &root->mounts) = (struct fs_mount){ "/", shown };
	if (partition)
		partition->mount = "/";

	fstab_read(&gatherer->tree, gatherer->arena, &facts->fstab);
	for (size_t i = 0; i < facts->fstab.entries.count; i++) {
		struct mount_entry *entry = &facts->fstab.entries.items[i];
		entry->found = boot_resolve_device(entry->device, &facts->table, gatherer->arena,
		                                   &entry->partition, &entry->reason);
		if (entry->path && entry->path[0] == '/')
			mount_entry(gatherer, entry);
	}
	return true;
}
