// How a BIOS starts a disk, with the boot sector and core image of the installed GRUB.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot_disk.h"

static struct firmware_path find(struct test_disk *test)
{
	struct firmware_path way;
	struct error error = { 0 };
	test_open(test);
	assert_true(bios_find(&test->disk, &way, &error));
	assert_string_equal(way.path.firmware, "bios");
	return way;
}

static void expect(struct test_disk *test, enum answer works, const char *loader, const char *part_of_reason)
{
	struct firmware_path way = find(test);
	if (way.path.works != works || !strstr(way.path.reason, part_of_reason))
		fail_msg("%d: %s", way.path.works, way.path.reason);
	assert_string_equal(way.path.loader, loader);
	test_end(test);
}

static void grub_in_bios_boot_partition(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	struct firmware_path way = find(&test);
	assert_string_equal(way.image.prefix, "(,gpt3)/boot/grub");
	expect(&test, ANSWER_YES, "grub", "in BIOS boot partition 1");
}

static void grub_in_the_gap(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	test.table.kind = "mbr";
	test.table.partitions.items[0].start = 3 << 20;
	test_install_bios(&test, "(,msdos3)/boot/grub", 1);
	expect(&test, ANSWER_YES, "grub", "in the gap before the first partition");
}

static void grub_over_the_table(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 1);
	expect(&test, ANSWER_NO, "grub", "collides");
}

static void grub_past_its_partition(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	test_partition(&test, 1)->size = 16 * TEST_SECTOR;
	expect(&test, ANSWER_NO, "grub", "collides");
}

static void broken_links(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	test_put_le(&test, 0x5c, UINT64_MAX, 8);
	expect(&test, ANSWER_NO, "grub", "outside the disk");

	test_start(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	test_put_le(&test, 0x5c, 40, 8);
	expect(&test, ANSWER_NO, "grub", "does not hold its core image");

	test_start(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	test_put_le(&test, 34 * TEST_SECTOR + 0x1f4, (uint64_t)1 << 60, 8);
	expect(&test, ANSWER_NO, "grub", "outside the disk");

	test_start(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	test_put_le(&test, 34 * TEST_SECTOR + 0x1fc, 0, 2);
	expect(&test, ANSWER_NO, "grub", "block lists are empty");

	test_start(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	memset(test.bytes + 35 * TEST_SECTOR, 0, 1000 * TEST_SECTOR);
	expect(&test, ANSWER_NO, "grub", "all zero");
}

static void damaged_core(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	/* The numbers of the decompressor: nothing can be said of the prefix, and nothing breaks. */
	test_put_le(&test, 35 * TEST_SECTOR + 8, UINT32_MAX, 4);
	struct firmware_path way = find(&test);
	assert_null(way.image.prefix);
	test_end(&test);
}

static void other_code(void **state)
{
	(void)state;
	static const char generic[] = "Invalid partition table\0Error loading operating system\0";
	struct test_disk test;
	test_start(&test);
	expect(&test, ANSWER_NO, "unknown", "no boot code");

	test_start(&test);
	memset(test.bytes, 0x90, 440);
	expect(&test, ANSWER_NO, "unknown", "no boot signature");

	test_start(&test);
	memset(test.bytes, 0x90, 440);
	memcpy(test.bytes + 510, "\x55\xaa", 2);
	expect(&test, ANSWER_UNKNOWN, "unknown", "not known");

	test_start(&test);
	memcpy(test.bytes + 100, generic, sizeof(generic));
	memcpy(test.bytes + 510, "\x55\xaa", 2);
	expect(&test, ANSWER_NO, "unknown", "none is active");

	test_start(&test);
	memcpy(test.bytes + 100, generic, sizeof(generic));
	memcpy(test.bytes + 510, "\x55\xaa", 2);
	test_partition(&test, 3)->bootable = true;
	expect(&test, ANSWER_NO, "unknown", "partition 3, which has no boot sector");

	test_start(&test);
	memcpy(test.bytes + 100, generic, sizeof(generic));
	memcpy(test.bytes + 510, "\x55\xaa", 2);
	test_partition(&test, 3)->bootable = true;
	memcpy(test.bytes + 4096 * TEST_SECTOR + 3, "EXTLINUX", 8);
	memcpy(test.bytes + 4096 * TEST_SECTOR + 510, "\x55\xaa", 2);
	expect(&test, ANSWER_UNKNOWN, "syslinux", "syslinux");
}

static void short_disk(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	test.span.size = 100;
	test.reader = reader_of_span(&test.span);
	expect(&test, ANSWER_NO, "unknown", "shorter than one sector");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grub_in_bios_boot_partition),
		cmocka_unit_test(grub_in_the_gap),
		cmocka_unit_test(grub_over_the_table),
		cmocka_unit_test(grub_past_its_partition),
		cmocka_unit_test(broken_links),
		cmocka_unit_test(damaged_core),
		cmocka_unit_test(other_code),
		cmocka_unit_test(short_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
