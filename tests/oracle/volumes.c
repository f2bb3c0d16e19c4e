// Prints the logical volumes that volume_scan() finds on a disk, or the bytes of one of them.
//
// usage: volumes DISK           lines of "volume NAME ID NUMBER WITHIN SIZE yes|no", "member PARTITION
// unknown|no|yes"
//                               and "problem CODE OFFSET MESSAGE"
//        volumes DISK VG/LV     its content
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "disk/disk.h"
#include "volume/volume.h"

static void print_all(const struct partition_table *table)
{
	static const char *const answers[] = { "unknown", "no", "yes" };
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *one = &table->partitions.items[i];
		if (one->volume)
			printf("volume %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", one->volume,
			       one->volume_id, one->number, one->within, one->size,
			       one->readable ? "yes" : "no");
		else
			printf("member %" PRIu64 " %s\n", one->number, answers[one->volumes_read]);
	}
	for (size_t i = 0; i < table->volume_problems.count; i++) {
		const struct problem *problem = &table->volume_problems.items[i];
		printf("problem %s %" PRIu64 " %s\n", problem->code, problem->place.offset, problem->message);
	}
}

static bool copy_volume(const struct reader *disk, const struct partition_table *table, const char *name,
                        struct error *error)
{
	static uint8_t buffer[100000];
	const struct partition *found = NULL;
	struct reader reader;
	for (size_t i = 0; i < table->partitions.count; i++)
		if (str_equal(table->partitions.items[i].volume, name))
			found = &table->partitions.items[i];
	if (!found)
		return error_set(error, ERROR_NOT_FOUND, "no volume is called %s", name);
	if (!volume_reader(disk, found, &reader, error))
		return false;
	for (uint64_t at = 0; at < reader.size; at += sizeof(buffer)) {
		uint64_t left = reader.size - at;
		size_t length = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		if (!reader_read(&reader, at, buffer, length, error) ||
		    fwrite(buffer, 1, length, stdout) != length)
			return false;
	}
	return true;
}

int main(int count, char **arguments)
{
	if (count != 2 && count != 3)
		return 3;
	int descriptor = open(arguments[1], O_RDONLY | O_CLOEXEC);
	struct disk *disk = NULL;
	struct arena arena = { 0 };
	struct budget budget = budget_default();
	struct partition_table table;
	struct error error = { 0 };
	struct input input = input_of_file(arguments[1], descriptor);
	bool done = disk_open(&input, &budget, &arena, &disk, &error) &&
	            volume_scan(&disk->reader, &budget, &arena, &table, &error);
	if (done && count == 2)
		print_all(&table);
	else if (done)
		done = copy_volume(&disk->reader, &table, arguments[2], &error);
	if (!done)
		fprintf(stderr, "%s: %s\n", arguments[1], error.message);
	disk_close(disk);
	arena_free(&arena);
	close(descriptor);
	return done ? 0 : 1;
}
