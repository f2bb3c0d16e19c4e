// systemd-boot and unified kernel images: entries of both types, their order, the default, addons.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot_disk.h"
#include "pe_builder.h"

#define SYSTEMD_BOOT "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"
#define ROOT         "root=UUID=1b0c2a6e-3d77-4a1c-9c77-6a6f1de3b001"
#define OSREL        "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\nVERSION_ID=\"13\"\n"

static void begin(struct test_disk *test)
{
	test_start(test);
	memory_add(&test->esp, "/EFI/BOOT/BOOTX64.EFI", NODE_FILE, test_read_host(test, SYSTEMD_BOOT), 0644);
	memory_directory(&test->esp, "/loader/entries");
}

/* As kernel-install lays an entry out: files under the machine's id. */
static void add_entry(struct test_disk *test, const char *name, const char *more)
{
	memory_file(&test->esp, arena_printf(&test->arena, "/%s/linux", name), "kernel");
	memory_file(&test->esp, arena_printf(&test->arena, "/%s/initrd.img", name), "initramfs");
	memory_file(&test->esp, arena_printf(&test->arena, "/loader/entries/%s.conf", name),
	            arena_printf(&test->arena,
	                         "# Boot Loader Specification type#1 entry\ntitle      Debian (%s)\n"
	                         "options    " ROOT " ro console=ttyS0\nlinux      /%s/linux\n"
	                         "initrd     /%s/initrd.img\n%s",
	                         name, name, name, more));
}

static void add_image(struct test_disk *test, const char *path, const char *command_line, const char *osrel)
{
	const struct pe_test_section sections[] = {
		pe_text(".osrel", osrel),          pe_text(".cmdline", command_line),
		pe_text(".uname", "6.12.1-amd64"), pe_text(".linux", "kernel"),
		pe_text(".initrd", "initramfs"),
	};
	memory_add(&test->esp, path, NODE_FILE, pe_build(sections, ARRAY_SIZE(sections), &test->arena), 0644);
}

static struct boot find(struct test_disk *test)
{
	struct boot boot;
	struct error error = { 0 };
	test_open(test);
	if (!boot_find(&test->reader, &test->table, &test->set, &test->budget, &test->arena, &boot, &error))
		fail_msg("%s", error.message);
	return boot;
}

static const struct boot_entry *default_is(const struct boot *boot, const char *id, const char *reason)
{
	if (boot->default_known != ANSWER_YES)
		fail_msg("%s", boot->default_reason);
	const struct boot_entry *entry = &boot->entries.items[boot->default_index];
	assert_string_equal(entry->id, id);
	if (!strstr(boot->default_reason, reason))
		fail_msg("%s", boot->default_reason);
	return entry;
}

static void type_1(void **state)
{
	(void)state;
	struct test_disk test;
	begin(&test);
	memory_file(&test.esp, "/loader/entries.srel", "type1\n");
	memory_file(&test.esp, "/loader/loader.conf", "timeout 3\n#default other\nconsole-mode keep\n");
	add_entry(&test, "d1-6.1.0-9-amd64", "");
	add_entry(&test, "d1-6.1.0-13-amd64", "");
	struct boot boot = find(&test);
	assert_string_equal(boot.paths.items[1].loader, "systemd-boot");
	assert_string_equal(boot.loader, "systemd-boot");
	assert_string_equal(boot.config.path, "/loader/loader.conf");
	assert_string_equal(boot.timeout, "3");
	assert_int_equal(boot.timeout_place.line, 1);
	const struct boot_entry *entry = default_is(&boot, "d1-6.1.0-13-amd64.conf", "no default is set");
	assert_string_equal(entry->title, "Debian (d1-6.1.0-13-amd64)");
	assert_string_equal(entry->kernel.path, "/d1-6.1.0-13-amd64/linux");
	assert_int_equal(entry->kernel.found, ANSWER_YES);
	assert_string_equal(entry->command_line,
	                    "initrd=\\d1-6.1.0-13-amd64\\initrd.img " ROOT " ro console=ttyS0");
	assert_int_equal(entry->initrds.count, 1);
	assert_int_equal(entry->place.line, 3);
	assert_string_equal(entry->place.path, "/loader/entries/d1-6.1.0-13-amd64.conf");
	assert_int_equal(entry->root_found, ANSWER_YES);
	assert_int_equal(boot.entries.count, 2);
	test_end(&test);
}

