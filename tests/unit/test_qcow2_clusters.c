// The clusters of qcow2 images: each way in which an entry says where they are, and entries that lie.

#include "container_file.h"

#include <zlib.h>

#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

/* Where things lie in the image that is made: of clusters of 64 KiB, with a disk of five and a half. */
#define CLUSTER  (64 * KIB)
#define L1       (1 * CLUSTER)
#define L2       (2 * CLUSTER)
#define DATA     (3 * CLUSTER)
#define DISK     (5 * CLUSTER + CLUSTER / 2)
#define COPIED   (UINT64_C(1) << 63)
#define PACKED   (UINT64_C(1) << 62)
#define IS_ZERO  UINT64_C(1)
#define EXTENDED 16

static void make_image(unsigned version, uint64_t features)
{
	begin(8 * CLUSTER);
	put(0, "QFI\xfb", 4);
	put_be(4, 4, version);
	put_be(20, 4, 16);
	put_be(24, 8, DISK);
	put_be(36, 4, 1);
	put_be(40, 8, L1);
	put_be(48, 8, 7 * CLUSTER);
	put_be(56, 4, 1);
	if (version >= 3) {
		put_be(72, 8, features);
		put_be(96, 4, 4);
		put_be(100, 4, 112);
	}
	put_be(L1, 8, COPIED | L2);
}

/* Three clusters from DATA on, each full of its own letter, but for their last byte. */
static void put_letters(void)
{
	for (unsigned i = 0; i < 3; i++) {
		memset(file + DATA + i * CLUSTER, 'a' + (int)i, CLUSTER - 1);
		file[DATA + (i + 1) * CLUSTER - 1] = '.';
	}
}

struct opened {
	FILE *stream;
	struct disk *disk;
	struct input input;
	struct budget budget;
};

static void open_image(struct opened *opened)
{
	struct error error;
	*opened = (struct opened){ .stream = tmpfile(), .budget = budget_default() };
	assert_non_null(opened->stream);
	assert_int_equal(fwrite(file, 1, file_size, opened->stream), file_size);
	assert_int_equal(fflush(opened->stream), 0);
	opened->input = input_of_file("disk", fileno(opened->stream));
	if (!disk_open(&opened->input, &opened->budget, &arena, &opened->disk, &error))
		fail_msg("%s", error.message);
	assert_int_equal(opened->disk->served, SERVED_NOT);
	assert_string_equal(opened->disk->container, "qcow2");
	assert_null(opened->disk->problem.code);
}

static void close_image(struct opened *opened)
{
	disk_close(opened->disk);
	fclose(opened->stream);
}

static bool read_disk(struct opened *opened, uint64_t offset, size_t length, uint8_t *out,
                      struct error *error)
{
	memset(out, 0xee, length);
	return reader_read(&opened->disk->reader, offset, out, length, error);
}

/* What the disk has at an offset, up to the end of its cluster, and once more in pieces across all borders.
 */
static const char *problem = "";

static void has(uint64_t offset, const char *wanted)
{
	struct opened opened;
	struct error error = { 0 };
	uint8_t bytes[16], *whole = malloc(DISK), *pieces = malloc(DISK);
	size_t length = strlen(wanted);
	open_image(&opened);
	assert_int_equal(opened.disk->reader.size, DISK);
	if (!read_disk(&opened, offset, length, bytes, &error))
		fail_msg("%s", error.message);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(bytes[i], wanted[i] == '0' ? 0 : wanted[i]);
	if (!read_disk(&opened, 0, DISK, whole, &error))
		fail_msg("%s", error.message);
	for (size_t at = 0, size; at < DISK; at += size) {
		size = DISK - at < 7001 ? DISK - at : 7001;
		assert_true(read_disk(&opened, at, size, pieces + at, &error));
	}
	assert_memory_equal(whole, pieces, DISK);
	assert_string_equal(opened.disk->problem.code ? opened.disk->problem.code : "", problem);
	assert_memory_equal(whole + offset, bytes, length);
	assert_string_equal(opened.disk->failure, "");
	close_image(&opened);
	free(whole);
	free(pieces);
}

