// Modules: what the lists say, what they need, and what the initramfs carries of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memory_fs.h"
#include "os/kernel.h"
#include "tools.h"

#define VERSION "6.1.0-50-cloud-amd64"
#define FOLDER  "/usr/lib/modules/" VERSION "/"

/* Lines of Debian 12's lists. */
#define BUILTIN "kernel/fs/ext4/ext4.ko\nkernel/drivers/nvme/host/nvme-core.ko\nkernel/lib/crc16.ko\n"
#define DEP                                                                                                  \
	"kernel/drivers/scsi/scsi_mod.ko: kernel/drivers/scsi/scsi_common.ko\n"                              \
	"kernel/drivers/scsi/scsi_common.ko:\n"                                                              \
	"kernel/drivers/scsi/virtio_scsi.ko: kernel/drivers/scsi/scsi_mod.ko "                               \
	"kernel/drivers/scsi/scsi_common.ko kernel/drivers/virtio/virtio.ko "                                \
	"kernel/drivers/virtio/virtio_ring.ko kernel/lib/crc16.ko\n"                                         \
	"kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko\n"                            \
	"kernel/drivers/virtio/virtio.ko:\n"                                                                 \
	"kernel/lib/crc-itu-t.ko.xz:\n"                                                                      \
	"kernel/drivers/ghost.ko:\n"

static const char *const carried_all[] = { "scsi_mod", "scsi_common", "virtio_scsi", "virtio",
	                                   "virtio_ring" };

static void add_lists(struct memory_fs *files)
{
	memory_file(files, FOLDER "modules.builtin", BUILTIN);
	memory_file(files, FOLDER "modules.dep", DEP);
	memory_file(files, FOLDER "kernel/drivers/scsi/virtio_scsi.ko", "module");
	memory_file(files, FOLDER "kernel/drivers/scsi/scsi_mod.ko", "module");
	memory_file(files, FOLDER "kernel/lib/crc-itu-t.ko.xz", "module");
}

static void add(struct text *archive, const char *name, uint32_t mode, const char *content)
{
	text_printf(archive, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1U, mode, 0U, 0U,
	            1U, 0U, (unsigned)strlen(content), 8U, 1U, 0U, 0U, (unsigned)strlen(name) + 1, 0U);
	text_add(archive, name);
	do
		text_add_char(archive, '\0');
	while (archive->size % 4 != 0);
	text_add(archive, content);
	while (archive->size % 4 != 0)
		text_add_char(archive, '\0');
}

/* An archive with these modules of one version, below `parent`. */
static struct span archive_of(const char *parent, const char *version, const char *const *names, size_t count,
                              struct arena *arena)
{
	struct text archive = { 0 };
	add(&archive, "init", 0100755, "#!/bin/sh\n");
	for (size_t i = 0; i < count; i++)
		add(&archive, arena_printf(arena, "%s/%s/kernel/x/%s.ko", parent, version, names[i]), 0100644,
		    "module");
	add(&archive, "TRAILER!!!", 0, "");
	struct span copy = joined(span_of(archive.data, archive.size), (struct span){ 0 }, arena);
	text_free(&archive);
	return copy;
}

static struct kernel find(struct memory_fs *files, const char *wanted, struct span initramfs, bool everything,
                          struct arena *arena)
{
	struct tree tree = memory_tree(files);
	struct names names = { &wanted, 1 };
	struct reader reader = reader_of_span(&initramfs);
	struct budget budget = budget_default();
	struct kernel kernel = { .version = VERSION, .entry = 1 };
	struct module_question question = { .wanted = names, .early = names, .everything = everything };
	kernel_modules_find(&tree, &question, initramfs.size ? &reader : NULL, &budget, arena, &kernel);
	assert_int_equal(kernel.modules.count, 1);
	return kernel;
}

static struct kernel_module find_module(struct memory_fs *files, const char *wanted, struct span initramfs,
                                        struct arena *arena)
{
	return find(files, wanted, initramfs, false, arena).modules.items[0];
}

