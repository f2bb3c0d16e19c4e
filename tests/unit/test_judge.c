// The policy's judgement of facts that are built here: of kernels, by their real and their crafted
// configurations, and of disks, good ones and ones broken in a single way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "policy/policy.h"

#define ROOT_UUID "8e1a9bd6-4a3f-4f6a-8c57-1f2e3d4c5b6a"

/* One input, its facts in the making. */
struct bench {
	struct arena arena;
	struct policy policy;
	struct facts facts;
	struct judgement judgement;
};

static void bench_open(struct bench *bench)
{
	struct error error = { 0 };
	*bench = (struct bench){ 0 };
	if (!policy_builtin(&bench->policy, &error))
		fail_msg("%s", error.message);
}

static void bench_close(struct bench *bench)
{
	policy_free(&bench->policy);
	arena_free(&bench->arena);
}

static void judge(struct bench *bench)
{
	policy_judge(&bench->policy, &bench->facts, &bench->arena, &bench->judgement);
	assert_int_equal(bench->judgement.findings.count, bench->policy.rules.count);
}

static const struct finding *finding_of(const struct bench *bench, const char *id)
{
	for (size_t i = 0; i < bench->judgement.findings.count; i++)
		if (str_equal(bench->judgement.findings.items[i].rule->id, id))
			return &bench->judgement.findings.items[i];
	fail_msg("no rule %s", id);
	return NULL;
}

static void expect(const struct bench *bench, const char *id, enum verdict verdict, const char *reason)
{
	const struct finding *finding = finding_of(bench, id);
	if (finding->verdict != verdict || !str_equal(finding->reason, reason))
		fail_msg("%s: %s: %s\n  expected %s: %s", id, verdict_names[finding->verdict],
		         finding->reason, verdict_names[verdict], reason);
	assert_string_equal(finding->how, "read");
	assert_non_null(finding->found);
	assert_true(finding->verdict == VERDICT_FAIL || finding->fix == NULL);
}

static void expect_fix(const struct bench *bench, const char *id, const char *fix)
{
	const struct finding *finding = finding_of(bench, id);
	if (!str_equal(finding->fix, fix))
		fail_msg("%s: fix %s\n  expected %s", id, finding->fix ? finding->fix : "(none)", fix);
}

static void expect_found(const struct bench *bench, const char *id, const char *found, bool by_equivalent)
{
	const struct finding *finding = finding_of(bench, id);
	assert_string_equal(finding->found, found);
	assert_int_equal(finding->by_equivalent, by_equivalent);
}

static struct kernel *add_kernel(struct bench *bench, const char *release, const char *config)
{
	struct kernel *kernel = LIST_ADD(&bench->arena, &bench->facts.kernels);
	kernel->version = release;
	kernel->judged = true;
	if (config) {
		kernel_config_parse(span_text(config), NULL, &bench->arena, &kernel->config);
		kernel->config.source = "/boot/config";
		kernel->config.place.path = "/boot/config";
		kernel->config.place.partition = 2;
	}
	return kernel;
}

static struct kernel_module *add_module(struct bench *bench, const char *name, enum module_state state,
                                        enum answer in_initramfs)
{
	struct kernel *kernel = &bench->facts.kernels.items[0];
	struct kernel_module *module = LIST_ADD(&bench->arena, &kernel->modules);
	module->name = name;
	module->state = state;
	module->in_initramfs = in_initramfs;
	module->missing = "";
	module->needs = "";
	module->place.path = "/usr/lib/modules/modules.dep";
	return module;
}

/* A Debian disk as it should be: GPT, an ESP, an ext4 root, both firmwares, one entry. */
static void add_disk(struct bench *bench, const char *command_line)
{
	struct facts *facts = &bench->facts;
	facts->kind = INPUT_DISK;
	facts->examined = EXAMINED_FULL;
	facts->container = "raw";
	facts->size = (uint64_t)3 << 30;
	facts->table = (struct partition_table){ .kind = "gpt",
		                                 .sector_size = 512,
		                                 .protective_mbr = ANSWER_YES,
		                                 .primary_sound = ANSWER_YES,
		                                 .backup_sound = ANSWER_YES };
	*LIST_ADD(&bench->arena, &facts->table.partitions) =
		(struct partition){ .number = 1, .file_system = "vfat", .uuid = "1234-ABCD" };
	*LIST_ADD(&bench->arena, &facts->table.partitions) =
		(struct partition){ .number = 2, .file_system = "ext4", .uuid = ROOT_UUID };
	*LIST_ADD(&bench->arena, &facts->boot.paths) =
		(struct boot_path){ .firmware = "bios", .works = ANSWER_YES };
	*LIST_ADD(&bench->arena, &facts->boot.paths) =
		(struct boot_path){ .firmware = "uefi", .works = ANSWER_YES };
	struct boot_entry *entry = LIST_ADD(&bench->arena, &facts->boot.entries);
	entry->title = "Debian";
	entry->kernel = (struct boot_file){ .path = "/boot/vmlinuz", .partition = 2, .found = ANSWER_YES };
	*LIST_ADD(&bench->arena, &entry->initrds) =
		(struct boot_file){ .path = "/boot/initrd.img", .partition = 2, .found = ANSWER_YES };
	entry->command_line = command_line;
	entry->place = (struct place){ .partition = 2, .path = "/boot/grub/grub.cfg", .line = 142 };
	entry->root = "UUID=" ROOT_UUID;
	entry->root_found = ANSWER_YES;
	entry->root_partition = 2;
	facts->boot.default_known = ANSWER_YES;
	facts->boot.timeout = "0";
	facts->os.id = "debian";
	facts->os.init = "systemd";
	facts->fstab.present = ANSWER_YES;
	for (size_t i = 0; i < facts->kernels.count; i++) {
		struct kernel *kernel = &facts->kernels.items[i];
		kernel->entry = 1;
		kernel->booted = true;
		kernel->initramfs = (struct place){ .partition = 2, .path = "/boot/initrd.img" };
		kernel->initramfs_read = ANSWER_YES;
		kernel->initramfs_compression = "none zstd";
	}
}

#define CONSOLE "root=UUID=" ROOT_UUID " ro console=ttyS0,38400n8d"

static const char *golden(struct bench *bench, const char *name)
{
	const char *path = arena_printf(&bench->arena, SOURCE_ROOT "/tests/golden/configs/%s", name);
	FILE *file = fopen(path, "re");
	if (!file)
		fail_msg("%s is missing", path);
	char *text = arena_alloc(&bench->arena, 65536);
	size_t size = fread(text, 1, 65535, file);
	fclose(file);
	assert_in_range(size, 100, 65534);
	return text;
}

/* Opens a disk with a real configuration; all modules are on the root and in the initramfs. */
static void open_stock(struct bench *bench, const char *name, const char *release)
{
	bench_open(bench);
	add_kernel(bench, release, golden(bench, name));
	struct questions questions;
	policy_questions(&bench->policy, &bench->arena, &questions);
	for (size_t i = 0; i < questions.modules.count; i++)
		add_module(bench, questions.modules.items[i], MODULE_FILE, ANSWER_YES);
	/* The driver of the root file system is gathered without being asked for; here it is one of two. */
	add_module(bench, "ext4", MODULE_FILE, ANSWER_YES);
	add_module(bench, "xfs", MODULE_FILE, ANSWER_YES);
	add_disk(bench, CONSOLE);
}

static void expect_no_failure_in(const struct bench *bench, const char *const *sections)
{
	for (size_t i = 0; i < bench->judgement.findings.count; i++) {
		const struct finding *finding = &bench->judgement.findings.items[i];
		for (size_t s = 0; sections[s]; s++) {
			if (!str_equal(finding->rule->section, sections[s]))
				continue;
			if (finding->verdict != VERDICT_PASS && finding->verdict != VERDICT_NOT_APPLICABLE)
				fail_msg("%s: %s: %s", finding->rule->id, verdict_names[finding->verdict],
				         finding->reason);
			assert_true(finding->verdict == VERDICT_NOT_APPLICABLE ||
			            finding->evidence.count > 0);
		}
	}
}

