// A disk, from its partition table to the running system in it.
#include <string.h>

#include "facts/gatherer.h"
#include "facts/schema.h"

struct filesystem *gather_filesystem(const struct gatherer *gatherer, uint64_t partition)
{
	for (size_t i = 0; i < gatherer->filesystems.count; i++) {
		struct filesystem *fs = gatherer->filesystems.items[i];
		if (fs->partition == partition && fs_is_open(fs))
			return fs;
	}
	return NULL;
}

static void tell_problems(struct gatherer *gatherer, struct filesystem *fs)
{
	for (; fs->problems_told < fs->problems.count; fs->problems_told++)
		*LIST_ADD(gatherer->arena, &gatherer->facts->problems) =
			fs->problems.items[fs->problems_told];
}

/* Recognises what a partition holds and opens it where we can read it. */
static void open_partition(struct gatherer *gatherer, struct partition *partition)
{
	struct error error = { 0 };
	struct reader reader;
	struct place place = { .partition = partition->number, .offset = partition->start };
	if (!volume_reader(&gatherer->bytes, partition, &reader, &error))
		return; /* the table's own problems say so */

	struct filesystem *fs = arena_alloc(gatherer->arena, sizeof(*fs));
	bool known = fs_identify(&reader, partition->number, &gatherer->budget, gatherer->arena, fs);
	partition->unread = fs->unread;
	if (!known && fs->unread)
		gather_note_gap(gatherer, "file-system-unreadable", &place,
		                "what %s holds cannot be read: %s",
		                volume_phrase(&gatherer->facts->table, partition->number, gatherer->arena),
		                fs->unread);
	if (known) {
		partition->file_system = fs->type;
		partition->uuid = fs->uuid;
		partition->label = fs->label;
		if (!fs_open(fs, &error) && error.code != ERROR_UNSUPPORTED)
			gather_note_gap(
				gatherer, "file-system-unreadable", &place,
				"the %s file system of %s cannot be read: %s", fs->type,
				volume_phrase(&gatherer->facts->table, partition->number, gatherer->arena),
				error.message);
	}
	tell_problems(gatherer, fs);
	if (known)
		gatherer->filesystems.items[gatherer->filesystems.count++] = fs;
}

/* What is wrong with LVM; the input is not fully examined where its metadata is damaged. */
static void note_volume_problems(struct gatherer *gatherer)
{
	struct facts *facts = gatherer->facts;
	bool damaged = false;
	for (size_t i = 0; i < facts->table.partitions.count; i++)
		damaged |= facts->table.partitions.items[i].volumes_read == ANSWER_NO;
	for (size_t i = 0; i < facts->table.volume_problems.count; i++) {
		const struct problem *problem = &facts->table.volume_problems.items[i];
		*LIST_ADD(gatherer->arena, &facts->problems) = *problem;
		if (damaged && !facts->reason)
			facts->reason = problem->message;
	}
}

/* Opens what lies whole on the disk; of another partition nothing is known but what the table says. */
static void open_partitions(struct gatherer *gatherer)
{
	struct partition_table *table = &gatherer->facts->table;
	gatherer->filesystems.items =
		arena_alloc_array(gatherer->arena, table->partitions.count, sizeof(struct filesystem *));
	for (size_t i = 0; i < table->partitions.count; i++) {
		struct partition *partition = &table->partitions.items[i];
		const struct place place = { .partition = partition->number, .offset = partition->start };
		if (partition->readable)
			open_partition(gatherer, partition);
		else if (partition->unread)
			gather_note_gap(gatherer, "partition-unreadable", &place, "%s cannot be read: %s",
			                volume_phrase(table, partition->number, gatherer->arena),
			                partition->unread);
	}
}

static bool gather_volumes(struct gatherer *gatherer)
{
	struct facts *facts = gatherer->facts;
	struct error error = { 0 };
	gatherer->watch = (struct reader_watch){ .below = gatherer->disk->reader };
	gatherer->bytes = reader_watched(&gatherer->watch);
	gatherer->filesystems.watch = &gatherer->watch;
	if (!volume_scan(&gatherer->bytes, &gatherer->budget, gatherer->arena, &facts->table, &error)) {
		gather_note_gap(gatherer, "disk-unreadable", NULL, "%s", error.message);
		return false;
	}
	open_partitions(gatherer);
	note_volume_problems(gatherer);
	return true;
}

static void gather_boot(struct gatherer *gatherer)
{
	struct error error = { 0 };
	struct facts *facts = gatherer->facts;
	if (!boot_find(&gatherer->bytes, &facts->table, &gatherer->filesystems, &gatherer->budget,
	               gatherer->arena, &facts->boot, &error))
		gather_note_gap(gatherer, "boot-unreadable", NULL, "the boot path cannot be followed: %s",
		                error.message);
}