static void tells_built_in_from_file_from_absent(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	struct kernel_module module;
	add_lists(&files);

	module = find_module(&files, "ext4", (struct span){ 0 }, &arena);
	assert_int_equal(module.state, MODULE_BUILTIN);
	assert_string_equal(module.place.path, FOLDER "modules.builtin");
	assert_int_equal(module.place.line, 1);
	assert_string_equal(module.place.text, "kernel/fs/ext4/ext4.ko");
	assert_int_equal(module.in_initramfs, ANSWER_UNKNOWN);

	module = find_module(&files, "virtio_scsi", (struct span){ 0 }, &arena);
	assert_int_equal(module.state, MODULE_FILE);
	assert_string_equal(module.place.path, FOLDER "modules.dep");
	assert_int_equal(module.place.line, 3);
	assert_string_equal(module.file, "kernel/drivers/scsi/virtio_scsi.ko");
	assert_string_equal(module.needs, "scsi_mod scsi_common virtio virtio_ring");

	module = find_module(&files, "btrfs", (struct span){ 0 }, &arena);
	assert_int_equal(module.state, MODULE_ABSENT);
	assert_null(module.file);

	/* modules.dep names it, but the file is gone, or is empty */
	module = find_module(&files, "ghost", (struct span){ 0 }, &arena);
	assert_int_equal(module.state, MODULE_ABSENT);
	assert_int_equal(module.place.line, 7);
	memory_file(&files, FOLDER "kernel/drivers/ghost.ko", "");
	assert_int_equal(find_module(&files, "ghost", (struct span){ 0 }, &arena).state, MODULE_ABSENT);
	memory_free(&files);
	arena_free(&arena);
}

static void takes_dashes_for_underscores(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	add_lists(&files);
	static const char *const names[] = { "crc-itu-t", "crc_itu_t", "crc_itu-t" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *const carried[] = { "crc_itu_t" };
		struct span initramfs = archive_of("lib/modules", VERSION, carried, 1, &arena);
		struct kernel_module module = find_module(&files, names[i], initramfs, &arena);
		assert_string_equal(module.name, "crc_itu_t");
		assert_int_equal(module.state, MODULE_FILE);
		assert_int_equal(module.in_initramfs, ANSWER_YES);
	}
	assert_int_equal(find_module(&files, "nvme_core", (struct span){ 0 }, &arena).state, MODULE_BUILTIN);
	assert_int_equal(find_module(&files, "crc_itu", (struct span){ 0 }, &arena).state, MODULE_ABSENT);
	memory_free(&files);
	arena_free(&arena);
}

static void is_unknown_without_both_lists(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	struct kernel kernel = find(&files, "virtio_scsi", (struct span){ 0 }, false, &arena);
	assert_int_equal(kernel.has_modules_dep, ANSWER_NO);
	assert_null(kernel.modules_directory);
	assert_int_equal(kernel.modules.items[0].state, MODULE_UNKNOWN);

	memory_file(&files, "/lib/modules/" VERSION "/modules.builtin", BUILTIN);
	kernel = find(&files, "virtio_scsi", (struct span){ 0 }, false, &arena);
	assert_int_equal(kernel.has_modules_dep, ANSWER_NO);
	assert_string_equal(kernel.modules_directory, "/lib/modules/" VERSION);
	assert_int_equal(kernel.modules.items[0].state, MODULE_UNKNOWN);
	assert_int_equal(find_module(&files, "ext4", (struct span){ 0 }, &arena).state, MODULE_BUILTIN);

	memory_free(&files);
	memory_file(&files, FOLDER "modules.dep", DEP);
	kernel = find(&files, "btrfs", (struct span){ 0 }, false, &arena);
	assert_int_equal(kernel.has_modules_dep, ANSWER_YES);
	assert_int_equal(kernel.modules.items[0].state, MODULE_UNKNOWN);
	assert_int_equal(find_module(&files, "ghost", (struct span){ 0 }, &arena).state, MODULE_UNKNOWN);
	memory_free(&files);
	arena_free(&arena);
}

