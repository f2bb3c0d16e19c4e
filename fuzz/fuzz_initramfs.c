// Any bytes as an initramfs: segments, entries, compressed archives.
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/initramfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool check_entry(void *context, const struct cpio_entry *entry)
{
	uint64_t *entries = context;
	if (strlen(entry->name) >= PATH_MAX)
		abort();
	++*entries;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_of(data, size);
	struct reader reader = reader_of_span(&input);
	struct arena arena = { 0 };
	struct budget budget = { .inflated_left = 1 << 20, .steps_left = 20000 };
	struct error error = { 0 };
	struct initramfs initramfs;
	uint64_t entries = 0, counted = 0;
	bool sound = initramfs_walk(&reader, &budget, &arena, check_entry, &entries, &initramfs, &error);
	for (size_t i = 0; i < initramfs.segments.count; i++)
		counted += initramfs.segments.items[i].entries;
	if (counted != entries || sound != initramfs.whole || sound == (error.code != ERROR_NONE))
		abort();
	arena_free(&arena);
	return 0;
}