bool gather_boot_path(struct gatherer *gatherer)
{
	if (!gather_volumes(gatherer))
		return false;
	gather_boot(gatherer);
	return true;
}

/* What the system's root may be mounted from: a file system, and the options that choose what is seen of it.
 */
struct root {
	struct filesystem *fs; /* NULL: none was found */
	const char *options;
};

/* Does this mount look like the root of a Linux system? */
static bool looks_like_root(const struct root *root)
{
	struct error ignored;
	struct node directory;
	const char *path;
	if (!fs_find_mounted(root->fs, root->options, &directory, &path, &ignored))
		return false;
	struct tree tree = tree_of_directory(root->fs, &directory);
	bool has_init = tree_exists(&tree, "/sbin/init") || tree_exists(&tree, "/usr/sbin/init") ||
	                tree_exists(&tree, "/usr/lib/systemd/systemd");
	return tree_exists(&tree, "/etc/fstab") || tree_exists(&tree, "/etc/os-release") || has_init;
}

/* With nothing that says which subvolume is mounted: the default one, else one with a name that installers
 * give. */
static bool guess_root(struct filesystem *fs, struct root *out)
{
	static const char *const options[] = { "", "subvol=@", "subvol=@rootfs", "subvol=root" };
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		*out = (struct root){ fs, options[i] };
		if (looks_like_root(out))
			return true;
		if (!fs->driver->find_mounted)
			return false;
	}
	return false;
}

/* May a Linux system be in there, where nothing of it can be read? */
static bool may_hide_root(const struct partition *partition)
{
	static const char *const others[] = { "swap", "vfat", "exfat", "ntfs", "iso9660" };
	if (partition->volume && !partition->readable)
		return true;
	if (!partition->file_system && partition->unread)
		return true;
	if (str_equal(partition->file_system, "LVM2_member"))
		return partition->volumes_read != ANSWER_YES;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (str_equal(partition->file_system, others[i]))
			return false;
	return partition->file_system != NULL;
}

static const struct partition *find_hidden(const struct gatherer *gatherer)
{
	const struct partition_table *table = &gatherer->facts->table;
	for (size_t i = 0; i < table->partitions.count; i++)
		if (!gather_filesystem(gatherer, table->partitions.items[i].number) &&
		    may_hide_root(&table->partitions.items[i]))
			return &table->partitions.items[i];
	return NULL;
}

const char *gather_why_closed(const struct gatherer *gatherer, uint64_t partition)
{
	struct error error = { 0 };
	const struct partition *place = volume_find(&gatherer->facts->table, partition);
	if (place && !place->readable)
		return place->volume ? "it is no plain linear volume" : place->unread;
	for (size_t i = 0; i < gatherer->filesystems.count; i++)
		if (gatherer->filesystems.items[i]->partition == partition &&
		    !fs_open(gatherer->filesystems.items[i], &error))
			return arena_strdup(gatherer->arena, error.message);
	if (place && place->unread)
		return place->unread;
	return "it holds no known file system";
}

/*
 * The entry that boots names a root that is not to be read. Another system on the disk is not the one that
 * boots: nothing of it may be judged in its place. False where the name is all that is wrong.
 */
static bool note_named_root(struct gatherer *gatherer, const struct boot_entry *entry)
{
	const struct partition_table *table = &gatherer->facts->table;
	const struct partition *hidden = find_hidden(gatherer);
	if (entry->root_found == ANSWER_YES)
		gather_note_gap(gatherer, "root-unreadable", &entry->place,
		                "root=%s is %s, which cannot be read: %s", entry->root,
		                volume_phrase(table, entry->root_partition, gatherer->arena),
		                gather_why_closed(gatherer, entry->root_partition));
	else if (entry->root && hidden)
		gather_note_gap(gatherer, "root-unreadable", &entry->place,
		                "root=%s may be in %s, which cannot be read", entry->root,
		                volume_phrase(table, hidden->number, gatherer->arena));
	else
		return false;
	return true;
}

/* The only file system that looks like a root. */
static struct root guess_only_root(struct gatherer *gatherer)
{
	const struct partition_table *table = &gatherer->facts->table;
	struct root found = { 0 }, other;
	for (size_t i = 0; i < gatherer->filesystems.count; i++) {
		struct filesystem *fs = gatherer->filesystems.items[i];
		if (!fs_is_open(fs) || !guess_root(fs, &other))
			continue;
		if (found.fs) {
			gather_note_gap(gatherer, "root-ambiguous", NULL,
			                "%s and %s both hold a system, and no root= decides between them",
			                volume_phrase(table, found.fs->partition, gatherer->arena),
			                volume_phrase(table, fs->partition, gatherer->arena));
			return (struct root){ 0 };
		}
		found = other;
	}
	if (!found.fs)
		gather_note_gap(gatherer, "root-missing", NULL,
		                "no file system that can be read holds a Linux system");
	return found;
}

