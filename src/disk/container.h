// Private to disk/: what a container format has to offer.
#pragma once

#include <sys/types.h>

#include "disk/disk.h"

struct disk_state {
	int descriptor; /* borrowed */
	uint64_t size;  /* of the input, bytes */
	bool may_have_holes;
	/* The extent found last: all of it is data, or all of it is a hole. */
	uint64_t extent_start, extent_end;
	bool extent_is_hole;
};

/* Sets disk->reader (and disk->state, as far as the format needs more); the row's name is set by the caller.
 */
typedef bool container_open_fn(struct disk *disk, struct error *error);

/* raw.c: the bytes of the input are the bytes of the disk. */
bool raw_open(struct disk *disk, struct error *error);
