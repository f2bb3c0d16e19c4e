// What is recognised, what is wrong with it, and the ext driver on file systems that something happened to.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/checked.h"
#include "fs/tree.h"
#include "images.h"

#define EXT4_SCRIPT                                                                                          \
	"mkdir -p r/dir/inner; echo hello > r/file; ln -s file r/link; seq 20000 > r/dir/numbers\n"          \
	"truncate -s 16M image\n"                                                                            \
	"mke2fs -q -t ext4 -b 1024 -L 'the label' -U 01234567-89ab-cdef-0123-456789abcdef -d r image\n"

/* The same files. */
#define XFS_SCRIPT                                                                                           \
	"echo hello > file; seq 20000 > numbers; truncate -s 24M image\n"                                    \
	"{ echo '/ 0 0 d--755 0 0'; echo 'dir d--755 0 0'; echo 'inner d--755 0 0'; echo '$'\n"              \
	"echo 'numbers ---644 0 0 numbers'; echo '$'; echo 'file ---644 0 0 file'\n"                         \
	"echo 'link l--777 0 0 file'; echo '$'; } > proto\n"                                                 \
	"mkfs.xfs -q -f --unsupported -b size=1024 -p proto image\n"

static const char *const scripts[] = { EXT4_SCRIPT, XFS_SCRIPT };

/* Bytes at an offset, and what they make of an otherwise empty megabyte. */
struct signature_row {
	const char *type, *uuid, *label;
	bool encrypted;
	struct {
		size_t offset;
		const char *bytes;
		size_t length;
	} parts[3];
};

#define PART(offset, text)                                                                                   \
	{                                                                                                    \
		offset, text, sizeof(text) - 1                                                               \
	}
#define ID      "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef"
#define ID_TEXT "01234567-89ab-cdef-0123-456789abcdef"

static const struct signature_row signature_rows[] = {
	{ "crypto_LUKS", ID_TEXT, NULL, true, { PART(0, "LUKS\xba\xbe\0\1"), PART(168, ID_TEXT) } },
	{ "crypto_LUKS",
	  ID_TEXT,
	  "name",
	  true,
	  { PART(0, "LUKS\xba\xbe\0\2"), PART(168, ID_TEXT), PART(24, "name") } },
	{ "BitLocker", NULL, NULL, true, { PART(0, "\xeb\x58\x90-FVE-FS-") } },
	{ "LVM2_member",
	  "xcplmo-1lcf-qmJ5-UVD5-v9zH-5KLV-hHUdtf",
	  NULL,
	  false,
	  { PART(512, "LABELONE"), PART(536, "LVM2 001xcplmo1lcfqmJ5UVD5v9zH5KLVhHUdtf") } },
	{ "linux_raid_member",
	  ID_TEXT,
	  "host:0",
	  false,
	  { PART(4096, "\xfc\x4e\x2b\xa9\1\0\0\0"), PART(4112, ID), PART(4128, "host:0") } },
	{ "linux_raid_member",
	  ID_TEXT,
	  NULL,
	  false,
	  { PART((1 << 20) - 8192, "\xfc\x4e\x2b\xa9\1\0\0\0"), PART((1 << 20) - 8176, ID) } },
	{ "swap", ID_TEXT, "swp", false, { PART(4086, "SWAPSPACE2"), PART(1036, ID), PART(1052, "swp") } },
	{ "swap", ID_TEXT, NULL, false, { PART(65526, "SWAPSPACE2"), PART(1036, ID) } },
	{ "ntfs",
	  "2DA8FCD7141C9140",
	  NULL,
	  false,
	  { PART(3, "NTFS    "), PART(72, "\x40\x91\x1c\x14\xd7\xfc\xa8\x2d") } },
	{ "iso9660", NULL, "CD", false, { PART(0x8001, "CD001"), PART(0x8028, "CD      ") } },
};

static void test_signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signature_rows); i++) {
		const struct signature_row *row = &signature_rows[i];
		struct image image = { 0 };
		struct error error;
		uint8_t *bytes = arena_alloc(&image.arena, 1 << 20);
		for (size_t part = 0; part < ARRAY_SIZE(row->parts) && row->parts[part].bytes; part++)
			memcpy(bytes + row->parts[part].offset, row->parts[part].bytes,
			       row->parts[part].length);
		image.bytes = span_of(bytes, 1 << 20);
		image_identify(&image);
		assert_true(image.known);
		assert_string_equal(image.fs.type, row->type);
		assert_true(str_equal(image.fs.uuid, row->uuid));
		assert_true(str_equal(image.fs.label, row->label));
		assert_int_equal(image.fs.encrypted, row->encrypted);
		assert_false(fs_open(&image.fs, &error));
		assert_int_equal(error.code, ERROR_UNSUPPORTED);
		image_free(&image);
	}
}

