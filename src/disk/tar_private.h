// Private to disk/tar*.c: the walk over an archive's headers.
#pragma once

#include <inttypes.h>

#include "base/text.h"
#include "disk/tar.h"

/* More than any root file system has; 1 Mi extents are a terabyte of one data run per MiB. */
#define TAR_MEMBERS_MOST ((size_t)512 << 10)
#define TAR_EXTENTS_MOST ((size_t)1 << 20)
/* One extended header: a sparse map of format 0.0 takes some 50 bytes an extent. */
#define TAR_EXTENDED_MOST ((uint64_t)32 << 20)

/*
 * The header block, POSIX.1-1988 (ustar) and GNU tar's manual, "Basic Tar Format":
 *
 *   0 name[100]  100 mode[8]  108 uid[8]  116 gid[8]  124 size[12]  136 mtime[12]  148 checksum[8]  156 type
 *   157 linkname[100]  257 magic[6]  263 version[2]  265 uname[32]  297 gname[32]  329 devmajor[8]
 *   337 devminor[8]  345 prefix[155]
 *
 * v7 ends behind linkname. GNU has "ustar  \0" as magic and version and no prefix, but from 345:
 *
 *   345 atime[12]  357 ctime[12]  369 offset[12]  381 longnames[4]  386 sparse[4] of { offset[12], length[12]
 * } 482 isextended  483 realsize[12]
 *
 * and, while isextended is not 0, blocks behind it of { sparse[21], 504 isextended }.
 */
#define TAR_NAME        0
#define TAR_MODE        100
#define TAR_UID         108
#define TAR_GID         116
#define TAR_SIZE        124
#define TAR_MTIME       136
#define TAR_CHECKSUM    148
#define TAR_TYPE        156
#define TAR_LINK        157
#define TAR_MAGIC       257
#define TAR_PREFIX      345
#define TAR_NAME_LENGTH 100

/* What extended headers say in place of the header's own fields; strings in the arena. */
struct tar_overrides {
	const char *path, *link; /* NULL: not given */
	struct {
		bool given;
		uint64_t value;
	} size, uid, gid, sparse_major, sparse_minor, sparse_size;
	struct {
		bool given;
		int64_t value;
	} mtime;
	const char *sparse_name;
	bool has_map;        /* formats 0.0 and 0.1: the map is in the extended header */
	uint64_t map_offset; /* 0.0: the offset whose length comes next */
	size_t map_count; /* extents of it, the last ones in the archive's list; offsets are not yet known */
};

struct tar_walk {
	const struct reader *in;
	struct budget *budget;
	struct arena *arena;
	struct tar_archive *out;
	uint64_t offset; /* of the next header */
	uint64_t first;  /* of the first header of the member to come */
	struct tar_overrides global, local;
	bool has_global, has_local;
	uint64_t window_at; /* what was read last: headers of small members lie close together */
	size_t window_size;
	uint8_t window[4096];
};

/* "the tar header at offset N " + what; a macro as error_set() is. */
#define tar_error(error, offset, what)                                                                       \
	error_set((error), ERROR_CORRUPT, "the tar header at offset %" PRIu64 " %s", (offset), (what))

/* tar_header.c */
NODISCARD bool tar_number(struct span header, size_t offset, size_t length, int64_t *out);
const char *tar_format(struct span header);

/* tar.c: the block at `offset`, valid until the next call; ERROR_TRUNCATED behind the end. */
NODISCARD bool tar_block(struct tar_walk *walk, uint64_t offset, struct span *out, struct error *error);

/* tar_pax.c: an extended header's records, on top of what `into` has. */
NODISCARD bool tar_pax_parse(struct tar_walk *walk, struct span records, struct tar_overrides *into,
                             struct error *error);

/* tar_sparse.c: fills the member's extents and size; moves its data behind the map. */
NODISCARD bool tar_sparse_add(struct tar_walk *walk, uint64_t logical, uint64_t length, struct error *error);
NODISCARD bool tar_sparse_gnu(struct tar_walk *walk, struct span header, struct tar_member *member,
                              struct error *error);
NODISCARD bool tar_sparse_pax(struct tar_walk *walk, const struct tar_overrides *overrides,
                              struct tar_member *member, struct error *error);
