// Reports of facts and judgements made up here, compared byte for byte with tests/golden/report/. After a
// meant change, SLIPWAY_UPDATE_GOLDEN=1 writes the files anew: read the difference before it is committed.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "policy/predicate.h"
#include "report/layout.h"
#include "report/phrase.h"
#include "report/report.h"

static struct arena arena;

/* One image with its judgement, filled by the builders below. */
struct scene {
	struct facts facts;
	struct policy policy;
	struct judgement judgement;
	struct report_input input;
};

static struct scene *new_scene(void)
{
	struct scene *scene = arena_alloc(&arena, sizeof(*scene));
	scene->policy.name = "gce";
	scene->policy.revision = "2026-11";
	scene->input = (struct report_input){
		.name = "disk.raw",
		.facts = &scene->facts,
		.judgement = &scene->judgement,
		.seconds = 0.014,
		.peak_kilobytes = 14336,
	};
	return scene;
}

static struct finding *add_finding(struct scene *scene, const char *id, enum level level,
                                   enum verdict verdict, const char *found, const char *wanted,
                                   const char *reason)
{
	struct rule *rule = arena_alloc(&arena, sizeof(*rule));
	rule->id = id;
	rule->section = arena_string(&arena, span_of(id, strcspn(id, ".")));
	rule->level = level;
	rule->why = "it matters";
	struct finding *finding = LIST_ADD(&arena, &scene->judgement.findings);
	*finding = (struct finding){
		.rule = rule,
		.verdict = verdict,
		.how = "read",
		.found = found,
		.wanted = wanted,
		.reason = reason,
	};
	scene->judgement.counts[verdict]++;
	return finding;
}

static void add_place(struct finding *finding, uint64_t partition, const char *path, uint64_t line,
                      const char *text)
{
	*LIST_ADD(&arena, &finding->evidence) =
		(struct place){ .partition = partition, .path = path, .line = line, .text = text };
}

static void set_why(struct finding *finding, const char *why)
{
	((struct rule *)(uintptr_t)finding->rule)->why = why;
}

