// Any text as modules.dep and modules.builtin: a line of dashes divides the input.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/unit/memory_fs.h"
#include "os/kernel.h"

#define FOLDER "/lib/modules/6.1.0/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *items[] = { "a", "virtio_scsi", "ext4" };
	struct names wanted = { items, ARRAY_SIZE(items) };
	struct span input = span_of(data, size);
	size_t border = span_find(input, 0, "\n----\n", 6);
	struct memory_fs files = { 0 };
	struct arena arena = { 0 };
	struct kernel kernel = { .version = "6.1.0" };
	if (border != SIZE_MAX) {
		memory_add(&files, FOLDER "modules.builtin", NODE_FILE, span_of(data, border), 0644);
		input = span_from(input, border + 6);
	}
	memory_add(&files, FOLDER "modules.dep", NODE_FILE, input, 0644);
	memory_file(&files, FOLDER "a.ko", "module");
	memory_file(&files, FOLDER "kernel/drivers/scsi/virtio_scsi.ko", "module");
	struct tree tree = memory_tree(&files);
	struct budget budget = { .steps_left = 100000 };
	struct module_question question = { .wanted = wanted, .early = wanted };
	kernel_modules_find(&tree, &question, NULL, &budget, &arena, &kernel);
	if (kernel.modules.count != wanted.count)
		abort();
	for (size_t i = 0; i < kernel.modules.count; i++) {
		const struct kernel_module *module = &kernel.modules.items[i];
		if ((module->state == MODULE_FILE) != (module->file != NULL) || !module->needs ||
		    module->in_initramfs == ANSWER_YES)
			abort();
	}
	arena_free(&arena);
	memory_free(&files);
	return 0;
}
