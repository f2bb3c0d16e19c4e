// Root file systems in tar archives, made by GNU tar: what it would unpack is what is seen.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fs/tarfs.h"
#include "fs/tree.h"
#include "images.h"

struct bench {
	struct arena arena;
	struct budget budget;
	struct span bytes;
	struct reader reader;
	struct tar_archive archive;
	struct filesystem fs;
	struct tree tree;
};

static bool bench_open(struct bench *bench, const char *script, struct error *error)
{
	*bench = (struct bench){ .budget = budget_default() };
	bench->bytes = image_script(script, &bench->arena);
	bench->reader = reader_of_span(&bench->bytes);
	assert_true(tar_read(&bench->reader, &bench->budget, &bench->arena, &bench->archive, error));
	return tarfs_open(&bench->archive, &bench->budget, &bench->arena, &bench->fs, error);
}

static void bench_make(struct bench *bench, const char *script)
{
	struct error error = { 0 };
	assert_true(bench_open(bench, script, &error));
	bench->tree = tree_of(&bench->fs);
}

static void bench_free(struct bench *bench)
{
	fs_close(&bench->fs);
	arena_free(&bench->arena);
}

/* "" for what is not there. */
static const char *load(struct bench *bench, const char *path)
{
	struct error error = { 0 };
	struct span text;
	if (!tree_load(&bench->tree, path, 1 << 20, &bench->arena, &text, NULL, &error))
		return "";
	return (const char *)text.data;
}

/* Looking for the path fails with this code; what it says is borrowed until the next one. */
static const char *fails(const struct bench *bench, const char *path, enum error_code code)
{
	static struct error error;
	struct tree_file file;
	error_clear(&error);
	assert_false(tree_lookup(&bench->tree, path, &file, &error));
	assert_int_equal(error.code, code);
	return error.message;
}

static void reads_members_links_and_made_up_folders(void **state)
{
	(void)state;
	struct bench bench;
	struct tree_file file;
	struct error error = { 0 };
	bench_make(&bench,
	           "mkdir -p a/b; echo one > a/b/file; ln a/b/file hard; ln -s b/file a/soft; mkfifo pipe;"
	           "truncate -s 9000 sparse; echo end >> sparse; chmod 4711 a/b/file;"
	           "tar -S --no-recursion -cf image ./a/b/file ./hard a/soft ./pipe sparse");
	assert_string_equal(load(&bench, "/a/b/file"), "one\n");
	assert_string_equal(load(&bench, "/hard"), "one\n");
	assert_string_equal(load(&bench, "/a/soft"), "one\n");
	assert_memory_equal(load(&bench, "/sparse") + 8999, "\0end\n", 5);
	assert_true(tree_lookup(&bench.tree, "/a/b/file", &file, &error));
	assert_int_equal(file.node.mode, 04711);
	assert_true(tree_lookup(&bench.tree, "/pipe", &file, &error));
	assert_int_equal(file.node.type, NODE_OTHER);
	assert_true(tree_lookup(&bench.tree, "/a/b", &file, &error));
	assert_int_equal(file.node.type, NODE_DIRECTORY);
	assert_int_equal(bench.fs.problems.count, 0);
	bench_free(&bench);
}

static void later_members_win_and_hard_links_keep(void **state)
{
	(void)state;
	struct bench bench;
	struct names names;
	struct error error = { 0 };
	bench_make(&bench,
	           "mkdir etc; echo old > etc/file; ln etc/file etc/kept; tar -cf image etc; rm etc/file;"
	           "echo new > etc/file; tar -rf image etc/file");
	assert_string_equal(load(&bench, "/etc/file"), "new\n");
	assert_string_equal(load(&bench, "/etc/kept"), "old\n");
	assert_true(tree_names(&bench.tree, "/etc", &bench.arena, &names, &error));
	assert_int_equal(names.count, 2);
	bench_free(&bench);
}

