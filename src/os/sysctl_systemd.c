// systemd-sysctl: all files are read into an ordered map first, then each key is written once.
//
// A key that comes again with another value moves to the end of the map; with the same value it keeps its
// place. A line "-key" without '=' puts the key into the map without a value, which keeps patterns off it.
// Nothing strips a comment behind a value. Lines end at LF, CR or NUL.
//
// Source: sysctl.d(5), systemd-sysctl.service(8); behaviour compared with versions 247, 252 and 257.
#include <stdlib.h>
#include <string.h>

#include "os/sysctl_private.h"

/* The longest line that systemd reads; it gives up the rest of the file at a longer one. */
#define LINE_MOST ((size_t)1 << 20)

/* systemd's own idea of white space: no vertical tab, no form feed. */
static struct span strip(struct span text)
{
	while (text.size > 0 && strchr(" \t\n\r", text.data[0]) && text.data[0])
		text = span_from(text, 1);
	while (text.size > 0 && strchr(" \t\n\r", text.data[text.size - 1]) && text.data[text.size - 1])
		text.size--;
	return text;
}

static void parse_line(struct sysctl_script *script, const struct sysctl_file *file, uint64_t number,
                       struct span line, struct arena *arena)
{
	struct span text = strip(line), key = text, value;
	if (text.size == 0 || text.data[0] == '#' || text.data[0] == ';')
		return;
	size_t equals = span_find(text, 0, "=", 1);
	bool dash = text.data[0] == '-';
	if (equals == SIZE_MAX && !dash)
		return;
	if (equals != SIZE_MAX)
		key.size = equals;
	key = strip(span_from(key, dash));
	value = strip(span_from(text, equals != SIZE_MAX ? equals + 1 : 0));
	sysctl_script_add(script, file, number, text, key, equals != SIZE_MAX ? &value : NULL, arena);
}

static bool parse_file(struct sysctl_script *script, const struct sysctl_file *file, struct budget *budget,
                       struct arena *arena, struct error *error)
{
	struct span rest = file->content;
	uint64_t number = 1;
	while (rest.size > 0) {
		size_t length = 0;
		while (length < rest.size && !memchr("\n\r", rest.data[length], 3))
			length++;
		if (length >= LINE_MOST)
			return true;
		if (!budget_step(budget, 1, "sysctl lines", error))
			return false;
		struct span line = { rest.data, length };
		parse_line(script, file, number, line, arena);
		number += length < rest.size && rest.data[length] == '\n';
		rest = span_from(rest, length + 1);
	}
	return true;
}

/* An entry of the map under construction: a line and its position. */
struct entry {
	const struct sysctl_line *line;
	size_t position;
};

static int by_path(const void *a, const void *b)
{
	const struct entry *first = a, *second = b;
	int order = strcmp(first->line->path, second->line->path);
	if (order != 0)
		return order;
	return first->position < second->position ? -1 : 1;
}

static int by_position(const void *a, const void *b)
{
	const struct entry *first = a, *second = b;
	return first->position < second->position ? -1 : first->position > second->position;
}

/* Keeps of each key the start of its last run of equal values: where the map would hold it in the end. */
static void keep_last(struct sysctl_script *script, struct arena *arena)
{
	size_t count = script->lines.count, kept = 0;
	if (count == 0)
		return;
	struct entry *entries = arena_alloc_array(arena, count, sizeof(*entries));
	for (size_t i = 0; i < count; i++)
		entries[i] = (struct entry){ &script->lines.items[i], i };
	qsort(entries, count, sizeof(*entries), by_path);
	for (size_t i = 0; i < count;) {
		size_t run = i, end = i + 1;
		for (; end < count && strcmp(entries[end].line->path, entries[i].line->path) == 0; end++)
			if (!str_equal(entries[end].line->value, entries[run].line->value))
				run = end;
		entries[kept++] = entries[run];
		i = end;
	}
	qsort(entries, kept, sizeof(*entries), by_position);
	/* Positions rise and never lie before their new index, so copying forwards is safe. */
	for (size_t i = 0; i < kept; i++)
		script->lines.items[i] = *entries[i].line;
	script->lines.count = kept;
}

/* /etc/sysctl.conf counts only through a link among the drop-ins, which Debian ships up to 12 alone. */
static const struct sysctl_file *unread_main(const struct sysctl_files *files)
{
	if (!files->has_main)
		return NULL;
	for (size_t i = 0; i < files->items.count; i++)
		if (str_equal(files->items.items[i].place.path, files->main.place.path))
			return NULL;
	return &files->main;
}

bool sysctl_script_systemd(const struct sysctl_files *files, struct budget *budget, struct arena *arena,
                           struct sysctl_script *out, struct error *error)
{
	*out = (struct sysctl_script){ .globs = true };
	for (size_t i = 0; i < files->items.count; i++) {
		const struct sysctl_file *file = &files->items.items[i];
		/* systemd passes hidden files over. */
		if (file->name[0] == '.')
			continue;
		if (!parse_file(out, file, budget, arena, error))
			return false;
	}
	keep_last(out, arena);
	out->unread = unread_main(files);
	return true;
}
