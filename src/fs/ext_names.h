// What lookups in directories found, so that no path component is searched twice: libext2fs reads a directory
// from its start and checks the checksum of every block, each time.
#pragma once

#include "fs/fs.h"

#define EXT_NAMES_COUNT 512
#define EXT_NAMES_ROOM  56 /* longer names are not kept */

struct ext_name {
	uint32_t directory; /* its inode; 0: nothing is kept here */
	uint32_t inode;     /* 0: the directory has no such name */
	char name[EXT_NAMES_ROOM];
};

struct ext_names {
	struct ext_name slots[EXT_NAMES_COUNT];
};

/* Is the answer for this name known? */
bool ext_names_find(const struct ext_names *names, uint32_t directory, const char *name, uint32_t *inode);
void ext_names_keep(struct ext_names *names, uint32_t directory, const char *name, uint32_t inode);
