// GPT: both copies, sound and damaged, the entries, and the protective MBR before them; each disk is built
// byte by byte.
#include "volume_bench.h"

static void gpt_is_read(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	struct scanned scanned;
	scan(&image, &scanned);
	const struct partition_table *table = &scanned.table;
	assert_sound(&scanned);
	assert_string_equal(table->kind, "gpt");
	assert_int_equal(table->sector_size, 512);
	assert_string_equal(table->disk_uuid, "13121110-1514-1716-1819-1a1b1c1d1e1f");
	assert_int_equal(table->protective_mbr, ANSWER_YES);
	assert_int_equal(table->primary_sound, ANSWER_YES);
	assert_int_equal(table->backup_sound, ANSWER_YES);
	assert_false(table->hybrid);
	assert_int_equal(table->partitions.count, 2);
	const struct partition *esp = &table->partitions.items[0], *root = &table->partitions.items[1];
	assert_int_equal(esp->number, 1);
	assert_string_equal(esp->type, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_string_equal(esp->type_name, "EFI System");
	assert_string_equal(esp->name, "ESP");
	assert_string_equal(esp->part_uuid, "a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0");
	assert_int_equal(esp->start, 2048 * 512);
	assert_int_equal(esp->size, 2048 * 512);
	assert_false(esp->bootable);
	assert_true(esp->readable);
	assert_string_equal(root->type_name, "Linux filesystem");
	assert_true(root->bootable);

	struct reader part;
	struct error error;
	assert_true(volume_reader(&scanned.disk, root, &part, &error));
	assert_int_equal(part.base, 4096 * 512);
	assert_int_equal(part.size, 4096 * 512);
	done(&image, &scanned);
}

static void gpt_of_large_sectors_is_read(void **state)
{
	(void)state;
	static const struct gpt_entry_spec specs[] = { { .first = 256, .last = 511, .name = "root" } };
	struct image image = image_new(8 * MIB, 4096);
	put_gpt(&image, specs, 1);
	struct scanned scanned;
	scan(&image, &scanned);
	assert_sound(&scanned);
	assert_int_equal(scanned.table.sector_size, 4096);
	assert_int_equal(scanned.table.partitions.items[0].start, MIB);
	assert_int_equal(scanned.table.partitions.items[0].size, MIB);
	done(&image, &scanned);

	/* And by its backup alone. */
	image = image_new(8 * MIB, 4096);
	put_gpt(&image, specs, 1);
	memset(image_sector(&image, 1), 0, 4096);
	scan(&image, &scanned);
	assert_problem(&scanned, "gpt-primary-missing", 4096);
	done(&image, &scanned);
}

/* Flips a byte in each part of a copy: the other one must be used, and the damage named. */
static void damaged_copy_is_named(void **state)
{
	(void)state;
	uint64_t last = 8 * MIB / 512 - 1;
	const struct {
		uint64_t offset;
		const char *code;
		uint64_t place;
		bool primary;
	} cases[] = {
		{ 512 + 50, "gpt-primary-header-crc", 512, true },
		{ 1024 + 130, "gpt-primary-entries-crc", 1024, true },
		{ 512, "gpt-primary-missing", 512, true },
		{ 512 + 13, "gpt-primary-header-size", 512 + 12, true },
		{ last * 512 + 50, "gpt-backup-header-crc", last * 512, false },
		{ (last - 32) * 512 + 130, "gpt-backup-entries-crc", (last - 32) * 512, false },
		{ last * 512, "gpt-backup-missing", last * 512, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image image = two_partition_disk();
		image.bytes[cases[i].offset] ^= 0x40;
		struct scanned scanned;
		scan(&image, &scanned);
		assert_problem(&scanned, cases[i].code, cases[i].place);
		assert_int_equal(scanned.table.problems.count, 1);
		assert_int_equal(scanned.table.primary_sound, cases[i].primary ? ANSWER_NO : ANSWER_YES);
		assert_int_equal(scanned.table.backup_sound, cases[i].primary ? ANSWER_YES : ANSWER_NO);
		assert_int_equal(scanned.table.partitions.count, 2);
		assert_string_equal(scanned.table.partitions.items[1].name, "root");
		done(&image, &scanned);
	}
}

static void both_copies_damaged_give_nothing(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	image.bytes[512 + 50] ^= 1;
	image.bytes[image.size - 512 + 50] ^= 1;
	struct scanned scanned;
	scan(&image, &scanned);
	assert_string_equal(scanned.table.kind, "gpt");
	assert_int_equal(scanned.table.primary_sound, ANSWER_NO);
	assert_int_equal(scanned.table.backup_sound, ANSWER_NO);
	assert_int_equal(scanned.table.partitions.count, 0);
	assert_null(scanned.table.disk_uuid);
	done(&image, &scanned);
}

/* Values that no CRC protects from: they are signed, and wrong. */
static void lying_headers_are_found(void **state)
{
	(void)state;
	const struct {
		unsigned field, width;
		uint64_t value;
		const char *code;
		uint64_t place;
	} cases[] = {
		{ 24, 8, 2, "gpt-primary-my-lba", 512 + 24 },
		{ 40, 8, UINT64_MAX, "gpt-primary-usable-range", 512 + 40 },
		{ 48, 8, 20, "gpt-primary-usable-range", 512 + 40 },
		{ 72, 8, UINT64_MAX / 512, "gpt-primary-entries-outside", 512 + 72 },
		{ 72, 8, UINT64_MAX, "gpt-primary-entries-outside", 512 + 72 },
		{ 80, 4, UINT32_MAX, "gpt-primary-entry-count", 512 + 80 },
		{ 80, 4, 0, "gpt-primary-entry-count", 512 + 80 },
		{ 84, 4, 0, "gpt-primary-entry-size", 512 + 84 },
		{ 84, 4, 129, "gpt-primary-entry-size", 512 + 84 },
		{ 84, 4, UINT32_MAX, "gpt-primary-entry-size", 512 + 84 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image image = two_partition_disk();
		uint8_t *header = image_sector(&image, 1);
		put_le(header + cases[i].field, cases[i].value, cases[i].width);
		put_le(header + 16, 0, 4);
		put_le(header + 16, crc32(0, header, 92), 4);
		struct scanned scanned;
		scan(&image, &scanned);
		assert_problem(&scanned, cases[i].code, cases[i].place);
		assert_int_equal(scanned.table.primary_sound, ANSWER_NO);
		assert_int_equal(scanned.table.backup_sound, ANSWER_YES);
		assert_int_equal(scanned.table.partitions.count, 2);
		done(&image, &scanned);
	}
}

static void large_entries_are_read_but_not_sound(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	for (int copy = 0; copy < 2; copy++) {
		uint64_t lba = copy ? image_last(&image) : 1, entries = copy ? lba - 32 : 2;
		uint8_t *table = image_sector(&image, entries);
		memmove(table + 256, table + 128, 128);
		memset(table + 128, 0, 128);
		put_le(image_sector(&image, lba) + 80, 64, 4);
		put_le(image_sector(&image, lba) + 84, 256, 4);
		gpt_sign(&image, lba);
	}
	struct scanned scanned;
	scan(&image, &scanned);
	assert_problem(&scanned, "gpt-primary-entry-size", 512 + 84);
	assert_int_equal(scanned.table.primary_sound, ANSWER_NO);
	assert_int_equal(scanned.table.partitions.count, 2);
	assert_string_equal(scanned.table.partitions.items[1].name, "root");
	done(&image, &scanned);
}

static void copies_that_differ_are_found(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	image_sector(&image, image_last(&image) - 32)[128 + 56] = 'R';
	gpt_sign(&image, image_last(&image));
	struct scanned scanned;
	scan(&image, &scanned);
	assert_problem(&scanned, "gpt-copies-differ", image.size - 512);
	assert_string_equal(scanned.table.partitions.items[1].name, "root");
	done(&image, &scanned);
}

static void grown_image_has_a_misplaced_backup(void **state)
{
	(void)state;
	struct image small = two_partition_disk(), image = image_new(10 * MIB, 512);
	memcpy(image.bytes, small.bytes, small.size);
	struct scanned scanned;
	scan(&image, &scanned);
	assert_problem(&scanned, "gpt-backup-misplaced", small.size - 512);
	assert_problem(&scanned, "gpt-protective-mbr-size", 446);
	assert_int_equal(scanned.table.primary_sound, ANSWER_YES);
	assert_int_equal(scanned.table.backup_sound, ANSWER_YES);
	assert_int_equal(scanned.table.protective_mbr, ANSWER_YES);
	assert_int_equal(scanned.table.partitions.count, 2);
	free(small.bytes);
	done(&image, &scanned);
}

/* The primary names a sector inside the disk; the backup is in the last one, or nowhere. */
static void wrong_alternate_is_found(void **state)
{
	(void)state;
	for (int wiped = 0; wiped < 2; wiped++) {
		struct image image = two_partition_disk();
		put_le(image_sector(&image, 1) + 32, 9000, 8);
		gpt_sign(&image, 1);
		if (wiped)
			memset(image_sector(&image, image_last(&image)), 0, 512);
		struct scanned scanned;
		scan(&image, &scanned);
		assert_problem(&scanned, wiped ? "gpt-backup-missing" : "gpt-primary-alternate-lba",
		               wiped ? 9000 * 512 : 512 + 32);
		assert_int_equal(scanned.table.problems.count, 1);
		assert_int_equal(scanned.table.backup_sound, wiped ? ANSWER_NO : ANSWER_YES);
		assert_int_equal(scanned.table.partitions.count, 2);
		done(&image, &scanned);
	}
}

/* Every partition overlaps every other: the list of problems has an end, and says so. */
static void problems_are_capped(void **state)
{
	(void)state;
	struct gpt_entry_spec specs[100];
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		specs[i] = (struct gpt_entry_spec){ .first = 2048, .last = 4095 };
	struct image image = image_new(8 * MIB, 512);
	put_gpt(&image, specs, ARRAY_SIZE(specs));
	struct scanned scanned;
	scan(&image, &scanned);
	assert_int_equal(scanned.table.partitions.count, 100);
	assert_int_equal(scanned.table.problems.count, 64);
	assert_string_equal(scanned.table.problems.items[63].code, "volume-more-problems");
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		assert_false(scanned.table.partitions.items[i].readable);
	done(&image, &scanned);
}

static void cut_image_has_no_backup(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	image.size = 3 * MIB;
	struct scanned scanned;
	scan(&image, &scanned);
	assert_problem(&scanned, "gpt-backup-outside", 3 * MIB);
	/* As in the kernel: the usable range leaves the disk, so the primary is refused. */
	assert_problem(&scanned, "gpt-primary-usable-range", 512 + 40);
	assert_int_equal(scanned.table.primary_sound, ANSWER_NO);
	assert_int_equal(scanned.table.backup_sound, ANSWER_NO);
	assert_int_equal(scanned.table.partitions.count, 2);
	assert_true(scanned.table.partitions.items[0].readable);
	assert_null(scanned.table.partitions.items[0].unread);
	assert_false(scanned.table.partitions.items[1].readable);
	assert_problem(&scanned, "gpt-partition-outside", 1024 + 128 + 32);
	/* What was cut off is not missing. */
	assert_string_equal(volume_unread(&scanned.table),
	                    "the disk ends before the partition does: was it copied completely?");
	struct reader part;
	struct error error;
	assert_false(volume_reader(&scanned.disk, &scanned.table.partitions.items[1], &part, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	done(&image, &scanned);
}

static void partitions_in_wrong_places_are_found(void **state)
{
	(void)state;
	static const struct gpt_entry_spec specs[] = {
		{ .first = 2048, .last = 4096, .name = "overlaps the next" },
		{ .first = 4096, .last = 8191 },
		{ .first = 8192, .last = UINT64_MAX, .name = "ends nowhere" },
		{ .first = 9000, .last = 8999, .name = "ends before it starts" },
		{ .first = 10, .last = 20, .name = "on the table" },
		{ .first = UINT64_MAX, .last = UINT64_MAX },
	};
	struct image image = image_new(8 * MIB, 512);
	put_gpt(&image, specs, ARRAY_SIZE(specs));
	struct scanned scanned;
	scan(&image, &scanned);
	assert_int_equal(scanned.table.partitions.count, 6);
	assert_problem(&scanned, "gpt-partition-overlap", 4096 * 512);
	assert_problem(&scanned, "gpt-partition-outside", 1024 + 2 * 128 + 32);
	static const bool readable[] = { false, false, false, false, true, false };
	for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
		assert_int_equal(scanned.table.partitions.items[i].readable, readable[i]);
	for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
		assert_int_equal(scanned.table.partitions.items[i].unread == NULL, readable[i]);
	assert_string_equal(scanned.table.partitions.items[0].unread, "the partition overlaps another one");
	assert_int_equal(scanned.table.problems.count, 5);
	done(&image, &scanned);
}

static void last_sector_is_the_limit(void **state)
{
	(void)state;
	for (uint64_t more = 0; more < 2; more++) {
		struct image image = image_new(8 * MIB, 512);
		struct gpt_entry_spec specs[] = { { .first = 4096, .last = image_last(&image) + more } };
		put_gpt(&image, specs, 1);
		struct scanned scanned;
		scan(&image, &scanned);
		assert_problem(&scanned, "gpt-partition-outside", 1024 + 32);
		assert_int_equal(scanned.table.partitions.items[0].readable, more == 0);
		done(&image, &scanned);
	}
}

/* Linux has no device for partition 256. */
static void partitions_are_numbered_to_255(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	uint8_t *table = image_sector(&image, 9000);
	for (size_t number = 255; number <= 256; number++) {
		memcpy(table + 128 * (number - 1), image_sector(&image, 2), 128);
		put_le(table + 128 * (number - 1) + 32, 2048 + 100 * (number - 255), 8);
		put_le(table + 128 * (number - 1) + 40, 2147 + 100 * (number - 255), 8);
	}
	put_le(image_sector(&image, 1) + 72, 9000, 8);
	put_le(image_sector(&image, 1) + 80, 512, 4);
	gpt_sign(&image, 1);
	struct scanned scanned;
	scan(&image, &scanned);
	assert_int_equal(scanned.table.partitions.count, 1);
	assert_int_equal(scanned.table.partitions.items[0].number, 255);
	assert_problem(&scanned, "gpt-partition-number", 9000 * 512 + 255 * 128);
	done(&image, &scanned);
}

static void protective_mbr_decides(void **state)
{
	(void)state;
	/* Nothing in the MBR at all. */
	struct image image = two_partition_disk();
	memset(image.bytes, 0, 512);
	struct scanned scanned;
	scan(&image, &scanned);
	assert_string_equal(scanned.table.kind, "gpt");
	assert_problem(&scanned, "gpt-no-protective-mbr", 446);
	assert_int_equal(scanned.table.protective_mbr, ANSWER_NO);
	assert_int_equal(scanned.table.primary_sound, ANSWER_YES);
	assert_int_equal(scanned.table.partitions.count, 2);
	done(&image, &scanned);

	/* It starts at the wrong sector. */
	image = two_partition_disk();
	put_mbr_entry(&image, 0, 0, 0, 0xee, 2, 100);
	scan(&image, &scanned);
	assert_string_equal(scanned.table.kind, "gpt");
	assert_int_equal(scanned.table.protective_mbr, ANSWER_NO);
	done(&image, &scanned);

	/* No signature. */
	image = two_partition_disk();
	image.bytes[511] = 0;
	scan(&image, &scanned);
	assert_string_equal(scanned.table.kind, "gpt");
	assert_int_equal(scanned.table.protective_mbr, ANSWER_NO);
	done(&image, &scanned);

	/* Partitions of another kind: everything but us would use them, so we do. */
	image = two_partition_disk();
	put_mbr_entry(&image, 0, 0, 0x80, 0x83, 2048, 4096);
	scan(&image, &scanned);
	assert_string_equal(scanned.table.kind, "mbr");
	assert_int_equal(scanned.table.protective_mbr, ANSWER_UNKNOWN);
	assert_int_equal(scanned.table.primary_sound, ANSWER_UNKNOWN);
	assert_problem(&scanned, "gpt-no-protective-mbr", 446);
	assert_int_equal(scanned.table.partitions.count, 1);
	done(&image, &scanned);
}

static void hybrid_mbr_must_agree(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	put_mbr_entry(&image, 0, 0, 0, 0xee, 1, 2047);
	put_mbr_entry(&image, 0, 1, 0x80, 0x83, 4096, 4096);
	struct scanned scanned;
	scan(&image, &scanned);
	assert_sound(&scanned);
	assert_true(scanned.table.hybrid);
	assert_int_equal(scanned.table.protective_mbr, ANSWER_YES);
	done(&image, &scanned);

	image = two_partition_disk();
	put_mbr_entry(&image, 0, 0, 0, 0xee, 1, 2047);
	put_mbr_entry(&image, 0, 1, 0x80, 0x83, 4096, 4095);
	scan(&image, &scanned);
	assert_problem(&scanned, "gpt-hybrid-disagrees", 446 + 16);
	assert_int_equal(scanned.table.partitions.count, 2);
	done(&image, &scanned);
}

static void backup_is_found_on_a_wiped_start(void **state)
{
	(void)state;
	struct image image = two_partition_disk();
	memset(image.bytes, 0, MIB);
	struct scanned scanned;
	scan(&image, &scanned);
	assert_string_equal(scanned.table.kind, "gpt");
	assert_int_equal(scanned.table.protective_mbr, ANSWER_NO);
	assert_int_equal(scanned.table.primary_sound, ANSWER_NO);
	assert_int_equal(scanned.table.backup_sound, ANSWER_YES);
	assert_int_equal(scanned.table.partitions.count, 2);
	done(&image, &scanned);
}

static void names_are_utf8(void **state)
{
	(void)state;
	static const uint16_t units[] = { 'r', 0xe9, 0x2603, 0xd83d, 0xde00, 0xd800, 'x', 0xdc00 };
	struct image image = two_partition_disk();
	for (int copy = 0; copy < 2; copy++) {
		uint64_t lba = copy ? image_last(&image) : 1, entries = copy ? lba - 32 : 2;
		for (size_t i = 0; i < ARRAY_SIZE(units); i++)
			put_le(image_sector(&image, entries) + 56 + 2 * i, units[i], 2);
		gpt_sign(&image, lba);
	}
	struct scanned scanned;
	scan(&image, &scanned);
	assert_string_equal(scanned.table.partitions.items[0].name,
	                    "r\xc3\xa9\xe2\x98\x83\xf0\x9f\x98\x80\xef\xbf\xbdx\xef\xbf\xbd");
	done(&image, &scanned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpt_is_read),
		cmocka_unit_test(gpt_of_large_sectors_is_read),
		cmocka_unit_test(damaged_copy_is_named),
		cmocka_unit_test(both_copies_damaged_give_nothing),
		cmocka_unit_test(lying_headers_are_found),
		cmocka_unit_test(large_entries_are_read_but_not_sound),
		cmocka_unit_test(copies_that_differ_are_found),
		cmocka_unit_test(grown_image_has_a_misplaced_backup),
		cmocka_unit_test(wrong_alternate_is_found),
		cmocka_unit_test(problems_are_capped),
		cmocka_unit_test(cut_image_has_no_backup),
		cmocka_unit_test(partitions_in_wrong_places_are_found),
		cmocka_unit_test(last_sector_is_the_limit),
		cmocka_unit_test(partitions_are_numbered_to_255),
		cmocka_unit_test(protective_mbr_decides),
		cmocka_unit_test(hybrid_mbr_must_agree),
		cmocka_unit_test(backup_is_found_on_a_wiped_start),
		cmocka_unit_test(names_are_utf8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
