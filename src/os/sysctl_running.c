// The sysctls of the running kernel: what /proc/sys says, beside what the files would set at the next boot.
#include <string.h>

#include "os/sysctl_private.h"

/* More interfaces than a machine has that this is made for. */
#define INTERFACES_MAX 64
#define VALUE_MAX      ((size_t)64 << 10)

/* One file of /proc/sys; the kernel has no such key where it is not there. */
static void read_key(const struct tree *tree, const char *path, struct arena *arena, struct sysctl *out)
{
	struct error error = { 0 };
	struct span text;
	const char *file = arena_printf(arena, "/proc/sys/%s", path);
	*out = (struct sysctl){ .key = sysctl_key(path, arena), .reason = "" };
	if (tree_load(tree, file, VALUE_MAX, arena, &text, NULL, &error)) {
		out->value = out->effective = arena_string(arena, span_trim(text));
		out->source = SYSCTL_RUNNING;
		out->place = (struct place){ .path = file, .text = out->value };
		out->effective_place = out->place;
	} else if (error.code == ERROR_NOT_FOUND && tree_exists(tree, "/proc/sys/kernel/osrelease")) {
		out->source = SYSCTL_ABSENT;
	} else {
		out->reason = arena_printf(arena, "%s cannot be read: %s", file, error.message);
	}
}

/* Has it a device, or is it one that software makes up? */
static bool has_device(const struct tree *tree, const char *interface, struct arena *arena)
{
	return tree_exists(tree, arena_printf(arena, "/sys/class/net/%s/device", interface));
}

/* The interfaces that packets from outside come in by: those with a device, else all but the loopback. */
static struct names find_interfaces(const struct tree *tree, struct arena *arena)
{
	struct names all, found = { 0 };
	struct error error = { 0 };
	if (!tree_names(tree, "/proc/sys/net/ipv4/conf", arena, &all, &error))
		return found;
	found.items = arena_alloc_array(arena, INTERFACES_MAX, sizeof(char *));
	for (int with_device = 1; with_device >= 0 && found.count == 0; with_device--)
		for (size_t i = 0; i < all.count && found.count < INTERFACES_MAX; i++) {
			const char *name = all.items[i];
			if (str_equal(name, "all") || str_equal(name, "default") || str_equal(name, "lo"))
				continue;
			if (!with_device || has_device(tree, name, arena))
				found.items[found.count++] = name;
		}
	return found;
}

static void put_cell(struct sysctl_cell *cell, const struct sysctl *value)
{
	cell->value = value->value;
	cell->place = value->place;
	cell->source = value->source;
}

/* What one interface makes of conf.all and its own key, both as they stand. */
static void combine(const struct tree *tree, const struct sysctl_interface_key *key, const char *interface,
                    struct arena *arena, struct sysctl *out)
{
	const char *scopes[] = { "all", SYSCTL_INTERFACE };
	const char *names[] = { key->name, "forwarding" };
	struct sysctl_cell cells[ARRAY_SIZE(scopes) * ARRAY_SIZE(names)] = { 0 };
	struct sysctl_kernel model = { .arena = arena, .cells = cells, .interface = interface };
	/* In the order of their paths: all before eth0, and "forwarding" where it belongs. */
	bool first = strcmp(key->name, "forwarding") < 0;
	for (size_t scope = 0; scope < ARRAY_SIZE(scopes); scope++)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			const char *name = names[first ? i : 1 - i];
			const char *real = scope == 0 ? "all" : interface;
			struct sysctl value;
			read_key(tree, arena_printf(arena, "net/ipv4/conf/%s/%s", real, name), arena, &value);
			cells[model.count].path =
				arena_printf(arena, "net/ipv4/conf/%s/%s", scopes[scope], name);
			put_cell(&cells[model.count++], &value);
			if (scope == 1 && str_equal(name, key->name))
				*out = value;
		}
	if (out->source == SYSCTL_RUNNING)
		sysctl_effective(&model,
		                 arena_printf(arena, "net/ipv4/conf/" SYSCTL_INTERFACE "/%s", key->name),
		                 arena, out);
}

static bool has_key(const struct kernel *kernel, const char *key)
{
	for (size_t i = 0; i < kernel->sysctls.count; i++)
		if (str_equal(kernel->sysctls.items[i].key, key))
			return true;
	return false;
}

/* A row for each interface, for each key of "all" that was asked for. */
static void add_interfaces(const struct tree *tree, const struct names *keys, const struct kernel *next,
                           struct budget *budget, struct arena *arena, struct kernel *kernel)
{
	struct names interfaces = find_interfaces(tree, arena);
	struct error error = { 0 };
	bool odd;
	for (size_t i = 0; i < keys->count; i++) {
		const char *scope;
		size_t length;
		const struct sysctl_interface_key *key = sysctl_interface_key(
			sysctl_path(span_text(keys->items[i]), arena, &odd), &scope, &length);
		if (!key || length != strlen("all") || strncmp(scope, "all", length) != 0)
			continue;
		for (size_t j = 0; j < interfaces.count && budget_step(budget, 1, "sysctls", &error); j++) {
			struct sysctl row = { 0 };
			combine(tree, key, interfaces.items[j], arena, &row);
			if (i < next->sysctls.count)
				row.boot_place = next->sysctls.items[i].effective_place;
			if (row.source == SYSCTL_RUNNING && !has_key(kernel, row.key))
				*LIST_ADD(arena, &kernel->sysctls) = row;
		}
	}
}

/* Does the next boot bring another value than the one that stands? */
static void tell_next_boot(const struct sysctl *next, struct arena *arena, struct sysctl *now)
{
	if (now->source == SYSCTL_ABSENT)
		now->reason = next->reason;
	if (next->remedy)
		now->remedy = next->remedy;
	if (next->source == SYSCTL_FILE)
		now->boot_place = next->place;
	if (now->source != SYSCTL_RUNNING || !next->value || str_equal(next->value, now->value))
		return;
	const char *separator = *now->reason ? "; " : "";
	if (next->source == SYSCTL_FILE && next->place.path)
		now->reason =
			arena_printf(arena, "%s%s%s:%llu sets %s at the next boot", now->reason, separator,
		                     next->place.path, (unsigned long long)next->place.line, next->value);
	else if (next->source == SYSCTL_COMMAND_LINE)
		now->reason = arena_printf(arena, "%s%sthe command line sets %s at the next boot",
		                           now->reason, separator, next->value);
	else if (next->source == SYSCTL_KERNEL_DEFAULT)
		now->reason = arena_printf(arena, "%s%sno file sets it: at the next boot it starts as %s",
		                           now->reason, separator, next->value);
}

void sysctl_read_running(const struct sysctl_system *system, const struct names *keys, struct budget *budget,
                         struct arena *arena, struct kernel *kernel)
{
	struct kernel next = { 0 }; /* as it will stand after the next boot */
	bool odd;
	if (!system->running_only)
		sysctl_predict(system, keys, budget, arena, &next);
	for (size_t i = 0; i < keys->count; i++) {
		struct sysctl now;
		read_key(system->tree, sysctl_path(span_text(keys->items[i]), arena, &odd), arena, &now);
		now.key = arena_strdup(arena, keys->items[i]);
		if (i < next.sysctls.count)
			tell_next_boot(&next.sysctls.items[i], arena, &now);
		else if (now.source == SYSCTL_ABSENT)
			now.reason = "this kernel has no such key";
		*LIST_ADD(arena, &kernel->sysctls) = now;
	}
	add_interfaces(system->tree, keys, &next, budget, arena, kernel);
}
