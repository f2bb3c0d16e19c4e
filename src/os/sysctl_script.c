// Keys, paths and lines: what the appliers have in common.
#include <string.h>

#include "os/sysctl_private.h"

bool sysctl_is_glob(const char *path)
{
	return strpbrk(path, "*?[") != NULL;
}

/* Dots for slashes and slashes for dots, when the first of either is `from`. */
static void swap_separators(char *text, char from)
{
	char *at = strpbrk(text, "/.");
	if (!at || *at != from)
		return;
	for (; at; at = strpbrk(at + 1, "/."))
		*at = *at == '.' ? '/' : '.';
}

/* Takes out empty and "." components. Says whether the path was written with doubled or outer slashes. */
static bool simplify(char *path)
{
	bool odd = false;
	char *to = path;
	for (const char *at = path; *at;) {
		size_t length = strcspn(at, "/");
		bool needless = length == 0 || (length == 1 && *at == '.');
		odd |= needless;
		if (!needless) {
			if (to > path)
				*to++ = '/';
			memmove(to, at, length);
			to += length;
		}
		at += length;
		if (*at == '/') {
			at++;
			odd |= *at == 0;
		}
	}
	*to = 0;
	return odd;
}

char *sysctl_path(struct span key, struct arena *arena, bool *odd_slashes)
{
	char *path = arena_string(arena, key);
	swap_separators(path, '.');
	*odd_slashes = simplify(path);
	return path;
}

char *sysctl_key(const char *path, struct arena *arena)
{
	char *key = arena_strdup(arena, path);
	swap_separators(key, '/');
	return key;
}

void sysctl_script_add(struct sysctl_script *script, const struct sysctl_file *file, uint64_t number,
                       struct span text, struct span key, const struct span *value, struct arena *arena)
{
	if (key.size > SYSCTL_KEY_MOST)
		return;
	struct sysctl_line line = { .place = file->place };
	line.path = sysctl_path(key, arena, &line.odd_slashes);
	if (value)
		line.value = arena_string(arena, *value);
	line.place.line = number;
	line.place.text = arena_string(arena, text);
	*LIST_ADD(arena, &script->lines) = line;
}
