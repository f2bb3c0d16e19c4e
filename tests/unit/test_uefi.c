// How UEFI firmware starts a disk that it has never seen, with EFI programs of the installed GRUB.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot_disk.h"

static struct firmware_path find(struct test_disk *test)
{
	struct firmware_path way;
	test_open(test);
	uefi_find(&test->disk, &way);
	assert_string_equal(way.path.firmware, "uefi");
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

/* The least that is an EFI program: MZ, PE header, one section of eight bytes. */
static struct span small_pe_of(struct test_disk *test, const char *section, struct span content)
{
	size_t size = 0x200 + content.size;
	uint8_t *bytes = arena_alloc(&test->arena, size);
	memcpy(bytes, "MZ", 2);
	bytes[0x3c] = 0x40;
	memcpy(bytes + 0x40, "PE\0\0\x64\x86\x01", 7);
	memcpy(bytes + 0x58, section, strlen(section));
	bytes[0x58 + 8] = bytes[0x58 + 16] = (uint8_t)content.size;
	bytes[0x58 + 21] = 0x02;
	memcpy(bytes + 0x200, content.data, content.size);
	return span_of(bytes, size);
}

static struct span small_pe(struct test_disk *test, const char *section, const char *content)
{
	return small_pe_of(test, section, span_text(content));
}

static void put(struct test_disk *test, const char *path, struct span program)
{
	memory_add(&test->esp, path, NODE_FILE, program, 0644);
}

static void removable_grub(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", test_mkimage(&test, "x86_64-efi", "(,gpt3)/boot/grub"));
	struct firmware_path way = find(&test);
	assert_string_equal(way.image.prefix, "(,gpt3)/boot/grub");
	assert_string_equal(way.cpu, "x86_64");
	assert_int_equal(way.path.place.partition, 2);
	expect(&test, ANSWER_YES, "grub", "/EFI/BOOT/BOOTX64.EFI is grub");
}

static void shim(void **state)
{
	(void)state;
	static const char suse[] = "sbat,1\nshim,2,UEFI shim\n\\\0g\0r\0u\0b\0.\0e\0f\0i\0";
	struct test_disk test;
	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, ".vendor_c", "x"));
	put(&test, "/EFI/BOOT/BOOTX64.EFI2", (struct span){ 0 });
	expect(&test, ANSWER_UNKNOWN, "unknown", "not known");

	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, ".sbat", "sbat,1\nshim,2,UEFI shim\n"));
	expect(&test, ANSWER_NO, "shim", "/EFI/BOOT/grubx64.efi, which it starts, does not exist");

	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, ".sbat", "sbat,1\nshim,2,UEFI shim\n"));
	put(&test, "/EFI/BOOT/grubx64.efi", test_mkimage(&test, "x86_64-efi", "/EFI/debian"));
	struct firmware_path way = find(&test);
	assert_string_equal(way.image.prefix, "/EFI/debian");
	assert_string_equal(way.path.place.path, "/EFI/BOOT/grubx64.efi");
	expect(&test, ANSWER_YES, "grub", "is shim, which starts /EFI/BOOT/grubx64.efi");

	/* SUSE's */
	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe_of(&test, ".sbat", span_of(suse, sizeof(suse) - 1)));
	put(&test, "/EFI/BOOT/grub.efi", test_mkimage(&test, "x86_64-efi", "/EFI/opensuse"));
	expect(&test, ANSWER_YES, "grub", "is shim, which starts /EFI/BOOT/grub.efi");
}

static void fallback(void **state)
{
	(void)state;
	static const uint8_t csv[] = "\xff\xfeg\0r\0u\0b\0x\0006\0004\0.\0e\0f\0i\0,\0d\0";
	struct test_disk test;
	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, ".sbat", "shim,2,UEFI shim\n"));
	put(&test, "/EFI/BOOT/fbx64.efi", small_pe(&test, ".text", "x"));
	put(&test, "/EFI/debian/BOOTX64.CSV", span_of(csv, sizeof(csv) - 1));
	put(&test, "/EFI/debian/grubx64.efi", small_pe(&test, "mods", "x"));
	expect(&test, ANSWER_YES, "grub", "fallback starts /EFI/debian/grubx64.efi");

	/* The name without an architecture, and SUSE's of the fallback. */
	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, ".sbat", "shim,2,UEFI shim\n"));
	put(&test, "/EFI/BOOT/fallback.efi", small_pe(&test, ".text", "x"));
	put(&test, "/EFI/debian/BOOT.CSV", span_of(csv, sizeof(csv) - 1));
	put(&test, "/EFI/debian/grubx64.efi", small_pe(&test, "mods", "x"));
	expect(&test, ANSWER_YES, "grub", "fallback starts /EFI/debian/grubx64.efi");

	/* Where there is a fallback, shim starts nothing else. */
	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, ".sbat", "shim,2,UEFI shim\n"));
	put(&test, "/EFI/BOOT/fbx64.efi", small_pe(&test, ".text", "x"));
	put(&test, "/EFI/BOOT/grubx64.efi", small_pe(&test, "mods", "x"));
	put(&test, "/EFI/BOOT/BOOTX64.CSV", span_of(csv, sizeof(csv) - 1));
	expect(&test, ANSWER_NO, "shim", "finds no vendor's BOOTX64.CSV");
	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, ".sbat", "shim,2,UEFI shim\n"));
	put(&test, "/EFI/BOOT/fbx64.efi", small_pe(&test, ".text", "x"));
	put(&test, "/EFI/debian/BOOTX64.CSV", span_of(csv, sizeof(csv) - 1));
	expect(&test, ANSWER_NO, "shim", "starts /EFI/debian/grubx64.efi, which does not exist");
}