/* The root file system: what the booted entry's root= names, else the only one that looks like a root. */
static struct root find_root(struct gatherer *gatherer)
{
	const struct boot *boot = &gatherer->facts->boot;
	if (boot->default_known != ANSWER_YES)
		return guess_only_root(gatherer);
	const struct boot_entry *entry = &boot->entries.items[boot->default_index];
	struct filesystem *named =
		entry->root_found == ANSWER_YES ? gather_filesystem(gatherer, entry->root_partition) : NULL;
	if (named)
		return (struct root){ named, boot_root_options(entry, gatherer->arena) };
	return note_named_root(gatherer, entry) ? (struct root){ 0 } : guess_only_root(gatherer);
}

/* Rewrites the paths of boot/, which are inside one file system each, to those of the running system. */
static void map_places(struct gatherer *gatherer, const struct record *record, void *data)
{
	for (const struct field *field = record->fields; field->name; field++) {
		uint8_t *at = (uint8_t *)data + field->offset;
		if (field->type == FIELD_RECORD && field->record == &place_record) {
			struct place *place = (void *)at;
			place->path = gather_image_path(gatherer, place->partition, place->path);
		} else if (field->type == FIELD_RECORD) {
			map_places(gatherer, field->record, at);
		} else if (field->type == FIELD_LIST) {
			struct record_list list;
			memcpy(&list, at, sizeof(list));
			for (size_t i = 0; i < list.count; i++)
				map_places(gatherer, field->record,
				           (uint8_t *)list.items + i * field->record->size);
		}
	}
}

static void map_boot_files(struct gatherer *gatherer)
{
	struct boot *boot = &gatherer->facts->boot;
	map_places(gatherer, &boot_record, boot);
	for (size_t i = 0; i < boot->paths.count; i++) {
		struct boot_path *path = &boot->paths.items[i];
		path->config = gather_image_path(gatherer, path->config_partition, path->config);
	}
	for (size_t i = 0; i < boot->entries.count; i++) {
		struct boot_entry *entry = &boot->entries.items[i];
		entry->kernel.path = gather_image_path(gatherer, entry->kernel.partition, entry->kernel.path);
		for (size_t j = 0; j < entry->initrds.count; j++) {
			struct boot_file *initrd = &entry->initrds.items[j];
			initrd->path = gather_image_path(gatherer, initrd->partition, initrd->path);
		}
	}
}

/* The namespace of the running system. */
static bool find_system(struct gatherer *gatherer)
{
	struct error error = { 0 };
	struct root root = find_root(gatherer);
	if (!root.fs)
		return false;
	if (gather_mounts(gatherer, root.fs, root.options, &error))
		return true;
	gather_note_gap(gatherer, "root-missing", NULL, "the root file system of %s cannot be mounted: %s",
	                volume_phrase(&gatherer->facts->table, root.fs->partition, gatherer->arena),
	                error.message);
	return false;
}

/*
 * A raw disk has no magic of its own. What is no whole number of sectors and holds neither a table nor a file
 * system is some other file: nothing of it is judged.
 */
static bool looks_like_disk(const struct gatherer *gatherer)
{
	const struct facts *facts = gatherer->facts;
	bool has_table = !str_equal(facts->table.kind, "none");
	return facts->size % 512 == 0 || has_table || gatherer->filesystems.count > 0;
}

void gather_disk(struct gatherer *gatherer)
{
	struct facts *facts = gatherer->facts;
	facts->kind = INPUT_DISK;
	facts->examined = EXAMINED_PARTIAL;
	facts->container = gatherer->disk->container;
	facts->size = gatherer->disk->reader.size;
	if (!gather_volumes(gatherer))
		return;
	if (!looks_like_disk(gatherer)) {
		facts->kind = INPUT_UNKNOWN;
		facts->examined = EXAMINED_NONE;
		facts->reason = "it is no disk image: it has no partition table, no file system and no whole "
				"number of sectors";
		return;
	}
	gather_checkpoint(gatherer);
	gather_boot(gatherer);
	gather_checkpoint(gatherer);
	if (find_system(gatherer))
		gather_system(gatherer);
	map_boot_files(gatherer);
	/* Some damage is met only when files are read. */
	for (size_t i = 0; i < gatherer->filesystems.count; i++)
		tell_problems(gatherer, gatherer->filesystems.items[i]);
	if (!facts->reason)
		facts->examined = EXAMINED_FULL;
}
