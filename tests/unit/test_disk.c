// Disks as files: what is read, what is not, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "disk/disk.h"

#define MIB ((uint64_t)1 << 20)

/* Nothing of raw disks goes in. */
static struct arena arena;

/* A file without a name in a folder that knows holes. */
static int new_file(void)
{
	char path[] = "test-disk-XXXXXX";
	int descriptor = mkstemp(path);
	assert_true(descriptor >= 0);
	assert_int_equal(unlink(path), 0);
	return descriptor;
}

static void put(int descriptor, uint64_t offset, const void *bytes, size_t length)
{
	assert_int_equal(pwrite(descriptor, bytes, length, (off_t)offset), (ssize_t)length);
}

static struct disk *open_disk(int descriptor)
{
	struct disk *disk = NULL;
	struct error error;
	struct input input = input_of_file("disk.raw", descriptor);
	struct budget budget = budget_default();
	if (!disk_open(&input, &budget, &arena, &disk, &error))
		fail_msg("%s", error.message);
	return disk;
}

static void raw_is_read(void **state)
{
	(void)state;
	uint8_t pattern[5000], got[5000];
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7);
	int descriptor = new_file();
	put(descriptor, 0, pattern, sizeof(pattern));
	struct disk *disk = open_disk(descriptor);
	struct error error;
	assert_string_equal(disk->container, "raw");
	assert_int_equal(disk->reader.size, sizeof(pattern));
	assert_true(reader_read(&disk->reader, 0, got, sizeof(got), &error));
	assert_memory_equal(got, pattern, sizeof(got));
	assert_true(reader_read(&disk->reader, 4999, got, 1, &error));
	assert_int_equal(got[0], pattern[4999]);
	assert_false(reader_read(&disk->reader, 4999, got, 2, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	disk_close(disk);
	close(descriptor);
}

static void holes_cost_nothing(void **state)
{
	(void)state;
	int descriptor = new_file();
	uint64_t size = UINT64_C(300) << 30;
	uint8_t block[4096];
	memset(block, 0x5a, sizeof(block));
	put(descriptor, 0, block, sizeof(block));
	put(descriptor, 64 * MIB, block, sizeof(block));
	assert_int_equal(ftruncate(descriptor, (off_t)size), 0);
	struct disk *disk = open_disk(descriptor);
	uint64_t before = disk->bytes_read;
	uint8_t *got = malloc(8 * MIB);
	assert_non_null(got);
	struct error error;

	/* A read that begins in a hole, crosses data and ends in a hole. */
	memset(got, 1, 8 * MIB);
	assert_true(reader_read(&disk->reader, 62 * MIB, got, 4 * MIB, &error));
	for (size_t i = 0; i < 4 * MIB; i++)
		if (got[i] != (i >= 2 * MIB && i < 2 * MIB + 4096 ? 0x5a : 0))
			fail_msg("byte %zu is 0x%02x", i, got[i]);
	assert_int_equal(disk->bytes_read - before, 4096);

	/* The last bytes. */
	memset(got, 1, 8 * MIB);
	assert_true(reader_read(&disk->reader, size - 8 * MIB, got, 8 * MIB, &error));
	assert_true(span_is_zero(span_of(got, 8 * MIB)));
	assert_int_equal(disk->bytes_read - before, 4096);

	/* And back to the start. */
	assert_true(reader_read(&disk->reader, 0, got, 8192, &error));
	assert_int_equal(got[4095], 0x5a);
	assert_int_equal(got[4096], 0);
	free(got);
	disk_close(disk);
	close(descriptor);
}

static void shrinking_file_is_an_error(void **state)
{
	(void)state;
	uint8_t *block = calloc(1, MIB);
	assert_non_null(block);
	memset(block, 1, MIB);
	struct error error;

	/* Its data is cut off. */
	int descriptor = new_file();
	put(descriptor, 0, block, MIB);
	struct disk *disk = open_disk(descriptor);
	assert_int_equal(ftruncate(descriptor, 4096), 0);
	assert_false(reader_read(&disk->reader, 0, block, MIB, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	assert_non_null(strstr(error.message, "shrank"));
	assert_string_equal(disk->failure, error.message);
	assert_true(reader_read(&disk->reader, 0, block, 4096, &error));
	disk_close(disk);
	close(descriptor);

	/* Its hole is. */
	descriptor = new_file();
	put(descriptor, 0, block, 4096);
	assert_int_equal(ftruncate(descriptor, (off_t)(64 * MIB)), 0);
	disk = open_disk(descriptor);
	assert_true(reader_read(&disk->reader, 0, block, 512, &error));
	assert_int_equal(ftruncate(descriptor, (off_t)MIB), 0);
	assert_false(reader_read(&disk->reader, 32 * MIB, block, 512, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	disk_close(disk);
	close(descriptor);
	free(block);
}

static void refused(int descriptor, enum error_code code, const char *part)
{
	struct disk *disk = NULL;
	struct error error;
	struct input input = input_of_file("disk.raw", descriptor);
	struct budget budget = budget_default();
	assert_false(disk_open(&input, &budget, &arena, &disk, &error));
	assert_null(disk);
	assert_int_equal(error.code, code);
	if (!strstr(error.message, part))
		fail_msg("\"%s\" says nothing of \"%s\"", error.message, part);
	close(descriptor);
}

static void what_is_no_disk_is_refused(void **state)
{
	(void)state;
	refused(new_file(), ERROR_TRUNCATED, "empty");
	refused(open("/", O_RDONLY), ERROR_UNSUPPORTED, "directory");
	refused(open("/dev/null", O_RDONLY), ERROR_UNSUPPORTED, "neither");
	refused(-1, ERROR_IO, "Bad file descriptor");
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	refused(ends[0], ERROR_UNSUPPORTED, "neither");
	int write_only = new_file();
	put(write_only, 0, "disk", 4);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", write_only);
	int other = open(path, O_WRONLY);
	close(write_only);
	refused(other, ERROR_IO, "cannot be read at offset 0");
}

static void containers_are_named(void **state)
{
	(void)state;
	static const struct {
		uint64_t offset;
		struct span magic;
		const char *part;
	} cases[] = {
		{ 0, { (const uint8_t *)"COWD", 4 }, "VMDK" },
		{ 0, { (const uint8_t *)"PK\x03\x04", 4 }, "unzip" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int descriptor = new_file();
		assert_int_equal(ftruncate(descriptor, 8192), 0);
		put(descriptor, cases[i].offset, cases[i].magic.data, cases[i].magic.size);
		refused(descriptor, ERROR_UNSUPPORTED, cases[i].part);
	}
	/* A magic that the file is too short for is none. */
	int descriptor = new_file();
	put(descriptor, 0, "QFI", 3);
	struct disk *disk = open_disk(descriptor);
	assert_string_equal(disk->container, "raw");
	disk_close(disk);
	close(descriptor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_is_read),
		cmocka_unit_test(holes_cost_nothing),
		cmocka_unit_test(shrinking_file_is_an_error),
		cmocka_unit_test(what_is_no_disk_is_refused),
		cmocka_unit_test(containers_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
