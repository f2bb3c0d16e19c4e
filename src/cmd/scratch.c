#include "cmd/scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/text.h"
#include "base/unnamed.h"

/* The largest disk that the platform imports, and a tar's headers: what asks for more is no image. */
#define SCRATCH_MOST ((UINT64_C(2048) << 30) + (UINT64_C(1) << 30))
/* Others use the folder too, and /tmp may be memory: a tenth of what is free is left to them. */
#define LEFT_TO_OTHERS 10

static uint64_t room_for(int descriptor)
{
	struct statvfs status;
	if (fstatvfs(descriptor, &status) != 0)
		return SCRATCH_MOST;
	uint64_t unit = status.f_frsize, free = status.f_bavail;
	if (unit == 0 || free > SCRATCH_MOST / unit)
		return SCRATCH_MOST;
	return free * unit - free * unit / LEFT_TO_OTHERS;
}

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
		*most = room_for(file);
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
