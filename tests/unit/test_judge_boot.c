// The policy's judgement of the way from the boot menu to a login: disks that are good, and broken in a
// single way.
#include "judge_bench.h"

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
	*LIST_ADD(&bench.arena, &bench.facts.table.partitions) =
		(struct partition){ .number = 3, .file_system = "ext4", .mount = "/usr" };
	judge(&bench);
	expect(&bench, "boot.initramfs", VERDICT_FAIL, "the initramfs does not carry mbcache");
	bench.facts.table.partitions.items[2].mount = "/srv";
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

/* What systemd is told on the kernel's command line counts for more than what is enabled. */
static void reads_what_the_command_line_says_of_gettys(void **state)
{
	(void)state;
	static const char console[] = "systemd starts a getty on console=ttyS0";
	static const char enabled[] = "a getty is enabled on ttyS0";
#define MASKED(word) "the command line has " word ": no getty starts on ttyS0"
	static const struct {
		const char *value, *words; /* NULL: no getty */
		enum verdict verdict;
		const char *reason, *fix; /* NULL: as it is without words */
	} cases[] = {
		{ "console", "systemd.mask=serial-getty@ttyS0.service", VERDICT_FAIL,
		  MASKED("systemd.mask=serial-getty@ttyS0.service"),
		  "take systemd.mask=serial-getty@ttyS0.service off the kernel's command line*" },
		{ "ttyS0", "systemd.mask=serial-getty@ttyS0", VERDICT_FAIL,
		  MASKED("systemd.mask=serial-getty@ttyS0"), NULL },
		{ "console", "systemd.mask=serial-getty@.service", VERDICT_FAIL,
		  MASKED("systemd.mask=serial-getty@.service"), NULL },
		{ "ttyS0 console", "systemd.mask=getty.target", VERDICT_FAIL,
		  MASKED("systemd.mask=getty.target"), NULL },
		/* Another port, another unit, the initramfs' own, and what looks like it. */
		{ "console", "systemd.mask=serial-getty@ttyS1.service", VERDICT_PASS, console, NULL },
		{ "console", "systemd.mask=serial", VERDICT_PASS, console, NULL },
		{ "console", "rd.systemd.mask=serial-getty@ttyS0.service", VERDICT_PASS, console, NULL },
		{ "console", "rd.systemd.getty_auto=0 -- systemd.getty_auto", VERDICT_PASS, console, NULL },
		{ "console", "systemd.getty_auto=0", VERDICT_FAIL,
		  "the command line has systemd.getty_auto=0: systemd starts no getty on console=ttyS0",
		  "take systemd.getty_auto=0 off *" },
		{ "console", "systemd.getty-auto=No", VERDICT_FAIL,
		  "the command line has systemd.getty_auto=No: systemd starts no getty on console=ttyS0",
		  NULL },
		{ "console", "systemd.getty_auto=0 systemd.getty_auto=1", VERDICT_PASS, console, NULL },
		{ "console", "systemd.getty_auto", VERDICT_PASS, console, NULL },
		{ "console", "systemd.getty_auto=console,builtin", VERDICT_PASS, console, NULL },
		{ "console", "systemd.getty_auto=builtin", VERDICT_UNKNOWN,
		  "the command line has systemd.getty_auto=builtin, which not every systemd takes *", NULL },
		{ "console", "SYSTEMD_GETTY_AUTO=no", VERDICT_UNKNOWN,
		  "the command line has SYSTEMD_GETTY_AUTO=no, which not every systemd takes *", NULL },
		{ "old", "systemd.getty_auto=0", VERDICT_PASS, console, NULL },
		/* One that was enabled by hand is none of the generator's. */
		{ "ttyS0 console", "systemd.getty_auto=0", VERDICT_PASS, enabled, NULL },
		{ NULL, "systemd.wants=serial-getty@ttyS0.service", VERDICT_PASS,
		  "the command line has systemd.wants=serial-getty@ttyS0.service, which starts a getty on "
		  "ttyS0",
		  NULL },
		{ NULL, "systemd.mask=serial-getty@ttyS0.service", VERDICT_FAIL, "none is there", NULL },
		{ NULL, "systemd.wants=serial-getty@ttyS0 systemd.mask=serial-getty@ttyS0", VERDICT_FAIL,
		  "none is there", NULL },
		{ "console", "systemd.unit=rescue.target", VERDICT_FAIL,
		  "the command line has systemd start rescue.target, which has no login on ttyS0", NULL },
		{ "console", "single", VERDICT_FAIL,
		  "the command line has systemd start rescue.target, which has no login on ttyS0", NULL },
		{ "console", "systemd.unit=multi-user.target", VERDICT_PASS, console, NULL },
		{ "console", "systemd.unit=kiosk.target", VERDICT_UNKNOWN,
		  "the command line has systemd start kiosk.target: whether that has a login on ttyS0 *",
		  NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bench bench;
		bench_open(&bench);
		bool old = str_equal(cases[i].value, "old");
		add_kernel(&bench, "6.1.0", whole_header);
		add_disk(&bench, arena_printf(&bench.arena, "console=ttyS0 %s", cases[i].words));
		bench.facts.os.init = "systemd";
		struct observation *seen = LIST_ADD(&bench.arena, &bench.facts.observations.items);
		*seen = (struct observation){
			.name = "guest.serial-getty",
			.state = cases[i].value ? ANSWER_YES : ANSWER_NO,
			.value = old ? "console" : cases[i].value,
			.reason = "none is there",
		};
		if (cases[i].value && !old)
			*LIST_ADD(&bench.arena, &seen->places) = (struct place){
				.path = "/usr/lib/systemd/system-generators/systemd-getty-generator",
				.text = "systemd.getty_auto",
			};
		judge(&bench);
		const struct finding *finding = finding_of(&bench, "boot.serial-getty");
		if (finding->verdict != cases[i].verdict ||
		    !str_glob(cases[i].reason, finding->reason, false))
			fail_msg("%s: %s: %s", cases[i].words, verdict_names[finding->verdict],
			         finding->reason);
		if (cases[i].fix && !str_glob(cases[i].fix, finding->fix, false))
			fail_msg("%s: %s", cases[i].words, finding->fix);
		assert_true(!finding->fix == (finding->verdict != VERDICT_FAIL));
		bench_close(&bench);
	}
#undef MASKED
}

/* Another unit of the same port is not masked along. */
static void a_getty_of_another_unit_stays(void **state)
{
	(void)state;
	static const char *const words[] = { "systemd.mask=serial-getty@ttyS0.service",
		                             "systemd.mask=serial-getty@ttyS0 systemd.mask=getty@ttyS0" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct bench bench;
		bench_open(&bench);
		add_kernel(&bench, "6.1.0", whole_header);
		add_disk(&bench, words[i]);
		bench.facts.os.init = "systemd";
		struct observation *seen = LIST_ADD(&bench.arena, &bench.facts.observations.items);
		*seen = (struct observation){ .name = "guest.serial-getty",
			                      .state = ANSWER_YES,
			                      .value = "ttyS0" };
		*LIST_ADD(&bench.arena, &seen->places) = (struct place){
			.path = "/etc/systemd/system/getty.target.wants/getty@ttyS0.service",
		};
		judge(&bench);
		assert_int_equal(finding_of(&bench, "boot.serial-getty")->verdict,
		                 i == 0 ? VERDICT_PASS : VERDICT_FAIL);
		bench_close(&bench);
	}
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
		cmocka_unit_test(follows_the_default_entry),
		cmocka_unit_test(wants_a_boot_without_anybody_there),
		cmocka_unit_test(wants_an_init_on_the_root),
		cmocka_unit_test(wants_a_name_that_the_kernel_knows),
		cmocka_unit_test(wants_the_drivers_of_the_boot),
		cmocka_unit_test(never_says_that_a_folder_boots),
		cmocka_unit_test(wants_a_way_to_the_root),
		cmocka_unit_test(keeps_an_images_words_out_of_commands),
		cmocka_unit_test(wants_the_serial_console_last),
		cmocka_unit_test(wants_stable_names_in_fstab),
		cmocka_unit_test(wants_a_getty_on_the_serial_console),
		cmocka_unit_test(reads_what_the_command_line_says_of_gettys),
		cmocka_unit_test(a_getty_of_another_unit_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
