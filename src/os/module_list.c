#include "os/module_list.h"

#include <string.h>

static uint8_t plain(uint8_t character)
{
	return character == '-' ? '_' : character;
}

static bool ends_with(struct span text, const char *suffix)
{
	size_t length = strlen(suffix);
	return text.size > length && span_has(text, text.size - length, suffix, length);
}

bool module_name_of(struct span path, struct span *name)
{
	static const char *const suffixes[] = { ".ko", ".ko.xz", ".ko.zst", ".ko.gz" };
	const uint8_t *slash = path.size ? memrchr(path.data, '/', path.size) : NULL;
	struct span base = slash ? span_from(path, (size_t)(slash - path.data) + 1) : path;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (ends_with(base, suffixes[i])) {
			*name = span_of(base.data, base.size - strlen(suffixes[i]));
			return true;
		}
	}
	return false;
}

bool module_same_name(struct span a, struct span b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		if (plain(a.data[i]) != plain(b.data[i]))
			return false;
	return true;
}

char *module_plain_name(struct span name, struct arena *arena)
{
	char *copy = arena_string(arena, name);
	for (char *at = copy; *at; at++)
		if (*at == '-')
			*at = '_';
	return copy;
}

uint32_t module_hash(struct span name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (size_t i = 0; i < name.size; i++)
		hash = (hash ^ plain(name.data[i])) * 16777619u;
	return hash;
}

bool module_next_path(struct span *rest, struct span *path)
{
	struct span text = span_trim(*rest);
	if (text.size == 0)
		return false;
	const uint8_t *blank = memchr(text.data, ' ', text.size);
	*path = span_of(text.data, blank ? (size_t)(blank - text.data) : text.size);
	*rest = span_from(text, path->size);
	return true;
}

static void add_line(struct module_list *list, struct span text, uint64_t number, struct arena *arena)
{
	struct module_line line = { .text = text, .number = number };
	size_t colon = span_find(text, 0, ":", 1);
	line.path = span_trim(span_of(text.data, colon == SIZE_MAX ? text.size : colon));
	if (colon != SIZE_MAX)
		line.needs = span_trim(span_from(text, colon + 1));
	if (module_name_of(line.path, &line.name))
		*LIST_ADD(arena, &list->lines) = line;
}

/* Buckets hold chains, in the order of the file: a crafted list makes a chain long, but never a loop. */
static void index_lines(struct module_list *list, struct arena *arena)
{
	size_t size = 16;
	while (size < list->lines.count)
		size *= 2;
	list->mask = size - 1;
	list->buckets = arena_alloc_array(arena, size, sizeof(*list->buckets));
	for (size_t i = list->lines.count; i > 0; i--) {
		struct module_line *line = &list->lines.items[i - 1];
		uint32_t *bucket = &list->buckets[module_hash(line->name) & list->mask];
		line->next = *bucket;
		*bucket = (uint32_t)i;
	}
}

bool module_list_parse(struct span text, struct budget *budget, struct arena *arena, struct module_list *out,
                       struct error *error)
{
	struct module_list list = { 0 };
	struct span line;
	for (uint64_t number = 1; span_next_line(&text, &line); number++) {
		if (!budget_step(budget, 1, "the list of modules", error))
			return false;
		add_line(&list, line, number, arena);
	}
	index_lines(&list, arena);
	*out = list;
	return true;
}

bool module_list_find(const struct module_list *list, struct span name, struct budget *budget,
                      const struct module_line **out, struct error *error)
{
	uint32_t at = list->buckets ? list->buckets[module_hash(name) & list->mask] : 0;
	while (at && !module_same_name(list->lines.items[at - 1].name, name)) {
		if (!budget_step(budget, 1, "the list of modules", error))
			return false;
		at = list->lines.items[at - 1].next;
	}
	*out = at ? &list->lines.items[at - 1] : NULL;
	return true;
}
