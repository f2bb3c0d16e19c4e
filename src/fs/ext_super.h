// The superblock of ext2, ext3 and ext4: what kind it is, and whether the kernel would take it.
#pragma once

#include "fs/fs.h"

#define EXT_SUPER_OFFSET 1024
#define EXT_SUPER_SIZE   1024

struct ext_super {
	uint64_t blocks;
	uint32_t block_size;
	uint32_t first_data_block;
	uint32_t blocks_per_group;
	uint32_t inodes_per_group;
	uint32_t descriptor_size; /* bytes of one group descriptor */
	uint32_t compat, incompat, ro_compat;
	uint16_t state;
	uint16_t group; /* the block group that this copy belongs to; 0: the primary */
	bool checksum_wrong;
};

/* False when there is no magic number or the numbers contradict each other; a wrong checksum is noted. */
bool ext_super_decode(struct span bytes, struct ext_super *out);

/* "ext2", "ext3", "ext4" or "jbd" (an external journal), as blkid tells them apart. */
const char *ext_super_type(const struct ext_super *super);

/* How many block groups; 0 when that is no sound number. */
uint64_t ext_super_groups(const struct ext_super *super);

/* The identify functions of ext_driver and ext_damaged_driver. */
bool ext_identify(struct filesystem *fs);
bool ext_identify_damaged(struct filesystem *fs);
