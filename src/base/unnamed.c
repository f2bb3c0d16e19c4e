#include "base/unnamed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOM_MOST      ((UINT64_C(2048) << 30) + (UINT64_C(1) << 30))
#define LEFT_TO_OTHERS 10

uint64_t unnamed_room(int descriptor)
{
	struct statvfs status;
	/* Some file systems in memory do not count. */
	if (fstatvfs(descriptor, &status) != 0 || status.f_blocks == 0)
		return ROOM_MOST;
	uint64_t unit = status.f_frsize, free = status.f_bavail;
	if (unit == 0 || free > ROOM_MOST / unit)
		return ROOM_MOST;
	return free * unit - free * unit / LEFT_TO_OTHERS;
}

int unnamed_file(const char *folder)
{
	int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return descriptor;
	/* O_TMPFILE is not there on every file system: a file whose name is taken away at once is the same.
	 */
	char *path = NULL;
	if (asprintf(&path, "%s/slipway-XXXXXX", folder) < 0)
		return -1;
	descriptor = mkostemp(path, O_CLOEXEC);
	int failure = errno;
	if (descriptor >= 0)
		unlink(path);
	free(path);
	errno = failure;
	return descriptor;
}

int unnamed_reopen(int descriptor)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	return open(path, O_RDONLY | O_CLOEXEC);
}
