// The policy's judgement of what is a module: in the initramfs, on the root, or not known to be there.
#include "judge_bench.h"

static void wants_modules_in_the_initramfs(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	const char *config =
		arena_printf(&bench.arena, "%sCONFIG_SCSI_VIRTIO=m\nCONFIG_VIRTIO_PCI=y\n", whole_header);
	struct kernel *kernel = add_kernel(&bench, "6.1.0", config);
	add_module(&bench, "virtio_scsi", MODULE_FILE, ANSWER_NO)->missing = "virtio_scsi scsi_mod";
	add_module(&bench, "virtio_pci", MODULE_BUILTIN, ANSWER_UNKNOWN);
	struct kernel_module *sd_mod = add_module(&bench, "sd_mod", MODULE_FILE, ANSWER_YES);
	add_disk(&bench, CONSOLE);
	judge(&bench);
	expect(&bench, "kernel.virtio-scsi", VERDICT_FAIL,
	       "CONFIG_SCSI_VIRTIO=m, and the initramfs does not carry virtio_scsi scsi_mod");
	expect_found(&bench, "kernel.virtio-scsi", "m", false);
	expect_fix(&bench, "kernel.virtio-scsi",
	           "printf '%s\\n' virtio_scsi scsi_mod >> /etc/initramfs-tools/modules && update-initramfs "
	           "-u -k "
	           "6.1.0");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	bench.facts.os.id = "rocky";
	judge(&bench);
	expect_fix(&bench, "kernel.virtio-scsi",
	           "echo 'add_drivers+=\" virtio_scsi scsi_mod \"' >> /etc/dracut.conf.d/60-image.conf && "
	           "dracut "
	           "--force --kver 6.1.0");

	/* What two modules need is named once. */
	sd_mod->in_initramfs = ANSWER_NO;
	sd_mod->missing = "sd_mod scsi_mod";
	judge(&bench);
	expect(&bench, "kernel.virtio-scsi", VERDICT_FAIL,
	       "CONFIG_SCSI_VIRTIO=m, and the initramfs does not carry virtio_scsi scsi_mod sd_mod");
	sd_mod->in_initramfs = ANSWER_YES;

	kernel->initramfs_read = ANSWER_NO;
	kernel->initramfs_reason = "the initramfs is damaged at offset 512";
	judge(&bench);
	expect(&bench, "kernel.virtio-scsi", VERDICT_UNKNOWN,
	       "CONFIG_SCSI_VIRTIO=m, and the initramfs is damaged at offset 512");
	kernel->initramfs.path = NULL;
	kernel->initramfs_read = ANSWER_UNKNOWN;
	judge(&bench);
	expect(&bench, "kernel.virtio-scsi", VERDICT_FAIL,
	       "CONFIG_SCSI_VIRTIO=m, and the entry that boots it has no initramfs");
	expect_fix(&bench, "kernel.virtio-scsi",
	           "dracut --force --kver 6.1.0 && grub2-mkconfig -o /boot/grub2/grub.cfg");
	bench.facts.os.id = "debian";
	judge(&bench);
	expect_fix(&bench, "kernel.virtio-scsi", "update-initramfs -c -k 6.1.0 && update-grub");
	kernel->entry = 0;
	judge(&bench);
	expect(&bench, "kernel.virtio-scsi", VERDICT_UNKNOWN,
	       "CONFIG_SCSI_VIRTIO=m, and which initramfs boots with this kernel is not known");
	bench_close(&bench);
}

static void lets_what_modules_prove_stand_for_a_configuration(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	struct kernel *kernel = add_kernel(&bench, "6.1.0", NULL);
	kernel->arch = "x86_64";
	kernel->config.reason = "no file has it and the kernel was built without IKCONFIG";
	add_disk(&bench, CONSOLE);
	add_module(&bench, "virtio_scsi", MODULE_FILE, ANSWER_YES);
	add_module(&bench, "virtio_pci", MODULE_BUILTIN, ANSWER_UNKNOWN);
	add_module(&bench, "sd_mod", MODULE_FILE, ANSWER_YES);
	add_module(&bench, "virtio_net", MODULE_ABSENT, ANSWER_UNKNOWN);
	judge(&bench);
	expect(&bench, "kernel.virtio-scsi", VERDICT_PASS,
	       "virtio_scsi is built as a module, and the initramfs carries virtio_scsi sd_mod");
	expect(&bench, "kernel.virtio-pci", VERDICT_PASS, "modules.builtin lists virtio_pci");
	expect_found(&bench, "kernel.virtio-pci", "y", false);
	expect(&bench, "kernel.virtio-net", VERDICT_FAIL, "virtio_net is neither built in nor a module");
	expect_found(&bench, "kernel.virtio-net", "n", false);
	expect(&bench, "kernel.pci-msi", VERDICT_UNKNOWN,
	       "the kernel's configuration is not known: no file has it and the kernel was built without "
	       "IKCONFIG");
	/* Of many symbols it is said once. */
	expect(&bench, "hardware.isa-bridge", VERDICT_UNKNOWN,
	       "the kernel's configuration is not known: no file has it and the kernel was built without "
	       "IKCONFIG");
	expect(&bench, "security.no-devkmem", VERDICT_PASS, "CONFIG_DEVKMEM was removed in Linux 5.13");
	bench_close(&bench);
}

