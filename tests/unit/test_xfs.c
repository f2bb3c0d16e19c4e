// XFS: superblocks, the state of the log, damage that checksums show, and what crafted images must not do.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ext2fs/ext2fs.h>

#include "base/checked.h"
#include "fs/tree.h"
#include "fs/xfs_super.h"
#include "images.h"

#define ID "01234567-89ab-cdef-0123-456789abcdef"

/* /file, /link, /dir with 200 names (one block and its index outside of it), /wide with more, /numbers. */
#define PROTO                                                                                                \
	"seq 20000 > numbers; : > e\n"                                                                       \
	"{ echo '/ 0 0 d--755 0 0'; echo 'numbers ---644 7 100000 numbers'\n"                                \
	"echo 'file -u-751 0 0 e'; echo 'link l--777 0 0 dir/name-7'\n"                                      \
	"echo 'dir d--755 0 0'; for i in $(seq 200); do echo \"name-$i ---644 0 0 e\"; done; echo '$'\n"     \
	"echo 'wide d--755 0 0'; for i in $(seq 900); do echo \"name-$i ---644 0 0 e\"; done; echo '$'\n"    \
	"echo '$'; } > proto; truncate -s 24M image\n"
#define MKFS "mkfs.xfs -q -f --unsupported -b size=1024 -p proto -L label -m uuid=" ID

#define V5_SCRIPT PROTO MKFS " image"
#define V4_SCRIPT PROTO MKFS ",crc=0 image"

/* What every test starts from is made once. */
static struct span made[2];
static struct arena making;

static void image_of(struct image *image, int version)
{
	struct span *sound = &made[version - 4];
	*image = (struct image){ 0 };
	if (!sound->data)
		*sound = image_script(version == 5 ? V5_SCRIPT : V4_SCRIPT, &making);
	image->bytes = joined(*sound, (struct span){ 0 }, &image->arena);
	image_identify(image);
	assert_true(image->known);
}

