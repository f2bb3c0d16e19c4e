// LVM2. Byte 0 of the input says what the rest is: 0 the metadata text, put into a sound physical volume; 1
// the first bytes of a disk that is one; 2 the same, whose checksums are then made right.
#include <stdlib.h>

#include "../tests/unit/lvm_builder.h"
#include "volume/volume.h"

#define DISK_SIZE 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t disk[DISK_SIZE];

static void check(const struct partition_table *table, const struct reader *reader)
{
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *volume = &table->partitions.items[i];
		struct reader part;
		struct error error;
		uint8_t byte;
		if (!volume->volume || !volume->readable)
			continue;
		/* What is called readable is: all of it lies inside the disk. */
		if (!volume_reader(reader, volume, &part, &error) || part.size != volume->size ||
		    !reader_read(&part, part.size - 1, &byte, 1, &error))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[LVM_AREA_SIZE - 512] = { 0 };
	struct lvm_builder lvm = { .at = disk,
		                   .size = DISK_SIZE,
		                   .id = "AAAAAAaaaaAAAAaaaaAAAAaaaaAAAAAA",
		                   .sector = 1,
		                   .text = text };
	if (size == 0)
		return 0;
	memset(disk, 0, sizeof(disk));
	if (data[0] == 0) {
		memcpy(text, data + 1, size - 1 < sizeof(text) ? size - 1 : sizeof(text) - 1);
		lvm_build(&lvm);
	} else {
		memcpy(disk, data + 1, size - 1 < DISK_SIZE ? size - 1 : DISK_SIZE);
		if (data[0] == 2)
			lvm_sign(&lvm);
	}

	struct span span = span_of(disk, sizeof(disk));
	struct reader reader = reader_of_span(&span);
	struct budget budget = { .steps_left = 100000 };
	struct arena arena = { .limit = (size_t)64 << 20 };
	struct partition_table table;
	struct error error;
	if (volume_scan(&reader, &budget, &arena, &table, &error))
		check(&table, &reader);
	arena_free(&arena);
	return 0;
}
