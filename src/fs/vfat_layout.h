// Where the parts of a FAT file system lie: its boot sector, decoded and checked.
#pragma once

#include "fs/fs.h"

#define VFAT_BOOT_SIZE 512

struct vfat_layout {
	unsigned bits; /* of an entry of the FAT: 12, 16 or 32 */
	uint32_t sector_size, cluster_size;
	uint64_t size; /* bytes of the whole file system */
	uint64_t fat_offset, fat_size;
	uint64_t root_offset; /* FAT12 and FAT16 keep their root directory outside the clusters */
	uint32_t root_size;   /* bytes; 0: FAT32 */
	uint32_t root_cluster;
	uint64_t data_offset;
	uint32_t clusters; /* numbered from 2 */
};

/* False when it is no sound boot sector of FAT. */
bool vfat_decode(struct span boot, struct vfat_layout *out);

static inline bool vfat_cluster_valid(const struct vfat_layout *layout, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < layout->clusters;
}
