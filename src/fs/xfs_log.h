// The log of XFS: was it left clean?
#pragma once

#include "fs/xfs_super.h"

/* Adds the problem "xfs-log-not-clean" where it is sure that the kernel would replay the log. */
void xfs_log_note(struct filesystem *fs, const struct xfs_super *super);
