#include "boot/boot.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "boot/firmware.h"
#include "boot/root.h"

/* What is known of a loader: how its first configuration file is found, and how its menu is read. */
struct loader {
	const char *name;
	bool needs_config; /* without a configuration there is no menu */
	bool knows_doubt;  /* its reader says itself which default a file that cannot be read leaves open */
	/* NULL: it was found with the loader. */
	void (*find_config)(struct boot_disk *disk, struct firmware_path *way);
	bool (*read_menu)(struct boot_disk *disk, const struct firmware_path *way, struct boot *out,
	                  struct error *error);
};

static const struct loader loaders[] = {
	{ "grub", true, true, grub_find_config, grub_read_menu },
	{ "shim", true, true, grub_find_config, grub_read_menu },
	{ "systemd-boot", false, false, NULL, systemd_boot_read_menu },
	{ "uki", false, false, NULL, uki_read_menu },
	{ "syslinux", true, false, NULL, syslinux_read_menu },
};

static const struct loader *loader_of(const struct firmware_path *way)
{
	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++)
		if (str_equal(way->path.loader, loaders[i].name))
			return &loaders[i];
	return NULL;
}

/* Is there a menu to read? */
static bool has_menu(const struct firmware_path *way)
{
	const struct loader *loader = loader_of(way);
	return loader && (!loader->needs_config || way->path.config);
}

static bool same_file(const struct boot_file *a, const struct boot_file *b)
{
	return a->partition == b->partition && str_equal(a->path, b->path) && a->offset == b->offset;
}

bool boot_same_start(const struct boot_entry *a, const struct boot_entry *b)
{
	bool same = str_equal(a->command_line, b->command_line) && a->initrds.count == b->initrds.count;
	for (size_t i = 0; same && i < a->initrds.count; i++)
		same = same_file(&a->initrds.items[i], &b->initrds.items[i]);
	return same;
}

static bool same_default(const struct boot *a, const struct boot *b)
{
	if (a->default_known != ANSWER_YES || b->default_known != ANSWER_YES)
		return a->default_known == b->default_known;
	const struct boot_entry *x = &a->entries.items[a->default_index];
	const struct boot_entry *y = &b->entries.items[b->default_index];
	return same_file(&x->kernel, &y->kernel) && boot_same_start(x, y);
}

static bool read_one_menu(struct boot_disk *disk, const struct firmware_path *way, struct boot *out,
                          struct error *error)
{
	size_t failures = boot_disk_failures(disk);
	const struct loader *loader = loader_of(way);
	bool sound = loader->read_menu(disk, way, out, error);
	if (boot_disk_failures(disk) > failures) {
		const char *why = arena_printf(disk->arena, "the boot menu cannot all be read: %s",
		                               disk->filesystems->watch->last.message);
		*LIST_ADD(disk->arena, &out->problems) =
			(struct problem){ .code = BOOT_MENU_UNREAD, .message = why, .place = out->config };
		if (out->default_known == ANSWER_NO || !loader->knows_doubt) {
			out->default_known = ANSWER_UNKNOWN;
			out->default_reason = why;
		}
	}
	if (way->doubt) {
		out->default_known = ANSWER_UNKNOWN;
		out->default_reason = way->doubt;
	}
	return sound;
}

/* Both kinds of firmware may lead to different kernels: which one is judged must be said. */
static void compare_ways(struct boot_disk *disk, const struct firmware_path *other, struct boot *out)
{
	struct boot second = { 0 };
	struct error error = { 0 };
	if (!read_one_menu(disk, other, &second, &error) || same_default(out, &second))
		return;
	const struct place place = other->path.config
	                                   ? (struct place){ .partition = other->path.config_partition,
		                                             .path = other->path.config }
	                                   : other->path.place;
	*LIST_ADD(disk->arena, &out->problems) = (struct problem){
		.code = "boot-paths-differ",
		.message = arena_printf(disk->arena,
		                        "%s boots another default entry (%s) than the one that is judged",
		                        other->path.firmware, place.path),
		.place = place,
	};
}