static void test_nothing_known(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 511, 1024, 1080, 4096, 1 << 20 };
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct image image = { 0 };
		image.bytes = span_of(arena_alloc(&image.arena, sizes[i] + 1), sizes[i]);
		image_identify(&image);
		assert_false(image.known);
		image_free(&image);
	}
}

static void test_types(void **state)
{
	(void)state;
	static const struct {
		const char *options, *type;
	} rows[] = {
		{ "-t ext2", "ext2" },
		{ "-t ext3", "ext3" },
		{ "-t ext4", "ext4" },
		{ "-t ext4 -O ^has_journal", "ext4" },
		{ "-t ext2 -O extents", "ext4" },
		{ "-b 1024 -O journal_dev", "jbd" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image image;
		char script[200];
		snprintf(script, sizeof(script), "truncate -s 8M image; mke2fs -q %s image", rows[i].options);
		image_make(&image, script);
		assert_true(image.known);
		assert_string_equal(image.fs.type, rows[i].type);
		assert_int_equal(image.fs.problems.count, 0);
		image_free(&image);
	}
}

static void test_sound_ext4(void **state)
{
	(void)state;
	struct image image;
	struct error error;
	image_make(&image, EXT4_SCRIPT);
	assert_true(image.known);
	assert_string_equal(image.fs.uuid, "01234567-89ab-cdef-0123-456789abcdef");
	assert_string_equal(image.fs.label, "the label");
	assert_int_equal(image.fs.problems.count, 0);
	assert_int_equal(image.fs.partition, 7);
	assert_false(fs_is_open(&image.fs));
	assert_true(fs_open(&image.fs, &error));
	assert_true(fs_open(&image.fs, &error));
	fs_close(&image.fs);
	assert_false(fs_is_open(&image.fs));
	image_free(&image);
}

/* Changes the image, identifies it again, and expects one problem. */
static void assert_problem(struct image *image, const char *code, bool opens)
{
	struct error error;
	image_identify(image);
	assert_true(image->known);
	assert_string_equal(image->fs.type, "ext4");
	const struct problem *problem = image_problem(image, code);
	assert_non_null(problem);
	assert_int_equal(problem->place.offset, 1024);
	assert_int_equal(problem->place.partition, 7);
	if (opens) {
		assert_true(fs_open(&image->fs, &error));
	} else {
		assert_false(fs_open(&image->fs, &error));
		assert_int_equal(error.code, ERROR_CORRUPT);
		/* Nothing may find it by these, for the kernel would not. */
		assert_null(image->fs.uuid);
		assert_null(image->fs.label);
	}
	image_free(image);
}

static void test_zeroed_superblock(void **state)
{
	(void)state;
	static const char *const kinds[] = {
		EXT4_SCRIPT,
		"truncate -s 200M image; mke2fs -q -t ext4 -b 4096 image",
		"truncate -s 40M image; mke2fs -q -t ext4 -b 2048 image",
		/* The copy in group 1 is gone, too; that in group 3 is left. */
		("truncate -s 40M image; mke2fs -q -t ext4 -b 1024 image; dd if=/dev/zero of=image bs=1024 "
		 "seek=8193 count=1 conv=notrunc 2>/dev/null"),
	};
	static const char *const backups[] = { "block 8193 ", "block 32768 ", "block 16384 ",
		                               "block 24577 " };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct image image;
		image_make(&image, kinds[i]);
		memset(image_bytes(&image) + 1024, 0, 1024);
		image_identify(&image);
		assert_non_null(strstr(image.fs.problems.items[0].message, backups[i]));
		assert_problem(&image, "ext4-superblock-damaged", false);
	}
}

static void test_damaged_superblock(void **state)
{
	(void)state;
	struct image image;
	image_make(&image, EXT4_SCRIPT);
	image_bytes(&image)[1024 + 0x78] ^= 1;
	assert_problem(&image, "ext4-superblock-checksum", false);

	image_make(&image, EXT4_SCRIPT);
	memset(image_bytes(&image) + 1024 + 0x20, 0, 4);
	assert_problem(&image, "ext4-superblock-damaged", false);
}

