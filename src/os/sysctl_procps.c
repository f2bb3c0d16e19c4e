// `sysctl --system` of procps: the files in the order of their names, then /etc/sysctl.conf, and every line
// is a write of its own, so that the last one wins and side effects of earlier ones stay.
//
// Version 4 knows patterns and exclusions: a pattern is not written to a key that any line names. Version 3.3
// takes a pattern for a key that does not exist, and a line without a value for a mistake.
//
// Source: sysctl(8), sysctl.conf(5); behaviour compared with versions 3.3.17, 4.0.2 and 4.0.4.
#include <string.h>

#include "os/sysctl_private.h"

/* The text up to a NUL: C strings end there, whatever the line holds behind it. */
static struct span until_nul(struct span text)
{
	size_t end = span_find(text, 0, "", 1);
	if (end != SIZE_MAX)
		text.size = end;
	return text;
}

static struct span trim_front(struct span text)
{
	struct span both = span_trim(text);
	return both.size > 0 ? span_from(text, (size_t)(both.data - text.data)) : both;
}

static struct span trim_back(struct span text)
{
	while (text.size > 0 && strchr(" \t\n\v\f\r", text.data[text.size - 1]) && text.data[text.size - 1])
		text.size--;
	return text;
}

static void parse_line_4(struct sysctl_script *script, const struct sysctl_file *file, uint64_t number,
                         struct span line, struct arena *arena)
{
	struct span text = trim_front(until_nul(line)), key = text, value = { 0 };
	/* Two bytes at least, the end of the line counted. */
	if (text.size == 0 || text.data[0] == '#' || text.data[0] == ';')
		return;
	size_t equals = span_find(text, 0, "=", 1);
	bool dash = text.data[0] == '-';
	if (equals == SIZE_MAX && !dash)
		return;
	if (equals != SIZE_MAX) {
		key.size = equals;
		value = span_trim(span_from(text, equals + 1));
	}
	key = trim_back(span_from(key, dash));
	/* One more '-' goes when the path is made; blanks behind the first stay, and name no key. */
	if (key.size > 0 && key.data[0] == '-')
		key = span_from(key, 1);
	sysctl_script_add(script, file, number, trim_back(text), key, equals != SIZE_MAX ? &value : NULL,
	                  arena);
}

/* White space of version 3.3: fewer characters, and fewer still in front. */
static struct span trim_3(struct span text)
{
	while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
		text = span_from(text, 1);
	while (text.size > 0 && strchr(" \t\n\r", text.data[text.size - 1]) && text.data[text.size - 1])
		text.size--;
	return text;
}

/*
 * As strtok() takes a line apart: '=' in front of the key are skipped, CR in front of the value too, and one
 * inside ends it. Without a value the line is a mistake; where it is none, because a buffer was used again,
 * what gets written begins with '=', and no key that holds a number takes that.
 */
static void parse_line_3(struct sysctl_script *script, const struct sysctl_file *file, uint64_t number,
                         struct span line, struct arena *arena)
{
	struct span text = trim_3(until_nul(line)), rest = text, key;
	if (text.size < 2 || text.data[0] == '#' || text.data[0] == ';')
		return;
	while (rest.size > 0 && rest.data[0] == '=')
		rest = span_from(rest, 1);
	size_t equals = span_find(rest, 0, "=", 1);
	if (equals == SIZE_MAX)
		return;
	key = trim_3(span_of(rest.data, equals));
	rest = span_from(rest, equals + 1);
	while (rest.size > 0 && rest.data[0] == '\r')
		rest = span_from(rest, 1);
	size_t end = span_find(rest, 0, "\r", 1);
	if (end != SIZE_MAX)
		rest.size = end;
	if (rest.size == 0)
		return;
	while (rest.size > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t'))
		rest = span_from(rest, 1);
	if (key.size > 0 && key.data[0] == '-')
		key = span_from(key, 1);
	sysctl_script_add(script, file, number, text, key, &rest, arena);
}

static bool parse_file(struct sysctl_script *script, const struct sysctl_file *file, struct budget *budget,
                       struct arena *arena, struct error *error)
{
	struct span rest = file->content, line;
	/* A CR is white space here and goes with the rest of it. */
	for (uint64_t number = 1; span_next_line(&rest, &line); number++) {
		if (!budget_step(budget, 1, "sysctl lines", error))
			return false;
		if (script->globs)
			parse_line_4(script, file, number, line, arena);
		else
			parse_line_3(script, file, number, line, arena);
	}
	return true;
}

bool sysctl_script_procps(const struct sysctl_files *files, bool globs, struct budget *budget,
                          struct arena *arena, struct sysctl_script *out, struct error *error)
{
	*out = (struct sysctl_script){ .globs = globs, .slashes_matter = true };
	for (size_t i = 0; i < files->items.count; i++)
		if (!parse_file(out, &files->items.items[i], budget, arena, error))
			return false;
	return !files->has_main || parse_file(out, &files->main, budget, arena, error);
}
