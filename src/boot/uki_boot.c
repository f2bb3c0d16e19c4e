// A unified kernel image as firmware or a boot loader starts it: systemd-stub in it takes one profile, and
// adds what the addons (*.addon.efi) beside it hold. systemd-stub(7).
#include <string.h>

#include "base/text.h"
#include "boot/firmware.h"
#include "boot/uki.h"

#define ADDONS_MAX 128
/* Versions of systemd-stub: older ones do not look for addons, or only for their command lines. */
#define STUB_WITH_ADDONS        254
#define STUB_WITH_INITRD_ADDONS 257

/* An image that is being started. */
struct start {
	struct boot_disk *disk;
	uint64_t partition;
	const struct uki *uki;
	const struct uki_profile *profile;
	struct boot_entry *entry;
	const char
		*sources; /* of the command line, for the reader: ".cmdline + /loader/addons/x.addon.efi" */
	LIST(struct boot_file) microcode, initrds; /* of the addons */
};

static bool open_file(struct boot_disk *disk, uint64_t partition, const char *path, struct tree_file **out,
                      struct reader *reader, struct error *error)
{
	struct filesystem *fs = boot_disk_filesystem(disk, partition);
	if (!fs || !fs_is_open(fs))
		return error_set(error, ERROR_UNSUPPORTED, "its file system cannot be read");
	struct tree tree = tree_of(fs);
	*out = arena_alloc(disk->arena, sizeof(**out));
	if (!tree_lookup(&tree, path, *out, error))
		return false;
	if ((*out)->node.type != NODE_FILE)
		return error_set(error, ERROR_NOT_FOUND, "%s is no file", path);
	*reader = node_reader(&(*out)->node);
	return true;
}

static void append_command_line(struct start *start, const char *path, const char *more)
{
	struct arena *arena = start->disk->arena;
	const char *line = start->entry->command_line;
	start->entry->command_line = arena_printf(arena, "%s%s%s", line, *line ? " " : "", more);
	start->sources = arena_printf(arena, "%s%s%s", start->sources, *start->sources ? " + " : "", path);
}

/* Built for another kernel than the one in the image? */
static bool is_for_other_kernel(const struct start *start, const struct uki_profile *addon)
{
	return addon->version && start->profile->version &&
	       !str_starts(start->profile->version, addon->version);
}

static void take_addon(struct start *start, const char *path)
{
	struct arena *arena = start->disk->arena;
	struct tree_file *file;
	struct reader reader;
	struct error error = { 0 };
	struct pe pe;
	struct uki *addon = arena_alloc(arena, sizeof(*addon));
	if (!open_file(start->disk, start->partition, path, &file, &reader, &error) ||
	    !pe_read(&reader, arena, &pe, &error) || pe.machine != start->uki->machine ||
	    !uki_read_sections(&reader, &pe, arena, addon, &error))
		return;
	const struct uki_profile *sections = &addon->profiles.items[0];
	if (sections->linux.size > 0 || is_for_other_kernel(start, sections))
		return;
	if (sections->command_line)
		append_command_line(start, path, sections->command_line);
	if (start->uki->stub_version > 0 && start->uki->stub_version < STUB_WITH_INITRD_ADDONS)
		return;
	if (sections->ucode.size > 0)
		*LIST_ADD(arena, &start->microcode) = uki_part(path, start->partition, &sections->ucode);
	if (sections->initrd.size > 0)
		*LIST_ADD(arena, &start->initrds) = uki_part(path, start->partition, &sections->initrd);
}

static void take_addons(struct start *start, const char *folder)
{
	struct names names = { 0 };
	size_t taken = 0;
	if (boot_disk_list(start->disk, start->partition, folder, start->disk->arena, &names) != ANSWER_YES)
		return;
	for (size_t i = 0; i < names.count && taken < ADDONS_MAX; i++) {
		if (!str_ends(names.items[i], ".addon.efi"))
			continue;
		take_addon(start, arena_printf(start->disk->arena, "%s/%s", folder, names.items[i]));
		taken++;
	}
}

