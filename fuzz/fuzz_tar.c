// A tar archive: whatever the headers say, members lie inside it and are read without leaving it.
#include <stdlib.h>
#include <string.h>

#include "disk/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first and the last bytes; sizes are the archive's own word. */
static void read_member(const struct tar_archive *archive, const struct tar_member *member,
                        struct arena *arena)
{
	uint8_t buffer[700];
	struct error error = { 0 };
	struct reader reader = tar_member_reader(archive, member, arena);
	size_t part = reader.size < sizeof(buffer) ? (size_t)reader.size : sizeof(buffer);
	for (unsigned end = 0; end < 2; end++)
		if (!reader_read(&reader, end ? reader.size - part : 0, buffer, part, &error) &&
		    error.code != ERROR_TRUNCATED)
			abort();
	if (strlen(member->name) > archive->in.size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_of(data, size);
	struct reader reader = reader_of_span(&input);
	struct arena arena = { 0 };
	struct budget budget = { .steps_left = 100000 };
	struct error error = { 0 };
	struct tar_archive archive;
	if (!tar_read(&reader, &budget, &arena, &archive, &error) && !error.message[0])
		abort();
	for (size_t i = 0; i < archive.members.count; i++)
		read_member(&archive, &archive.members.items[i], &arena);
	arena_free(&arena);
	return 0;
}
