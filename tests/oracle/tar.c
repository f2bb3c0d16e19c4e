// The members of a tar archive as the index has them, for comparison with other tools.
//
// usage: tar ARCHIVE
// For each member a line with its type, format, mode, uid, gid, size, mtime, whether it is sparse, the offset
// of its header and the lengths of name and link; then name and link, and for a regular file its content.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "disk/tar.h"

static bool read_descriptor(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	if (pread(*(int *)state, buffer, length, (off_t)offset) != (ssize_t)length)
		return error_set(error, ERROR_IO, "cannot read");
	return true;
}

static bool print_content(const struct tar_archive *archive, const struct tar_member *member,
                          struct arena *arena, struct error *error)
{
	static uint8_t buffer[(1 << 16) + 77]; /* borders of reads are not those of extents */
	struct reader reader = tar_member_reader(archive, member, arena);
	for (uint64_t offset = 0; offset < reader.size;) {
		uint64_t left = reader.size - offset;
		size_t part = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		if (!reader_read(&reader, offset, buffer, part, error))
			return false;
		fwrite(buffer, 1, part, stdout);
		offset += part;
	}
	return true;
}

static bool print_member(const struct tar_archive *archive, const struct tar_member *member,
                         struct arena *arena, struct error *error)
{
	const char *link = member->link ? member->link : "";
	printf("%c %s %o %u %u %" PRIu64 " %" PRId64 " %d %" PRIu64 " %zu %zu\n%s%s", member->type,
	       member->format, member->mode, member->uid, member->gid, member->size, member->mtime,
	       member->sparse, member->header, strlen(member->name), strlen(link), member->name, link);
	return member->type != TAR_FILE || print_content(archive, member, arena, error);
}

int main(int count, char **arguments)
{
	struct arena arena = { 0 };
	struct budget budget = budget_default();
	struct tar_archive archive;
	struct error error = { 0 };
	if (count != 2)
		return 3;
	int descriptor = open(arguments[1], O_RDONLY | O_CLOEXEC);
	off_t size = descriptor < 0 ? -1 : lseek(descriptor, 0, SEEK_END);
	if (size < 0) {
		perror(arguments[1]);
		return 1;
	}
	struct reader reader = { .read = read_descriptor, .state = &descriptor, .size = (uint64_t)size };
	bool sound = tar_read(&reader, &budget, &arena, &archive, &error);
	for (size_t i = 0; sound && i < archive.members.count; i++)
		sound = print_member(&archive, &archive.members.items[i], &arena, &error);
	if (!sound)
		fprintf(stderr, "%s\n", error.message);
	arena_free(&arena);
	close(descriptor);
	return sound ? 0 : 1;
}
