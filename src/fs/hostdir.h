// A directory of the host as a file system: the unpacked root of a system.
//
// Nothing outside of it is ever opened, whatever its links and mounts say: a path is resolved beneath the
// directory and without following links, which tree.h follows inside of it. Devices, FIFOs and sockets are
// looked at and never opened.
#pragma once

#include "fs/fs.h"

/* What reading the directory came to. */
struct hostdir_use {
	uint64_t bytes_read;
	uint64_t denied;          /* files and directories that this user may not read */
	const char *first_denied; /* the path of the first, from the root ("/etc/shadow"); NULL */
	const char *first_failed; /* the same of what could not be read for another reason; NULL */
	const char *failure;      /* that reason: why reading first_failed did not work */
};

/* How to get at what this user may not read. */
#define HOSTDIR_DENIED "run as root, or in the fakeroot or user namespace that the directory was made in"

/* Fills *fs, open; `directory` is borrowed until fs_close(). */
NODISCARD bool hostdir_open(int directory, struct budget *budget, struct arena *arena, struct filesystem *fs,
                            struct error *error);

/*
 * It is the running machine's own root directory: the files that its kernel makes up in /proc and /sys, which
 * say nothing true of their size, are measured by reading them.
 */
void hostdir_of_machine(struct filesystem *fs);

/* Of an open file system that hostdir_open() made. */
const struct hostdir_use *hostdir_use(const struct filesystem *fs);
