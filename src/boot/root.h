// The root file system of a boot entry.
#pragma once

#include "boot/boot.h"

/* Fills root, root_found, root_partition and root_reason from the entry's command line. */
void root_find(const struct partition_table *table, struct arena *arena, struct boot_entry *entry);
