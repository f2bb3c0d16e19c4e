// Files without a name: the kernel frees them with their last descriptor, however the processes end.
#pragma once

/* One in `folder`, read and written, closed on exec; -1: errno says why none can be made there. */
int unnamed_file(const char *folder);

/* The same file, open for reading alone; -1 with errno. */
int unnamed_reopen(int descriptor);
