// The bytes of a disk, whatever it is wrapped in. One container format is one file and one row.
#pragma once

#include "base/budget.h"
#include "base/reader.h"
#include "disk/input.h"

struct disk {
	const char *container;    /* "raw", ... : the name of the format in reports */
	struct reader reader;     /* the guest-visible disk: what the firmware would see */
	uint64_t bytes_read;      /* bytes asked of the input so far; holes of a sparse file cost nothing */
	struct disk_state *state; /* owned */
};

/*
 * Opens the disk behind an input, which the caller keeps and closes after disk_close(). Detects the container
 * by content. What must be unpacked costs `budget`; messages and names live in `arena`.
 */
NODISCARD bool disk_open(const struct input *input, struct budget *budget, struct arena *arena,
                         struct disk **out, struct error *error);
/* The same for the bytes of a file as they are, whatever they hold: no disk, but a file to look into. */
NODISCARD bool disk_open_bytes(const struct input *input, struct disk **out, struct error *error);
void disk_close(struct disk *disk);
