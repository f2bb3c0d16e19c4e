// Any bytes as what an NBD server says: a disk is had from it, or a sentence; and where the two have lost
// each other once, nothing that comes later is taken for bytes of the disk.
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "disk/disk.h"

/* What a socket holds without anyone reading. */
#define SAID_MOST 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct disk *disk)
{
	const uint64_t places[] = { 0, disk->reader.size - 1, disk->reader.size / 2, 0, 65535, 1 << 20 };
	uint8_t bytes[3000];
	bool lost = false;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct error error = { 0 };
		uint64_t left = places[i] < disk->reader.size ? disk->reader.size - places[i] : 0;
		size_t length = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
		uint64_t before = disk->bytes_read;
		bool had = length == 0 || reader_read(&disk->reader, places[i], bytes, length, &error);
		if (!had && (error.code == ERROR_NONE || error.message[0] == '\0'))
			abort();
		if (lost && had && disk->bytes_read != before)
			abort();
		lost = lost || (!had && error.code == ERROR_IO);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int ends[2];
	if (size > SAID_MOST)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	if ((size > 0 && write(ends[1], data, size) != (ssize_t)size) || shutdown(ends[1], SHUT_WR) != 0)
		abort();
	struct input input = input_of_file("disk", ends[0]);
	input.source = SOURCE_SERVER;
	input.container = "vmdk";
	struct budget budget = { .inflated_left = 1 << 20, .steps_left = 1 << 20 };
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct disk *disk = NULL;
	if (disk_open(&input, &budget, &arena, &disk, &error))
		look(disk);
	else if (error.code == ERROR_NONE || error.message[0] == '\0')
		abort();
	disk_close(disk);
	arena_free(&arena);
	close(ends[0]);
	close(ends[1]);
	return 0;
}