/* A Debian 12 disk: GPT, BIOS and UEFI, one kernel. */
static void fill_disk(struct facts *facts)
{
	static const char *const version = "6.1.0-56-cloud-amd64";
	facts->kind = INPUT_DISK;
	facts->examined = EXAMINED_FULL;
	facts->container = "raw";
	facts->size = 3ull << 30;
	facts->bytes_read = 1258291;
	facts->table.kind = "gpt";
	facts->table.sector_size = 512;
	facts->table.disk_uuid = "5f1a7c3e-0000-4000-8000-000000000001";
	facts->table.protective_mbr = facts->table.primary_sound = facts->table.backup_sound = ANSWER_YES;
	*LIST_ADD(&arena, &facts->table.partitions) = (struct partition){
		.number = 1,
		.type = "0fc63daf-8483-4772-8e79-3d69d8477de4",
		.type_name = "Linux filesystem",
		.name = "root",
		.part_uuid = "5f1a7c3e-0000-4000-8000-000000000011",
		.start = 128ull << 20,
		.size = 2900ull << 20,
		.readable = true,
		.file_system = "ext4",
		.uuid = "0b5e8a3c-1111-4222-8333-444455556666",
		.label = "rootfs",
		.mount = "/",
	};
	*LIST_ADD(&arena, &facts->table.partitions) = (struct partition){
		.number = 15,
		.type = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
		.type_name = "EFI System",
		.name = "",
		.part_uuid = "5f1a7c3e-0000-4000-8000-000000000015",
		.start = 4ull << 20,
		.size = 124ull << 20,
		.readable = true,
		.file_system = "vfat",
		.uuid = "ABCD-1234",
		.mount = "/boot/efi",
	};
	*LIST_ADD(&arena, &facts->table.partitions) = (struct partition){
		.number = 1001,
		.type = "",
		.type_name = "",
		.name = "",
		.part_uuid = "",
		.start = 3041ull << 20,
		.size = 12ull << 20,
		.readable = true,
		.volume = "vg-slip/data",
		.volume_id = "OmovW3-rj1Q-EKs4-J3ng-svXt-MqNq-VKcabx/IPCZMO-d1dL-GkKy-577O-ajvH-ggyu-F4rBow",
		.within = 16,
		.file_system = "ext4",
		.uuid = "0b5e8a3c-1111-4222-8333-777788889999",
		.mount = "/srv",
	};
	*LIST_ADD(&arena, &facts->table.partitions) = (struct partition){
		.number = 1002,
		.type = "",
		.type_name = "",
		.name = "",
		.part_uuid = "",
		.start = 3040ull << 20,
		.size = 20ull << 20,
		.volume = "vg-slip/thin",
		.within = 16,
	};
	*LIST_ADD(&arena, &facts->table.partitions) = (struct partition){
		.number = 1003,
		.type = "",
		.type_name = "",
		.name = "",
		.part_uuid = "",
		.start = 3060ull << 20,
		.size = 8ull << 20,
		.readable = true,
		.volume = "vg-slip/torn",
		.within = 16,
		.unread = "a bad block",
	};
	struct boot *boot = &facts->boot;
	*LIST_ADD(&arena, &boot->paths) = (struct boot_path){ "bios",
		                                              ANSWER_YES,
		                                              "grub",
		                                              "GRUB's core image follows the boot code",
		                                              { .offset = 0, .text = "boot sector" },
		                                              NULL,
		                                              0 };
	*LIST_ADD(&arena, &boot->paths) =
		(struct boot_path){ "uefi",
		                    ANSWER_YES,
		                    "shim",
		                    "the removable path holds a loader",
		                    { .partition = 15, .path = "/EFI/BOOT/BOOTX64.EFI" },
		                    "/EFI/debian/grub.cfg",
		                    15 };
	boot->loader = "grub";
	boot->config = (struct place){ .partition = 1, .path = "/boot/grub/grub.cfg" };
	boot->default_known = ANSWER_YES;
	boot->default_reason = "set default=0";
	boot->default_place = (struct place){ .partition = 1, .path = "/boot/grub/grub.cfg", .line = 16 };
	boot->timeout = "5";
	boot->timeout_place = (struct place){ .partition = 1, .path = "/boot/grub/grub.cfg", .line = 70 };
	struct boot_entry *entry = LIST_ADD(&arena, &boot->entries);
	*entry = (struct boot_entry){
		.id = "gnulinux-simple",
		.title = "Debian GNU/Linux",
		.kernel = { .path = "/boot/vmlinuz-6.1.0-56-cloud-amd64", .partition = 1, .found = ANSWER_YES },
		.command_line = "root=UUID=0b5e8a3c-1111-4222-8333-444455556666 ro console=ttyS0,115200",
		.place = { .partition = 1,
		           .path = "/boot/grub/grub.cfg",
		           .line = 142,
		           .text = "linux /boot/vmlinuz-6.1.0-56-cloud-amd64" },
		.root = "UUID=0b5e8a3c-1111-4222-8333-444455556666",
		.root_found = ANSWER_YES,
		.root_partition = 1,
	};
	*LIST_ADD(&arena, &entry->initrds) = (struct boot_file){
		.path = "/boot/initrd.img-6.1.0-56-cloud-amd64", .partition = 1, .found = ANSWER_YES
	};
	struct kernel *kernel = LIST_ADD(&arena, &facts->kernels);
	*kernel = (struct kernel){
		.version = version,
		.arch = "x86_64",
		.format = "bzImage",
		.efi_stub = ANSWER_YES,
		.place = { .partition = 1, .path = "/boot/vmlinuz-6.1.0-56-cloud-amd64" },
		.booted = true,
		.judged = true,
		.entry = 1,
		.modules_directory = "/usr/lib/modules/6.1.0-56-cloud-amd64",
		.initramfs = { .partition = 1, .path = "/boot/initrd.img-6.1.0-56-cloud-amd64" },
		.initramfs_read = ANSWER_YES,
		.initramfs_compression = "zstd",
		.initramfs_modules = "ext4 virtio_pci",
	};
	kernel->config.complete = ANSWER_YES;
	kernel->config.source = "/boot/config-6.1.0-56-cloud-amd64";
	*LIST_ADD(&arena, &kernel->config.symbols) =
		(struct config_symbol){ "SCSI_VIRTIO", "m", 3127, "CONFIG_SCSI_VIRTIO=m" };
	*LIST_ADD(&arena, &kernel->config.symbols) =
		(struct config_symbol){ "COMPAT_BRK", "n", 210, "# CONFIG_COMPAT_BRK is not set" };
	*LIST_ADD(&arena, &kernel->modules) = (struct kernel_module){
		"virtio_scsi",
		MODULE_FILE,
		{ .partition = 1, .path = "/usr/lib/modules/6.1.0-56-cloud-amd64/modules.dep", .line = 88 },
		"kernel/drivers/scsi/virtio_scsi.ko",
		"scsi_mod scsi_common",
		ANSWER_NO,
		"virtio_scsi scsi_mod",
		false,
	};
	*LIST_ADD(&arena, &kernel->modules) =
		(struct kernel_module){ "nvme",
		                        MODULE_BUILTIN,
		                        { .partition = 1,
		                          .path = "/usr/lib/modules/6.1.0-56-cloud-amd64/modules.builtin",
		                          .line = 12 },
		                        NULL,
		                        "",
		                        ANSWER_UNKNOWN,
		                        "",
		                        false };
	*LIST_ADD(&arena, &kernel->sysctls) = (struct sysctl){
		"kernel.kptr_restrict", "0", SYSCTL_KERNEL_DEFAULT, { 0 }, "0", { 0 }, "", NULL, { 0 }
	};
	*LIST_ADD(&arena, &kernel->sysctls) =
		(struct sysctl){ "net.ipv4.conf.all.rp_filter",
		                 "1",
		                 SYSCTL_FILE,
		                 { .partition = 1,
		                   .path = "/etc/sysctl.d/60-net.conf",
		                   .line = 3,
		                   .text = "net.ipv4.conf.all.rp_filter=1" },
		                 "2",
		                 { .partition = 1, .path = "/usr/lib/sysctl.d/50-default.conf", .line = 24 },
		                 "the larger of all and eth0 counts",
		                 NULL,
		                 { 0 } };
	*LIST_ADD(&arena, &kernel->sysctls) =
		(struct sysctl){ "kernel.yama.ptrace_scope", NULL, SYSCTL_ABSENT, { 0 }, NULL, { 0 },
		                 "Yama is not active",       NULL, { 0 } };
	facts->os = (struct os){ "debian",
		                 NULL,
		                 "12",
		                 "Debian GNU/Linux 12 (bookworm)",
		                 { .partition = 1, .path = "/usr/lib/os-release", .line = 1 },
		                 "systemd",
		                 ANSWER_YES,
		                 { .partition = 1, .path = "/usr/lib/systemd/systemd" },
		                 SYSCTL_APPLIER_SYSTEMD };
	facts->fstab.present = ANSWER_YES;
	*LIST_ADD(&arena, &facts->fstab.entries) = (struct mount_entry){
		"UUID=0b5e8a3c-1111-4222-8333-444455556666",         "/",        "ext4", "rw,discard", false,
		{ .partition = 1, .path = "/etc/fstab", .line = 2 }, ANSWER_YES, 1,      NULL
	};
	*LIST_ADD(&arena, &facts->fstab.entries) = (struct mount_entry){
		"/dev/vg-slip/data", "/srv", "ext4",
		"defaults",          false,  { .partition = 1, .path = "/etc/fstab", .line = 3 },
		ANSWER_YES,          1001,   NULL
	};
	struct observation *seen = LIST_ADD(&arena, &facts->observations.items);
	*seen = (struct observation){ .name = "guest.irqbalance",
		                      .state = ANSWER_NO,
		                      .reason = "no file of the package is there" };
	seen = LIST_ADD(&arena, &facts->observations.items);
	*seen = (struct observation){ .name = "guest.timezone",
		                      .state = ANSWER_YES,
		                      .value = "Europe/Berlin",
		                      .reason = "/etc/localtime is a link" };
	*LIST_ADD(&arena, &seen->places) = (struct place){ .partition = 1, .path = "/etc/localtime" };
	*LIST_ADD(&arena, &facts->problems) = (struct problem){ "ext4-journal",
		                                                "the journal of partition 1 is not clean",
		                                                { .partition = 1, .offset = 134218752 } };
	*LIST_ADD(&arena, &facts->problems) = (struct problem){ "ext4-journal",
		                                                "the journal of a volume is not clean",
		                                                { .partition = 1001, .offset = 3188720640 } };
}

