#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "facts/facts.h"
#include "images.h"
#include "live/machine.h"
#include "lvm_builder.h"
#include "pe_builder.h"

/* A file system on a whole disk, with these files, and a bzImage's header as the kernel /boot/vmlinuz-6.1.0.
 */
#define SYSTEM(files)                                                                                        \
	"mkdir -p root/etc root/sbin root/boot; : >root/sbin/init\n"                                         \
	"head -c 4096 /dev/zero >kernel; printf 'HdrS\\017\\002' | dd of=kernel bs=1 seek=514 "              \
	"conv=notrunc\n"                                                                                     \
	"printf '\\000\\001' | dd of=kernel bs=1 seek=526 conv=notrunc\n"                                    \
	"printf '6.1.0 (builder@host) #1' | dd of=kernel bs=1 seek=768 conv=notrunc\n"                       \
	"cp kernel root/boot/vmlinuz-6.1.0\n" files                                                          \
	"mke2fs -q -F -t ext4 -U 11111111-2222-3333-4444-555555555555 -d root image 8M\n"

struct bench {
	struct arena arena;
	struct questions questions;
	struct facts facts;
	unsigned checkpoints;
};

static void count(void *context, const struct facts *facts)
{
	struct bench *bench = context;
	assert_ptr_equal(facts, &bench->facts);
	bench->checkpoints++;
}

static void gather_bytes(struct bench *bench, struct span bytes)
{
	FILE *file = tool_file(bytes);
	struct input input = input_of_file("disk.raw", fileno(file));
	facts_gather(&input, &bench->questions, count, bench, &bench->arena, &bench->facts);
	fclose(file);
}

static void gather_script(struct bench *bench, const char *script)
{
	gather_bytes(bench, image_script(script, &bench->arena));
}

static const struct kernel *kernel_of(const struct bench *bench, const char *version)
{
	for (size_t i = 0; i < bench->facts.kernels.count; i++)
		if (str_equal(bench->facts.kernels.items[i].version, version))
			return &bench->facts.kernels.items[i];
	fail_msg("no kernel %s", version);
	return NULL;
}

static void an_empty_disk_is_not_fully_examined(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	gather_bytes(&bench, span_of(arena_alloc(&bench.arena, 1 << 20), 1 << 20));
	assert_int_equal(bench.facts.kind, INPUT_DISK);
	assert_int_equal(bench.facts.examined, EXAMINED_PARTIAL);
	assert_string_equal(bench.facts.reason, "no file system that can be read holds a Linux system");
	arena_free(&bench.arena);
}

static void what_is_no_disk_says_so(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	gather_bytes(&bench, span_text("QFI\xfb\0\0\0\3"));
	assert_int_equal(bench.facts.examined, EXAMINED_NONE);
	assert_non_null(bench.facts.reason);
	assert_int_equal(bench.checkpoints, 1);
	gather_bytes(&bench, span_text("root:x:0:0:root:/root:/bin/bash\n"));
	assert_int_equal(bench.facts.kind, INPUT_UNKNOWN);
	assert_int_equal(bench.facts.examined, EXAMINED_NONE);
	assert_non_null(bench.facts.reason);
	arena_free(&bench.arena);
}

static void a_system_without_a_menu_is_read_all_the_same(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	gather_script(&bench, SYSTEM("echo ID=debian >root/etc/os-release\n"));
	assert_string_equal(bench.facts.os.id, "debian");
	assert_int_not_equal(bench.facts.boot.default_known, ANSWER_YES);
	assert_null(bench.facts.boot.loader);
	const struct kernel *kernel = kernel_of(&bench, "6.1.0");
	assert_true(kernel->judged);
	assert_false(kernel->booted);
	assert_string_equal(kernel->place.path, "/boot/vmlinuz-6.1.0");
	assert_true(bench.checkpoints >= 4);
	assert_true(bench.facts.bytes_read > 0);
	arena_free(&bench.arena);
}

static void the_newest_kernel_stands_for_an_image_without_a_menu(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	gather_script(&bench, SYSTEM("sed s/6.1.0/6.9.0/ kernel >root/boot/vmlinuz-6.9.0\n"
	                             "sed s/6.1.0/6.10./ kernel >root/boot/vmlinuz-6.10.\n"));
	assert_int_equal(bench.facts.kernels.count, 3);
	assert_true(kernel_of(&bench, "6.10.")->judged);
	assert_false(kernel_of(&bench, "6.9.0")->judged);
	arena_free(&bench.arena);
}

