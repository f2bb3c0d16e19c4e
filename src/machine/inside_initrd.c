// A kernel by itself gets a user space of ours: one more archive behind those that it is given.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/cpio.h"
#include "machine/embedded.h"
#include "machine/inside.h"

#define CHUNK_SIZE ((size_t)256 << 10)

static bool write_all(int file, struct span bytes, struct error *error)
{
	while (bytes.size > 0) {
		ssize_t written = write(file, bytes.data, bytes.size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return error_set(error, ERROR_IO, "there is no room for the initramfs: %s",
			                 strerror(errno));
		bytes = span_from(bytes, (size_t)written);
	}
	return true;
}

/* The bytes of what was given, up to a multiple of four: there the kernel looks for the next archive. */
static bool copy_initrd(int initrd, int file, struct error *error)
{
	static const uint8_t zeros[4];
	uint8_t *chunk = xmalloc(CHUNK_SIZE);
	uint64_t size = 0;
	bool sound = true;
	while (sound) {
		ssize_t got = pread(initrd, chunk, CHUNK_SIZE, (off_t)size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			break;
		sound = got > 0 ? write_all(file, span_of(chunk, (size_t)got), error)
		                : error_set(error, ERROR_IO, "the initramfs cannot be read: %s",
		                            strerror(errno));
		size += got > 0 ? (uint64_t)got : 0;
	}
	free(chunk);
	return sound && write_all(file, span_of(zeros, (size_t)((4 - size % 4) % 4)), error);
}

static void make_archive(struct text *archive)
{
	const struct cpio_member members[] = {
		{ .name = "dev", .mode = CPIO_DIRECTORY | 0755 },
		{ .name = "dev/console", .mode = CPIO_CHARACTER | 0600, .major = 5, .minor = 1 },
		{ .name = "slipway-init",
		  .mode = CPIO_FILE | 0755,
		  .content = span_of(machine_init, machine_init_size) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		cpio_add(archive, &members[i]);
	cpio_end(archive);
}

int inside_initrd(int initrd, struct error *error)
{
	struct text archive CLEANUP(text_free) = { 0 };
	if (machine_init_size == 0) {
		error_fill(error, ERROR_UNSUPPORTED,
		           "this slipway was built without its own init, which takes a static C library for "
		           "x86-64: build it where there is one (libc6-dev, glibc-static)");
		return -1;
	}
	/* Memory: it is loaded there anyway. */
	int file = memfd_create("slipway-initrd", MFD_CLOEXEC);
	if (file < 0) {
		error_fill(error, ERROR_IO, "there is no room for the initramfs: %s", strerror(errno));
		return -1;
	}
	make_archive(&archive);
	if ((initrd < 0 || copy_initrd(initrd, file, error)) &&
	    write_all(file, span_of(archive.data, archive.size), error))
		return file;
	close(file);
	return -1;
}
