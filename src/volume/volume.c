#include "volume/volume.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "volume/lvm.h"

/* The superblock of every file system that is put on a bare disk starts within this much. */
#define HEAD_SIZE ((size_t)128 << 10)

void scan_problem(struct scan *scan, const char *code, uint64_t offset, const char *format, ...)
{
	if (scan->table->problems.count >= PROBLEMS_MOST)
		return;
	char message[480] = "there are more problems than these: the rest is not listed";
	if (scan->table->problems.count == PROBLEMS_MOST - 1) {
		code = "volume-more-problems";
	} else {
		va_list arguments;
		va_start(arguments, format);
		vsnprintf(message, sizeof(message), format, arguments);
		va_end(arguments);
	}
	struct problem *problem = LIST_ADD(scan->arena, &scan->table->problems);
	*problem = (struct problem){
		.code = code,
		.message = arena_strdup(scan->arena, message),
		.place = { .offset = offset },
	};
}

struct partition *scan_partition(struct scan *scan, uint64_t number, uint64_t start, uint64_t size)
{
	struct partition *partition = LIST_ADD(scan->arena, &scan->table->partitions);
	*partition = (struct partition){
		.number = number,
		.type = "",
		.type_name = "",
		.name = "",
		.part_uuid = "",
		.start = start,
		.size = size,
		.readable = true,
	};
	return partition;
}

void scan_unread(struct partition *partition, const char *why)
{
	partition->readable = false;
	partition->unread = why;
}

/* An extended partition holds logical ones: to lie inside it is no overlap. */
bool scan_is_extended(const struct partition *partition)
{
	return str_equal(partition->type, "0x05") || str_equal(partition->type, "0x0f") ||
	       str_equal(partition->type, "0x85");
}

static bool overlap(const struct partition *a, const struct partition *b)
{
	/* What lies outside the disk has its own problem, and its end may not even be a number. */
	if (!a->readable || !b->readable || scan_is_extended(a) || scan_is_extended(b))
		return false;
	return a->start < b->start + b->size && b->start < a->start + a->size;
}

/* At most PARTITIONS_MOST partitions: all pairs are few enough. */
static void find_overlaps(struct scan *scan)
{
	struct partition_table *table = scan->table;
	bool overlaps[PARTITIONS_MOST + 1] = { false };
	const char *code = str_equal(table->kind, "gpt") ? "gpt-partition-overlap" : "mbr-partition-overlap";
	for (size_t i = 0; i < table->partitions.count; i++) {
		for (size_t j = i + 1; j < table->partitions.count; j++) {
			const struct partition *a = &table->partitions.items[i],
					       *b = &table->partitions.items[j];
			if (!overlap(a, b))
				continue;
			overlaps[i] = overlaps[j] = true;
			scan_problem(scan, code, a->start > b->start ? a->start : b->start,
			             "the partitions %" PRIu64 " and %" PRIu64 " overlap", a->number,
			             b->number);
		}
	}
	for (size_t i = 0; i < table->partitions.count; i++)
		if (overlaps[i])
			scan_unread(&table->partitions.items[i], "the partition overlaps another one");
}

/* Is there anything in the first HEAD_SIZE bytes, from `from` on? */
static bool head_is_zero(const struct scan *scan, uint64_t from, bool *zero, struct error *error)
{
	uint8_t bytes[4096];
	uint64_t end = scan->disk->size < HEAD_SIZE ? scan->disk->size : HEAD_SIZE;
	*zero = true;
	for (uint64_t at = from; at < end && *zero; at += sizeof(bytes)) {
		size_t length = end - at < sizeof(bytes) ? (size_t)(end - at) : sizeof(bytes);
		if (!reader_read(scan->disk, at, bytes, length, error))
			return false;
		*zero = span_is_zero(span_of(bytes, length));
	}
	return true;
}

