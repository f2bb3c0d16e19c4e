// erofs: its identity, and what damaged or crafted ones must not do.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/tree.h"
#include "images.h"

#define FILES                                                                                                \
	"mkdir -p root/etc; seq 40000 > root/etc/numbers; echo short > root/etc/short\n"                     \
	"ln -s ../etc/short root/etc/link; touch -d @1700000000 root/etc/short; chmod 4751 root/etc/short\n"
#define MAKE(options)                                                                                        \
	FILES "mkfs.erofs --preserve-mtime -U01234567-89ab-cdef-0123-456789abcdef " options " image root"
#define INCOMPATIBLE (1024 + 80)

static bool loads(struct image *image, const char *path, struct span *out, struct error *error)
{
	struct tree tree = tree_of(&image->fs);
	return tree_load(&tree, path, 1 << 20, &image->arena, out, NULL, error);
}

static void files_are_read(void **state)
{
	(void)state;
	static const char *const scripts[] = { MAKE(""), MAKE("-zlz4"), MAKE("-zlz4 -C65536 -Eztailpacking"),
		                               MAKE("-zlz4 -Efragments"), MAKE("--chunksize=4096") };
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct image image;
		struct tree_file file;
		struct span content;
		struct error error;
		image_make(&image, scripts[i]);
		assert_string_equal(image.fs.type, "erofs");
		assert_string_equal(image.fs.uuid, "01234567-89ab-cdef-0123-456789abcdef");
		assert_true(fs_open(&image.fs, &error));
		assert_true(loads(&image, "/etc/numbers", &content, &error));
		assert_int_equal(content.size, 228894);
		assert_memory_equal(content.data + content.size - 6, "40000\n", 6);
		assert_true(loads(&image, "/etc/link", &content, &error));
		assert_string_equal(content.data, "short\n");
		struct tree tree = tree_of(&image.fs);
		assert_true(tree_lookup(&tree, "/etc/short", &file, &error));
		assert_int_equal(file.node.mode, 04751);
		assert_int_equal(file.node.modified, 1700000000);
		assert_false(tree_lookup(&tree, "/etc/shor", &file, &error));
		assert_int_equal(error.code, ERROR_NOT_FOUND);
		image_free(&image);
	}
}

static void what_is_not_known_is_refused(void **state)
{
	(void)state;
	static const struct {
		size_t offset;
		uint8_t value;
		enum error_code code;
	} rows[] = {
		{ INCOMPATIBLE, 0x80, ERROR_UNSUPPORTED },  /* 48-bit block numbers */
		{ INCOMPATIBLE + 2, 1, ERROR_UNSUPPORTED }, /* a bit that means nothing yet */
		{ 1024 + 86, 1, ERROR_UNSUPPORTED },        /* another device */
		{ 1024 + 12, 40, ERROR_CORRUPT },           /* blocks of 2^40 bytes */
		{ 1024 + 12, 8, ERROR_CORRUPT },
	};
	struct image image;
	struct error error;
	image_make(&image, MAKE(""));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t before = image_bytes(&image)[rows[i].offset];
		image_bytes(&image)[rows[i].offset] = rows[i].value;
		assert_false(fs_open(&image.fs, &error));
		assert_int_equal(error.code, rows[i].code);
		image_bytes(&image)[rows[i].offset] = before;
	}
	image_free(&image);
}

static void another_algorithm_is_named(void **state)
{
	(void)state;
	struct image image;
	struct tree_file file;
	struct span content;
	struct error error;
	image_make(&image, MAKE("-zlz4 -C65536 -Eforce-inode-compact"));
	assert_true(fs_open(&image.fs, &error));
	struct tree tree = tree_of(&image.fs);
	assert_true(tree_lookup(&tree, "/etc/numbers", &file, &error));
	/* The inode of 32 bytes, and the header of its index behind it. */
	size_t header = (size_t)file.node.inode * 32 + 32;
	image_bytes(&image)[header + 6] = 1;
	fs_close(&image.fs);
	assert_true(fs_open(&image.fs, &error));
	assert_false(loads(&image, "/etc/numbers", &content, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	assert_non_null(strstr(error.message, "LZMA"));
	image_free(&image);
}

/* Each byte of the first blocks wrong in turn: an error or the files, never more. */
static void damage_ends(void **state)
{
	(void)state;
	static const char *const scripts[] = { MAKE("-zlz4 -C16384 -Efragments,ztailpacking"),
		                               MAKE("-zlz4 -Elegacy-compress,ztailpacking") };
	for (size_t script = 0; script < ARRAY_SIZE(scripts); script++) {
		struct image image;
		struct error error;
		struct span content;
		image_make(&image, scripts[script]);
		for (size_t i = 1024; i < 6144 && i < image.bytes.size; i++) {
			uint8_t before = image_bytes(&image)[i];
			image_bytes(&image)[i] ^= (uint8_t)(i % 3 ? 0xff : 0x11);
			image.budget = budget_default();
			if (fs_open(&image.fs, &error) && !loads(&image, "/etc/numbers", &content, &error))
				assert_int_not_equal(error.code, ERROR_NONE);
			fs_close(&image.fs);
			image_bytes(&image)[i] = before;
		}
		image_free(&image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(what_is_not_known_is_refused),
		cmocka_unit_test(another_algorithm_is_named),
		cmocka_unit_test(damage_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
