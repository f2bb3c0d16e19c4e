// The hardware of a running machine, recorded and changed: what is there decides, not what the kernel could
// do.
#include <stdio.h>

#include "live_bench.h"

/* Entries that were added before win over those of the recording. */
static void add_recording(struct bench *bench, const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), SOURCE_ROOT "/tests/unit/machines/%s", name);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	char *text = arena_alloc(&bench->arena, 1 << 20);
	size_t size = fread(text, 1, 1 << 20, file);
	fclose(file);
	memory_parse(&bench->files, span_of(text, size));
}

static void expect_place(const struct bench *bench, const char *id, const char *path, const char *text)
{
	const struct finding *finding = finding_of(bench, id);
	for (size_t i = 0; i < finding->evidence.count; i++)
		if (str_equal(finding->evidence.items[i].path, path) &&
		    str_equal(finding->evidence.items[i].text, text))
			return;
	fail_msg("%s has no evidence %s: %s", id, path, text);
}

static void the_reference_machine_is_read(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	add_recording(&bench, "reference.tree");
	read_machine(&bench);
	const struct hardware *hardware = &bench.facts.hardware;
	assert_int_equal(hardware->platform, ANSWER_YES);
	assert_int_equal(hardware->unread.count, 0);
	assert_int_equal(hardware->pci_devices.count, 7);
	const struct pci_device *isa = &hardware->pci_devices.items[1];
	assert_string_equal(isa->address, "0000:00:01.0");
	assert_int_equal(isa->vendor, 0x8086);
	assert_int_equal(isa->device, 0x7110);
	assert_int_equal(isa->class_code, 0x060100);
	assert_string_equal(isa->place.text, "0x00");
	assert_null(isa->driver);
	const struct virtio_device *net = &hardware->virtio_devices.items[1];
	assert_string_equal(net->pci, "0000:00:04.0");
	assert_int_equal(net->type, 1);
	assert_string_equal(net->driver, "virtio_net");
	assert_int_equal(strlen(net->features), 64);
	assert_int_equal(hardware->interfaces.count, 1);
	assert_string_equal(hardware->interfaces.items[0].device, "virtio1");
	assert_string_equal(hardware->interfaces.items[0].offloads_off, "rx-gro-list");
	assert_int_equal(hardware->interfaces.items[0].receive_queues, 1);
	assert_int_equal(hardware->scsi_hosts.count, 3);
	assert_string_equal(hardware->scsi_hosts.items[0].device, "virtio0");
	assert_int_equal(hardware->scsi_hosts.items[0].queues, 1);
	assert_int_equal(hardware->scsi_devices.count, 1);
	const struct scsi_device *disk = &hardware->scsi_devices.items[0];
	assert_string_equal(disk->host, "host0");
	assert_string_equal(disk->model, "PersistentDisk");
	assert_string_equal(disk->block, "sda");
	assert_int_equal(disk->version, 6);
	assert_int_equal(disk->logical, 512);
	assert_int_equal(disk->physical, 4096);
	assert_int_equal(hardware->serial_ports.count, 4);
	assert_string_equal(hardware->serial_ports.items[3].irq, "7");
	assert_string_equal(hardware->serial_ports.items[3].type, "4");
	bench_close(&bench);
}

