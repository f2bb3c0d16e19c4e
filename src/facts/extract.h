// What is taken out of an input so that a machine can boot it: its disk, as the guest will see it, and the
// kernel and the initramfs of the entry that boots.
#pragma once

#include "facts/facts.h"

/* Empty files that are written, borrowed; -1: not wanted. */
struct extract_files {
	int disk;
	int kernel, initrd; /* both or none */
	uint64_t most;      /* bytes that may be written to each */
};

/* The code of the problem that says that there was no room, or that writing failed: no fault of the input. */
#define EXTRACT_NO_ROOM "extract-no-room"

/*
 * Like facts_gather(), for a disk or a kernel: fills kind, container, size and boot (paths are inside their
 * file systems), and the files. EXAMINED_FULL when all that was wanted is there, else `reason` says why not.
 */
void facts_extract(const struct input *input, const struct extract_files *files, struct arena *arena,
                   struct facts *facts);
