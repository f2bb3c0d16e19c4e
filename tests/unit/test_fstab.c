// /etc/fstab: fields, escapes, what is optional, and where each line is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memory_fs.h"
#include "os/system.h"

static struct memory_fs files;
static struct arena arena;
static struct fstab fstab;

static int tear_down(void **state)
{
	(void)state;
	memory_free(&files);
	arena_free(&arena);
	return 0;
}

static void read_text(const char *text)
{
	if (text)
		memory_file(&files, "/etc/fstab", text);
	struct tree tree = memory_tree(&files);
	fstab_read(&tree, &arena, &fstab);
}

static void a_cloud_image(void **state)
{
	(void)state;
	read_text("# /etc/fstab: static file system information\n\n"
	          "UUID=5bcee23c-32d1-4711-a012-2af81b8b1f3a / ext4 rw,discard,errors=remount-ro 0 1\n"
	          "\tUUID=2A2A-9D0F /boot/efi vfat defaults,nofail 0 0\n"
	          "/dev/sdb1 none swap sw,noauto\n"
	          "tmpfs /tmp tmpfs\n"
	          "/srv/a\\040b /mnt/\\134x none bind 0 0\n");
	assert_int_equal(fstab.present, ANSWER_YES);
	assert_int_equal(fstab.entries.count, 5);
	const struct mount_entry *root = &fstab.entries.items[0];
	assert_string_equal(root->device, "UUID=5bcee23c-32d1-4711-a012-2af81b8b1f3a");
	assert_string_equal(root->path, "/");
	assert_string_equal(root->type, "ext4");
	assert_string_equal(root->options, "rw,discard,errors=remount-ro");
	assert_false(root->optional);
	assert_string_equal(root->place.path, "/etc/fstab");
	assert_int_equal(root->place.line, 3);
	assert_true(str_starts(root->place.text, "UUID=5bcee23c"));
	assert_int_equal(root->found, ANSWER_UNKNOWN);
	assert_true(root[1].optional);
	assert_int_equal(root[1].place.line, 4);
	assert_true(root[2].optional);
	assert_string_equal(root[2].type, "swap");
	assert_string_equal(root[3].options, "defaults");
	assert_string_equal(root[4].device, "/srv/a b");
	assert_string_equal(root[4].path, "/mnt/\\x");
}

static void what_is_no_entry(void **state)
{
	(void)state;
	read_text("one\ntwo fields\n#a b c d\nx y z nofailing,autonoauto");
	assert_int_equal(fstab.entries.count, 1);
	assert_false(fstab.entries.items[0].optional);
}

static void escapes_that_are_none(void **state)
{
	(void)state;
	read_text("a\\ b\\09 c\\77 d\\777\n");
	assert_int_equal(fstab.entries.count, 1);
	assert_string_equal(fstab.entries.items[0].device, "a\\");
	assert_string_equal(fstab.entries.items[0].path, "b\\09");
	assert_string_equal(fstab.entries.items[0].type, "c\\77");
	assert_string_equal(fstab.entries.items[0].options, "d\\777");
}

static void without_fstab(void **state)
{
	(void)state;
	read_text(NULL);
	assert_int_equal(fstab.present, ANSWER_NO);
	assert_int_equal(fstab.entries.count, 0);
}

#define TEST(function) cmocka_unit_test_teardown(function, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_cloud_image),
		TEST(what_is_no_entry),
		TEST(escapes_that_are_none),
		TEST(without_fstab),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
