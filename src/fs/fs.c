#include "fs/fs.h"

#include <inttypes.h>

#include "base/checked.h"
#include "fs/identify.h"

/*
 * Asked in this order. Containers come first: what lies in them may look like a file system. Then ext, whose
 * mke2fs leaves traces of older formats standing. vfat, whose boot sector many programs imitate, comes late;
 * and backup superblocks, which outlive a new file system of another kind, only when nothing else is there.
 */
const struct fs_driver *const fs_drivers[] = {
	&container_driver,   &ext_driver,         &xfs_driver,           &btrfs_driver,
	&squashfs_driver,    &erofs_driver,       &signature_driver,     &vfat_driver,
	&ext_damaged_driver, &xfs_damaged_driver, &btrfs_damaged_driver, NULL,
};

static const char *why_unread(const struct reader_watch *watch, struct arena *arena)
{
	return watch->failures > 0 ? arena_strdup(arena, watch->last.message) : NULL;
}

bool fs_identify(const struct reader *reader, uint64_t partition, struct budget *budget, struct arena *arena,
                 struct filesystem *fs)
{
	struct reader_watch watch = { .below = *reader };
	for (const struct fs_driver *const *driver = fs_drivers; *driver; driver++) {
		*fs = (struct filesystem){
			.partition = partition,
			.reader = reader_watched(&watch),
			.budget = budget,
			.arena = arena,
		};
		/*
		 * A superblock that cannot be read is not damaged, and what another format has in its place
		 * says little: the members of a RAID look like what they hold.
		 */
		if (watch.failures > 0)
			break;
		if ((*driver)->identify(fs)) {
			fs->driver = (*driver)->open ? *driver : NULL;
			fs->reader = *reader;
			fs->unread = why_unread(&watch, arena);
			return true;
		}
	}
	*fs = (struct filesystem){ .unread = why_unread(&watch, arena) };
	return false;
}

bool fs_open(struct filesystem *fs, struct error *error)
{
	if (fs_is_open(fs))
		return true;
	if (!fs->driver)
		return error_set(error, ERROR_UNSUPPORTED, "files of %s cannot be read",
		                 fs->type ? fs->type : "an unknown file system");
	return fs->driver->open(fs, error);
}

void fs_close(struct filesystem *fs)
{
	if (!fs_is_open(fs))
		return;
	fs->driver->close(fs);
	fs->state = NULL;
}

bool fs_is_open(const struct filesystem *fs)
{
	return fs->state != NULL;
}

#define SHOWN_PATH_MAX 4096

bool fs_find_mounted(const struct filesystem *fs, const char *options, struct node *out, const char **path,
                     struct error *error)
{
	char shown[SHOWN_PATH_MAX];
	*path = "";
	if (!fs->driver->find_mounted)
		return fs->driver->root(fs, out, error);
	if (!fs->driver->find_mounted(fs, options, out, shown, sizeof(shown), error))
		return false;
	*path = arena_strdup(fs->arena, shown);
	return true;
}

static bool read_node(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	const struct node *file = state;
	return file->fs->driver->read(file, offset, buffer, length, error);
}

struct reader node_reader(const struct node *file)
{
	return (struct reader){
		.read = read_node,
		.state = (void *)(uintptr_t)file,
		.size = file->type == NODE_FILE ? file->size : 0,
	};
}
