// The index of a tar archive, from its headers alone: what was packed is not read. All that GNU tar writes is
// understood (--format=v7, ustar, gnu, oldgnu and posix, with and without -S), and what others write of it.
#pragma once

#include "base/budget.h"
#include "base/reader.h"

#define TAR_BLOCK ((size_t)512)

/* Types of members, as in the header. Regular files and what POSIX has read as such are TAR_FILE. */
#define TAR_FILE      '0'
#define TAR_HARD_LINK '1'
#define TAR_SYMLINK   '2'
#define TAR_CHARACTER '3'
#define TAR_BLOCK_DEV '4'
#define TAR_DIRECTORY '5'
#define TAR_FIFO      '6'
/* GNU's: the rest of a file whose beginning is on another volume; of no use alone. */
#define TAR_CONTINUED 'M'

/* A run of data in a sparse member; between them it is zeros. */
struct tar_extent {
	uint64_t logical; /* in the member, bytes */
	uint64_t offset;  /* in the archive */
	uint64_t length;  /* not 0 */
};

struct tar_member {
	const char *name;   /* as stored: may begin with "./" or "/", a directory's ends in '/' mostly */
	const char *link;   /* the target of a link; NULL for what is none */
	const char *format; /* of its header fields: "v7", "ustar", "pax", "gnu" (oldgnu has the same ones) */
	uint64_t header;    /* offset of its first header, an extended one included */
	uint64_t data;      /* offset of what is stored of it */
	uint64_t stored;    /* bytes there */
	uint64_t size;      /* bytes of the file itself; 0 for what is no file */
	int64_t mtime;      /* seconds */
	uint32_t mode, uid, gid;
	uint32_t first_extent, extent_count; /* in the archive's list, where it is sparse */
	char type;                           /* TAR_... */
	bool sparse;
};

struct tar_archive {
	struct reader in;                /* its state is borrowed */
	LIST(struct tar_member) members; /* in the archive's order: a later one of the same name wins */
	LIST(struct tar_extent) extents; /* of the sparse ones, in ascending order each */
	uint64_t end;                    /* offset behind the last member */
	bool has_end;                    /* zeros follow there: two blocks, or one at the very end */
	const char *damage;              /* why it was not read to its end: one sentence; NULL: it was */
	bool is_cut;                     /* the damage is that it ends before what it promises */
};

/* Is this block the header of a member? Its checksum says so, in all formats; `magic`: or the name "ustar".
 */
bool tar_is_header(struct span block);
bool tar_has_magic(struct span block);

/*
 * Indexes the archive that `in` begins with, up to its end mark or the end of the reader. Costs a step for
 * each header. Names live in `arena`. False with ERROR_CORRUPT, ERROR_TRUNCATED or ERROR_LIMIT, and the
 * offset in the message, where it does not go on; what came before stands in *out all the same, with a member
 * whose content is cut.
 */
NODISCARD bool tar_read(const struct reader *in, struct budget *budget, struct arena *arena,
                        struct tar_archive *out, struct error *error);

/* Reads exactly `length` bytes of a member, holes as zeros; ERROR_TRUNCATED behind its end or the archive's.
 */
NODISCARD bool tar_member_read(const struct tar_archive *archive, const struct tar_member *member,
                               uint64_t offset, void *buffer, size_t length, struct error *error);

/* A member's content as a reader, for as long as the archive stays where it is. */
struct reader tar_member_reader(const struct tar_archive *archive, const struct tar_member *member,
                                struct arena *arena);

/* The name without "./" and "/" in front. */
const char *tar_plain_name(const char *name);
