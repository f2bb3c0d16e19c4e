#include "sandbox/program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/text.h"

static void add(struct file_grant *grants, size_t *count, const char *path)
{
	if (*count < PROGRAM_GRANTS)
		grants[(*count)++] = (struct file_grant){ open(path, O_PATH | O_CLOEXEC), GRANT_RUN };
}

static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');
	*(slash ? slash : path) = '\0';
}

/* The folders that `prefix` has of those. */
static void add_prefix(struct file_grant *grants, size_t *count, const char *prefix,
                       const char *const *folders)
{
	for (; *prefix && *folders; folders++) {
		char path[4096];
		if (snprintf(path, sizeof(path), "%s/%s", prefix, *folders) < (int)sizeof(path))
			add(grants, count, path);
	}
}

size_t program_grants(const char *program, const struct program_folders *folders,
                      struct file_grant grants[PROGRAM_GRANTS])
{
	size_t count = 0;
	add(grants, &count, program);
	for (const char *const *folder = folders->system; *folder; folder++)
		add(grants, &count, *folder);
	/* Never a prefix as a whole: programs lie in people's home directories, too. */
	char *real = realpath(program, NULL);
	for (unsigned up = 0; real && up < 2; up++) {
		cut_last(real);
		if (up == 1 || !str_ends(real, "bin"))
			add_prefix(grants, &count, real, folders->in_prefix);
	}
	free(real);
	return count;
}