static const char *const kernel_sections[] = { "hardware", "kernel", "security", NULL };

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
	expect(&bench, "hardware.net.gvnic", VERDICT_PASS,
	       "CONFIG_GVE=m, and the root file system has gve; a boot on the reference machine proves it");
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

/* One rule, one kernel: a whole x86_64 configuration of a version with these lines. */
struct row {
	const char *version, *lines, *command_line, *id;
	enum verdict verdict;
	const char *reason;
};

static void check_row(const struct row *row, const char *arch)
{
	struct bench bench;
	bench_open(&bench);
	const char *config =
		arena_printf(&bench.arena,
	                     "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 %s Kernel "
	                     "Configuration\n#\nCONFIG_%s=y\n%s",
	                     row->version, arch, row->lines);
	add_kernel(&bench, row->version, config);
	add_disk(&bench, row->command_line ? row->command_line : CONSOLE);
	judge(&bench);
	expect(&bench, row->id, row->verdict, row->reason);
	bench_close(&bench);
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i], "X86_64");
}

static void follows_renamed_and_merged_options(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "2.6.18", "", NULL, "kernel.kvm-clock", VERDICT_NOT_APPLICABLE,
		  "Linux 2.6.18 has no CONFIG_KVM_CLOCK, which is new in 2.6.26" },
		{ "3.6.0", "CONFIG_KVM_CLOCK=y\n", NULL, "kernel.kvm-clock", VERDICT_PASS,
		  "CONFIG_KVM_CLOCK=y" },
		{ "3.6.0", "CONFIG_KVM_GUEST=y\n", NULL, "kernel.kvm-clock", VERDICT_FAIL,
		  "CONFIG_KVM_CLOCK is absent" },
		{ "3.7.0", "CONFIG_KVM_GUEST=y\n", NULL, "kernel.kvm-clock", VERDICT_PASS,
		  "CONFIG_KVM_GUEST=y, which stands for CONFIG_KVM_CLOCK since 3.7" },
		{ "6.6.0", "# CONFIG_KVM_GUEST is not set\n", NULL, "kernel.kvm-clock", VERDICT_FAIL,
		  "CONFIG_KVM_GUEST is not set, which stands for CONFIG_KVM_CLOCK since 3.7" },
		{ "4.9.0", "CONFIG_DEBUG_RODATA=y\n", NULL, "security.rodata", VERDICT_PASS,
		  "CONFIG_DEBUG_RODATA=y" },
		{ "4.10.17", "CONFIG_STRICT_KERNEL_RWX=y\n", NULL, "security.rodata", VERDICT_FAIL,
		  "CONFIG_DEBUG_RODATA is absent" },
		{ "4.11.0", "CONFIG_DEBUG_RODATA=y\n", NULL, "security.rodata", VERDICT_FAIL,
		  "CONFIG_STRICT_KERNEL_RWX is absent, which stands for CONFIG_DEBUG_RODATA since 4.11" },
		{ "4.9.0", "CONFIG_MODULES=y\nCONFIG_DEBUG_SET_MODULE_RONX=y\n", NULL, "security.module-ronx",
		  VERDICT_PASS, "CONFIG_DEBUG_SET_MODULE_RONX=y" },
		{ "6.1.0", "CONFIG_MODULES=y\nCONFIG_STRICT_MODULE_RWX=y\n", NULL, "security.module-ronx",
		  VERDICT_PASS,
		  "CONFIG_STRICT_MODULE_RWX=y, which stands for CONFIG_DEBUG_SET_MODULE_RONX since 4.11" },
		{ "6.1.0", "# CONFIG_MODULES is not set\n", NULL, "security.module-ronx",
		  VERDICT_NOT_APPLICABLE, "CONFIG_MODULES is not set" },
		{ "4.9.0", "CONFIG_CC_STACKPROTECTOR=y\n", NULL, "security.stack-protector", VERDICT_PASS,
		  "CONFIG_CC_STACKPROTECTOR=y" },
		{ "4.16.0", "CONFIG_CC_STACKPROTECTOR_AUTO=y\n", NULL, "security.stack-protector",
		  VERDICT_PASS, "CONFIG_CC_STACKPROTECTOR_AUTO=y meets it as well" },
		{ "4.16.0", "CONFIG_CC_STACKPROTECTOR_NONE=y\n", NULL, "security.stack-protector",
		  VERDICT_FAIL, "CONFIG_CC_STACKPROTECTOR is absent" },
		{ "4.18.0-553.el8_10.x86_64", "CONFIG_STACKPROTECTOR=y\nCONFIG_STACKPROTECTOR_STRONG=y\n",
		  NULL, "security.stack-protector", VERDICT_PASS,
		  "CONFIG_STACKPROTECTOR=y, which stands for CONFIG_CC_STACKPROTECTOR since 4.18" },
		{ "6.1.0", "# CONFIG_STACKPROTECTOR is not set\n", NULL, "security.stack-protector",
		  VERDICT_FAIL,
		  "CONFIG_STACKPROTECTOR is not set, which stands for CONFIG_CC_STACKPROTECTOR since 4.18" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

static void knows_removed_and_stronger_options(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "5.12.0", "CONFIG_DEVKMEM=y\n", NULL, "security.no-devkmem", VERDICT_FAIL,
		  "CONFIG_DEVKMEM=y" },
		{ "5.12.0", "# CONFIG_DEVKMEM is not set\n", NULL, "security.no-devkmem", VERDICT_PASS,
		  "CONFIG_DEVKMEM is not set" },
		{ "5.12.0", "", NULL, "security.no-devkmem", VERDICT_PASS, "CONFIG_DEVKMEM is absent" },
		{ "5.13.0-rc1", "", NULL, "security.no-devkmem", VERDICT_PASS,
		  "CONFIG_DEVKMEM was removed in Linux 5.13" },
		{ "6.1.0", "CONFIG_STRICT_DEVMEM=y\nCONFIG_DEVMEM=y\n", NULL, "security.strict-devmem",
		  VERDICT_PASS, "CONFIG_STRICT_DEVMEM=y" },
		{ "6.1.0", "# CONFIG_DEVMEM is not set\n", NULL, "security.strict-devmem", VERDICT_PASS,
		  "CONFIG_DEVMEM is not set meets it as well" },
		{ "3.10.0", "# CONFIG_STRICT_DEVMEM is not set\n", NULL, "security.strict-devmem",
		  VERDICT_FAIL, "CONFIG_STRICT_DEVMEM is not set" },
		{ "4.0.0", "# CONFIG_DEVMEM is not set\n", NULL, "security.strict-devmem", VERDICT_PASS,
		  "CONFIG_DEVMEM is not set meets it as well" },
		{ "6.1.0", "CONFIG_DEVMEM=y\n# CONFIG_STRICT_DEVMEM is not set\n", NULL,
		  "security.strict-devmem", VERDICT_FAIL, "CONFIG_STRICT_DEVMEM is not set" },
		{ "6.1.0", "CONFIG_DEFAULT_MMAP_MIN_ADDR=65536\n", NULL, "security.mmap-min-addr",
		  VERDICT_PASS, "CONFIG_DEFAULT_MMAP_MIN_ADDR=65536" },
		/* There is no /dev/mem that a word of the command line could open. */
		{ "6.1.0", "# CONFIG_DEVMEM is not set\n", "iomem=relaxed", "security.strict-devmem",
		  VERDICT_PASS, "CONFIG_DEVMEM is not set meets it as well" },
		{ "6.1.0", "CONFIG_DEFAULT_MMAP_MIN_ADDR=131072\n", NULL, "security.mmap-min-addr",
		  VERDICT_PASS, "CONFIG_DEFAULT_MMAP_MIN_ADDR=131072" },
		{ "6.1.0", "CONFIG_DEFAULT_MMAP_MIN_ADDR=65535\n", NULL, "security.mmap-min-addr",
		  VERDICT_FAIL, "CONFIG_DEFAULT_MMAP_MIN_ADDR=65535, wanted 65536 or more" },
		{ "6.1.0", "CONFIG_COMPAT_VDSO=y\n", NULL, "security.no-compat-vdso", VERDICT_FAIL,
		  "CONFIG_COMPAT_VDSO=y" },
		{ "6.1.0", "", NULL, "security.no-compat-vdso", VERDICT_PASS,
		  "CONFIG_COMPAT_VDSO is absent" },
		{ "6.1.0", "CONFIG_COMPAT_BRK=y\n", NULL, "security.no-compat-brk", VERDICT_FAIL,
		  "CONFIG_COMPAT_BRK=y" },
		{ "6.1.0", "", NULL, "security.syn-cookies", VERDICT_FAIL, "CONFIG_SYN_COOKIES is absent" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

static void wants_yama_switched_on(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "3.2.0", "", NULL, "security.yama", VERDICT_NOT_APPLICABLE,
		  "Linux 3.2.0 has no CONFIG_SECURITY_YAMA, which is new in 3.4" },
		{ "4.19.0", "CONFIG_SECURITY_YAMA=y\n", NULL, "security.yama", VERDICT_PASS,
		  "CONFIG_SECURITY_YAMA=y" },
		/* A list taken into an older kernel, as vendors do. */
		{ "4.18.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"integrity,selinux\"\n", NULL,
		  "security.yama", VERDICT_FAIL,
		  "CONFIG_SECURITY_YAMA=y, but CONFIG_LSM=\"integrity,selinux\" leaves yama switched off" },
		{ "4.18.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"yama\"\n", "lsm=selinux", "security.yama",
		  VERDICT_FAIL,
		  "CONFIG_SECURITY_YAMA=y, but lsm=selinux on the command line leaves yama switched off" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"lockdown,yama,apparmor\"\n", NULL,
		  "security.yama", VERDICT_PASS, "CONFIG_SECURITY_YAMA=y" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"lockdown,myyama\"\n", NULL, "security.yama",
		  VERDICT_FAIL,
		  "CONFIG_SECURITY_YAMA=y, but CONFIG_LSM=\"lockdown,myyama\" leaves yama switched off" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"\"\n", "lsm=landlock,yama", "security.yama",
		  VERDICT_PASS, "CONFIG_SECURITY_YAMA=y" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"yama\"\n", "ro lsm=apparmor quiet",
		  "security.yama", VERDICT_FAIL,
		  "CONFIG_SECURITY_YAMA=y, but lsm=apparmor on the command line leaves yama switched off" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"yama\"\n", "security=apparmor",
		  "security.yama", VERDICT_PASS, "CONFIG_SECURITY_YAMA=y" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\n", NULL, "security.yama", VERDICT_UNKNOWN,
		  "CONFIG_SECURITY_YAMA=y, and whether CONFIG_LSM lists yama is not known" },
		{ "3.4.0", "CONFIG_SECURITY_YAMA=y\n", NULL, "security.yama-stacked", VERDICT_NOT_APPLICABLE,
		  "Linux 3.4.0 has no CONFIG_SECURITY_YAMA_STACKED, which is new in 3.7" },
		{ "4.2.0", "CONFIG_SECURITY_YAMA=y\n", NULL, "security.yama-stacked", VERDICT_FAIL,
		  "CONFIG_SECURITY_YAMA_STACKED is absent" },
		{ "4.2.0", "CONFIG_SECURITY_YAMA_STACKED=y\n", NULL, "security.yama-stacked", VERDICT_PASS,
		  "CONFIG_SECURITY_YAMA_STACKED=y" },
		{ "4.3.0", "CONFIG_SECURITY_YAMA=y\n", NULL, "security.yama-stacked", VERDICT_PASS,
		  "CONFIG_SECURITY_YAMA=y, which stands for CONFIG_SECURITY_YAMA_STACKED since 4.3" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

static void finds_what_the_command_line_defeats(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "6.1.0", "CONFIG_KVM_GUEST=y\n", "no-kvmclock", "kernel.kvm-clock", VERDICT_FAIL,
		  "CONFIG_KVM_GUEST=y, which stands for CONFIG_KVM_CLOCK since 3.7, but no-kvmclock on the "
		  "command "
		  "line defeats it" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\n", "no-kvmclock", "kernel.kvm-guest", VERDICT_PASS,
		  "CONFIG_KVM_GUEST=y" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\n", "no_kvmclock", "kernel.kvm-clock", VERDICT_FAIL,
		  "CONFIG_KVM_GUEST=y, which stands for CONFIG_KVM_CLOCK since 3.7, but no-kvmclock on the "
		  "command line defeats it" },
		{ "6.1.0", "CONFIG_PCI=y\nCONFIG_ACPI=y\n", "acpi=off", "hardware.pci-bridge", VERDICT_FAIL,
		  "CONFIG_PCI=y, CONFIG_ACPI=y, but acpi=off on the command line defeats it" },
		{ "6.1.0", "CONFIG_PCI=y\nCONFIG_ACPI=y\nCONFIG_PNP=y\nCONFIG_PNPACPI=y\n", "pnpacpi=off",
		  "hardware.isa-bridge", VERDICT_FAIL,
		  "CONFIG_PCI=y, CONFIG_ACPI=y, CONFIG_PNP=y, CONFIG_PNPACPI=y, but pnpacpi=off on the "
		  "command "
		  "line defeats it" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\n", "no-kvmclock-vsyscall", "kernel.kvm-clock", VERDICT_PASS,
		  "CONFIG_KVM_GUEST=y, which stands for CONFIG_KVM_CLOCK since 3.7" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\n", "ro nopv", "kernel.kvm-guest", VERDICT_FAIL,
		  "CONFIG_KVM_GUEST=y, but nopv on the command line defeats it" },
		{ "6.1.0", "CONFIG_PCI_MSI=y\n", "pci=noaer,nomsi pci=noats", "kernel.pci-msi", VERDICT_FAIL,
		  "CONFIG_PCI_MSI=y, but pci=nomsi on the command line defeats it" },
		{ "6.1.0", "CONFIG_PCI_MSI=y\n", "pci=nomsix xpci=nomsi", "kernel.pci-msi", VERDICT_PASS,
		  "CONFIG_PCI_MSI=y" },
		{ "6.1.0", "CONFIG_STRICT_KERNEL_RWX=y\n", "rodata=off", "security.rodata", VERDICT_FAIL,
		  "CONFIG_STRICT_KERNEL_RWX=y, which stands for CONFIG_DEBUG_RODATA since 4.11, but "
		  "rodata=off on "
		  "the command line defeats it" },
		{ "6.1.0", "CONFIG_STRICT_KERNEL_RWX=y\n", "rodata=off rodata=on", "security.rodata",
		  VERDICT_PASS,
		  "CONFIG_STRICT_KERNEL_RWX=y, which stands for CONFIG_DEBUG_RODATA since 4.11" },
		{ "6.1.0", "CONFIG_STRICT_DEVMEM=y\n", "\"iomem=relaxed\"", "security.strict-devmem",
		  VERDICT_FAIL, "CONFIG_STRICT_DEVMEM=y, but iomem=relaxed on the command line defeats it" },
		{ "6.1.0", "CONFIG_STRICT_DEVMEM=y\n", "nokaslr -- iomem=relaxed", "security.strict-devmem",
		  VERDICT_PASS, "CONFIG_STRICT_DEVMEM=y" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\nCONFIG_CMDLINE_BOOL=y\nCONFIG_CMDLINE=\"nopv\"\n", "ro",
		  "kernel.kvm-guest", VERDICT_FAIL,
		  "CONFIG_KVM_GUEST=y, but nopv on the command line defeats it" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\nCONFIG_CMDLINE=\"nopv\"\n", "ro", "kernel.kvm-guest",
		  VERDICT_PASS, "CONFIG_KVM_GUEST=y" },
		{ "6.1.0",
		  "CONFIG_CMDLINE_BOOL=y\nCONFIG_CMDLINE=\"console=ttyS0\"\nCONFIG_CMDLINE_OVERRIDE=y\n",
		  "quiet", "boot.no-quiet", VERDICT_PASS, "the command line hides no messages" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

#define UARTS "CONFIG_SERIAL_8250=y\nCONFIG_SERIAL_8250_CONSOLE=y\nCONFIG_SERIAL_8250_NR_UARTS=32\n"

static void counts_serial_ports(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "6.1.0", UARTS "CONFIG_SERIAL_8250_RUNTIME_UARTS=0\n", NULL, "hardware.serial.count",
		  VERDICT_FAIL, "CONFIG_SERIAL_8250_RUNTIME_UARTS=0, wanted 4 or more" },
		{ "6.1.0", UARTS "CONFIG_SERIAL_8250_RUNTIME_UARTS=0\n", "8250.nr_uarts=4",
		  "hardware.serial.count", VERDICT_PASS,
		  "CONFIG_SERIAL_8250=y, CONFIG_SERIAL_8250_CONSOLE=y, CONFIG_SERIAL_8250_NR_UARTS=32, "
		  "8250.nr_uarts=4 takes the place of CONFIG_SERIAL_8250_RUNTIME_UARTS; a boot on the "
		  "reference "
		  "machine proves it" },
		{ "6.1.0", UARTS "CONFIG_SERIAL_8250_RUNTIME_UARTS=4\n", "8250.nr_uarts=1",
		  "hardware.serial.count", VERDICT_FAIL,
		  "8250.nr_uarts=1 takes the place of CONFIG_SERIAL_8250_RUNTIME_UARTS, wanted 4 or more" },
		{ "6.1.0", "CONFIG_SERIAL_8250=m\n", NULL, "hardware.serial.ttyS0", VERDICT_FAIL,
		  "CONFIG_SERIAL_8250=m, CONFIG_SERIAL_8250_NR_UARTS is absent, wanted 1 or more, "
		  "CONFIG_SERIAL_8250_RUNTIME_UARTS is absent, wanted 1 or more" },
		{ "3.19.0", "CONFIG_SCSI_VIRTIO=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_SCSI=y\nCONFIG_BLK_DEV_SD=y\n",
		  NULL, "hardware.scsi.virtio", VERDICT_PASS,
		  "CONFIG_SCSI_VIRTIO=y, CONFIG_VIRTIO_PCI=y, CONFIG_SCSI=y, CONFIG_BLK_DEV_SD=y, Linux "
		  "3.19.0 has "
		  "no CONFIG_VIRTIO_PCI_LEGACY, which is new in 4.0; a boot on the reference machine proves "
		  "it" },
		{ "6.1.0", "CONFIG_SCSI_VIRTIO=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_SCSI=y\nCONFIG_BLK_DEV_SD=y\n",
		  NULL, "hardware.scsi.virtio", VERDICT_FAIL, "CONFIG_VIRTIO_PCI_LEGACY is absent" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

static const char whole_header[] = "# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_X86_64=y\n";

/* olddefconfig drops what depends on something that is off: the fix names that as well. */
static void enables_what_an_option_depends_on(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	add_kernel(&bench, "6.1.0",
	           "# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_X86_64=y\nCONFIG_SECURITY=y\n"
	           "# CONFIG_SECURITY_YAMA is not set\n");
	add_disk(&bench, CONSOLE);
	judge(&bench);
	expect_fix(&bench, "kernel.kvm-guest",
	           "scripts/config --enable HYPERVISOR_GUEST --enable PARAVIRT --enable KVM_GUEST && make "
	           "olddefconfig, then build and install the kernel");
	/* Each once, and before what depends on it. */
	expect_fix(
		&bench, "hardware.net.virtio",
		"scripts/config --enable PCI --enable VIRTIO_MENU --enable VIRTIO_PCI --enable NETDEVICES "
		"--enable NET_CORE --enable VIRTIO_NET --enable VIRTIO_PCI_LEGACY && make olddefconfig, then "
		"build and install the kernel");
	/* What the configuration offers only has to be chosen. */
	expect_fix(&bench, "security.yama",
	           "scripts/config --enable SECURITY_YAMA && make olddefconfig, then build and install the "
	           "kernel");
	bench_close(&bench);
}

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

static void judges_fragments_by_their_lines_alone(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	struct kernel *kernel =
		add_kernel(&bench, NULL,
	                   "CONFIG_X86_64=y\nCONFIG_KVM_GUEST=y\n# CONFIG_PCI_MSI is not set\n"
	                   "CONFIG_COMPAT_BRK=y\nCONFIG_VIRTIO_NET=m\n");
	assert_int_equal(kernel->config.complete, ANSWER_NO);
	bench.facts.kind = INPUT_CONFIG;
	bench.facts.examined = EXAMINED_FULL;
	judge(&bench);
	expect(&bench, "kernel.kvm-guest", VERDICT_PASS, "CONFIG_KVM_GUEST=y");
	expect(&bench, "kernel.pci-msi", VERDICT_FAIL, "CONFIG_PCI_MSI is not set");
	expect_fix(&bench, "kernel.pci-msi",
	           "scripts/config --enable PCI_MSI && make olddefconfig, then build and install the kernel");
	expect(&bench, "security.no-compat-brk", VERDICT_FAIL, "CONFIG_COMPAT_BRK=y");
	expect(&bench, "security.no-compat-vdso", VERDICT_UNKNOWN,
	       "/boot/config is only a part of a configuration and has no line for CONFIG_COMPAT_VDSO");
	expect(&bench, "kernel.virtio-scsi", VERDICT_UNKNOWN,
	       "/boot/config is only a part of a configuration and has no line for CONFIG_SCSI_VIRTIO");
	expect(&bench, "kernel.virtio-net", VERDICT_UNKNOWN,
	       "CONFIG_VIRTIO_NET=m, and whether the root file system has module virtio_net is not known");
	expect(&bench, "image.whole-gib", VERDICT_NOT_APPLICABLE, "no disk in this input");
	expect(&bench, "boot.console", VERDICT_NOT_APPLICABLE, "no boot menu in this input");
	expect(&bench, "guest.utc", VERDICT_NOT_APPLICABLE, "no root file system in this input");
	expect(&bench, "sysctl.kernel.kptr_restrict", VERDICT_NOT_APPLICABLE,
	       "no root file system in this input");
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
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
	assert_int_equal(bench.judgement.counts[VERDICT_UNKNOWN], 85);
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

static struct sysctl *add_sysctl(struct bench *bench, const char *key, const char *value,
                                 enum sysctl_source source, const char *path, uint64_t line)
{
	struct sysctl *sysctl = LIST_ADD(&bench->arena, &bench->facts.kernels.items[0].sysctls);
	sysctl->key = key;
	sysctl->value = value;
	sysctl->effective = value;
	sysctl->source = source;
	sysctl->place.path = path;
	sysctl->place.line = line;
	sysctl->reason = "";
	return sysctl;
}

static void judges_sysctls_of_files_without_a_kernel(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	bench.facts.kernels.count = 0;
	struct sysctl *set = LIST_ADD(&bench.arena, &bench.facts.sysctls);
	set->key = "kernel.kptr_restrict";
	set->value = set->effective = "1";
	set->source = SYSCTL_FILE;
	set->place.path = "/etc/sysctl.d/60-image.conf";
	struct sysctl *unset = LIST_ADD(&bench.arena, &bench.facts.sysctls);
	unset->key = "kernel.randomize_va_space";
	unset->reason = "no file sets it, and without a kernel its default is not known";
	judge(&bench);
	expect(&bench, "sysctl.kernel.kptr_restrict", VERDICT_PASS, "1: set by /etc/sysctl.d/60-image.conf");
	expect(&bench, "sysctl.kernel.randomize_va_space", VERDICT_UNKNOWN,
	       "kernel.randomize_va_space: no file sets it, and without a kernel its default is not known");
	expect(&bench, "kernel.kvm-guest", VERDICT_UNKNOWN, "no kernel was found to judge");
	bench_close(&bench);
}

static void names_what_stands_in_a_sysctls_way(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	struct sysctl *refused =
		add_sysctl(&bench, "kernel.kptr_restrict", "0", SYSCTL_KERNEL_DEFAULT, NULL, 0);
	refused->reason = "kernel default; the kernel refuses \"9\" of /etc/sysctl.d/99-x.conf:3";
	refused->remedy = "sed -i '3s/^/#/' /etc/sysctl.d/99-x.conf";
	/* Another key's line changed it, and has to stay. */
	struct sysctl *redirects = add_sysctl(&bench, "net.ipv4.conf.all.accept_redirects", "1", SYSCTL_FILE,
	                                      "/etc/sysctl.d/10-router.conf", 2);
	redirects->place.text = "net.ipv4.ip_forward = 0";
	redirects->reason = "turning ip_forward off turns accept_redirects on";
	struct sysctl *forward = add_sysctl(&bench, "net.ipv4.ip_forward", "1", SYSCTL_FILE,
	                                    "/etc/sysctl.d/zz-router.conf", 4);
	forward->place.text = "net.ipv4.* = 1";
	struct sysctl *slashes = add_sysctl(&bench, "net.ipv4.conf.all.log_martians", "0", SYSCTL_FILE,
	                                    "/etc/sysctl.d/10-a.conf", 1);
	slashes->place.text = "-net/ipv4/conf/all/log_martians=0";
	judge(&bench);
	expect(&bench, "sysctl.kernel.kptr_restrict", VERDICT_FAIL,
	       "0, wanted 1 or more: the kernel's default; the kernel refuses \"9\" of "
	       "/etc/sysctl.d/99-x.conf:3");
	expect_fix(&bench, "sysctl.kernel.kptr_restrict",
	           "sed -i '3s/^/#/' /etc/sysctl.d/99-x.conf && "
	           "echo 'kernel.kptr_restrict = 1' >> /etc/sysctl.d/60-image.conf");
	expect(&bench, "sysctl.net.ipv4.conf.all.accept_redirects", VERDICT_FAIL,
	       "1, wanted 0: set by /etc/sysctl.d/10-router.conf; turning ip_forward off turns "
	       "accept_redirects on");
	expect_fix(&bench, "sysctl.net.ipv4.conf.all.accept_redirects",
	           "echo 'net.ipv4.conf.all.accept_redirects = 0' >> /etc/sysctl.d/60-image.conf");
	expect_fix(&bench, "sysctl.net.ipv4.ip_forward",
	           "echo 'net.ipv4.ip_forward = 0' >> /etc/sysctl.d/zz-router.conf-image.conf");
	expect_fix(&bench, "sysctl.net.ipv4.conf.all.log_martians",
	           "sed -i '1s|.*|net.ipv4.conf.all.log_martians = 1|' /etc/sysctl.d/10-a.conf");
	bench_close(&bench);
}

static void judges_sysctls_by_their_value_at_boot(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	add_sysctl(&bench, "kernel.kptr_restrict", "0", SYSCTL_KERNEL_DEFAULT, NULL, 0);
	add_sysctl(&bench, "kernel.yama.ptrace_scope", "2", SYSCTL_FILE, "/etc/sysctl.d/10-ptrace.conf", 3);
	add_sysctl(&bench, "kernel.perf_event_paranoid", "3", SYSCTL_KERNEL_DEFAULT, NULL, 0);
	add_sysctl(&bench, "net.ipv4.tcp_syncookies", "2", SYSCTL_FILE, "/etc/sysctl.d/a.conf", 1);
	add_sysctl(&bench, "net.ipv4.ip_forward", "1", SYSCTL_FILE, "/etc/sysctl.d/99-docker.conf", 7);
	add_sysctl(&bench, "net.ipv4.conf.default.rp_filter", "2", SYSCTL_FILE,
	           "/usr/lib/sysctl.d/50-default.conf", 26);
	struct sysctl *all = add_sysctl(&bench, "net.ipv4.conf.all.rp_filter", "1", SYSCTL_FILE,
	                                "/etc/sysctl.d/60-gce-network-security.conf", 12);
	all->effective = "2";
	all->effective_place.path = "/usr/lib/sysctl.d/50-default.conf";
	all->reason = "an interface (eth0) ends up with 2: the larger counts";
	add_sysctl(&bench, "kernel.randomize_va_space", "0x2", SYSCTL_COMMAND_LINE, "/boot/grub/grub.cfg",
	           142);
	add_sysctl(&bench, "fs.protected_hardlinks", NULL, SYSCTL_UNKNOWN, NULL, 0)->reason =
		"no default is known for this vendor";
	add_sysctl(&bench, "fs.protected_symlinks", "yes", SYSCTL_FILE, "/etc/sysctl.d/x.conf", 1);
	add_sysctl(&bench, "net.ipv4.conf.all.log_martians", "0", SYSCTL_FILE,
	           "/usr/lib/sysctl.d/90-vendor.conf", 1);
	judge(&bench);
	expect(&bench, "sysctl.kernel.kptr_restrict", VERDICT_FAIL,
	       "0, wanted 1 or more: the kernel's default, which nothing changes");
	expect_found(&bench, "sysctl.kernel.kptr_restrict", "0", false);
	expect_fix(&bench, "sysctl.kernel.kptr_restrict",
	           "echo 'kernel.kptr_restrict = 1' >> /etc/sysctl.d/60-image.conf");
	expect(&bench, "sysctl.kernel.yama.ptrace_scope", VERDICT_PASS,
	       "2: set by /etc/sysctl.d/10-ptrace.conf");
	expect_found(&bench, "sysctl.kernel.yama.ptrace_scope", "2", true);
	expect_found(&bench, "sysctl.kernel.perf_event_paranoid", "3", true);
	expect(&bench, "sysctl.net.ipv4.tcp_syncookies", VERDICT_PASS,
	       "2: set by /etc/sysctl.d/a.conf; 2 sends cookies always, a mode meant for tests");
	expect(&bench, "sysctl.net.ipv4.ip_forward", VERDICT_FAIL,
	       "1, wanted 0: set by /etc/sysctl.d/99-docker.conf");
	expect_fix(&bench, "sysctl.net.ipv4.ip_forward",
	           "sed -i '7s|.*|net.ipv4.ip_forward = 0|' /etc/sysctl.d/99-docker.conf");
	expect(&bench, "sysctl.net.ipv4.conf.default.rp_filter", VERDICT_FAIL,
	       "2, wanted 1: set by /usr/lib/sysctl.d/50-default.conf; 2 is loose mode, weaker than the "
	       "strict "
	       "mode that is asked");
	expect_fix(&bench, "sysctl.net.ipv4.conf.default.rp_filter",
	           "echo 'net.ipv4.conf.default.rp_filter = 1' >> /etc/sysctl.d/60-image.conf");
	expect(&bench, "sysctl.net.ipv4.conf.all.rp_filter", VERDICT_PASS,
	       "1: set by /etc/sysctl.d/60-gce-network-security.conf; an interface (eth0) ends up with 2: "
	       "the "
	       "larger counts");
	/* The literal key is met, and who reads that is told of the interface all the same. */
	expect(&bench, "guest.rp-filter", VERDICT_FAIL,
	       "an interface ends up with 2, wanted 1: set by /usr/lib/sysctl.d/50-default.conf; 2 is loose "
	       "mode, weaker than the strict mode that is asked");
	expect_fix(&bench, "guest.rp-filter",
	           "echo 'net.ipv4.conf.*.rp_filter = 1' >> /etc/sysctl.d/60-image.conf");
	expect(&bench, "sysctl.kernel.randomize_va_space", VERDICT_PASS,
	       "0x2: set on the kernel's command line");
	expect(&bench, "sysctl.fs.protected_hardlinks", VERDICT_UNKNOWN,
	       "fs.protected_hardlinks: no default is known for this vendor");
	expect(&bench, "sysctl.fs.protected_symlinks", VERDICT_UNKNOWN,
	       "\"yes\" is no number: the kernel refuses it, and what it keeps is not known");
	expect_fix(&bench, "sysctl.net.ipv4.conf.all.log_martians",
	           "echo 'net.ipv4.conf.all.log_martians = 1' >> /etc/sysctl.d/99-zz-image.conf");
	expect(&bench, "sysctl.net.ipv4.icmp_echo_ignore_broadcasts", VERDICT_UNKNOWN,
	       "net.ipv4.icmp_echo_ignore_broadcasts: its value at boot is not known");
	bench_close(&bench);
}

static void fails_keys_that_the_kernel_lacks(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	add_sysctl(&bench, "net.ipv4.tcp_syncookies", NULL, SYSCTL_ABSENT, NULL, 0)->reason =
		"CONFIG_SYN_COOKIES is not set";
	judge(&bench);
	expect(&bench, "sysctl.net.ipv4.tcp_syncookies", VERDICT_FAIL,
	       "this kernel has no key net.ipv4.tcp_syncookies: CONFIG_SYN_COOKIES is not set");
	expect_found(&bench, "sysctl.net.ipv4.tcp_syncookies", "absent", false);
	expect_fix(&bench, "sysctl.net.ipv4.tcp_syncookies",
	           "scripts/config --enable SYN_COOKIES && make olddefconfig, then build and install the "
	           "kernel");
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

static void follows_the_default_entry(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	struct boot_entry *entry = &bench.facts.boot.entries.items[0];
	judge(&bench);
	expect(&bench, "boot.default-entry", VERDICT_PASS, "/boot/vmlinuz and 1 initramfs file exist");
	expect(&bench, "boot.root-found", VERDICT_PASS, "root=UUID=" ROOT_UUID " is partition 2");
	expect(&bench, "boot.timeout", VERDICT_PASS, "the boot menu does not wait");
	entry->initrds.items[0].found = ANSWER_NO;
	judge(&bench);
	expect(&bench, "boot.default-entry", VERDICT_FAIL, "it names /boot/initrd.img, which does not exist");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	entry->initrds.items[0].found = ANSWER_YES;
	struct kernel *kernel = &bench.facts.kernels.items[0];
	kernel->place = (struct place){ .partition = 2, .path = "/boot/vmlinuz" };
	kernel->reason = "the kernel file is cut off";
	kernel->sound = ANSWER_NO;
	judge(&bench);
	expect(&bench, "boot.default-entry", VERDICT_FAIL,
	       "it names /boot/vmlinuz, which cannot boot: the kernel file is cut off");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	kernel->sound = ANSWER_UNKNOWN;
	judge(&bench);
	expect(&bench, "boot.default-entry", VERDICT_UNKNOWN,
	       "it names /boot/vmlinuz, of which nothing is known: the kernel file is cut off");
	kernel->sound = ANSWER_YES;
	kernel->reason = NULL;
	entry->root_found = ANSWER_NO;
	entry->root_reason = "no file system has this UUID";
	bench.facts.boot.timeout = "5";
	judge(&bench);
	expect(&bench, "boot.root-found", VERDICT_FAIL,
	       "root=UUID=" ROOT_UUID " is no file system of this image: no file system has this UUID");
	expect_fix(&bench, "boot.root-found", "update-grub");
	expect(&bench, "boot.timeout", VERDICT_FAIL, "the boot menu waits 5 seconds");
	bench.facts.boot.default_known = ANSWER_UNKNOWN;
	bench.facts.boot.default_reason = "/boot/grub/grub.cfg:12 cannot be followed";
	judge(&bench);
	expect(&bench, "boot.default-entry", VERDICT_UNKNOWN, "/boot/grub/grub.cfg:12 cannot be followed");
	bench.facts.boot.default_known = ANSWER_YES;
	bench.facts.boot.default_index = 7;
	judge(&bench);
	assert_int_equal(finding_of(&bench, "boot.default-entry")->verdict, VERDICT_UNKNOWN);
	bench_close(&bench);
}

static void wants_a_boot_without_anybody_there(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	bench.facts.boot.timeout = "-1";
	judge(&bench);
	expect(&bench, "boot.default-entry", VERDICT_FAIL,
	       "the boot menu waits for ever for somebody to choose an entry: its timeout is not set");
	expect_fix(&bench, "boot.default-entry", "set GRUB_TIMEOUT=0 in /etc/default/grub, then update-grub");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	bench.facts.boot.timeout = NULL;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	struct problem *problem = LIST_ADD(&bench.arena, &bench.facts.boot.problems);
	problem->code = "grub-password";
	problem->message = "GRUB asks for a password";
	judge(&bench);
	expect(&bench, "boot.default-entry", VERDICT_FAIL, "GRUB asks for a password");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	bench_close(&bench);
}

static void wants_an_init_on_the_root(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	struct facts *facts = &bench.facts;
	facts->table.partitions.items[1].mount = "/";
	facts->os.init_found = ANSWER_NO;
	judge(&bench);
	expect(&bench, "boot.root-found", VERDICT_FAIL,
	       "root=UUID=" ROOT_UUID
	       " is partition 2, which holds no /sbin/init: at best a bare shell starts");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	/* A /usr that could not be mounted may hold it, and the command line may name another. */
	struct mount_entry *usr = LIST_ADD(&bench.arena, &facts->fstab.entries);
	*usr = (struct mount_entry){ .device = "UUID=x", .path = "/usr", .optional = true };
	judge(&bench);
	assert_int_equal(finding_of(&bench, "boot.root-found")->verdict, VERDICT_PASS);
	facts->fstab.entries.count = 0;
	facts->boot.entries.items[0].command_line = CONSOLE " init=/opt/start";
	judge(&bench);
	assert_int_equal(finding_of(&bench, "boot.root-found")->verdict, VERDICT_PASS);
	bench_close(&bench);
}

/* Only programs of an initramfs look for file systems by UUID and label. */
static void wants_a_name_that_the_kernel_knows(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	struct boot_entry *entry = &bench.facts.boot.entries.items[0];
	entry->initrds.count = 0;
	judge(&bench);
	expect(&bench, "boot.root-found", VERDICT_FAIL,
	       "the entry has no initramfs, and a kernel by itself cannot find root=UUID=" ROOT_UUID
	       ": it knows PARTUUID= and /dev/sda2 alone");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	entry->root = "PARTUUID=8e1a9bd6-01";
	judge(&bench);
	assert_int_equal(finding_of(&bench, "boot.root-found")->verdict, VERDICT_PASS);
	entry->root = "LABEL=root";
	bench.facts.kernels.items[0].config.source = NULL;
	bench.facts.kernels.items[0].config.symbols.count = 0;
	judge(&bench);
	assert_int_equal(finding_of(&bench, "boot.root-found")->verdict, VERDICT_UNKNOWN);
	bench_close(&bench);
}

static void wants_the_drivers_of_the_boot(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-amd64", "6.1.0-50-amd64");
	struct kernel *kernel = &bench.facts.kernels.items[0];
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_PASS,
	       "the initramfs carries virtio_pci virtio_scsi sd_mod ext4");
	for (size_t i = 0; i < kernel->modules.count; i++) {
		struct kernel_module *module = &kernel->modules.items[i];
		if (str_equal(module->name, "ext4") || str_equal(module->name, "nvme"))
			module->in_initramfs = ANSWER_NO;
		if (str_equal(module->name, "ext4"))
			module->missing = "mbcache";
	}
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_FAIL, "the initramfs does not carry mbcache");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	assert_string_equal(bench.judgement.boots_because.items[0]->id, "boot.initramfs");
	bench.facts.table.partitions.items[1].file_system = "xfs";
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_PASS,
	       "the initramfs carries virtio_pci virtio_scsi sd_mod xfs; machine series that boot from NVMe "
	       "need nvme "
	       "as well");
	bench.facts.table.partitions.items[1].file_system = "bcachefs";
	judge(&bench);
	assert_int_equal(finding_of(&bench, "boot.initramfs")->verdict, VERDICT_UNKNOWN);
	bench_close(&bench);

	bench_open(&bench);
	add_kernel(&bench, "5.4.0",
	           "# Linux/x86 5.4.0 Kernel Configuration\nCONFIG_X86_64=y\nCONFIG_VIRTIO_PCI=y\n"
	           "CONFIG_SCSI_VIRTIO=y\nCONFIG_BLK_DEV_SD=y\nCONFIG_EXT4_FS=m\n"
	           "CONFIG_BLK_DEV_INITRD=y\nCONFIG_RD_GZIP=y\nCONFIG_BLK_DEV_NVME=y\n"
	           "CONFIG_EFI_PARTITION=y\n");
	add_module(&bench, "ext4", MODULE_FILE, ANSWER_YES);
	add_disk(&bench, CONSOLE);
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_FAIL,
	       "the kernel cannot unpack its initramfs: CONFIG_RD_ZSTD is not set");
	bench.facts.kernels.items[0].initramfs_compression = "none gzip";
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_PASS,
	       "the initramfs carries ext4; built in: virtio_pci virtio_scsi sd_mod");
	bench_close(&bench);
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

/* A rule that hangs on another option is asked until that option is known to be off. */
static void asks_what_an_unknown_option_may_make_matter(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	add_kernel(&bench, "6.1.0", NULL)->config.reason = "no file has it";
	add_disk(&bench, CONSOLE);
	judge(&bench);
	assert_int_equal(finding_of(&bench, "security.module-ronx")->verdict, VERDICT_UNKNOWN);
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

/* Files prove that something does not boot, never that it does; nor does a policy that does not ask. */
static void never_says_that_a_folder_boots(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	assert_int_equal(bench.judgement.boots_because.count, 0);
	bench.facts.kind = INPUT_TREE;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	bench.facts.kind = INPUT_DISK;
	for (size_t i = 0; i < bench.policy.rules.count; i++)
		bench.policy.rules.items[i].decides_boot = false;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	bench_close(&bench);
}

/* Everything is built in; what stands between the kernel and its root then? */
static void wants_a_way_to_the_root(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	struct kernel *kernel =
		add_kernel(&bench, "6.1.0",
	                   "# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_X86_64=y\nCONFIG_VIRTIO_PCI=y\n"
	                   "CONFIG_SCSI_VIRTIO=y\nCONFIG_BLK_DEV_SD=y\nCONFIG_EXT4_FS=y\n"
	                   "CONFIG_BLK_DEV_INITRD=y\nCONFIG_RD_GZIP=y\nCONFIG_BLK_DEV_NVME=y\n"
	                   "# CONFIG_MSDOS_PARTITION is not set\nCONFIG_EFI_PARTITION=y\n");
	add_disk(&bench, CONSOLE);
	struct boot_entry *entry = &bench.facts.boot.entries.items[0];
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_FAIL,
	       "the kernel cannot unpack the initramfs that would look for root=UUID=" ROOT_UUID
	       ": CONFIG_RD_ZSTD is not set");
	kernel->initramfs_compression = "gzip";
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_PASS, "virtio_pci virtio_scsi sd_mod ext4 are built in");
	kernel->initramfs_compression = "zstd";
	entry->root = "PARTUUID=0f0f0f0f-01";
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_PASS, "virtio_pci virtio_scsi sd_mod ext4 are built in");
	bench.facts.table.kind = "mbr";
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_FAIL,
	       "the kernel cannot read this disk's partition table: CONFIG_MSDOS_PARTITION is not set");
	expect_fix(&bench, "boot.initramfs",
	           "scripts/config --enable MSDOS_PARTITION && make olddefconfig, then build and install the "
	           "kernel");
	kernel->config.complete = ANSWER_NO;
	kernel->config.symbols.count -= 2;
	entry->root = "LABEL=root";
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_PASS, "virtio_pci virtio_scsi sd_mod ext4 are built in");
	bench_close(&bench);
}