/* A disk that would not boot, with a failure at every level and rules that could not be decided. */
static struct scene *bad_scene(void)
{
	struct scene *scene = new_scene();
	fill_disk(&scene->facts);
	add_place(add_finding(scene, "hardware.net.virtio", LEVEL_REQUIRED, VERDICT_PASS, "m", "y",
	                      "virtio_net is a module of the root file system"),
	          1, "/boot/config-6.1.0-56-cloud-amd64", 3200, "CONFIG_VIRTIO_NET=m");
	struct finding *finding =
		add_finding(scene, "kernel.virtio-scsi", LEVEL_REQUIRED, VERDICT_FAIL, "m", "y",
	                    "CONFIG_SCSI_VIRTIO=m, and the initramfs does not carry virtio_scsi");
	add_place(finding, 1, "/boot/config-6.1.0-56-cloud-amd64", 3127, "CONFIG_SCSI_VIRTIO=m");
	add_place(finding, 1, "/boot/initrd.img-6.1.0-56-cloud-amd64", 0, NULL);
	set_why(finding, "persistent disks are virtio-scsi disks: the kernel would stop at \"Unable to mount "
	                 "root fs\"");
	finding->fix = "echo virtio_scsi >> /etc/initramfs-tools/modules && update-initramfs -u";
	scene->judgement.boots = ANSWER_NO;
	*LIST_ADD(&arena, &scene->judgement.boots_because) = finding->rule;
	finding = add_finding(scene, "security.yama", LEVEL_RECOMMENDED, VERDICT_UNKNOWN, "", "y",
	                      "CONFIG_LSM has no line");
	add_place(finding, 1, "/boot/config-6.1.0-56-cloud-amd64", 0, NULL);
	add_finding(scene, "security.x86-pae", LEVEL_RECOMMENDED, VERDICT_NOT_APPLICABLE, "", "y",
	            "asked of 32-bit x86 kernels alone");
	finding = add_finding(scene, "sysctl.kernel.kptr_restrict", LEVEL_RECOMMENDED, VERDICT_FAIL, "0",
	                      "1 or more", "0, wanted 1 or more");
	add_place(finding, 0, NULL, 0, "kernel default; no file sets it");
	finding->fix = "echo 'kernel.kptr_restrict = 1' > /etc/sysctl.d/60-image.conf";
	finding = add_finding(
		scene, "sysctl.net.ipv4.conf.default.accept_source_route", LEVEL_RECOMMENDED, VERDICT_FAIL,
		"1", "0",
		"1, wanted 0: the kernel default, and no file sets it, for interfaces that appear later");
	for (unsigned file = 1; file <= 6; file++)
		add_place(finding, 1, arena_printf(&arena, "/etc/sysctl.d/6%u-net.conf", file), file,
		          "net.ipv4.conf.default.accept_source_route=1");
	static const char *const gap = "the configuration of sshd includes files that cannot be followed: "
				       "Include /etc/ssh/*.conf at /etc/ssh/sshd_config:14";
	add_finding(scene, "guest.no-root-ssh", LEVEL_ADVICE, VERDICT_UNKNOWN, "", "no", gap);
	finding = add_finding(scene, "guest.utc", LEVEL_ADVICE, VERDICT_FAIL, "Europe/Berlin", "UTC",
	                      "the time zone is Europe/Berlin");
	finding->fix = "rm /etc/localtime\nln -s /usr/share/zoneinfo/UTC /etc/localtime";
	add_place(finding, 15, "/EFI/odd", 0, NULL);
	finding = add_finding(scene, "guest.host-keys", LEVEL_ADVICE, VERDICT_UNKNOWN, "", "none", gap);
	finding = add_finding(scene, "image.partition-table", LEVEL_ADVICE, VERDICT_PASS, "gpt", "", "");
	finding->by_equivalent = true;
	LIST_ADD(&arena, &finding->evidence)->offset = 512;
	return scene;
}

