// Kernel configurations: the text, and where it is found.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memory_fs.h"
#include "os/kernel.h"
#include "tools.h"

/* The head of Debian 12's config-6.1.0-50-cloud-amd64, and some lines of it. */
#define DEBIAN                                                                                               \
	"#\n"                                                                                                \
	"# Automatically generated file; DO NOT EDIT.\n"                                                     \
	"# Linux/x86 6.1.176 Kernel Configuration\n"                                                         \
	"#\n"                                                                                                \
	"CONFIG_CC_VERSION_TEXT=\"gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0\"\n"                              \
	"CONFIG_CC_IS_GCC=y\n"                                                                               \
	"CONFIG_GCC_VERSION=120200\n"                                                                        \
	"CONFIG_LOCALVERSION=\"\"\n"                                                                         \
	"# CONFIG_LOCALVERSION_AUTO is not set\n"                                                            \
	"\n"                                                                                                 \
	"#\n"                                                                                                \
	"# IRQ subsystem\n"                                                                                  \
	"#\n"                                                                                                \
	"CONFIG_SCSI_VIRTIO=m\n"                                                                             \
	"CONFIG_LSM=\"landlock,lockdown,yama,loadpin,safesetid,integrity\"\n"                                \
	"# end of Kernel hacking\n"

static void assert_value(const struct kernel_config *config, const char *symbol, const char *value,
                         uint64_t line)
{
	const struct config_symbol *found = kernel_config_get(config, symbol);
	if (!value) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found->value, value);
	assert_int_equal(found->line, line);
}

static void reads_a_whole_configuration(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct kernel_config config;
	kernel_config_parse(span_text(DEBIAN), NULL, &arena, &config);
	assert_int_equal(config.complete, ANSWER_YES);
	assert_string_equal(config.version, "6.1.176");
	assert_int_equal(config.symbols.count, 7);
	assert_value(&config, "CC_VERSION_TEXT", "gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0", 5);
	assert_value(&config, "CC_IS_GCC", "y", 6);
	assert_value(&config, "GCC_VERSION", "120200", 7);
	assert_value(&config, "LOCALVERSION", "", 8);
	assert_value(&config, "LOCALVERSION_AUTO", "n", 9);
	assert_value(&config, "SCSI_VIRTIO", "m", 14);
	assert_value(&config, "LSM", "landlock,lockdown,yama,loadpin,safesetid,integrity", 15);
	assert_value(&config, "SCSI", NULL, 0);
	assert_string_equal(kernel_config_get(&config, "LOCALVERSION_AUTO")->text,
	                    "# CONFIG_LOCALVERSION_AUTO is not set");
	arena_free(&arena);
}

static void keeps_only_what_is_wanted(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct kernel_config config;
	const char *items[] = { "LSM", "SCSI_VIRTIO", "NO_SUCH", "LOCALVERSION_AUTO", "LSM", "" };
	struct names wanted = { items, ARRAY_SIZE(items) };
	kernel_config_parse(span_text(DEBIAN), &wanted, &arena, &config);
	assert_int_equal(config.symbols.count, 3);
	assert_value(&config, "LOCALVERSION_AUTO", "n", 9);
	assert_value(&config, "SCSI_VIRTIO", "m", 14);
	assert_value(&config, "LSM", "landlock,lockdown,yama,loadpin,safesetid,integrity", 15);
	assert_value(&config, "NO_SUCH", NULL, 0);
	assert_string_equal(config.symbols.items[0].symbol, "LOCALVERSION_AUTO");
	struct names none = { NULL, 0 };
	kernel_config_parse(span_text(DEBIAN), &none, &arena, &config);
	assert_int_equal(config.symbols.count, 0);
	assert_int_equal(config.complete, ANSWER_YES);
	arena_free(&arena);
}

static void the_last_line_of_a_symbol_counts(void **state)
{
	(void)state;
	static const char text[] = "CONFIG_A=y\nCONFIG_B=m\n# CONFIG_A is not set\nCONFIG_C=1\nCONFIG_A=m\n"
				   "# CONFIG_C is not set\n";
	const char *items[] = { "A", "B", "C" };
	struct names wanted = { items, ARRAY_SIZE(items) };
	const struct names *const all_or_some[] = { NULL, &wanted };
	for (size_t i = 0; i < 2; i++) {
		struct arena arena = { 0 };
		struct kernel_config config;
		kernel_config_parse(span_text(text), all_or_some[i], &arena, &config);
		assert_int_equal(config.symbols.count, 3);
		assert_value(&config, "A", "m", 5);
		assert_value(&config, "B", "m", 2);
		assert_value(&config, "C", "n", 6);
		assert_string_equal(config.symbols.items[0].symbol, "A");
		arena_free(&arena);
	}
}

