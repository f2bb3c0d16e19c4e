// btrfs: what stands against reading one, and which damage is survived. What its files hold is compared with
// the kernel's reader by the oracle.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ext2fs/ext2fs.h>

#include "fs/tree.h"
#include "images.h"

#define SUPER 0x10000

#define MAKE                                                                                                 \
	"mkdir -p root/etc; echo content >root/etc/file; truncate -s 72M image\n"                            \
	"mkfs.btrfs -q -n 4096 -m dup -L pool -U 11111111-2222-3333-4444-555555555555 "                      \
	"--rootdir root image\n"

static void put_le64(uint8_t *at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void fix_checksum(uint8_t *block)
{
	put_le64(block, ~ext2fs_crc32c_le(UINT32_MAX, block + 32, 4096 - 32));
	memset(block + 4, 0, 4);
}

/* Changes one number of the superblock, of those that the checksum is over, and identifies it anew. */
static void change_super(struct image *image, size_t offset, uint64_t value)
{
	uint8_t *super = image_bytes(image) + SUPER;
	put_le64(super + offset, value);
	fix_checksum(super);
	fs_close(&image->fs);
	image_identify(image);
}

static void assert_refused(struct image *image, enum error_code code, const char *words)
{
	struct error error = { 0 };
	assert_true(image->known);
	assert_false(fs_open(&image->fs, &error));
	assert_int_equal(error.code, code);
	assert_non_null(strstr(error.message, words));
}

static void assert_readable(struct image *image)
{
	struct error error = { 0 };
	struct span content;
	struct place place;
	if (!fs_open(&image->fs, &error))
		fail_msg("%s", error.message);
	struct tree tree = tree_of(&image->fs);
	assert_true(tree_load(&tree, "/etc/file", 100, &image->arena, &content, &place, &error));
	assert_true(span_equal_text(content, "content\n"));
	assert_false(tree_exists(&tree, "/etc/files"));
}

static void test_identity(void **state)
{
	struct image *image = *state;
	assert_string_equal(image->fs.type, "btrfs");
	assert_string_equal(image->fs.label, "pool");
	assert_string_equal(image->fs.uuid, "11111111-2222-3333-4444-555555555555");
	assert_int_equal(image->fs.problems.count, 0);
	assert_readable(image);
}

static void test_what_is_not_read_is_named(void **state)
{
	struct image *image = *state;
	static const struct {
		size_t offset;
		uint64_t value;
		const char *words;
	} rows[] = {
		{ 136, 2, "2 devices" },
		{ 188, 0x341 | 1 << 11, "raid1c34" },
		{ 188, 0x341 | 1 << 12, "zoned" },
		{ 188, 0x341 | 1 << 13, "extent-tree-v2" },
		{ 188, 0x341 | 1 << 15, "bit 15" },
		{ 188, 0x341 | UINT64_C(1) << 40, "bit 40" },
		{ 56, UINT64_C(1) << 33, "metadata alone" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t before[8];
		memcpy(before, image->bytes.data + SUPER + rows[i].offset, sizeof(before));
		change_super(image, rows[i].offset, rows[i].value);
		assert_refused(image, ERROR_UNSUPPORTED, rows[i].words);
		memcpy(image_bytes(image) + SUPER + rows[i].offset, before, sizeof(before));
	}
}

static void test_states_are_problems(void **state)
{
	struct image *image = *state;
	change_super(image, 96, 0x500000);
	assert_non_null(image_problem(image, "btrfs-log-not-empty"));
	assert_readable(image);
	change_super(image, 96, 0);
	assert_null(image_problem(image, "btrfs-log-not-empty"));
	change_super(image, 209, UINT64_C(1) << 40);
	assert_non_null(image_problem(image, "btrfs-beyond-partition"));
}

static void test_a_damaged_superblock(void **state)
{
	struct image *image = *state;
	image_bytes(image)[SUPER + 300] ^= 1;
	image_identify(image);
	assert_string_equal(image->fs.type, "btrfs");
	assert_null(image->fs.uuid);
	assert_non_null(strstr(image_problem(image, "btrfs-superblock-damaged")->message,
	                       "offset 67108864 is sound"));
	assert_refused(image, ERROR_CORRUPT, "super-recover");
	memset(image_bytes(image) + SUPER, 0, 4096);
	image_identify(image);
	assert_refused(image, ERROR_CORRUPT, "super-recover");
	/* With the copy gone as well, a magic number is all that is left of it. */
	memset(image_bytes(image) + (64 << 20), 0, 4096);
	image_identify(image);
	assert_false(image->known);
	memcpy(image_bytes(image) + SUPER + 64, "_BHRfS_M", 8);
	image_identify(image);
	assert_refused(image, ERROR_CORRUPT, "damaged");
}

/* The same address and generation: two copies of one node. */
static bool same_node(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a + 32, b + 32, 24) == 0 && memcmp(a + 80, b + 80, 8) == 0;
}

/* Damages one of the copies of every node, the first or the second, and says how many there were. */
static unsigned damage_nodes(struct image *image, unsigned which)
{
	uint8_t *bytes = image_bytes(image);
	unsigned count = 0;
	for (size_t at = SUPER + 4096; at + 4096 <= image->bytes.size; at += 4096) {
		unsigned before = 0;
		if (memcmp(bytes + at + 32, bytes + SUPER + 32, 16) != 0 || at == 64 << 20)
			continue;
		for (size_t other = SUPER + 4096; other < at; other += 4096)
			before += same_node(bytes + other, bytes + at);
		if (before != which)
			continue;
		bytes[at + 4095] ^= 1;
		count++;
	}
	return count;
}

static void test_the_second_copy_is_read(void **state)
{
	struct image *image = *state;
	assert_true(damage_nodes(image, 0) > 5);
	image_identify(image);
	assert_readable(image);
	assert_non_null(image_problem(image, "btrfs-copy-damaged"));
	fs_close(&image->fs);
	assert_true(damage_nodes(image, 1) > 5);
	image_identify(image);
	assert_refused(image, ERROR_CORRUPT, "checksum");
}

static void test_mounts(void **state)
{
	struct image *image = *state;
	struct error error = { 0 };
	struct node node;
	const char *path;
	assert_readable(image);
	assert_true(fs_find_mounted(&image->fs, "", &node, &path, &error));
	assert_string_equal(path, "");
	assert_true(fs_find_mounted(&image->fs, "rw,subvolid=5,subvol=/", &node, &path, &error));
	assert_string_equal(path, "");
	assert_int_equal(node.type, NODE_DIRECTORY);
	assert_false(fs_find_mounted(&image->fs, "subvol=etc", &node, &path, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_string_equal(error.message, "'etc' is no subvolume");
	assert_false(fs_find_mounted(&image->fs, "subvol=/@,rw", &node, &path, &error));
	assert_string_equal(error.message, "there is no subvolume '/@'");
	assert_true(fs_find_mounted(&image->fs, "subvolid=0,subvol=/", &node, &path, &error));
	assert_false(fs_find_mounted(&image->fs, "subvolid=256,subvol=/", &node, &path, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_string_equal(error.message, "subvolume '/' has not the number of subvolid=256");
	assert_false(fs_find_mounted(&image->fs, "subvolid=256", &node, &path, &error));
	assert_string_equal(error.message, "there is no subvolume 256");
}

static int set_up(void **state)
{
	static struct image image;
	image_make(&image, MAKE);
	*state = &image;
	return image.known ? 0 : -1;
}

static int tear_down(void **state)
{
	image_free(*state);
	return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_identity),
		TEST(test_what_is_not_read_is_named),
		TEST(test_states_are_problems),
		TEST(test_a_damaged_superblock),
		TEST(test_the_second_copy_is_read),
		TEST(test_mounts),
	};
	return cmocka_run_group_tests_name("btrfs", tests, NULL, NULL);
}
