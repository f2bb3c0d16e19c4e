// The running machine: recorded ones, read and judged. machines/reference.tree is what Debian 12 shows on the
// platform's virtual hardware as QEMU makes it; the others are put together from what is publicly known of
// their machine series.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "live/ethtool.h"
#include "live/machine.h"
#include "memory_fs.h"
#include "policy/policy.h"

#define PLATFORM "/sys/class/dmi/id/product_name"
#define SCSI     "/sys/devices/pci0000:00/0000:00:03.0/virtio0"
#define NET      "/sys/devices/pci0000:00/0000:00:04.0/virtio1"
#define OFFLOADS "lo rx-gro\nens4 tx-checksum-ip-generic rx-gro tx-tcp-segmentation -rx-gro-list\n"

/* A kernel that has everything, so that only what is seen can make a rule fail. */
static const char config[] =
	"# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_X86_64=y\n"
	"CONFIG_PCI=y\nCONFIG_ACPI=y\nCONFIG_PNP=y\nCONFIG_PNPACPI=y\nCONFIG_INET=y\n"
	"CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_PCI_LEGACY=y\nCONFIG_VIRTIO_NET=y\n"
	"CONFIG_SCSI=y\nCONFIG_SCSI_VIRTIO=y\nCONFIG_BLK_DEV_SD=y\nCONFIG_SERIAL_8250=y\n"
	"CONFIG_SERIAL_8250_CONSOLE=y\nCONFIG_SERIAL_8250_PNP=y\n"
	"CONFIG_SERIAL_8250_NR_UARTS=4\nCONFIG_SERIAL_8250_RUNTIME_UARTS=4\n";

struct bench {
	struct memory_fs files;
	struct arena arena;
	struct budget budget;
	struct policy policy;
	struct facts facts;
	struct judgement judgement;
	struct machine_answers answers;
};

static char offloads[] = OFFLOADS;

static struct bench bench_open(void)
{
	struct error error = { 0 };
	struct bench bench = { .answers = { .offloads = offloads }, .budget = budget_default() };
	if (!policy_builtin(&bench.policy, &error))
		fail_msg("%s", error.message);
	return bench;
}

static void bench_close(struct bench *bench)
{
	policy_free(&bench->policy);
	memory_free(&bench->files);
	arena_free(&bench->arena);
}

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

static void read_machine(struct bench *bench)
{
	struct tree tree = memory_tree(&bench->files);
	hardware_read(&tree, &bench->answers, &bench->budget, &bench->arena, &bench->facts.hardware);
}

static void judge_as(struct bench *bench, const char *arch, const char *configuration)
{
	struct facts *facts = &bench->facts;
	facts->kind = INPUT_LIVE;
	facts->examined = EXAMINED_FULL;
	struct kernel *kernel = LIST_ADD(&bench->arena, &facts->kernels);
	kernel->version = "6.1.0";
	kernel->arch = arch;
	kernel->judged = true;
	kernel_config_parse(span_text(configuration), NULL, &bench->arena, &kernel->config);
	kernel->config.source = kernel->config.place.path = "/proc/config.gz";
	policy_judge(&bench->policy, facts, &bench->arena, &bench->judgement);
}

static void judge(struct bench *bench)
{
	read_machine(bench);
	judge_as(bench, "x86_64", config);
}

static const struct finding *finding_of(const struct bench *bench, const char *id)
{
	for (size_t i = 0; i < bench->judgement.findings.count; i++)
		if (str_equal(bench->judgement.findings.items[i].rule->id, id))
			return &bench->judgement.findings.items[i];
	fail_msg("no rule %s", id);
	return NULL;
}

