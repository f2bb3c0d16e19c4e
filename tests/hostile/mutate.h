// Private to tests/hostile: an image that is damaged again and again, and everything that reads it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIECE 512 /* bytes; where damage is aimed */

struct range {
	uint64_t offset, length; /* bytes of the image */
};

struct ranges {
	struct range *items;
	size_t count, capacity;
};

/* The image under test, in a file in memory; what is no data in it is a hole. */
struct image {
	int file;
	uint64_t size;
	struct ranges data;     /* pieces that hold more than zeros */
	struct ranges metadata; /* pieces that naming all of its files reads; empty: unknown */
};

void ranges_add(struct ranges *ranges, uint64_t offset, uint64_t length);
/* Behind the end there are zeros. */
void image_read(const struct image *image, uint64_t offset, void *buffer, size_t length);
void image_write(const struct image *image, uint64_t offset, const void *buffer, size_t length);

/* signed.c: what of an image a checksum covers. */

enum sum {
	SUM_CRC32C,     /* xfs, VHDX: with zeros in place of the sum, little-endian */
	SUM_CRC32,      /* GPT: the same with the other polynomial */
	SUM_LVM,        /* CRC-32 without inversion, from LVM's own start */
	SUM_COMPLEMENT, /* VHD: of all bytes but those of the sum, big-endian */
	SUM_TAR,        /* of all bytes, with blanks in place of the sum, octal */
};

struct signed_area {
	struct range covers;
	uint64_t at; /* of the sum; may lie inside what it covers */
	enum sum sum;
};

struct signed_areas {
	struct signed_area *items;
	size_t count;
};

/* Finds the checksums of xfs, btrfs, GPT, LVM, VHD, VHDX and tar in a sound image. */
void signed_find(const struct image *image, struct signed_areas *out);
/* Makes right every sum over something that changed; adds the sums to `changed`. */
void signed_mend(const struct image *image, const struct signed_areas *areas, struct ranges *changed);

/* explore.c: every reader there is, with the allowances of the worker. */

struct explored {
	bool opened;    /* something was recognised and could be opened */
	unsigned files; /* found in it */
};

/* With `traced` NULL everything; else only names are read, and the pieces read for them added to it. */
void explore(const struct image *image, struct ranges *traced, struct explored *out);
