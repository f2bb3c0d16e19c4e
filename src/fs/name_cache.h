// What lookups in directories found, so that no path component is searched twice: each search reads blocks
// and checks their checksums.
#pragma once

#include "fs/fs.h"

#define NAME_CACHE_COUNT 512
#define NAME_CACHE_ROOM  56 /* longer names are not kept */

struct cached_name {
	uint64_t directory; /* its inode; 0: nothing is kept here */
	uint64_t inode;     /* 0: the directory has no such name */
	char name[NAME_CACHE_ROOM];
};

struct name_cache {
	struct cached_name slots[NAME_CACHE_COUNT];
};

/* Is the answer for this name known? */
bool name_cache_find(const struct name_cache *names, uint64_t directory, const char *name, uint64_t *inode);
void name_cache_keep(struct name_cache *names, uint64_t directory, const char *name, uint64_t inode);
