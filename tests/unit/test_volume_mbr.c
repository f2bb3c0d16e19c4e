// MBRs and their logical partitions, disks without a table, and what is not a table at all.
#include "volume_bench.h"

static void mbr_is_read(void **state)
{
	(void)state;
	struct image image = image_new(8 * MIB, 512);
	put_le(image.bytes + 440, 0x1234abcd, 4);
	put_mbr_entry(&image, 0, 0, 0x80, 0x83, 2048, 2048);
	put_mbr_entry(&image, 0, 1, 0, 0x05, 4096, 8192);
	put_mbr_entry(&image, 0, 3, 0, 0x82, 12288, 2048);
	/* Two logical partitions, each 2048 sectors behind its record. */
	put_mbr_entry(&image, 4096, 0, 0, 0x83, 1024, 1024);
	put_mbr_entry(&image, 4096, 1, 0, 0x05, 2048, 4096);
	put_mbr_entry(&image, 4096 + 2048, 0, 0, 0x8e, 1024, 1024);
	struct scanned scanned;
	scan(&image, &scanned);
	assert_sound(&scanned);
	assert_string_equal(scanned.table.kind, "mbr");
	assert_string_equal(scanned.table.disk_uuid, "0x1234abcd");
	assert_int_equal(scanned.table.protective_mbr, ANSWER_UNKNOWN);
	static const struct {
		uint64_t number, start, sectors;
		const char *type, *type_name, *uuid;
	} wanted[] = {
		{ 1, 2048, 2048, "0x83", "Linux", "1234abcd-01" },
		{ 2, 4096, 8192, "0x05", "Extended", "1234abcd-02" },
		{ 4, 12288, 2048, "0x82", "Linux swap / Solaris", "1234abcd-04" },
		{ 5, 5120, 1024, "0x83", "Linux", "1234abcd-05" },
		{ 6, 7168, 1024, "0x8e", "Linux LVM", "1234abcd-06" },
	};
	assert_int_equal(scanned.table.partitions.count, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const struct partition *got = &scanned.table.partitions.items[i];
		assert_int_equal(got->number, wanted[i].number);
		assert_int_equal(got->start, wanted[i].start * 512);
		assert_int_equal(got->size, wanted[i].sectors * 512);
		assert_string_equal(got->type, wanted[i].type);
		assert_string_equal(got->type_name, wanted[i].type_name);
		assert_string_equal(got->part_uuid, wanted[i].uuid);
		assert_int_equal(got->bootable, i == 0);
		assert_true(got->readable);
	}
	done(&image, &scanned);
}

static void mbr_damage_is_found(void **state)
{
	(void)state;
	struct image image = image_new(8 * MIB, 512);
	put_mbr_entry(&image, 0, 0, 0, 0x83, 2048, 4096);
	put_mbr_entry(&image, 0, 1, 0, 0x83, 4096, 1024);
	put_mbr_entry(&image, 0, 2, 0, 0x83, 16000, UINT32_MAX);
	put_mbr_entry(&image, 0, 3, 0, 0x0f, 8192, 1024);
	struct scanned scanned;
	scan(&image, &scanned);
	assert_problem(&scanned, "mbr-partition-overlap", 4096 * 512);
	assert_problem(&scanned, "mbr-partition-outside", 446 + 32);
	assert_problem(&scanned, "mbr-extended-damaged", 8192 * 512 + 510);
	assert_false(scanned.table.partitions.items[0].readable);
	assert_false(scanned.table.partitions.items[1].readable);
	assert_false(scanned.table.partitions.items[2].readable);
	assert_string_equal(scanned.table.partitions.items[2].unread,
	                    "the disk ends before the partition does: was it copied completely?");
	done(&image, &scanned);

	/* On the table itself, and past the end as well. */
	image = image_new(8 * MIB, 512);
	put_mbr_entry(&image, 0, 0, 0, 0x83, 0, 100);
	put_mbr_entry(&image, 0, 1, 0, 0x83, 0, UINT32_MAX);
	scan(&image, &scanned);
	assert_int_equal(scanned.table.problems.count, 2);
	assert_true(scanned.table.partitions.items[0].readable);
	assert_false(scanned.table.partitions.items[1].readable);
	done(&image, &scanned);
}

/* Of the third and the fourth entry of a record only what fits into the extended partition counts. */
static void garbage_in_extended_records_is_ignored(void **state)
{
	(void)state;
	struct image image = image_new(8 * MIB, 512);
	put_mbr_entry(&image, 0, 0, 0, 0x05, 2048, 4096);
	put_mbr_entry(&image, 2048, 0, 0, 0x83, 1, 10);
	put_mbr_entry(&image, 2048, 2, 0, 0x83, 100, 10);
	put_mbr_entry(&image, 2048, 3, 0, 0x83, 4000, 97);
	struct scanned scanned;
	scan(&image, &scanned);
	assert_sound(&scanned);
	assert_int_equal(scanned.table.partitions.count, 3);
	assert_int_equal(scanned.table.partitions.items[2].number, 6);
	assert_int_equal(scanned.table.partitions.items[2].start, 2148 * 512);
	done(&image, &scanned);
}