static void the_platform_is_judged_by_what_is_there(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	memory_file(&bench.files, "/sys/devices/pci0000:00/0000:00:01.0/revision", "0x03\n");
	add_recording(&bench, "reference.tree");
	judge(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(hardware_rules); i++)
		if (!str_equal(hardware_rules[i], "hardware.net.gvnic")) {
			assert_int_equal(finding_of(&bench, hardware_rules[i])->verdict, VERDICT_PASS);
			assert_string_equal(finding_of(&bench, hardware_rules[i])->how, "live");
			assert_false(finding_of(&bench, hardware_rules[i])->by_equivalent);
		}
	expect(&bench, "hardware.isa-bridge", VERDICT_PASS, "live",
	       "there is 8086:7110, revision 03 at 0000:00:01.0");
	expect_place(&bench, "hardware.isa-bridge", "/sys/bus/pci/devices/0000:00:01.0/revision", "0x03");
	assert_string_equal(finding_of(&bench, "hardware.isa-bridge")->wanted, "id 8086:7110, revision 03");
	expect(&bench, "hardware.scsi.sectors", VERDICT_PASS, "live",
	       "sda: sectors of 512 bytes, 4096 physically");
	expect(&bench, "hardware.scsi.command-sets", VERDICT_PASS, "live",
	       "sda: version 6 of the SCSI commands (SPC-4)");
	expect(&bench, "hardware.net.tso4", VERDICT_PASS, "live",
	       "virtio1 and its driver virtio_net agreed on VIRTIO_NET_F_HOST_TSO4; ens4 has "
	       "tx-tcp-segmentation");
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	bench_close(&bench);
}

/* QEMU's ISA bridge has another revision than the platform's: that says nothing of the system. */
static void the_machines_own_oddities_are_no_failures(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	memory_file(&bench.files, SCSI "/host0/target0:0:1/0:0:1:0/block/sda/queue/physical_block_size",
	            "512\n");
	memory_file(&bench.files, SCSI "/host0/target0:0:1/0:0:1:0/scsi_level", "6\n");
	memory_file(&bench.files, SCSI "/host0/scsi_host/host0/nr_hw_queues", "4\n");
	add_recording(&bench, "reference.tree");
	judge(&bench);
	expect(&bench, "hardware.isa-bridge", VERDICT_PASS, "read",
	       "CONFIG_PCI=y, CONFIG_ACPI=y, CONFIG_PNP=y, CONFIG_PNPACPI=y; judged by its kernel alone: "
	       "this "
	       "machine's 8086:7110 has revision 00, not 03");
	expect(&bench, "hardware.scsi.sectors", VERDICT_PASS, "read",
	       "CONFIG_SCSI=y, CONFIG_BLK_DEV_SD=y; judged by its kernel alone: this machine's sda has "
	       "sectors "
	       "of 512 bytes, 512 physically");
	expect(&bench, "hardware.scsi.command-sets", VERDICT_PASS, "read",
	       "CONFIG_SCSI=y, CONFIG_BLK_DEV_SD=y; judged by its kernel alone: this machine's sda speaks "
	       "version 5 of the SCSI commands, not 6");
	expect(&bench, "hardware.scsi.one-queue", VERDICT_PASS, "live",
	       "host0 works with 4 request queues, which is what VIRTIO_SCSI_MULTIQUEUE gives");
	assert_true(finding_of(&bench, "hardware.scsi.one-queue")->by_equivalent);
	bench_close(&bench);
}

/* A container has no /boot, and some distributions call the file otherwise: nothing follows from that. */
static void an_initramfs_that_is_not_found_is_not_missing(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	read_machine(&bench);
	LIST_ADD(&bench.arena, &bench.facts.boot.entries)->command_line = "";
	judge_as(&bench, "x86_64", "# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_SCSI_VIRTIO=m\n");
	struct kernel *kernel = &bench.facts.kernels.items[0];
	kernel->entry = 1;
	*LIST_ADD(&bench.arena, &kernel->modules) = (struct kernel_module){
		.name = "virtio_scsi", .state = MODULE_FILE, .missing = "", .needs = ""
	};
	policy_judge(&bench.policy, &bench.facts, &bench.arena, &bench.judgement);
	expect(&bench, "kernel.virtio-scsi", VERDICT_UNKNOWN, "read",
	       "CONFIG_SCSI_VIRTIO=m, and which initramfs boots with this kernel is not known");
	bench_close(&bench);
}

