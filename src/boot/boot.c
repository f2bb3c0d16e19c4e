#include "boot/boot.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "boot/firmware.h"
#include "boot/root.h"

struct filesystem *boot_disk_filesystem(const struct boot_disk *disk, uint64_t partition)
{
	for (size_t i = 0; i < disk->filesystems->count; i++)
		if (disk->filesystems->items[i]->partition == partition)
			return disk->filesystems->items[i];
	return NULL;
}

static const struct partition *partition_of(const struct boot_disk *disk, uint64_t number)
{
	for (size_t i = 0; i < disk->table->partitions.count; i++)
		if (disk->table->partitions.items[i].number == number)
			return &disk->table->partitions.items[i];
	return NULL;
}

/* Holds other block devices, whose file systems GRUB may see and we do not. */
static bool is_container(const struct filesystem *fs)
{
	return fs->encrypted || str_equal(fs->type, "LVM2_member") ||
	       str_equal(fs->type, "linux_raid_member");
}

/* Does this file system answer a search? UNKNOWN: it might, or one inside it. */
static enum answer answers_search(struct filesystem *fs, enum grub_search by, const char *key)
{
	if (is_container(fs))
		return ANSWER_UNKNOWN;
	if (by == GRUB_SEARCH_UUID)
		return fs->uuid && strcasecmp(fs->uuid, key) == 0 ? ANSWER_YES : ANSWER_NO;
	if (by == GRUB_SEARCH_LABEL)
		return str_equal(fs->label, key) ? ANSWER_YES : ANSWER_NO;
	if (!fs_is_open(fs))
		return str_equal(fs->type, "swap") ? ANSWER_NO : ANSWER_UNKNOWN;
	struct tree tree = tree_of(fs);
	return tree_exists(&tree, key) ? ANSWER_YES : ANSWER_NO;
}

