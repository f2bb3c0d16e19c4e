// SUSE's GRUB and its paths on btrfs. GRUB begins at the top level subvolume; with btrfs_relative_path set,
// theirs begins at the default one, so that a snapshot is booted by making it that. Directories of it that
// are subvolumes outside (grub-install has one for its modules) are put in their place by btrfs-mount-subvol.
//
// Here a path is turned into one below the top level where GRUB is given it, and stays one from there on.
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "boot/grub_machine.h"

static const char *default_subvolume(const struct grub_disk *disk, uint64_t partition)
{
	const char *path = disk->default_subvolume ? disk->default_subvolume(disk->context, partition) : NULL;
	return path ? path : "";
}

const char *grub_btrfs_path(const struct grub_disk *disk, const struct grub_btrfs *btrfs, uint64_t partition,
                            const char *path, struct arena *arena)
{
	if (!btrfs->relative)
		return path;
	for (size_t i = btrfs->mounts.count; i > 0; i--) {
		const struct grub_btrfs_mount *mount = &btrfs->mounts.items[i - 1];
		const char *rest = mount->partition == partition ? path_below(path, mount->directory) : NULL;
		if (rest)
			return arena_printf(arena, "%s%s", mount->subvolume, rest);
	}
	return arena_printf(arena, "%s%s", default_subvolume(disk, partition), path);
}

const char *grub_btrfs_relative(const struct grub_disk *disk, const struct grub_btrfs *btrfs,
                                uint64_t partition, const char *path)
{
	const char *rest = btrfs->relative ? path_below(path, default_subvolume(disk, partition)) : NULL;
	return rest ? rest : path;
}

void grub_btrfs_observe(struct grub_machine *machine)
{
	const struct grub_value *value = grub_environment_get(&machine->environment, "btrfs_relative_path");
	machine->btrfs.relative = value && (value->text[0] == '1' || value->text[0] == 'y');
}

/* "@/boot/grub2" as "/@/boot/grub2". */
static const char *from_root(struct grub_machine *machine, const char *path)
{
	return path_plain(arena_printf(machine->arena, "/%s", path), machine->arena);
}

/* btrfs-mount-subvol (DEVICE) DIRECTORY SUBVOLUME */
void grub_do_btrfs_mount(struct grub_machine *machine, const struct grub_arguments *arguments,
                         const struct grub_node *node)
{
	(void)node;
	for (size_t i = 1; i < 4; i++)
		if (i >= arguments->list.count || arguments->list.items[i].unknown) {
			grub_finish(machine, false);
			return;
		}
	struct grub_path device =
		grub_resolve(machine, arena_printf(machine->arena, "%s/", arguments->list.items[1].text));
	if (device.known == ANSWER_YES)
		*LIST_ADD(machine->arena, &machine->btrfs.mounts) = (struct grub_btrfs_mount){
			.partition = device.partition,
			.directory = from_root(machine, arguments->list.items[2].text),
			.subvolume = from_root(machine, arguments->list.items[3].text),
		};
	grub_finish(machine, device.known == ANSWER_YES);
}
