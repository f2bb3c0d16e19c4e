// Directories of the host as file systems, made by a shell: what they hold is read, what lies outside is not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "fs/hostdir.h"
#include "fs/tree.h"
#include "tools.h"

struct bench {
	struct arena arena;
	struct budget budget;
	struct filesystem fs;
	struct tree tree;
	char folder[64];
	int descriptor;
};

static void sh(const struct bench *bench, const char *script)
{
	struct arena arena = { 0 };
	char *text = arena_printf(&arena, "set -eu; cd %s; umask 022; %s", bench->folder, script);
	tool_filter(COMMAND("sh", "-c", text), (struct span){ 0 }, &arena);
	arena_free(&arena);
}

static void bench_make(struct bench *bench, const char *script)
{
	struct error error = { 0 };
	*bench = (struct bench){ .budget = budget_default(), .folder = "/tmp/test-hostdir-XXXXXX" };
	assert_non_null(mkdtemp(bench->folder));
	sh(bench, "mkdir root; echo secret > outside");
	sh(bench, script);
	char *root = arena_printf(&bench->arena, "%s/root", bench->folder);
	bench->descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(bench->descriptor >= 0);
	assert_true(hostdir_open(bench->descriptor, &bench->budget, &bench->arena, &bench->fs, &error));
	bench->tree = tree_of(&bench->fs);
}

static void bench_free(struct bench *bench)
{
	fs_close(&bench->fs);
	close(bench->descriptor);
	sh(bench, "chmod -R u+rwx .; rm -rf root outside");
	assert_int_equal(rmdir(bench->folder), 0);
	arena_free(&bench->arena);
}

/* The text of a file, or the code of the error. */
static const char *load(struct bench *bench, const char *path)
{
	static const char *const codes[] = {
		[ERROR_CORRUPT] = "corrupt",   [ERROR_TRUNCATED] = "truncated",
		[ERROR_NOT_FOUND] = "nothing", [ERROR_UNSUPPORTED] = "unsupported",
		[ERROR_LIMIT] = "limit",       [ERROR_IO] = "refused",
	};
	struct error error = { 0 };
	struct span text;
	if (!tree_load(&bench->tree, path, 1 << 20, &bench->arena, &text, NULL, &error))
		return codes[error.code];
	return (const char *)text.data;
}

static enum node_type type_of(struct bench *bench, const char *path)
{
	struct tree_file file;
	struct error error = { 0 };
	if (!tree_lookup_link(&bench->tree, path, &file, &error))
		fail_msg("%s: %s", path, error.message);
	return file.node.type;
}

static void reads_files_and_follows_links_inside(void **state)
{
	(void)state;
	struct bench bench;
	bench_make(&bench,
	           "cd root; mkdir -p usr/lib/deep etc; echo text > usr/lib/deep/file; ln -s usr/lib lib;"
	           "ln -s /lib/deep/file etc/absolute; ln -s ../lib/deep/file etc/relative; : > empty;"
	           "mkfifo pipe; printf 'x\\377y' > \"$(printf 'not\\377utf8')\"; chmod 750 etc");
	assert_string_equal(load(&bench, "/usr/lib/deep/file"), "text\n");
	assert_string_equal(load(&bench, "/etc/absolute"), "text\n");
	assert_string_equal(load(&bench, "/etc/relative"), "text\n");
	assert_string_equal(load(&bench, "/empty"), "");
	assert_string_equal(load(&bench, "/not\377utf8"), "x\377y");
	assert_string_equal(load(&bench, "/usr/lib/deep/none"), "nothing");
	assert_string_equal(load(&bench, "/empty/below"), "nothing");
	assert_string_equal(load(&bench, "/usr"), "nothing");
	assert_int_equal(type_of(&bench, "/lib"), NODE_SYMLINK);
	assert_int_equal(type_of(&bench, "/etc"), NODE_DIRECTORY);
	assert_true(hostdir_use(&bench.fs)->bytes_read > 0);
	assert_int_equal(hostdir_use(&bench.fs)->denied, 0);

	struct names names;
	struct error error = { 0 };
	assert_true(tree_names(&bench.tree, "/", &bench.arena, &names, &error));
	assert_int_equal(names.count, 6);
	assert_string_equal(names.items[0], "empty");
	assert_string_equal(names.items[2], "lib");
	bench_free(&bench);
}

