// The bytes of a disk, whatever it is wrapped in. One container format is one file and one row.
#pragma once

#include "base/budget.h"
#include "base/place.h"
#include "base/reader.h"
#include "disk/input.h"
#include "disk/packing.h"
#include "disk/tar.h"

/* Containers that a server reads for us, once our own reading of their header has found nothing against it.
 */
enum served {
	SERVED_NOT,
	SERVED_QED,
	SERVED_VMDK,
	SERVED_VHDX,
	SERVED_VHD,
	SERVED_VDI,
	SERVED_PARALLELS,
};

struct disk {
	const char *container;  /* "raw", "tar.gz", ... : the name of the format in reports */
	enum served served;     /* not SERVED_NOT: the reader is of the file; the disk in it needs a server */
	struct reader reader;   /* the guest-visible disk: what the firmware would see */
	uint64_t bytes_read;    /* bytes asked of the input so far; holes of a sparse file cost nothing */
	char failure[480];      /* the first read that failed, as a sentence; empty: none did */
	struct problem problem; /* what stands against the container; reads may come upon more; code NULL */
	struct packing packing; /* what was around the disk */
	/* Of an input that is a tar archive, in the arena. Without a disk in it, packing.disk.name is NULL
	 * and `reader` is of the archive. */
	const struct tar_archive *archive;
	struct disk_state *state; /* owned */
};

/*
 * Opens the disk behind an input, which the caller keeps and closes after disk_close(). Detects the container
 * by content. What is packed is unpacked to the input's scratch file, and
 * costs `budget`; names live in `arena`.
 */
NODISCARD bool disk_open(const struct input *input, struct budget *budget, struct arena *arena,
                         struct disk **out, struct error *error);
/* The same for the bytes of a file as they are, whatever they hold: no disk, but a file to look into. */
NODISCARD bool disk_open_bytes(const struct input *input, struct disk **out, struct error *error);
void disk_close(struct disk *disk);
