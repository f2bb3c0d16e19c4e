// Which distribution and which init an image has.
//
// Sources: os-release(5); the kernel's order of init programs (init/main.c: /sbin/init first).
#include <string.h>

#include "os/lines.h"
#include "os/system.h"

#define OS_RELEASE_MOST ((size_t)64 << 10)
#define INITTAB_MOST    ((size_t)256 << 10)

/*
 * A value as a shell would read it: bare, in single quotes (verbatim), or in double quotes, where a backslash
 * protects '"', '$', '`' and itself.
 */
static const char *unquote(struct span value, struct arena *arena)
{
	char *out = arena_alloc(arena, value.size + 1);
	size_t used = 0;
	uint8_t quote = 0;
	for (size_t i = 0; i < value.size; i++) {
		uint8_t character = value.data[i];
		if (quote ? character == quote : character == '"' || character == '\'') {
			quote = quote ? 0 : character;
			continue;
		}
		bool escapes = character == '\\' && quote != '\'' && i + 1 < value.size;
		if (escapes && (!quote || strchr("\"$`\\", value.data[i + 1])))
			character = value.data[++i];
		if (character == 0)
			break;
		out[used++] = (char)character;
	}
	return out;
}

static void read_os_release(const struct tree *tree, struct arena *arena, struct os *out)
{
	static const char *const paths[] = { "/etc/os-release", "/usr/lib/os-release" };
	struct file_lines file = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(paths) && file.present != ANSWER_YES; i++)
		file = file_lines_open(tree, paths[i], OS_RELEASE_MOST, arena);
	if (file.present != ANSWER_YES)
		return;
	out->place = file.place;
	struct span line;
	while (file_lines_next(&file, &line)) {
		size_t equals = span_find(line, 0, "=", 1);
		if (equals == SIZE_MAX || line.data[0] == '#')
			continue;
		struct span name = span_of(line.data, equals);
		const char *value = unquote(span_from(line, equals + 1), arena);
		if (span_equal_text(name, "ID"))
			out->id = value;
		else if (span_equal_text(name, "ID_LIKE"))
			out->id_like = value;
		else if (span_equal_text(name, "VERSION_ID"))
			out->version = value;
		else if (span_equal_text(name, "PRETTY_NAME"))
			out->name = value;
	}
}

/* Do the boot scripts of inittab start OpenRC? So do Alpine's and Gentoo's. */
static bool inittab_starts_openrc(const struct tree *tree, struct arena *arena)
{
	struct file_lines file = file_lines_open(tree, "/etc/inittab", INITTAB_MOST, arena);
	struct span line;
	while (file_lines_next(&file, &line))
		if (line.data[0] != '#' && span_find(line, 0, "openrc", 6) != SIZE_MAX)
			return true;
	return false;
}

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void find_init(const struct tree *tree, struct arena *arena, struct os *out)
{
	static const char *const paths[] = { "/sbin/init", "/usr/sbin/init", "/etc/init", "/bin/init" };
	struct tree_file file;
	struct error error = { 0 };
	out->init = "unknown";
	bool found = false;
	out->init_found = ANSWER_NO;
	for (size_t i = 0; i < ARRAY_SIZE(paths) && !found; i++) {
		found = tree_lookup(tree, paths[i], &file, &error) && file.node.type == NODE_FILE;
		if (!found && error.code != ERROR_NOT_FOUND)
			out->init_found = ANSWER_UNKNOWN;
	}
	if (!found)
		return;
	out->init_found = ANSWER_YES;
	out->init_place = tree_place(&file, 0, NULL, arena);
	const char *name = last_component(file.path);
	if (str_equal(name, "systemd"))
		out->init = "systemd";
	else if (str_equal(name, "openrc-init") || inittab_starts_openrc(tree, arena))
		out->init = "openrc";
	else if (str_equal(name, "busybox"))
		out->init = "busybox";
	else if (str_equal(name, "init") && tree_exists(tree, "/etc/inittab"))
		out->init = "sysvinit";
}

/* Is the sysctl program busybox? */
static bool sysctl_is_busybox(const struct tree *tree)
{
	static const char *const paths[] = { "/sbin/sysctl", "/usr/sbin/sysctl", "/bin/sysctl",
		                             "/usr/bin/sysctl" };
	struct tree_file file;
	struct error error = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (tree_lookup(tree, paths[i], &file, &error))
			return str_starts(last_component(file.path), "busybox");
	return false;
}

/* Does sysvinit run Debian's script for procps when it starts? */
static bool starts_procps(const struct tree *tree, struct arena *arena)
{
	struct names names = { 0 };
	struct error error = { 0 };
	if (!tree_names(tree, "/etc/rcS.d", arena, &names, &error))
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (names.items[i][0] == 'S' && str_ends(names.items[i], "procps"))
			return true;
	return false;
}

static enum sysctl_applier find_applier(const struct tree *tree, const struct os *os, struct arena *arena)
{
	if (str_equal(os->init, "systemd"))
		return tree_exists(tree, "/usr/lib/systemd/systemd-sysctl") ||
		                       tree_exists(tree, "/lib/systemd/systemd-sysctl")
		               ? SYSCTL_APPLIER_SYSTEMD
		               : SYSCTL_APPLIER_UNKNOWN;
	if (str_equal(os->init, "sysvinit"))
		return starts_procps(tree, arena) ? SYSCTL_APPLIER_PROCPS : SYSCTL_APPLIER_UNKNOWN;
	if (str_equal(os->init, "openrc") && tree_exists(tree, "/etc/runlevels/boot/sysctl")) {
		if (!sysctl_is_busybox(tree))
			return SYSCTL_APPLIER_PROCPS;
		/* Alpine ships a script of its own, which reads other directories than OpenRC's. */
		if (!str_equal(os->id, "alpine"))
			return SYSCTL_APPLIER_BUSYBOX;
	}
	return SYSCTL_APPLIER_UNKNOWN;
}

void os_identify(const struct tree *tree, struct arena *arena, struct os *out)
{
	*out = (struct os){ 0 };
	read_os_release(tree, arena, out);
	find_init(tree, arena, out);
	out->sysctl_applier = find_applier(tree, out, arena);
}
