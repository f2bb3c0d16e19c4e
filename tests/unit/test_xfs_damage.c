// Damage behind a sound superblock of xfs: inodes, trees, directories.

#include "xfs_bench.h"

#include "fs/tree.h"
#include "fs/xfs_super.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksums), cmocka_unit_test(test_misplaced),
		cmocka_unit_test(test_inodes),    cmocka_unit_test(test_holes),
		cmocka_unit_test(test_trees),     cmocka_unit_test(test_index_loops),
		cmocka_unit_test(test_entries),
	};
	return cmocka_run_group_tests(tests, NULL, free_made);
}
