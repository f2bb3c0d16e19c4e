// The entries of systemd-boot by the Boot Loader Specification, on its own partition and on the extended boot
// loader partition: type 1, files in /loader/entries, and type 2, unified kernel images in /EFI/Linux.
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "boot/systemd_boot.h"

#define XBOOTLDR_TYPE "bc13c2ff-59e6-4262-a352-b275fd6f7172"

static const char entries_folder[] = "/loader/entries", images_folder[] = "/EFI/Linux";

static void note(struct systemd_boot *loader, const char *code, uint64_t partition, const char *path,
                 const char *message)
{
	*LIST_ADD(loader->disk->arena, &loader->out->problems) = (struct problem){
		.code = code,
		.message = message,
		.place = { .partition = partition, .path = path },
	};
}

/* "/EFI/debian/linux" of "\EFI\debian//linux" or "EFI/debian/linux". */
static const char *plain_path(struct arena *arena, const char *path)
{
	struct text plain CLEANUP(text_free) = { 0 };
	text_add_char(&plain, '/');
	for (; *path; path++) {
		char character = *path == '\\' ? '/' : *path;
		if (character != '/' || plain.data[plain.size - 1] != '/')
			text_add_char(&plain, character);
	}
	return arena_strdup(arena, text_get(&plain));
}

/* "...+LEFT.conf" or "...+LEFT-DONE.conf", behind the last '+'. */
static void read_tries(struct systemd_entry *entry, const char *suffix)
{
	const char *plus = strrchr(entry->id, '+');
	char *end;
	entry->tries_left = entry->tries_done = -1;
	if (!plus || !isdigit((unsigned char)plus[1]))
		return;
	long left = strtol(plus + 1, &end, 10), done = 0;
	if (*end == '-' && isdigit((unsigned char)end[1]))
		done = strtol(end + 1, &end, 10);
	if (strcasecmp(end, suffix) != 0)
		return;
	entry->tries_left = left;
	entry->tries_done = done;
}

static const char *value_of(const struct bls_keys *keys, const char *key)
{
	const struct bls_key *found = bls_last(keys, key);
	return found ? found->value : NULL;
}

/* All `options` lines, one behind the other. */
static const char *join_options(struct arena *arena, const struct bls_keys *keys)
{
	struct text joined CLEANUP(text_free) = { 0 };
	const struct bls_key *options;
	for (size_t n = 0; (options = bls_get(keys, "options", n)); n++)
		text_printf(&joined, "%s%s", n > 0 ? " " : "", options->value);
	return arena_strdup(arena, text_get(&joined));
}

/* systemd-boot names the initrds on the command line too, in the way that older kernels ask for. */
static void add_initrds(struct systemd_boot *loader, uint64_t partition, const struct bls_keys *keys,
                        struct boot_entry *entry)
{
	struct arena *arena = loader->disk->arena;
	struct text line CLEANUP(text_free) = { 0 };
	const struct bls_key *initrd;
	for (size_t n = 0; (initrd = bls_get(keys, "initrd", n)); n++) {
		const char *path = plain_path(arena, initrd->value);
		bool there = boot_disk_exists(loader->disk, partition, path);
		*LIST_ADD(arena, &entry->initrds) = (struct boot_file){
			.path = path, .partition = partition, .found = there ? ANSWER_YES : ANSWER_NO
		};
		text_add(&line, "initrd=");
		/* As it is written, but for the separators. */
		for (const char *at = initrd->value[0] == '/' || initrd->value[0] == '\\' ? path : path + 1;
		     *at; at++)
			text_add_char(&line, *at == '/' ? '\\' : *at);
		text_add_char(&line, ' ');
	}
	text_add(&line, entry->command_line);
	entry->command_line = arena_strdup(arena, text_get(&line));
}

/* The one key that says what an entry starts; NULL when there is none, or more than one. */
static const struct bls_key *find_program(const struct bls_keys *keys)
{
	static const char *const programs[] = { "linux", "uki", "efi" };
	const struct bls_key *found = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const struct bls_key *key = bls_last(keys, programs[i]);
		if (key && found)
			return NULL;
		found = key ? key : found;
	}
	return found;
}

static bool is_for_this_machine(const struct systemd_boot *loader, const struct bls_keys *keys)
{
	const char *architecture = value_of(keys, "architecture");
	const char *own = str_equal(loader->way->cpu, "arm64") ? "aa64" : "x64";
	return !architecture || strcasecmp(architecture, own) == 0;
}