static void tells_whole_configurations_from_fragments(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum answer complete;
		const char *version;
	} cases[] = {
		{ "CONFIG_A=y\n", ANSWER_NO, NULL },
		{ "", ANSWER_NO, NULL },
		/* make savedefconfig and a fragment of our own */
		{ "# enable virtio\nCONFIG_VIRTIO=y\n", ANSWER_NO, NULL },
		{ "#\n# Automatically generated file; DO NOT EDIT.\n#\nCONFIG_A=y\n", ANSWER_YES, NULL },
		{ "# Linux/arm64 6.6.9-x Kernel Configuration\nCONFIG_A=y\n", ANSWER_YES, "6.6.9-x" },
		{ "# Linux/x86_64 4.18.0 Kernel Configuration\r\nCONFIG_A=y\r\n", ANSWER_YES, "4.18.0" },
		/* a header that comes after the first symbol is somebody's comment */
		{ "CONFIG_A=y\n# Linux/x86 6.1.0 Kernel Configuration\n", ANSWER_NO, NULL },
		{ "# Linux/x86 Kernel Configuration\nCONFIG_A=y\n", ANSWER_NO, NULL },
		/* cut off in the middle of a line: what is absent may have been lost */
		{ "# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_A=y\nCONFIG_SCS", ANSWER_NO, "6.1.0" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = { 0 };
		struct kernel_config config;
		kernel_config_parse(span_text(cases[i].text), NULL, &arena, &config);
		assert_int_equal(config.complete, cases[i].complete);
		if (cases[i].version)
			assert_string_equal(config.version, cases[i].version);
		else
			assert_null(config.version);
		arena_free(&arena);
	}
}

static void reads_values_as_kconfig_does(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct kernel_config config;
	kernel_config_parse(span_text("CONFIG_QUOTES=\"a \\\"b\\\" \\\\ c\" rest\r\n"
	                              "CONFIG_OPEN=\"no end\n"
	                              "CONFIG_HEX=0xdead0000\n"
	                              "CONFIG_EQUALS=a=b\n"
	                              "CONFIG_EMPTY=\n"
	                              " CONFIG_INDENTED=y\n"
	                              "#CONFIG_TIGHT is not set\n"
	                              "# CONFIG_ODD is not there\n"
	                              "# CONFIG_ is not set\n"
	                              "CONFIG_=y\n"
	                              "CONFIG_NOT-ONE=y\n"
	                              "CONFIG_NOTHING\n"),
	                    NULL, &arena, &config);
	assert_int_equal(config.symbols.count, 5);
	assert_value(&config, "QUOTES", "a \"b\" \\ c", 1);
	assert_value(&config, "OPEN", "no end", 2);
	assert_value(&config, "HEX", "0xdead0000", 3);
	assert_value(&config, "EQUALS", "a=b", 4);
	assert_value(&config, "EMPTY", "", 5);
	arena_free(&arena);
}

static struct span ikconfig(const char *text, struct arena *arena)
{
	struct span member = tool_filter(COMMAND("gzip", "-n"), span_text(text), arena);
	struct span file = joined(span_of("\177ELF\2\1              >\0", 20), span_text("IKCFG_ST"), arena);
	return joined(joined(file, member, arena), span_text("IKCFG_ED"), arena);
}

static struct kernel_config find(struct memory_fs *files, const char *version, struct span kernel,
                                 struct arena *arena)
{
	struct tree tree = memory_tree(files);
	struct reader image = reader_of_span(&kernel);
	struct budget budget = budget_default();
	const struct place place = { .partition = 3, .path = "/boot/vmlinuz-6.1.0" };
	struct kernel_config config;
	kernel_config_find(&tree, version, kernel.size ? &image : NULL, &place, NULL, &budget, arena,
	                   &config);
	return config;
}

static void finds_the_file_beside_the_kernel_first(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	struct span kernel = ikconfig(DEBIAN "CONFIG_FROM=\"kernel\"\n", &arena);
	struct kernel_config config;

	config = find(&files, "6.1.0", kernel, &arena);
	assert_string_equal(config.source, "IKCONFIG in /boot/vmlinuz-6.1.0");
	assert_string_equal(config.place.path, "/boot/vmlinuz-6.1.0");
	assert_int_equal(config.place.partition, 3);
	assert_string_equal(kernel_config_get(&config, "FROM")->value, "kernel");
	assert_int_equal(kernel_config_get(&config, "FROM")->line, 17);

	memory_file(&files, "/lib/modules/6.1.0/config", DEBIAN "CONFIG_FROM=\"lib\"\n");
	config = find(&files, "6.1.0", kernel, &arena);
	assert_string_equal(config.source, "/lib/modules/6.1.0/config");
	memory_file(&files, "/usr/lib/modules/6.1.0/config", DEBIAN "CONFIG_FROM=\"usr\"\n");
	config = find(&files, "6.1.0", kernel, &arena);
	assert_string_equal(config.source, "/usr/lib/modules/6.1.0/config");
	memory_file(&files, "/boot/config-6.1.0", DEBIAN "CONFIG_FROM=\"boot\"\n");
	config = find(&files, "6.1.0", kernel, &arena);
	assert_string_equal(config.source, "/boot/config-6.1.0");
	assert_string_equal(config.place.path, "/boot/config-6.1.0");
	assert_int_equal(config.place.partition, 1);
	assert_string_equal(kernel_config_get(&config, "FROM")->value, "boot");
	assert_null(config.reason);
	memory_free(&files);
	arena_free(&arena);
}

