// Running machines that are none of the page: other series, other architectures, other places, older kernels.

#include "live_bench.h"

static void add_pci(struct bench *bench, const char *address, const char *ids, const char *revision,
                    const char *driver)
{
	static const char *const names[] = { "vendor", "device", "subsystem_vendor", "subsystem_device" };
	struct arena *arena = &bench->arena;
	const char *directory = arena_printf(arena, "/sys/devices/pci0000:00/%s", address);
	memory_link(&bench->files, arena_printf(arena, "/sys/bus/pci/devices/%s", address),
	            arena_printf(arena, "../../../devices/pci0000:00/%s", address));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		memory_file(&bench->files, arena_printf(arena, "%s/%s", directory, names[i]),
		            arena_printf(arena, "0x%.4s\n", ids + 5 * i));
	if (revision)
		memory_file(&bench->files, arena_printf(arena, "%s/revision", directory), revision);
	if (driver)
		memory_link(&bench->files, arena_printf(arena, "%s/driver", directory),
		            arena_printf(arena, "../../../bus/pci/drivers/%s", driver));
}

/* A virtual machine of the third generation, as its lspci -nn is known: gVNIC, NVMe, the same bridges. */
static void a_machine_of_another_series_has_other_devices(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	memory_file(&bench.files, PLATFORM, "Google Compute Engine\n");
	add_pci(&bench, "0000:00:01.0", "8086:7110:1af4:1100", "0x03\n", NULL);
	add_pci(&bench, "0000:00:01.3", "8086:7113:1af4:1100", "0x03\n", NULL);
	add_pci(&bench, "0000:00:03.0", "1ae0:001f:1ae0:0000", "0x01\n", "nvme");
	add_pci(&bench, "0000:00:04.0", "1ae0:0042:1ae0:0058", "0x00\n", "gve");
	judge(&bench);
	expect(&bench, "hardware.pci-bridge", VERDICT_PASS, "live",
	       "there is 8086:7113, revision 03 at 0000:00:01.3");
	expect(&bench, "hardware.net.virtio", VERDICT_NOT_APPLICABLE, "live",
	       "this machine has no PCI device 1af4:1000, subsystem 0001");
	expect(&bench, "hardware.net.tso4", VERDICT_NOT_APPLICABLE, "live",
	       "this machine has no PCI device 1af4:1000");
	expect(&bench, "hardware.scsi.sectors", VERDICT_NOT_APPLICABLE, "live",
	       "this machine has no PCI device 1af4:1004");
	bench_close(&bench);
}

static void an_arm64_machine_is_asked_for_gvnic(void **state)
{
	(void)state;
	static const char arm64[] =
		"# Linux/arm64 6.1.0 Kernel Configuration\nCONFIG_ARM64=y\nCONFIG_GVE=y\n";
	for (int driven = 0; driven < 2; driven++) {
		struct bench bench = bench_open();
		memory_file(&bench.files, PLATFORM, "Google Compute Engine\n");
		add_pci(&bench, "0000:00:01.0", "1ae0:001f:1ae0:0000", "0x01\n", "nvme");
		/* The driver was called so before Linux 6.6. */
		add_pci(&bench, "0000:00:02.0", "1ae0:0042:1ae0:0058", "0x00\n", driven ? "gvnic" : NULL);
		read_machine(&bench);
		judge_as(&bench, "arm64", arm64);
		if (driven)
			expect(&bench, "hardware.net.gvnic", VERDICT_PASS, "live",
			       "gvnic drives the PCI device 1ae0:0042 at 0000:00:02.0");
		else
			expect(&bench, "hardware.net.gvnic", VERDICT_FAIL, "live",
			       "nothing drives the PCI device 1ae0:0042 at 0000:00:02.0");
		expect(&bench, "hardware.net.virtio", VERDICT_NOT_APPLICABLE, "read",
		       "arm64 machines have a gVNIC network card instead of virtio-net, and this kernel is "
		       "arm64");
		expect(&bench, "hardware.serial.ttyS0", VERDICT_NOT_APPLICABLE, "read",
		       "arm64 machines have a PL011 port, ttyAMA0, instead, and this kernel is arm64");
		bench_close(&bench);
	}
}

