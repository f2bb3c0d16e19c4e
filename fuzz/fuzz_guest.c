// Guest settings over a crafted tree, in the form of memory_parse().
#include "../tests/unit/memory_fs.h"
#include "os/system.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_fs files = { 0 };
	struct arena arena = { 0 };
	struct observations seen = { 0 };
	memory_parse(&files, span_of(data, size));
	struct tree tree = memory_tree(&files);
	struct os os;
	os_identify(&tree, &arena, &os);
	guest_observe(&tree, &os, &arena, &seen);
	for (size_t i = 0; i < seen.items.count; i++)
		if (!seen.items.items[i].reason)
			__builtin_trap();
	arena_free(&arena);
	memory_free(&files);
	return 0;
}
