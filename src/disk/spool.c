#include "disk/spool.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* The smallest hole: a multiple of every file system's block size that is in use, and few extents to search.
 */
#define HOLE_SIZE ((size_t)16 << 10)

static bool no_room(const struct spool *spool, const char *why, struct error *error)
{
	return error_set(error, ERROR_LIMIT,
	                 "unpacking it takes more than %" PRIu64
	                 " bytes of room for temporary files (%s): set TMPDIR to a folder with more",
	                 spool->written, why);
}

static bool write_data(struct spool *spool, const uint8_t *data, size_t size, uint64_t offset,
                       struct error *error)
{
	if (size > spool->most - spool->written)
		return no_room(spool, "no more is free", error);
	while (size > 0) {
		ssize_t count = pwrite(spool->file, data, size, (off_t)offset);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
			return no_room(spool, strerrordesc_np(errno), error);
		if (count <= 0)
			return error_set(error, ERROR_IO,
			                 "what is unpacked of the input cannot be written to a temporary "
			                 "file: %s",
			                 strerrordesc_np(errno));
		data += count;
		size -= (size_t)count;
		offset += (uint64_t)count;
		spool->written += (uint64_t)count;
	}
	return true;
}

/* Is it known, or to be seen? */
static bool is_hole(struct span block, struct span zeros)
{
	bool known = zeros.size > 0 && block.data >= zeros.data &&
	             block.data + block.size <= zeros.data + zeros.size;
	return known || span_is_zero(block);
}

bool spool_add(struct spool *spool, uint64_t offset, struct span bytes, struct span zeros,
               struct error *error)
{
	const uint8_t *chunk = bytes.data;
	size_t size = bytes.size;
	size_t run = 0; /* where the run of data before `at` begins */
	for (size_t at = 0, next; at < size; at = next) {
		next = at + HOLE_SIZE < size ? at + HOLE_SIZE : size;
		bool hole = is_hole(span_of(chunk + at, next - at), zeros);
		if (hole && run < at && !write_data(spool, chunk + run, at - run, offset + run, error))
			return false;
		if (hole)
			run = next;
	}
	return run == size || write_data(spool, chunk + run, size - run, offset + run, error);
}

bool spool_end(const struct spool *spool, uint64_t size, struct error *error)
{
	if (ftruncate(spool->file, (off_t)size) != 0)
		return no_room(spool, strerrordesc_np(errno), error);
	return true;
}
