// Predicts sysctls for trees given as text, for comparison with the real programs.
//
//     predict_sysctl systemd|procps|busybox KERNEL-VERSION KEY... < TREES
//
// Each tree is in the form of memory_parse(), behind a line "@case SIZE". For each it prints one line a key:
// "path", tab, where the value comes from, tab, the value.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../unit/memory_fs.h"
#include "os/sysctl.h"

static const char *const source_names[] = { "unknown", "default", "file", "command-line", "absent" };

static void add_symbol(struct arena *arena, struct kernel *kernel, const char *symbol)
{
	struct config_symbol *added = LIST_ADD(arena, &kernel->config.symbols);
	*added = (struct config_symbol){ .symbol = symbol, .value = "y" };
}

static void predict(struct span text, enum sysctl_applier applier, const char *version,
                    const struct names *keys)
{
	struct memory_fs files = { 0 };
	memory_parse(&files, text);
	struct tree tree = memory_tree(&files);
	struct arena arena = { 0 };
	struct budget budget = budget_default();
	struct kernel kernel = { .version = version, .config.complete = ANSWER_YES };
	add_symbol(&arena, &kernel, "INET");
	add_symbol(&arena, &kernel, "SYN_COOKIES");
	struct sysctl_system system = { .tree = &tree, .applier = applier, .kernel = &kernel };
	sysctl_predict(&system, keys, &budget, &arena, &kernel);
	for (size_t i = 0; i < kernel.sysctls.count; i++) {
		const struct sysctl *found = &kernel.sysctls.items[i];
		printf("%s\t%s\t%s\n", found->key, source_names[found->source],
		       found->value ? found->value : "");
	}
	printf("@end\n");
	arena_free(&arena);
	memory_free(&files);
}

static struct span read_all(void)
{
	struct text all = { 0 };
	char buffer[65536];
	ssize_t got;
	while ((got = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		text_add_span(&all, span_of(buffer, (size_t)got));
	return span_of(all.data, all.size);
}

int main(int count, char **arguments)
{
	if (count < 4) {
		fprintf(stderr, "usage: predict_sysctl systemd|procps|busybox VERSION KEY... < TREES\n");
		return 3;
	}
	enum sysctl_applier applier = str_equal(arguments[1], "systemd")  ? SYSCTL_APPLIER_SYSTEMD
	                              : str_equal(arguments[1], "procps") ? SYSCTL_APPLIER_PROCPS
	                                                                  : SYSCTL_APPLIER_BUSYBOX;
	struct names keys = { (const char **)arguments + 3, (size_t)count - 3 };
	struct span whole = read_all(), text = whole, line, tree;
	char word[64];
	uint64_t size;
	while (span_next_line(&text, &line)) {
		snprintf(word, sizeof(word), "%.*s", (int)(line.size < 60 ? line.size : 60),
		         (const char *)line.data);
		if (!str_starts(word, "@case ") || !str_to_u64(word + 6, &size) ||
		    !span_slice(text, 0, (size_t)size, &tree)) {
			fprintf(stderr, "predict_sysctl: expected \"@case SIZE\", found \"%s\"\n", word);
			return 1;
		}
		predict(tree, applier, arguments[2], &keys);
		text = span_from(text, (size_t)size);
	}
	free((void *)(uintptr_t)whole.data);
	return 0;
}