/* A read at an offset fails with these words, which the disk remembers; the byte before can be had. */
static void fails(uint64_t offset, const char *words)
{
	struct opened opened;
	struct error error = { 0 };
	uint8_t byte;
	open_image(&opened);
	assert_true(offset == 0 || read_disk(&opened, offset - 1, 1, &byte, &error));
	if (read_disk(&opened, offset, 1, &byte, &error))
		fail_msg("read, but wanted: %s", words);
	if (!strstr(error.message, words))
		fail_msg("\"%s\" says nothing of \"%s\"", error.message, words);
	assert_int_equal(error.code, ERROR_CORRUPT);
	assert_string_equal(opened.disk->failure, error.message);
	close_image(&opened);
}

static void put_entry(unsigned cluster, uint64_t entry)
{
	put_be(L2 + 8 * cluster, 8, entry);
}

static void clusters_lie_anywhere(void **state)
{
	(void)state;
	make_image(3, 0);
	has(0, "000");
	put_letters();
	put_entry(0, COPIED | (DATA + CLUSTER));
	put_entry(1, DATA);
	put_entry(3, DATA | IS_ZERO);
	put_entry(4, IS_ZERO);
	put_entry(5, DATA + 2 * CLUSTER);
	has(0, "bbb");
	has(CLUSTER - 2, "b.aa");
	has(2 * CLUSTER - 2, "a.00");
	has(3 * CLUSTER, "000");
	has(4 * CLUSTER, "000");
	has(5 * CLUSTER - 1, "0cc");
	has(DISK - 3, "ccc");
	/* What is reserved, or says something to writers only, changes nothing. */
	put_entry(1, DATA | UINT64_C(0x3f) << 56 | 0xfe);
	has(CLUSTER, "aaa");
	put_be(L1, 8, 0);
	has(0, "000");
	make_image(2, 0);
	put_letters();
	put_entry(1, COPIED | DATA);
	has(2 * CLUSTER - 2, "a.00");
}

static void the_last_cluster_may_be_cut(void **state)
{
	(void)state;
	make_image(3, 0);
	put_letters();
	put_entry(0, DATA + 2 * CLUSTER);
	put_be(48, 8, 0);
	file_size = DATA + 2 * CLUSTER + 100;
	problem = "qcow2-cut";
	has(98, "cc00");
	has(CLUSTER - 1, "0");
	problem = "";
	file_size = DATA + 2 * CLUSTER;
	fails(0, "leads behind the file's end: was it copied completely?");
}

static void entries_lie(void **state)
{
	(void)state;
	static const struct {
		uint64_t l1, l2;
		const char *words;
	} lies[] = {
		{ L2 + 512, 0,
		  "the L1 entry at offset 65536 leads to offset 131584, where no cluster begins" },
		{ 8 * CLUSTER, 0, "the L2 table at offset 524288 ends behind the file's end at 524288" },
		{ UINT64_C(0x00ffffffffff0000), 0, "ends behind the file's end" },
		{ L2, DATA + 512,
		  "the L2 entry for offset 65536 of the disk leads to where no cluster begins" },
		{ L2, 8 * CLUSTER, "leads behind the file's end" },
		{ L2, UINT64_C(0x00ffffffffff0000), "leads behind the file's end" },
		{ L2, PACKED | 8 * CLUSTER,
		  "the L2 entry for offset 65536 of the disk leads behind the file's end" },
		{ L2, ~UINT64_C(0) << 1, "leads behind the file's end" },
		{ L2, PACKED | 6 * CLUSTER, "cannot be unpacked at offset 65536 of the disk: deflate data" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		make_image(3, 0);
		put_be(L1, 8, lies[i].l1);
		put_entry(1, lies[i].l2);
		memset(file + 6 * CLUSTER, 0xff, CLUSTER);
		fails(lies[i].l1 == L2 ? CLUSTER : 0, lies[i].words);
	}
	make_image(2, 0);
	put_entry(1, DATA | IS_ZERO);
	fails(CLUSTER, "has a flag that version 2 does not have");
}

static void subclusters_have_a_say_each(void **state)
{
	(void)state;
	uint64_t third = UINT64_C(1) << 2, fourth = third << 1;
	make_image(3, EXTENDED);
	put_letters();
	put_be(L2, 8, COPIED | DATA);
	put_be(L2 + 8, 8, third | UINT64_C(1) << 31 | fourth << 32);
	put_be(L2 + 16, 8, 0);
	put_be(L2 + 24, 8, third << 32);
	has(0, "000");
	has(2 * 2 * KIB - 1, "0aa");
	has(3 * 2 * KIB - 1, "a00");
	has(31 * 2 * KIB - 1, "0aa");
	has(CLUSTER - 2, "a.00");
	/* Bit 0 says nothing here. */
	put_be(L2, 8, COPIED | DATA | IS_ZERO);
	has(2 * 2 * KIB - 1, "0aa");
	put_be(L2 + 8, 8, third | third << 32);
	fails(2 * 2 * KIB, "contradicts itself");
	put_be(L2, 8, 0);
	put_be(L2 + 8, 8, third);
	fails(2 * 2 * KIB, "contradicts itself");
}

/* The entry of a compressed cluster at `place`, in `size` bytes. */
static uint64_t packed_entry(uint64_t place, size_t size)
{
	unsigned place_bits = 62 - (16 - 8);
	uint64_t more_sectors = (place + size - 1) / 512 - place / 512;
	return PACKED | more_sectors << place_bits | place;
}

static size_t deflate_letters(uint8_t *out, size_t capacity, char letter, size_t count, int flush)
{
	uint8_t *letters = malloc(count);
	z_stream stream = {
		.next_in = letters, .avail_in = (uInt)count, .next_out = out, .avail_out = (uInt)capacity
	};
	memset(letters, letter, count);
	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, -12, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, flush), flush == Z_FINISH ? Z_STREAM_END : Z_OK);
	deflateEnd(&stream);
	free(letters);
	return capacity - stream.avail_out;
}

