// The bytes of a disk, whatever it is wrapped in. One container format is one file and one row.
#pragma once

#include "base/budget.h"
#include "base/reader.h"

struct disk {
	const char *container;    /* "raw", ... : the name of the format in reports */
	struct reader reader;     /* the guest-visible disk: what the firmware would see */
	uint64_t bytes_read;      /* bytes asked of the input so far; holes of a sparse file cost nothing */
	struct disk_state *state; /* owned */
};

/*
 * Opens the disk behind a descriptor that the caller keeps and closes after disk_close(): a regular
 * file or a block device, opened for reading. `name` is the input's name, for messages and for formats
 * that are told by their ending. Detects the container by content.
 */
NODISCARD bool disk_open(int descriptor, const char *name, struct disk **out, struct error *error);
void disk_close(struct disk *disk);