static void proves_a_module_with_all_that_it_needs(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	add_lists(&files);
	static const char *const parents[] = { "usr/lib/modules", "lib/modules", "./usr/lib/modules",
		                               "/lib/modules" };
	for (size_t i = 0; i < ARRAY_SIZE(parents); i++) {
		struct span initramfs = archive_of(parents[i], VERSION, carried_all, 5, &arena);
		struct kernel kernel = find(&files, "virtio_scsi", initramfs, false, &arena);
		assert_int_equal(kernel.modules.items[0].in_initramfs, ANSWER_YES);
		assert_string_equal(kernel.modules.items[0].missing, "");
		assert_int_equal(kernel.initramfs_read, ANSWER_YES);
		assert_string_equal(kernel.initramfs_compression, "none");
	}
	/* each of them left out in turn */
	for (size_t left_out = 0; left_out < 5; left_out++) {
		const char *names[4];
		for (size_t i = 0, count = 0; i < 5; i++)
			if (i != left_out)
				names[count++] = carried_all[i];
		struct span initramfs = archive_of("usr/lib/modules", VERSION, names, 4, &arena);
		struct kernel_module module = find_module(&files, "virtio_scsi", initramfs, &arena);
		assert_int_equal(module.in_initramfs, ANSWER_NO);
		assert_string_equal(module.missing, carried_all[left_out]);
	}
	memory_free(&files);
	arena_free(&arena);
}

static void modules_of_another_version_do_not_count(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	add_lists(&files);
	struct span initramfs = archive_of("usr/lib/modules", "6.1.0-49-cloud-amd64", carried_all, 5, &arena);
	struct kernel kernel = find(&files, "virtio_scsi", initramfs, false, &arena);
	assert_int_equal(kernel.modules.items[0].in_initramfs, ANSWER_NO);
	assert_string_equal(kernel.modules.items[0].missing,
	                    "virtio_scsi scsi_mod scsi_common virtio virtio_ring");
	assert_string_equal(kernel.initramfs_other_versions, "6.1.0-49-cloud-amd64");
	/* nor does a folder or a file elsewhere */
	initramfs = archive_of("usr/share/modules", VERSION, carried_all, 5, &arena);
	assert_int_equal(find_module(&files, "virtio_scsi", initramfs, &arena).in_initramfs, ANSWER_NO);
	memory_free(&files);
	arena_free(&arena);
}

static void no_initramfs_carries_nothing(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	add_lists(&files);
	struct kernel kernel = find(&files, "virtio_scsi", (struct span){ 0 }, false, &arena);
	assert_int_equal(kernel.modules.items[0].in_initramfs, ANSWER_NO);
	assert_int_equal(kernel.initramfs_read, ANSWER_UNKNOWN);

	/* Where no entry is known, or the kernel has one inside, or it could not be opened, nothing is. */
	static struct config_symbol source = { .symbol = "INITRAMFS_SOURCE", .value = "/usr/src/initramfs" };
	const struct kernel cases[] = {
		{ .version = VERSION },
		{ .version = VERSION, .entry = 1, .initramfs = { .path = "/boot/initrd.img" } },
		{ .version = VERSION, .entry = 1, .config = { .symbols = { &source, 1, 1 } } },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *wanted = "virtio_scsi";
		struct tree tree = memory_tree(&files);
		struct names names = { &wanted, 1 };
		struct budget budget = budget_default();
		kernel = cases[i];
		struct module_question question = { .wanted = names, .early = names };
		kernel_modules_find(&tree, &question, NULL, &budget, &arena, &kernel);
		assert_int_equal(kernel.modules.items[0].in_initramfs, ANSWER_UNKNOWN);
	}
	memory_free(&files);
	arena_free(&arena);
}