/* Neither a laptop nor a container is blamed for its hardware: the kernel alone is judged. */
static void other_machines_are_judged_by_their_kernel(void **state)
{
	(void)state;
	for (int laptop = 0; laptop < 2; laptop++) {
		struct bench bench = bench_open();
		if (laptop) {
			memory_file(&bench.files, PLATFORM, "20XWCTO1WW\n");
			add_pci(&bench, "0000:00:1f.0", "8086:a082:17aa:22d5", "0x20\n", NULL);
			add_pci(&bench, "0000:00:14.3", "8086:a0f0:8086:0074", "0x20\n", "iwlwifi");
		}
		judge(&bench);
		assert_int_equal(bench.facts.hardware.platform, laptop ? ANSWER_NO : ANSWER_UNKNOWN);
		assert_int_equal(bench.facts.hardware.unread.count, 0);
		for (size_t i = 0; i < ARRAY_SIZE(hardware_rules); i++) {
			const struct finding *finding = finding_of(&bench, hardware_rules[i]);
			assert_string_equal(finding->how, "read");
			assert_int_not_equal(finding->verdict, VERDICT_FAIL);
			assert_null(strstr(finding->reason, "a boot on the reference machine"));
		}
		expect(&bench, "hardware.scsi.one-queue", VERDICT_PASS, "read",
		       "CONFIG_SCSI_VIRTIO=y; judged by its kernel alone, since this machine is not of "
		       "Compute "
		       "Engine");
		assert_int_not_equal(bench.judgement.boots, ANSWER_YES);
		bench_close(&bench);
	}
}

static void no_devices_at_all_prove_nothing(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	memory_file(&bench.files, PLATFORM, "Google Compute Engine\n");
	judge(&bench);
	expect(&bench, "hardware.pci-bridge", VERDICT_PASS, "read",
	       "CONFIG_PCI=y, CONFIG_ACPI=y; judged by its kernel alone: /sys/bus/pci/devices shows none of "
	       "the "
	       "machine's devices");
	bench_close(&bench);
}

static void older_kernels_are_read_where_they_tell_less(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	add_pci(&bench, "0000:00:01.0", "8086:7110:1af4:1100", NULL, NULL);
	memory_file(&bench.files, "/sys/devices/pci0000:00/0000:00:01.0/config",
	            "\x86\x80\x10\x71\x07\x01\x02\x03\x03");
	memory_file(&bench.files, "/sys/class/scsi_host/host0/proc_name", "virtio_scsi\n");
	memory_file(&bench.files, "/sys/bus/scsi/devices/0:0:1:0/type", "0\n");
	memory_directory(&bench.files, "/sys/bus/scsi/devices/0:0:1:0/block/sda");
	memory_directory(&bench.files, "/sys/block/sda/mq/0");
	memory_directory(&bench.files, "/sys/block/sda/mq/1");
	uint8_t inquiry[74] = { [2] = 6, [58] = 0x04, [59] = 0x60, [60] = 0x04, [61] = 0xc0 };
	memory_add(&bench.files, "/sys/bus/scsi/devices/0:0:1:0/inquiry", NODE_FILE,
	           span_of(inquiry, sizeof(inquiry)), 0444);
	read_machine(&bench);
	assert_string_equal(bench.facts.hardware.pci_devices.items[0].place.text, "0x03");
	assert_int_equal(bench.facts.hardware.scsi_hosts.items[0].queues, 2);
	assert_string_equal(bench.facts.hardware.scsi_devices.items[0].standards, "0460 04c0");
	assert_int_equal(bench.facts.hardware.scsi_devices.items[0].version, 0);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_of_another_series_has_other_devices),
		cmocka_unit_test(an_arm64_machine_is_asked_for_gvnic),
		cmocka_unit_test(other_machines_are_judged_by_their_kernel),
		cmocka_unit_test(no_devices_at_all_prove_nothing),
		cmocka_unit_test(older_kernels_are_read_where_they_tell_less),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
