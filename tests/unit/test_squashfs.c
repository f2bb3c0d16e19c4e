// squashfs: its identity, and what damaged or crafted ones must not do.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/tree.h"
#include "images.h"

#define SCRIPT                                                                                               \
	"mkdir -p root/etc; seq 40000 > root/etc/numbers; echo short > root/etc/short\n"                     \
	"ln -s ../etc/short root/etc/link; touch -d @1700000000 root/etc/short; chmod 4751 root/etc/short\n" \
	"mksquashfs root image -quiet -no-progress -all-root "

static bool loads(const struct image *image, const char *path, struct span *out, struct error *error)
{
	struct tree tree = tree_of((struct filesystem *)(uintptr_t)&image->fs);
	return tree_load(&tree, path, 1 << 20, (struct arena *)(uintptr_t)&image->arena, out, NULL, error);
}

static void files_are_read(void **state)
{
	(void)state;
	static const char *const scripts[] = { SCRIPT, SCRIPT "-comp xz", SCRIPT "-comp zstd -b 4096",
		                               SCRIPT "-noI -noD -noF" };
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct image image;
		struct tree_file file;
		struct span content;
		struct error error;
		image_make(&image, scripts[i]);
		assert_string_equal(image.fs.type, "squashfs");
		assert_true(fs_open(&image.fs, &error));
		if (!loads(&image, "/etc/numbers", &content, &error))
			fail_msg("%s: %s", scripts[i], error.message);
		assert_int_equal(content.size, 228894);
		assert_memory_equal(content.data + content.size - 6, "40000\n", 6);
		assert_true(loads(&image, "/etc/link", &content, &error));
		assert_string_equal(content.data, "short\n");
		struct tree tree = tree_of(&image.fs);
		assert_true(tree_lookup(&tree, "/etc/short", &file, &error));
		assert_int_equal(file.node.mode, 04751);
		assert_int_equal(file.node.uid, 0);
		assert_int_equal(file.node.modified, 1700000000);
		assert_false(tree_lookup(&tree, "/etc/shor", &file, &error));
		assert_int_equal(error.code, ERROR_NOT_FOUND);
		image_free(&image);
	}
}

static void a_cut_off_image_is_named(void **state)
{
	(void)state;
	struct image image;
	struct error error;
	struct span content;
	image_make(&image, SCRIPT "-nopad; truncate -s 2000 image");
	assert_non_null(image_problem(&image, "squashfs-beyond-partition"));
	assert_false(fs_open(&image.fs, &error) && loads(&image, "/etc/short", &content, &error));
	assert_true(error.code == ERROR_CORRUPT || error.code == ERROR_TRUNCATED);
	image_free(&image);
}

static void unreadable_compression_is_unsupported(void **state)
{
	(void)state;
	struct image image;
	struct error error;
	struct span content;
	image_make(&image, SCRIPT);
	image_bytes(&image)[20] = 3; /* LZO, which libsquashfs is mostly built without */
	assert_false(fs_open(&image.fs, &error) && loads(&image, "/etc/short", &content, &error));
	assert_true(error.code == ERROR_UNSUPPORTED || error.code == ERROR_CORRUPT);
	if (error.code == ERROR_UNSUPPORTED)
		assert_non_null(strstr(error.message, "lzo"));
	image_free(&image);
}

/* Every byte of the superblock wrong in turn: an error or the files, never more. */
static void damaged_superblocks_end(void **state)
{
	(void)state;
	struct image image;
	struct error error;
	struct span content;
	image_make(&image, SCRIPT);
	for (size_t i = 4; i < 96; i++) {
		uint8_t before = image_bytes(&image)[i];
		image_bytes(&image)[i] ^= 0xff;
		image.budget = budget_default();
		if (fs_open(&image.fs, &error) && loads(&image, "/etc/short", &content, &error))
			assert_string_equal(content.data, "short\n");
		fs_close(&image.fs);
		image_bytes(&image)[i] = before;
	}
	image_free(&image);
}

/*
 * The index of a long directory holds the names that begin a metadata block of its listing, each behind its
 * length. The inodes are not compressed here, and come first.
 */
static void a_name_of_4_gib_in_an_index_is_not_allocated(void **state)
{
	(void)state;
	struct image image;
	struct error error;
	struct span content;
	image_make(&image, SCRIPT "-noI -nopad; rm -r root/etc/numbers\n"
	                          "for i in $(seq 3000); do : > root/etc/file-of-a-long-name-$i; done\n"
	                          "mksquashfs root image -quiet -no-progress -all-root -noI -noappend");
	assert_true(fs_open(&image.fs, &error));
	assert_true(loads(&image, "/etc/short", &content, &error));
	fs_close(&image.fs);
	uint8_t *name = memmem(image_bytes(&image), image.bytes.size, "file-of-a-long-name-", 20);
	assert_non_null(name);
	memset(name - 4, 0xff, 4);
	image.budget = budget_default();
	assert_true(fs_open(&image.fs, &error));
	assert_false(loads(&image, "/etc/short", &content, &error));
	assert_int_equal(error.code, ERROR_CORRUPT);
	assert_string_equal(error.message,
	                    "/etc: squashfs: the index of a directory claims a name of 4294967296 bytes");
	image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(a_cut_off_image_is_named),
		cmocka_unit_test(unreadable_compression_is_unsupported),
		cmocka_unit_test(damaged_superblocks_end),
		cmocka_unit_test(a_name_of_4_gib_in_an_index_is_not_allocated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
