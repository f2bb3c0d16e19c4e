// Files without a name: the kernel frees them with their last descriptor, however the processes end.
#pragma once

#include <stdint.h>

/* One in `folder`, read and written, closed on exec; -1: errno says why none can be made there. */
int unnamed_file(const char *folder);

/* The same file, open for reading alone; -1 with errno. */
int unnamed_reopen(int descriptor);

/*
 * How large it may become, in all: nine tenths of what is free there, for others use the folder too and /tmp
 * may be memory, and 2 TiB at most, with room for a wrapping: the platform imports no larger disk.
 */
uint64_t unnamed_room(int descriptor);
