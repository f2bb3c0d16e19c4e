// What every driver of this floor needs to recognise its format.
#pragma once

#include "fs/fs.h"

/* What is recognised by a magic number and not read (signatures.c). */
extern const struct fs_driver container_driver;
extern const struct fs_driver signature_driver;

extern const struct fs_driver ext_driver;
extern const struct fs_driver ext_damaged_driver;
extern const struct fs_driver xfs_driver;
extern const struct fs_driver xfs_damaged_driver;
extern const struct fs_driver erofs_driver;
extern const struct fs_driver squashfs_driver;
extern const struct fs_driver vfat_driver;
extern const struct fs_driver btrfs_driver;
extern const struct fs_driver btrfs_damaged_driver;

/* Reads fs->reader; false, and no message, where the bytes cannot be read. */
NODISCARD bool fs_peek(const struct filesystem *fs, uint64_t offset, void *buffer, size_t length);

/* The usual notation of a UUID, lower case; NULL when all its bytes are zero or it lies outside the span. */
const char *fs_uuid(struct arena *arena, struct span span, size_t offset);

/* A label up to its first NUL, without white space at its ends; NULL when nothing is left. */
const char *fs_label(struct arena *arena, struct span span, size_t offset, size_t length);

/* Records that something at `offset` of the file system is wrong. */
void fs_problem(struct filesystem *fs, const char *code, uint64_t offset, const char *format, ...)
	PRINTF(4, 5);
