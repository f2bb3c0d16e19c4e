// FAT: boot sectors, names, chains, and what crafted ones must not do.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/checked.h"
#include "fs/tree.h"
#include "fs/vfat_layout.h"
#include "fs/vfat_name.h"
#include "images.h"

#define FAT16_SCRIPT                                                                                         \
	"truncate -s 16M image; mkfs.vfat -F 16 -i 0A1BC2D3 -n 'EFI SYS' image\n"                            \
	"mmd -i image ::EFI ::EFI/BOOT; seq 2000 > numbers\n"                                                \
	"mcopy -i image numbers '::a long name.conf'; mcopy -i image numbers ::SHORT.TXT\n"                  \
	"mcopy -i image numbers ::EFI/BOOT/BOOTX64.EFI; : > e; mcopy -i image e ::empty\n"

static void must_open(struct image *image)
{
	struct error error;
	assert_true(image->known);
	assert_string_equal(image->fs.type, "vfat");
	if (!fs_open(&image->fs, &error))
		fail_msg("%s", error.message);
}

static void test_identity(void **state)
{
	(void)state;
	struct image image;
	image_make(&image, FAT16_SCRIPT);
	assert_string_equal(image.fs.type, "vfat");
	assert_string_equal(image.fs.uuid, "0A1B-C2D3");
	assert_string_equal(image.fs.label, "EFI SYS");
	assert_int_equal(image.fs.problems.count, 0);
	image_free(&image);

	image_make(&image, "truncate -s 64M image; mkfs.vfat -F 32 -i 00000001 image");
	assert_string_equal(image.fs.uuid, "0000-0001");
	assert_null(image.fs.label);
	image_free(&image);

	image_make(&image, FAT16_SCRIPT "truncate -s 12M image");
	assert_non_null(image_problem(&image, "vfat-beyond-partition"));
	image_free(&image);
}

static void test_lookup(void **state)
{
	(void)state;
	struct image image;
	struct span content;
	struct error error;
	image_make(&image, FAT16_SCRIPT);
	must_open(&image);
	struct tree tree = tree_of(&image.fs);
	static const char *const paths[] = { "/EFI/BOOT/BOOTX64.EFI",
		                             "/efi/boot/bootx64.efi",
		                             "/a long name.conf",
		                             "/A LONG NAME.CONF",
		                             "/ALONGN~1.CON",
		                             "/short.txt",
		                             "/short.txt." };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_true(tree_load(&tree, paths[i], 1 << 20, &image.arena, &content, NULL, &error));
		assert_int_equal(content.size, 8893);
		assert_true(span_has(content, 8888, "2000\n", 5));
	}
	assert_true(tree_load(&tree, "/empty", 0, &image.arena, &content, NULL, &error));
	static const char *const absent[] = { "/a long name.con", "/a long name.confx", "/short", "/EFI SYS",
		                              "/EFI/nothing",     "/empty/x",           "/..." };
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		assert_false(tree_exists(&tree, absent[i]));
	image_free(&image);
}

static void test_names(void **state)
{
	(void)state;
	struct image image;
	struct names names;
	struct error error;
	static const char *const wanted[] = { "EFI", "SHORT.TXT", "a long name.conf", "empty" };
	image_make(&image,
	           FAT16_SCRIPT "mcopy -i image e '::a deleted name'; mdel -i image '::a deleted name'\n");
	must_open(&image);
	struct tree tree = tree_of(&image.fs);
	assert_true(tree_names(&tree, "/", &image.arena, &names, &error));
	assert_int_equal(names.count, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < names.count; i++)
		assert_string_equal(names.items[i], wanted[i]);
	assert_true(tree_names(&tree, "/EFI/BOOT", &image.arena, &names, &error));
	assert_int_equal(names.count, 1);
	image_free(&image);
}

/* A directory entry of `short_name` with a checksum that long name entries need. */
static uint8_t make_entry(uint8_t *entry, const char *short_name)
{
	uint8_t sum = 0;
	memset(entry, 0, VFAT_ENTRY_SIZE);
	memcpy(entry, short_name, 11);
	for (size_t i = 0; i < 11; i++)
		sum = (uint8_t)((sum >> 1 | sum << 7) + entry[i]);
	return sum;
}