static enum answer search(void *context, enum grub_search by, const char *key, uint64_t *partition)
{
	const struct boot_disk *disk = context;
	unsigned found = 0;
	bool perhaps = false;
	for (size_t i = 0; i < disk->filesystems->count; i++) {
		struct filesystem *fs = disk->filesystems->items[i];
		enum answer answer = answers_search(fs, by, key);
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

static enum answer look(void *context, uint64_t partition, const char *path, enum grub_file_kind *kind)
{
	const struct boot_disk *disk = context;
	struct filesystem *fs = boot_disk_filesystem(disk, partition);
	*kind = GRUB_FILE_ABSENT;
	if (!partition_of(disk, partition))
		return ANSWER_YES;
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

static bool load(void *context, uint64_t partition, const char *path, size_t most, struct arena *arena,
                 struct span *out, struct error *error)
{
	const struct boot_disk *disk = context;
	struct filesystem *fs = boot_disk_filesystem(disk, partition);
	if (!fs || !fs_is_open(fs))
		return error_set(error, ERROR_UNSUPPORTED,
		                 "the file system of partition %" PRIu64 " cannot be read", partition);
	struct tree tree = tree_of(fs);
	return tree_load(&tree, path, most, arena, out, NULL, error);
}

static enum answer list(void *context, uint64_t partition, const char *path, struct arena *arena,
                        struct names *out)
{
	const struct boot_disk *disk = context;
	enum grub_file_kind kind;
	struct error error = { 0 };
	if (look(context, partition, path, &kind) != ANSWER_YES)
		return ANSWER_UNKNOWN;
	if (kind != GRUB_FILE_DIRECTORY)
		return ANSWER_NO;
	struct tree tree = tree_of(boot_disk_filesystem(disk, partition));
	return tree_names(&tree, path, arena, out, &error) ? ANSWER_YES : ANSWER_UNKNOWN;
}

static struct grub_disk interface_of(struct boot_disk *disk)
{
	const char *kind = disk->table->kind;
	return (struct grub_disk){
		.context = disk,
		.scheme = str_equal(kind, "gpt")   ? "gpt"
		          : str_equal(kind, "mbr") ? "msdos"
		                                   : NULL,
		.search = search,
		.look = look,
		.load = load,
		.list = list,
	};
}

static const char *const config_paths[] = { "/boot/grub/grub.cfg", "/grub/grub.cfg", "/boot/grub2/grub.cfg",
	                                    "/grub2/grub.cfg" };

/* How many configuration files lie in the usual places; the first is taken. */
static unsigned search_config(struct boot_disk *disk, struct boot_path *path)
{
	unsigned found = 0;
	for (size_t i = 0; i < ARRAY_SIZE(config_paths); i++) {
		for (size_t j = 0; j < disk->filesystems->count; j++) {
			enum grub_file_kind kind;
			uint64_t partition = disk->filesystems->items[j]->partition;
			if (look(disk, partition, config_paths[i], &kind) != ANSWER_YES ||
			    kind != GRUB_FILE_REGULAR)
				continue;
			if (found++ > 0)
				continue;
			path->config = config_paths[i];
			path->config_partition = partition;
		}
	}
	return found;
}

/* "(,gpt3)/boot/grub", "(hd0,msdos1)/grub" or "/EFI/debian" (in the loader's own partition). */
static bool parse_prefix(const char *prefix, uint64_t own, uint64_t *partition, const char **path)
{
	*partition = own;
	*path = prefix;
	if (prefix[0] != '(')
		return prefix[0] == '/';
	const char *close = strchr(prefix, ')'), *comma = strchr(prefix, ',');
	if (!close || close[1] != '/')
		return false;
	*path = close + 1;
	if (!comma || comma > close)
		return str_starts(prefix, "(hd0)") && (*partition = 0, true);
	if (comma != prefix + 1 && !str_starts(prefix, "(hd0,"))
		return false;
	const char *digits = comma + 1 + strcspn(comma + 1, "0123456789)");
	char number[16] = { 0 };
	size_t length = strspn(digits, "0123456789");
	if (length == 0 || length >= sizeof(number) || digits + length != close)
		return false;
	memcpy(number, digits, length);
	return str_to_u64(number, partition);
}

static bool exists(struct boot_disk *disk, uint64_t partition, const char *path)
{
	enum grub_file_kind kind;
	return look(disk, partition, path, &kind) == ANSWER_YES && kind == GRUB_FILE_REGULAR;
}

/* Folder of a path, in the arena; "" for a file in the root. */
static const char *folder_of(struct boot_disk *disk, const char *path)
{
	const char *slash = strrchr(path, '/');
	return arena_string(disk->arena, span_of(path, slash ? (size_t)(slash - path) : 0));
}

/* Where the commands built into GRUB's image lead. */
static bool embedded_config(struct boot_disk *disk, struct firmware_path *way, uint64_t partition,
                            const char *prefix)
{
	const struct grub_disk interface = interface_of(disk);
	struct grub_start start = { .platform = way->platform, .cpu = way->cpu, .prefix = prefix };
	const char *config;
	start.partition = partition;
	start.cmd_partition = way->path.place.partition;
	if (way->path.place.path)
		start.cmdpath = folder_of(disk, way->path.place.path);
	if (!way->image.config.size ||
	    !grub_run_embedded(&interface, &start, way->image.config, disk->budget, disk->arena, &partition,
	                       &config) ||
	    !exists(disk, partition, config))
		return false;
	way->path.config = config;
	way->path.config_partition = partition;
	return true;
}

static bool take_config(struct boot_disk *disk, struct boot_path *path, uint64_t partition,
                        const char *config)
{
	if (!exists(disk, partition, config))
		return false;
	path->config = config;
	path->config_partition = partition;
	return true;
}

static void lose_config(struct boot_disk *disk, struct boot_path *path, enum answer works, const char *why)
{
	if (path->works == ANSWER_YES)
		path->works = works;
	path->reason = arena_printf(disk->arena, "%s; %s", path->reason, why);
	path->config = NULL;
}

/* GRUB's core reads no menu by itself: the module `normal` does, from the folder of its platform. */
static void check_normal(struct boot_disk *disk, struct firmware_path *way)
{
	struct boot_path *path = &way->path;
	enum grub_file_kind kind;
	if (way->image.normal != ANSWER_NO || !path->config || path->works != ANSWER_YES)
		return;
	const char *module = arena_printf(disk->arena, "%s/%s-%s/normal.mod", folder_of(disk, path->config),
	                                  way->cpu, way->platform);
	if (look(disk, path->config_partition, module, &kind) != ANSWER_YES || kind == GRUB_FILE_REGULAR)
		return;
	path->works = ANSWER_NO;
	path->reason = arena_printf(disk->arena,
	                            "%s; it needs %s in partition %" PRIu64
	                            ", which does not exist, and stops at \"grub rescue>\": run grub-install",
	                            path->reason, module, path->config_partition);
}

/* The only configuration of the disk is likely what GRUB reads, but nothing shows that it finds it. */
static void guess_config(struct boot_disk *disk, struct boot_path *path)
{
	if (path->works == ANSWER_NO)
		return;
	path->works = ANSWER_UNKNOWN;
	path->reason = arena_printf(disk->arena,
	                            "%s; whether it finds %s in partition %" PRIu64
	                            ", the only configuration on the disk, is not known",
	                            path->reason, path->config, path->config_partition);
}

/* The image knows one path alone: what is there decides. */
static void take_only_config(struct boot_disk *disk, struct boot_path *path, uint64_t partition,
                             const char *config)
{
	enum grub_file_kind kind;
	if (take_config(disk, path, partition, config))
		return;
	bool readable = look(disk, partition, config, &kind) == ANSWER_YES;
	lose_config(disk, path, readable ? ANSWER_NO : ANSWER_UNKNOWN,
	            arena_printf(disk->arena,
	                         readable ? "it reads %s in partition %" PRIu64 ", which does not exist"
	                                  : "it reads %s in partition %" PRIu64
	                                    ", whose file system cannot be read",
	                         config, partition));
}

/* Finds GRUB's first configuration: where its image says, beside it, or the only one on the disk. */
static void find_config(struct boot_disk *disk, struct firmware_path *way)
{
	struct boot_path *path = &way->path;
	const char *prefix = "", *config = NULL;
	uint64_t partition = path->place.partition;
	bool known = way->image.prefix && parse_prefix(way->image.prefix, partition, &partition, &prefix);
	if (known)
		config = arena_printf(disk->arena, "%s/grub.cfg", prefix);
	if (embedded_config(disk, way, partition, prefix)) {
		check_normal(disk, way);
		return;
	}
	if (known && !way->image.config.size) {
		take_only_config(disk, path, partition, config);
		check_normal(disk, way);
		return;
	}
	if (known && take_config(disk, path, partition, config))
		return;
	if (path->place.path &&
	    take_config(disk, path, path->place.partition,
	                arena_printf(disk->arena, "%s/grub.cfg", folder_of(disk, path->place.path))))
		return;
	switch (search_config(disk, path)) {
	case 0:
		lose_config(disk, path, ANSWER_UNKNOWN,
		            "no grub.cfg was found in any file system that can be read");
		break;
	case 1:
		guess_config(disk, path);
		break;
	default:
		lose_config(disk, path, ANSWER_UNKNOWN,
		            "more than one grub.cfg was found, and which one it reads is not known");
	}
}

static bool run_grub(struct boot_disk *disk, const struct firmware_path *way, struct boot *out,
                     struct error *error)
{
	const struct grub_disk interface = interface_of(disk);
	struct grub_start start = {
		.platform = way->platform,
		.cpu = way->cpu,
		.prefix = folder_of(disk, way->path.config),
		.config = way->path.config,
		.partition = way->path.config_partition,
		.cmd_partition = way->path.place.partition,
	};
	if (way->path.place.path)
		start.cmdpath = folder_of(disk, way->path.place.path);
	return grub_run(&interface, &start, disk->budget, disk->arena, out, error);
}

static bool same_file(const struct boot_file *a, const struct boot_file *b)
{
	return a->partition == b->partition && str_equal(a->path, b->path);
}

static bool same_default(const struct boot *a, const struct boot *b)
{
	if (a->default_known != ANSWER_YES || b->default_known != ANSWER_YES)
		return a->default_known == b->default_known;
	const struct boot_entry *x = &a->entries.items[a->default_index];
	const struct boot_entry *y = &b->entries.items[b->default_index];
	bool same = same_file(&x->kernel, &y->kernel) && str_equal(x->command_line, y->command_line) &&
	            x->initrds.count == y->initrds.count;
	for (size_t i = 0; same && i < x->initrds.count; i++)
		same = same_file(&x->initrds.items[i], &y->initrds.items[i]);
	return same;
}

/* Both kinds of firmware may lead to different kernels: which one is judged must be said. */
static void compare_ways(struct boot_disk *disk, const struct firmware_path *other, struct boot *out)
{
	struct boot second = { 0 };
	struct error error = { 0 };
	if (!run_grub(disk, other, &second, &error) || same_default(out, &second))
		return;
	*LIST_ADD(disk->arena, &out->problems) = (struct problem){
		.code = "boot-paths-differ",
		.message = arena_printf(disk->arena,
		                        "%s boots another default entry (%s) than the one that is judged",
		                        other->path.firmware, other->path.config),
		.place = { .partition = other->path.config_partition, .path = other->path.config },
	};
}

static bool read_menu(struct boot_disk *disk, struct firmware_path *ways, size_t count, struct boot *out,
                      struct error *error)
{
	const struct firmware_path *first = NULL;
	for (int pass = 0; pass < 2; pass++) {
		/* Ways that work come first; the menu of one that does not is still worth knowing. */
		for (size_t i = 0; i < count && !first; i++) {
			bool fit = pass == 1 || ways[i].path.works != ANSWER_NO;
			if (fit && ways[i].path.config)
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
	bool sound = run_grub(disk, first, out, error);
	for (size_t i = 0; i < count && sound; i++)
		if (&ways[i] != first && ways[i].path.config && ways[i].path.works != ANSWER_NO)
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
			.message =
				arena_printf(disk->arena,
			                     "the default entry loads %s, which does not exist in partition "
			                     "%" PRIu64,
			                     file->path, file->partition),
			.place = entry->place,
		};
	}
}

bool boot_find(const struct reader *reader, const struct partition_table *table,
               const struct fs_set *filesystems, struct budget *budget, struct arena *arena, struct boot *out,
               struct error *error)
{
	struct boot_disk disk = { reader, table, filesystems, budget, arena };
	struct firmware_path ways[2] = { 0 };
	*out = (struct boot){ 0 };
	if (!bios_find(&disk, &ways[0], error))
		return false;
	uefi_find(&disk, &ways[1]);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (str_equal(ways[i].path.loader, "grub") || str_equal(ways[i].path.loader, "shim"))
			find_config(&disk, &ways[i]);
		*LIST_ADD(arena, &out->paths) = ways[i].path;
	}
	bool sound = read_menu(&disk, ways, ARRAY_SIZE(ways), out, error);
	for (size_t i = 0; i < out->entries.count; i++)
		root_find(table, arena, &out->entries.items[i]);
	note_missing_files(&disk, out);
	return sound;
}