static struct scene *good_scene(void)
{
	struct scene *scene = new_scene();
	fill_disk(&scene->facts);
	add_finding(scene, "kernel.virtio-scsi", LEVEL_REQUIRED, VERDICT_PASS, "y", "y",
	            "CONFIG_SCSI_VIRTIO=y");
	add_finding(scene, "boot.console", LEVEL_RECOMMENDED, VERDICT_PASS, "ttyS0", "ttyS0",
	            "the console is ttyS0");
	scene->judgement.boots = ANSWER_YES;
	*LIST_ADD(&arena, &scene->judgement.features) = "UEFI_COMPATIBLE";
	*LIST_ADD(&arena, &scene->judgement.features) = "GVNIC";
	scene->judgement.features_note = "SEV_CAPABLE and the like cannot be proved from an image";
	scene->input.conforms = true;
	return scene;
}

static struct report_options plain(unsigned width)
{
	return (struct report_options){ .width = width, .version = "0.1.0" };
}

static char *read_golden(const char *path)
{
	struct text text = { 0 };
	char chunk[4096];
	size_t got;
	FILE *file = fopen(path, "r");
	if (!file)
		fail_msg("%s is missing", path);
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
		text_add_span(&text, span_of(chunk, got));
	fclose(file);
	char *copy = arena_strdup(&arena, text_get(&text));
	text_free(&text);
	return copy;
}

static void compare(const char *name, const char *output)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/tests/golden/report/%s", SOURCE_ROOT, name);
	if (getenv("SLIPWAY_UPDATE_GOLDEN")) {
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		fputs(output, file);
		assert_int_equal(fclose(file), 0);
		return;
	}
	const char *golden = read_golden(path);
	if (strcmp(golden, output) != 0) {
		print_message("--- %s\n%s--- now\n%s---\n", name, golden, output);
		fail_msg("%s differs", name);
	}
}

static const struct report_format *format_named(const char *name)
{
	for (const struct report_format *format = report_formats; format->name; format++)
		if (strcmp(format->name, name) == 0)
			return format;
	fail_msg("there is no format %s", name);
	return NULL;
}

static void check_inputs(const char *golden, const char *format, const struct report_input *inputs,
                         size_t count, const struct policy *policy, struct report_options options)
{
	char *output = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&output, &size);
	format_named(format)->check(out, policy, inputs, count, &options);
	fclose(out);
	compare(golden, output);
	free(output);
}

static void check_scene(const char *golden, struct scene *scene, struct report_options options)
{
	check_inputs(golden, "text", &scene->input, 1, &scene->policy, options);
}

static void test_failures(void **state)
{
	(void)state;
	check_scene("failures.txt", bad_scene(), plain(100));
	check_scene("failures-narrow.txt", bad_scene(), plain(50));
	check_scene("failures-unwrapped.txt", bad_scene(), plain(0));
}

/* One default breaks four rules, one missing module three, one missing file two: what they share is said
 * once. */