/* No table of ours: either a file system on the bare disk, or nothing at all. */
static bool scan_bare(struct scan *scan, const struct mbr *mbr, struct span sector, struct error *error)
{
	bool nothing, nothing_behind;
	if (!head_is_zero(scan, 0, &nothing, error) || !head_is_zero(scan, MBR_SIZE, &nothing_behind, error))
		return false;
	/* The start of the disk was wiped: is a backup left of its GPT? */
	if (nothing)
		return gpt_backup_sector_size(scan->disk) == 0 || gpt_scan(scan, mbr, error);
	if (mbr->signed_ && nothing_behind && !mbr_is_file_system(sector))
		return mbr_scan(scan, mbr, error); /* a table without entries */
	scan_partition(scan, 0, 0, scan->disk->size);
	return true;
}

/* A table that Linux reads as an MBR while a GPT lies around is worth a word: which one was meant? */
static void note_stale_gpt(struct scan *scan, uint64_t sector_size)
{
	if (sector_size)
		scan_problem(scan, "gpt-no-protective-mbr", 446,
		             "a GPT header stands at offset %" PRIu64
		             ", but no MBR entry of type 0xee protects it: firmware, GRUB and Linux use the "
		             "MBR's partitions instead",
		             sector_size);
}

static bool scan_disk(struct scan *scan, struct error *error)
{
	uint8_t bytes[MBR_SIZE];
	struct mbr mbr;
	struct span sector = span_of(bytes, sizeof(bytes));
	if (!reader_read(scan->disk, 0, bytes, sizeof(bytes), error) || !mbr_decode(sector, &mbr))
		return error_wrap(error, "the partition table cannot be read");

	uint64_t primary = gpt_primary_sector_size(scan->disk);
	if (mbr_is_protective(&mbr))
		return gpt_scan(scan, &mbr, error);
	if (mbr_is_table(&mbr, sector)) {
		note_stale_gpt(scan, primary);
		return mbr_scan(scan, &mbr, error);
	}
	if (primary)
		return gpt_scan(scan, &mbr, error);
	return scan_bare(scan, &mbr, sector, error);
}

bool volume_scan(const struct reader *disk, struct budget *budget, struct arena *arena,
                 struct partition_table *out, struct error *error)
{
	*out = (struct partition_table){ .kind = "none", .sector_size = MBR_SIZE };
	struct scan scan = { .disk = disk, .budget = budget, .arena = arena, .table = out };
	if (disk->size < MBR_SIZE) {
		scan_problem(&scan, "disk-too-short", disk->size,
		             "the disk has %" PRIu64 " bytes, less than one sector", disk->size);
		return true;
	}
	if (!scan_disk(&scan, error)) {
		out->kind = NULL;
		return false;
	}
	find_overlaps(&scan);
	lvm_scan(&scan);
	return true;
}

bool volume_reader(const struct reader *disk, const struct partition *partition, struct reader *out,
                   struct error *error)
{
	if (partition->map)
		return reader_of_map(partition->map, out, error);
	if (!reader_slice(disk, partition->start, partition->size, out, error))
		return error_wrap(error, "partition %" PRIu64 " does not lie inside the disk",
		                  partition->number);
	return true;
}

const struct partition *volume_find(const struct partition_table *table, uint64_t number)
{
	for (size_t i = 0; i < table->partitions.count; i++)
		if (table->partitions.items[i].number == number)
			return &table->partitions.items[i];
	return NULL;
}

const char *volume_unread(const struct partition_table *table)
{
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *one = &table->partitions.items[i];
		if (one->unread && !one->file_system)
			return one->unread;
	}
	return table->unread;
}

void volume_describe(struct text *text, const struct partition_table *table, uint64_t number)
{
	const struct partition *partition = volume_find(table, number);
	if (partition && partition->volume)
		text_printf(text, "logical volume %s", partition->volume);
	else
		text_printf(text, "partition %" PRIu64, number);
}

const char *volume_phrase(const struct partition_table *table, uint64_t number, struct arena *arena)
{
	struct text text CLEANUP(text_free) = { 0 };
	volume_describe(&text, table, number);
	return arena_strdup(arena, text_get(&text));
}
