// What the kernel starts with. The values of the mainline sources did not change from 5.10 to today; what
// differs are the patches of distributions and a few configuration symbols.
//
// Sources: Documentation/networking/ip-sysctl.rst, Documentation/admin-guide/sysctl/{kernel,fs}.rst and
// Documentation/admin-guide/LSM/Yama.rst of the kernel; the patches of Debian's and Ubuntu's kernels.
#include <string.h>

#include "os/sysctl_private.h"

const char *const sysctl_default_symbols[] = {
	"SYN_COOKIES", "COMPAT_BRK", "SECURITY_YAMA",         "LSM", "SECURITY_PERF_EVENTS_RESTRICT",
	"PERF_EVENTS", "INET",       "DEFAULT_MMAP_MIN_ADDR", NULL,
};

/* Whose patches are in the kernel. */
enum vendor {
	VENDOR_UNKNOWN,
	VENDOR_MAINLINE,
	VENDOR_DEBIAN,
	VENDOR_UBUNTU,
};

static const char *const vendor_names[] = { "unknown", "mainline", "Debian's kernel", "Ubuntu's kernel" };

/* "6.18.44" and "6.19.0-rc3" are nobody's flavour: built from the sources as they are. */
static bool plain_version(const char *version)
{
	size_t digits = strspn(version, "0123456789.");
	const char *rest = version + digits;
	if (digits == 0)
		return false;
	if (str_starts(rest, "-rc"))
		rest += 3 + strspn(rest + 3, "0123456789");
	return *rest == 0 || strcmp(rest, "+") == 0;
}

static enum vendor vendor_of(const struct kernel *kernel)
{
	const char *banner = kernel->banner ? kernel->banner : "";
	if (strstr(banner, "debian-kernel@") || strstr(banner, "Debian"))
		return VENDOR_DEBIAN;
	if (strstr(banner, "Ubuntu"))
		return VENDOR_UBUNTU;
	if (*banner && kernel->version && plain_version(kernel->version))
		return VENDOR_MAINLINE;
	return VENDOR_UNKNOWN;
}

/* Is the symbol set to y? Absence counts only in a complete configuration. */
static enum answer symbol_is_yes(const struct kernel *kernel, const char *symbol)
{
	const struct config_symbol *found = kernel_config_get(&kernel->config, symbol);
	if (found)
		return strcmp(found->value, "y") == 0 ? ANSWER_YES : ANSWER_NO;
	return kernel->config.complete == ANSWER_YES ? ANSWER_NO : ANSWER_UNKNOWN;
}

static bool older_than(const struct kernel *kernel, const char *version)
{
	return kernel->version && version_compare(kernel->version, version) < 0;
}

/* Is `word` one of the comma-separated words? */
static bool has_token(const char *list, const char *word)
{
	size_t length = strlen(word);
	while (*list) {
		size_t size = strcspn(list, ",");
		if (size == length && strncmp(list, word, length) == 0)
			return true;
		list += size + (list[size] == ',');
	}
	return false;
}

static void set(struct sysctl_cell *cell, const char *value, const char *reason)
{
	cell->value = value;
	cell->source = SYSCTL_KERNEL_DEFAULT;
	cell->reason = reason;
}

static void set_absent(struct sysctl_cell *cell, const char *reason)
{
	cell->value = NULL;
	cell->source = SYSCTL_ABSENT;
	cell->reason = reason;
}

static void set_unknown(struct sysctl_cell *cell, const char *reason)
{
	cell->value = NULL;
	cell->source = SYSCTL_UNKNOWN;
	cell->reason = reason;
}

static void default_syncookies(const struct sysctl_system *system, struct arena *arena,
                               struct sysctl_cell *cell)
{
	(void)arena;
	switch (symbol_is_yes(system->kernel, "SYN_COOKIES")) {
	case ANSWER_YES:
		set(cell, "1", "kernel default");
		return;
	case ANSWER_NO:
		set_absent(cell, "the kernel is built without CONFIG_SYN_COOKIES");
		return;
	case ANSWER_UNKNOWN:
		set_unknown(cell, "no file sets it, and without the kernel's configuration it is not known "
		                  "whether the kernel has CONFIG_SYN_COOKIES");
	}
}

static void default_randomize(const struct sysctl_system *system, struct arena *arena,
                              struct sysctl_cell *cell)
{
	(void)arena;
	if (command_line_has(system->command_line, "norandmaps", NULL, 0)) {
		set(cell, "0", "norandmaps on the kernel command line");
		cell->source = SYSCTL_COMMAND_LINE;
		cell->place = system->command_line_place;
		return;
	}
	switch (symbol_is_yes(system->kernel, "COMPAT_BRK")) {
	case ANSWER_YES:
		set(cell, "1", "kernel default with CONFIG_COMPAT_BRK=y");
		return;
	case ANSWER_NO:
		set(cell, "2", "kernel default");
		return;
	case ANSWER_UNKNOWN:
		set_unknown(cell, "no file sets it, and the default depends on CONFIG_COMPAT_BRK, which is "
		                  "not known");
	}
}

