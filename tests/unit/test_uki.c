// Unified kernel images: sections, profiles, and what an entry takes from them.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot/uki.h"
#include "pe_builder.h"
#include "tools.h"

#define STUB "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"

struct test_uki {
	struct arena arena;
	struct span bytes;
	struct reader reader;
	struct uki uki;
	struct error error;
	bool sound;
};

static void read_bytes(struct test_uki *test, struct span bytes)
{
	test->bytes = bytes;
	test->reader = reader_of_span(&test->bytes);
	test->sound = uki_read(&test->reader, &test->arena, &test->uki, &test->error);
}

static void read_sections(struct test_uki *test, const struct pe_test_section *sections, size_t count)
{
	read_bytes(test, pe_build(sections, count, &test->arena));
}

static void assert_part(const struct test_uki *test, const struct boot_file *file, const char *section,
                        const char *content)
{
	assert_string_equal(file->section, section);
	assert_int_equal(file->size, strlen(content));
	assert_memory_equal(test->bytes.data + file->offset, content, file->size);
}

static void one_image(void **state)
{
	(void)state;
	struct test_uki test = { 0 };
	const struct pe_test_section sections[] = {
		pe_text(".osrel", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n"),
		pe_text(".cmdline", " root=UUID=abc\tro\n\n"),
		pe_text(".uname", "6.12.1-amd64"),
		pe_text(".ucode", "microcode"),
		pe_text(".linux", "the kernel"),
		pe_text(".initrd", "the initramfs"),
	};
	read_sections(&test, sections, ARRAY_SIZE(sections));
	assert_true(test.sound);
	assert_int_equal(test.uki.machine, PE_MACHINE_X86_64);
	assert_int_equal(test.uki.profiles.count, 1);
	const struct uki_profile *profile = &test.uki.profiles.items[0];
	assert_string_equal(profile->version, "6.12.1-amd64");
	assert_string_equal(uki_os_release(profile->os_release, "PRETTY_NAME", &test.arena),
	                    "Debian GNU/Linux 13 (trixie)");
	assert_null(uki_os_release(profile->os_release, "NAME", &test.arena));

	struct boot_entry entry = { 0 };
	uki_fill_entry(profile, "/EFI/Linux/a.efi", 2, &test.arena, &entry);
	assert_string_equal(entry.command_line, "root=UUID=abc ro");
	assert_string_equal(entry.place.text, ".cmdline: root=UUID=abc ro");
	assert_string_equal(entry.place.path, "/EFI/Linux/a.efi");
	assert_part(&test, &entry.kernel, ".linux", "the kernel");
	assert_int_equal(entry.initrds.count, 2);
	assert_part(&test, &entry.initrds.items[0], ".ucode", "microcode");
	assert_part(&test, &entry.initrds.items[1], ".initrd", "the initramfs");
	arena_free(&test.arena);
}

/* A profile has its own sections in the place of those in front of the first .profile, and those alone. */
static void profiles(void **state)
{
	(void)state;
	struct test_uki test = { 0 };
	const struct pe_test_section sections[] = {
		pe_text(".linux", "K"),       pe_text(".initrd", "I"),
		pe_text(".cmdline", "base"),  pe_text(".profile", "ID=main\n"),
		pe_text(".cmdline", "first"), pe_text(".profile", "ID=rescue\nTITLE=\"Mend it\"\n"),
		pe_text(".initrd", "rescue"),
	};
	read_sections(&test, sections, ARRAY_SIZE(sections));
	assert_true(test.sound);
	assert_int_equal(test.uki.profiles.count, 2);
	assert_string_equal(test.uki.profiles.items[0].command_line, "first");
	assert_string_equal(test.uki.profiles.items[0].id, "main");
	assert_string_equal(test.uki.profiles.items[1].command_line, "base");
	assert_string_equal(test.uki.profiles.items[1].title, "Mend it");
	assert_int_equal(test.uki.profiles.items[1].initrd.size, 6);
	assert_int_equal(test.uki.profiles.items[1].linux.size, 1);
	arena_free(&test.arena);
}

static void no_image(void **state)
{
	(void)state;
	struct test_uki test = { 0 };
	const struct pe_test_section addon[] = { pe_text(".cmdline", "console=ttyS0") };
	read_sections(&test, addon, 1);
	assert_false(test.sound);
	assert_int_equal(test.error.code, ERROR_NOT_FOUND);
	read_bytes(&test, span_text("MZ, but nothing else"));
	assert_false(test.sound);
	arena_free(&test.arena);
}

/* Every length that is too short says so; none is read beyond its end. */
static void cut_off(void **state)
{
	(void)state;
	struct test_uki test = { 0 };
	const struct pe_test_section sections[] = { pe_text(".cmdline", "quiet"),
		                                    pe_text(".linux", "the kernel....") };
	const struct span whole = pe_build(sections, 2, &test.arena);
	for (size_t size = 0; size < whole.size - 2; size++) {
		read_bytes(&test, span_of(whole.data, size));
		assert_false(test.sound);
		assert_int_not_equal(test.error.code, ERROR_NOT_FOUND);
	}
	assert_non_null(strstr(test.error.message, "section .linux is cut off"));
	arena_free(&test.arena);
}

/* The stub of the installed systemd, with sections added as systemd-stub(7) shows it. */
static void real_stub(void **state)
{
	(void)state;
	struct test_uki test = { 0 };
	struct span made =
		tool_filter(COMMAND("sh", "-c",
	                            "set -e; d=$(mktemp -d); trap 'rm -rf $d' EXIT; echo 'root=/dev/sda1 rw' "
	                            "> $d/c; echo K > $d/k; "
	                            "echo I > $d/i; objcopy --add-section .cmdline=$d/c --change-section-vma "
	                            ".cmdline=0x30000 "
	                            "--add-section .linux=$d/k --change-section-vma .linux=0x2000000 "
	                            "--add-section .initrd=$d/i --change-section-vma .initrd=0x3000000 " STUB
	                            " $d/uki 2>/dev/null; cat $d/uki"),
	                    (struct span){ 0 }, &test.arena);
	read_bytes(&test, made);
	assert_true(test.sound);
	struct boot_entry entry = { 0 };
	uki_fill_entry(&test.uki.profiles.items[0], "/u.efi", 1, &test.arena, &entry);
	assert_string_equal(entry.command_line, "root=/dev/sda1 rw");
	assert_part(&test, &entry.kernel, ".linux", "K\n");
	assert_part(&test, &entry.initrds.items[0], ".initrd", "I\n");
	arena_free(&test.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_image), cmocka_unit_test(profiles),  cmocka_unit_test(no_image),
		cmocka_unit_test(cut_off),   cmocka_unit_test(real_stub),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
