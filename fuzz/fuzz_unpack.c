// A file that may be compressed, an archive, or both: unpacked into a scratch file, and a disk or none behind
// it.
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "disk/disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_ends(const struct reader *reader)
{
	uint8_t buffer[4096];
	struct error error = { 0 };
	size_t part = reader->size < sizeof(buffer) ? (size_t)reader->size : sizeof(buffer);
	if (!reader_read(reader, 0, buffer, part, &error) ||
	    !reader_read(reader, reader->size - part, buffer, part, &error))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int file = memfd_create("input", 0), scratch = memfd_create("scratch", 0);
	if (file < 0 || scratch < 0 || write(file, data, size) != (ssize_t)size)
		abort();
	struct input input = input_of_file("x.tar.gz", file);
	input.scratch = scratch;
	input.scratch_most = 4 << 20;
	struct arena arena = { 0 };
	struct budget budget = { .inflated_left = 1 << 20, .steps_left = 2000 };
	struct error error = { 0 };
	struct disk *disk = NULL;
	if (disk_open(&input, &budget, &arena, &disk, &error))
		read_ends(&disk->reader);
	else if (!error.message[0])
		abort();
	disk_close(disk);
	arena_free(&arena);
	close(file);
	close(scratch);
	return 0;
}
