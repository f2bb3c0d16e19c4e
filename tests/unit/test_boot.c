// The whole chain: firmware, loader, configuration, entry, root.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot_disk.h"

#define ROOT_UUID "1b0c2a6e-3d77-4a1c-9c77-6a6f1de3b001"

static void install_kernel(struct test_disk *test)
{
	memory_file(&test->root, "/boot/vmlinuz-1", "kernel");
	memory_file(&test->root, "/boot/initrd-1", "initrd");
	memory_link(&test->root, "/vmlinuz", "boot/vmlinuz-1");
	memory_file(&test->root, "/boot/grub/grub.cfg",
	            "set timeout=0\nmenuentry 'Linux' --id linux {\n"
	            "search --no-floppy --fs-uuid --set=root " ROOT_UUID "\n"
	            "linux /boot/vmlinuz-1 root=UUID=" ROOT_UUID " ro\ninitrd /boot/initrd-1\n}\n"
	            "if [ $grub_platform = efi ]; then menuentry second { linux /vmlinuz\n }\nfi\n");
}

static void install_efi(struct test_disk *test)
{
	memory_add(&test->esp, "/EFI/BOOT/BOOTX64.EFI", NODE_FILE,
	           test_mkimage(test, "x86_64-efi", "/EFI/debian"), 0644);
	memory_file(&test->esp, "/EFI/debian/grub.cfg",
	            "search.fs_uuid " ROOT_UUID " root hd0,gpt3\nset prefix=($root)'/boot/grub'\n"
	            "configfile $prefix/grub.cfg\n");
}

static struct boot find(struct test_disk *test)
{
	struct boot boot;
	struct error error = { 0 };
	test_open(test);
	if (!boot_find(&test->reader, &test->table, &test->set, &test->budget, &test->arena, &boot, &error))
		fail_msg("%s", error.message);
	assert_int_equal(boot.paths.count, 2);
	return boot;
}

static void default_is_the_kernel(const struct boot *boot)
{
	if (boot->default_known != ANSWER_YES)
		fail_msg("%s", boot->default_reason);
	const struct boot_entry *entry = &boot->entries.items[boot->default_index];
	assert_string_equal(boot->loader, "grub");
	assert_string_equal(boot->config.path, "/boot/grub/grub.cfg");
	assert_int_equal(boot->config.partition, 3);
	assert_string_equal(entry->title, "Linux");
	assert_string_equal(entry->kernel.path, "/boot/vmlinuz-1");
	assert_int_equal(entry->kernel.partition, 3);
	assert_int_equal(entry->kernel.found, ANSWER_YES);
	assert_int_equal(entry->initrds.count, 1);
	assert_string_equal(entry->root, "UUID=" ROOT_UUID);
	assert_int_equal(entry->root_found, ANSWER_YES);
	assert_int_equal(entry->root_partition, 3);
	assert_string_equal(boot->timeout, "0");
	assert_int_equal(boot->problems.count, 0);
}