static void a_kernel_that_is_asked_for_is_judged_or_missed_by_name(void **state)
{
	(void)state;
	struct bench bench = { .questions = { .kernel = "6.1.0" } };
	gather_script(&bench, SYSTEM("sed s/6.1.0/6.9.0/ kernel >root/boot/vmlinuz-6.9.0\n"));
	assert_true(kernel_of(&bench, "6.1.0")->judged);
	assert_false(kernel_of(&bench, "6.9.0")->judged);
	bench.questions.kernel = "5.4";
	gather_script(&bench, SYSTEM("sed s/6.1.0/6.9.0/ kernel >root/boot/vmlinuz-6.9.0\n"));
	assert_int_equal(bench.facts.examined, EXAMINED_PARTIAL);
	assert_string_equal(bench.facts.reason,
	                    "no kernel of version 5.4 is in the image; it has 6.1.0, 6.9.0");
	arena_free(&bench.arena);
}

static void fstab_is_tied_to_the_disk(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	gather_script(&bench,
	              SYSTEM("printf '%s\\n' 'UUID=11111111-2222-3333-4444-555555555555 / ext4 defaults 0 1' "
	                     "'UUID=99999999-2222-3333-4444-555555555555 /srv ext4 defaults 0 1' "
	                     ">root/etc/fstab\n"));
	assert_int_equal(bench.facts.fstab.entries.count, 2);
	assert_int_equal(bench.facts.fstab.entries.items[0].found, ANSWER_YES);
	assert_int_equal(bench.facts.fstab.entries.items[1].found, ANSWER_NO);
	assert_int_equal(bench.facts.fstab.entries.items[1].place.line, 2);
	assert_string_equal(bench.facts.table.partitions.items[0].mount, "/");
	arena_free(&bench.arena);
}

static void two_systems_without_a_menu_are_not_guessed_between(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	gather_script(
		&bench,
		SYSTEM("") "mv image one; mke2fs -q -F -t ext4 -d root two 8M\n"
			   "truncate -s 20M image; printf '2048,16384\\n18432,16384\\n' | sfdisk -q image\n"
			   "dd if=one of=image bs=512 seek=2048 conv=notrunc\n"
			   "dd if=two of=image bs=512 seek=18432 conv=notrunc\n");
	assert_int_equal(bench.facts.table.partitions.count, 2);
	assert_int_equal(bench.facts.examined, EXAMINED_PARTIAL);
	assert_string_equal(
		bench.facts.reason,
		"partition 1 and partition 2 both hold a system, and no root= decides between them");
	assert_int_equal(bench.facts.kernels.count, 0);
	arena_free(&bench.arena);
}

#define THREE_PARTITIONS                                                                                     \
	SYSTEM("mkdir -p root/usr/lib/modules/6.1.0\n")                                                      \
	"mv image system; mkfs.vfat -C esp 4096\n"                                                           \
	"mmd -i esp ::EFI ::EFI/BOOT; mcopy -i esp uki ::EFI/BOOT/BOOTX64.EFI\n"                             \
	"truncate -s 20M image\n"                                                                            \
	"printf 'label-id: 0xabcdef12\\n2048,8192,ef\\n10240,16384\\n26624\\n' | sfdisk -q image\n"          \
	"dd if=esp of=image bs=512 seek=2048 conv=notrunc\n"                                                 \
	"dd if=system of=image bs=512 seek=10240 conv=notrunc\n"

#define THIN        "thin" /* the physical volume of a thin volume vg/root */
#define THIN_MEMBER "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char thin_volume[] =
	"vg { id = \"vgvgvg\" seqno = 1 status = [\"READ\"] extent_size = 8\n"
	"physical_volumes { pv0 { id = \"" THIN_MEMBER "\" pe_start = 32 pe_count = 16 } }\n"
	"logical_volumes { root { id = \"root\" status = [\"VISIBLE\"] segment_count = 1\n"
	"segment1 { start_extent = 0 extent_count = 4 type = \"thin\" } } } }\n";

/*
 * A disk with three partitions: a unified kernel image boots this root= from the first, the second holds a
 * system with this fstab, and the third begins with what printf makes of `third`.
 */
