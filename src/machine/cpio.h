// A cpio archive of the "newc" kind, as the kernel unpacks one into its first file system.
// Documentation/driver-api/early-userspace/buffer-format.rst
#pragma once

#include "base/text.h"

/* st_mode of POSIX: the kernel takes it as it is. */
#define CPIO_FILE      0100000
#define CPIO_DIRECTORY 0040000
#define CPIO_CHARACTER 0020000

struct cpio_member {
	const char *name; /* without a slash in front */
	unsigned mode;    /* kind and permissions */
	unsigned major, minor;
	struct span content;
};

/* Appends a member to the archive, whose bytes are a multiple of four. */
void cpio_add(struct text *archive, const struct cpio_member *member);

/* Ends it. */
void cpio_end(struct text *archive);