static void nothing_outside_is_reached(void **state)
{
	(void)state;
	struct bench bench;
	bench_make(&bench,
	           "cd root; mkdir etc; ln -s /etc/passwd passwd; ln -s ../outside up;"
	           "ln -s ../../../../../../../../etc/passwd etc/far; ln -s /proc/self/root/etc/passwd magic;"
	           "ln -s .. etc/parent; echo inside > etc/passwd; echo mine > outside");
	/* All of them are resolved in the root, where there is another passwd. */
	assert_string_equal(load(&bench, "/passwd"), "inside\n");
	assert_string_equal(load(&bench, "/etc/far"), "inside\n");
	assert_string_equal(load(&bench, "/up"), "mine\n");
	assert_string_equal(load(&bench, "/../outside"), "mine\n");
	assert_string_equal(load(&bench, "/etc/parent/../../outside"), "mine\n");
	assert_string_equal(load(&bench, "/magic"), "nothing");

	/* Not even where a directory turns into a link behind the driver's back. */
	struct tree_file file;
	struct error error = { 0 };
	uint8_t byte;
	sh(&bench, "cd root; mkdir turns; echo inside > turns/outside");
	assert_true(tree_lookup(&bench.tree, "/turns/outside", &file, &error));
	sh(&bench, "cd root; rm -r turns; ln -s ../.. turns");
	struct reader reader = node_reader(&file.node);
	assert_false(reader_read(&reader, 0, &byte, 1, &error));
	bench_free(&bench);
}

static void what_is_no_file_is_never_opened(void **state)
{
	(void)state;
	struct bench bench;
	bench_make(&bench, "cd root; mkfifo fifo; ln -s fifo to-fifo; ln -s loop loop; ln -s b a; ln -s a b;"
	                   "ln -s '' empty 2>/dev/null || :");
	/* Opening a FIFO to read it would wait for ever. */
	assert_string_equal(load(&bench, "/fifo"), "nothing");
	assert_string_equal(load(&bench, "/to-fifo"), "nothing");
	assert_int_equal(type_of(&bench, "/fifo"), NODE_OTHER);
	assert_string_equal(load(&bench, "/loop"), "corrupt");
	assert_string_equal(load(&bench, "/a"), "corrupt");
	bench_free(&bench);
}