static void gather_three(struct bench *bench, const char *root, const char *fstab, const char *third)
{
	const struct pe_test_section sections[] = {
		pe_text(".cmdline", arena_printf(&bench->arena, "root=%s", root)),
		pe_text(".linux", "no kernel"),
	};
	struct text script = { 0 };
	struct span uki = pe_build(sections, ARRAY_SIZE(sections), &bench->arena);
	text_add(&script, "{ ");
	for (size_t i = 0; i < uki.size; i++)
		if (uki.data[i])
			text_printf(&script, "printf '\\%03o' | dd bs=1 seek=%zu of=uki conv=notrunc;",
			            uki.data[i], i);
	text_printf(&script, "truncate -s %zu uki; } 2>/dev/null\n", uki.size);
	text_printf(&script, "mkdir -p root/etc; printf '%%s\\n' '%s' > root/etc/fstab\n", fstab);
	text_add(&script, THREE_PARTITIONS);
	text_printf(&script, "printf '%s' | dd of=image bs=512 seek=26624 conv=notrunc\n", third);
	struct span bytes = image_script(text_get(&script), &bench->arena);
	const struct lvm_builder lvm = { .at = (uint8_t *)(uintptr_t)bytes.data + 26624 * 512,
		                         .size = UINT64_C(1) << 20,
		                         .id = THIN_MEMBER,
		                         .text = thin_volume };
	if (str_equal(third, THIN))
		lvm_build(&lvm);
	gather_bytes(bench, bytes);
	text_free(&script);
	assert_int_equal(bench->facts.boot.default_known, ANSWER_YES);
}

#define LUKS "LUKS\\272\\276\\000\\002"