static struct scene *causes_scene(void)
{
	static const char *const carry =
		"printf '%s\\n' virtio_scsi >> /etc/initramfs-tools/modules && update-initramfs -u";
	struct scene *scene = good_scene();
	add_finding(scene, "hardware.scsi.virtio", LEVEL_REQUIRED, VERDICT_FAIL, "m", "y",
	            "the initramfs does not carry virtio_scsi, sd_mod")
		->fix = carry;
	struct finding *places = add_finding(scene, "kernel.virtio-scsi", LEVEL_REQUIRED, VERDICT_FAIL, "m",
	                                     "y", "the initramfs does not carry virtio_scsi");
	/* The lines of one file stand together. */
	add_place(places, 1, "/boot/config", 3, NULL);
	add_place(places, 1, "/lib/modules.dep", 7, NULL);
	add_place(places, 1, "/boot/config", 12, NULL);
	add_place(places, 15, "/boot/config", 12, NULL);
	add_place(places, 1, "/boot/config", 5, NULL);
	add_place(places, 1, "/boot/initrd.img", 0, NULL);
	places->fix = carry;
	/* The same reason, but seen elsewhere. */
	places = add_finding(scene, "boot.initramfs", LEVEL_REQUIRED, VERDICT_FAIL, "m", "y",
	                     "the initramfs does not carry virtio_scsi");
	add_place(places, 1, "/boot/initrd.old", 0, NULL);
	places->fix = "update-grub";
	add_finding(scene, "boot.root-found", LEVEL_REQUIRED, VERDICT_FAIL, "", "", "no such root")->fix =
		"update-grub";
	static const char *const keys[] = { "sysctl.all.send_redirects", "sysctl.all.rp_filter",
		                            "sysctl.default.send_redirects" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct finding *finding =
			add_finding(scene, keys[i], LEVEL_RECOMMENDED, VERDICT_FAIL, "1", "0", "1, wanted 0");
		finding->fix =
			arena_printf(&arena, "echo '%s = 0' >> /etc/sysctl.d/60-image.conf", keys[i] + 7);
	}
	set_why(&scene->judgement.findings.items[scene->judgement.findings.count - 2],
	        "it matters otherwise");
	add_finding(scene, "security.a", LEVEL_ADVICE, VERDICT_UNKNOWN, "", "y", "no configuration");
	add_finding(scene, "security.b", LEVEL_ADVICE, VERDICT_UNKNOWN, "", "y", "no configuration");
	add_finding(scene, "security.c", LEVEL_ADVICE, VERDICT_UNKNOWN, "", "y", "another matter");
	return scene;
}

static void test_causes(void **state)
{
	(void)state;
	check_scene("causes.txt", causes_scene(), plain(100));
}

static void test_colour(void **state)
{
	(void)state;
	struct report_options options = plain(100);
	options.colour = true;
	check_scene("failures-colour.txt", bad_scene(), options);
}

static void test_verbose(void **state)
{
	(void)state;
	struct report_options options = plain(100);
	options.verbose = true;
	check_scene("failures-verbose.txt", bad_scene(), options);
}

static void test_fail_on(void **state)
{
	(void)state;
	struct report_options options = plain(100);
	options.quiet = true;
	options.fail_on = LEVEL_ADVICE;
	struct scene *scene = bad_scene();
	check_scene("fail-on-advice.txt", scene, options);
	scene->judgement.boots = ANSWER_YES;
	check_scene("boots-but-does-not-conform.txt", scene, options);
	scene->judgement.boots = ANSWER_UNKNOWN;
	options.fail_on = LEVEL_REQUIRED;
	check_scene("boot-unknown.txt", scene, options);
}

static void test_conforming(void **state)
{
	(void)state;
	check_scene("conforming.txt", good_scene(), plain(100));
}

/* What could not be read is never said to conform or to boot. */
static void test_not_examined(void **state)
{
	(void)state;
	struct scene *scene = new_scene();
	scene->facts.reason = "it is empty: was it copied completely?";
	scene->input.name = "missing.raw";
	add_finding(scene, "kernel.virtio-scsi", LEVEL_REQUIRED, VERDICT_UNKNOWN, "", "y",
	            "nothing was read");
	check_scene("not-examined.txt", scene, plain(100));

	struct scene *part = good_scene();
	part->facts.examined = EXAMINED_PARTIAL;
	part->facts.reason = "the xfs file system of partition 2 cannot be read";
	part->input.conforms = false;
	check_scene("partly-examined.txt", part, plain(100));
	struct report_options options = plain(100);
	options.quiet = true;
	check_scene("partly-examined-quiet.txt", part, options);
}

static void test_several_and_quiet(void **state)
{
	(void)state;
	struct scene *bad = bad_scene(), *good = good_scene();
	good->input.name = "good.raw";
	struct report_input inputs[] = { bad->input, good->input };
	struct report_options options = plain(100);
	check_inputs("several.txt", "text", inputs, 2, &bad->policy, options);
	options.quiet = true;
	check_inputs("several-quiet.txt", "text", inputs, 2, &bad->policy, options);
}

