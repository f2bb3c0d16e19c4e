// Facts that a test makes, and what the built-in policy says of them.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "findings.h"

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

static inline void bench_open(struct bench *bench)
{
	struct error error = { 0 };
	*bench = (struct bench){ 0 };
	if (!policy_builtin(&bench->policy, &error))
		fail_msg("%s", error.message);
}

static inline void bench_close(struct bench *bench)
{
	policy_free(&bench->policy);
	arena_free(&bench->arena);
}

static inline void judge(struct bench *bench)
{
	policy_judge(&bench->policy, &bench->facts, &bench->arena, &bench->judgement);
	assert_int_equal(bench->judgement.findings.count, bench->policy.rules.count);
}

static inline const struct finding *finding_of(const struct bench *bench, const char *id)
{
	return find_finding(&bench->judgement, id);
}

static inline void expect(const struct bench *bench, const char *id, enum verdict verdict, const char *reason)
{
	const struct finding *finding = finding_of(bench, id);
	if (finding->verdict != verdict || !str_equal(finding->reason, reason))
		fail_msg("%s: %s: %s\n  expected %s: %s", id, verdict_names[finding->verdict],
		         finding->reason, verdict_names[verdict], reason);
	assert_string_equal(finding->how, "read");
	assert_non_null(finding->found);
	assert_true(finding->verdict == VERDICT_FAIL || finding->fix == NULL);
}

static inline void expect_fix(const struct bench *bench, const char *id, const char *fix)
{
	const struct finding *finding = finding_of(bench, id);
	if (!str_equal(finding->fix, fix))
		fail_msg("%s: fix %s\n  expected %s", id, finding->fix ? finding->fix : "(none)", fix);
}

static inline void expect_found(const struct bench *bench, const char *id, const char *found,
                                bool by_equivalent)
{
	const struct finding *finding = finding_of(bench, id);
	assert_string_equal(finding->found, found);
	assert_int_equal(finding->by_equivalent, by_equivalent);
}

static inline struct kernel *add_kernel(struct bench *bench, const char *release, const char *config)
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

static inline struct kernel_module *add_module(struct bench *bench, const char *name, enum module_state state,
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
static inline void add_disk(struct bench *bench, const char *command_line)
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
	*LIST_ADD(&bench->arena, &facts->table.partitions) = (struct partition){
		.number = 1, .readable = true, .file_system = "vfat", .uuid = "1234-ABCD"
	};
	*LIST_ADD(&bench->arena, &facts->table.partitions) =
		(struct partition){ .number = 2, .readable = true, .file_system = "ext4", .uuid = ROOT_UUID };
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

static inline const char *golden(struct bench *bench, const char *name)
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
static inline void open_stock(struct bench *bench, const char *name, const char *release)
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

static inline void expect_no_failure_in(const struct bench *bench, const char *const *sections)
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

static const char whole_header[] = "# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_X86_64=y\n";

/* One rule, one kernel: a whole x86_64 configuration of a version with these lines. */
struct row {
	const char *version, *lines, *command_line, *id;
	enum verdict verdict;
	const char *reason;
};

static inline void check_row(const struct row *row, const char *arch)
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

static inline void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i], "X86_64");
}

static inline struct sysctl *add_sysctl(struct bench *bench, const char *key, const char *value,
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
