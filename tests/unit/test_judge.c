// The policy's judgement of facts that are built here: of whole kernels, by their real configurations, of the
// disk itself, and of what was observed in the guest.
#include "judge_bench.h"

static void passes_stock_debian_kernels(void **state)
{
	(void)state;
	static const struct {
		const char *config, *release;
	} stock[] = {
		{ "debian-11-cloud-amd64", "5.10.0-32-cloud-amd64" },
		{ "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64" },
		{ "debian-13-cloud-amd64", "6.12.107+deb13-cloud-amd64" },
		{ "debian-12-amd64", "6.1.0-50-amd64" },
		{ "debian-12-686-pae", "6.1.0-50-686-pae" },
		{ "debian-11-rt-686-pae", "5.10.0-32-rt-686-pae" },
		{ "debian-sid-amd64", "7.2.13+deb14-amd64" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(stock); i++) {
		struct bench bench;
		open_stock(&bench, stock[i].config, stock[i].release);
		judge(&bench);
		expect_no_failure_in(&bench, kernel_sections);
		assert_int_equal(bench.judgement.boots, ANSWER_YES);
		bench_close(&bench);
	}
}

static void knows_what_became_of_options_in_debian_12(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	judge(&bench);
	expect(&bench, "kernel.kvm-clock", VERDICT_PASS,
	       "CONFIG_KVM_GUEST=y, which stands for CONFIG_KVM_CLOCK since 3.7");
	expect_found(&bench, "kernel.kvm-clock", "y", true);
	expect(&bench, "kernel.kvm-guest", VERDICT_PASS, "CONFIG_KVM_GUEST=y");
	expect_found(&bench, "kernel.kvm-guest", "y", false);
	expect(&bench, "kernel.virtio-scsi", VERDICT_PASS,
	       "CONFIG_SCSI_VIRTIO=m, and the initramfs carries virtio_scsi virtio_pci sd_mod");
	expect_found(&bench, "kernel.virtio-scsi", "m", true);
	expect(&bench, "kernel.virtio-net", VERDICT_PASS,
	       "CONFIG_VIRTIO_NET=m, and the root file system has virtio_net");
	expect(&bench, "security.no-devkmem", VERDICT_PASS, "CONFIG_DEVKMEM was removed in Linux 5.13");
	expect(&bench, "security.rodata", VERDICT_PASS,
	       "CONFIG_STRICT_KERNEL_RWX=y, which stands for CONFIG_DEBUG_RODATA since 4.11");
	expect(&bench, "security.yama-stacked", VERDICT_PASS,
	       "CONFIG_SECURITY_YAMA=y, which stands for CONFIG_SECURITY_YAMA_STACKED since 4.3");
	expect(&bench, "security.x86-pae", VERDICT_NOT_APPLICABLE,
	       "only 32-bit x86 kernels have the option; 64-bit ones always use such page tables, and this "
	       "kernel is x86_64");
	expect(&bench, "hardware.net.gvnic", VERDICT_NOT_APPLICABLE,
	       "only Tau T2A (arm64) machines need gVNIC, and this kernel is x86_64 (it has CONFIG_GVE=m all "
	       "the "
	       "same)");
	expect(&bench, "hardware.serial.count", VERDICT_PASS,
	       "CONFIG_SERIAL_8250=y, CONFIG_SERIAL_8250_CONSOLE=y, CONFIG_SERIAL_8250_NR_UARTS=32, "
	       "CONFIG_SERIAL_8250_RUNTIME_UARTS=4; a boot on the reference machine proves it");
	expect(&bench, "hardware.serial.pl011", VERDICT_NOT_APPLICABLE,
	       "x86 machines have 16550A ports, ttyS0 to ttyS3, instead, and this kernel is x86_64");
	bench_close(&bench);
}

static void judges_debian_on_arm64(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-13-cloud-arm64", "6.12.107+deb13-cloud-arm64");
	judge(&bench);
	assert_int_equal(finding_of(&bench, "hardware.net.gvnic")->verdict, VERDICT_PASS);
	assert_int_equal(finding_of(&bench, "hardware.scsi.virtio")->verdict, VERDICT_PASS);
	assert_int_equal(finding_of(&bench, "boot.initramfs")->verdict, VERDICT_PASS);
	bench_close(&bench);
	open_stock(&bench, "debian-12-arm64", "6.1.0-50-arm64");
	judge(&bench);
	expect(&bench, "kernel.kvm-guest", VERDICT_NOT_APPLICABLE,
	       "CONFIG_KVM_GUEST is an option of x86 alone, and this kernel is arm64");
	expect(&bench, "security.no-compat-vdso", VERDICT_NOT_APPLICABLE,
	       "CONFIG_COMPAT_VDSO is another option on arm64: the vDSO of 32-bit programs, and this kernel "
	       "is "
	       "arm64");
	expect(&bench, "security.mmap-min-addr", VERDICT_FAIL,
	       "CONFIG_DEFAULT_MMAP_MIN_ADDR=4096, wanted 65536 or more");
	expect_fix(&bench, "security.mmap-min-addr",
	           "echo 'vm.mmap_min_addr = 65536' >> /etc/sysctl.d/60-image.conf");
	expect(&bench, "hardware.serial.ttyS2", VERDICT_NOT_APPLICABLE,
	       "arm64 machines have a PL011 port, ttyAMA0, instead, and this kernel is arm64");
	expect(&bench, "hardware.net.gvnic", VERDICT_PASS, "CONFIG_GVE=m, and the root file system has gve");
	expect(&bench, "boot.console", VERDICT_FAIL, "the last console is ttyS0, not ttyAMA0");
	bench.facts.boot.entries.items[0].command_line = "root=UUID=" ROOT_UUID;
	judge(&bench);
	expect(&bench, "boot.console", VERDICT_UNKNOWN,
	       "the command line has no console=: the kernel takes the port that the firmware's SPCR table "
	       "names, "
	       "and the firmware is not in the image");
	struct sysctl *sysctl = LIST_ADD(&bench.arena, &bench.facts.kernels.items[0].sysctls);
	sysctl->key = "vm.mmap_min_addr";
	sysctl->value = "65536";
	sysctl->source = SYSCTL_FILE;
	sysctl->place.path = "/etc/sysctl.d/60-image.conf";
	judge(&bench);
	expect(&bench, "security.mmap-min-addr", VERDICT_PASS,
	       "vm.mmap_min_addr=65536 takes the place of CONFIG_DEFAULT_MMAP_MIN_ADDR");
	expect_found(&bench, "security.mmap-min-addr", "65536", true);
	sysctl->value = "0";
	judge(&bench);
	expect(&bench, "security.mmap-min-addr", VERDICT_FAIL,
	       "vm.mmap_min_addr=0 takes the place of CONFIG_DEFAULT_MMAP_MIN_ADDR, wanted 65536 or more");
	bench_close(&bench);
}

/* A network card or a serial port that the machine has, and none that it has not. */
static void asks_arm64_for_its_own_devices(void **state)
{
	(void)state;
	static const char config[] =
		"# Linux/arm64 6.6.0 Kernel Configuration\nCONFIG_ARM64=y\nCONFIG_GVE=y\n"
		"CONFIG_SERIAL_AMBA_PL011=%s\n%s# CONFIG_VIRTIO_NET is not set\n";
	static const struct {
		const char *driver, *console;
		enum verdict verdict;
	} ports[] = {
		{ "y", "CONFIG_SERIAL_AMBA_PL011_CONSOLE=y\n", VERDICT_PASS },
		{ "y", "# CONFIG_SERIAL_AMBA_PL011_CONSOLE is not set\n", VERDICT_FAIL },
		{ "m", "", VERDICT_FAIL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		struct bench bench;
		bench_open(&bench);
		add_kernel(&bench, "6.6.0",
		           arena_printf(&bench.arena, config, ports[i].driver, ports[i].console));
		add_disk(&bench, CONSOLE);
		judge(&bench);
		assert_int_equal(finding_of(&bench, "hardware.serial.pl011")->verdict, ports[i].verdict);
		assert_int_equal(finding_of(&bench, "hardware.net.gvnic")->verdict, VERDICT_PASS);
		expect(&bench, "hardware.net.virtio", VERDICT_NOT_APPLICABLE,
		       "arm64 machines have a gVNIC network card instead of virtio-net, and this kernel is "
		       "arm64");
		assert_int_equal(finding_of(&bench, "kernel.virtio-net")->verdict, VERDICT_NOT_APPLICABLE);
		bench_close(&bench);
	}
}

static void asks_pae_of_32_bit_kernels(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-686", "6.1.0-50-686");
	judge(&bench);
	expect(&bench, "security.x86-pae", VERDICT_FAIL, "CONFIG_X86_PAE is absent");
	expect_found(&bench, "security.x86-pae", "absent", false);
	expect_fix(&bench, "security.x86-pae", "apt-get install linux-image-686-pae");
	bench_close(&bench);
	open_stock(&bench, "debian-12-686-pae", "6.1.0-50-686-pae");
	judge(&bench);
	expect(&bench, "security.x86-pae", VERDICT_PASS, "CONFIG_X86_PAE=y");
	bench_close(&bench);
}

static void knows_nothing_of_what_was_not_examined(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	bench.facts.kind = INPUT_DISK;
	bench.facts.reason = "the worker was killed";
	judge(&bench);
	assert_int_equal(bench.judgement.counts[VERDICT_UNKNOWN], 87);
	expect(&bench, "image.whole-gib", VERDICT_UNKNOWN, "the worker was killed");
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	assert_false(judgement_fails_at(&bench.judgement, LEVEL_ADVICE));

	/* Partly read: nothing that was not seen is held against the image, or counted for it. */
	bench.facts.examined = EXAMINED_PARTIAL;
	judge(&bench);
	assert_int_equal(bench.judgement.counts[VERDICT_PASS], 0);
	assert_int_equal(bench.judgement.counts[VERDICT_FAIL], 0);
	expect(&bench, "kernel.virtio-pci", VERDICT_UNKNOWN, "the worker was killed");
	expect(&bench, "image.boot-path", VERDICT_UNKNOWN,
	       "whether the firmware finds a loader is not known");
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	bench_close(&bench);
}

static void judges_the_partition_table(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	judge(&bench);
	expect(&bench, "image.partition-table", VERDICT_PASS,
	       "both copies of the GPT and the protective MBR are sound");
	expect(&bench, "image.whole-gib", VERDICT_PASS, "3 GiB");
	expect(&bench, "image.boot-path", VERDICT_PASS, "boots with BIOS, UEFI");
	expect(&bench, "image.tar-name", VERDICT_NOT_APPLICABLE, "the input is a raw disk, not a tar.gz");

	/* A damaged backup stops no boot; a damaged primary does. */
	bench.facts.table.backup_sound = ANSWER_NO;
	struct problem *problem = LIST_ADD(&bench.arena, &bench.facts.table.problems);
	problem->message = "the backup header's checksum is wrong";
	problem->place.offset = 3221224960;
	judge(&bench);
	expect(&bench, "image.partition-table", VERDICT_FAIL,
	       "the backup GPT is damaged or not at the end of the disk: the backup header's checksum is "
	       "wrong");
	expect_fix(&bench, "image.partition-table", "sgdisk --move-second-header disk.raw");
	assert_int_equal(finding_of(&bench, "image.partition-table")->evidence.items[0].offset, 3221224960);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	/* UEFI firmware mends the primary, when the backup is sound. */
	bench.facts.table.backup_sound = ANSWER_YES;
	bench.facts.table.primary_sound = ANSWER_NO;
	judge(&bench);
	assert_non_null(strstr(finding_of(&bench, "image.partition-table")->reason, "mends the primary"));
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	bench.facts.boot.paths.items[1].works = ANSWER_NO;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	bench.facts.boot.entries.items[0].command_line = CONSOLE " gpt";
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	bench.facts.boot.entries.items[0].command_line = CONSOLE;
	bench.facts.boot.paths.items[1].works = ANSWER_YES;
	bench.facts.table.backup_sound = ANSWER_NO;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	assert_int_equal(bench.judgement.boots_because.count, 1);
	assert_string_equal(bench.judgement.boots_because.items[0]->id, "image.partition-table");
	bench.facts.table.primary_sound = ANSWER_YES;
	bench.facts.table.protective_mbr = ANSWER_NO;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	/* A sound table is none where sectors have another size. */
	bench.facts.table.protective_mbr = bench.facts.table.backup_sound = ANSWER_YES;
	bench.facts.table.problems.count = 0;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	bench.facts.table.sector_size = 4096;
	judge(&bench);
	assert_int_equal(finding_of(&bench, "image.partition-table")->verdict, VERDICT_FAIL);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	bench_close(&bench);
}

static void judges_the_disk(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	bench.facts.size = ((uint64_t)3 << 30) - 512;
	judge(&bench);
	expect(&bench, "image.whole-gib", VERDICT_FAIL, "3221224960 bytes, 512 short of 3 GiB");
	expect_fix(&bench, "image.whole-gib",
	           "truncate -s 3G disk.raw && sgdisk --move-second-header disk.raw");
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	bench.facts.size = (uint64_t)2049 << 30;
	bench.facts.table.partitions.items[0].file_system = "crypto_LUKS";
	bench.facts.boot.paths.items[0].works = ANSWER_NO;
	bench.facts.boot.paths.items[0].reason = "the boot sector has no code";
	judge(&bench);
	expect(&bench, "image.max-size", VERDICT_FAIL, "2200096997376 bytes, more than 2048 GiB");
	expect(&bench, "image.no-encryption", VERDICT_FAIL, "partition 1 is encrypted (crypto_LUKS)");
	expect(&bench, "image.boot-path", VERDICT_PASS, "boots with UEFI");
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	bench.facts.boot.entries.items[0].root_found = ANSWER_UNKNOWN;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	bench.facts.boot.paths.items[1].works = ANSWER_NO;
	bench.facts.boot.paths.items[1].reason = "the ESP has no loader";
	judge(&bench);
	expect(&bench, "image.boot-path", VERDICT_FAIL,
	       "no firmware finds a loader: BIOS (the boot sector has no code), UEFI (the ESP has no "
	       "loader)");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	bench_close(&bench);
}

/* What could not be read may be encrypted, or the table may name more: no rule says that it is not. */
static void judges_no_disk_that_was_not_read(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	struct partition *partition = &bench.facts.table.partitions.items[0];
	partition->unread = "a bad block";
	judge(&bench);
	expect(&bench, "image.no-encryption", VERDICT_PASS, "none of the 2 partitions is encrypted");
	partition->file_system = NULL;
	judge(&bench);
	expect(&bench, "image.no-encryption", VERDICT_UNKNOWN, "not all partitions can be read: a bad block");
	bench.facts.table.kind = NULL;
	bench.facts.reason = "the partition table cannot be read: a bad block";
	judge(&bench);
	expect(&bench, "image.partition-table", VERDICT_UNKNOWN,
	       "the partition table cannot be read: a bad block");
	bench_close(&bench);
}

static void wants_uefi_for_arm64(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-arm64", "6.1.0-50-arm64");
	bench.facts.boot.paths.items[1].works = ANSWER_NO;
	judge(&bench);
	expect(&bench, "image.boot-path", VERDICT_FAIL, "no firmware finds a loader: UEFI");
	bench_close(&bench);
}

static void judges_what_was_observed(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	static const struct observation seen[] = {
		{ .name = "guest.irqbalance", .state = ANSWER_NO, .reason = "irqbalance is not installed" },
		{ .name = "guest.host-keys", .state = ANSWER_YES, .reason = "3 host keys are there" },
		{ .name = "guest.timezone",
		  .state = ANSWER_YES,
		  .value = "Etc/UTC",
		  .reason = "/etc/localtime names it" },
		{ .name = "guest.environment",
		  .state = ANSWER_UNKNOWN,
		  .reason = "no package database was found" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		*LIST_ADD(&bench.arena, &bench.facts.observations.items) = seen[i];
	judge(&bench);
	expect(&bench, "guest.no-irqbalance", VERDICT_PASS, "irqbalance is not installed");
	expect(&bench, "guest.host-keys", VERDICT_FAIL, "3 host keys are there");
	expect_fix(&bench, "guest.host-keys", "rm -f /etc/ssh/ssh_host_*");
	expect(&bench, "guest.utc", VERDICT_PASS, "Etc/UTC: /etc/localtime names it");
	expect_found(&bench, "guest.utc", "Etc/UTC", true);
	expect(&bench, "guest.environment", VERDICT_UNKNOWN, "no package database was found");
	expect(&bench, "guest.ntp", VERDICT_UNKNOWN, "the guest's settings were not looked at");
	assert_true(judgement_fails_at(&bench.judgement, LEVEL_RECOMMENDED));
	assert_false(judgement_fails_at(&bench.judgement, LEVEL_REQUIRED));
	bench_close(&bench);
}

static void keeps_the_worst_of_several_kernels(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	add_kernel(&bench, "6.1.0", arena_printf(&bench.arena, "%sCONFIG_KVM_GUEST=y\n", whole_header));
	add_kernel(&bench, "6.6.0",
	           arena_printf(&bench.arena, "%s# CONFIG_KVM_GUEST is not set\n", whole_header));
	add_kernel(&bench, "6.7.0", NULL)->arch = "x86_64";
	add_kernel(&bench, "5.0.0", "CONFIG_X86_64=y\n")->judged = false;
	add_disk(&bench, CONSOLE);
	judge(&bench);
	expect(&bench, "kernel.kvm-guest", VERDICT_FAIL, "Linux 6.6.0: CONFIG_KVM_GUEST is not set");
	expect(&bench, "security.x86-pae", VERDICT_NOT_APPLICABLE,
	       "Linux 6.1.0: only 32-bit x86 kernels have the option; 64-bit ones always use such page "
	       "tables, and "
	       "this kernel is x86_64");
	expect(&bench, "image.whole-gib", VERDICT_PASS, "3 GiB");
	bench_close(&bench);
}

static void expect_features(const char *config, const char *release, const char *features)
{
	struct bench bench;
	open_stock(&bench, config, release);
	judge(&bench);
	CLEANUP(text_free) struct text list = { 0 };
	for (size_t i = 0; i < bench.judgement.features.count; i++)
		text_printf(&list, "%s%s", i ? "," : "", bench.judgement.features.items[i]);
	assert_string_equal(text_get(&list), features);
	assert_string_equal(
		bench.judgement.features_note,
		"MULTI_IP_SUBNET cannot be proved from an image: declare it if the guest is configured for "
		"it");
	bench_close(&bench);
}

static void declares_features_with_evidence(void **state)
{
	(void)state;
	expect_features("debian-11-cloud-amd64", "5.10.0-32-cloud-amd64",
	                "UEFI_COMPATIBLE,GVNIC,VIRTIO_SCSI_MULTIQUEUE,SEV_CAPABLE");
	expect_features("debian-12-amd64", "6.1.0-50-amd64",
	                "UEFI_COMPATIBLE,GVNIC,VIRTIO_SCSI_MULTIQUEUE,SEV_CAPABLE,SEV_SNP_CAPABLE");
	expect_features(
		"debian-13-cloud-amd64", "6.12.107+deb13-cloud-amd64",
		"UEFI_COMPATIBLE,GVNIC,IDPF,VIRTIO_SCSI_MULTIQUEUE,SEV_CAPABLE,SEV_SNP_CAPABLE,TDX_CAPABLE");
	expect_features("debian-12-arm64", "6.1.0-50-arm64", "UEFI_COMPATIBLE,GVNIC,VIRTIO_SCSI_MULTIQUEUE");

	struct bench bench;
	bench_open(&bench);
	add_kernel(&bench, "3.10.0",
	           "# Linux/x86 3.10.0 Kernel Configuration\nCONFIG_X86_64=y\nCONFIG_SCSI_VIRTIO=y\n");
	add_disk(&bench, CONSOLE);
	bench.facts.boot.paths.items[1].works = ANSWER_UNKNOWN;
	judge(&bench);
	assert_int_equal(bench.judgement.features.count, 0);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_stock_debian_kernels),
		cmocka_unit_test(knows_what_became_of_options_in_debian_12),
		cmocka_unit_test(judges_debian_on_arm64),
		cmocka_unit_test(asks_arm64_for_its_own_devices),
		cmocka_unit_test(asks_pae_of_32_bit_kernels),
		cmocka_unit_test(knows_nothing_of_what_was_not_examined),
		cmocka_unit_test(judges_the_partition_table),
		cmocka_unit_test(judges_the_disk),
		cmocka_unit_test(judges_no_disk_that_was_not_read),
		cmocka_unit_test(wants_uefi_for_arm64),
		cmocka_unit_test(judges_what_was_observed),
		cmocka_unit_test(keeps_the_worst_of_several_kernels),
		cmocka_unit_test(declares_features_with_evidence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
