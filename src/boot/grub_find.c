// GRUB's first configuration file: where its image says, beside it, or the only one on the disk.
#include <string.h>

#include "base/text.h"
#include "boot/firmware.h"
#include "boot/volume_names.h"

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
			if (boot_disk_look(disk, partition, config_paths[i], &kind) != ANSWER_YES ||
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

/*
 * "(,gpt3)/boot/grub", "(hd0,msdos1)/grub", "(lvm/rhel-root)/boot/grub2", or "/EFI/debian" (in the loader's
 * own partition).
 */
static bool parse_prefix(const struct boot_disk *disk, const char *prefix, uint64_t own, uint64_t *partition,
                         const char **path)
{
	*partition = own;
	*path = prefix;
	if (prefix[0] != '(')
		return prefix[0] == '/';
	const char *close = strchr(prefix, ')'), *comma = strchr(prefix, ',');
	if (!close || close[1] != '/')
		return false;
	*path = close + 1;
	if (str_starts(prefix, "(lvm/") || str_starts(prefix, "(lvmid/")) {
		struct span device = span_of(prefix + 1, (size_t)(close - prefix - 1));
		return volume_resolve_grub(arena_string(disk->arena, device), disk->table, partition) ==
		       ANSWER_YES;
	}
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

/* Where the commands built into GRUB's image lead. */
static bool embedded_config(struct boot_disk *disk, struct firmware_path *way, uint64_t partition,
                            const char *prefix)
{
	const struct grub_disk interface = boot_disk_interface(disk);
	struct grub_start start = { .platform = way->platform, .cpu = way->cpu, .prefix = prefix };
	struct grub_btrfs btrfs = { 0 };
	const char *config;
	start.partition = partition;
	start.cmd_partition = way->path.place.partition;
	if (way->path.place.path)
		start.cmdpath = boot_disk_folder(disk, way->path.place.path);
	if (!way->image.config.size ||
	    !grub_run_embedded(&interface, &start, way->image.config, disk->budget, disk->arena, &partition,
	                       &config, &btrfs) ||
	    !boot_disk_exists(disk, partition, config))
		return false;
	way->path.config = config;
	way->path.config_partition = partition;
	way->btrfs = btrfs;
	return true;
}

static bool take_config(struct boot_disk *disk, struct boot_path *path, uint64_t partition,
                        const char *config)
{
	if (!boot_disk_exists(disk, partition, config))
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
	const struct grub_disk interface = boot_disk_interface(disk);
	const char *prefix = grub_btrfs_relative(&interface, &way->btrfs, path->config_partition,
	                                         boot_disk_folder(disk, path->config));
	const char *module = grub_btrfs_path(
		&interface, &way->btrfs, path->config_partition,
		arena_printf(disk->arena, "%s/%s-%s/normal.mod", prefix, way->cpu, way->platform),
		disk->arena);
	if (boot_disk_look(disk, path->config_partition, module, &kind) != ANSWER_YES ||
	    kind == GRUB_FILE_REGULAR)
		return;
	path->works = ANSWER_NO;
	path->reason = arena_printf(disk->arena,
	                            "%s; it needs %s in %s, which does not exist, and stops at "
	                            "\"grub rescue>\": run grub-install",
	                            path->reason, module,
	                            volume_phrase(disk->table, path->config_partition, disk->arena));
}

/* The only configuration of the disk is likely what GRUB reads, but nothing shows that it finds it. */
static void guess_config(struct boot_disk *disk, struct boot_path *path)
{
	if (path->works == ANSWER_NO)
		return;
	path->works = ANSWER_UNKNOWN;
	path->reason = arena_printf(disk->arena,
	                            "%s; whether it finds %s in %s, the only configuration on the disk, is "
	                            "not known",
	                            path->reason, path->config,
	                            volume_phrase(disk->table, path->config_partition, disk->arena));
}

/* The image knows one path alone: what is there decides. */
static void take_only_config(struct boot_disk *disk, struct boot_path *path, uint64_t partition,
                             const char *config)
{
	enum grub_file_kind kind;
	if (take_config(disk, path, partition, config))
		return;
	bool readable = boot_disk_look(disk, partition, config, &kind) == ANSWER_YES;
	lose_config(disk, path, readable ? ANSWER_NO : ANSWER_UNKNOWN,
	            arena_printf(disk->arena,
	                         readable ? "it reads %s in %s, which does not exist"
	                                  : "it reads %s in %s, whose file system cannot be read",
	                         config, volume_phrase(disk->table, partition, disk->arena)));
}

void grub_find_config(struct boot_disk *disk, struct firmware_path *way)
{
	struct boot_path *path = &way->path;
	const char *prefix = "", *config = NULL;
	uint64_t partition = path->place.partition;
	bool known =
		way->image.prefix && parse_prefix(disk, way->image.prefix, partition, &partition, &prefix);
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
	                arena_printf(disk->arena, "%s/grub.cfg", boot_disk_folder(disk, path->place.path))))
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

bool grub_read_menu(struct boot_disk *disk, const struct firmware_path *way, struct boot *out,
                    struct error *error)
{
	const struct grub_disk interface = boot_disk_interface(disk);
	struct grub_start start = {
		.platform = way->platform,
		.cpu = way->cpu,
		.prefix = boot_disk_folder(disk, way->path.config),
		.config = way->path.config,
		.partition = way->path.config_partition,
		.cmd_partition = way->path.place.partition,
		.btrfs = way->btrfs,
		.blscfg = way->image.blscfg,
		.bls_on_esp = way->image.bls_on_esp,
	};
	if (way->path.place.path)
		start.cmdpath = boot_disk_folder(disk, way->path.place.path);
	return grub_run(&interface, &start, disk->budget, disk->arena, out, error);
}
