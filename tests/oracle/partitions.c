// Prints what volume_scan() makes of a disk, as JSON.
//
// usage: partitions DISK
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "disk/disk.h"
#include "volume/volume.h"

static void print_string(const char *name, const char *value)
{
	printf("\"%s\": ", name);
	if (!value) {
		printf("null, ");
		return;
	}
	putchar('"');
	for (; *value; value++) {
		unsigned char character = (unsigned char)*value;
		if (character < 0x20 || character == '"' || character == '\\')
			printf("\\u%04x", character);
		else
			putchar(character);
	}
	printf("\", ");
}

static void print_partition(const struct partition *partition)
{
	printf("{");
	print_string("type", partition->type);
	print_string("type_name", partition->type_name);
	print_string("name", partition->name);
	print_string("part_uuid", partition->part_uuid);
	printf("\"number\": %" PRIu64 ", \"start\": %" PRIu64 ", \"size\": %" PRIu64
	       ", \"bootable\": %s, \"readable\": %s}",
	       partition->number, partition->start, partition->size, partition->bootable ? "true" : "false",
	       partition->readable ? "true" : "false");
}

static void print_table(const struct partition_table *table)
{
	static const char *const answers[] = { "unknown", "no", "yes" };
	printf("{");
	print_string("kind", table->kind);
	print_string("disk_uuid", table->disk_uuid);
	print_string("protective_mbr", answers[table->protective_mbr]);
	print_string("primary_sound", answers[table->primary_sound]);
	print_string("backup_sound", answers[table->backup_sound]);
	printf("\"sector_size\": %" PRIu64 ", \"hybrid\": %s, \"partitions\": [", table->sector_size,
	       table->hybrid ? "true" : "false");
	for (size_t i = 0; i < table->partitions.count; i++) {
		printf(i ? ",\n" : "\n");
		print_partition(&table->partitions.items[i]);
	}
	printf("], \"problems\": [");
	for (size_t i = 0; i < table->problems.count; i++) {
		const struct problem *problem = &table->problems.items[i];
		printf(i ? ",\n{" : "\n{");
		print_string("code", problem->code);
		print_string("message", problem->message);
		printf("\"offset\": %" PRIu64 "}", problem->place.offset);
	}
	printf("]}\n");
}

int main(int count, char **arguments)
{
	if (count != 2)
		return 3;
	int descriptor = open(arguments[1], O_RDONLY | O_CLOEXEC);
	struct disk *disk = NULL;
	struct arena arena = { 0 };
	struct budget budget = budget_default();
	struct partition_table table;
	struct error error;
	struct input input = input_of_file(arguments[1], descriptor);
	bool scanned = disk_open(&input, &budget, &arena, &disk, &error) &&
	               volume_scan(&disk->reader, &budget, &arena, &table, &error);
	if (scanned)
		print_table(&table);
	else
		fprintf(stderr, "%s: %s\n", arguments[1], error.message);
	disk_close(disk);
	arena_free(&arena);
	close(descriptor);
	return scanned ? 0 : 1;
}
