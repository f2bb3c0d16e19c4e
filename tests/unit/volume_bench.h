// A disk in memory, scanned for its partitions, and what a test asserts of them.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "table_builder.h"

#include "volume/volume.h"

#define MIB ((uint64_t)1 << 20)

struct scanned {
	struct arena arena;
	struct span bytes;
	struct reader disk;
	struct partition_table table;
};

static inline void scan(struct image *image, struct scanned *out)
{
	struct budget budget = budget_default();
	struct error error;
	*out = (struct scanned){ 0 };
	out->bytes = span_of(image->bytes, image->size);
	out->disk = reader_of_span(&out->bytes);
	if (!volume_scan(&out->disk, &budget, &out->arena, &out->table, &error))
		fail_msg("%s", error.message);
}

static inline void done(struct image *image, struct scanned *scanned)
{
	arena_free(&scanned->arena);
	free(image->bytes);
}

static inline const struct problem *find_problem(const struct scanned *scanned, const char *code)
{
	for (size_t i = 0; i < scanned->table.problems.count; i++)
		if (str_equal(scanned->table.problems.items[i].code, code))
			return &scanned->table.problems.items[i];
	return NULL;
}

static inline void assert_problem(const struct scanned *scanned, const char *code, uint64_t offset)
{
	const struct problem *problem = find_problem(scanned, code);
	if (!problem) {
		for (size_t i = 0; i < scanned->table.problems.count; i++)
			print_error("has %s\n", scanned->table.problems.items[i].code);
		fail_msg("no problem %s", code);
		return;
	}
	assert_int_equal(problem->place.offset, offset);
}

static inline void assert_sound(const struct scanned *scanned)
{
	if (scanned->table.problems.count > 0)
		fail_msg("%s", scanned->table.problems.items[0].message);
}

static const struct gpt_entry_spec two_partitions[] = {
	{ .type = "28732ac11ff8d211ba4b00a0c93ec93b", .first = 2048, .last = 4095, .name = "ESP" },
	{ .first = 4096, .last = 8191, .attributes = 4, .name = "root" },
};

static inline struct image two_partition_disk(void)
{
	struct image image = image_new(8 * MIB, 512);
	put_gpt(&image, two_partitions, 2);
	return image;
}
