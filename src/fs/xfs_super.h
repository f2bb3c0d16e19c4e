// The superblock of XFS: what kind it is, whether the kernel would take it, and where its parts lie.
#pragma once

#include "fs/fs.h"

#define XFS_SUPER_SIZE      512 /* all fields that are read; the checksum covers the whole sector */
#define XFS_BLOCK_SIZE_MAX  65536
#define XFS_INODE_SIZE_MAX  2048
#define XFS_SECTOR_SIZE_MAX 32768

struct xfs_super {
	unsigned version; /* 4 or 5; below that nothing but this is decoded */
	uint64_t blocks;
	uint32_t block_size;
	uint32_t ag_blocks,
		ag_count;   /* an allocation group's size in blocks (the last may be shorter); how many */
	uint64_t root;      /* inode number */
	uint64_t log_start; /* file system block; 0: the log is on another device */
	uint32_t log_blocks;
	uint32_t sector_size, inode_size;
	uint32_t directory_blocks; /* blocks of one directory block: a power of two */
	unsigned block_log, inode_log, ag_block_log, inodes_per_block_log;
	uint32_t incompat;
	bool file_types;       /* directory entries say what they name */
	bool case_insensitive; /* -n version=ci */
	bool in_progress;      /* mkfs.xfs did not finish */
	uint8_t uuid[16];      /* as blkid prints it; what the log carries */
	uint8_t meta_uuid[16]; /* what the metadata blocks of version 5 carry */
};

/* False when there is no magic number or the numbers contradict each other. */
bool xfs_super_decode(struct span bytes, struct xfs_super *out);

/* Does the checksum of its sector hold? True for version 4, which has none. */
bool xfs_super_checksum_matches(const struct reader *reader, const struct xfs_super *super);

/* ERROR_UNSUPPORTED, naming what it is, when the files cannot be read. */
NODISCARD bool xfs_super_supported(const struct xfs_super *super, struct error *error);

/* Where a run of blocks starts, in bytes; false when it does not lie inside one allocation group. */
NODISCARD bool xfs_block_offset(const struct xfs_super *super, uint64_t block, uint64_t count, uint64_t *out);

/* Where an inode starts, in bytes; false when there can be no inode of that number. */
NODISCARD bool xfs_inode_offset(const struct xfs_super *super, uint64_t number, uint64_t *out);

/* The CRC32c of version 5, over all bytes but the four at `offset`, where it is kept. */
bool xfs_checksum_matches(struct span bytes, size_t offset);

/* The identify functions of xfs_driver and xfs_damaged_driver. */
bool xfs_identify(struct filesystem *fs);
bool xfs_identify_damaged(struct filesystem *fs);