static void another_system_is_not_judged_in_place_of_the_root(void **state)
{
	(void)state;
	static const struct {
		const char *root, *third, *reason; /* NULL: the second partition is the system */
	} rows[] = {
		{ "PARTUUID=abcdef12-02", LUKS, NULL },
		{ "/dev/vda2", "", NULL }, /* a wrong name, of the only system that there can be */
		{ "PARTUUID=abcdef12-03", LUKS,
		  "root=PARTUUID=abcdef12-03 is partition 3, which cannot be read: files of crypto_LUKS "
		  "cannot be read" },
		{ "PARTUUID=abcdef12-03", "",
		  "root=PARTUUID=abcdef12-03 is partition 3, which cannot be read: it holds no known file "
		  "system" },
		{ "/dev/mapper/luks-root", LUKS,
		  "root=/dev/mapper/luks-root may be in partition 3, which cannot be read" },
		{ "/dev/mapper/vg-root", THIN,
		  "root=/dev/mapper/vg-root is logical volume vg/root, which cannot be read: it is no plain "
		  "linear volume" },
		{ "UUID=1234", THIN, "root=UUID=1234 may be in partition 3, which cannot be read" },
		{ "LABEL=gone", LUKS, "root=LABEL=gone may be in partition 3, which cannot be read" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench bench = { 0 };
		gather_three(&bench, rows[i].root, "", rows[i].third);
		bool judged = str_equal(bench.facts.table.partitions.items[1].mount, "/");
		assert_int_equal(judged, !rows[i].reason);
		assert_int_equal(bench.facts.os.init_found, judged ? ANSWER_YES : ANSWER_UNKNOWN);
		if (rows[i].reason)
			assert_string_equal(bench.facts.reason, rows[i].reason);
		arena_free(&bench.arena);
	}
}

static void what_a_mount_covers_is_not_missing(void **state)
{
	(void)state;
	static const struct {
		const char *fstab, *third;
		enum answer modules; /* is a modules.dep there? */
		bool gap;
	} rows[] = {
		{ "PARTUUID=abcdef12-03 /srv ext4 defaults 0 2", LUKS, ANSWER_NO, false },
		{ "PARTUUID=abcdef12-09 /usr ext4 defaults 0 2", LUKS, ANSWER_NO, false },
		{ "PARTUUID=abcdef12-09 /var ext4 defaults 0 2", LUKS, ANSWER_NO, true },
		{ "PARTUUID=abcdef12-09 /var ext4 nofail 0 2", LUKS, ANSWER_NO, false },
		{ "PARTUUID=abcdef12-09 /boot/efi vfat defaults 0 2", LUKS, ANSWER_NO, false },
		{ "tmpfs /usr tmpfs defaults 0 0", LUKS, ANSWER_NO, false },
		{ "PARTUUID=abcdef12-03 /usr f2fs defaults 0 2", LUKS, ANSWER_UNKNOWN, true },
		{ "/dev/mapper/luks-usr /usr ext4 defaults 0 2", LUKS, ANSWER_UNKNOWN, true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench bench = { .questions.all_kernels = true };
		gather_three(&bench, "PARTUUID=abcdef12-02", rows[i].fstab, rows[i].third);
		assert_int_equal(bench.facts.fstab.entries.count, 1);
		assert_int_equal(kernel_of(&bench, "6.1.0")->has_modules_dep, rows[i].modules);
		const struct problem *gap = NULL;
		for (size_t j = 0; j < bench.facts.problems.count; j++)
			if (str_equal(bench.facts.problems.items[j].code, "mount-unreadable"))
				gap = &bench.facts.problems.items[j];
		assert_int_equal(gap != NULL, rows[i].gap);
		assert_int_equal(bench.facts.os.init_found, ANSWER_YES);
		arena_free(&bench.arena);
	}
}

/* A file that is a part of a system. */
static const struct kernel *gather_part_of(struct bench *bench, struct span bytes, enum input_kind kind,
                                           enum examined examined)
{
	static const char *symbols[] = { "SCSI_VIRTIO", "KVM_GUEST" };
	*bench = (struct bench){ .arena = bench->arena, .questions.symbols = { symbols, 2 } };
	gather_bytes(bench, bytes);
	assert_int_equal(bench->facts.kind, kind);
	assert_int_equal(bench->facts.examined, examined);
	return bench->facts.kernels.count ? &bench->facts.kernels.items[0] : NULL;
}

#define CONFIG                                                                                               \
	"#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.1.55 Kernel Configuration\n#\n"      \
	"CONFIG_SCSI_VIRTIO=m\n# CONFIG_KVM_GUEST is not set\n"

static void a_configuration_is_an_input(void **state)
{
	(void)state;
	static const char *const packers[] = { "cat", "gzip", "xz", "zstd" };
	struct bench bench = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		struct span bytes = tool_filter(COMMAND(packers[i]), span_text(CONFIG), &bench.arena);
		const struct kernel *kernel = gather_part_of(&bench, bytes, INPUT_CONFIG, EXAMINED_FULL);
		assert_non_null(kernel);
		assert_true(kernel->judged);
		assert_string_equal(kernel->version, "6.1.55");
		assert_int_equal(kernel->config.complete, ANSWER_YES);
		assert_string_equal(kernel->config.place.path, "disk.raw");
		assert_int_equal(kernel_config_get(&kernel->config, "SCSI_VIRTIO")->line, 5);
		assert_string_equal(kernel_config_get(&kernel->config, "KVM_GUEST")->value, "n");
	}
	const struct kernel *fragment = gather_part_of(&bench, span_text("# mine\nCONFIG_KVM_GUEST=y\n"),
	                                               INPUT_CONFIG, EXAMINED_FULL);
	assert_int_equal(fragment->config.complete, ANSWER_NO);
	assert_null(fragment->version);

	struct span cut = span_of(CONFIG, sizeof(CONFIG) - 10);
	gather_part_of(&bench, cut, INPUT_CONFIG, EXAMINED_PARTIAL);
	assert_string_equal(bench.facts.reason, "the configuration is cut off: its last line has no end");

	struct span packed = tool_filter(COMMAND("sh", "-c", "{ cat; seq -f CONFIG_%g=y 9000; } | gzip"),
	                                 span_text(CONFIG), &bench.arena);
	packed.size -= 4;
	assert_null(gather_part_of(&bench, packed, INPUT_CONFIG, EXAMINED_NONE));
	arena_free(&bench.arena);
}

/* An arm64 Image with its banner and, perhaps, a configuration. */
static struct span arm64_image(const char *config, struct arena *arena)
{
	size_t size = (size_t)256 << 10;
	uint8_t *bytes = arena_alloc(arena, size);
	memcpy(bytes + 56, "ARM\x64", 4);
	memcpy(bytes + 5000, "Linux version 6.1.0-9-arm64 (builder@host)", 42);
	if (config) {
		struct span packed = tool_filter(COMMAND("gzip", "-9n"), span_text(config), arena);
		memcpy(bytes + 70000, "IKCFG_ST", 8);
		memcpy(bytes + 70008, packed.data, packed.size);
		memcpy(bytes + 70008 + packed.size, "IKCFG_ED", 8);
	}
	return span_of(bytes, size);
}

static void a_kernel_is_an_input(void **state)
{
	(void)state;
	static const char *const packers[] = { "cat", "gzip", "xz", "zstd" };
	struct bench bench = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		struct span bytes =
			tool_filter(COMMAND(packers[i]), arm64_image(CONFIG, &bench.arena), &bench.arena);
		const struct kernel *kernel = gather_part_of(&bench, bytes, INPUT_KERNEL, EXAMINED_FULL);
		assert_string_equal(kernel->version, "6.1.0-9-arm64");
		assert_string_equal(kernel->arch, "arm64");
		assert_string_equal(kernel->config.source, "IKCONFIG in disk.raw");
		assert_non_null(kernel_config_get(&kernel->config, "KVM_GUEST"));
	}
	gather_part_of(&bench, arm64_image(NULL, &bench.arena), INPUT_KERNEL, EXAMINED_PARTIAL);
	assert_string_equal(
		bench.facts.reason,
		"the kernel's configuration is not known: the kernel was built without CONFIG_IKCONFIG "
		"and holds no configuration: give its .config instead");
	arena_free(&bench.arena);
}

