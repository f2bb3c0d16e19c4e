// Which files count. A file name is taken by the first directory that has it, whatever it is there: an empty
// file, a link to /dev/null and a dangling link all mask the same name further down.
//
// Source: sysctl.d(5) of systemd, sysctl(8) of procps-ng.
#include <stdlib.h>
#include <string.h>

#include "os/sysctl_private.h"

const char *const sysctl_directories[] = {
	"/etc/sysctl.d",
	"/run/sysctl.d",
	"/usr/local/lib/sysctl.d",
	"/usr/lib/sysctl.d",
	/* The same directory where /usr is merged; then all its names are taken already. */
	"/lib/sysctl.d",
	NULL,
};

static const char main_file[] = "/etc/sysctl.conf";

static bool has_name(const struct sysctl_files *files, const char *name)
{
	for (size_t i = 0; i < files->items.count; i++)
		if (strcmp(files->items.items[i].name, name) == 0)
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	const struct sysctl_file *first = a, *second = b;
	return strcmp(first->name, second->name);
}

/* Loads a file or finds that it is a mask: absent, dangling, or not a regular file. */
static bool load(const struct tree *tree, const char *path, struct arena *arena, bool *found,
                 struct span *content, struct place *place, struct error *error)
{
	struct tree_file file;
	*found = false;
	*content = (struct span){ 0 };
	*place = (struct place){ .path = arena_strdup(arena, path) };
	if (!tree_lookup(tree, path, &file, error)) {
		bool mask = error->code == ERROR_NOT_FOUND;
		if (mask)
			error_clear(error);
		return mask;
	}
	if (file.node.type != NODE_FILE)
		return true;
	*found = true;
	return tree_load(tree, path, SYSCTL_FILE_MOST, arena, content, place, error);
}

/* Directories come in order: what has a name already wins. */
static bool load_directory(const struct tree *tree, const char *directory, struct budget *budget,
                           struct arena *arena, struct sysctl_files *out, struct error *error)
{
	struct names names = { 0 };
	if (!tree_names(tree, directory, arena, &names, error))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		if (!str_ends(name, ".conf"))
			continue;
		if (!budget_step(budget, 1 + out->items.count, "sysctl files", error))
			return false;
		if (has_name(out, name))
			continue;
		const char *path = arena_printf(arena, "%s/%s", directory, name);
		struct span content;
		struct place place;
		bool found;
		if (!load(tree, path, arena, &found, &content, &place, error))
			return error_wrap(error, "%s", path);
		*LIST_ADD(arena, &out->items) =
			(struct sysctl_file){ .name = name, .content = content, .place = place };
	}
	return true;
}

bool sysctl_files_load(const struct tree *tree, const char *const *directories, struct budget *budget,
                       struct arena *arena, struct sysctl_files *out, struct error *error)
{
	*out = (struct sysctl_files){ 0 };
	for (size_t i = 0; directories[i]; i++)
		if (!load_directory(tree, directories[i], budget, arena, out, error))
			return error_wrap(error, "%s", directories[i]);
	if (out->items.count > 1)
		qsort(out->items.items, out->items.count, sizeof(struct sysctl_file), by_name);
	out->main.name = "sysctl.conf";
	if (!load(tree, main_file, arena, &out->has_main, &out->main.content, &out->main.place, error))
		return error_wrap(error, "%s", main_file);
	return true;
}