/*
 * Yama counts only when it is started: always before 5.1; since then it must be named in CONFIG_LSM, or in
 * lsm= on the command line, which replaces the list. security= does not drop it.
 */
static enum answer yama_active(const struct sysctl_system *system, struct arena *arena, const char **reason)
{
	char list[1024];
	enum answer built = symbol_is_yes(system->kernel, "SECURITY_YAMA");
	if (built == ANSWER_NO) {
		*reason = "the kernel is built without CONFIG_SECURITY_YAMA";
		return ANSWER_NO;
	}
	if (older_than(system->kernel, "5.1"))
		return built;
	if (command_line_has(system->command_line, "lsm", list, sizeof(list))) {
		if (has_token(list, "yama"))
			return built;
		*reason = arena_printf(arena, "lsm=%s on the kernel command line leaves Yama out", list);
		return ANSWER_NO;
	}
	const struct config_symbol *symbol = kernel_config_get(&system->kernel->config, "LSM");
	if (!symbol)
		return ANSWER_UNKNOWN;
	if (has_token(symbol->value, "yama"))
		return built;
	*reason = arena_printf(arena, "CONFIG_LSM=\"%s\" leaves Yama out", symbol->value);
	return ANSWER_NO;
}

static void default_ptrace(const struct sysctl_system *system, struct arena *arena, struct sysctl_cell *cell)
{
	const char *reason = NULL;
	enum answer active = yama_active(system, arena, &reason);
	if (active == ANSWER_NO) {
		set_absent(cell, reason);
		return;
	}
	if (active == ANSWER_UNKNOWN) {
		set_unknown(cell, "no file sets it, and without the kernel's configuration it is not known "
		                  "whether Yama is active");
		return;
	}
	switch (vendor_of(system->kernel)) {
	case VENDOR_DEBIAN:
		set(cell, "0", "kernel default, as Debian patches it");
		return;
	case VENDOR_MAINLINE:
		set(cell, "1", "kernel default");
		return;
	default:
		set_unknown(cell, "no file sets it, and distributions patch the kernel's default");
	}
}

static void default_protected(const struct sysctl_system *system, struct arena *arena,
                              struct sysctl_cell *cell)
{
	(void)arena;
	switch (vendor_of(system->kernel)) {
	case VENDOR_DEBIAN:
		set(cell, "1", "kernel default, as Debian patches it");
		return;
	case VENDOR_MAINLINE:
		set(cell, "0", "kernel default");
		return;
	default:
		set_unknown(cell, "no file sets it, and distributions patch the kernel's default");
	}
}

static void default_perf(const struct sysctl_system *system, struct arena *arena, struct sysctl_cell *cell)
{
	const struct kernel *kernel = system->kernel;
	enum vendor vendor = vendor_of(kernel);
	enum answer restricted = symbol_is_yes(kernel, "SECURITY_PERF_EVENTS_RESTRICT");
	if (symbol_is_yes(kernel, "PERF_EVENTS") == ANSWER_NO)
		set_absent(cell, "the kernel is built without CONFIG_PERF_EVENTS");
	else if (restricted == ANSWER_YES && vendor == VENDOR_DEBIAN)
		set(cell, "3", "kernel default with CONFIG_SECURITY_PERF_EVENTS_RESTRICT=y, Debian's patch");
	else if (restricted == ANSWER_YES && vendor == VENDOR_UBUNTU)
		set(cell, older_than(kernel, "5.4") ? "3" : "4",
		    "kernel default with CONFIG_SECURITY_PERF_EVENTS_RESTRICT=y, Ubuntu's patch");
	else if (restricted == ANSWER_YES)
		set(cell, "3", "kernel default with CONFIG_SECURITY_PERF_EVENTS_RESTRICT=y, 3 or more");
	else if (restricted == ANSWER_NO || vendor == VENDOR_MAINLINE)
		set(cell, older_than(kernel, "4.6") ? "1" : "2", "kernel default");
	else
		set_unknown(cell, arena_printf(arena,
		                               "no file sets it, and the default depends on "
		                               "CONFIG_SECURITY_PERF_EVENTS_RESTRICT, which is not known "
		                               "(vendor of the kernel: %s)",
		                               vendor_names[vendor]));
}

static void default_mmap_min_addr(const struct sysctl_system *system, struct arena *arena,
                                  struct sysctl_cell *cell)
{
	const struct config_symbol *symbol =
		kernel_config_get(&system->kernel->config, "DEFAULT_MMAP_MIN_ADDR");
	(void)arena;
	if (symbol)
		set(cell, symbol->value, "kernel default, CONFIG_DEFAULT_MMAP_MIN_ADDR");
	else
		set_unknown(cell, "no file sets it, and CONFIG_DEFAULT_MMAP_MIN_ADDR is not known");
}

typedef void default_fn(const struct sysctl_system *system, struct arena *arena, struct sysctl_cell *cell);

/* The keys of one number that are not per interface. */
struct key_row {
	const char *path;
	const char *value; /* the same everywhere; NULL: ask `find` */
	default_fn *find;
	int64_t least, most;
	const char *bounded_since; /* version that began to enforce the bounds; NULL: all */
};