static void put_be(uint8_t *at, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

static uint64_t get_be(const uint8_t *at, size_t width)
{
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value = value << 8 | at[i];
	return value;
}

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

static void must_open(struct image *image)
{
	struct error error;
	if (!fs_open(&image->fs, &error))
		fail_msg("%s", error.message);
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

/* --- damage --- */

static bool name_is_read(struct image *image, const char *path, struct error *error)
{
	struct names names;
	struct tree_file file;
	char parent[64];
	snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
	image_identify(image);
	must_open(image);
	struct tree tree = tree_of(&image->fs);
	bool done = tree_names(&tree, *parent ? parent : "/", &image->arena, &names, error) &&
	            tree_lookup(&tree, path, &file, error);
	fs_close(&image->fs);
	return done;
}

static void assert_corrupt(struct image *image, const char *path, const char *why)
{
	struct error error;
	assert_false(name_is_read(image, path, &error));
	assert_int_equal(error.code, ERROR_CORRUPT);
	if (!strstr(error.message, why))
		fail_msg("'%s' does not say '%s'", error.message, why);
}

static void test_checksums(void **state)
{
	(void)state;
	static const struct {
		const char *magic;
		size_t length, at;
		const char *path, *what;
	} rows[] = {
		{ "IN", 2, 0, "/file", "the checksum of inode " },
		{ "XDD3", 4, 0, "/wide/name-900", "the checksum of the directory block at offset " },
		{ "\x3d\xff\0\0", 4, 8, "/wide/name-900",
		  "the checksum of the directory index block at offset " },
		{ "\x3e\xbe\0\0", 4, 8, "/wide/name-900",
		  "the checksum of the directory index block at offset " },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image image;
		image_of(&image, 5);
		/* Every block of the kind, in a byte that means nothing to the name. */
		unsigned changed = 0;
		for (size_t at = rows[i].at; at < image.bytes.size; at += 512)
			if (span_has(image.bytes, at, rows[i].magic, rows[i].length)) {
				image_bytes(&image)[at - rows[i].at + (rows[i].length == 2 ? 32 : 500)] ^= 1;
				changed++;
			}
		assert_true(changed > 0);
		assert_corrupt(&image, rows[i].path, rows[i].what);
		image_free(&image);
	}
}

/* A block that is sound but was meant for another place. */
static void test_misplaced(void **state)
{
	(void)state;
	struct image image;
	struct error error;
	struct xfs_super super;
	struct tree_file file;
	uint64_t root, other;
	image_of(&image, 5);
	must_open(&image);
	struct tree tree = tree_of(&image.fs);
	assert_true(xfs_super_decode(image.bytes, &super));
	assert_true(tree_lookup(&tree, "/wide", &file, &error));
	assert_true(xfs_inode_offset(&super, file.node.inode, &other));
	assert_true(xfs_inode_offset(&super, super.root, &root));
	fs_close(&image.fs);
	memcpy(image_bytes(&image) + other, image.bytes.data + root, super.inode_size);
	assert_corrupt(&image, "/wide/name-1", "says that it is another one");
	image_free(&image);
}

/* Where an inode of an image of version 4 lies. */
static uint8_t *inode_at(struct image *image, const char *path)
{
	struct xfs_super super;
	struct tree_file file;
	struct error error;
	uint64_t offset;
	image_identify(image);
	must_open(image);
	struct tree tree = tree_of(&image->fs);
	assert_true(xfs_super_decode(image->bytes, &super));
	assert_true(tree_lookup_link(&tree, path, &file, &error));
	assert_true(xfs_inode_offset(&super, file.node.inode, &offset));
	fs_close(&image->fs);
	return image_bytes(image) + offset;
}

static void assert_read_fails(struct image *image, const char *path, enum error_code code, const char *why)
{
	struct span content;
	struct error error;
	image_identify(image);
	must_open(image);
	struct tree tree = tree_of(&image->fs);
	assert_false(tree_load(&tree, path, 1 << 20, &image->arena, &content, NULL, &error));
	assert_int_equal(error.code, code);
	if (!strstr(error.message, why))
		fail_msg("'%s' does not say '%s'", error.message, why);
	fs_close(&image->fs);
}

static void test_inodes(void **state)
{
	(void)state;
	static const struct {
		size_t offset, width;
		uint64_t value;
		enum error_code code;
		const char *why;
	} rows[] = {
		{ 0, 2, 0, ERROR_CORRUPT, "there is no inode" },
		{ 2, 2, 0, ERROR_CORRUPT, "named but deleted" },
		{ 16, 4, 0, ERROR_CORRUPT, "named but deleted" },
		{ 4, 1, 3, ERROR_CORRUPT, "impossible version" },
		{ 5, 1, 1, ERROR_CORRUPT, "impossible format" },
		{ 5, 1, 0, ERROR_CORRUPT, "impossible format" },
		{ 5, 1, 9, ERROR_CORRUPT, "impossible format" },
		{ 5, 1, 3, ERROR_CORRUPT, "root is damaged" },
		{ 56, 8, UINT64_MAX, ERROR_CORRUPT, "impossible size" },
		{ 76, 4, 1000, ERROR_CORRUPT, "more extents than fit" },
		{ 76, 4, 0xffffffff, ERROR_CORRUPT, "more extents than fit" },
		{ 82, 1, 255, ERROR_CORRUPT, "larger than itself" },
		{ 90, 2, 1, ERROR_UNSUPPORTED, "real-time device" },
		/* One extent of 2000 blocks; one whose block is in no group. */
		{ 108, 8, UINT64_C(0x7fffffff), ERROR_CORRUPT, "outside the file system" },
		{ 100, 8, 0x1ff, ERROR_CORRUPT, "outside the file system" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image image;
		image_of(&image, 4);
		put_be(inode_at(&image, "/numbers") + rows[i].offset, rows[i].value, rows[i].width);
		assert_read_fails(&image, "/numbers", rows[i].code, rows[i].why);
		image_free(&image);
	}
}

/* What lies behind the extents, or in extents that were never written, is zeros. */
static void test_holes(void **state)
{
	(void)state;
	struct image image;
	struct span content;
	struct error error;
	for (int unwritten = 0; unwritten < 2; unwritten++) {
		image_of(&image, 4);
		uint8_t *inode = inode_at(&image, "/numbers");
		if (unwritten)
			inode[100] |= 0x80;
		else
			put_be(inode + 76, 0, 4);
		put_be(inode + 56, 300000, 8);
		must_open(&image);
		struct tree tree = tree_of(&image.fs);
		assert_true(tree_load(&tree, "/numbers", 1 << 20, &image.arena, &content, NULL, &error));
		assert_int_equal(content.size, 300000);
		assert_true(span_is_zero(content));
		image_free(&image);
	}
}

/* A tree of extents whose only child is `block` again and again. */
static void test_trees(void **state)
{
	(void)state;
	static const struct {
		uint16_t root_level, level, count;
		const char *why;
	} rows[] = {
		{ 1, 1, 1, "damaged at offset" }, /* leads to itself */
		{ 2, 2, 1, "damaged at offset" }, { 9, 9, 1, "damaged at offset" },
		{ 2, 1, 1, "damaged at offset" }, { 1, 0, 65535, "damaged at offset" },
		{ 1, 0, 0, "damaged at offset" }, { 10, 9, 1, "root is damaged" },
		{ 0, 0, 1, "root is damaged" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image image;
		image_of(&image, 4);
		uint8_t *inode = inode_at(&image, "/numbers");
		uint64_t high = get_be(inode + 100, 8), low = get_be(inode + 108, 8);
		uint64_t block = (high & 0x1ff) << 43 | low >> 21, offset;
		struct xfs_super super;
		assert_true(xfs_super_decode(image.bytes, &super));
		assert_true(xfs_block_offset(&super, block, 1, &offset));
		size_t room = (super.inode_size - 100 - 4) / 16;
		put_be(inode + 5, 3, 1);
		put_be(inode + 100, rows[i].root_level, 2);
		put_be(inode + 102, 1, 2);
		put_be(inode + 104, 0, 8);
		put_be(inode + 104 + room * 8, block, 8);
		uint8_t *node = image_bytes(&image) + offset;
		memset(node, 0, super.block_size);
		memcpy(node, "BMAP", 4);
		put_be(node + 4, rows[i].level, 2);
		put_be(node + 6, rows[i].count, 2);
		put_be(node + 24 + (super.block_size - 24) / 16 * 8, block, 8);
		assert_read_fails(&image, "/numbers", ERROR_CORRUPT, rows[i].why);
		image_free(&image);
	}
}

/* Every leaf of a directory's index is followed by itself and full of the hash of the name that is looked
 * for. */
static void test_index_loops(void **state)
{
	(void)state;
	struct image image;
	image_of(&image, 4);
	unsigned leaves = 0;
	uint32_t sought = 'x' ^ 0;
	for (size_t at = 8; at < image.bytes.size; at += 512) {
		uint8_t *leaf = image_bytes(&image) + at - 8;
		if (!span_has(image.bytes, at, "\xd2\xff\0\0", 4))
			continue;
		size_t count = (size_t)get_be(leaf + 12, 2);
		put_be(leaf, (UINT64_C(1) << 35 >> 10) + 4, 4);
		for (size_t i = 0; i < count; i++)
			put_be(leaf + 16 + i * 8, (uint64_t)sought << 32, 8);
		leaves++;
	}
	assert_true(leaves > 0);
	assert_corrupt(&image, "/wide/x", "a loop");
	image_free(&image);

	/* A node that leads to itself; an index that leads to no entry. */
	image_of(&image, 4);
	for (size_t at = 8; at < image.bytes.size; at += 512)
		if (span_has(image.bytes, at, "\xfe\xbe\0\0", 4))
			put_be(image_bytes(&image) + at + 12, UINT64_C(1) << 35 >> 10, 4);
	assert_corrupt(&image, "/wide/x", "levels do not step down");
	image_free(&image);
	image_of(&image, 4);
	for (size_t at = 8; at < image.bytes.size; at += 512)
		for (size_t i = 0; span_has(image.bytes, at, "\xd2\xff\0\0", 4) && i < 100; i++)
			image_bytes(&image)[at + 8 + i * 8 + 7] ^= 1;
	assert_corrupt(&image, "/wide/name-9", "leads to no entry");
	image_free(&image);
}

static void test_entries(void **state)
{
	(void)state;
	struct image image;
	image_of(&image, 4);
	size_t name = span_find(image.bytes, 0, "name-850", 8);
	memcpy(image_bytes(&image) + name, "na/e-850", 8);
	assert_corrupt(&image, "/wide/name-900", "impossible name");
	image_free(&image);
	image_of(&image, 4);
	name = span_find(image.bytes, 0, "name-850", 8);
	image_bytes(&image)[name - 1] = 0;
	assert_corrupt(&image, "/wide/name-900", "is damaged");
	image_free(&image);
	/* The root's names are inside its inode. */
	image_of(&image, 4);
	uint8_t *root = inode_at(&image, "/");
	root[100] = 200;
	assert_corrupt(&image, "/nothing", "entries that do not fit");
	image_free(&image);
}

static int free_made(void **state)
{
	(void)state;
	arena_free(&making);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),     cmocka_unit_test(test_damaged_superblock),
		cmocka_unit_test(test_features),  cmocka_unit_test(test_log),
		cmocka_unit_test(test_checksums), cmocka_unit_test(test_misplaced),
		cmocka_unit_test(test_inodes),    cmocka_unit_test(test_holes),
		cmocka_unit_test(test_trees),     cmocka_unit_test(test_index_loops),
		cmocka_unit_test(test_entries),
	};
	return cmocka_run_group_tests(tests, NULL, free_made);
}