static void both_ways(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	install_kernel(&test);
	install_efi(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	struct boot boot = find(&test);
	assert_int_equal(boot.paths.items[0].works, ANSWER_YES);
	assert_string_equal(boot.paths.items[0].config, "/boot/grub/grub.cfg");
	assert_int_equal(boot.paths.items[0].config_partition, 3);
	assert_int_equal(boot.paths.items[1].works, ANSWER_YES);
	assert_string_equal(boot.paths.items[1].config, "/EFI/debian/grub.cfg");
	assert_int_equal(boot.paths.items[1].config_partition, 2);
	assert_int_equal(boot.entries.count, 1);
	default_is_the_kernel(&boot);
	test_end(&test);
}

static void uefi_alone(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	install_kernel(&test);
	install_efi(&test);
	struct boot boot = find(&test);
	assert_int_equal(boot.paths.items[0].works, ANSWER_NO);
	assert_int_equal(boot.paths.items[1].works, ANSWER_YES);
	assert_int_equal(boot.entries.count, 2);
	assert_string_equal(boot.entries.items[1].kernel.path, "/vmlinuz");
	assert_int_equal(boot.entries.items[1].kernel.found, ANSWER_YES);
	default_is_the_kernel(&boot);
	test_end(&test);
}

/* grub-install writes the way to its files into the image, as commands, when a name would not do. */
static void embedded_commands(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	install_kernel(&test);
	memory_file(&test.root, "/grub/grub.cfg", "menuentry decoy { true\n }\n");
	memory_add(
		&test.esp, "/EFI/BOOT/BOOTX64.EFI", NODE_FILE,
		tool_filter(COMMAND("sh", "-ec",
	                            "file=$(mktemp); cat > $file; grub-mkimage -O x86_64-efi -p /unused -c "
	                            "$file part_gpt ext2 normal search_fs_uuid; rm $file"),
	                    span_text("search.fs_uuid " ROOT_UUID " root\nset prefix=($root)/boot/grub\n"),
	                    &test.arena),
		0644);
	struct boot boot = find(&test);
	default_is_the_kernel(&boot);
	test_end(&test);
}

static void two_configurations(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	install_kernel(&test);
	memory_file(&test.root, "/grub/grub.cfg", "menuentry other { true\n }\n");
	test_install_bios(&test, "(memdisk)/grub", 34);
	struct boot boot = find(&test);
	assert_int_equal(boot.paths.items[0].works, ANSWER_UNKNOWN);
	assert_non_null(strstr(boot.paths.items[0].reason, "more than one grub.cfg"));
	assert_int_equal(boot.default_known, ANSWER_UNKNOWN);
	test_end(&test);
}

/* An image whose commands cannot be followed, and one configuration that it may or may not find. */
static void configuration_guessed(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	install_kernel(&test);
	test_install_bios(&test, "(memdisk)/grub", 34);
	struct boot boot = find(&test);
	assert_int_equal(boot.paths.items[0].works, ANSWER_UNKNOWN);
	assert_non_null(strstr(boot.paths.items[0].reason, "the only configuration on the disk"));
	default_is_the_kernel(&boot);
	test_end(&test);
}

/* A core image without the module that reads menus: grub-install makes it so, and puts that beside grub.cfg.
 */
static void menu_module_gone(void **state)
{
	(void)state;
	for (int present = 0; present < 2; present++) {
		struct test_disk test;
		test_start(&test);
		install_kernel(&test);
		memory_add(&test.esp, "/EFI/BOOT/BOOTX64.EFI", NODE_FILE,
		           tool_filter(COMMAND("grub-mkimage", "-O", "x86_64-efi", "-p", "(,gpt3)/boot/grub",
		                               "part_gpt", "ext2", "fat", "search_fs_uuid"),
		                       (struct span){ 0 }, &test.arena),
		           0644);
		if (present)
			memory_file(&test.root, "/boot/grub/x86_64-efi/normal.mod", "ELF");
		struct boot boot = find(&test);
		assert_int_equal(boot.paths.items[1].works, present ? ANSWER_YES : ANSWER_NO);
		assert_int_equal(!present,
		                 strstr(boot.paths.items[1].reason,
		                        "needs /boot/grub/x86_64-efi/normal.mod in partition 3") != NULL);
		test_end(&test);
	}
}

static void configuration_gone(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	install_kernel(&test);
	test_install_bios(&test, "(,gpt3)/grub", 34);
	struct boot boot = find(&test);
	assert_int_equal(boot.paths.items[0].works, ANSWER_NO);
	assert_non_null(strstr(boot.paths.items[0].reason, "reads /grub/grub.cfg in partition 3"));
	assert_int_equal(boot.default_known, ANSWER_UNKNOWN);
	test_end(&test);
}

static void ways_that_differ(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	install_kernel(&test);
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	memory_add(&test.esp, "/EFI/BOOT/BOOTX64.EFI", NODE_FILE,
	           test_mkimage(&test, "x86_64-efi", "/EFI/debian"), 0644);
	memory_file(&test.esp, "/EFI/debian/grub.cfg", "menuentry x { linux /EFI/linux\n }\n");
	struct boot boot = find(&test);
	assert_int_equal(boot.problems.count, 1);
	assert_string_equal(boot.problems.items[0].code, "boot-paths-differ");
	assert_int_equal(boot.default_known, ANSWER_YES);
	test_end(&test);
}

static void missing_kernel(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	memory_file(&test.root, "/boot/grub/grub.cfg", "menuentry x { linux /boot/gone root=/dev/vda1\n }\n");
	test_install_bios(&test, "(,gpt3)/boot/grub", 34);
	struct boot boot = find(&test);
	assert_int_equal(boot.default_known, ANSWER_YES);
	assert_int_equal(boot.entries.items[0].kernel.found, ANSWER_NO);
	assert_int_equal(boot.entries.items[0].root_found, ANSWER_NO);
	assert_int_equal(boot.problems.count, 1);
	assert_string_equal(boot.problems.items[0].code, "boot-file-missing");
	test_end(&test);
}

/* GRUB's boot sector and no core image behind it. */
static void install_broken_bios(struct test_disk *test)
{
	test_install_bios(test, "(,gpt3)/boot/grub", 34);
	memset(test->bytes + 34 * TEST_SECTOR, 0, TEST_SECTOR);
}

static void the_way_that_works_decides(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	install_kernel(&test);
	install_broken_bios(&test);
	memory_add(&test.esp, "/EFI/BOOT/BOOTX64.EFI", NODE_FILE,
	           test_mkimage(&test, "x86_64-efi", "/EFI/own"), 0644);
	memory_file(&test.esp, "/EFI/own/grub.cfg", "menuentry own { linux /EFI/linux\n }\n");
	struct boot boot = find(&test);
	assert_int_equal(boot.paths.items[0].works, ANSWER_NO);
	assert_string_equal(boot.paths.items[0].config, "/boot/grub/grub.cfg");
	assert_int_equal(boot.paths.items[1].works, ANSWER_YES);
	assert_string_equal(boot.config.path, "/EFI/own/grub.cfg");
	assert_string_equal(boot.entries.items[boot.default_index].title, "own");
	test_end(&test);
}

static void a_broken_way_stays_broken(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	install_broken_bios(&test);
	struct boot boot = find(&test);
	assert_int_equal(boot.paths.items[0].works, ANSWER_NO);
	assert_non_null(strstr(boot.paths.items[0].reason, "no grub.cfg was found"));
	test_end(&test);
}

static void nothing_to_boot(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	struct boot boot = find(&test);
	assert_null(boot.loader);
	assert_int_equal(boot.default_known, ANSWER_UNKNOWN);
	assert_int_equal(boot.paths.items[0].works, ANSWER_NO);
	assert_int_equal(boot.paths.items[1].works, ANSWER_NO);
	test_end(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(uefi_alone),
		cmocka_unit_test(embedded_commands),
		cmocka_unit_test(two_configurations),
		cmocka_unit_test(configuration_guessed),
		cmocka_unit_test(menu_module_gone),
		cmocka_unit_test(configuration_gone),
		cmocka_unit_test(ways_that_differ),
		cmocka_unit_test(the_way_that_works_decides),
		cmocka_unit_test(a_broken_way_stays_broken),
		cmocka_unit_test(missing_kernel),
		cmocka_unit_test(nothing_to_boot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