/* ASCII as the UTF-16LE of a BOOT*.CSV. */
static struct span csv_of(struct test_disk *test, const char *text)
{
	uint8_t *wide = arena_alloc(&test->arena, 2 + 2 * strlen(text));
	memcpy(wide, "\xff\xfe", 2);
	for (size_t i = 0; text[i]; i++)
		wide[2 + 2 * i] = (uint8_t)text[i];
	return span_of(wide, 2 + 2 * strlen(text));
}

/* A boot entry may name what shim starts in place of GRUB: RHEL's unified kernels are started so. */
static void second_stage(void **state)
{
	(void)state;
	static const char uki[] = "/EFI/Linux/a.efi", other[] = "/EFI/redhat/own.efi";
	static const struct {
		const char *csv, *place;
		bool doubt;
	} cases[] = {
		{ "shimx64.efi,redhat,\\EFI\\Linux\\a.efi ,entry of a UKI\n", uki, false },
		{ "shimx64.efi,redhat,own.efi ,x\n", other, false },
		/* Without a blank behind the name, shim sees none. */
		{ "shimx64.efi,redhat,\\EFI\\Linux\\a.efi,x\n", "/EFI/redhat/grubx64.efi", false },
		{ "shimx64.efi,redhat,,This is the boot entry for Red Hat\r\n", "/EFI/redhat/grubx64.efi",
		  false },
		{ ",none\nshimx64.efi,,own.efi \nshimx64.efi,a,own.efi ,\n\nshimx64.efi,b,own.efi ,\n", other,
		  false },
		{ "shimx64.efi,a,\\EFI\\Linux\\a.efi ,\nshimx64.efi,b,own.efi ,\n", uki, true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_disk test;
		test_start(&test);
		put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, ".sbat", "shim,2,UEFI shim\n"));
		put(&test, "/EFI/BOOT/fbx64.efi", small_pe(&test, ".text", "x"));
		put(&test, "/EFI/redhat/shimx64.efi", small_pe(&test, ".sbat", "shim,2,UEFI shim\n"));
		put(&test, "/EFI/redhat/grubx64.efi", small_pe(&test, "mods", "x"));
		put(&test, other, small_pe(&test, ".linux", "x"));
		put(&test, uki, small_pe(&test, ".linux", "x"));
		put(&test, "/EFI/redhat/BOOTX64.CSV", csv_of(&test, cases[i].csv));
		struct firmware_path way = find(&test);
		assert_string_equal(way.path.place.path, cases[i].place);
		assert_string_equal(way.path.loader, strstr(cases[i].place, "grub") ? "grub" : "uki");
		assert_int_equal(way.path.works, ANSWER_YES);
		assert_int_equal(way.doubt != NULL, cases[i].doubt);
		test_end(&test);
	}
}

static void other_loaders(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, ".sdmagic", "#### LoaderInfo"));
	expect(&test, ANSWER_YES, "systemd-boot", "systemd-boot");

	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, ".linux", "x"));
	expect(&test, ANSWER_YES, "uki", "uki");
}

static void vendor_path_alone(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	put(&test, "/EFI/debian/grubx64.efi", small_pe(&test, "mods", "x"));
	expect(&test, ANSWER_NO, "grub", "--removable");
}

static void no_program(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	expect(&test, ANSWER_NO, "unknown", "has no /EFI/BOOT/BOOTX64.EFI");

	test_start(&test);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", span_text("no program"));
	expect(&test, ANSWER_NO, "unknown", "BOOTX64.EFI");

	test_start(&test);
	struct span program = small_pe(&test, "mods", "x");
	((uint8_t *)(uintptr_t)program.data)[0x44] = 0x4c;
	put(&test, "/EFI/BOOT/BOOTX64.EFI", program);
	expect(&test, ANSWER_NO, "unknown", "another machine");

	test_start(&test);
	program = small_pe(&test, "mods", "x");
	memset((uint8_t *)(uintptr_t)program.data + 0x3c, 0xff, 4);
	put(&test, "/EFI/BOOT/BOOTX64.EFI", program);
	expect(&test, ANSWER_NO, "unknown", "BOOTX64.EFI");
}

static void no_esp(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	test_partition(&test, 2)->type = "0fc63daf-8483-4772-8e79-3d69d8477de4";
	expect(&test, ANSWER_NO, "unknown", "there is no EFI system partition");

	/* EDK II starts it there as well. */
	test_start(&test);
	test_partition(&test, 2)->type = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7";
	put(&test, "/EFI/BOOT/BOOTX64.EFI", small_pe(&test, "mods", "x"));
	expect(&test, ANSWER_UNKNOWN, "grub", "is grub, but partition 2 is not of the EFI system partition");
}

static void unreadable_esp(void **state)
{
	(void)state;
	struct test_disk test;
	struct firmware_path way;
	test_start(&test);
	test_open(&test);
	test.esp.filesystem.state = NULL;
	uefi_find(&test.disk, &way);
	assert_int_equal(way.path.works, ANSWER_UNKNOWN);
	test_end(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(removable_grub), cmocka_unit_test(shim),
		cmocka_unit_test(fallback),       cmocka_unit_test(second_stage),
		cmocka_unit_test(other_loaders),  cmocka_unit_test(vendor_path_alone),
		cmocka_unit_test(no_program),     cmocka_unit_test(no_esp),
		cmocka_unit_test(unreadable_esp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
