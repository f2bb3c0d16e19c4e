#include "cmd/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/text.h"

/* The largest disk that the platform imports, and a tar's headers: what asks for more is no image. */
#define SCRATCH_MOST ((UINT64_C(2048) << 30) + (UINT64_C(1) << 30))
/* Others use the folder too, and /tmp may be memory: a tenth of what is free is left to them. */
#define LEFT_TO_OTHERS 10

/* O_TMPFILE is not there on every file system: a file whose name is taken away at once is the same. */
static int open_unnamed(const char *folder, struct arena *arena)
{
	int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return descriptor;
	char *path = arena_printf(arena, "%s/slipway-XXXXXX", folder);
	descriptor = mkostemp(path, O_CLOEXEC);
	if (descriptor >= 0)
		unlink(path);
	return descriptor;
}

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

void scratch_open(struct input *input, struct arena *arena)
{
	const char *wanted = getenv("TMPDIR");
	const char *const usual[] = { "/var/tmp", "/tmp" };
	bool named = wanted && *wanted;
	const char *const *folders = named ? &wanted : usual;
	size_t count = named ? 1 : ARRAY_SIZE(usual);
	input->scratch = -1;
	for (size_t i = 0; i < count && input->scratch < 0; i++)
		input->scratch = open_unnamed(folders[i], arena);
	if (input->scratch >= 0)
		input->scratch_most = room_for(input->scratch);
	else
		input->scratch_reason = arena_printf(
			arena, "none can be made in %s (%s): set TMPDIR to a folder that can be written",
			folders[count - 1], strerror(errno));
}
