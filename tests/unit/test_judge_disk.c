// What is to be done for a disk whose size or partition table is wrong.
#include "judge_bench.h"

#define COPY_AGAIN(gib)                                                                                      \
	"copy the image again, or build it anew: it was cut, and its partitions need a disk of " gib " GiB"
#define MOVE_BACKUP "sgdisk --move-second-header disk.raw"

static void no_tool_mends_a_cut_disk(void **state)
{
	(void)state;
	static const struct {
		const char *kind;
		uint64_t last, size; /* bytes: where the second partition ends, and the disk */
		const char *of_table, *of_size;
	} rows[] = {
		{ "gpt", 3000000000, 2000000000, COPY_AGAIN("3"), COPY_AGAIN("3") },
		{ "mbr", 3000000000, 2000000000, COPY_AGAIN("3"), COPY_AGAIN("3") },
		/* The backup GPT has no room any more. */
		{ "gpt", 3221225472, 3221225471, COPY_AGAIN("4"), COPY_AGAIN("4") },
		/* The partitions are whole, and the disk may grow again. */
		{ "gpt", 1073741824, 1073741825, "truncate -s 2G disk.raw && " MOVE_BACKUP,
		  "truncate -s 2G disk.raw && " MOVE_BACKUP },
		{ "gpt", 3000000000, 3221225471, "truncate -s 3G disk.raw && " MOVE_BACKUP,
		  "truncate -s 3G disk.raw && " MOVE_BACKUP },
		{ "mbr", 1000, 2000000000,
		  "correct the partitions with fdisk disk.raw, or build the image again",
		  "truncate -s 2G disk.raw" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench bench;
		open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
		struct partition_table *table = &bench.facts.table;
		table->kind = rows[i].kind;
		table->backup_sound = ANSWER_NO;
		*LIST_ADD(&bench.arena, &table->problems) = (struct problem){ .message = "it was cut" };
		table->partitions.items[1].size = rows[i].last;
		table->partitions.items[1].readable = rows[i].last <= rows[i].size;
		bench.facts.size = rows[i].size;
		judge(&bench);
		expect_fix(&bench, "image.partition-table", rows[i].of_table);
		expect_fix(&bench, "image.whole-gib", rows[i].of_size);
		assert_non_null(finding_of(&bench, "image.partition-table")->why);
		if (rows[i].last > rows[i].size)
			assert_non_null(strstr(finding_of(&bench, "image.partition-table")->reason,
			                       "before its partition 2 does"));
		bench_close(&bench);
	}
}

static void mends_each_table_in_its_way(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	struct partition_table *table = &bench.facts.table;
	table->protective_mbr = ANSWER_NO;
	judge(&bench);
	expect_fix(&bench, "image.partition-table",
	           "dd if=/dev/zero of=disk.raw bs=1 seek=510 count=2 conv=notrunc && " MOVE_BACKUP);
	table->protective_mbr = ANSWER_YES;
	*LIST_ADD(&bench.arena, &table->problems) = (struct problem){ .code = "gpt-partition-overlap" };
	table->partitions.items[1].readable = false;
	judge(&bench);
	expect_fix(&bench, "image.partition-table",
	           "correct the partitions with gdisk disk.raw, or build the image again");
	table->primary_sound = table->backup_sound = ANSWER_NO;
	table->partitions.count = 0;
	judge(&bench);
	expect_fix(&bench, "image.partition-table", "build the image again: neither copy of its GPT is left");
	assert_null(finding_of(&bench, "image.partition-table")->why);

	/* A table that is written over a file system destroys it. */
	table->kind = "none";
	judge(&bench);
	expect_fix(&bench, "image.partition-table",
	           "make the disk anew with a partition table, as in: sfdisk disk.raw");
	table->partitions.count = 1;
	table->partitions.items[0].file_system = "ext4";
	judge(&bench);
	expect_fix(
		&bench, "image.partition-table",
		"make another disk with a partition table, and copy this file system into a partition of it: "
		"a table that is written here destroys it");
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_tool_mends_a_cut_disk),
		cmocka_unit_test(mends_each_table_in_its_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
