// The superblock of xfs, its features and its log: sound, damaged, in use.
#include <ext2fs/ext2fs.h>

#include "xfs_bench.h"

#include "fs/tree.h"
#include "fs/xfs_super.h"

/* Makes a checksum right again. */
static void sign(uint8_t *bytes, size_t size, size_t offset)
{
	memset(bytes + offset, 0, 4);
	uint32_t sum = ~ext2fs_crc32c_le(~0U, bytes, size);
	for (size_t i = 0; i < 4; i++)
		bytes[offset + i] = (uint8_t)(sum >> 8 * i);
}

/* Sets a number of the superblock and signs it. */
static void set_super(struct image *image, size_t offset, uint64_t value, size_t width)
{
	put_be(image_bytes(image) + offset, value, width);
	sign(image_bytes(image), 512, 224);
	image_identify(image);
	assert_true(image->known);
	assert_string_equal(image->fs.type, "xfs");
}

static void assert_refused(struct image *image, enum error_code code, const char *why)
{
	struct error error;
	assert_false(fs_open(&image->fs, &error));
	assert_int_equal(error.code, code);
	if (!strstr(error.message, why))
		fail_msg("'%s' does not say '%s'", error.message, why);
}

static void test_sound(void **state)
{
	(void)state;
	for (int version = 4; version <= 5; version++) {
		struct image image;
		struct tree_file file;
		struct names names;
		struct span content;
		struct error error;
		image_of(&image, version);
		assert_string_equal(image.fs.type, "xfs");
		assert_string_equal(image.fs.uuid, ID);
		assert_string_equal(image.fs.label, "label");
		assert_int_equal(image.fs.problems.count, 0);
		must_open(&image);
		struct tree tree = tree_of(&image.fs);
		assert_true(tree_lookup(&tree, "/file", &file, &error));
		assert_int_equal(file.node.mode, 04751);
		assert_true(tree_load(&tree, "/numbers", 1 << 20, &image.arena, &content, NULL, &error));
		assert_int_equal(content.size, 108894);
		assert_true(span_has(content, 108888, "20000\n", 6));
		assert_true(tree_lookup(&tree, "/link", &file, &error));
		assert_string_equal(file.path, "/dir/name-7");
		assert_true(tree_lookup(&tree, "/numbers", &file, &error));
		assert_int_equal(file.node.uid, 7);
		assert_int_equal(file.node.gid, 100000);
		assert_true(tree_names(&tree, "/dir", &image.arena, &names, &error));
		assert_int_equal(names.count, 200);
		assert_true(tree_names(&tree, "/wide", &image.arena, &names, &error));
		assert_int_equal(names.count, 900);
		assert_true(tree_exists(&tree, "/wide/name-900"));
		static const char *const absent[] = { "/nothing", "/dir/name-0", "/wide/name-901", "/wide/x",
			                              "/file/x" };
		for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
			assert_false(tree_lookup(&tree, absent[i], &file, &error));
			assert_int_equal(error.code, ERROR_NOT_FOUND);
		}
		image_free(&image);
	}
}

static void assert_damaged(struct image *image, const char *code)
{
	image_identify(image);
	assert_true(image->known);
	assert_string_equal(image->fs.type, "xfs");
	assert_non_null(image_problem(image, code));
	/* Nothing may find it by these, for the kernel would not. */
	assert_null(image->fs.uuid);
	assert_null(image->fs.label);
	assert_refused(image, ERROR_CORRUPT, "the kernel does not mount it");
	image_free(image);
}