static const struct kernel_module *module_of(const struct kernel *kernel, const char *name)
{
	for (size_t i = 0; i < kernel->modules.count; i++)
		if (str_equal(kernel->modules.items[i].name, name))
			return &kernel->modules.items[i];
	fail_msg("no row for %s", name);
	return NULL;
}

/* Modules that its own modules.dep knows of: one is carried with what it needs, one without. */
#define INITRAMFS                                                                                            \
	"m=usr/lib/modules/6.1.0-9-arm64; mkdir -p $m/kernel; cd $m; echo x > kernel/virtio_scsi.ko;"        \
	"echo x > kernel/scsi_mod.ko; echo x > kernel/ext4.ko; echo kernel/sd_mod.ko > modules.builtin;"     \
	"printf '%s\\n' 'kernel/virtio_scsi.ko: kernel/scsi_mod.ko' kernel/scsi_mod.ko: "                    \
	"'kernel/ext4.ko: kernel/jbd2.ko' kernel/jbd2.ko: > modules.dep;"                                    \
	"cd $OLDPWD; find usr | cpio -o -H newc | gzip > image"

static void a_unified_kernel_image_is_an_input(void **state)
{
	(void)state;
	static const char *modules[] = { "virtio_scsi", "ext4", "sd_mod", "xfs" };
	struct bench bench = { 0 };
	const struct pe_test_section sections[] = {
		pe_text(".cmdline", "root=LABEL=x console=ttyAMA0"),
		{ ".linux", arm64_image(CONFIG, &bench.arena) },
		{ ".initrd", image_script(INITRAMFS, &bench.arena) },
	};
	bench.questions.modules = bench.questions.early_modules = (struct names){ modules, 4 };
	struct span bytes = pe_build(sections, ARRAY_SIZE(sections), &bench.arena);
	gather_bytes(&bench, bytes);
	assert_int_equal(bench.facts.kind, INPUT_KERNEL);
	assert_int_equal(bench.facts.examined, EXAMINED_FULL);
	assert_int_equal(bench.facts.boot.entries.count, 1);
	assert_string_equal(bench.facts.boot.entries.items[0].command_line, "root=LABEL=x console=ttyAMA0");
	const struct kernel *kernel = kernel_of(&bench, "6.1.0-9-arm64");
	assert_int_equal(kernel->entry, 1);
	assert_int_equal(kernel->initramfs_read, ANSWER_YES);
	assert_string_equal(kernel->config.source, "IKCONFIG in disk.raw");
	const struct kernel_module *carried = module_of(kernel, "virtio_scsi");
	assert_int_equal(carried->state, MODULE_FILE);
	assert_int_equal(carried->in_initramfs, ANSWER_YES);
	assert_string_equal(carried->needs, "scsi_mod");
	/* what is not carried may be on the root file system, which is not here */
	const struct kernel_module *halved = module_of(kernel, "ext4"), *other = module_of(kernel, "xfs");
	assert_int_equal(halved->state, MODULE_UNKNOWN);
	assert_int_equal(halved->in_initramfs, ANSWER_NO);
	assert_string_equal(halved->missing, "jbd2");
	assert_int_equal(other->state, MODULE_UNKNOWN);
	assert_int_equal(other->in_initramfs, ANSWER_NO);
	assert_int_equal(module_of(kernel, "sd_mod")->state, MODULE_BUILTIN);

	bytes.size -= 100;
	gather_bytes(&bench, bytes);
	assert_int_equal(bench.facts.examined, EXAMINED_NONE);
	assert_non_null(strstr(bench.facts.reason, "the unified kernel image is damaged: section .initrd"));
	bytes = pe_build(sections, 1, &bench.arena);
	gather_bytes(&bench, bytes);
	assert_int_equal(bench.facts.kind, INPUT_UNKNOWN);
	assert_string_equal(bench.facts.reason, "it is an EFI program, and no kernel in one");
	arena_free(&bench.arena);
}