/* A file in the place of a link: nothing is bound to the device. */
static void a_device_without_a_driver_fails(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	memory_file(&bench.files, NET "/driver", "");
	memory_file(&bench.files, "/sys/class/scsi_host", "");
	memory_file(&bench.files, "/sys/bus/scsi/devices", "");
	add_recording(&bench, "reference.tree");
	judge(&bench);
	expect(&bench, "hardware.net.virtio", VERDICT_FAIL, "live",
	       "nothing drives the PCI device 1af4:1000 at 0000:00:04.0");
	assert_string_equal(finding_of(&bench, "hardware.net.virtio")->fix,
	                    "modprobe -a virtio_net virtio_pci");
	expect(&bench, "hardware.net.gro4", VERDICT_FAIL, "live",
	       "nothing drives the PCI device 1af4:1000 at 0000:00:04.0");
	expect(&bench, "hardware.scsi.sectors", VERDICT_FAIL, "live",
	       "nothing drives the PCI device 1af4:1004 at 0000:00:03.0");
	bench_close(&bench);
}

static void a_disk_without_a_driver_fails(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	memory_link(&bench.files, "/sys/bus/scsi/devices/0:0:2:0", "../../../devices/tape");
	memory_file(&bench.files, "/sys/devices/tape/type", "1\n");
	add_recording(&bench, "reference.tree");
	read_machine(&bench);
	bench.facts.hardware.scsi_devices.items[0].block = NULL;
	judge_as(&bench, "x86_64", config);
	expect(&bench, "hardware.scsi.sectors", VERDICT_FAIL, "live",
	       "the disk 0:0:1:0 is there, and nothing drives it");
	bench.facts.hardware.scsi_devices.items[0].block = "sda";
	bench.judgement = (struct judgement){ 0 };
	policy_judge(&bench.policy, &bench.facts, &bench.arena, &bench.judgement);
	expect(&bench, "hardware.scsi.disks-only", VERDICT_PASS, "read",
	       "CONFIG_SCSI=y, CONFIG_BLK_DEV_SD=y; judged by its kernel alone: this machine's 0:0:2:0 is "
	       "not "
	       "known to be a disk");
	bench_close(&bench);
}

static void what_was_not_agreed_on_fails(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	memory_file(&bench.files, NET "/features", "011001111111011");
	memory_file(&bench.files, SCSI "/features", "01");
	add_recording(&bench, "reference.tree");
	judge(&bench);
	expect(&bench, "hardware.net.checksum-offload", VERDICT_FAIL, "live",
	       "virtio1 and its driver virtio_net did not agree on VIRTIO_NET_F_CSUM");
	expect(&bench, "hardware.net.tso4", VERDICT_PASS, "live",
	       "virtio1 and its driver virtio_net agreed on VIRTIO_NET_F_HOST_TSO4; ens4 has "
	       "tx-tcp-segmentation");
	expect(&bench, "hardware.scsi.hotplug", VERDICT_FAIL, "live",
	       "virtio0 and its driver virtio_scsi did not agree on VIRTIO_SCSI_F_CHANGE");
	bench_close(&bench);
}

static void offloads_are_told_apart(void **state)
{
	(void)state;
	static char off[] = "ens4 tx-checksum-ip-generic -rx-gro\n";
	struct bench bench = bench_open();
	bench.answers.offloads = off;
	add_recording(&bench, "reference.tree");
	judge(&bench);
	expect(&bench, "hardware.net.gro4", VERDICT_PASS, "live",
	       "ens4 has rx-gro, which is switched off now (ethtool -K ens4 rx-gro on)");
	expect(&bench, "hardware.net.tso4", VERDICT_FAIL, "live", "ens4 does not have tx-tcp-segmentation");
	bench_close(&bench);

	bench = bench_open();
	bench.answers.offloads = NULL;
	add_recording(&bench, "reference.tree");
	judge(&bench);
	expect(&bench, "hardware.net.gro4", VERDICT_PASS, "read",
	       "CONFIG_VIRTIO_NET=y, CONFIG_INET=y; judged by its kernel alone: the offloads of ens4 cannot "
	       "be "
	       "read");
	expect(&bench, "hardware.net.tso4", VERDICT_PASS, "live",
	       "virtio1 and its driver virtio_net agreed on VIRTIO_NET_F_HOST_TSO4");
	bench_close(&bench);
}

