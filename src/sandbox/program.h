// What a program that is not ours has to read to run at all: itself, its libraries and its data. Private to
// sandbox/.
#pragma once

#include "sandbox/lockdown.h"

/* Room for what program_grants() adds, beside what the caller adds. */
#define PROGRAM_GRANTS 48

/* Where it lies, as lists that end with NULL: folders by their full names, and those inside of its prefix. */
struct program_folders {
	const char *const *system;
	const char *const *in_prefix; /* "lib" of /opt/qemu/bin/qemu: /opt/qemu/lib */
};

/*
 * The rights to run `program` out of `folders`, in `grants`; how many those are. Their descriptors are closed
 * when it is executed. One that lies in no "bin" is where it was built, with its data beside it.
 */
size_t program_grants(const char *program, const struct program_folders *folders,
                      struct file_grant grants[PROGRAM_GRANTS]);