static void extended_loops_end(void **state)
{
	(void)state;
	/* A record that leads to itself, without partitions. */
	struct image image = image_new(8 * MIB, 512);
	put_mbr_entry(&image, 0, 0, 0, 0x05, 2048, 8192);
	put_mbr_entry(&image, 2048, 1, 0, 0x05, 0, 8192);
	struct scanned scanned;
	scan(&image, &scanned);
	assert_problem(&scanned, "mbr-extended-loop", 2048 * 512);
	assert_int_equal(scanned.table.partitions.count, 1);
	done(&image, &scanned);

	/* And one with a partition. */
	image = image_new(8 * MIB, 512);
	put_mbr_entry(&image, 0, 0, 0, 0x05, 2048, 8192);
	put_mbr_entry(&image, 2048, 0, 0, 0x83, 1, 10);
	put_mbr_entry(&image, 2048, 1, 0, 0x05, 0, 8192);
	scan(&image, &scanned);
	assert_problem(&scanned, "mbr-extended-loop", 2048 * 512);
	assert_int_equal(scanned.table.partitions.items[scanned.table.partitions.count - 1].number, 255);
	done(&image, &scanned);

	/* A link that leaves the disk. */
	image = image_new(8 * MIB, 512);
	put_mbr_entry(&image, 0, 0, 0, 0x05, 2048, 8192);
	put_mbr_entry(&image, 2048, 0, 0, 0x83, 1, 10);
	put_mbr_entry(&image, 2048, 1, 0, 0x05, UINT32_MAX, 1);
	scan(&image, &scanned);
	assert_problem(&scanned, "mbr-extended-outside", (UINT64_C(2048) + UINT32_MAX) * 512);
	assert_int_equal(scanned.table.partitions.count, 2);
	assert_null(scanned.table.unread);
	done(&image, &scanned);

	/* One to where the disk went on before it was cut: there may be more partitions. */
	image = image_new(8 * MIB, 512);
	put_mbr_entry(&image, 0, 0, 0, 0x05, 2048, 14000);
	put_mbr_entry(&image, 2048, 0, 0, 0x83, 1, 10);
	put_mbr_entry(&image, 2048, 1, 0, 0x05, 12000, 100);
	put_mbr_entry(&image, 14048, 0, 0, 0x83, 1, 10);
	image.size = 6 * MIB;
	scan(&image, &scanned);
	assert_problem(&scanned, "mbr-extended-outside", 14048 * 512);
	assert_int_equal(scanned.table.partitions.count, 2);
	assert_string_equal(scanned.table.unread, "an extended boot record cannot be read");
	done(&image, &scanned);
}

/* The start of what mkfs.fat writes. */
static void put_fat(struct image *image)
{
	static const uint8_t start[] = { 0xeb, 0x3c, 0x90, 'm', 'k', 'f', 's', '.', 'f', 'a',  't',
		                         0,    2,    4,    1,   0,   2,   0,   2,   0,   0x40, 0xf8 };
	memcpy(image->bytes, start, sizeof(start));
	image->bytes[510] = 0x55;
	image->bytes[511] = 0xaa;
}

static void assert_whole_disk(struct image *image)
{
	struct scanned scanned;
	scan(image, &scanned);
	assert_sound(&scanned);
	assert_string_equal(scanned.table.kind, "none");
	assert_int_equal(scanned.table.partitions.count, 1);
	const struct partition *whole = &scanned.table.partitions.items[0];
	assert_int_equal(whole->number, 0);
	assert_int_equal(whole->start, 0);
	assert_int_equal(whole->size, image->size);
	assert_true(whole->readable);
	done(image, &scanned);
}

static void file_system_on_the_bare_disk(void **state)
{
	(void)state;
	struct image image = image_new(2 * MIB, 512);
	put_fat(&image);
	assert_whole_disk(&image);

	/* mkfs.fat's own entry over all of it: starts at sector 0. */
	image = image_new(2 * MIB, 512);
	put_fat(&image);
	put_mbr_entry(&image, 0, 0, 0x80, 0x0c, 0, 4096);
	assert_whole_disk(&image);

	/* NTFS has the end of its boot messages where the entries would be. */
	image = image_new(2 * MIB, 512);
	memcpy(image.bytes + 3, "NTFS    ", 8);
	memset(image.bytes + 446, 'k', 64);
	image.bytes[510] = 0x55;
	image.bytes[511] = 0xaa;
	assert_whole_disk(&image);

	/* ext4: nothing in the first sector. */
	image = image_new(2 * MIB, 512);
	put_le(image.bytes + 1024 + 56, 0xef53, 2);
	assert_whole_disk(&image);

	/* btrfs: nothing in the first 64 KiB. */
	image = image_new(2 * MIB, 512);
	memcpy(image.bytes + 65536 + 64, "_BHRfS_M", 8);
	assert_whole_disk(&image);

	/* A boot sector in front of an ext4. */
	image = image_new(2 * MIB, 512);
	put_le(image.bytes + 1024 + 56, 0xef53, 2);
	image.bytes[510] = 0x55;
	image.bytes[511] = 0xaa;
	assert_whole_disk(&image);
}