static void make_long(uint8_t *entry, uint8_t number, uint8_t checksum, const uint16_t *units)
{
	static const uint8_t offsets[13] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
	memset(entry, 0, VFAT_ENTRY_SIZE);
	entry[0] = number;
	entry[11] = 0x0f;
	entry[13] = checksum;
	for (size_t i = 0; i < 13; i++) {
		entry[offsets[i]] = (uint8_t)units[i];
		entry[offsets[i] + 1] = (uint8_t)(units[i] >> 8);
	}
}

static void assert_name(const uint8_t (*entries)[VFAT_ENTRY_SIZE], size_t count, const char *wanted)
{
	struct vfat_long_name pending = { 0 };
	struct vfat_entry entry;
	for (size_t i = 0; i + 1 < count; i++)
		assert_int_equal(vfat_scan_entry(&pending, span_of(entries[i], VFAT_ENTRY_SIZE), &entry),
		                 VFAT_SKIP);
	assert_int_equal(vfat_scan_entry(&pending, span_of(entries[count - 1], VFAT_ENTRY_SIZE), &entry),
	                 VFAT_ENTRY);
	assert_string_equal(entry.name, wanted);
}

static void test_long_names(void **state)
{
	(void)state;
	static const uint16_t clef[13] = { 0xd834, 0xdd1e, 'x', 0xd834, 'y', 0xdd1e, 0xfc, 0 };
	static const uint16_t first[13] = { 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm' };
	static const uint16_t second[13] = { 'n', 0, 0xffff, 0xffff };
	uint8_t entries[3][VFAT_ENTRY_SIZE];
	uint8_t sum = make_entry(entries[1], "SHORT   TXT");
	make_entry(entries[2], "SHORT   TXT");

	make_long(entries[0], 0x41, sum, clef);
	assert_name(entries, 2, "\xf0\x9d\x84\x9ex\xef\xbf\xbdy\xef\xbf\xbd\xc3\xbc");
	make_long(entries[0], 0x41, (uint8_t)(sum + 1), clef);
	assert_name(entries, 2, "SHORT.TXT");
	make_long(entries[0], 0x40, sum, clef);
	assert_name(entries, 2, "SHORT.TXT");
	make_long(entries[0], 0x7f, sum, clef);
	assert_name(entries, 2, "SHORT.TXT");

	make_long(entries[0], 0x42, sum, second);
	make_long(entries[1], 0x01, sum, first);
	assert_name(entries, 3, "abcdefghijklmn");
	make_long(entries[1], 0x02, sum, first); /* out of order */
	assert_name(entries, 3, "SHORT.TXT");
	entries[1][0] = 0xe5; /* its second part was deleted */
	assert_name(entries, 3, "SHORT.TXT");
}

static void test_short_names(void **state)
{
	(void)state;
	uint8_t entry[1][VFAT_ENTRY_SIZE];
	make_entry(entry[0], "A       B  ");
	assert_name(entry, 1, "A.B");
	make_entry(entry[0], "NOEXT      ");
	assert_name(entry, 1, "NOEXT");
	make_entry(entry[0], "MIXED   TXT");
	entry[0][12] = 0x08;
	assert_name(entry, 1, "mixed.TXT");
	entry[0][12] = 0x18;
	assert_name(entry, 1, "mixed.txt");
	make_entry(entry[0], "\x05\x81      TXT");
	assert_name(entry, 1, "\xcf\x83\xc3\xbc.TXT");
}

/* Changes some bytes of a sound boot sector; none of these is a FAT any more. */
static void test_boot_sectors(void **state)
{
	(void)state;
	static const struct {
		size_t offset;
		uint8_t bytes[4];
		size_t length;
	} rows[] = {
		{ 11, { 0, 0 }, 2 },  { 11, { 0, 1 }, 2 },       { 11, { 0, 0x20 }, 2 }, { 11, { 1, 2 }, 2 },
		{ 13, { 0 }, 1 },     { 13, { 3 }, 1 },          { 14, { 0, 0 }, 2 },    { 16, { 0 }, 1 },
		{ 16, { 9 }, 1 },     { 17, { 0, 0 }, 2 },       { 21, { 0x12 }, 1 },    { 22, { 0, 0 }, 2 },
		{ 19, { 40, 0 }, 2 }, { 22, { 0xff, 0xff }, 2 },
	};
	struct image image;
	struct vfat_layout layout;
	image_make(&image, FAT16_SCRIPT);
	struct span boot;
	assert_true(span_slice(image.bytes, 0, VFAT_BOOT_SIZE, &boot));
	assert_true(vfat_decode(boot, &layout));
	assert_int_equal(layout.bits, 16);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t copy[VFAT_BOOT_SIZE];
		memcpy(copy, boot.data, sizeof(copy));
		memcpy(copy + rows[i].offset, rows[i].bytes, rows[i].length);
		if (vfat_decode(span_of(copy, sizeof(copy)), &layout))
			fail_msg("row %zu is taken for a FAT", i);
	}
	assert_false(vfat_decode(span_of(boot.data, 40), &layout));
	image_free(&image);
}