/* A way along which something could not be read is known neither to work nor to lack a link. */
static void doubt_way(struct boot_disk *disk, struct boot_path *path, size_t failures_before)
{
	const char *why = NULL;
	if (boot_disk_failures(disk) > failures_before)
		why = arena_strdup(disk->arena, disk->filesystems->watch->last.message);
	else if (path->works == ANSWER_NO)
		why = str_equal(path->firmware, "uefi") ? volume_unread(disk->table) : disk->table->unread;
	if (!why || path->works == ANSWER_UNKNOWN)
		return;
	path->works = ANSWER_UNKNOWN;
	path->reason = arena_printf(disk->arena, "it cannot be followed: %s", why);
}

static bool read_menu(struct boot_disk *disk, struct firmware_path *ways, size_t count, struct boot *out,
                      struct error *error)
{
	const struct firmware_path *first = NULL;
	for (int pass = 0; pass < 2; pass++) {
		/* Ways that work come first; the menu of one that does not is still worth knowing. */
		for (size_t i = 0; i < count && !first; i++) {
			bool fit = pass == 1 || ways[i].path.works != ANSWER_NO;
			if (fit && has_menu(&ways[i]))
				first = &ways[i];
		}
	}
	if (!first) {
		out->default_reason = "no boot loader configuration that can be read was found";
		for (size_t i = 0; i < count; i++)
			if (ways[i].path.works != ANSWER_NO && !str_equal(ways[i].path.loader, "unknown"))
				out->loader = ways[i].path.loader;
		return true;
	}
	bool sound = read_one_menu(disk, first, out, error);
	for (size_t i = 0; i < count && sound; i++)
		if (&ways[i] != first && has_menu(&ways[i]) && ways[i].path.works != ANSWER_NO)
			compare_ways(disk, &ways[i], out);
	return sound;
}

static void note_missing_files(struct boot_disk *disk, struct boot *out)
{
	if (out->default_known != ANSWER_YES)
		return;
	const struct boot_entry *entry = &out->entries.items[out->default_index];
	if (!entry->kernel.path)
		*LIST_ADD(disk->arena, &out->problems) = (struct problem){
			.code = "boot-no-kernel",
			.message = arena_printf(disk->arena, "the default entry \"%s\" loads no Linux kernel",
			                        entry->title),
			.place = entry->place,
		};
	for (size_t i = 0; i <= entry->initrds.count && entry->kernel.path; i++) {
		const struct boot_file *file = i == 0 ? &entry->kernel : &entry->initrds.items[i - 1];
		if (file->found != ANSWER_NO)
			continue;
		*LIST_ADD(disk->arena, &out->problems) = (struct problem){
			.code = "boot-file-missing",
			.message = arena_printf(
				disk->arena, "the default entry loads %s, which does not exist in %s",
				file->path, volume_phrase(disk->table, file->partition, disk->arena)),
			.place = entry->place,
		};
	}
}

/* From one kind of firmware to a loader and its configuration. */
static bool find_way(struct boot_disk *disk, bool uefi, struct firmware_path *way, struct error *error)
{
	size_t failures = boot_disk_failures(disk);
	if (uefi)
		uefi_find(disk, way);
	else if (!bios_find(disk, way, error))
		return false;
	const struct loader *loader = loader_of(way);
	if (loader && loader->find_config)
		loader->find_config(disk, way);
	doubt_way(disk, &way->path, failures);
	return true;
}

bool boot_find(const struct reader *reader, const struct partition_table *table,
               const struct fs_set *filesystems, struct budget *budget, struct arena *arena, struct boot *out,
               struct error *error)
{
	struct boot_disk disk = { reader, table, filesystems, budget, arena };
	struct firmware_path ways[2] = { 0 };
	*out = (struct boot){ 0 };
	if (!find_way(&disk, false, &ways[0], error) || !find_way(&disk, true, &ways[1], error))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		*LIST_ADD(arena, &out->paths) = ways[i].path;
	bool sound = read_menu(&disk, ways, ARRAY_SIZE(ways), out, error);
	for (size_t i = 0; i < out->entries.count; i++) {
		struct boot_entry *entry = &out->entries.items[i];
		root_find(table, arena, entry);
		root_check_mount(boot_disk_filesystem(&disk, entry->root_partition), arena, entry);
	}
	note_missing_files(&disk, out);
	return sound;
}

bool boot_works(const struct boot *boot, const char *firmware)
{
	for (size_t i = 0; i < boot->paths.count; i++)
		if (boot->paths.items[i].works == ANSWER_YES &&
		    str_equal(boot->paths.items[i].firmware, firmware))
			return true;
	return false;
}
