// From an input to what a machine can boot: a raw disk, or a kernel with its initramfs, as files of our own.
//
// The parent reads no image: a worker unpacks, copies and looks up, and writes into the files that it was
// given.
#pragma once

#include "cmd/examine.h"

struct bootable {
	int disk;           /* raw, open for reading alone: the input itself, or a copy with holes; -1 */
	uint64_t disk_size; /* bytes */
	int kernel,
		initrd; /* of the default entry, files without a name; -1: not asked for, or there is none */
	const char *command_line; /* of the default entry; NULL */
};

/*
 * Is it anything that a machine boots? Looks at nothing but the facts; bootable_open() asks it as well.
 * False: *error says why not, and what to do.
 */
NODISCARD bool bootable_check(const struct facts *facts, bool direct, struct error *error);

/*
 * `examined` is what examine() found of the input `name`, which must be the same file still. With `direct`
 * the kernel and the initrds of the entry that boots (of a UKI its sections) are had as well. False: *error
 * says what, and what to do; its code is ERROR_IO for a failure of the moment (no room).
 */
NODISCARD bool bootable_open(const char *name, const struct examination *examined, bool direct,
                             struct arena *arena, struct bootable *out, struct error *error);
void bootable_close(struct bootable *bootable);

/* The guest's own view (machine/inside.h) as facts of a running machine, read by a worker. */
void examine_capture(int capture, const struct questions *questions, struct arena *arena,
                     struct examination *out);
