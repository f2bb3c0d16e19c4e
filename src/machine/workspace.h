// What one run writes: the overlay, firmware variables, and nothing that outlives it.
#pragma once

#include "machine/machine.h"

/* Files without names, so that nothing is left whatever happens. */
struct workspace {
	int overlay;   /* qcow2, empty, of the disk's size; read and written */
	int ovmf_vars; /* a copy, read and written; -1: no UEFI */
	int spare;     /* a raw disk of 64 MiB of zeros, for reading alone */
	int empty;     /* the same, in the place of a disk, for a kernel by itself; -1: there is a disk */
};

/* Of the spare disk and of the empty one, bytes. */
#define WORKSPACE_DISK ((uint64_t)64 << 20)

/* What a guest writes while it boots, and some more: less room than that is none. Bytes. */
#define WORKSPACE_ROOM ((uint64_t)128 << 20)

/*
 * In TMPDIR, else /var/tmp. ERROR_IO (no room, not writable) names the directory and what to do;
 * ERROR_UNSUPPORTED: UEFI is asked for, and its firmware is not there.
 */
NODISCARD bool workspace_make(const struct machine_request *request, struct workspace *out,
                              struct error *error);
void workspace_free(struct workspace *workspace);
