// What is gathered of a disk, and what stands for what is missing.

#include "gather_bench.h"

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

static void gather_script(struct bench *bench, const char *script)
{
	gather_bytes(bench, image_script(script, &bench->arena));
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

/* What a partition that ends behind the disk's end holds is not known, and not missing. */
static void a_cut_disk_is_not_fully_examined(void **state)
{
	(void)state;
	static const char *const tables[] = { "gpt", "dos" };
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct bench bench = { 0 };
		char script[256];
		snprintf(script, sizeof(script),
		         "truncate -s 8M image\n"
		         "printf 'label:%s\\n2048,2048\\n4096,8192\\n' | sfdisk -q image\n"
		         "truncate -s 4M image\n",
		         tables[i]);
		gather_script(&bench, script);
		assert_int_equal(bench.facts.examined, EXAMINED_PARTIAL);
		assert_string_equal(bench.facts.reason,
		                    "partition 2 cannot be read: the disk ends before the partition does: "
		                    "was it copied completely?");
		assert_null(bench.facts.table.partitions.items[0].unread);
		for (size_t j = 0; j < bench.facts.boot.paths.count; j++)
			if (str_equal(bench.facts.boot.paths.items[j].firmware, "uefi"))
				assert_int_equal(bench.facts.boot.paths.items[j].works, ANSWER_UNKNOWN);
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
		cmocka_unit_test(a_cut_disk_is_not_fully_examined),
		cmocka_unit_test(what_a_mount_covers_is_not_missing),
		cmocka_unit_test(what_can_no_longer_be_read_is_not_fully_examined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