/* Wide and combining characters line up; a hostile file name cannot drive the terminal. */
static void test_foreign_text(void **state)
{
	(void)state;
	struct scene *scene = good_scene();
	scene->input.name = "a\033[31m\xff\n.raw";
	scene->facts.os.name = "日本語リナックス 12 のとても長い名前のディストリビューション e\xcc\x81"
			       "dition";
	add_finding(scene, "guest.utc", LEVEL_ADVICE, VERDICT_FAIL, "", "",
	            "時間帯 は 東京 です そして これは とても 長い 理由 の 文 です から 折り返されます");
	check_scene("foreign.txt", scene, plain(60));
}

static void test_json(void **state)
{
	(void)state;
	struct scene *bad = bad_scene(), *good = good_scene(), *none = new_scene();
	none->facts.reason = "there is no such file: check the path";
	none->input.name = "not \xff UTF-8";
	struct report_input inputs[] = { bad->input, good->input, none->input };
	check_inputs("check.json", "json", inputs, 3, &bad->policy, plain(0));
}

static void inspect_scene(const char *golden, const char *format, struct scene *scene,
                          struct report_options options)
{
	char *output = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&output, &size);
	format_named(format)->inspect(out, &scene->input, &options);
	fclose(out);
	compare(golden, output);
	free(output);
}

/* As the platform takes it, but for what is behind the archive. */
static void pack(struct facts *facts)
{
	struct packing *packing = &facts->packing;
	facts->container = "tar.gz";
	*packing = (struct packing){
		.file_name = "disk.tar.gz",
		.compression = "gzip",
		.streams = 2,
		.garbage = 135933138,
		.unpacked_size = 400896000,
		.is_tar = true,
		.member_count = 18,
		.disk = { .name = "disk.raw",
		          .type = "file",
		          .format = "gnu",
		          .sparse = true,
		          .size = facts->size },
	};
	*LIST_ADD(&arena, &packing->members) = packing->disk;
	*LIST_ADD(&arena, &packing->members) = (struct packed_member){
		.name = "README", .type = "symbolic link", .format = "ustar", .header = 400894464
	};
}

/* One device of each kind, and what is not known of a second. */
static struct scene *live_scene(void)
{
	struct scene *scene = good_scene();
	struct facts *facts = &scene->facts;
	struct hardware *hardware = &facts->hardware;
	facts->kind = INPUT_LIVE;
	facts->container = NULL;
	facts->size = 0;
	facts->kernels.items[0].sysctls.items[0].source = SYSCTL_RUNNING;
	facts->kernels.items[0].sysctls.items[0].place.path = "/proc/sys/kernel/kptr_restrict";
	facts->kernels.items[0].sysctls.items[0].boot_place =
		(struct place){ .path = "/etc/sysctl.d/60-image.conf", .line = 2 };
	facts->kernels.items[0].modules.items[0].loaded = true;
	*hardware = (struct hardware){
		.platform = ANSWER_YES,
		.product = HARDWARE_PLATFORM,
		.product_place = { .path = "/sys/class/dmi/id/product_name", .text = HARDWARE_PLATFORM },
		.pci = ANSWER_YES,
	};
	*LIST_ADD(&arena, &hardware->pci_devices) = (struct pci_device){
		.address = "0000:00:03.0",
		.vendor = 0x1af4,
		.device = 0x1004,
		.subsystem_vendor = 0x1af4,
		.subsystem_device = 8,
		.driver = "virtio-pci",
		.place = { .path = "/sys/bus/pci/devices/0000:00:03.0/revision", .text = "0x00" },
	};
	*LIST_ADD(&arena, &hardware->pci_devices) =
		(struct pci_device){ .address = "0000:00:01.0", .vendor = 0x8086, .device = 0x7110 };
	*LIST_ADD(&arena, &hardware->virtio_devices) = (struct virtio_device){
		.name = "virtio0",
		.pci = "0000:00:03.0",
		.type = 8,
		.driver = "virtio_scsi",
		.features = "011",
		.place = { .path = "/sys/bus/virtio/devices/virtio0/features", .text = "011" },
	};
	*LIST_ADD(&arena, &hardware->interfaces) = (struct network_interface){
		.name = "ens4",
		.device = "virtio1",
		.driver = "virtio_net",
		.offloads = "rx-gro",
		.offloads_off = "rx-gro-list",
		.receive_queues = 2,
		.transmit_queues = 2,
		.place = { .path = "/sys/class/net/ens4" },
	};
	*LIST_ADD(&arena, &hardware->scsi_hosts) = (struct scsi_host){
		.name = "host0",
		.driver = "virtio_scsi",
		.device = "virtio0",
		.queues = 1,
		.place = { .path = "/sys/class/scsi_host/host0/nr_hw_queues", .text = "1" },
	};
	*LIST_ADD(&arena, &hardware->scsi_devices) = (struct scsi_device){
		.name = "0:0:1:0",
		.host = "host0",
		.disk = ANSWER_YES,
		.vendor = "Google",
		.model = "PersistentDisk",
		.revision = "1",
		.version = 6,
		.standards = "0460",
		.block = "sda",
		.logical = 512,
		.physical = 4096,
		.place = { .path = "/sys/bus/scsi/devices/0:0:1:0/scsi_level", .text = "7" },
	};
	*LIST_ADD(&arena, &hardware->serial_ports) = (struct serial_port){
		.name = "ttyS0",
		.irq = "4",
		.place = { .path = "/sys/bus/pnp/devices/00:03/resources", .text = "irq 4" },
	};
	*LIST_ADD(&arena, &hardware->unread) =
		(struct problem){ .code = "live-unread",
		                  .message = "run as root to read /sys/class/tty/ttyS0/type" };
	return scene;
}

