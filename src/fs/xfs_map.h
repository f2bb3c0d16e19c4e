// Where the blocks of an inode lie: its list of extents, or the B+tree that holds a long one.
#pragma once

#include "fs/xfs_inode.h"

/* The run that block `logical` belongs to, from that block on; a hole behind the last extent has no end. */
NODISCARD bool xfs_map(const struct filesystem *fs, const struct xfs_inode *inode, uint64_t logical,
                       struct xfs_run *out, struct error *error);