static void a_file_that_changes_is_told(void **state)
{
	(void)state;
	struct bench bench;
	struct tree_file file;
	struct error error = { 0 };
	uint8_t bytes[8];
	bench_make(&bench, "cd root; echo 1234567 > shrinks; echo 1234567 > replaced; echo 1234567 > pipe");
	assert_true(tree_lookup(&bench.tree, "/shrinks", &file, &error));
	sh(&bench, "cd root; echo 1 > shrinks");
	struct reader reader = node_reader(&file.node);
	assert_false(reader_read(&reader, 0, bytes, 8, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	assert_string_equal(error.message, "it shrank while it was read");
	assert_string_equal(hostdir_use(&bench.fs)->first_failed, "/shrinks");
	assert_string_equal(hostdir_use(&bench.fs)->failure, error.message);

	assert_true(tree_lookup(&bench.tree, "/replaced", &file, &error));
	sh(&bench, "cd root; echo 7654321 > new; mv new replaced");
	assert_false(reader_read(&reader, 0, bytes, 8, &error));
	assert_string_equal(error.message, "it was replaced while the directory was read");

	assert_true(tree_lookup(&bench.tree, "/pipe", &file, &error));
	sh(&bench, "cd root; rm pipe; mkfifo pipe");
	assert_false(reader_read(&reader, 0, bytes, 8, &error));
	bench_free(&bench);
}

static void deep_and_wide_trees_take_no_descriptors(void **state)
{
	(void)state;
	struct bench bench;
	struct text path = { 0 };
	struct error error = { 0 };
	struct names names;
	bench_make(&bench, "cd root; d=$(printf 'd/%.0s' $(seq 300)); mkdir -p $d; echo deep > ${d}file;"
	                   "mkdir wide; cd wide; seq 3000 | xargs touch");
	for (int i = 0; i < 300; i++)
		text_add(&path, "/d");
	text_add(&path, "/file");
	int before = dup(0);
	close(before);
	assert_string_equal(load(&bench, text_get(&path)), "deep\n");
	assert_true(tree_names(&bench.tree, "/wide", &bench.arena, &names, &error));
	assert_int_equal(names.count, 3000);
	for (size_t i = 0; i < names.count; i++)
		assert_string_equal(load(&bench, arena_printf(&bench.arena, "/wide/%s", names.items[i])), "");
	int after = dup(0);
	close(after);
	assert_in_range(after, before, before + 8);
	text_free(&path);
	bench_free(&bench);
}

/* Root may read everything. */
static void what_may_not_be_read_is_remembered(void **state)
{
	(void)state;
	struct bench bench;
	struct names names;
	struct error error = { 0 };
	bench_make(&bench, "cd root; mkdir -p shut/in etc; echo x > shut/in/file; echo x > etc/shadow;"
	                   "echo x > etc/open; chmod 0 etc/shadow; chmod 0700 shut; chmod 755 .. .");
	uid_t root = geteuid();
	if (root == 0)
		assert_int_equal(seteuid(65534), 0);
	else
		sh(&bench, "chmod 0 root/shut");
	const char *shadow = load(&bench, "/etc/shadow"), *file = load(&bench, "/shut/in/file");
	const char *other = load(&bench, "/etc/open");
	bool listed = tree_names(&bench.tree, "/shut", &bench.arena, &names, &error);
	assert_int_equal(seteuid(root), 0);
	assert_string_equal(shadow, "refused");
	assert_string_equal(file, "refused");
	assert_string_equal(other, "x\n");
	assert_false(listed);
	assert_int_equal(hostdir_use(&bench.fs)->denied, 3);
	assert_string_equal(hostdir_use(&bench.fs)->first_denied, "/etc/shadow");
	bench_free(&bench);
}

/* This machine's own: the files of /proc and /sys are as long as what they hold. */
static void files_that_the_kernel_makes_up_are_measured(void **state)
{
	(void)state;
	struct bench bench = { .budget = budget_default() };
	struct error error = { 0 };
	struct utsname names;
	assert_int_equal(uname(&names), 0);
	bench.descriptor = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(hostdir_open(bench.descriptor, &bench.budget, &bench.arena, &bench.fs, &error));
	bench.tree = tree_of(&bench.fs);
	assert_string_equal(load(&bench, "/proc/sys/kernel/osrelease"), "");
	hostdir_of_machine(&bench.fs);
	assert_string_equal(load(&bench, "/proc/sys/kernel/osrelease"),
	                    arena_printf(&bench.arena, "%s\n", names.release));
	assert_true(strlen(load(&bench, "/proc/mounts")) > 0);
	assert_string_equal(load(&bench, "/dev/null"), "nothing");
	/* What may not be read is refused, not empty; some kernels give /proc/sysrq-trigger to nobody. */
	uid_t root = geteuid();
	assert_int_equal(root == 0 ? seteuid(65534) : 0, 0);
	const char *refused = load(&bench, "/proc/sysrq-trigger");
	assert_int_equal(seteuid(root), 0);
	assert_true(str_equal(refused, "refused") || str_equal(refused, "nothing"));
	fs_close(&bench.fs);
	close(bench.descriptor);
	arena_free(&bench.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_files_and_follows_links_inside),
		cmocka_unit_test(nothing_outside_is_reached),
		cmocka_unit_test(what_is_no_file_is_never_opened),
		cmocka_unit_test(a_file_that_changes_is_told),
		cmocka_unit_test(deep_and_wide_trees_take_no_descriptors),
		cmocka_unit_test(what_may_not_be_read_is_remembered),
		cmocka_unit_test(files_that_the_kernel_makes_up_are_measured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