static void compressed_clusters_are_unpacked(void **state)
{
	(void)state;
	make_image(3, 0);
	put_letters();
	memset(file + 6 * CLUSTER, 0xff, CLUSTER);
	size_t x = deflate_letters(file + 6 * CLUSTER + 77, 1000, 'x', CLUSTER, Z_FINISH);
	size_t y = deflate_letters(file + 6 * CLUSTER + 77 + x, 1000, 'y', CLUSTER, Z_FINISH);
	put_entry(0, DATA);
	put_entry(1, packed_entry(6 * CLUSTER + 77, x));
	put_entry(2, packed_entry(6 * CLUSTER + 77 + x, y));
	put_entry(3, packed_entry(6 * CLUSTER + 77, x));
	put_entry(5, packed_entry(6 * CLUSTER + 77, x));
	has(CLUSTER - 2, "a.xx");
	has(2 * CLUSTER - 1, "xy");
	has(3 * CLUSTER - 1, "yx");
	has(4 * CLUSTER - 1, "x0");
	has(DISK - 1, "x");
	/* The file may end with what it takes: the rest of the last sector need not be there. */
	put_be(48, 8, 0);
	file_size = 6 * CLUSTER + 77 + x + y;
	has(3 * CLUSTER - 1, "yx");
	file_size = 6 * CLUSTER + 77 + x + y / 2;
	fails(2 * CLUSTER, "cannot be unpacked at offset 131072 of the disk");
	/* A stream that is not ended, but gives all, is whole: QEMU looks for no end. */
	size_t open_ended = deflate_letters(file + 6 * CLUSTER + 4 * KIB, 1000, 'w', CLUSTER, Z_SYNC_FLUSH);
	memcpy(file + 8 * CLUSTER - open_ended, file + 6 * CLUSTER + 4 * KIB, open_ended);
	put_entry(3, packed_entry(8 * CLUSTER - open_ended, open_ended));
	file_size = 8 * CLUSTER;
	put_entry(2, 0);
	has(4 * CLUSTER - 1, "w0");
	/* Less than a cluster is damage; more is cut. */
	file_size = 8 * CLUSTER;
	size_t less = deflate_letters(file + 6 * CLUSTER + 8 * KIB, 1000, 'z', CLUSTER - 1, Z_FINISH);
	put_entry(1, packed_entry(6 * CLUSTER + 8 * KIB, less));
	fails(CLUSTER, "leads to less than a cluster");
	size_t more = deflate_letters(file + 6 * CLUSTER + 8 * KIB, 1000, 'z', CLUSTER + 1, Z_FINISH);
	put_entry(1, packed_entry(6 * CLUSTER + 8 * KIB, more));
	has(2 * CLUSTER - 1, "z");
}