static void members_go_through_links_to_folders(void **state)
{
	(void)state;
	struct bench bench;
	bench_make(&bench,
	           "mkdir -p usr/lib real/lib; ln -s usr/lib lib; ln -s loop loop; echo x > real/lib/file;"
	           "tar -cf image usr lib loop;"
	           "tar -rf image --transform 's,^real/,,' real/lib/file;"
	           "tar -rf image --transform 's,^real/lib,loop,' real/lib/file");
	assert_string_equal(load(&bench, "/usr/lib/file"), "x\n");
	assert_string_equal(load(&bench, "/lib/file"), "x\n");
	assert_int_equal(bench.fs.problems.count, 1);
	assert_string_equal(bench.fs.problems.items[0].code, "tar-member");
	assert_string_equal(
		bench.fs.problems.items[0].message,
		"loop/file in the archive is left out: loop: its parent is a loop of symbolic links");
	bench_free(&bench);
}

static void what_leads_out_is_left_out(void **state)
{
	(void)state;
	struct bench bench;
	struct names names;
	struct error error = { 0 };
	bench_make(&bench, "echo x > file; mkdir dir; echo y > dir/in;"
	                   "tar -P -cf image --transform 's,^,../,' file;"
	                   "tar -P -rf image --transform 's,^,a/../../,' file; tar -P -rf image --transform "
	                   "'s,^,/,' file;"
	                   "tar -rf image dir; tar -rf image --transform 's,file,dir,' file;"
	                   "tar -rf image --transform 's,file,file/below,' file");
	assert_true(tree_names(&bench.tree, "/", &bench.arena, &names, &error));
	assert_int_equal(names.count, 2);
	assert_string_equal(load(&bench, "/file"), "x\n");
	assert_string_equal(load(&bench, "/dir/in"), "y\n");
	assert_int_equal(bench.fs.problems.count, 4);
	assert_non_null(strstr(bench.fs.problems.items[0].message,
	                       "../file in the archive is left out: its path goes up"));
	assert_non_null(strstr(bench.fs.problems.items[2].message, "it is a directory already"));
	assert_non_null(strstr(bench.fs.problems.items[3].message, "its parent is no directory"));
	bench_free(&bench);
}

static bool count_name(void *context, const char *name)
{
	(void)name;
	++*(size_t *)context;
	return true;
}

/* Opens the first `size` bytes of the image anew: with what is cut of it, an archive has a gap. */
static void bench_cut(struct bench *bench, size_t size)
{
	struct error error = { 0 };
	bench->bytes.size = size;
	bench->reader = reader_of_span(&bench->bytes);
	bool whole = tar_read(&bench->reader, &bench->budget, &bench->arena, &bench->archive, &error);
	assert_int_equal(whole, !bench->archive.damage);
	assert_true(tarfs_open(&bench->archive, &bench->budget, &bench->arena, &bench->fs, &error));
	bench->tree = tree_of(&bench->fs);
}

