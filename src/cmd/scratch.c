#include "cmd/scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/unnamed.h"

int scratch_file(uint64_t *most, struct error *error)
{
	const char *wanted = getenv("TMPDIR");
	const char *const usual[] = { "/var/tmp", "/tmp" };
	bool named = wanted && *wanted;
	const char *const *folders = named ? &wanted : usual;
	size_t count = named ? 1 : ARRAY_SIZE(usual);
	int file = -1;
	for (size_t i = 0; i < count && file < 0; i++)
		file = unnamed_file(folders[i]);
	if (file >= 0)
		*most = unnamed_room(file);
	else
		error_fill(error, ERROR_IO,
		           "none can be made in %s (%s): set TMPDIR to a folder that can be written",
		           folders[count - 1], strerror(errno));
	return file;
}

void scratch_open(struct input *input, struct arena *arena)
{
	struct error error = { 0 };
	input->scratch = scratch_file(&input->scratch_most, &error);
	if (input->scratch < 0)
		input->scratch_reason = arena_strdup(arena, error.message);
}
