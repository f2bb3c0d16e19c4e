// Any bytes as a file that a disk is wrapped in: whatever its header and its tables say, it is taken and
// read, or refused with a sentence.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "disk/disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Here and there, forwards and back: what is kept of the disk must be what is read of it again. */
static void look(struct disk *disk)
{
	uint64_t last = disk->reader.size - 1;
	const uint64_t places[] = { 0, last, last / 2, 1 << 20, 700, last / 3, 65536, 0 };
	uint8_t bytes[3000], first[3000];
	bool had_first = false;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct error error = { 0 };
		uint64_t left = places[i] < disk->reader.size ? disk->reader.size - places[i] : 0;
		size_t length = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
		bool had = length == 0 || reader_read(&disk->reader, places[i], bytes, length, &error);
		if (!had && (error.code == ERROR_NONE || error.message[0] == '\0' || !disk->failure[0]))
			abort();
		if (i == 0 && had)
			memcpy(first, bytes, length);
		if (i == 0)
			had_first = had;
		else if (places[i] == 0 && (had != had_first || (had && memcmp(first, bytes, length) != 0)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int file = -1;
	if (file < 0)
		file = memfd_create("container", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
		abort();
	struct input input = input_of_file("container", file);
	struct budget budget = { .inflated_left = 1 << 20, .steps_left = 1 << 20 };
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct disk *disk = NULL;
	if (disk_open(&input, &budget, &arena, &disk, &error)) {
		if (!disk->container || (disk->served != SERVED_NOT && disk->reader.size != size))
			abort();
		look(disk);
	} else if (error.code == ERROR_NONE || error.message[0] == '\0') {
		abort();
	}
	disk_close(disk);
	arena_free(&arena);
	return 0;
}
