// Any bytes as a file that a disk is wrapped in: whatever its header says, it is taken or refused with a
// sentence.
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "disk/disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
		if (!disk->container || disk->reader.size > size)
			abort();
	} else if (error.code == ERROR_NONE || error.message[0] == '\0') {
		abort();
	}
	disk_close(disk);
	arena_free(&arena);
	return 0;
}