/* Fills what the entry starts; false when systemd-boot leaves it out of its menu. */
static bool fill_type_1(struct systemd_boot *loader, uint64_t partition, const struct bls_keys *keys,
                        struct boot_entry *entry)
{
	struct arena *arena = loader->disk->arena;
	struct error error = { 0 };
	const struct bls_key *program = find_program(keys);
	if (!program) {
		note(loader, "bls-no-kernel", partition, entry->place.path,
		     arena_printf(arena,
		                  "%s has no `linux`, `uki` or `efi` line, or more than one of them, and is "
		                  "not shown",
		                  entry->place.path));
		return false;
	}
	const char *path = plain_path(arena, program->value), *options = join_options(arena, keys);
	if (!boot_disk_exists(loader->disk, partition, path)) {
		note(loader, "bls-file-missing", partition, entry->place.path,
		     arena_printf(arena,
		                  "%s names %s, which does not exist in partition %" PRIu64
		                  ": systemd-boot does not show the entry",
		                  entry->place.path, path, partition));
		return false;
	}
	const struct bls_key *first = bls_get(keys, "options", 0);
	entry->place.line = first ? first->line : program->line;
	entry->place.text = arena_printf(arena, "%s %s", first ? first->key : program->key,
	                                 first ? first->value : program->value);
	uint64_t profile = 0;
	const char *number = str_equal(program->key, "uki") ? value_of(keys, "profile") : NULL;
	if (number && !str_to_u64(number, &profile))
		profile = 0;
	if (uki_boot(loader->disk, partition, path, (size_t)profile, options, entry, &error))
		return true;
	entry->kernel = (struct boot_file){ .path = path, .partition = partition, .found = ANSWER_YES };
	entry->command_line = options;
	if (str_equal(program->key, "linux"))
		add_initrds(loader, partition, keys, entry);
	return true;
}

static void read_type_1(struct systemd_boot *loader, uint64_t partition, const char *name)
{
	struct arena *arena = loader->disk->arena;
	struct span text;
	struct error error = { 0 };
	struct bls_keys keys;
	struct systemd_entry entry = { .id = name };
	const char *path = arena_printf(arena, "%s/%s", entries_folder, name);
	entry.boot.place = (struct place){ .partition = partition, .path = path };
	if (!boot_disk_load(loader->disk, partition, path, BLS_FILE_MAX, arena, &text, &error)) {
		note(loader, "bls-unreadable", partition, path, arena_strdup(arena, error.message));
		loader->doubt = arena_printf(arena, "%s cannot be read: %s", path, error.message);
		return;
	}
	bls_parse(text, BLS_SYSTEMD, arena, &keys);
	if (bls_last(&keys, "uki-url"))
		loader->doubt = arena_printf(arena, "%s is loaded from the network (uki-url)", path);
	if (!is_for_this_machine(loader, &keys) || !fill_type_1(loader, partition, &keys, &entry.boot))
		return;
	entry.title = value_of(&keys, "title");
	entry.sort_key = value_of(&keys, "sort-key");
	entry.version = value_of(&keys, "version");
	entry.machine_id = value_of(&keys, "machine-id");
	read_tries(&entry, ".conf");
	*LIST_ADD(arena, &loader->entries) = entry;
}

/* One profile of an image, titled and sorted by what its os-release says; false: it has no name there. */
static bool add_profile(struct systemd_boot *loader, uint64_t partition, const char *name, size_t index,
                        const struct uki_profile *profile)
{
	static const char *const names[] = { "PRETTY_NAME", "IMAGE_ID", "NAME", "ID" };
	static const char *const versions[] = { "IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID" };
	struct arena *arena = loader->disk->arena;
	struct error error = { 0 };
	struct systemd_entry entry = { .id = name, .file = name, .profile = index };
	for (size_t i = 0; i < ARRAY_SIZE(names) && !entry.title; i++)
		entry.title = uki_os_release(profile->os_release, names[i], arena);
	for (size_t i = 0; i < ARRAY_SIZE(versions) && !entry.version; i++)
		entry.version = uki_os_release(profile->os_release, versions[i], arena);
	entry.sort_key = uki_os_release(profile->os_release, "IMAGE_ID", arena);
	if (!entry.sort_key)
		entry.sort_key = uki_os_release(profile->os_release, "ID", arena);
	const char *path = arena_printf(arena, "%s/%s", images_folder, name);
	if (!entry.title || !uki_boot(loader->disk, partition, path, index, NULL, &entry.boot, &error))
		return false;
	read_tries(&entry, ".efi");
	if (profile->title)
		entry.title = arena_printf(arena, "%s (%s)", entry.title, profile->title);
	else if (index > 0)
		entry.title = profile->id ? arena_printf(arena, "%s (%s)", entry.title, profile->id)
		                          : arena_printf(arena, "%s (Profile #%zu)", entry.title, index + 1);
	if (index > 0)
		entry.id = profile->id ? arena_printf(arena, "%s@%s", name, profile->id)
		                       : arena_printf(arena, "%s@%zu", name, index);
	*LIST_ADD(arena, &loader->entries) = entry;
	return true;
}