static void test_inspect(void **state)
{
	(void)state;
	struct scene *good = good_scene();
	pack(&good->facts);
	inspect_scene("inspect.txt", "text", good, plain(100));
	inspect_scene("inspect.json", "json", good, plain(100));
	inspect_scene("inspect-live.txt", "text", live_scene(), plain(100));
	inspect_scene("inspect-live.json", "json", live_scene(), plain(100));
	struct scene *none = new_scene();
	none->facts.reason = "it is a directory: give a disk image or a block device";
	inspect_scene("inspect-none.txt", "text", none, plain(100));
	inspect_scene("inspect-none.json", "json", none, plain(100));
}

static void set_step(struct run *run, enum run_phase phase, double seconds, double cpu_seconds,
                     const char *line, uint64_t number)
{
	run->steps[phase] = (struct run_step){
		.reached = true,
		.seconds = seconds,
		.cpu_seconds = cpu_seconds,
		.place = { .path = line ? RUN_CONSOLE_PATH : NULL, .line = number, .text = line },
	};
}

static void set_proof(struct run *run, enum proof_id id, enum answer shown, const char *found,
                      const char *reason)
{
	run->proofs[id].shown = shown;
	run->proofs[id].found = found;
	run->proofs[id].reason = reason;
	if (shown != ANSWER_UNKNOWN)
		*LIST_ADD(&arena, &run->proofs[id].evidence) =
			(struct place){ .path = RUN_QMP_PATH, .line = 40 + (uint64_t)id, .text = "features" };
}

static void fill_machine(struct run *run, const char *firmware)
{
	*run = (struct run){
		.firmware = firmware,
		.machine = "QEMU 10.0.2, pc, without KVM",
		.is_reference = true,
	};
	*LIST_ADD(&arena, &run->limits) = "the ISA bridge shows revision 00 (the page: 03)";
	*LIST_ADD(&arena, &run->limits) = "without KVM neither kvm-clock nor KVM_GUEST can be seen at work";
	set_step(run, RUN_FIRMWARE, 0, 0, NULL, 0);
	set_step(run, RUN_LOADER, 1.234, 1.1, "GRUB loading.", 2);
}

static void came_up(struct run *run)
{
	fill_machine(run, "BIOS");
	run->end = RUN_CAME_UP;
	run->ended = "a login prompt stands on ttyS0";
	set_step(run, RUN_KERNEL, 4.1, 3.9, "[    0.000000] Linux version 6.1.0-56-cloud-amd64", 5);
	set_step(run, RUN_ROOT, 9.6, -1, "EXT4-fs (sda1): mounted filesystem with ordered data mode", 301);
	set_step(run, RUN_LOGIN, 34.25, 40.3, "debian login:", 420);
	set_proof(run, PROOF_NET_DRIVEN, ANSWER_YES, "CSUM, GUEST_CSUM", "a driver agreed on features");
	set_proof(run, PROOF_SCSI_HOTUNPLUG, ANSWER_NO, NULL, "the event was not picked up in 8 s");
	set_proof(run, PROOF_NET_TSO4, ANSWER_UNKNOWN, NULL, "no namespace may be made here");
	run->seconds = 41.5;
	run->cpu_seconds = 44.0625;
	run->logs = "logs";
}

/* With UEFI it stops: one symptom with its requirement, and one that none explains. */
static void stopped(struct run *run)
{
	fill_machine(run, "UEFI");
	run->end = RUN_FAILED;
	run->ended = "the kernel could not mount the root file system";
	set_step(run, RUN_KERNEL, 4.1, 3.9, "[    0.000000] Linux version 6.1.0-56-cloud-amd64", 5);
	*LIST_ADD(&arena, &run->symptoms) = (struct symptom){
		.name = "unable-to-mount-root",
		.message = "the kernel could not mount the root file system",
		.place = { .path = RUN_CONSOLE_PATH, .line = 240, .text = "VFS: Unable to mount root fs" },
	};
	*LIST_ADD(&arena, &run->symptoms) =
		(struct symptom){ .name = "kernel-panic", .message = "the kernel panicked" };
	*LIST_ADD(&arena, &run->last_lines) = "[    2.1] VFS: Unable to mount root fs on unknown-block(0,0)";
	*LIST_ADD(&arena, &run->last_lines) =
		"[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) "
		"and so on";
	run->seconds = 12;
	run->cpu_seconds = 11;
	run->inside_reason = "it did not come that far";
}

