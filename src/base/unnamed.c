#include "base/unnamed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
