// Directories of XFS: the names inside the inode, in one block, or in blocks with an index of hashes behind
// them.
#pragma once

#include "fs/xfs_inode.h"

/* Calls `each` for every name but "." and "..". */
NODISCARD bool xfs_directory_list(const struct filesystem *fs, const struct xfs_inode *directory,
                                  fs_list_fn *each, void *context, struct error *error);

/* The inode that a name stands for; *found is 0 when the directory does not have it. */
NODISCARD bool xfs_directory_find(const struct filesystem *fs, const struct xfs_inode *directory,
                                  const char *name, uint64_t *found, struct error *error);
