// Private to disk/: what a container format has to offer.
#pragma once

#include <sys/types.h>

#include "disk/disk.h"

/* Every magic in the table lies in the first or the last sector. */
#define CONTAINER_HEAD 512

struct disk_state {
	const struct input *input; /* borrowed, as are the two below, while the disk is opened */
	struct budget *budget;
	struct arena *arena;
	uint8_t head[CONTAINER_HEAD]; /* the input's first bytes */
	size_t head_size;
	int descriptor; /* borrowed: the input, or what was unpacked of it */
	uint64_t size;  /* of what it reads, bytes */
	bool is_scratch;
	bool may_have_holes;
	/* The extent found last: all of it is data, or all of it is a hole. */
	uint64_t extent_start, extent_end;
	bool extent_is_hole;
	struct nbd *nbd; /* owned: of a disk behind a server; NULL */
};

/* Sets disk->reader (and disk->state, as far as the format needs more); the row's name is set by the caller.
 */
typedef bool container_open_fn(struct disk *disk, struct error *error);

/* disk.c: remembers the first read that failed, whatever the one who read makes of it; always false. */
bool disk_read_failed(struct disk *disk, const struct error *error);

/* raw.c: the bytes of the input are the bytes of the disk. */
bool raw_open(struct disk *disk, struct error *error);

/* archived.c: the disk among the members of the tar archive that disk->reader holds; disk->archive has them.
 */
bool tar_open(struct disk *disk, struct error *error);

/* nbd.c: the disk behind input->descriptor, a connected NBD socket that blocks. */
bool nbd_open(const struct input *input, struct disk *disk, struct error *error);
void nbd_close_disk(struct nbd *nbd);

/*
 * Those of one format each: they read the header as the bytes of a file, and refuse what is damaged, what
 * cannot be read, and what names another file. A sound qcow2 image is read here; any other sets disk->served.
 */
bool qcow2_open(struct disk *disk, struct error *error);
bool qed_open(struct disk *disk, struct error *error);
bool vmdk_open(struct disk *disk, struct error *error);
bool vmdk_descriptor_open(struct disk *disk, struct error *error);
bool vhdx_open(struct disk *disk, struct error *error);
bool vhd_open(struct disk *disk, struct error *error);
bool vhd_fixed_open(struct disk *disk, struct error *error);
bool vdi_open(struct disk *disk, struct error *error);
bool parallels_open(struct disk *disk, struct error *error);

/*
 * header.c: what those share. Messages begin with "this FORMAT image". header_read() fills bytes[length] from
 * `offset` and gives them as a span; header_inside() wants `length` bytes at `offset`, called `what`, to lie
 * in the file.
 */
NODISCARD bool header_read(const struct disk *disk, uint64_t offset, void *bytes, size_t length,
                           struct span *out, struct error *error);
NODISCARD bool header_inside(const struct disk *disk, const char *what, uint64_t offset, uint64_t length,
                             struct error *error);

/* error_set() with "this FORMAT image is damaged: " in front; always false. */
bool header_damaged(const struct disk *disk, struct error *error, const char *format, ...) PRINTF(3, 4);

/* The disk in the container, as the header has it: not empty, and not larger than any disk is. */
NODISCARD bool header_size(const struct disk *disk, uint64_t size, struct error *error);

/* A name out of a header as a C string for a message, cut at what a sentence can bear. */
#define HEADER_NAME_MAX 120
void header_name(struct span name, char out[HEADER_NAME_MAX + 4]);