/* A root directory made by a shell, as an input; `machine`: that of a machine that answers so. */
static void gather_root_of(struct bench *bench, const struct machine_answers *machine, const char *script)
{
	char folder[] = "/tmp/test-gather-XXXXXX";
	assert_non_null(mkdtemp(folder));
	tool_filter(COMMAND("sh", "-c", arena_printf(&bench->arena, "cd %s; %s", folder, script)),
	            (struct span){ 0 }, &bench->arena);
	struct input input = input_of_file(folder, open(folder, O_RDONLY | O_DIRECTORY));
	input.source = machine ? SOURCE_MACHINE : SOURCE_DIRECTORY;
	input.machine = machine;
	facts_gather(&input, &bench->questions, count, bench, &bench->arena, &bench->facts);
	close(input.descriptor);
	tool_filter(COMMAND("rm", "-r", folder), (struct span){ 0 }, &bench->arena);
}

static void gather_directory_of(struct bench *bench, const char *script)
{
	gather_root_of(bench, NULL, script);
}

static char release[] = "6.5.0", hardware[] = "aarch64";
static const struct machine_answers answers = { .release = release, .hardware = hardware };

static void the_running_machine_is_an_input(void **state)
{
	(void)state;
	const char *symbols[] = { "X" }, *modules[] = { "virtio_net", "gve" };
	struct bench bench = { .questions = { .symbols = { symbols, 1 }, .modules = { modules, 2 } } };
	gather_root_of(&bench, &answers,
	               "mkdir -p etc proc boot; echo ID=debian > etc/os-release;"
	               "printf '#\\n# Linux/arm64 6.5.0 Kernel Configuration\\nCONFIG_X=y\\n' | gzip > "
	               "proc/config.gz;"
	               "echo CONFIG_X=n > boot/config-6.5.0; echo 'Linux version 6.5.0 #1' > proc/version;"
	               "echo 'console=ttyAMA0 root=/dev/sda1' > proc/cmdline;"
	               "printf 'sda / ext2 rw 0 0\\nnone / ext3 rw 0 0\\n' > proc/mounts;"
	               "echo 'gve 1 0 - Live 0x0' > proc/modules");
	const struct facts *facts = &bench.facts;
	assert_int_equal(facts->kind, INPUT_LIVE);
	assert_int_equal(facts->examined, EXAMINED_FULL);
	assert_string_equal(facts->os.id, "debian");
	assert_int_equal(facts->hardware.platform, ANSWER_UNKNOWN);
	const struct kernel *kernel = kernel_of(&bench, "6.5.0");
	assert_true(kernel->booted && kernel->judged);
	assert_string_equal(kernel->arch, "arm64");
	assert_string_equal(kernel->banner, "Linux version 6.5.0 #1");
	assert_string_equal(kernel->config.source, "/proc/config.gz");
	assert_string_equal(kernel_config_get(&kernel->config, "X")->value, "y");
	assert_int_equal(kernel->config.symbols.items[0].line, 3);
	assert_string_equal(facts->boot.entries.items[0].command_line, "console=ttyAMA0 root=/dev/sda1");
	assert_string_equal(facts->boot.entries.items[0].place.path, "/proc/cmdline");
	/* Both that were asked for, and the drivers of the root file system. */
	assert_int_equal(kernel->modules.count, 4);
	assert_false(kernel->modules.items[0].loaded);
	assert_int_equal(kernel->modules.items[1].in_initramfs, ANSWER_UNKNOWN);
	assert_true(kernel->modules.items[1].loaded);
	assert_int_equal(kernel->modules.items[1].state, MODULE_FILE);
	assert_string_equal(kernel->modules.items[1].place.path, "/proc/modules");
	assert_string_equal(kernel->modules.items[2].name, "ext3");
	arena_free(&bench.arena);
}

