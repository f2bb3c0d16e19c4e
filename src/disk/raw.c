// A disk as it is. Holes of a sparse file are zeros without a read, so that an image costs what it holds
// and not what it spans.
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "disk/container.h"

static bool shrunk(const struct disk_state *state, uint64_t offset, struct error *error)
{
	return error_set(error, ERROR_TRUNCATED,
	                 "the input ends at or before offset %" PRIu64 " but was %" PRIu64
	                 " bytes long when it was opened: it shrank while it was read",
	                 offset, state->size);
}

static bool seek_failed(uint64_t offset, struct error *error)
{
	return error_set(error, ERROR_IO, "the input cannot be searched for data at offset %" PRIu64 ": %s",
	                 offset, strerrordesc_np(errno));
}

/* Finds the extent, data or hole, that `offset` lies in. */
static bool find_extent(struct disk_state *state, uint64_t offset, struct error *error)
{
	off_t data = lseek(state->descriptor, (off_t)offset, SEEK_DATA);
	if (data < 0 && errno == EINVAL) {
		/* The file system knows no holes. */
		state->may_have_holes = false;
		return true;
	}
	if (data < 0 && errno != ENXIO)
		return seek_failed(offset, error);
	if (data < 0) {
		/* ENXIO: no data up to the end, or no file up to here any more. */
		off_t end = lseek(state->descriptor, 0, SEEK_END);
		if (end < 0)
			return seek_failed(offset, error);
		if ((uint64_t)end < state->size)
			return shrunk(state, (uint64_t)end, error);
		data = (off_t)state->size;
	}
	state->extent_start = offset;
	state->extent_is_hole = (uint64_t)data > offset;
	if (state->extent_is_hole) {
		state->extent_end = (uint64_t)data;
		return true;
	}
	off_t hole = lseek(state->descriptor, (off_t)offset, SEEK_HOLE);
	if (hole < 0)
		return errno == ENXIO ? shrunk(state, offset, error) : seek_failed(offset, error);
	/* Another process may have punched the hole between the two questions: always move on. */
	state->extent_end = (uint64_t)hole > offset ? (uint64_t)hole : offset + 1;
	return true;
}

/* Some bytes at `offset`, at least one and at most `length`. */
static bool read_some(struct disk *disk, uint64_t offset, void *buffer, size_t length, size_t *got,
                      struct error *error)
{
	struct disk_state *state = disk->state;
	ssize_t count;
	do {
		count = pread(state->descriptor, buffer, length, (off_t)offset);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return error_set(error, ERROR_IO, "the input cannot be read at offset %" PRIu64 ": %s",
		                 offset, strerrordesc_np(errno));
	if (count == 0)
		return shrunk(state, offset, error);
	if (!state->is_scratch)
		disk->bytes_read += (uint64_t)count;
	*got = (size_t)count;
	return true;
}

static bool raw_read(void *context, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	struct disk *disk = context;
	struct disk_state *state = disk->state;
	uint8_t *to = buffer;
	while (length > 0) {
		size_t now = length;
		if (state->may_have_holes && (offset < state->extent_start || offset >= state->extent_end) &&
		    !find_extent(state, offset, error))
			return disk_read_failed(disk, error);
		if (state->may_have_holes) {
			uint64_t left = state->extent_end - offset;
			if (left < now)
				now = (size_t)left;
		}
		if (state->may_have_holes && state->extent_is_hole)
			memset(to, 0, now);
		else if (!read_some(disk, offset, to, now, &now, error))
			return disk_read_failed(disk, error);
		to += now;
		offset += now;
		length -= now;
	}
	return true;
}

bool raw_open(struct disk *disk, struct error *error)
{
	(void)error;
	disk->reader = (struct reader){ .read = raw_read, .state = disk, .size = disk->state->size };
	return true;
}
