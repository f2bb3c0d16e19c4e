#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "facts/facts.h"
#include "images.h"

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
	assert_string_equal(bench.facts.reason,
	                    "partitions 1 and 2 both hold a system, and no root= decides between them");
	assert_int_equal(bench.facts.kernels.count, 0);
	arena_free(&bench.arena);
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