/* VIRTIO_PCI_LEGACY makes no module, but it decides what virtio_pci is made of. */
static void knows_the_legacy_transport_by_its_part(void **state)
{
	(void)state;
	static const struct {
		const char *release;
		enum module_state driver, part;
		const char *needs;
		enum verdict verdict;
		const char *found;
	} cases[] = {
		{ "6.12.0", MODULE_BUILTIN, MODULE_BUILTIN, "", VERDICT_PASS, "y" },
		{ "6.12.0", MODULE_BUILTIN, MODULE_FILE, "", VERDICT_FAIL, "n" },
		{ "6.12.0", MODULE_BUILTIN, MODULE_ABSENT, "", VERDICT_FAIL, "n" },
		{ "6.1.0", MODULE_FILE, MODULE_FILE, "virtio virtio_pci_legacy_dev", VERDICT_PASS, "y" },
		{ "6.1.0", MODULE_FILE, MODULE_FILE, "virtio virtio_pci_legacy_dev2", VERDICT_FAIL, "n" },
		{ "5.10.0", MODULE_FILE, MODULE_ABSENT, "virtio", VERDICT_UNKNOWN, "" },
		{ "6.12.0", MODULE_UNKNOWN, MODULE_UNKNOWN, "", VERDICT_UNKNOWN, "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bench bench;
		bench_open(&bench);
		struct kernel *kernel = add_kernel(&bench, cases[i].release, NULL);
		kernel->arch = "x86_64";
		add_disk(&bench, CONSOLE);
		add_module(&bench, "virtio_pci", cases[i].driver, ANSWER_YES)->needs = cases[i].needs;
		add_module(&bench, "virtio_pci_legacy_dev", cases[i].part, ANSWER_YES);
		add_module(&bench, "virtio_net", MODULE_FILE, ANSWER_YES);
		judge(&bench);
		const struct finding *finding = finding_of(&bench, "hardware.net.virtio");
		assert_int_equal(finding->verdict, cases[i].verdict);
		assert_non_null(strstr(finding->found,
		                       arena_printf(&bench.arena, "VIRTIO_PCI_LEGACY=%s", cases[i].found)));
		bench_close(&bench);
	}
}

static struct kernel_module *module_of(const struct bench *bench, const char *name)
{
	const struct kernel *kernel = &bench->facts.kernels.items[0];
	for (size_t i = 0; i < kernel->modules.count; i++)
		if (str_equal(kernel->modules.items[i].name, name))
			return &kernel->modules.items[i];
	fail_msg("no module %s", name);
	return NULL;
}

/* Which series of arm64 machines an image will run on is not known: some have SCSI disks, some NVMe. */
static void wants_both_kinds_of_disks_on_arm64(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-arm64", "6.1.0-50-arm64");
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_PASS,
	       "the initramfs carries virtio_pci virtio_scsi sd_mod ext4");
	module_of(&bench, "nvme")->in_initramfs = ANSWER_NO;
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_UNKNOWN,
	       "virtio_scsi is there, and nvme is not: which of them the boot disk of an arm64 machine needs "
	       "depends on its series, which the image does not name");
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);

	module_of(&bench, "nvme")->in_initramfs = ANSWER_YES;
	module_of(&bench, "virtio_scsi")->in_initramfs = ANSWER_NO;
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_FAIL,
	       "the initramfs does not carry virtio_scsi; nvme is there, with which arm64 machines boot that "
	       "have NVMe disks");
	assert_int_equal(finding_of(&bench, "kernel.virtio-scsi")->verdict, VERDICT_FAIL);
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	module_of(&bench, "ext4")->in_initramfs = ANSWER_NO;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	module_of(&bench, "ext4")->in_initramfs = ANSWER_YES;
	module_of(&bench, "nvme")->in_initramfs = ANSWER_NO;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	bench_close(&bench);
}

