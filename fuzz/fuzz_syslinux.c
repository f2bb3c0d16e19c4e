// SYSLINUX's configuration, with lines "=== PATH" for further files of the same file system.
#include <stdlib.h>

#include "../tests/unit/boot_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_files(struct test_disk *test, struct span input)
{
	const char *path = "/boot/extlinux/extlinux.conf";
	while (input.size > 0) {
		size_t next = span_find(input, 0, "\n=== ", 5);
		struct span content = input, name;
		if (next != SIZE_MAX)
			content.size = next + 1;
		memory_add(&test->root, path, NODE_FILE, content, 0644);
		input = next == SIZE_MAX ? (struct span){ 0 } : span_from(input, next + 5);
		if (!span_next_line(&input, &name) || name.size < 2 || name.data[0] != '/')
			return;
		path = arena_string(&test->arena, name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct test_disk test;
	struct boot boot = { 0 };
	struct error error = { 0 };
	struct firmware_path way = { .path = { .loader = "syslinux", .config_partition = 3 } };
	if (size > 65536)
		return 0;
	test_start(&test);
	add_files(&test, span_of(data, size));
	test_open(&test);
	test.budget = (struct budget){ .inflated_left = 1 << 20, .steps_left = 20000 };
	way.path.config = "/boot/extlinux/extlinux.conf";
	if (!syslinux_read_menu(&test.disk, &way, &boot, &error) ||
	    (!boot.timeout && boot.default_known != ANSWER_UNKNOWN) ||
	    (boot.default_known == ANSWER_YES ? boot.default_index >= boot.entries.count
	                                      : !boot.default_reason))
		abort();
	test_end(&test);
	return 0;
}
