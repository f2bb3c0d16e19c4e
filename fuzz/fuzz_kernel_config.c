// Any text as a kernel configuration: keeping all and keeping some must agree.
#include <stdint.h>
#include <stdlib.h>

#include "os/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *items[] = { "A", "B", "SCSI_VIRTIO", "LSM", "DEFAULT_MMAP_MIN_ADDR" };
	struct names wanted = { items, ARRAY_SIZE(items) };
	struct arena arena = { 0 };
	struct kernel_config all, some;
	kernel_config_parse(span_of(data, size), NULL, &arena, &all);
	kernel_config_parse(span_of(data, size), &wanted, &arena, &some);
	if (all.complete != some.complete || some.symbols.count > wanted.count)
		abort();
	for (size_t i = 0; i < wanted.count; i++) {
		const struct config_symbol *one = kernel_config_get(&all, items[i]);
		const struct config_symbol *other = kernel_config_get(&some, items[i]);
		if (!one != !other)
			abort();
		if (one && (one->line != other->line || !str_equal(one->value, other->value)))
			abort();
	}
	arena_free(&arena);
	return 0;
}