static void what_the_running_machine_lacks_is_said(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	gather_root_of(&bench, &answers, "mkdir etc proc");
	assert_int_equal(bench.facts.examined, EXAMINED_PARTIAL);
	assert_string_equal(
		bench.facts.reason,
		"there is neither /proc/config.gz nor /boot/config-6.5.0 nor a config among its modules");
	bench.questions.kernel = "6.1.0";
	gather_root_of(&bench, &answers, "mkdir etc proc");
	assert_string_equal(bench.facts.reason, "no kernel of version 6.1.0 is running, but 6.5.0");
	arena_free(&bench.arena);
}

static void a_root_directory_is_an_input(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	gather_directory_of(&bench,
	                    "mkdir -p etc boot usr/lib/modules/6.5.0; echo ID=debian > etc/os-release;"
	                    "printf '#\\n# Linux/x86 6.5.0 Kernel Configuration\\nCONFIG_X=y\\n' > "
	                    "usr/lib/modules/6.5.0/config;"
	                    "echo net.ipv4.tcp_syncookies=1 > etc/sysctl.conf");
	assert_int_equal(bench.facts.kind, INPUT_TREE);
	assert_int_equal(bench.facts.examined, EXAMINED_FULL);
	assert_string_equal(bench.facts.container, "directory");
	assert_string_equal(bench.facts.os.id, "debian");
	assert_true(bench.facts.bytes_read > 0);
	/* its modules and their configuration tell of a kernel whose file is elsewhere */
	const struct kernel *kernel = kernel_of(&bench, "6.5.0");
	assert_true(kernel->judged);
	assert_string_equal(kernel->config.source, "/usr/lib/modules/6.5.0/config");

	bench = (struct bench){ .arena = bench.arena };
	gather_directory_of(&bench, "mkdir -p etc usr/lib; echo ID=debian > usr/lib/os-release");
	assert_int_equal(bench.facts.examined, EXAMINED_FULL);
	assert_int_equal(bench.facts.kernels.count, 0);

	/* of which all that asks for nothing bad would be true */
	bench = (struct bench){ .arena = bench.arena };
	gather_directory_of(&bench, "mkdir etc");
	assert_int_equal(bench.facts.examined, EXAMINED_PARTIAL);
	assert_non_null(strstr(bench.facts.reason, "os-release"));

	bench = (struct bench){ .arena = bench.arena };
	gather_directory_of(&bench, "ln -s /etc etc; : > usr");
	assert_int_equal(bench.facts.kind, INPUT_UNKNOWN);
	assert_int_equal(bench.facts.examined, EXAMINED_NONE);
	assert_non_null(strstr(bench.facts.reason, "neither /etc nor /usr"));
	arena_free(&bench.arena);
}

static void a_root_tar_is_an_input(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct span tar =
		image_script("mkdir -p etc boot; echo ID=debian > etc/os-release; tar -cf image ./etc ./boot",
	                     &bench.arena);
	gather_bytes(&bench, tar);
	assert_int_equal(bench.facts.kind, INPUT_TREE);
	assert_int_equal(bench.facts.examined, EXAMINED_FULL);
	assert_string_equal(bench.facts.container, "tar");
	assert_string_equal(bench.facts.os.id, "debian");
	assert_string_equal(bench.facts.os.place.path, "/etc/os-release");
	assert_int_equal(bench.facts.os.place.partition, 0);
	arena_free(&bench.arena);
}

/* The settings that are missing could be those that a rule looks for. */
static void a_root_tar_with_members_left_out_is_not_fully_examined(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct span tar = image_script(
		"mkdir -p etc/sysctl.d; echo ID=debian > etc/os-release; : > etc/a; ln etc/a etc/b;"
		"tar -cf image ./etc/os-release ./etc/a ./etc/b; tar --delete -f image ./etc/a",
		&bench.arena);
	gather_bytes(&bench, tar);
	assert_int_equal(bench.facts.kind, INPUT_TREE);
	assert_int_equal(bench.facts.examined, EXAMINED_PARTIAL);
	assert_non_null(strstr(bench.facts.reason, "left out"));
	arena_free(&bench.arena);
}