static void test_damaged_superblock(void **state)
{
	(void)state;
	struct image image;
	image_of(&image, 5);
	image_bytes(&image)[109] ^= 1;
	assert_damaged(&image, "xfs-superblock-checksum");
	image_of(&image, 5);
	set_super(&image, 126, 1, 1);
	assert_damaged(&image, "xfs-unfinished");

	/* Numbers that contradict each other, or none. */
	static const struct {
		size_t offset, width;
		uint64_t value;
	} rows[] = {
		{ 4, 4, 0 },     { 4, 4, 2048 },       { 8, 8, 0 },   { 8, 8, UINT64_MAX },  { 84, 4, 0 },
		{ 84, 4, 1 },    { 84, 4, 0xfffffff }, { 88, 4, 0 },  { 88, 4, 0xffffffff }, { 100, 2, 0 },
		{ 102, 2, 100 }, { 104, 2, 0 },        { 106, 2, 0 }, { 106, 2, 3 },         { 120, 1, 77 },
		{ 121, 1, 8 },   { 122, 1, 14 },       { 123, 1, 0 }, { 124, 1, 0 },         { 124, 1, 40 },
		{ 192, 1, 7 },   { 192, 1, 255 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		image_of(&image, 5);
		set_super(&image, rows[i].offset, rows[i].value, rows[i].width);
		assert_damaged(&image, "xfs-superblock-damaged");
	}
}

static void test_features(void **state)
{
	(void)state;
	struct image image;
	image_of(&image, 5);
	uint32_t incompat = (uint32_t)get_be(image_bytes(&image) + 216, 4);
	set_super(&image, 216, incompat | 0x10, 4);
	assert_non_null(image_problem(&image, "xfs-needs-repair"));
	assert_refused(&image, ERROR_UNSUPPORTED, "need of repair");
	set_super(&image, 216, incompat | 0x40000000, 4);
	assert_refused(&image, ERROR_UNSUPPORTED, "incompatible feature 0x40000000");
	set_super(&image, 216, incompat | 0x100, 4);
	assert_refused(&image, ERROR_UNSUPPORTED, "metadir");
	/* exchange and parent change nothing that is read here. */
	set_super(&image, 216, incompat | 0xc0, 4);
	must_open(&image);
	image_free(&image);

	image_of(&image, 5);
	set_super(&image, 48, 0, 8);
	assert_refused(&image, ERROR_UNSUPPORTED, "log is on another device");
	image_free(&image);
	image_of(&image, 4);
	set_super(&image, 100, 3, 2);
	assert_refused(&image, ERROR_UNSUPPORTED, "version 3");
	image_free(&image);

	image_of(&image, 5);
	image.bytes.size = 20 << 20;
	image_identify(&image);
	assert_non_null(image_problem(&image, "xfs-beyond-partition"));
	must_open(&image);
	image_free(&image);
}

/* --- the log --- */

#define LOG_BLOCK 512

/* A log of which every block has its cycle, `cycle` up to block `head` and one less behind it. */
static uint8_t *make_log(struct image *image, uint32_t cycle, size_t head, size_t *count)
{
	struct xfs_super super;
	uint64_t offset;
	assert_true(xfs_super_decode(image->bytes, &super));
	assert_true(xfs_block_offset(&super, super.log_start, super.log_blocks, &offset));
	*count = (size_t)super.log_blocks * super.block_size / LOG_BLOCK;
	uint8_t *log = image_bytes(image) + offset;
	memset(log, 0, *count * LOG_BLOCK);
	for (size_t i = 0; i < *count; i++)
		put_be(log + i * LOG_BLOCK, i < head ? cycle : cycle - 1, 4);
	return log;
}

/* A record of a header and `blocks` blocks at the block `at` of the ring. */
static void put_record(const struct image *image, uint8_t *log, size_t count, size_t at, size_t blocks,
                       bool unmount)
{
	uint8_t *header = log + at * LOG_BLOCK;
	uint32_t cycle = (uint32_t)get_be(header, 4);
	put_be(header, 0xfeedbabe, 4);
	put_be(header + 4, cycle, 4);
	put_be(header + 8, 2, 4);
	put_be(header + 12, blocks * LOG_BLOCK, 4);
	put_be(header + 40, unmount ? 1 : 5, 4);
	memcpy(header + 304, image->bytes.data + 32, 16);
	put_be(header + 320, 32768, 4);
	log[(at + 1) % count * LOG_BLOCK + 9] = unmount ? 0x20 : 0;
}

static bool is_dirty(struct image *image)
{
	image_identify(image);
	assert_true(image->known);
	const struct problem *problem = image_problem(image, "xfs-log-not-clean");
	if (problem)
		must_open(image);
	fs_close(&image->fs);
	return problem;
}

static void test_log(void **state)
{
	(void)state;
	struct image image;
	size_t count;
	image_of(&image, 5);
	for (size_t head = 0; head < 40; head++) {
		uint8_t *log = make_log(&image, 7, 2 + head * 23, &count);
		put_record(&image, log, count, head * 23, 1, true);
		assert_false(is_dirty(&image));
		put_record(&image, log, count, head * 23, 1, false);
		assert_true(is_dirty(&image));
	}
	/* A record that goes over the end of the ring; and one that ends there. */
	uint8_t *log = make_log(&image, 9, 1, &count);
	put_record(&image, log, count, count - 1, 1, true);
	assert_false(is_dirty(&image));
	log = make_log(&image, 9, count, &count);
	put_record(&image, log, count, count - 2, 1, true);
	assert_false(is_dirty(&image));
	put_record(&image, log, count, count - 2, 1, false);
	assert_true(is_dirty(&image));
	/* Padded to the stripe; with something behind the unmount; a long record; nothing at all. */
	log = make_log(&image, 3, 164, &count);
	put_record(&image, log, count, 100, 63, true);
	assert_false(is_dirty(&image));
	put_record(&image, log, count, 100, 62, true);
	assert_true(is_dirty(&image));
	log = make_log(&image, 3, 500, &count);
	put_record(&image, log, count, 50, 449, false);
	assert_true(is_dirty(&image));
	log = make_log(&image, 1, 0, &count);
	assert_false(is_dirty(&image));
	/* Where there is no record of this file system, nothing is said. */
	log = make_log(&image, 3, 164, &count);
	assert_false(is_dirty(&image));
	put_record(&image, log, count, 100, 63, false);
	log[100 * LOG_BLOCK + 304] ^= 1;
	assert_false(is_dirty(&image));
	image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_damaged_superblock),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_log),
	};
	return cmocka_run_group_tests(tests, NULL, free_made);
}