static void a_damaged_initramfs_proves_what_it_gave(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	add_lists(&files);
	struct span whole = archive_of("usr/lib/modules", VERSION, carried_all, 5, &arena);
	struct span junk = joined(archive_of("usr/lib/modules", VERSION, carried_all, 3, &arena),
	                          span_text("junk"), &arena);
	struct kernel kernel = find(&files, "virtio_scsi", junk, false, &arena);
	assert_int_equal(kernel.initramfs_read, ANSWER_NO);
	assert_non_null(strstr(kernel.initramfs_reason, "offset"));
	assert_int_equal(kernel.modules.items[0].in_initramfs, ANSWER_UNKNOWN);
	assert_string_equal(kernel.modules.items[0].missing, "");
	/* all was there before the damage */
	kernel = find(&files, "virtio_scsi", joined(whole, span_text("junk"), &arena), true, &arena);
	assert_int_equal(kernel.initramfs_read, ANSWER_NO);
	assert_int_equal(kernel.modules.items[0].in_initramfs, ANSWER_YES);
	memory_free(&files);
	arena_free(&arena);
}

static void stops_unpacking_once_all_is_proved(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	add_lists(&files);
	struct span modules = archive_of("usr/lib/modules", VERSION, carried_all, 5, &arena);
	struct text rest = { 0 };
	char *content = arena_alloc(&arena, 400001);
	memset(content, 'c', 400000);
	add(&rest, "usr/bin/busybox", 0100755, content);
	add(&rest, "usr/lib/modules/" VERSION "/kernel/other.ko", 0100644, "module");
	struct span packed = tool_filter(COMMAND("zstd"), span_of(rest.data, rest.size), &arena);
	/* Debian 13's shape: the compression behind the plain archive is named, its damage never met. */
	struct span file = joined(modules, span_of(packed.data, packed.size - 5), &arena);
	struct kernel kernel = find(&files, "virtio_scsi", file, false, &arena);
	assert_int_equal(kernel.initramfs_read, ANSWER_YES);
	assert_string_equal(kernel.initramfs_compression, "none zstd");
	assert_int_equal(kernel.modules.items[0].in_initramfs, ANSWER_YES);
	kernel = find(&files, "virtio_scsi", file, true, &arena);
	assert_int_equal(kernel.initramfs_read, ANSWER_NO);

	kernel = find(&files, "virtio_scsi", joined(modules, packed, &arena), true, &arena);
	assert_int_equal(kernel.initramfs_read, ANSWER_YES);
	assert_string_equal(kernel.initramfs_modules,
	                    "scsi_mod scsi_common virtio_scsi virtio virtio_ring other");
	text_free(&rest);
	memory_free(&files);
	arena_free(&arena);
}

static void unpacks_nothing_for_what_may_come_later(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	struct budget budget = budget_default();
	add_lists(&files);
	struct tree tree = memory_tree(&files);
	struct span modules = archive_of("usr/lib/modules", VERSION, carried_all, 5, &arena);
	char *content = arena_alloc(&arena, 400001);
	memset(content, 'c', 400000);
	struct text rest = { 0 };
	add(&rest, "usr/bin/busybox", 0100755, content);
	struct span packed = tool_filter(COMMAND("zstd"), span_of(rest.data, rest.size), &arena);
	text_free(&rest);
	/* Whoever unpacks what follows meets its damage. */
	struct span file = joined(modules, span_of(packed.data, packed.size - 5), &arena);
	struct reader reader = reader_of_span(&file);
	const char *wanted[] = { "virtio_scsi", "crc_itu_t" };
	struct module_question question = { .wanted = { wanted, 2 }, .early = { wanted, 1 } };
	struct kernel kernel = { .version = VERSION };
	kernel_modules_find(&tree, &question, &reader, &budget, &arena, &kernel);
	assert_int_equal(kernel.initramfs_read, ANSWER_YES);
	assert_int_equal(kernel.modules.items[0].in_initramfs, ANSWER_YES);
	assert_int_equal(kernel.modules.items[1].in_initramfs, ANSWER_UNKNOWN);

	question.early = (struct names){ wanted, 2 };
	kernel = (struct kernel){ .version = VERSION };
	kernel_modules_find(&tree, &question, &reader, &budget, &arena, &kernel);
	assert_int_equal(kernel.initramfs_read, ANSWER_NO);
	memory_free(&files);
	arena_free(&arena);
}

