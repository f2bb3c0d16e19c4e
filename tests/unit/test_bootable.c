// From inputs to what a machine can boot: real containers made by the tools of their own, real workers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/bootable.h"
#include "pe_builder.h"
#include "table_builder.h"
#include "tools.h"

#define DISK_SIZE (UINT64_C(24) << 20)
#define FAT_START (UINT64_C(1) << 20)

static char folder[] = "/tmp/test-bootable-XXXXXX";
static struct arena arena;

static const char *in_folder(const char *name)
{
	return arena_printf(&arena, "%s/%s", folder, name);
}

static void run(const char *command)
{
	const char *line = arena_printf(&arena, "cd %s && (%s) >/dev/null", folder, command);
	(void)tool_filter(COMMAND("sh", "-c", line), (struct span){ 0 }, &arena);
}

static void write_file(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(in_folder(name), "we");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* A kernel's first sectors are enough to be one: the bytes of its payload do not matter here. */
static struct span a_kernel(void)
{
	uint8_t *kernel = arena_alloc(&arena, 70000);
	for (size_t i = 0; i < 70000; i++)
		kernel[i] = (uint8_t)(i * 7 + i / 251);
	return span_of(kernel, 70000);
}

static struct span a_uki(void)
{
	const struct pe_test_section sections[] = {
		{ ".linux", a_kernel() },
		pe_text(".ucode", "microcode"),
		pe_text(".initrd", "the initramfs"),
		pe_text(".cmdline", "root=/dev/sda1 console=ttyS0,115200\n"),
	};
	return pe_build(sections, ARRAY_SIZE(sections), &arena);
}

/* A disk that boots by UEFI: a FAT file system with a UKI where the firmware looks. */
static int make_disk(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	struct image image = image_new(DISK_SIZE, 512);
	const struct gpt_entry_spec esp = {
		.type = "28732ac11ff8d211ba4b00a0c93ec93b",
		.first = FAT_START / 512,
		.last = DISK_SIZE / 512 - 2048,
		.name = "ESP",
	};
	put_gpt(&image, &esp, 1);
	write_file("disk.raw", image.bytes, image.size);
	free(image.bytes);
	struct span uki = a_uki();
	write_file("uki.efi", uki.data, uki.size);
	run("truncate -s 20M fat && mkfs.vfat -F 16 fat && mmd -i fat ::EFI ::EFI/BOOT && "
	    "mcopy -i fat uki.efi ::EFI/BOOT/BOOTX64.EFI && "
	    "dd if=fat of=disk.raw bs=1M seek=1 conv=notrunc,sparse && "
	    "tar -czf disk.tar.gz --format=oldgnu disk.raw && qemu-img convert -O qcow2 disk.raw disk.qcow2 "
	    "&& "
	    "gzip -k disk.raw");
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	run("rm -r \"$PWD\"");
	arena_free(&arena);
	return 0;
}

static struct examination examined(const char *path)
{
	struct examination examination;
	struct questions questions = { 0 };
	examine(path, &questions, &arena, &examination);
	return examination;
}

static struct input_identity identity(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	struct input_identity identity = input_identify(file);
	if (file >= 0)
		close(file);
	return identity;
}

static struct span content(int file)
{
	struct stat status;
	assert_int_equal(fstat(file, &status), 0);
	uint8_t *bytes = arena_alloc(&arena, (size_t)status.st_size);
	assert_int_equal(pread(file, bytes, (size_t)status.st_size, 0), status.st_size);
	return span_of(bytes, (size_t)status.st_size);
}

static void assert_same(int file, struct span wanted)
{
	struct span is = content(file);
	assert_int_equal(is.size, wanted.size);
	assert_memory_equal(is.data, wanted.data, wanted.size);
}

static struct bootable opened(const char *path, bool direct)
{
	struct examination examination = examined(path);
	struct bootable bootable;
	struct error error;
	if (!bootable_open(path, &examination, direct, &arena, &bootable, &error))
		fail_msg("%s: %s", path, error.message);
	return bootable;
}

static void assert_kernel(const struct bootable *bootable)
{
	uint8_t initrd[12 + 13] = "microcode";
	memcpy(initrd + 12, "the initramfs", 13);
	assert_same(bootable->kernel, a_kernel());
	assert_same(bootable->initrd, span_of(initrd, sizeof(initrd)));
	assert_string_equal(bootable->command_line, "root=/dev/sda1 console=ttyS0,115200");
}

/* Raw is booted where it lies, everything else as a copy; the bytes are the same, and cannot be changed. */
static void test_disks(void **state)
{
	(void)state;
	static const char *const names[] = { "disk.raw", "disk.tar.gz", "disk.qcow2", "disk.raw.gz" };
	int raw = open(in_folder("disk.raw"), O_RDONLY | O_CLOEXEC);
	struct span bytes = content(raw);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct stat status;
		struct bootable plain = opened(in_folder(names[i]), false);
		assert_int_equal(plain.kernel, -1);
		assert_int_equal(plain.initrd, -1);
		assert_int_equal(plain.disk_size, DISK_SIZE);
		assert_same(plain.disk, bytes);
		assert_int_equal(pwrite(plain.disk, "x", 1, 0), -1);
		assert_int_equal(errno, EBADF);
		assert_int_equal(fstat(plain.disk, &status), 0);
		/* Holes stay holes. */
		assert_true(status.st_blocks * 512 < (off_t)DISK_SIZE || i == 0);
		bootable_close(&plain);
		assert_int_equal(plain.disk, -1);
		struct bootable direct = opened(in_folder(names[i]), true);
		assert_same(direct.disk, bytes);
		assert_kernel(&direct);
		bootable_close(&direct);
	}
	close(raw);
}

