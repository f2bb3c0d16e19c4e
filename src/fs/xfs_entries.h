// The blocks of an XFS directory and the entries in them, for its list and for its index.
#pragma once

#include "fs/xfs_inode.h"

/* A directory's blocks lie in three parts of its address space, this many bytes each: entries, index, free
 * space. */
#define XFS_DIRECTORY_PART (UINT64_C(1) << 35)

struct xfs_entry {
	uint64_t inode;
	struct span name;
};

/* Return false to stop. */
typedef bool xfs_entry_fn(void *context, const struct xfs_entry *entry);

/* What is being looked into: an open directory and a buffer of one directory block. */
struct xfs_directory {
	const struct filesystem *fs;
	const struct xfs_inode *inode;
	uint8_t *buffer;   /* owned */
	struct span block; /* what was read last: it lies in the buffer */
	uint64_t offset;   /* where it lies on the device */
};

void xfs_directory_open(struct xfs_directory *directory, const struct filesystem *fs,
                        const struct xfs_inode *inode);
void xfs_directory_close(struct xfs_directory *directory);

/* ERROR_CORRUPT about the directory. */
bool xfs_directory_fail(const struct xfs_directory *directory, const char *why, struct error *error);

/* Reads the directory block that starts with block `logical` of the inode. */
NODISCARD bool xfs_directory_read(struct xfs_directory *directory, uint64_t logical, struct error *error);

/*
 * The same for a block of entries, checked. *index is what a directory of a single block keeps in it of the
 * index: pairs of hash and address; empty in other directories.
 */
NODISCARD bool xfs_directory_read_entries(struct xfs_directory *directory, uint64_t logical,
                                          struct span *entries, struct span *index, struct error *error);

/* One entry at `at` of what xfs_directory_read_entries() gave; an unused stretch has an empty name. */
NODISCARD bool xfs_entry_decode(const struct xfs_directory *directory, struct span entries, size_t at,
                                struct xfs_entry *out, size_t *length);

/* Where the entries of a block start. */
size_t xfs_entries_start(const struct filesystem *fs);

/* All entries, "." and ".." where they are kept; stops when `each` returns false. */
NODISCARD bool xfs_entries_scan(struct xfs_directory *directory, xfs_entry_fn *each, void *context,
                                struct error *error);
