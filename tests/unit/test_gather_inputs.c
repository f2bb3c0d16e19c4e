// What is gathered of inputs that are no disks: a kernel, its configuration, a root as a directory or a tar,
// a running machine.

#include "gather_bench.h"

#include "pe_builder.h"

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
	                    "does: was it copied completely?");
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

/* The kernel looks like a boot sector, and the initramfs has a name that disks have. */
static void a_file_of_a_cut_root_tar_is_no_disk(void **state)
{
	(void)state;
	struct bench bench = { 0 };
	struct span tar =
		image_script("mkdir boot etc; printf '\\125\\252' | dd bs=1 seek=510 of=boot/initramfs.img;"
	                     "echo ID=debian > etc/os-release; tar -cf image boot etc",
	                     &bench.arena);
	const size_t cuts[] = { 1024 + 512, 1024 + 512 + 100 };
	for (size_t i = 0; i < 2; i++) {
		bench = (struct bench){ .arena = bench.arena };
		gather_bytes(&bench, span_of(tar.data, cuts[i]));
		assert_int_equal(bench.facts.examined, EXAMINED_NONE);
		assert_int_equal(bench.facts.kind, INPUT_UNKNOWN);
		assert_non_null(strstr(bench.facts.reason, "was it copied completely?"));
	}
	arena_free(&bench.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_configuration_is_an_input),
		cmocka_unit_test(a_kernel_is_an_input),
		cmocka_unit_test(a_unified_kernel_image_is_an_input),
		cmocka_unit_test(a_root_directory_is_an_input),
		cmocka_unit_test(the_running_machine_is_an_input),
		cmocka_unit_test(what_the_running_machine_lacks_is_said),
		cmocka_unit_test(a_root_tar_is_an_input),
		cmocka_unit_test(a_root_tar_with_members_left_out_is_not_fully_examined),
		cmocka_unit_test(a_cut_root_tar_is_not_fully_examined),
		cmocka_unit_test(a_file_of_a_cut_root_tar_is_no_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