static void a_whole_configuration_beats_a_fragment(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	struct span kernel = ikconfig(DEBIAN, &arena);
	memory_file(&files, "/boot/config-6.1.0", "CONFIG_A=y\n");
	memory_file(&files, "/lib/modules/6.1.0/config", "");
	struct kernel_config config = find(&files, "6.1.0", kernel, &arena);
	assert_string_equal(config.source, "IKCONFIG in /boot/vmlinuz-6.1.0");
	/* and without one, the fragment is what there is */
	config = find(&files, "6.1.0", (struct span){ 0 }, &arena);
	assert_string_equal(config.source, "/boot/config-6.1.0");
	assert_int_equal(config.complete, ANSWER_NO);
	memory_free(&files);
	arena_free(&arena);
}

static void finds_the_configuration_in_a_module(void **state)
{
	(void)state;
	const struct {
		const char *path;
		const char *const *command;
	} cases[] = {
		{ "/lib/modules/6.1.0/kernel/kernel/configs.ko", NULL },
		{ "/lib/modules/6.1.0/kernel/kernel/configs.ko.xz", COMMAND("xz") },
		{ "/lib/modules/6.1.0/kernel/kernel/configs.ko.zst", COMMAND("zstd") },
		{ "/lib/modules/6.1.0/kernel/kernel/configs.ko.gz", COMMAND("gzip") },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena = { 0 };
		struct memory_fs files = { 0 };
		struct span module = ikconfig(DEBIAN, &arena);
		if (cases[i].command)
			module = tool_filter(cases[i].command, module, &arena);
		memory_add(&files, cases[i].path, NODE_FILE, module, 0644);
		struct kernel_config config = find(&files, "6.1.0", (struct span){ 0 }, &arena);
		assert_int_equal(config.complete, ANSWER_YES);
		assert_string_equal(config.place.path, cases[i].path);
		memory_free(&files);
		arena_free(&arena);
	}
}

static void says_why_there_is_none(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct memory_fs files = { 0 };
	memory_file(&files, "/boot/config-6.1.0", "nothing of the sort\n");
	struct kernel_config config =
		find(&files, "6.1.0", span_text("\177ELF and no more of a kernel"), &arena);
	assert_int_equal(config.complete, ANSWER_UNKNOWN);
	assert_null(config.source);
	assert_non_null(strstr(config.reason, "/boot/config-6.1.0: holds no line of a configuration"));
	assert_non_null(strstr(config.reason, "IKCONFIG"));

	/* a version that is a path looks for no file */
	memory_file(&files, "/etc/secret", DEBIAN);
	config = find(&files, "/../../etc/secret", (struct span){ 0 }, &arena);
	assert_null(config.source);
	config = find(&files, NULL, (struct span){ 0 }, &arena);
	assert_null(config.source);
	assert_non_null(config.reason);
	memory_free(&files);
	arena_free(&arena);
}

static const char *look(const char *text)
{
	static struct arena arena;
	const char *other;
	arena_free(&arena);
	arena = (struct arena){ 0 };
	bool is_one = kernel_config_matches(span_text(text), &arena, &other);
	return other ? other : is_one ? "yes" : "no";
}

static void tells_configurations_by_their_content(void **state)
{
	(void)state;
	assert_string_equal(look(DEBIAN), "yes");
	assert_string_equal(look("CONFIG_A=y\n# CONFIG_B is not set\n\n# why\nCONFIG_C=\"x\"\n"), "yes");
	/* the beginning of a longer text */
	assert_string_equal(look("CONFIG_A=y\nCONF"), "yes");
	assert_string_equal(look("#\n# Linux/arm64 6.1.0 Kernel Configuration\n#\n"), "yes");
	assert_string_equal(look(""), "no");
	assert_string_equal(look("# a comment\n# another\n"), "no");
	assert_string_equal(look("CONFIG_A=y\nexport CONFIG_A\n"), "no");
	assert_string_equal(look("CONFIG_DIR=/etc\ncp -r $CONFIG_DIR /tmp\n"), "no");
	assert_string_equal(
		look("# Automatically generated file; DO NOT EDIT.\n# U-Boot 2023.01 Configuration\n"
	             "CONFIG_ARM=y\n"),
		"U-Boot 2023.01 Configuration");
	assert_string_equal(look("#\n# Automatically generated make config: don't edit\n"
	                         "# Busybox version: 1.36.1\nCONFIG_ASH=y\n"),
	                    "Busybox version: 1.36.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_whole_configuration),
		cmocka_unit_test(keeps_only_what_is_wanted),
		cmocka_unit_test(the_last_line_of_a_symbol_counts),
		cmocka_unit_test(tells_whole_configurations_from_fragments),
		cmocka_unit_test(reads_values_as_kconfig_does),
		cmocka_unit_test(finds_the_file_beside_the_kernel_first),
		cmocka_unit_test(a_whole_configuration_beats_a_fragment),
		cmocka_unit_test(finds_the_configuration_in_a_module),
		cmocka_unit_test(says_why_there_is_none),
		cmocka_unit_test(tells_configurations_by_their_content),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