static void empty_files_and_folders_are_not_carried(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	struct text archive = { 0 };
	add_lists(&files);
	add(&archive, "lib/modules/" VERSION "/kernel/lib/crc-itu-t.ko.xz", 0100644, "");
	add(&archive, "lib/modules/" VERSION "/kernel/lib/crc-itu-t.ko", 0040755, "");
	add(&archive, "lib/modules/" VERSION "/kernel/lib/crc-itu-t.ko.txt", 0100644, "module");
	add(&archive, "lib/modules/crc-itu-t.ko", 0100644, "module");
	add(&archive, "TRAILER!!!", 0, "");
	struct span initramfs = span_of(archive.data, archive.size);
	assert_int_equal(find_module(&files, "crc_itu_t", initramfs, &arena).in_initramfs, ANSWER_NO);
	text_free(&archive);
	memory_free(&files);
	arena_free(&arena);
}

static void survives_crafted_lists(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	/* two that need each other, one that needs itself, one that needs what no line tells of */
	memory_file(&files, FOLDER "modules.builtin", ":\n\n kernel\n.ko\n/.ko: /\n");
	memory_file(&files, FOLDER "modules.dep",
	            "a.ko: b.ko\nb.ko: a.ko\nc.ko: c.ko\nd.ko: e.ko\nf.ko: nothing\n::\n.ko: .ko\n");
	for (const char *name = "a.ko\0b.ko\0c.ko\0d.ko\0f.ko\0"; *name; name += 5)
		memory_file(&files, arena_printf(&arena, FOLDER "%s", name), "module");
	const char *const all[] = { "a", "b", "c", "d", "e", "f" };
	struct span initramfs = archive_of("lib/modules", VERSION, all, 6, &arena);
	static const struct {
		const char *name;
		const char *needs;
		enum answer carried;
	} cases[] = {
		{ "a", "b", ANSWER_YES },     { "b", "a", ANSWER_YES },    { "c", "", ANSWER_YES },
		{ "d", "e", ANSWER_UNKNOWN }, { "f", "", ANSWER_UNKNOWN },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kernel_module module = find_module(&files, cases[i].name, initramfs, &arena);
		assert_int_equal(module.state, MODULE_FILE);
		assert_string_equal(module.needs, cases[i].needs);
		assert_int_equal(module.in_initramfs, cases[i].carried);
	}
	memory_free(&files);

	/* a chain of thousands */
	struct text chain = { 0 };
	for (int i = 0; i < 5000; i++)
		text_printf(&chain, "m%d.ko: m%d.ko\n", i, i + 1);
	memory_file(&files, FOLDER "modules.dep", text_get(&chain));
	memory_file(&files, FOLDER "m0.ko", "module");
	struct kernel_module module = find_module(&files, "m0", initramfs, &arena);
	assert_int_equal(module.state, MODULE_FILE);
	assert_int_equal(module.in_initramfs, ANSWER_NO);
	text_free(&chain);
	memory_free(&files);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_built_in_from_file_from_absent),
		cmocka_unit_test(takes_dashes_for_underscores),
		cmocka_unit_test(is_unknown_without_both_lists),
		cmocka_unit_test(proves_a_module_with_all_that_it_needs),
		cmocka_unit_test(modules_of_another_version_do_not_count),
		cmocka_unit_test(no_initramfs_carries_nothing),
		cmocka_unit_test(a_damaged_initramfs_proves_what_it_gave),
		cmocka_unit_test(stops_unpacking_once_all_is_proved),
		cmocka_unit_test(unpacks_nothing_for_what_may_come_later),
		cmocka_unit_test(empty_files_and_folders_are_not_carried),
		cmocka_unit_test(survives_crafted_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
