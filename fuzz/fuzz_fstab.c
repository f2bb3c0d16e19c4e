// /etc/fstab, with os-release read from the same bytes.
#include "../tests/unit/memory_fs.h"
#include "os/system.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_fs files = { 0 };
	struct arena arena = { 0 };
	memory_add(&files, "/etc/fstab", NODE_FILE, span_of(data, size), 0644);
	memory_add(&files, "/etc/os-release", NODE_FILE, span_of(data, size), 0644);
	memory_add(&files, "/etc/inittab", NODE_FILE, span_of(data, size), 0644);
	memory_file(&files, "/sbin/init", "");
	struct tree tree = memory_tree(&files);
	struct fstab fstab;
	struct os os;
	fstab_read(&tree, &arena, &fstab);
	os_identify(&tree, &arena, &os);
	for (size_t i = 0; i < fstab.entries.count; i++) {
		const struct mount_entry *entry = &fstab.entries.items[i];
		if (!entry->device || !entry->path || !entry->type || !entry->options ||
		    entry->place.line == 0)
			__builtin_trap();
	}
	arena_free(&arena);
	memory_free(&files);
	return 0;
}
