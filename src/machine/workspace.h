// The private directory of one run: the overlay, firmware variables, and nothing that outlives it.
#pragma once

#include "machine/machine.h"

/* Files are unlinked as soon as they are open, so that nothing is left whatever happens. */
struct workspace {
	int overlay;   /* qcow2, empty, of the disk's size; read and written */
	int ovmf_vars; /* a copy; -1: no UEFI */
	int spare;     /* a raw disk of 64 MiB of zeros */
	int empty;     /* the same, in the place of a disk, for a kernel by itself; -1: there is a disk */
};

/* In TMPDIR, else /var/tmp. ERROR_IO (no room, not writable) names the directory. */
NODISCARD bool workspace_make(const struct machine_request *request, struct workspace *out,
                              struct error *error);
void workspace_free(struct workspace *workspace);
