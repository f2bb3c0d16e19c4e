// The files, lines, patterns and values of sysctl.d, as each applier reads them. The first byte chooses the
// applier; the rest is a tree in the form of memory_parse().
#include "../tests/unit/memory_fs.h"
#include "os/sysctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *wanted[] = { "net.ipv4.conf.all.rp_filter", "net.ipv4.ip_forward",
		                        "kernel.kptr_restrict", "kernel.yama.ptrace_scope" };
	struct memory_fs files = { 0 };
	struct arena arena = { 0 };
	struct budget budget = { .inflated_left = 1 << 20, .steps_left = 200000 };
	struct names keys = { wanted, ARRAY_SIZE(wanted) };
	struct kernel kernel = { .version = "6.1.0", .banner = "6.1.0 Debian" };
	memory_parse(&files, span_from(span_of(data, size), 1));
	/* A file of the tree stands for the command line. */
	struct tree tree = memory_tree(&files);
	struct span line = { 0 };
	struct error error = { 0 };
	if (!tree_load(&tree, "/cmdline", 4096, &arena, &line, NULL, &error))
		line = (struct span){ 0 };
	struct sysctl_system image = {
		.tree = &tree,
		.applier = size ? (enum sysctl_applier)(data[0] % 4) : SYSCTL_APPLIER_SYSTEMD,
		.command_line = arena_string(&arena, line),
		.kernel = &kernel,
	};
	sysctl_predict_all(&image, &keys, &budget, &arena, &kernel);
	if (kernel.sysctls.count < keys.count)
		__builtin_trap();
	for (size_t i = 0; i < kernel.sysctls.count; i++)
		if (!kernel.sysctls.items[i].reason || !kernel.sysctls.items[i].key)
			__builtin_trap();
	arena_free(&arena);
	memory_free(&files);
	return 0;
}
