// The root file system of a boot entry.
#pragma once

#include "boot/boot.h"

/* Fills root, root_found, root_partition and root_reason from the entry's command line. */
void root_find(const struct partition_table *table, struct arena *arena, struct boot_entry *entry);

/* Does the file system that was found have the subvolume that the command line asks for? Else it is not
 * found. */
void root_check_mount(const struct filesystem *fs, struct arena *arena, struct boot_entry *entry);