static void test_kernel(void **state)
{
	(void)state;
	const char *path = in_folder("uki.efi");
	struct examination examination = { .facts = { .kind = INPUT_KERNEL }, .identity = identity(path) };
	struct bootable bootable;
	struct error error;
	if (!bootable_open(path, &examination, false, &arena, &bootable, &error))
		fail_msg("%s", error.message);
	assert_int_equal(bootable.disk, -1);
	assert_kernel(&bootable);
	bootable_close(&bootable);
}

static void refused_as(const char *path, const struct examination *examination, bool direct,
                       enum error_code code, const char *part)
{
	struct bootable bootable;
	struct error error;
	assert_false(bootable_open(path, examination, direct, &arena, &bootable, &error));
	if (!strstr(error.message, part))
		fail_msg("%s", error.message);
	assert_int_equal(error.code, code);
	assert_int_equal(bootable.disk, -1);
	assert_int_equal(bootable.kernel, -1);
}

/* What lies there now, with these facts. */
static void refused(const char *path, const struct facts *facts, bool direct, enum error_code code,
                    const char *part)
{
	const struct examination examination = { .facts = *facts, .identity = identity(path) };
	refused_as(path, &examination, direct, code, part);
}

static void test_refused(void **state)
{
	(void)state;
	const char *path = in_folder("disk.raw");
	struct facts facts = examined(path).facts;
	struct facts other = { .kind = INPUT_TREE };
	refused("/", &other, false, ERROR_UNSUPPORTED, "no boot loader and no disk");
	other.kind = INPUT_CONFIG;
	refused(path, &other, false, ERROR_UNSUPPORTED, "a configuration is no kernel");
	other.kind = INPUT_LIVE;
	refused(path, &other, false, ERROR_UNSUPPORTED, "running already");
	other = (struct facts){ .kind = INPUT_UNKNOWN, .reason = "it is a zip file" };
	refused(path, &other, false, ERROR_UNSUPPORTED, "it is a zip file");

	other = facts;
	other.boot.default_known = ANSWER_NO;
	refused(path, &other, true, ERROR_NOT_FOUND, "which kernel the image boots is not known");
	other = facts;
	struct boot_entry entry = { .kernel = { .path = "/vmlinuz", .found = ANSWER_NO } };
	other.boot.entries.items = &entry;
	other.boot.entries.count = 1;
	other.boot.default_index = 0;
	refused(path, &other, true, ERROR_NOT_FOUND, "(/vmlinuz) is not there");
	struct kernel kernel = { .judged = true, .arch = "arm64" };
	other.kernels.items = &kernel;
	other.kernels.count = 1;
	refused(path, &other, true, ERROR_UNSUPPORTED, "is for arm64");

	other = facts;
	struct partition partition = { .number = 1, .file_system = "crypto_LUKS" };
	other.table.partitions.items = &partition;
	other.table.partitions.count = 1;
	refused(path, &other, false, ERROR_UNSUPPORTED, "is encrypted (crypto_LUKS, partition 1)");
	refused(in_folder("gone"), &facts, false, ERROR_NOT_FOUND, "no such file");
}

/* A lack of room is a failure of the moment, and says what to do. */
static void test_no_room(void **state)
{
	(void)state;
	const char *path = in_folder("disk.tar.gz");
	struct facts facts = examined(path).facts;
	assert_int_equal(setenv("TMPDIR", in_folder("nowhere"), 1), 0);
	refused(path, &facts, false, ERROR_IO, "set TMPDIR");
	assert_int_equal(unsetenv("TMPDIR"), 0);
}

/* Something else lies there by now. */
static void test_replaced(void **state)
{
	(void)state;
	struct examination examination = examined(in_folder("disk.tar.gz"));
	run("head -c 4096 disk.tar.gz >cut.tar.gz");
	refused(in_folder("cut.tar.gz"), &examination.facts, false, ERROR_CORRUPT,
	        "it cannot be made bootable: ");
	refused_as(in_folder("cut.tar.gz"), &examination, false, ERROR_IO, "replaced or written to");
	examination = examined(in_folder("disk.raw"));
	run("printf x | dd of=disk.raw bs=1 seek=4096 conv=notrunc status=none");
	refused_as(in_folder("disk.raw"), &examination, false, ERROR_IO, "replaced or written to");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disks),    cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_replaced),
	};
	return cmocka_run_group_tests(tests, make_disk, remove_folder);
}