static void test_state_problems(void **state)
{
	(void)state;
	struct image image;
	image_make(&image, EXT4_SCRIPT "debugfs -w -R 'feature needs_recovery' image 2>/dev/null");
	assert_problem(&image, "ext4-journal-not-clean", true);
	image_make(&image, EXT4_SCRIPT "debugfs -w -R 'ssv state 3' image 2>/dev/null");
	assert_problem(&image, "ext4-errors-recorded", true);
	image_make(&image, EXT4_SCRIPT "truncate -s 15M image");
	assert_problem(&image, "ext4-beyond-partition", true);
	image_make(
		&image,
		"truncate -s 8M image; mke2fs -q -t ext4 -O ^has_journal image; debugfs -w -R 'ssv state 0' "
		"image 2>/dev/null");
	assert_problem(&image, "ext4-not-clean", true);
}

/* A new file system over an old one is the new one, although old backups may be left. */
static void test_remains_of_ext4(void **state)
{
	(void)state;
	struct image image;
	image_make(&image, "truncate -s 40M image; mke2fs -q -t ext4 image; mkfs.vfat image");
	assert_string_equal(image.fs.type, "vfat");
	image_free(&image);
	image_make(&image, "truncate -s 40M image; mke2fs -q -t ext4 image; mkswap image");
	assert_string_equal(image.fs.type, "swap");
	image_free(&image);
	image_make(&image, "truncate -s 40M image; mkfs.vfat image; mke2fs -q -F -t ext4 image");
	assert_string_equal(image.fs.type, "ext4");
	image_free(&image);
}

static void must_find(const struct tree *tree, const char *path, struct tree_file *out)
{
	struct error error;
	if (!tree_lookup_link(tree, path, out, &error))
		fail_msg("%s: %s", path, error.message);
}

static void test_nodes(void **state)
{
	(void)state;
	struct image image;
	struct error error;
	struct tree_file file;
	image_make(&image, EXT4_SCRIPT
	           "{ echo sif /file mode 0104751; echo sif /file uid 100000; echo sif /file mtime @-5; "
	           "echo sif /file mtime_extra 1; } | debugfs -w -f - image 2>/dev/null");
	assert_true(fs_open(&image.fs, &error));
	struct tree tree = tree_of(&image.fs);
	must_find(&tree, "/file", &file);
	assert_int_equal(file.node.type, NODE_FILE);
	assert_int_equal(file.node.mode, 04751);
	assert_true(file.node.uid == 100000);
	assert_true(file.node.modified == (INT64_C(1) << 32) - 5);
	must_find(&tree, "/link", &file);
	assert_int_equal(file.node.type, NODE_SYMLINK);
	assert_int_equal(node_reader(&file.node).size, 0);
	must_find(&tree, "/dir", &file);
	assert_int_equal(file.node.type, NODE_DIRECTORY);
	image_free(&image);
}