static const struct key_row key_rows[] = {
	{ "net/ipv4/tcp_syncookies", NULL, default_syncookies, 0, UINT8_MAX, "5.13" },
	{ "net/ipv4/ip_forward", "0", NULL, INT32_MIN, INT32_MAX, NULL },
	{ "net/ipv4/icmp_echo_ignore_broadcasts", "1", NULL, 0, 1, "5.13" },
	{ "net/ipv4/icmp_ignore_bogus_error_responses", "1", NULL, 0, 1, "5.13" },
	{ "vm/mmap_min_addr", NULL, default_mmap_min_addr, 0, INT64_MAX, NULL },
	{ "kernel/randomize_va_space", NULL, default_randomize, INT32_MIN, INT32_MAX, NULL },
	{ "fs/protected_hardlinks", NULL, default_protected, 0, 1, NULL },
	{ "fs/protected_symlinks", NULL, default_protected, 0, 1, NULL },
	{ "kernel/kptr_restrict", "0", NULL, 0, 2, NULL },
	{ "kernel/yama/ptrace_scope", NULL, default_ptrace, 0, 3, NULL },
	{ "kernel/perf_event_paranoid", NULL, default_perf, INT32_MIN, INT32_MAX, NULL },
};

const struct sysctl_interface_key sysctl_interface_keys[] = {
	{ "accept_source_route", SYSCTL_COMBINE_AND, "0", "1" },
	{ "accept_redirects", SYSCTL_COMBINE_REDIRECTS, "1", "1" },
	{ "secure_redirects", SYSCTL_COMBINE_OR, "1", "1" },
	{ "shared_media", SYSCTL_COMBINE_OR, "1", "1" },
	{ "forwarding", SYSCTL_COMBINE_NONE, "0", "0" },
	{ "send_redirects", SYSCTL_COMBINE_OR, "1", "1" },
	{ "rp_filter", SYSCTL_COMBINE_MAX, "0", "0" },
	{ "log_martians", SYSCTL_COMBINE_OR, "0", "0" },
	{ NULL, SYSCTL_COMBINE_NONE, NULL, NULL },
};

static const char interface_prefix[] = "net/ipv4/conf/";

const struct sysctl_interface_key *sysctl_interface_key(const char *path, const char **scope, size_t *length)
{
	if (!str_starts(path, interface_prefix))
		return NULL;
	*scope = path + strlen(interface_prefix);
	*length = strcspn(*scope, "/");
	if ((*scope)[*length] != '/')
		return NULL;
	for (const struct sysctl_interface_key *key = sysctl_interface_keys; key->name; key++)
		if (strcmp(key->name, *scope + *length + 1) == 0)
			return key;
	return NULL;
}

static const struct key_row *row_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_rows); i++)
		if (strcmp(key_rows[i].path, path) == 0)
			return &key_rows[i];
	return NULL;
}

bool sysctl_number_range(const struct kernel *kernel, const char *path, int64_t *least, int64_t *most)
{
	const char *scope;
	size_t length;
	const struct key_row *row = row_of(path);
	if (!row && !sysctl_interface_key(path, &scope, &length))
		return false;
	bool bounded = row && (!row->bounded_since || !older_than(kernel, row->bounded_since));
	*least = bounded ? row->least : INT32_MIN;
	*most = bounded ? row->most : INT32_MAX;
	return true;
}

void sysctl_kernel_paths(struct arena *arena, struct names *paths)
{
	static const char *const scopes[] = { "all", "default", SYSCTL_INTERFACE };
	size_t rows = ARRAY_SIZE(key_rows), keys = ARRAY_SIZE(sysctl_interface_keys) - 1;
	const char **items = arena_alloc_array(arena, rows + keys * ARRAY_SIZE(scopes), sizeof(*items));
	size_t count = 0;
	for (size_t i = 0; i < rows; i++)
		items[count++] = key_rows[i].path;
	for (size_t i = 0; i < keys; i++)
		for (size_t j = 0; j < ARRAY_SIZE(scopes); j++)
			items[count++] = arena_printf(arena, "%s%s/%s", interface_prefix, scopes[j],
			                              sysctl_interface_keys[i].name);
	*paths = (struct names){ items, count };
}

void sysctl_default(const struct sysctl_system *system, const char *path, struct arena *arena,
                    struct sysctl_cell *cell)
{
	const char *scope;
	size_t length;
	const struct sysctl_interface_key *key = sysctl_interface_key(path, &scope, &length);
	const struct key_row *row = row_of(path);
	if (str_starts(path, "net/ipv4/") && symbol_is_yes(system->kernel, "INET") == ANSWER_NO)
		set_absent(cell, "the kernel is built without CONFIG_INET");
	else if (key)
		set(cell, strncmp(scope, "all", 3) == 0 && length == 3 ? key->all : key->initial,
		    "kernel default");
	else if (row && row->find)
		row->find(system, arena, cell);
	else if (row)
		set(cell, row->value, "kernel default");
	else
		set_unknown(cell, "no file sets it, and its default is not in the table of defaults");
}
