// What the readers of container headers share: ranges, and sentences.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "disk/container.h"

/* More than any format holds or any server serves: offsets of a disk are signed 64-bit numbers everywhere. */
#define DISK_MOST (UINT64_C(1) << 60)

bool header_damaged(const struct disk *disk, struct error *error, const char *format, ...)
{
	char message[sizeof(error->message)];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	return error_set(error, ERROR_CORRUPT, "this %s image is damaged: %s", disk->container, message);
}

bool header_inside(const struct disk *disk, const char *what, uint64_t offset, uint64_t length,
                   struct error *error)
{
	if (range_inside(offset, length, disk->reader.size))
		return true;
	return header_damaged(disk, error,
	                      "its %s (%" PRIu64 " bytes at offset %" PRIu64
	                      ") ends behind the file's end at %" PRIu64 ": was it copied completely?",
	                      what, length, offset, disk->reader.size);
}

bool header_read(const struct disk *disk, uint64_t offset, void *bytes, size_t length, struct span *out,
                 struct error *error)
{
	*out = span_of(bytes, length);
	return header_inside(disk, "header", offset, length, error) &&
	       reader_read(&disk->reader, offset, bytes, length, error);
}

bool header_size(const struct disk *disk, uint64_t size, struct error *error)
{
	if (size == 0)
		return header_damaged(disk, error, "its header says that the disk in it has no bytes");
	if (size > DISK_MOST)
		return header_damaged(disk, error,
		                      "its header says that the disk in it has %" PRIu64 " bytes", size);
	return true;
}

void header_name(struct span name, char out[HEADER_NAME_MAX + 4])
{
	size_t length = name.size < HEADER_NAME_MAX ? name.size : HEADER_NAME_MAX;
	const uint8_t *end = length ? memchr(name.data, 0, length) : NULL;
	if (end)
		length = (size_t)(end - name.data);
	if (length)
		memcpy(out, name.data, length);
	snprintf(out + length, 4, "%s", !end && name.size > length ? "..." : "");
}
