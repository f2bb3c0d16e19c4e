#include "base/path.h"

#include <string.h>

#include "base/text.h"

const char *path_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);
	return str_starts(path, directory) && (!path[length] || path[length] == '/') ? path + length : NULL;
}

const char *path_plain(const char *path, struct arena *arena)
{
	char *plain = arena_strdup(arena, path);
	size_t length = 0;
	for (const char *at = path; *at; at++)
		if (at[0] != '/' || (at[1] && at[1] != '/'))
			plain[length++] = *at;
	plain[length] = '\0';
	return plain;
}