static void expect(const struct bench *bench, const char *id, enum verdict verdict, const char *how,
                   const char *reason)
{
	const struct finding *finding = finding_of(bench, id);
	if (finding->verdict != verdict || !str_equal(finding->reason, reason) ||
	    !str_equal(finding->how, how))
		fail_msg("%s: %s (%s): %s\n  expected %s (%s): %s", id, verdict_names[finding->verdict],
		         finding->how, finding->reason, verdict_names[verdict], how, reason);
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

static const char *const hardware_rules[] = {
	"hardware.pci-bridge",     "hardware.isa-bridge",           "hardware.net.virtio",
	"hardware.net.gvnic",      "hardware.net.checksum-offload", "hardware.net.tso4",
	"hardware.net.gro4",       "hardware.scsi.virtio",          "hardware.scsi.command-sets",
	"hardware.scsi.one-queue", "hardware.scsi.sectors",         "hardware.scsi.disks-only",
	"hardware.scsi.hotplug",   "hardware.serial.count",         "hardware.serial.ttyS0",
	"hardware.serial.ttyS1",   "hardware.serial.ttyS2",         "hardware.serial.ttyS3",
};

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

static void words_of_an_interface_are_found(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const char *on = NULL, *off = "";
	ethtool_find("eth0 a -b c\neth01 d\n", "eth0", &arena, &on, &off);
	assert_string_equal(on, "a c");
	assert_string_equal(off, "b");
	on = NULL;
	ethtool_find("eth01 d\n", "eth0", &arena, &on, &off);
	assert_null(on);
	ethtool_find(NULL, "eth0", &arena, &on, &off);
	assert_null(on);
	arena_free(&arena);
}

static void the_kernel_answers_here(void **state)
{
	(void)state;
	struct machine_answers answers;
	machine_ask(&answers);
	assert_non_null(answers.release);
	assert_non_null(answers.hardware);
	machine_answers_free(&answers);
	assert_null(answers.release);
}

static const struct sysctl *running(const struct kernel *kernel, const char *key)
{
	for (size_t i = 0; i < kernel->sysctls.count; i++)
		if (str_equal(kernel->sysctls.items[i].key, key))
			return &kernel->sysctls.items[i];
	fail_msg("no %s", key);
	return NULL;
}

static void sysctls_are_what_they_are(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	struct memory_fs *files = &bench.files;
	memory_file(files, "/proc/sys/kernel/osrelease", "6.1.0\n");
	memory_file(files, "/proc/sys/kernel/kptr_restrict", "1\n");
	memory_file(files, "/proc/sys/net/ipv4/ip_forward", "1\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/all/rp_filter", "1\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/default/rp_filter", "1\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/lo/rp_filter", "0\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/docker0/rp_filter", "2\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/ens4/rp_filter", "0\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/ens5/rp_filter", "2\n");
	memory_directory(files, "/sys/class/net/ens4/device");
	memory_directory(files, "/sys/class/net/ens5/device");
	memory_file(files, "/etc/sysctl.d/50-a.conf", "kernel.kptr_restrict=1\nkernel.kptr_restrict=0\n");
	const char *keys[] = { "kernel.kptr_restrict", "net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter",
		               "kernel.yama.ptrace_scope" };
	const struct names asked = { keys, ARRAY_SIZE(keys) };
	struct tree tree = memory_tree(files);
	struct kernel kernel = { .version = "6.1.0" };
	const struct sysctl_system system = {
		.tree = &tree, .applier = SYSCTL_APPLIER_SYSTEMD, .command_line = "", .kernel = &kernel
	};
	sysctl_read_running(&system, &asked, &bench.budget, &bench.arena, &kernel);
	const struct sysctl *kptr = running(&kernel, "kernel.kptr_restrict");
	assert_int_equal(kptr->source, SYSCTL_RUNNING);
	assert_string_equal(kptr->value, "1");
	assert_string_equal(kptr->place.path, "/proc/sys/kernel/kptr_restrict");
	assert_string_equal(kptr->reason, "/etc/sysctl.d/50-a.conf:2 sets 0 at the next boot");
	assert_int_equal(kptr->boot_place.line, 2);
	assert_string_equal(running(&kernel, "net.ipv4.ip_forward")->reason,
	                    "no file sets it: at the next boot it starts as 0");
	assert_int_equal(running(&kernel, "kernel.yama.ptrace_scope")->source, SYSCTL_ABSENT);
	/* Of docker0, which has no device, nothing is said. */
	assert_int_equal(kernel.sysctls.count, 6);
	assert_string_equal(running(&kernel, "net.ipv4.conf.ens5.rp_filter")->effective, "2");
	bench_close(&bench);
}

static void interfaces_are_judged_by_the_weakest(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	read_machine(&bench);
	judge_as(&bench, "x86_64", config);
	struct kernel *kernel = &bench.facts.kernels.items[0];
	static const char *const rows[][3] = {
		{ "net.ipv4.conf.all.rp_filter", "1", "1" },
		{ "net.ipv4.conf.ens4.rp_filter", "0", "1" },
		{ "net.ipv4.conf.ens5.rp_filter", "2", "2" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sysctl *row = LIST_ADD(&bench.arena, &kernel->sysctls);
		*row = (struct sysctl){ .key = rows[i][0],
			                .value = rows[i][1],
			                .effective = rows[i][2],
			                .source = SYSCTL_RUNNING,
			                .reason = "",
			                .place.path = "/proc/sys/x",
			                .effective_place.path = "/proc/sys/x" };
	}
	policy_judge(&bench.policy, &bench.facts, &bench.arena, &bench.judgement);
	expect(&bench, "sysctl.net.ipv4.conf.all.rp_filter", VERDICT_PASS, "live", "1: as it stands");
	const struct finding *finding = finding_of(&bench, "guest.rp-filter");
	assert_int_equal(finding->verdict, VERDICT_FAIL);
	assert_string_equal(finding->found, "2");
	assert_string_equal(finding->how, "live");
	assert_string_equal(finding->fix,
	                    "echo 'net.ipv4.conf.*.rp_filter = 1' >> /etc/sysctl.d/60-image.conf");
	kernel->sysctls.count = 2;
	policy_judge(&bench.policy, &bench.facts, &bench.arena, &bench.judgement);
	assert_int_equal(finding_of(&bench, "guest.rp-filter")->verdict, VERDICT_PASS);
	bench_close(&bench);
}

static void a_running_machine_may_have_an_identity(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	judge(&bench);
	assert_int_equal(finding_of(&bench, "guest.machine-id")->verdict, VERDICT_NOT_APPLICABLE);
	assert_int_equal(finding_of(&bench, "guest.host-keys")->verdict, VERDICT_NOT_APPLICABLE);
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
		cmocka_unit_test(a_machine_of_another_series_has_other_devices),
		cmocka_unit_test(an_arm64_machine_is_asked_for_gvnic),
		cmocka_unit_test(other_machines_are_judged_by_their_kernel),
		cmocka_unit_test(no_devices_at_all_prove_nothing),
		cmocka_unit_test(older_kernels_are_read_where_they_tell_less),
		cmocka_unit_test(words_of_an_interface_are_found),
		cmocka_unit_test(the_kernel_answers_here),
		cmocka_unit_test(sysctls_are_what_they_are),
		cmocka_unit_test(interfaces_are_judged_by_the_weakest),
		cmocka_unit_test(a_running_machine_may_have_an_identity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
