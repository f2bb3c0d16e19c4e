// What an open XFS holds, and its metadata read through a cache, with the checks that version 5 makes
// possible.
#pragma once

#include "fs/block_cache.h"
#include "fs/name_cache.h"
#include "fs/xfs_super.h"

/* Consecutive blocks of a file; `offset` 0 is a hole or not written yet: zeros. */
struct xfs_run {
	uint64_t logical, count; /* in blocks */
	uint64_t offset;         /* in bytes */
};

struct xfs {
	struct xfs_super super;
	struct block_cache cache;
	struct name_cache names;
	/* The run that was read last: files are read from front to back in pieces. */
	uint64_t run_inode;
	struct xfs_run run;
};

/* Where the header of a kind of block keeps what version 5 has in every one. */
struct xfs_header {
	const char *what;
	size_t checksum, block, uuid, owner;
};

static inline struct xfs *xfs_of(const struct filesystem *fs)
{
	return fs->state;
}

static inline bool xfs_is_v5(const struct filesystem *fs)
{
	return xfs_of(fs)->super.version == 5;
}

/* Reads metadata; costs steps of the budget by its length. */
NODISCARD bool xfs_read_metadata(const struct filesystem *fs, uint64_t offset, void *buffer, size_t length,
                                 struct error *error);

/*
 * Is this the block that was meant? Its checksum, and that it says to lie at `offset` and to belong to inode
 * `owner`. ERROR_CORRUPT otherwise; version 4 has nothing to check.
 */
NODISCARD bool xfs_check_block(const struct filesystem *fs, const struct xfs_header *header,
                               struct span block, uint64_t offset, uint64_t owner, struct error *error);