static void wants_the_serial_console_last(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "6.1.0", "", "console=tty0 console=ttyS0,115200", "boot.console", VERDICT_PASS,
		  "console=ttyS0,115200 is the last one" },
		{ "6.1.0", "", "console=ttyS0 console=tty0", "boot.console", VERDICT_FAIL,
		  "the last console is tty0, not ttyS0, which stands before it: the last one owns "
		  "/dev/console" },
		{ "6.1.0", "", "ro quiet", "boot.console", VERDICT_FAIL,
		  "the command line has no console=, so that the serial console stays silent" },
		{ "6.1.0", "", "console=ttyS1", "boot.console", VERDICT_FAIL,
		  "the last console is ttyS1, not ttyS0" },
		{ "6.1.0", "", "console=uart8250,io,0x3f8,115200", "boot.console", VERDICT_PASS,
		  "console=uart8250,io,0x3f8,115200 is the last one" },
		{ "6.1.0", "", "ro quiet splash", "boot.no-quiet", VERDICT_FAIL,
		  "the command line has quiet splash" },
		{ "6.1.0", "", "ro quieter splash=0", "boot.no-quiet", VERDICT_PASS,
		  "the command line hides no messages" },
		{ "6.1.0", "", "ro", "boot.serial-getty", VERDICT_UNKNOWN,
		  "whether a getty runs on ttyS0 is not known" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

static struct mount_entry *add_mount(struct bench *bench, const char *device, const char *path,
                                     enum answer found)
{
	struct mount_entry *entry = LIST_ADD(&bench->arena, &bench->facts.fstab.entries);
	entry->device = device;
	entry->path = path;
	entry->type = "ext4";
	entry->options = "defaults";
	entry->found = found;
	entry->partition = 2;
	entry->place.path = "/etc/fstab";
	entry->place.line = bench->facts.fstab.entries.count;
	return entry;
}

/* Whoever copies a fix runs it: an image must not choose what. */
static void keeps_an_images_words_out_of_commands(void **state)
{
	(void)state;
	static const char *const systems[] = { "debian", "rocky", "opensuse", "arch", "alpine", "other" };
	static const char *const drop_ins[] = { "/etc/sysctl.d/10-$(evil).conf",
		                                "/usr/lib/sysctl.d/zz$(evil).conf" };
	for (size_t i = 0; i < ARRAY_SIZE(systems) * ARRAY_SIZE(drop_ins); i++) {
		struct bench bench;
		bench_open(&bench);
		add_kernel(&bench, "6.1.0;$(evil)",
		           arena_printf(&bench.arena, "%sCONFIG_SCSI_VIRTIO=m\n", whole_header));
		add_module(&bench, "virtio_scsi", MODULE_FILE, ANSWER_NO)->missing = "virtio_scsi $(evil)";
		add_module(&bench, "virtio_pci", MODULE_BUILTIN, ANSWER_UNKNOWN);
		add_sysctl(&bench, "kernel.kptr_restrict", "0", SYSCTL_FILE,
		           drop_ins[i % ARRAY_SIZE(drop_ins)], 1);
		add_disk(&bench, CONSOLE " console=$(evil)'");
		add_mount(&bench, "UUID=a|e;$(evil)'", "/", ANSWER_NO);
		bench.facts.os.id = systems[i / ARRAY_SIZE(drop_ins)];
		judge(&bench);
		assert_int_equal(finding_of(&bench, "boot.initramfs")->verdict, VERDICT_FAIL);
		assert_non_null(finding_of(&bench, "boot.fstab")->fix);
		for (size_t j = 0; j < bench.judgement.findings.count; j++) {
			const struct finding *finding = &bench.judgement.findings.items[j];
			bool command = finding->fix && !str_starts(finding->fix, "take ") &&
			               !str_starts(finding->fix, "set ");
			if (command && strstr(finding->fix, "$(evil)"))
				fail_msg("%s: %s", finding->rule->id, finding->fix);
		}
		bench_close(&bench);
	}
}

static void wants_stable_names_in_fstab(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	add_mount(&bench, "UUID=" ROOT_UUID, "/", ANSWER_YES);
	add_mount(&bench, "proc", "/proc", ANSWER_UNKNOWN);
	add_mount(&bench, "UUID=gone", "/data", ANSWER_NO)->optional = true;
	judge(&bench);
	expect(&bench, "boot.fstab", VERDICT_PASS, "all file systems are of this image");
	add_mount(&bench, "/dev/sda2", "/srv", ANSWER_YES);
	judge(&bench);
	expect(&bench, "boot.fstab", VERDICT_FAIL,
	       "/dev/sda2 for /srv depends on the order in which disks are found");
	expect_fix(&bench, "boot.fstab", "sed -i '4s|/dev/sda2|UUID=" ROOT_UUID "|' /etc/fstab");
	assert_int_equal(finding_of(&bench, "boot.fstab")->evidence.items[0].line, 4);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	add_mount(&bench, "UUID=swapless", "none", ANSWER_NO)->type = "swap";
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	add_mount(&bench, "UUID=gone", "/data", ANSWER_NO);
	judge(&bench);
	expect(&bench, "boot.fstab", VERDICT_FAIL,
	       "UUID=gone for /data is no file system of this image; 2 more lines fail as well");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	bench.facts.os.init = "openrc";
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	/* What the boot does not wait for, and what is there on some machines alone. */
	bench.facts.os.init = "systemd";
	bench.facts.fstab.entries.count = 0;
	add_mount(&bench, "UUID=gone", "/data", ANSWER_NO)->options = "ro,x-systemd.automount";
	add_mount(&bench, "UUID=gone", "/net", ANSWER_NO)->options = "_netdev";
	judge(&bench);
	assert_int_equal(finding_of(&bench, "boot.fstab")->verdict, VERDICT_FAIL);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	add_mount(&bench, "/dev/nvme0n1p2", "/srv", ANSWER_UNKNOWN)->optional = false;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	/* The root's line is mended, not deleted. */
	bench.facts.fstab.entries.count = 0;
	add_mount(&bench, "UUID=gone", "/", ANSWER_NO);
	judge(&bench);
	expect_fix(&bench, "boot.fstab", "sed -i '1s|UUID=gone|UUID=" ROOT_UUID "|' /etc/fstab");
	bench_close(&bench);
}

static void wants_a_getty_on_the_serial_console(void **state)
{
	(void)state;
	static const struct {
		enum answer state;
		const char *value, *command_line;
		enum verdict verdict;
		const char *reason;
	} cases[] = {
		{ ANSWER_YES, "console", "console=ttyS0 console=tty0", VERDICT_PASS,
		  "systemd starts a getty on console=ttyS0" },
		{ ANSWER_YES, "console", "console=tty0", VERDICT_FAIL,
		  "no getty is enabled on ttyS0, and the command line has no console=ttyS0" },
		{ ANSWER_YES, "ttyS10 ttyS0", "", VERDICT_PASS, "a getty is enabled on ttyS0" },
		{ ANSWER_YES, "ttyS0 console", "console=tty0", VERDICT_PASS, "a getty is enabled on ttyS0" },
		{ ANSWER_YES, "ttyS10", "", VERDICT_FAIL, "no getty is enabled on ttyS0" },
		{ ANSWER_NO, NULL, "console=ttyS0", VERDICT_FAIL, "it is masked" },
		{ ANSWER_UNKNOWN, NULL, "console=ttyS0", VERDICT_UNKNOWN,
		  "whether a getty runs on ttyS0 is not known: it is masked" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bench bench;
		bench_open(&bench);
		add_kernel(&bench, "6.1.0", whole_header);
		add_disk(&bench, cases[i].command_line);
		*LIST_ADD(&bench.arena, &bench.facts.observations.items) = (struct observation){
			.name = "guest.serial-getty",
			.state = cases[i].state,
			.value = cases[i].value,
			.reason = "it is masked",
		};
		judge(&bench);
		expect(&bench, "boot.serial-getty", cases[i].verdict, cases[i].reason);
		if (cases[i].verdict == VERDICT_FAIL)
			expect_fix(&bench, "boot.serial-getty",
			           "systemctl unmask serial-getty@.service serial-getty@ttyS0.service && "
			           "systemctl enable serial-getty@ttyS0.service");
		bench_close(&bench);
	}
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

/* What mends a command line depends on the boot loader that hands it over. */
static void fixes_of_loaders(void **state)
{
	(void)state;
	static const char add[] = "put console=ttyS0,38400n8d at the end of the kernel's command line";
	static const struct {
		const char *loader, *distribution, *console, *entry;
	} cases[] = {
		{ "grub", "fedora", NULL, "grubby --set-default=/boot/vmlinuz-6.1.0" },
		{ "systemd-boot", "fedora",
		  " (/etc/kernel/cmdline), then kernel-install add 6.1.0 /usr/lib/modules/6.1.0/vmlinuz",
		  "kernel-install add 6.1.0 /usr/lib/modules/6.1.0/vmlinuz" },
		{ "uki", "debian",
		  " (/etc/kernel/cmdline), then build the unified kernel image anew, as kernel-install or "
		  "ukify does",
		  "build the unified kernel image anew with its .linux and .initrd sections, as ukify does" },
		{ "syslinux", "alpine",
		  " (default_kernel_opts in /etc/update-extlinux.conf), then update-extlinux",
		  "set DEFAULT to a label whose LINUX and INITRD files exist" },
		{ "syslinux", "debian", " (APPEND in /boot/extlinux/extlinux.conf)",
		  "set DEFAULT to a label whose LINUX and INITRD files exist" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bench bench;
		bench_open(&bench);
		add_kernel(&bench, "6.1.0", NULL);
		add_disk(&bench, "ro");
		bench.facts.os.id = cases[i].distribution;
		bench.facts.boot.loader = cases[i].loader;
		bench.facts.boot.config.path = "/boot/extlinux/extlinux.conf";
		bench.facts.boot.entries.items[0].kernel.found = ANSWER_NO;
		judge(&bench);
		expect_fix(&bench, "boot.console",
		           cases[i].console ? arena_printf(&bench.arena, "%s%s", add, cases[i].console)
		                            : "grubby --update-kernel=ALL --args='console=ttyS0,38400n8d'");
		expect_fix(&bench, "boot.default-entry", cases[i].entry);
		bench_close(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixes_of_loaders),
		cmocka_unit_test(passes_stock_debian_kernels),
		cmocka_unit_test(knows_what_became_of_options_in_debian_12),
		cmocka_unit_test(judges_debian_on_arm64),
		cmocka_unit_test(judges_a_unified_kernel_image),
		cmocka_unit_test(asks_no_kernel_of_a_root_without_one),
		cmocka_unit_test(asks_pae_of_32_bit_kernels),
		cmocka_unit_test(follows_renamed_and_merged_options),
		cmocka_unit_test(knows_removed_and_stronger_options),
		cmocka_unit_test(wants_yama_switched_on),
		cmocka_unit_test(finds_what_the_command_line_defeats),
		cmocka_unit_test(counts_serial_ports),
		cmocka_unit_test(enables_what_an_option_depends_on),
		cmocka_unit_test(wants_modules_in_the_initramfs),
		cmocka_unit_test(lets_what_modules_prove_stand_for_a_configuration),
		cmocka_unit_test(knows_the_legacy_transport_by_its_part),
		cmocka_unit_test(judges_fragments_by_their_lines_alone),
		cmocka_unit_test(knows_nothing_of_what_was_not_examined),
		cmocka_unit_test(judges_sysctls_of_files_without_a_kernel),
		cmocka_unit_test(names_what_stands_in_a_sysctls_way),
		cmocka_unit_test(judges_sysctls_by_their_value_at_boot),
		cmocka_unit_test(fails_keys_that_the_kernel_lacks),
		cmocka_unit_test(judges_the_partition_table),
		cmocka_unit_test(judges_the_disk),
		cmocka_unit_test(wants_uefi_for_arm64),
		cmocka_unit_test(follows_the_default_entry),
		cmocka_unit_test(wants_a_boot_without_anybody_there),
		cmocka_unit_test(wants_an_init_on_the_root),
		cmocka_unit_test(wants_a_name_that_the_kernel_knows),
		cmocka_unit_test(wants_the_drivers_of_the_boot),
		cmocka_unit_test(tells_a_missing_driver_from_an_unknown_one),
		cmocka_unit_test(asks_what_an_unknown_option_may_make_matter),
		cmocka_unit_test(never_says_that_a_folder_boots),
		cmocka_unit_test(wants_a_way_to_the_root),
		cmocka_unit_test(keeps_an_images_words_out_of_commands),
		cmocka_unit_test(wants_the_serial_console_last),
		cmocka_unit_test(wants_stable_names_in_fstab),
		cmocka_unit_test(wants_a_getty_on_the_serial_console),
		cmocka_unit_test(judges_what_was_observed),
		cmocka_unit_test(keeps_the_worst_of_several_kernels),
		cmocka_unit_test(declares_features_with_evidence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