static void read_type_2(struct systemd_boot *loader, uint64_t partition, const char *name)
{
	struct arena *arena = loader->disk->arena;
	struct tree tree = tree_of(boot_disk_filesystem(loader->disk, partition));
	struct tree_file *file = arena_alloc(arena, sizeof(*file));
	struct uki *uki = arena_alloc(arena, sizeof(*uki));
	struct error error = { 0 };
	const char *path = arena_printf(arena, "%s/%s", images_folder, name);
	if (!tree_lookup(&tree, path, file, &error) || file->node.type != NODE_FILE)
		return;
	struct reader reader = node_reader(&file->node);
	if (!uki_read(&reader, arena, uki, &error)) {
		note(loader, "uki-unreadable", partition, path,
		     arena_printf(arena, "%s is not shown: %s", path, error.message));
		return;
	}
	for (size_t i = 0; i < uki->profiles.count; i++) {
		if (!add_profile(loader, partition, name, i, &uki->profiles.items[i]) && i == 0)
			note(loader, "uki-no-name", partition, path,
			     arena_printf(arena, "%s is not shown: its .osrel section gives it no name",
			                  path));
		if (!uki->profiles.items[i].command_line)
			return;
	}
}

/* A name that ends so, whatever its case, and neither begins with a dot nor with "auto-". */
static bool is_name(const char *name, const char *suffix)
{
	size_t length = strlen(name), end = strlen(suffix);
	return name[0] != '.' && length >= end && strcasecmp(name + length - end, suffix) == 0 &&
	       strncasecmp(name, "auto-", strlen("auto-")) != 0;
}

static void read_folder(struct systemd_boot *loader, uint64_t partition, const char *folder,
                        const char *suffix,
                        void (*read)(struct systemd_boot *loader, uint64_t partition, const char *name))
{
	struct names names = { 0 };
	struct error error = { 0 };
	enum answer listed = boot_disk_list(loader->disk, partition, folder, loader->disk->arena, &names);
	if (listed == ANSWER_UNKNOWN)
		loader->doubt = arena_printf(loader->disk->arena,
		                             "%s in partition %" PRIu64 " cannot be read", folder, partition);
	for (size_t i = 0; listed == ANSWER_YES && i < names.count; i++) {
		if (!is_name(names.items[i], suffix))
			continue;
		if (loader->entries.count >= BLS_ENTRIES_MAX ||
		    !budget_step(loader->disk->budget, 100, "entries of systemd-boot", &error)) {
			loader->doubt = "there are more entries than are read";
			return;
		}
		read(loader, partition, names.items[i]);
	}
}

/* The extended boot loader partition, on the same disk: FAT, for firmware reads nothing else. */
static void read_other_partition(struct systemd_boot *loader)
{
	const struct partition_table *table = loader->disk->table;
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *partition = &table->partitions.items[i];
		if (!str_equal(partition->type, XBOOTLDR_TYPE))
			continue;
		struct filesystem *fs = boot_disk_filesystem(loader->disk, partition->number);
		if (!fs || !str_equal(fs->type, "vfat")) {
			note(loader, "xbootldr-not-fat", partition->number, NULL,
			     arena_printf(loader->disk->arena,
			                  "the extended boot loader partition %" PRIu64
			                  " holds no FAT file system, and firmware without a driver for "
			                  "another does not read it",
			                  partition->number));
			return;
		}
		read_folder(loader, partition->number, images_folder, ".efi", read_type_2);
		read_folder(loader, partition->number, entries_folder, ".conf", read_type_1);
		return;
	}
}

void systemd_boot_read_entries(struct systemd_boot *loader)
{
	uint64_t partition = loader->way->path.place.partition;
	read_folder(loader, partition, images_folder, ".efi", read_type_2);
	read_folder(loader, partition, entries_folder, ".conf", read_type_1);
	read_other_partition(loader);
}
