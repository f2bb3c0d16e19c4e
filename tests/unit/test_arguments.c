// The machine's command line, whole, for each firmware; and for a QEMU that has less.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/arguments.h"

static struct qemu whole_qemu(void)
{
	return (struct qemu){
		.program = "/usr/bin/qemu-system-x86_64",
		.arch = "x86_64",
		.is_reference = true,
		.piix4_isa = true,
		.ovmf_code = "/usr/share/OVMF/OVMF_CODE_4M.fd",
		.ovmf_vars = "/usr/share/OVMF/OVMF_VARS_4M.fd",
		.has = { .sandbox = true,
		         .user_network = true,
		         .hpet = true,
		         .vmport = true,
		         .usb = true,
		         .floppy_irq = true,
		         .rng = true,
		         .root_port = true,
		         .scsi_version = true,
		         .rotation_rate = true,
		         .device_id = true,
		         .hotplug = true,
		         .param_change = true },
	};
}

static struct machine_file opened(int descriptor)
{
	return (struct machine_file){ .descriptor = descriptor };
}

/* As the director wires it; the descriptors are numbers here and nothing more. */
static struct machine_wiring whole_wiring(enum machine_firmware firmware)
{
	return (struct machine_wiring){
		.firmware = firmware,
		.disk = opened(1010),
		.overlay = opened(1011),
		.spare = opened(1012),
		.kernel = opened(firmware == MACHINE_KERNEL ? 1013 : -1),
		.initrd = opened(firmware == MACHINE_KERNEL ? 1014 : -1),
		.ovmf_vars = opened(firmware == MACHINE_UEFI ? 1015 : -1),
		.command_line = "root=/dev/sda1 console=ttyS0",
		.serial = { 1020, 1021, 1022, 1023 },
		.qmp = 1024,
		.tap = 1025,
	};
}

/* One option a line. */
static char *lines_of(const struct qemu *qemu, const struct machine_wiring *wiring)
{
	struct arena arena = { 0 };
	struct machine_words words;
	struct text text = { 0 };
	machine_arguments(qemu, wiring, &arena, &words);
	for (size_t i = 0; i < words.items.count; i++)
		text_printf(&text, "%s%s",
		            i == 0                           ? ""
		            : words.items.items[i][0] == '-' ? "\n"
		                                             : " ",
		            words.items.items[i]);
	text_add(&text, "\n");
	arena_free(&arena);
	return text.data;
}

/* SLIPWAY_UPDATE_GOLDEN=1 writes the file anew, after a meant change. */
static void check_golden(const char *name, const struct qemu *qemu, const struct machine_wiring *wiring)
{
	char path[512], golden[16384] = { 0 };
	char *now = lines_of(qemu, wiring);
	snprintf(path, sizeof(path), SOURCE_ROOT "/tests/golden/machine/%s.txt", name);
	if (getenv("SLIPWAY_UPDATE_GOLDEN")) {
		FILE *file = fopen(path, "we");
		assert_non_null(file);
		fputs(now, file);
		fclose(file);
	}
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(golden, 1, sizeof(golden) - 1, file) > 0);
	fclose(file);
	assert_string_equal(now, golden);
	free(now);
}

static void without_cmpxchg16b(void **state)
{
	(void)state;
	struct qemu qemu = whole_qemu();
	struct machine_wiring wiring = whole_wiring(MACHINE_BIOS);
	qemu.no_cx16 = true;
	char *lines = lines_of(&qemu, &wiring);
	assert_non_null(strstr(lines, "\n-cpu max,cx16=off\n"));
	free(lines);
}

static void with_bios(void **state)
{
	(void)state;
	struct qemu qemu = whole_qemu();
	struct machine_wiring wiring = whole_wiring(MACHINE_BIOS);
	check_golden("bios", &qemu, &wiring);
}

static void with_uefi(void **state)
{
	(void)state;
	struct qemu qemu = whole_qemu();
	struct machine_wiring wiring = whole_wiring(MACHINE_UEFI);
	check_golden("uefi", &qemu, &wiring);
}

static void with_a_kernel(void **state)
{
	(void)state;
	struct qemu qemu = whole_qemu();
	struct machine_wiring wiring = whole_wiring(MACHINE_KERNEL);
	check_golden("kernel", &qemu, &wiring);
}

/* What this QEMU lacks is not asked of it. */
static void with_little(void **state)
{
	(void)state;
	struct qemu qemu = { .program = "/opt/qemu-system-x86_64",
		             .arch = "x86_64",
		             .is_reference = true,
		             .accelerator = QEMU_KVM };
	struct machine_wiring wiring = whole_wiring(MACHINE_BIOS);
	wiring.tap = -1;
	check_golden("little", &qemu, &wiring);
}

static void for_arm64(void **state)
{
	(void)state;
	struct qemu qemu = whole_qemu();
	struct machine_wiring wiring = whole_wiring(MACHINE_UEFI);
	qemu.program = "/usr/bin/qemu-system-aarch64";
	qemu.arch = "arm64";
	qemu.is_reference = qemu.piix4_isa = qemu.has.hpet = qemu.has.vmport = qemu.has.usb =
		qemu.has.floppy_irq = false;
	qemu.ovmf_code = "/usr/share/AAVMF/AAVMF_CODE.fd";
	check_golden("arm64", &qemu, &wiring);
}

/* For people: paths, the terminal, and a comma in a name that ends no value. */
static void by_paths(void **state)
{
	(void)state;
	struct qemu qemu = whole_qemu();
	struct machine_wiring wiring = machine_wiring_none();
	wiring.firmware = MACHINE_UEFI;
	wiring.disk.path = "a disk, of mine.raw";
	wiring.overlay.path = "overlay.qcow2";
	wiring.ovmf_vars.path = "vars.fd";
	check_golden("paths", &qemu, &wiring);
}

static void every_descriptor_is_handed_over_once(void **state)
{
	(void)state;
	struct qemu qemu = whole_qemu();
	struct machine_wiring wiring = whole_wiring(MACHINE_UEFI);
	char *lines = lines_of(&qemu, &wiring);
	for (int descriptor = 1010; descriptor <= 1025; descriptor++) {
		char wanted[32];
		snprintf(wanted, sizeof(wanted), "fd=%d", descriptor);
		bool is_wired = (descriptor <= 1012 || descriptor == 1015 || descriptor >= 1020);
		const char *found = strstr(lines, wanted);
		assert_int_equal(found != NULL, is_wired);
		assert_null(found ? strstr(found + 1, wanted) : NULL);
	}
	free(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_cmpxchg16b),
		cmocka_unit_test(with_bios),
		cmocka_unit_test(with_uefi),
		cmocka_unit_test(with_a_kernel),
		cmocka_unit_test(with_little),
		cmocka_unit_test(for_arm64),
		cmocka_unit_test(by_paths),
		cmocka_unit_test(every_descriptor_is_handed_over_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
