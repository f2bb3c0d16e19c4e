// A container in the making, and what is said of it when it is opened.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/disk.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static struct arena arena;

/* The file that is built: zeros where nothing was put. */
static uint8_t *file;
static size_t file_size;

static inline void begin(size_t size)
{
	free(file);
	file = calloc(1, size);
	assert_non_null(file);
	file_size = size;
}

static inline void put(size_t offset, const void *bytes, size_t length)
{
	assert_true(offset + length <= file_size);
	memcpy(file + offset, bytes, length);
}

static inline void put_text(size_t offset, const char *text)
{
	put(offset, text, strlen(text));
}

static inline void put_le(size_t offset, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++)
		file[offset + i] = (uint8_t)(value >> (8 * i));
}

static inline void put_be(size_t offset, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++)
		file[offset + i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

/* Opens the file as it stands; *disk is filled also where `message` is. */
static inline bool open_file(struct disk *out, struct error *error)
{
	struct disk *disk = NULL;
	struct budget budget = budget_default();
	FILE *stream = tmpfile();
	assert_non_null(stream);
	assert_int_equal(fwrite(file, 1, file_size, stream), file_size);
	assert_int_equal(fflush(stream), 0);
	struct input input = input_of_file("disk", fileno(stream));
	bool opened = disk_open(&input, &budget, &arena, &disk, error);
	if (opened)
		*out = *disk;
	disk_close(disk);
	fclose(stream);
	return opened;
}

static inline void sound(const char *container, enum served served)
{
	struct disk disk;
	struct error error;
	if (!open_file(&disk, &error))
		fail_msg("%s", error.message);
	assert_string_equal(disk.container, container);
	assert_int_equal(disk.served, served);
	assert_null(disk.problem.code);
}

static inline void refused(enum error_code code, const char *part)
{
	struct disk disk;
	struct error error;
	if (open_file(&disk, &error))
		fail_msg("taken, but wanted: %s", part);
	if (!strstr(error.message, part))
		fail_msg("\"%s\" says nothing of \"%s\"", error.message, part);
	assert_int_equal(error.code, code);
}

/* One number of a header that is not what it should be, and how such a file is refused. */
struct lie {
	size_t offset;
	unsigned width;
	uint64_t value;
	enum error_code code;
	const char *part;
};
