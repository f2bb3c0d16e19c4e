// How a disk was packed: the compression around it, and the tar archive that it is a member of.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* Of an archive's members so many are told; all are counted. */
#define PACKING_MEMBERS_TOLD 16

struct packed_member {
	const char *name;   /* as stored; NULL: there is none */
	const char *type;   /* "file", "directory", "symbolic link", ... */
	const char *format; /* as its header's fields say: "v7", "ustar", "pax", "gnu" */
	bool sparse;        /* packed without its holes */
	uint64_t size;      /* unpacked, bytes */
	uint64_t header;    /* offset of its header in the archive */
};

struct packing {
	const char *file_name;   /* the input's, without its folders; NULL: it has none */
	const char *compression; /* "gzip", "xz", ...; NULL: none */
	uint64_t streams;        /* compressed pieces, one behind the other: one as a rule */
	uint64_t garbage;        /* offset of what follows them and is none; 0: nothing does */
	uint64_t unpacked_size;  /* bytes; 0 where nothing had to be unpacked */
	bool is_tar;
	uint64_t member_count;
	LIST(struct packed_member) members; /* the first ones */
	struct packed_member disk;          /* the one that is the disk */
};
