#include "fs/name_cache.h"

#include <string.h>

#include "base/text.h"

/* FNV-1a. Names that are made to collide only push each other out. */
static size_t slot_of(uint64_t directory, const char *name)
{
	uint32_t hash = 2166136261U ^ (uint32_t)(directory ^ directory >> 32);
	for (const char *letter = name; *letter; letter++)
		hash = (hash ^ (uint8_t)*letter) * 16777619U;
	return (hash ^ hash >> 16) % NAME_CACHE_COUNT;
}

bool name_cache_find(const struct name_cache *names, uint64_t directory, const char *name, uint64_t *inode)
{
	const struct cached_name *slot = &names->slots[slot_of(directory, name)];
	if (slot->directory != directory || !str_equal(slot->name, name))
		return false;
	*inode = slot->inode;
	return true;
}

void name_cache_keep(struct name_cache *names, uint64_t directory, const char *name, uint64_t inode)
{
	size_t length = strlen(name);
	if (length >= NAME_CACHE_ROOM)
		return;
	struct cached_name *slot = &names->slots[slot_of(directory, name)];
	*slot = (struct cached_name){ .directory = directory, .inode = inode };
	memcpy(slot->name, name, length);
}