static void empty_disks(void **state)
{
	(void)state;
	static const struct {
		uint64_t size;
		bool is_signed;
		const char *kind;
		const char *code;
	} cases[] = {
		{ 2 * MIB, false, "none", NULL },
		{ 512, false, "none", NULL },
		{ 513, false, "none", NULL },
		{ 2 * MIB, true, "mbr", NULL },
		{ 511, false, "none", "disk-too-short" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image image = image_new(cases[i].size, 512);
		if (cases[i].is_signed) {
			image.bytes[510] = 0x55;
			image.bytes[511] = 0xaa;
		}
		struct scanned scanned;
		scan(&image, &scanned);
		assert_string_equal(scanned.table.kind, cases[i].kind);
		assert_int_equal(scanned.table.partitions.count, 0);
		assert_int_equal(scanned.table.problems.count, cases[i].code ? 1 : 0);
		if (cases[i].code)
			assert_string_equal(scanned.table.problems.items[0].code, cases[i].code);
		done(&image, &scanned);
	}
}

/* Cut at every sector of its start: never a crash, never a partition that lies outside. */
static void every_truncation_is_survived(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	for (uint64_t size = 512; size < 20 * 1024; size += 171) {
		struct image cut = { image.bytes, size, 512 };
		struct scanned scanned;
		scan(&cut, &scanned);
		assert_int_not_equal(scanned.table.problems.count, 0);
		for (size_t i = 0; i < scanned.table.partitions.count; i++)
			assert_false(scanned.table.partitions.items[i].readable);
		arena_free(&scanned.arena);
	}
	free(image.bytes);
}

struct failing {
	struct span bytes;
	uint64_t from, to; /* reads that touch this range fail */
};

static bool failing_read(void *context, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	const struct failing *failing = context;
	if (offset < failing->to && failing->from < offset + length)
		return error_set(error, ERROR_IO, "a bad block");
	memcpy(buffer, failing->bytes.data + offset, length);
	return true;
}

static void bad_blocks_are_named(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	struct failing failing = { .bytes = span_of(image.bytes, image.size), .from = 1024, .to = 1025 };
	struct reader disk = { .read = failing_read, .state = &failing, .size = image.size };
	struct scanned scanned = { 0 };
	struct budget budget = budget_default();
	struct error error;
	assert_true(volume_scan(&disk, &budget, &scanned.arena, &scanned.table, &error));
	assert_problem(&scanned, "gpt-primary-unreadable", 1024);
	assert_int_equal(scanned.table.primary_sound, ANSWER_UNKNOWN);
	assert_int_equal(scanned.table.backup_sound, ANSWER_YES);
	assert_int_equal(scanned.table.partitions.count, 2);
	assert_string_equal(scanned.table.unread, "the primary GPT cannot be read");
	arena_free(&scanned.arena);

	failing.to = image.size;
	scanned = (struct scanned){ 0 };
	assert_true(volume_scan(&disk, &budget, &scanned.arena, &scanned.table, &error));
	assert_int_equal(scanned.table.partitions.count, 0);
	assert_string_equal(scanned.table.unread, "the GPT cannot be read");
	assert_string_equal(volume_unread(&scanned.table), scanned.table.unread);
	arena_free(&scanned.arena);

	failing.from = image.size - 1;
	failing.to = image.size;
	scanned = (struct scanned){ 0 };
	assert_true(volume_scan(&disk, &budget, &scanned.arena, &scanned.table, &error));
	assert_problem(&scanned, "gpt-backup-unreadable", image.size - 512);
	assert_int_equal(scanned.table.primary_sound, ANSWER_YES);
	assert_int_equal(scanned.table.backup_sound, ANSWER_UNKNOWN);
	arena_free(&scanned.arena);

	failing.from = 0;
	failing.to = 1;
	scanned = (struct scanned){ 0 };
	assert_false(volume_scan(&disk, &budget, &scanned.arena, &scanned.table, &error));
	assert_int_equal(error.code, ERROR_IO);
	assert_string_equal(error.message, "the partition table cannot be read: a bad block");
	assert_null(scanned.table.kind);
	arena_free(&scanned.arena);
	free(image.bytes);
}

static void budget_ends_the_scan(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	struct span bytes = span_of(image.bytes, image.size);
	struct reader disk = reader_of_span(&bytes);
	struct budget budget = { .steps_left = 100 };
	struct arena arena = { 0 };
	struct partition_table table;
	struct error error;
	assert_false(volume_scan(&disk, &budget, &arena, &table, &error));
	assert_int_equal(error.code, ERROR_LIMIT);
	arena_free(&arena);
	free(image.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mbr_is_read),
		cmocka_unit_test(mbr_damage_is_found),
		cmocka_unit_test(garbage_in_extended_records_is_ignored),
		cmocka_unit_test(extended_loops_end),
		cmocka_unit_test(file_system_on_the_bare_disk),
		cmocka_unit_test(empty_disks),
		cmocka_unit_test(every_truncation_is_survived),
		cmocka_unit_test(bad_blocks_are_named),
		cmocka_unit_test(budget_ends_the_scan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
