#include "fs/ext_names.h"

#include <string.h>

#include "base/text.h"

/* FNV-1a. Names that are made to collide only push each other out. */
static size_t slot_of(uint32_t directory, const char *name)
{
	uint32_t hash = 2166136261U ^ directory;
	for (const char *letter = name; *letter; letter++)
		hash = (hash ^ (uint8_t)*letter) * 16777619U;
	return (hash ^ hash >> 16) % EXT_NAMES_COUNT;
}

bool ext_names_find(const struct ext_names *names, uint32_t directory, const char *name, uint32_t *inode)
{
	const struct ext_name *slot = &names->slots[slot_of(directory, name)];
	if (slot->directory != directory || !str_equal(slot->name, name))
		return false;
	*inode = slot->inode;
	return true;
}

void ext_names_keep(struct ext_names *names, uint32_t directory, const char *name, uint32_t inode)
{
	size_t length = strlen(name);
	if (length >= EXT_NAMES_ROOM)
		return;
	struct ext_name *slot = &names->slots[slot_of(directory, name)];
	*slot = (struct ext_name){ .directory = directory, .inode = inode };
	memcpy(slot->name, name, length);
}