/* Sets an entry of both copies of a FAT16. */
static void set_fat(struct image *image, uint32_t cluster, uint16_t value)
{
	struct vfat_layout layout;
	assert_true(vfat_decode(image->bytes, &layout));
	for (int copy = 0; copy < 2; copy++) {
		uint8_t *entry = image_bytes(image) + layout.fat_offset + (uint64_t)copy * layout.fat_size +
		                 (size_t)cluster * 2;
		entry[0] = (uint8_t)value;
		entry[1] = (uint8_t)(value >> 8);
	}
}

static void assert_chain_fails(uint16_t value, const char *path, const char *why)
{
	struct image image;
	struct tree_file file;
	struct span content;
	struct error error;
	image_make(&image, FAT16_SCRIPT);
	must_open(&image);
	struct tree tree = tree_of(&image.fs);
	assert_true(tree_lookup(&tree, path, &file, &error));
	uint32_t first = (uint32_t)file.node.driver[0];
	set_fat(&image, first, value);
	fs_close(&image.fs);
	must_open(&image);
	struct names names;
	bool done = file.node.type == NODE_DIRECTORY
	                    ? tree_names(&tree, path, &image.arena, &names, &error)
	                    : tree_load(&tree, path, 1 << 20, &image.arena, &content, NULL, &error);
	assert_false(done);
	assert_int_equal(error.code, ERROR_CORRUPT);
	assert_non_null(strstr(error.message, why));
	image_free(&image);
}

static void test_chains(void **state)
{
	(void)state;
	assert_chain_fails(0xfff8, "/short.txt", "ends before");
	assert_chain_fails(0xfff7, "/short.txt", "does not exist");
	assert_chain_fails(1, "/short.txt", "does not exist");
	assert_chain_fails(0xfff0, "/short.txt", "does not exist");
}

/* A directory whose cluster follows itself, filled up so that no entry ends it. */
static void test_endless_directory(void **state)
{
	(void)state;
	struct image image;
	struct tree_file file;
	struct names names;
	struct error error;
	struct vfat_layout layout;
	image_make(&image, FAT16_SCRIPT);
	must_open(&image);
	struct tree tree = tree_of(&image.fs);
	assert_true(tree_lookup(&tree, "/EFI/BOOT", &file, &error));
	uint32_t cluster = (uint32_t)file.node.driver[0];
	set_fat(&image, cluster, (uint16_t)cluster);
	assert_true(vfat_decode(image.bytes, &layout));
	uint8_t *bytes =
		image_bytes(&image) + layout.data_offset + (uint64_t)(cluster - 2) * layout.cluster_size;
	for (size_t i = 0; i < layout.cluster_size; i += VFAT_ENTRY_SIZE)
		make_entry(bytes + i, "ENDLESS    ");
	fs_close(&image.fs);
	must_open(&image);
	assert_false(tree_names(&tree, "/EFI/BOOT", &image.arena, &names, &error));
	assert_int_equal(error.code, ERROR_CORRUPT);
	assert_non_null(strstr(error.message, "too long for a directory"));
	assert_false(tree_exists(&tree, "/EFI/BOOT/nothing"));
	image_free(&image);
}

/* A directory without clusters must not show the root again, without end. */
static void test_directory_of_cluster_zero(void **state)
{
	(void)state;
	struct image image;
	struct names names;
	struct error error;
	image_make(&image, FAT16_SCRIPT);
	size_t entry = span_find(image.bytes, 512, "EFI        ", 11);
	memset(image_bytes(&image) + entry + 26, 0, 2);
	image_identify(&image);
	must_open(&image);
	struct tree tree = tree_of(&image.fs);
	assert_false(tree_names(&tree, "/EFI", &image.arena, &names, &error));
	assert_int_equal(error.code, ERROR_CORRUPT);
	image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_short_names),
		cmocka_unit_test(test_boot_sectors),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_endless_directory),
		cmocka_unit_test(test_directory_of_cluster_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