static void zstd_clusters_are_unpacked(void **state)
{
	(void)state;
#ifdef HAVE_ZSTD
	uint8_t letters[CLUSTER];
	make_image(3, 8);
	file[104] = 1;
	memset(letters, 'q', sizeof(letters));
	memset(file + 6 * CLUSTER, 0xff, CLUSTER);
	size_t size = ZSTD_compress(file + 6 * CLUSTER + 5, 1000, letters, sizeof(letters), 3);
	assert_false(ZSTD_isError(size));
	put_entry(1, packed_entry(6 * CLUSTER + 5, size));
	has(CLUSTER - 1, "0qq");
	has(2 * CLUSTER - 1, "q0");
	/* In two frames, with one to be skipped before them and between them. */
	size_t at = 6 * CLUSTER + 5, skipped = 12;
	put(at, "\x50\x2a\x4d\x18\4\0\0\0skip", skipped);
	at += skipped;
	at += ZSTD_compress(file + at, 1000, letters, CLUSTER / 4, 3);
	put(at, "\x5f\x2a\x4d\x18\4\0\0\0skip", skipped);
	at += skipped;
	at += ZSTD_compress(file + at, 1000, letters, CLUSTER - CLUSTER / 4, 3);
	put_entry(1, packed_entry(6 * CLUSTER + 5, at - 6 * CLUSTER - 5));
	has(CLUSTER - 1, "0qq");
	has(2 * CLUSTER - 1, "q0");
	file[6 * CLUSTER + 5] = 0;
	fails(CLUSTER, "cannot be unpacked at offset 65536 of the disk: zstd data are damaged");
#else
	skip();
#endif
}

/* More tables and more compressed clusters than are kept, in an order in which they push each other out. */
static void what_is_kept_is_what_was_read(void **state)
{
	(void)state;
	enum { CLUSTERS = 64 * 40, SMALL = 512 };
	begin((CLUSTERS + 200) * SMALL);
	put(0, "QFI\xfb", 4);
	put_be(4, 4, 2);
	put_be(20, 4, 9);
	put_be(24, 8, (uint64_t)CLUSTERS * SMALL);
	put_be(36, 4, CLUSTERS / 64);
	put_be(40, 8, SMALL);
	put_be(48, 8, 2 * SMALL);
	put_be(56, 4, 1);
	size_t size = 0, tables = 4 * SMALL, letters = tables + CLUSTERS / 64 * SMALL;
	for (unsigned i = 0; i < 26; i++) {
		size = deflate_letters(file + letters + i * SMALL, SMALL, (char)('a' + i), SMALL, Z_FINISH);
		assert_true(size < SMALL);
	}
	for (unsigned i = 0; i < CLUSTERS; i++) {
		uint64_t more_sectors = (size - 1) / SMALL;
		put_be(SMALL + i / 64 * 8, 8, tables + i / 64 * SMALL);
		put_be(tables + i * 8, 8, PACKED | more_sectors << 61 | (letters + i % 26 * SMALL));
	}
	struct opened opened;
	struct error error = { 0 };
	uint8_t byte;
	open_image(&opened);
	for (unsigned i = 0, at = 0; i < 3 * CLUSTERS; i++, at = (at + 977) % CLUSTERS) {
		assert_true(read_disk(&opened, (uint64_t)at * SMALL + i % SMALL, 1, &byte, &error));
		assert_int_equal(byte, 'a' + at % 26);
	}
	close_image(&opened);
}

static int clean(void **state)
{
	(void)state;
	free(file);
	file = NULL;
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clusters_lie_anywhere),
		cmocka_unit_test(the_last_cluster_may_be_cut),
		cmocka_unit_test(entries_lie),
		cmocka_unit_test(subclusters_have_a_say_each),
		cmocka_unit_test(compressed_clusters_are_unpacked),
		cmocka_unit_test(zstd_clusters_are_unpacked),
		cmocka_unit_test(what_is_kept_is_what_was_read),
	};
	return cmocka_run_group_tests(tests, NULL, clean);
}
