// Partition tables: the input becomes the two ends of a small disk.
//
//   byte 0   bit 0: make the GPT's CRCs right, so that lies behind them are reached; bit 1: 4096-byte sectors
//   then     the first sectors of the disk, up to HEAD_SIZE
//   then     the last sectors, up to TAIL_SIZE
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "volume/volume.h"

#define DISK_SIZE 131072
#define HEAD_SIZE (34 * 512)
#define TAIL_SIZE (33 * 512)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t disk[DISK_SIZE];

static void write_le32(uint8_t *at, unsigned long value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static void sign(size_t header, size_t sector_size)
{
	struct span span = span_of(disk, sizeof(disk));
	uint64_t entries;
	uint32_t size, count, entry_size;
	if (!get_le32(span, header + 12, &size) || !get_le64(span, header + 72, &entries) ||
	    !get_le32(span, header + 80, &count) || !get_le32(span, header + 84, &entry_size))
		return;
	uint64_t length = (uint64_t)count * entry_size;
	if (size < 92 || size > sector_size || entries >= DISK_SIZE / sector_size ||
	    length > DISK_SIZE - entries * sector_size)
		return;
	write_le32(disk + header + 88, crc32_z(0, disk + entries * sector_size, (size_t)length));
	write_le32(disk + header + 16, 0);
	write_le32(disk + header + 16, crc32_z(0, disk + header, size));
}

static void check(const struct partition_table *table, const struct reader *reader)
{
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *partition = &table->partitions.items[i];
		struct reader part;
		struct error error;
		if (!partition->type || !partition->type_name || !partition->name || !partition->part_uuid)
			abort();
		if (partition->readable && !volume_reader(reader, partition, &part, &error))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	uint8_t flags = *data++;
	size--;
	size_t head = size < HEAD_SIZE ? size : HEAD_SIZE;
	size_t tail = size - head < TAIL_SIZE ? size - head : TAIL_SIZE;
	size_t sector_size = flags & 2 ? 4096 : 512;
	memset(disk, 0, sizeof(disk));
	memcpy(disk, data, head);
	memcpy(disk + DISK_SIZE - tail, data + head, tail);
	if (flags & 1) {
		sign(sector_size, sector_size);
		sign(DISK_SIZE - sector_size, sector_size);
	}

	struct span span = span_of(disk, sizeof(disk));
	struct reader reader = reader_of_span(&span);
	struct budget budget = budget_default();
	struct arena arena = { .limit = (size_t)16 << 20 };
	struct partition_table table;
	struct error error;
	if (volume_scan(&reader, &budget, &arena, &table, &error))
		check(&table, &reader);
	arena_free(&arena);
	return 0;
}
