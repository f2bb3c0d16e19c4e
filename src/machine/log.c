#include "machine/log.h"

#include <errno.h>
#include <unistd.h>

void log_write(struct log *log, struct span bytes)
{
	while (log->file >= 0 && bytes.size > 0) {
		ssize_t wrote = write(log->file, bytes.data, bytes.size);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0) {
			log->error = wrote < 0 ? errno : EIO;
			log->file = -1;
			return;
		}
		bytes = span_from(bytes, (size_t)wrote);
	}
}
