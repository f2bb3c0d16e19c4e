// Names of logical volumes, as the kernel's userland and GRUB give them.
#pragma once

#include "boot/boot.h"

/*
 * A physical volume whose logical volumes could not all be read: what is looked for may be in one of them.
 * NULL when there is none.
 */
const struct partition *volume_hiding_place(const struct partition_table *table);

/*
 * Is `name` one that only device-mapper's devices have ("/dev/mapper/rhel-root", "/dev/rhel/root",
 * "/dev/disk/by-id/dm-name-rhel-root", "/dev/dm-0")? Then *answer, *partition and *reason are as of
 * boot_resolve_device().
 */
bool volume_resolve_device(const char *name, const struct partition_table *table, struct arena *arena,
                           enum answer *answer, uint64_t *partition, const char **reason);

/* GRUB's name of a logical volume: "lvm/vg--slip-root" for "vg-slip/root". In the arena. */
const char *volume_grub_name(const struct partition *volume, struct arena *arena);

/* Which volume GRUB means by "lvm/rhel-root" or "lvmid/VGUUID/LVUUID"; `device` has one of these prefixes. */
enum answer volume_resolve_grub(const char *device, const struct partition_table *table, uint64_t *partition);