static struct scene *stopped_scene(size_t count)
{
	struct scene *scene = bad_scene();
	struct run *runs = arena_alloc_array(&arena, 2, sizeof(struct run));
	struct predicate *predicate = arena_alloc(&arena, sizeof(*predicate));
	*LIST_ADD(&arena, &predicate->symptoms) = "unable-to-mount-root";
	struct finding *finding = &scene->judgement.findings.items[1];
	((struct rule *)(uintptr_t)finding->rule)->predicate = predicate;
	finding->how = "ran";
	add_place(finding, 0, RUN_CONSOLE_PATH, 240, "VFS: Unable to mount root fs");
	stopped(&runs[0]);
	came_up(&runs[1]);
	runs[1].inside = &live_scene()->facts;
	scene->judgement.came_up = ANSWER_NO;
	scene->input.runs = runs;
	scene->input.run_count = count;
	return scene;
}

static void test_boot(void **state)
{
	(void)state;
	struct report_options boot = plain(100);
	boot.boot = true;
	check_scene("boot-stopped.txt", stopped_scene(2), boot);
	check_scene("check-boot-stopped.txt", stopped_scene(1), plain(100));
	struct scene *scene = good_scene();
	struct run run;
	came_up(&run);
	scene->judgement.came_up = ANSWER_YES;
	scene->input.runs = &run;
	scene->input.run_count = 1;
	check_scene("boot.txt", scene, boot);
	check_scene("check-boot.txt", scene, plain(100));
	/* What failed is the machine: the image stands as it was read. */
	fill_machine(&run, "BIOS");
	run.end = RUN_MACHINE;
	run.ended = "QEMU was killed by signal 9";
	run.is_reference = false;
	scene->judgement.came_up = ANSWER_UNKNOWN;
	check_scene("boot-no-machine.txt", scene, boot);
	/* Who ended it is told so, and nothing of conforming. */
	run.end = RUN_INTERRUPTED;
	run.ended = "signal 2 (Interrupt) came";
	run.is_reference = true;
	scene->input.conforms = false;
	check_scene("boot-interrupted.txt", scene, boot);
	/* Without its boot loader: that it came up does not show that it boots. */
	came_up(&run);
	run.firmware = "none";
	scene->input.conforms = true;
	check_scene("boot-direct.txt", scene, boot);
	boot.verbose = true;
	check_scene("boot-verbose.txt", scene, boot);
	boot.verbose = false;
	/* A kernel by itself has no modules, and this one no configuration. */
	scene->facts.kind = INPUT_KERNEL;
	scene->facts.examined = EXAMINED_PARTIAL;
	scene->facts.reason = "its configuration is not known";
	scene->input.conforms = false;
	run.steps[RUN_LOADER].reached = run.steps[RUN_ROOT].reached = false;
	check_scene("boot-kernel.txt", scene, boot);
	scene = stopped_scene(2);
	check_inputs("boot.json", "json", &scene->input, 1, &scene->policy, boot);
}

static void test_columns(void **state)
{
	(void)state;
	assert_int_equal(layout_columns("abc"), 3);
	assert_int_equal(layout_columns("é"), 1);
	assert_int_equal(layout_columns("e\xcc\x81"), 1);
	assert_int_equal(layout_columns("日本"), 4);
	/* Broken UTF-8 counts its bytes, and never reads behind the end. */
	assert_int_equal(layout_columns("\xe6"), 1);
	assert_int_equal(layout_columns("a\xf0\x9f"), 3);
}

static void test_sizes(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *said;
	} cases[] = {
		{ 0, "0 bytes" },          { 1, "1 byte" },
		{ 1023, "1023 bytes" },    { 1024, "1.0 KiB" },
		{ 1048575, "1.0 MiB" },    { 3ull << 30, "3.0 GiB" },
		{ 1ull << 40, "1.0 TiB" }, { UINT64_MAX, "16.0 EiB" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text text CLEANUP(text_free) = { 0 };
		phrase_size(&text, cases[i].bytes);
		assert_string_equal(text_get(&text), cases[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),     cmocka_unit_test(test_causes),
		cmocka_unit_test(test_colour),       cmocka_unit_test(test_verbose),
		cmocka_unit_test(test_fail_on),      cmocka_unit_test(test_conforming),
		cmocka_unit_test(test_not_examined), cmocka_unit_test(test_several_and_quiet),
		cmocka_unit_test(test_foreign_text), cmocka_unit_test(test_json),
		cmocka_unit_test(test_inspect),      cmocka_unit_test(test_boot),
		cmocka_unit_test(test_columns),      cmocka_unit_test(test_sizes),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}
