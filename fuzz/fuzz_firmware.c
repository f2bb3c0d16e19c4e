// What firmware starts. The first byte says what the rest is: '0' a disk with its boot code in front, '1'
// GRUB's core image for a BIOS, '3' what shim's fallback reads, all else an EFI program in the removable
// path.
#include <stdlib.h>

#include "../tests/unit/boot_disk.h"
#include "../tests/unit/pe_builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct firmware_path *way)
{
	if (!way->path.loader || !way->path.reason || !way->path.firmware)
		abort();
}

static void start_disk(struct test_disk *test, struct span input)
{
	struct firmware_path way;
	struct error error = { 0 };
	test->span = input;
	test->reader = reader_of_span(&test->span);
	if (bios_find(&test->disk, &way, &error))
		check(&way);
}

static void start_program(struct test_disk *test, struct span input)
{
	struct firmware_path way;
	struct boot boot = { 0 };
	struct error error = { 0 };
	memory_add(&test->esp, "/EFI/BOOT/BOOTX64.EFI", NODE_FILE, input, 0644);
	memory_add(&test->esp, "/EFI/BOOT/grubx64.efi", NODE_FILE, input, 0644);
	memory_add(&test->esp, "/EFI/Linux/image.efi", NODE_FILE, input, 0644);
	memory_add(&test->esp, "/loader/addons/more.addon.efi", NODE_FILE, input, 0644);
	test_open(test);
	uefi_find(&test->disk, &way);
	check(&way);
	if (!systemd_boot_read_menu(&test->disk, &way, &boot, &error) || !boot.default_reason)
		abort();
}

static void start_fallback(struct test_disk *test, struct span input)
{
	struct firmware_path way;
	const struct pe_test_section sbat = pe_text(".sbat", "shim,2,UEFI shim\n");
	struct span shim = pe_build(&sbat, 1, &test->arena);
	memory_add(&test->esp, "/EFI/BOOT/BOOTX64.EFI", NODE_FILE, shim, 0644);
	memory_add(&test->esp, "/EFI/BOOT/fbx64.efi", NODE_FILE, shim, 0644);
	memory_add(&test->esp, "/EFI/a/shimx64.efi", NODE_FILE, shim, 0644);
	memory_add(&test->esp, "/EFI/a/BOOTX64.CSV", NODE_FILE, input, 0644);
	memory_add(&test->esp, "/EFI/b/BOOT.CSV", NODE_FILE, input, 0644);
	test_open(test);
	uefi_find(&test->disk, &way);
	check(&way);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct test_disk test;
	struct grub_image image = { 0 };
	if (size == 0)
		return 0;
	struct span input = span_from(span_of(data, size), 1);
	test_start(&test);
	test_open(&test);
	test.budget = (struct budget){ .inflated_left = 1 << 22, .steps_left = 20000 };
	if (data[0] == '0')
		start_disk(&test, input);
	else if (data[0] == '1')
		grub_image_read_core(input, &test.budget, &test.arena, &image);
	else if (data[0] == '3')
		start_fallback(&test, input);
	else
		start_program(&test, input);
	test_end(&test);
	return 0;
}
