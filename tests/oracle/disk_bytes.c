// disk_bytes IMAGE: the disk in a container, byte for byte on the standard output, read as the worker reads
// it: the header first, then through the server.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/served.h"
#include "disk/disk.h"

/* No multiple of what the reader keeps, so that requests cross its pieces everywhere. */
#define CHUNK 700001

static void fail(const char *message)
{
	fprintf(stderr, "disk_bytes: %s\n", message);
	exit(1);
}

static struct disk *open_disk(const struct input *input, struct arena *arena)
{
	struct budget budget = budget_default();
	struct error error;
	struct disk *disk = NULL;
	if (!disk_open(input, &budget, arena, &disk, &error))
		fail(error.message);
	return disk;
}

static void copy(const struct reader *reader)
{
	static uint8_t bytes[CHUNK];
	struct error error;
	for (uint64_t offset = 0; offset < reader->size; offset += CHUNK) {
		size_t length = reader->size - offset < CHUNK ? (size_t)(reader->size - offset) : CHUNK;
		if (!reader_read(reader, offset, bytes, length, &error))
			fail(error.message);
		if (fwrite(bytes, 1, length, stdout) != length)
			fail("the output cannot be written");
	}
}

static void copy_served(struct disk *disk, int descriptor, struct arena *arena)
{
	struct server server;
	struct examination examination = { 0 };
	if (!served_start(descriptor, disk->served, arena, &server, &examination))
		fail(examination.facts.reason);
	struct input input = input_of_file("disk", server.socket);
	input.source = SOURCE_SERVER;
	input.container = served_name(disk->served);
	struct disk *served = open_disk(&input, arena);
	/* Closing the disk closes its socket. */
	server.socket = -1;
	copy(&served->reader);
	disk_close(served);
	served_stop(&server, disk->served, arena, &examination);
	if (examination.facts.reason)
		fail(examination.facts.reason);
}

int main(int count, char **words)
{
	struct arena arena = { 0 };
	int descriptor = count == 2 ? open(words[1], O_RDONLY | O_CLOEXEC) : -1;
	if (descriptor < 0)
		fail("cannot open the image");
	struct input input = input_of_file(words[1], descriptor);
	struct disk *disk = open_disk(&input, &arena);
	if (disk->served == SERVED_NOT)
		copy(&disk->reader);
	else
		copy_served(disk, descriptor, &arena);
	disk_close(disk);
	close(descriptor);
	arena_free(&arena);
	return 0;
}