static void serial_ports_are_counted_and_asked_for_their_interrupts(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	memory_file(&bench.files, "/sys/devices/pnp0/00:01/tty/ttyS2/irq", "4\n");
	memory_file(&bench.files, "/sys/devices/pnp0/00:00/tty/ttyS3/type", "0\n");
	add_recording(&bench, "reference.tree");
	judge(&bench);
	expect(&bench, "hardware.serial.ttyS1", VERDICT_PASS, "live", "ttyS1 is on IRQ 3");
	expect(&bench, "hardware.serial.ttyS2", VERDICT_FAIL, "live", "ttyS2 is on IRQ 4, not 6");
	expect(&bench, "hardware.serial.ttyS3", VERDICT_FAIL, "live",
	       "the kernel has found no serial port ttyS3");
	expect(&bench, "hardware.serial.count", VERDICT_FAIL, "live",
	       "the kernel has found 3 serial ports of type 16550A");
	bench_close(&bench);
}

/* Kernels whose serial attributes are root's alone: a driver that refuses them. */
static bool refusing_read(const struct node *file, uint64_t offset, void *buffer, size_t length,
                          struct error *error)
{
	size_t unused;
	if (strstr(memory_entry_of(file, &unused)->path, "/tty/ttyS"))
		return error_set(error, ERROR_IO, "permission denied");
	return memory_read(file, offset, buffer, length, error);
}

static void without_root_acpi_tells_the_interrupts(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	struct fs_driver driver = memory_driver;
	driver.read = refusing_read;
	/* Since 6.5 the port hangs below two devices of the serial core. */
	memory_link(&bench.files, "/sys/devices/pnp0/00:01/tty/ttyS2/device",
	            "../../../00:01/00:01:0/00:01:0.0");
	memory_directory(&bench.files, "/sys/devices/pnp0/00:01/00:01:0/00:01:0.0");
	memory_link(&bench.files, "/sys/devices/pnp0/00:00/tty/ttyS3/device", "nowhere");
	add_recording(&bench, "reference.tree");
	struct tree tree = memory_tree(&bench.files);
	bench.files.filesystem.driver = &driver;
	hardware_read(&tree, &bench.answers, &bench.budget, &bench.arena, &bench.facts.hardware);
	judge_as(&bench, "x86_64", config);
	expect(&bench, "hardware.serial.ttyS0", VERDICT_PASS, "live", "ttyS0 is on IRQ 4");
	expect_place(&bench, "hardware.serial.ttyS0", "/sys/bus/pnp/devices/00:03/resources", "irq 4");
	expect(&bench, "hardware.serial.ttyS2", VERDICT_PASS, "live", "ttyS2 is on IRQ 6");
	const struct finding *last = finding_of(&bench, "hardware.serial.ttyS3");
	assert_int_equal(last->verdict, VERDICT_PASS);
	assert_string_equal(last->how, "read");
	assert_true(str_ends(last->reason, "; judged by its kernel alone: run as root to read "
	                                   "/sys/class/tty/ttyS3/irq"));
	assert_true(str_ends(finding_of(&bench, "hardware.serial.count")->reason,
	                     "; judged by its kernel alone: run as root to read /sys/class/tty/ttyS0/irq"));
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_machine_is_read),
		cmocka_unit_test(the_platform_is_judged_by_what_is_there),
		cmocka_unit_test(the_machines_own_oddities_are_no_failures),
		cmocka_unit_test(an_initramfs_that_is_not_found_is_not_missing),
		cmocka_unit_test(a_device_without_a_driver_fails),
		cmocka_unit_test(a_disk_without_a_driver_fails),
		cmocka_unit_test(what_was_not_agreed_on_fails),
		cmocka_unit_test(offloads_are_told_apart),
		cmocka_unit_test(serial_ports_are_counted_and_asked_for_their_interrupts),
		cmocka_unit_test(without_root_acpi_tells_the_interrupts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