static void a_cut_root_tar_is_not_fully_examined(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct span tar =
		image_script("mkdir etc; echo ID=debian > etc/os-release; echo x=1 > etc/sysctl.conf;"
	                     "tar -cf image etc/os-release etc/sysctl.conf",
	                     &bench.arena);
	gather_bytes(&bench, span_of(tar.data, 1024 + 512));
	assert_int_equal(bench.facts.kind, INPUT_TREE);
	assert_int_equal(bench.facts.examined, EXAMINED_PARTIAL);
	assert_string_equal(bench.facts.os.id, "debian");
	assert_string_equal(bench.facts.reason,
	                    "the tar archive ends at offset 1536, 4 bytes before its member etc/sysctl.conf "
	                    "does: what comes behind it is not examined");
	assert_string_equal(bench.facts.problems.items[0].code, "tar-damaged");

	/* Between two members nothing but the mark that is missing tells. */
	bench = (struct bench){ .arena = bench.arena };
	gather_bytes(&bench, span_of(tar.data, 1024));
	assert_int_equal(bench.facts.examined, EXAMINED_PARTIAL);
	assert_string_equal(
		bench.facts.reason,
		"the tar archive ends at offset 1024 without its end mark: was it copied completely?");

	bench = (struct bench){ .arena = bench.arena };
	((uint8_t *)(uintptr_t)tar.data)[1024] ^= 1;
	gather_bytes(&bench, tar);
	assert_int_equal(bench.facts.examined, EXAMINED_PARTIAL);
	assert_non_null(strstr(bench.facts.reason, "the tar header at offset 1024 is damaged"));
	arena_free(&bench.arena);
}

static void cut_file(void *context, const struct facts *facts)
{
	(void)facts;
	assert_int_equal(ftruncate(fileno(context), 512), 0);
}

/* Readers take a file that cannot be read for one that says nothing; what it held is not known all the same.
 */
static void what_can_no_longer_be_read_is_not_fully_examined(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct questions questions = { 0 };
	struct facts facts;
	FILE *file = tool_file(image_script("mkdir -p etc/sysctl.d usr/lib/modules/6.5.0;"
	                                    "echo CONFIG_X=y > usr/lib/modules/6.5.0/config;"
	                                    "echo x=1 > etc/sysctl.d/1.conf; tar -cf image etc usr",
	                                    &arena));
	struct input input = input_of_file("root.tar", fileno(file));
	facts_gather(&input, &questions, cut_file, file, &arena, &facts);
	assert_int_equal(facts.kind, INPUT_TREE);
	assert_int_equal(facts.examined, EXAMINED_PARTIAL);
	assert_non_null(strstr(facts.reason, "it shrank while it was read"));
	fclose(file);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_disk_is_not_fully_examined),
		cmocka_unit_test(what_is_no_disk_says_so),
		cmocka_unit_test(a_system_without_a_menu_is_read_all_the_same),
		cmocka_unit_test(the_newest_kernel_stands_for_an_image_without_a_menu),
		cmocka_unit_test(a_kernel_that_is_asked_for_is_judged_or_missed_by_name),
		cmocka_unit_test(fstab_is_tied_to_the_disk),
		cmocka_unit_test(two_systems_without_a_menu_are_not_guessed_between),
		cmocka_unit_test(another_system_is_not_judged_in_place_of_the_root),
		cmocka_unit_test(what_a_mount_covers_is_not_missing),
		cmocka_unit_test(a_configuration_is_an_input),
		cmocka_unit_test(a_kernel_is_an_input),
		cmocka_unit_test(a_unified_kernel_image_is_an_input),
		cmocka_unit_test(a_root_directory_is_an_input),
		cmocka_unit_test(the_running_machine_is_an_input),
		cmocka_unit_test(what_the_running_machine_lacks_is_said),
		cmocka_unit_test(a_root_tar_is_an_input),
		cmocka_unit_test(a_root_tar_with_members_left_out_is_not_fully_examined),
		cmocka_unit_test(a_cut_root_tar_is_not_fully_examined),
		cmocka_unit_test(what_can_no_longer_be_read_is_not_fully_examined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