/* "/EFI/Linux/a.efi.extra.d" of "/EFI/Linux/a+3-1.efi": without the counter of boot attempts. */
static const char *extra_folder(struct arena *arena, const char *path)
{
	const char *plus = strchr(path, '+');
	const char *behind = plus ? plus + 1 + strspn(plus + 1, "0123456789-") : NULL;
	if (!plus || behind == plus + 1 || *behind != '.')
		return arena_printf(arena, "%s.extra.d", path);
	return arena_printf(arena, "%.*s%s.extra.d", (int)(plus - path), path, behind);
}

/* Microcode comes first of all, that of later addons in front; what else addons bring, last. */
static void order_initrds(struct start *start, const struct boot_entry *own)
{
	struct arena *arena = start->disk->arena;
	struct boot_entry *entry = start->entry;
	entry->initrds.count = 0;
	for (size_t i = start->microcode.count; i > 0; i--)
		*LIST_ADD(arena, &entry->initrds) = start->microcode.items[i - 1];
	for (size_t i = 0; i < own->initrds.count; i++)
		*LIST_ADD(arena, &entry->initrds) = own->initrds.items[i];
	for (size_t i = 0; i < start->initrds.count; i++)
		*LIST_ADD(arena, &entry->initrds) = start->initrds.items[i];
}

static void start_image(struct start *start, const char *path, const char *options)
{
	struct arena *arena = start->disk->arena;
	struct boot_entry own = { 0 }, *entry = start->entry;
	uki_fill_entry(start->profile, path, start->partition, arena, &own);
	start->sources = start->profile->command_line ? ".cmdline" : "";
	entry->kernel = own.kernel;
	entry->command_line = own.command_line;
	if (options && *options) {
		entry->command_line = options;
		start->sources = "options";
	}
	if (start->uki->stub_version == 0 || start->uki->stub_version >= STUB_WITH_ADDONS) {
		take_addons(start, "/loader/addons");
		take_addons(start, extra_folder(arena, path));
	}
	order_initrds(start, &own);
	if (!entry->place.path)
		entry->place = own.place;
	if (!entry->place.text || !entry->place.line)
		entry->place.text =
			*start->sources ? arena_printf(arena, "%s: %s", start->sources, entry->command_line)
					: ".linux";
}

bool uki_boot(struct boot_disk *disk, uint64_t partition, const char *path, size_t profile,
              const char *options, struct boot_entry *entry, struct error *error)
{
	struct tree_file *file;
	struct reader reader;
	struct uki *uki = arena_alloc(disk->arena, sizeof(*uki));
	if (!open_file(disk, partition, path, &file, &reader, error) ||
	    !uki_read(&reader, disk->arena, uki, error))
		return false;
	if (profile >= uki->profiles.count)
		return error_set(error, ERROR_NOT_FOUND, "%s has no profile %zu", path, profile);
	struct start start = {
		.disk = disk,
		.partition = partition,
		.uki = uki,
		.profile = &uki->profiles.items[profile],
		.entry = entry,
	};
	start_image(&start, arena_strdup(disk->arena, file->path), options);
	return true;
}

bool uki_read_menu(struct boot_disk *disk, const struct firmware_path *way, struct boot *out,
                   struct error *error)
{
	const struct place *place = &way->path.place;
	struct error why = { 0 };
	(void)error;
	out->loader = "uki";
	out->config = *place;
	out->timeout = "0"; /* there is no menu that could wait */
	struct boot_entry entry = { .title = boot_disk_name(place->path) };
	if (!uki_boot(disk, place->partition, place->path, 0, NULL, &entry, &why)) {
		out->default_reason = arena_printf(disk->arena, "%s: %s", place->path, why.message);
		return true;
	}
	*LIST_ADD(disk->arena, &out->entries) = entry;
	out->default_known = ANSWER_YES;
	out->default_reason = "the firmware starts the unified kernel image itself";
	out->default_place = *place;
	return true;
}