/* Parts of a file, read in any order, are those of the whole. */
static void test_random_access(void **state)
{
	(void)state;
	struct image image;
	struct error error;
	struct tree_file file;
	struct span whole;
	image_make(&image, EXT4_SCRIPT);
	assert_true(fs_open(&image.fs, &error));
	struct tree tree = tree_of(&image.fs);
	must_find(&tree, "/dir/numbers", &file);
	struct reader reader = node_reader(&file.node);
	assert_true(reader_load(&reader, 1 << 20, &image.arena, &whole, &error));
	assert_int_equal(whole.size, 108894);
	uint32_t noise = 7;
	for (int i = 0; i < 2000; i++) {
		uint8_t part[3000];
		noise = noise * 1664525 + 1013904223;
		size_t offset = (noise >> 8) % whole.size, length = (noise >> 4) % sizeof(part);
		if (length > whole.size - offset)
			length = whole.size - offset;
		assert_true(reader_read(&reader, offset, part, length, &error));
		assert_memory_equal(part, whole.data + offset, length);
	}
	uint8_t byte;
	assert_false(reader_read(&reader, whole.size, &byte, 1, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	image_free(&image);
}

static void test_encrypted(void **state)
{
	(void)state;
	struct image image;
	struct error error;
	struct span content;
	struct names names;
	image_make(&image, EXT4_SCRIPT "{ echo sif /dir flags 0x80800; echo sif /file flags 0x80800; } | "
	                               "debugfs -w -f - image 2>/dev/null");
	assert_true(fs_open(&image.fs, &error));
	struct tree tree = tree_of(&image.fs);
	assert_false(tree_load(&tree, "/file", 100, &image.arena, &content, NULL, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	assert_false(tree_names(&tree, "/dir", &image.arena, &names, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	assert_false(tree_load(&tree, "/dir/numbers", 1 << 20, &image.arena, &content, NULL, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	image_free(&image);
}

static void test_unknown_feature(void **state)
{
	(void)state;
	struct image image;
	struct error error;
	image_make(&image, "truncate -s 8M image; mke2fs -q -t ext3 image");
	image_bytes(&image)[1024 + 0x63] |= 0x40; /* incompatible feature 0x40000000 */
	image_identify(&image);
	assert_true(image.known);
	assert_false(fs_open(&image.fs, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	image_free(&image);
}

/* Fails the n-th read, and all behind it. */
struct failing {
	struct reader inner;
	unsigned left;
};

static bool read_failing(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	struct failing *failing = state;
	if (failing->left == 0)
		return error_set(error, ERROR_IO, "the device failed");
	failing->left--;
	return reader_read(&failing->inner, offset, buffer, length, error);
}

/* Identifies, opens and reads; true when nothing failed. */
static bool use_everything(const struct reader *reader, struct budget *budget, struct error *error)
{
	struct arena arena = { 0 };
	struct filesystem fs;
	struct span content;
	struct names names;
	bool good = false;
	error_clear(error);
	if (fs_identify(reader, 0, budget, &arena, &fs) && fs_open(&fs, error)) {
		struct tree tree = tree_of(&fs);
		good = tree_names(&tree, "/dir", &arena, &names, error) && names.count == 2 &&
		       tree_load(&tree, "/link", 100, &arena, &content, NULL, error) &&
		       tree_load(&tree, "/dir/numbers", 1 << 20, &arena, &content, NULL, error);
	}
	fs_close(&fs);
	arena_free(&arena);
	return good;
}

static void assert_failing_reads_seen(const char *script)
{
	struct image image;
	struct error error;
	image_make(&image, script);
	struct failing failing = { .inner = image.reader };
	struct reader reader = { .read = read_failing, .state = &failing, .size = image.reader.size };
	unsigned reads = 0;
	for (bool done = false; !done; reads++) {
		struct budget budget = budget_default();
		failing.left = reads;
		done = use_everything(&reader, &budget, &error);
		if (!done && error.code != ERROR_NONE)
			assert_int_equal(error.code, ERROR_IO);
		assert_true(reads < 200);
	}
	assert_true(reads > 5);
	image_free(&image);
}

static void test_failing_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		assert_failing_reads_seen(scripts[i]);
}

static bool read_behind_head(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	const struct reader *inner = state;
	if (offset < 2048)
		return error_set(error, ERROR_IO, "a bad block");
	return reader_read(inner, offset, buffer, length, error);
}

/* It may be any file system: the backup superblock, which is there, says nothing of one that is damaged. */
static void test_unread_head(void **state)
{
	(void)state;
	struct image image;
	image_make(&image, "mke2fs -t ext4 -b 1024 image 20M");
	assert_null(image.fs.unread);
	struct reader reader = { .read = read_behind_head,
		                 .state = &image.reader,
		                 .size = image.reader.size };
	struct filesystem fs;
	assert_false(fs_identify(&reader, 7, &image.budget, &image.arena, &fs));
	assert_string_equal(fs.unread, "a bad block");
	assert_null(fs.type);
	assert_int_equal(fs.problems.count, 0);
	image_free(&image);
}

static void assert_budget_kept(const char *script)
{
	struct image image;
	struct error error;
	image_make(&image, script);
	unsigned limited = 0;
	for (uint64_t steps = 1; steps < 1000; steps++) {
		struct budget budget = { .steps_left = steps };
		if (use_everything(&image.reader, &budget, &error))
			break;
		assert_int_equal(error.code, ERROR_LIMIT);
		limited++;
	}
	assert_in_range(limited, 5, 500);
	image_free(&image);
}

static void test_budget(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		assert_budget_kept(scripts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_sound_ext4),
		cmocka_unit_test(test_zeroed_superblock),
		cmocka_unit_test(test_damaged_superblock),
		cmocka_unit_test(test_state_problems),
		cmocka_unit_test(test_remains_of_ext4),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_random_access),
		cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_unknown_feature),
		cmocka_unit_test(test_failing_reads),
		cmocka_unit_test(test_unread_head),
		cmocka_unit_test(test_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