static void expect_gap(struct bench *bench, const char *why)
{
	struct tree_file file;
	struct names names;
	struct error error = { 0 };
	size_t count = 0;
	assert_string_equal(tarfs_gap(&bench->archive, &bench->arena), why);
	assert_string_equal(load(bench, "/etc/a"), "one\n");
	assert_non_null(strstr(fails(bench, "/etc/absent", ERROR_TRUNCATED), why));
	assert_false(tree_names(&bench->tree, "/no/such/folder", &bench->arena, &names, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	assert_true(tree_lookup(&bench->tree, "/etc", &file, &error));
	error_clear(&error);
	assert_false(bench->fs.driver->list(&file.node, count_name, &count, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	assert_string_equal(error.message, why);
	assert_int_equal(count, 2);
}

static void what_may_be_behind_a_gap_is_not_missing(void **state)
{
	(void)state;
	struct bench bench;
	struct error error = { 0 };
	bench_make(&bench, "mkdir etc; echo one > etc/a; echo two > etc/b; tar -cf image etc/a etc/b");
	assert_null(tarfs_gap(&bench.archive, &bench.arena));
	fails(&bench, "/etc/absent", ERROR_NOT_FOUND);

	bench_cut(&bench, 2048);
	expect_gap(&bench, "the tar archive ends at offset 2048 without its end mark: was it copied "
	                   "completely?");
	assert_string_equal(load(&bench, "/etc/b"), "two\n");
	bench_cut(&bench, 1536 + 3);
	expect_gap(&bench, "the tar archive ends at offset 1539, 1 bytes before its member etc/b does: was "
	                   "it copied completely?");
	assert_false(tree_load(&bench.tree, "/etc/b", 100, &bench.arena, &(struct span){ 0 }, NULL, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	bench_free(&bench);
}

static void damage_is_a_gap(void **state)
{
	(void)state;
	struct bench bench;
	bench_make(&bench, "mkdir etc; echo one > etc/a; echo two > etc/b; tar -cf image etc/a etc/b etc/a");
	((uint8_t *)(uintptr_t)bench.bytes.data)[2048] ^= 1;
	bench_cut(&bench, bench.bytes.size);
	expect_gap(&bench, "the tar header at offset 2048 is damaged: its checksum is wrong: what comes "
	                   "behind it is not examined");
	bench_free(&bench);
}

static void a_name_whose_content_is_elsewhere_is_not_missing(void **state)
{
	(void)state;
	struct bench bench;
	bench_make(&bench, "echo one > a; ln a b; ln a c; tar -cf image a b c; tar --delete -f image a;"
	                   "rm c; echo two > c; tar -rf image c");
	assert_string_equal(fails(&bench, "/b", ERROR_CORRUPT),
	                    "/b: it is left out: it is a hard link to a, which is not there");
	assert_string_equal(load(&bench, "/c"), "two\n");
	fails(&bench, "/a", ERROR_NOT_FOUND);
	assert_int_equal(bench.fs.problems.count, 2);
	assert_null(tarfs_gap(&bench.archive, &bench.arena));
	bench_free(&bench);
}

static void a_later_volume_has_a_gap(void **state)
{
	(void)state;
	struct bench bench;
	bench_make(&bench, "head -c 30000 /dev/zero > a; echo two > b;"
	                   "tar -M -L 20 -cf first -f image a b < /dev/null");
	assert_non_null(strstr(tarfs_gap(&bench.archive, &bench.arena), "one of several volumes"));
	assert_string_equal(load(&bench, "/b"), "two\n");
	assert_string_equal(fails(&bench, "/a", ERROR_CORRUPT),
	                    "/a: it is left out: its beginning is on another volume");
	fails(&bench, "/c", ERROR_TRUNCATED);
	bench_free(&bench);
}

static void many_members_cost_steps(void **state)
{
	(void)state;
	struct bench bench;
	struct names names;
	struct error error = { 0 };
	bench_make(&bench, "mkdir d; cd d; seq 20000 | xargs touch; cd ..; tar -cf image d");
	assert_true(tree_names(&bench.tree, "/d", &bench.arena, &names, &error));
	assert_int_equal(names.count, 20000);
	assert_true(budget_default().steps_left - bench.budget.steps_left < 300000);
	struct filesystem again;
	bench.budget.steps_left = 30000;
	assert_false(tarfs_open(&bench.archive, &bench.budget, &bench.arena, &again, &error));
	assert_int_equal(error.code, ERROR_LIMIT);
	bench_free(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_members_links_and_made_up_folders),
		cmocka_unit_test(later_members_win_and_hard_links_keep),
		cmocka_unit_test(members_go_through_links_to_folders),
		cmocka_unit_test(what_leads_out_is_left_out),
		cmocka_unit_test(what_may_be_behind_a_gap_is_not_missing),
		cmocka_unit_test(damage_is_a_gap),
		cmocka_unit_test(a_name_whose_content_is_elsewhere_is_not_missing),
		cmocka_unit_test(a_later_volume_has_a_gap),
		cmocka_unit_test(many_members_cost_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
