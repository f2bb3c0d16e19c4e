// Inodes of XFS, decoded.
#pragma once

#include "fs/xfs_metadata.h"

/* How the data fork keeps what the inode is about. */
enum xfs_format {
	XFS_DEVICE,
	XFS_LOCAL,   /* the bytes themselves */
	XFS_EXTENTS, /* a list of extents */
	XFS_BTREE,   /* the root of a tree of them */
};

struct xfs_inode {
	uint64_t number;
	enum node_type type;
	uint32_t mode; /* 07777 */
	uint32_t uid, gid;
	uint64_t size;
	int64_t modified;
	enum xfs_format format;
	uint64_t extents;
	bool realtime; /* its blocks lie on the real-time device */
	size_t fork_offset, fork_size;
	uint8_t bytes[XFS_INODE_SIZE_MAX];
};

/* ERROR_CORRUPT also for one that is not in use. */
NODISCARD bool xfs_inode_read(const struct filesystem *fs, uint64_t number, struct xfs_inode *out,
                              struct error *error);

/* The data fork, inside inode->bytes. */
struct span xfs_inode_fork(const struct xfs_inode *inode);