static void tells_a_missing_driver_from_an_unknown_one(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-amd64", "6.1.0-50-amd64");
	struct kernel *kernel = &bench.facts.kernels.items[0];
	struct kernel_module *driver = module_of(&bench, "virtio_scsi");
	driver->in_initramfs = ANSWER_UNKNOWN;
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_UNKNOWN,
	       "whether virtio_scsi is there in time is not known");
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);

	/* The initramfs inside the kernel may carry what the other one lacks. */
	driver->in_initramfs = ANSWER_NO;
	size_t at = (size_t)(kernel_config_get(&kernel->config, "INITRAMFS_SOURCE") -
	                     kernel->config.symbols.items);
	struct config_symbol *inside = &kernel->config.symbols.items[at];
	inside->value = "/root/own.cpio";
	judge(&bench);
	assert_int_equal(finding_of(&bench, "boot.initramfs")->verdict, VERDICT_UNKNOWN);
	inside->value = "";
	judge(&bench);
	assert_int_equal(finding_of(&bench, "boot.initramfs")->verdict, VERDICT_FAIL);
	bench_close(&bench);

	bench_open(&bench);
	add_kernel(&bench, "6.1.0",
	           arena_printf(&bench.arena,
	                        "%sCONFIG_VIRTIO_PCI=y\n# CONFIG_SCSI_VIRTIO is not set\n"
	                        "CONFIG_BLK_DEV_SD=y\nCONFIG_EXT4_FS=y\n",
	                        whole_header));
	add_disk(&bench, CONSOLE);
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_FAIL, "this kernel does not have virtio_scsi");
	bench_close(&bench);
}

/* A kernel with its initramfs and nothing else: what is carried counts, what a root file system has does not.
 */
static void judges_a_unified_kernel_image(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	struct kernel *kernel =
		add_kernel(&bench, "6.1.0",
	                   "# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_X86_64=y\n"
	                   "CONFIG_SCSI_VIRTIO=m\nCONFIG_VIRTIO_PCI=m\nCONFIG_VIRTIO_NET=m\n");
	static const struct kernel_module modules[] = {
		{ .name = "virtio_pci", .state = MODULE_FILE, .in_initramfs = ANSWER_YES, .missing = "" },
		{ .name = "virtio_scsi", .in_initramfs = ANSWER_NO, .missing = "virtio_scsi" },
		{ .name = "virtio_net", .state = MODULE_FILE, .in_initramfs = ANSWER_YES, .missing = "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		*LIST_ADD(&bench.arena, &kernel->modules) = modules[i];
	kernel->initramfs.path = "kernel.efi";
	kernel->initramfs_read = ANSWER_YES;
	kernel->entry = 1;
	struct boot_entry *entry = LIST_ADD(&bench.arena, &bench.facts.boot.entries);
	entry->command_line = "root=LABEL=x console=ttyS0 quiet";
	bench.facts.boot.default_known = ANSWER_YES;
	bench.facts.kind = INPUT_KERNEL;
	bench.facts.examined = EXAMINED_FULL;
	judge(&bench);
	expect(&bench, "kernel.virtio-pci", VERDICT_PASS,
	       "CONFIG_VIRTIO_PCI=m, and the initramfs carries virtio_pci");
	expect(&bench, "kernel.virtio-scsi", VERDICT_FAIL,
	       "CONFIG_SCSI_VIRTIO=m, and the initramfs does not carry virtio_scsi");
	expect(&bench, "kernel.virtio-net", VERDICT_UNKNOWN,
	       "CONFIG_VIRTIO_NET=m, and whether the root file system has module virtio_net is not known");
	expect(&bench, "boot.console", VERDICT_PASS, "console=ttyS0 is the last one");
	assert_int_equal(finding_of(&bench, "boot.no-quiet")->verdict, VERDICT_FAIL);
	expect(&bench, "boot.serial-getty", VERDICT_NOT_APPLICABLE, "no root file system in this input");
	expect(&bench, "boot.root-found", VERDICT_NOT_APPLICABLE, "no disk in this input");
	bench_close(&bench);
}

/* A container's export: kernels are not asked of what has none. */
static void asks_no_kernel_of_a_root_without_one(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	bench.facts.kind = INPUT_TREE;
	bench.facts.examined = EXAMINED_FULL;
	judge(&bench);
	expect(&bench, "kernel.kvm-guest", VERDICT_NOT_APPLICABLE, "no kernel in this input");
	/* One that could not be read all may have one. */
	bench.facts.examined = EXAMINED_PARTIAL;
	bench.facts.reason = "/boot may not be read";
	judge(&bench);
	expect(&bench, "kernel.kvm-guest", VERDICT_UNKNOWN, "/boot may not be read");
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_a_unified_kernel_image),
		cmocka_unit_test(asks_no_kernel_of_a_root_without_one),
		cmocka_unit_test(wants_modules_in_the_initramfs),
		cmocka_unit_test(lets_what_modules_prove_stand_for_a_configuration),
		cmocka_unit_test(knows_the_legacy_transport_by_its_part),
		cmocka_unit_test(wants_both_kinds_of_disks_on_arm64),
		cmocka_unit_test(tells_a_missing_driver_from_an_unknown_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
