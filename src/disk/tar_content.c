// The content of a member: its bytes in the archive, or the pieces of a sparse one with zeros between them.
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "disk/tar.h"

/* The first extent that ends behind `offset`; `count` when there is none. */
static size_t find_extent(const struct tar_extent *extents, size_t count, uint64_t offset)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (extents[middle].logical + extents[middle].length <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool read_stored(const struct tar_archive *archive, const struct tar_member *member, uint64_t offset,
                        void *buffer, size_t length, struct error *error)
{
	if (!range_inside(offset, length, archive->in.size))
		return error_set(error, ERROR_TRUNCATED,
		                 "the tar archive ends at offset %" PRIu64 ", before its member %.200s does",
		                 archive->in.size, member->name);
	return reader_read(&archive->in, offset, buffer, length, error);
}

static bool read_sparse(const struct tar_archive *archive, const struct tar_member *member, uint64_t offset,
                        uint8_t *buffer, size_t length, struct error *error)
{
	size_t count = member->extent_count;
	const struct tar_extent *extents = count ? &archive->extents.items[member->first_extent] : NULL;
	for (size_t i = find_extent(extents, count, offset); length > 0; i++) {
		const struct tar_extent *extent = i < count ? &extents[i] : NULL;
		uint64_t hole = extent && extent->logical > offset ? extent->logical - offset
		                : extent                           ? 0
		                                                   : length;
		size_t zeros = hole < length ? (size_t)hole : length;
		memset(buffer, 0, zeros);
		buffer += zeros;
		offset += zeros;
		length -= zeros;
		if (length == 0)
			break;
		uint64_t inside = offset - extent->logical;
		size_t data = extent->length - inside < length ? (size_t)(extent->length - inside) : length;
		if (!read_stored(archive, member, extent->offset + inside, buffer, data, error))
			return false;
		buffer += data;
		offset += data;
		length -= data;
	}
	return true;
}

bool tar_member_read(const struct tar_archive *archive, const struct tar_member *member, uint64_t offset,
                     void *buffer, size_t length, struct error *error)
{
	if (!range_inside(offset, length, member->size))
		return error_set(error, ERROR_TRUNCATED,
		                 "%zu bytes at offset %" PRIu64 " lie behind the end of %.200s at %" PRIu64,
		                 length, offset, member->name, member->size);
	return member->sparse ? read_sparse(archive, member, offset, buffer, length, error)
	                      : read_stored(archive, member, member->data + offset, buffer, length, error);
}

struct content {
	const struct tar_archive *archive;
	const struct tar_member *member;
};

static bool read_content(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	const struct content *content = state;
	return tar_member_read(content->archive, content->member, offset, buffer, length, error);
}

struct reader tar_member_reader(const struct tar_archive *archive, const struct tar_member *member,
                                struct arena *arena)
{
	struct content *content = arena_alloc(arena, sizeof(*content));
	*content = (struct content){ archive, member };
	return (struct reader){ .read = read_content, .state = content, .size = member->size };
}