static void defaults(void **state)
{
	(void)state;
	static const struct {
		const char *config, *id, *reason;
	} cases[] = {
		{ "default A-*\n", "a-2.conf", "default A-* in loader.conf" },
		{ "default a-1.conf\n", "a-1.conf", "default a-1.conf" },
		{ "default nothing\n", "b-1.conf", "matches no entry" },
		{ "default @saved\n", "b-1.conf", "nothing is saved" },
		{ "default a-1.conf\ndefault @other\n", "a-1.conf", "default a-1.conf" },
		{ "", "b-1.conf", "no default is set" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_disk test;
		begin(&test);
		memory_file(&test.esp, "/loader/loader.conf", cases[i].config);
		add_entry(&test, "a-1", "");
		add_entry(&test, "a-2", "");
		add_entry(&test, "b-1", "");
		struct boot boot = find(&test);
		default_is(&boot, cases[i].id, cases[i].reason);
		test_end(&test);
	}
}

/* Entries that systemd-boot makes itself, or loads from elsewhere, are not known. */
static void not_of_files(void **state)
{
	(void)state;
	for (int remote = 0; remote < 2; remote++) {
		struct test_disk test;
		begin(&test);
		memory_file(&test.esp, "/loader/loader.conf", remote ? "" : "default auto-windows\n");
		add_entry(&test, "a-1", "");
		if (remote)
			memory_file(&test.esp, "/loader/entries/b.conf", "uki-url https://host/a.efi\n");
		struct boot boot = find(&test);
		assert_int_equal(boot.default_known, ANSWER_UNKNOWN);
		assert_non_null(strstr(boot.default_reason, remote ? "network" : "auto-windows"));
		test_end(&test);
	}
}

/* The command line names the initrd as the entry does. */
static void bare_path(void **state)
{
	(void)state;
	struct test_disk test;
	begin(&test);
	memory_file(&test.esp, "/vmlinuz", "kernel");
	memory_file(&test.esp, "/boot/initrd", "initramfs");
	memory_file(&test.esp, "/loader/entries/a.conf", "linux vmlinuz\ninitrd boot//initrd\noptions ro\n");
	struct boot boot = find(&test);
	const struct boot_entry *entry = default_is(&boot, "a.conf", "no default is set");
	assert_string_equal(entry->command_line, "initrd=boot\\initrd ro");
	assert_string_equal(entry->initrds.items[0].path, "/boot/initrd");
	assert_int_equal(entry->initrds.items[0].found, ANSWER_YES);
	test_end(&test);
}

static void timeouts(void **state)
{
	(void)state;
	static const char *const cases[][2] = { { "timeout menu-force\n", "-1" },
		                                { "timeout menu-hidden\n", "0" },
		                                { "timeout 7\ntimeout x\n", "7" },
		                                { "", "0" } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_disk test;
		begin(&test);
		memory_file(&test.esp, "/loader/loader.conf", cases[i][0]);
		add_entry(&test, "a-1", "");
		struct boot boot = find(&test);
		assert_string_equal(boot.timeout, cases[i][1]);
		test_end(&test);
	}
}

/* By sort-key, machine and version before those without; what has no tries left comes last of all. */
static void order(void **state)
{
	(void)state;
	static const char *const ids[] = { "x.conf",       "y.conf",   "w.conf",    "a-2+1-2.conf",
		                           "a-2+1-1.conf", "a-1.conf", "z+0-3.conf" };
	struct test_disk test;
	begin(&test);
	add_entry(&test, "a-1", "");
	add_entry(&test, "a-2+1-2", "");
	add_entry(&test, "a-2+1-1", "");
	add_entry(&test, "w", "sort-key b\nversion 9\n");
	add_entry(&test, "x", "sort-key a\nmachine-id 1\nversion 6.10\n");
	add_entry(&test, "y", "sort-key a\nmachine-id 1\nversion 6.9\n");
	add_entry(&test, "z+0-3", "sort-key a\nversion 99\n");
	struct boot boot = find(&test);
	assert_int_equal(boot.entries.count, ARRAY_SIZE(ids));
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_string_equal(boot.entries.items[i].id, ids[i]);
	test_end(&test);
}

/* Left out: for another machine, without a kernel or with two, whose kernel is not there, of another name. */
static void left_out(void **state)
{
	(void)state;
	struct test_disk test;
	begin(&test);
	add_entry(&test, "a", "");
	add_entry(&test, "arm", "architecture aa64\n");
	add_entry(&test, "two", "efi /shell.efi\n");
	add_entry(&test, "auto-x", "");
	memory_file(&test.esp, "/loader/entries/none.conf", "title none\n");
	memory_file(&test.esp, "/loader/entries/gone.conf", "title gone\nlinux /gone\n");
	memory_file(&test.esp, "/loader/entries/other.txt", "linux /a/linux\n");
	struct boot boot = find(&test);
	assert_int_equal(boot.entries.count, 1);
	assert_string_equal(boot.entries.items[0].id, "a.conf");
	assert_int_equal(boot.problems.count, 3);
	assert_string_equal(boot.problems.items[0].code, "bls-file-missing");
	test_end(&test);
}

static void no_entries(void **state)
{
	(void)state;
	struct test_disk test;
	begin(&test);
	struct boot boot = find(&test);
	assert_int_equal(boot.default_known, ANSWER_NO);
	assert_non_null(strstr(boot.default_reason, "finds no entry"));
	test_end(&test);
}

/* The default entry is shown, but its initrd is missing: it does not start. */
static void missing_initrd(void **state)
{
	(void)state;
	struct test_disk test;
	begin(&test);
	memory_file(&test.esp, "/linux", "kernel");
	memory_file(&test.esp, "/loader/entries/a.conf",
	            "linux linux\ninitrd \\initrd\noptions a\noptions b\n");
	struct boot boot = find(&test);
	const struct boot_entry *entry = default_is(&boot, "a.conf", "no default");
	assert_int_equal(entry->initrds.items[0].found, ANSWER_NO);
	assert_string_equal(entry->command_line, "initrd=\\initrd a b");
	assert_string_equal(boot.problems.items[0].code, "boot-file-missing");
	test_end(&test);
}

static void type_2(void **state)
{
	(void)state;
	struct test_disk test;
	begin(&test);
	add_image(&test, "/EFI/Linux/d-6.12.1.efi", ROOT " a", OSREL);
	add_image(&test, "/EFI/Linux/d-6.12.10.efi", ROOT " b", OSREL);
	add_image(&test, "/EFI/Linux/nameless.efi", ROOT, "VERSION=1\n");
	memory_file(&test.esp, "/EFI/Linux/text.efi", "no program");
	add_entry(&test, "zzz", "");
	struct boot boot = find(&test);
	const struct boot_entry *entry = default_is(&boot, "d-6.12.10.efi", "no default");
	assert_string_equal(entry->title, "Debian GNU/Linux 13 (trixie)");
	assert_string_equal(entry->command_line, ROOT " b");
	assert_string_equal(entry->kernel.path, "/EFI/Linux/d-6.12.10.efi");
	assert_string_equal(entry->kernel.section, ".linux");
	assert_string_equal(entry->initrds.items[0].section, ".initrd");
	assert_string_equal(entry->place.text, ".cmdline: " ROOT " b");
	assert_int_equal(entry->root_found, ANSWER_YES);
	assert_int_equal(boot.entries.count, 3);
	assert_int_equal(boot.problems.count, 2);
	test_end(&test);
}

static void image_with_profiles(void **state)
{
	(void)state;
	struct test_disk test;
	begin(&test);
	const struct pe_test_section sections[] = {
		pe_text(".osrel", OSREL),
		pe_text(".linux", "kernel"),
		pe_text(".cmdline", "base"),
		pe_text(".profile", "ID=a\n"),
		pe_text(".profile", "ID=rescue\nTITLE=Mend it\n"),
		pe_text(".cmdline", "rescue"),
	};
	memory_add(&test.esp, "/EFI/Linux/d.efi", NODE_FILE,
	           pe_build(sections, ARRAY_SIZE(sections), &test.arena), 0644);
	memory_file(&test.esp, "/loader/loader.conf", "default d.efi@rescue\n");
	struct boot boot = find(&test);
	const struct boot_entry *entry = default_is(&boot, "d.efi@rescue", "default d.efi@rescue");
	assert_string_equal(entry->title, "Debian GNU/Linux 13 (trixie) (Mend it)");
	assert_string_equal(entry->command_line, "rescue");
	assert_string_equal(boot.entries.items[0].command_line, "base");
	test_end(&test);
}

static void add_addon(struct test_disk *test, const char *path, const char *command_line, const char *uname)
{
	const struct pe_test_section sections[] = { pe_text(".cmdline", command_line),
		                                    pe_text(".uname", uname) };
	memory_add(&test->esp, path, NODE_FILE, pe_build(sections, 2, &test->arena), 0644);
}

/* Global addons come before the image's own; one for another kernel, or with a kernel, is passed over. */
static void addons(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	add_image(&test, "/EFI/BOOT/BOOTX64.EFI", ROOT, OSREL);
	add_addon(&test, "/loader/addons/b.addon.efi", "global", "6.12.1-amd64");
	add_addon(&test, "/loader/addons/c.addon.efi", "other-kernel", "6.9");
	add_addon(&test, "/loader/addons/d.efi", "no-addon", "6.12.1-amd64");
	add_addon(&test, "/EFI/BOOT/BOOTX64.EFI.extra.d/a.addon.efi", "own console=ttyS0", "6.12.1-amd64");
	add_image(&test, "/loader/addons/e.addon.efi", "an-image", OSREL);
	struct boot boot = find(&test);
	assert_string_equal(boot.loader, "uki");
	assert_string_equal(boot.timeout, "0");
	assert_int_equal(boot.entries.count, 1);
	const struct boot_entry *entry = &boot.entries.items[boot.default_index];
	assert_string_equal(entry->command_line, ROOT " global own console=ttyS0");
	assert_string_equal(entry->place.text,
	                    ".cmdline + /loader/addons/b.addon.efi + "
	                    "/EFI/BOOT/BOOTX64.EFI.extra.d/a.addon.efi: " ROOT " global own console=ttyS0");
	test_end(&test);
}

/* The stub of systemd 252 knows no addons. */
static void addons_of_old_stub(void **state)
{
	(void)state;
	struct test_disk test;
	test_start(&test);
	const struct pe_test_section sections[] = {
		pe_text(".sdmagic", "#### LoaderInfo: systemd-stub 252.39-1~deb12u2 ####"),
		pe_text(".cmdline", ROOT),
		pe_text(".linux", "kernel"),
	};
	memory_add(&test.esp, "/EFI/BOOT/BOOTX64.EFI", NODE_FILE, pe_build(sections, 3, &test.arena), 0644);
	add_addon(&test, "/loader/addons/b.addon.efi", "global", "");
	struct boot boot = find(&test);
	assert_string_equal(boot.entries.items[0].command_line, ROOT);
	test_end(&test);
}

/* An entry of type 1 may start an image, with a command line of its own. */
static void type_1_of_an_image(void **state)
{
	(void)state;
	struct test_disk test;
	begin(&test);
	add_image(&test, "/EFI/images/d.efi", ROOT, OSREL);
	memory_file(&test.esp, "/loader/entries/a.conf", "title a\nefi /EFI/images/d.efi\n");
	memory_file(&test.esp, "/loader/entries/b.conf", "title b\nuki /EFI/images/d.efi\noptions other\n");
	struct boot boot = find(&test);
	assert_string_equal(boot.entries.items[0].command_line, "other");
	assert_string_equal(boot.entries.items[0].kernel.section, ".linux");
	assert_string_equal(boot.entries.items[1].command_line, ROOT);
	test_end(&test);
}

/* The extended boot loader partition has entries too, when firmware can read it. */
static void other_partition(void **state)
{
	(void)state;
	for (int fat = 0; fat < 2; fat++) {
		struct test_disk test;
		begin(&test);
		test_partition(&test, 3)->type = "bc13c2ff-59e6-4262-a352-b275fd6f7172";
		memory_file(&test.root, "/linux", "kernel");
		memory_file(&test.root, "/loader/entries/x.conf", "title x\nlinux /linux\noptions x\n");
		add_entry(&test, "a", "");
		test_open(&test);
		if (fat)
			test.root.filesystem.type = "vfat";
		struct boot boot;
		struct error error = { 0 };
		assert_true(boot_find(&test.reader, &test.table, &test.set, &test.budget, &test.arena, &boot,
		                      &error));
		assert_int_equal(boot.entries.count, fat ? 2 : 1);
		assert_int_equal(boot.problems.count, fat ? 0 : 1);
		if (fat)
			assert_int_equal(boot.entries.items[0].kernel.partition, 3);
		test_end(&test);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(type_1),
		cmocka_unit_test(defaults),
		cmocka_unit_test(not_of_files),
		cmocka_unit_test(bare_path),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(order),
		cmocka_unit_test(left_out),
		cmocka_unit_test(no_entries),
		cmocka_unit_test(missing_initrd),
		cmocka_unit_test(type_2),
		cmocka_unit_test(image_with_profiles),
		cmocka_unit_test(addons),
		cmocka_unit_test(addons_of_old_stub),
		cmocka_unit_test(type_1_of_an_image),
		cmocka_unit_test(other_partition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
