// inih does the splitting; this side of it counts lines, so that every message names one, and catches what
// inih lets pass: lines behind its fixed room, sections and keys that are there twice.
#include "policy/ini.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct reading {
	struct document *document;
	struct arena *arena;
	struct span rest;
	unsigned line;           /* of the text handed to inih last */
	bool indented;           /* that line starts with white space */
	struct setting *setting; /* the one that a continuation line continues */
	struct error *error;
	bool failed;
};

bool document_error(const struct document *document, unsigned line, struct error *error, const char *format,
                    ...)
{
	char sentence[400];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	return error_set(error, ERROR_USAGE, "%s:%u: %s", document->name, line, sentence);
}

struct setting *section_take(struct section *section, const char *key)
{
	for (size_t i = 0; i < section->settings.count; i++)
		if (str_equal(section->settings.items[i].key, key)) {
			section->settings.items[i].used = true;
			return &section->settings.items[i];
		}
	return NULL;
}

static bool open_section(struct reading *reading, struct span header)
{
	struct document *document = reading->document;
	size_t end = span_find(header, 0, "]", 1);
	if (end == SIZE_MAX)
		return document_error(document, reading->line, reading->error,
		                      "the section's name has no ']' behind it; add it");
	struct span behind = span_trim(span_from(header, end + 1));
	if (behind.size > 0 && behind.data[0] != '#' && behind.data[0] != ';')
		return document_error(document, reading->line, reading->error,
		                      "there is text behind the section's ']'; put it on a line of its own");
	struct span name = span_trim(span_of(header.data + 1, end - 1));
	const char *text = arena_string(reading->arena, name);
	for (size_t i = 0; i < document->sections.count; i++)
		if (str_equal(document->sections.items[i].name, text))
			return document_error(
				document, reading->line, reading->error,
				"section [%.80s] is there twice, first in line %u; keep one of them", text,
				document->sections.items[i].line);
	struct section *section = LIST_ADD(reading->arena, &document->sections);
	section->name = text;
	section->line = reading->line;
	reading->setting = NULL;
	return true;
}

/* "[kernel.pci-msi]", and no text that merely begins with a bracket. */
static bool is_header(struct span line)
{
	if (line.size < 3 || line.data[0] != '[' || line.data[line.size - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < line.size; i++)
		if (line.data[i] == ' ' || line.data[i] == '[' || line.data[i] == ']')
			return false;
	return true;
}

static bool look_at_line(struct reading *reading, struct span line, size_t room)
{
	reading->line++;
	if (line.size > room)
		return document_error(
			reading->document, reading->line, reading->error,
			"the line is longer than %zu bytes; break it with an indented continuation", room);
	if (span_find(line, 0, "", 1) != SIZE_MAX)
		return document_error(reading->document, reading->line, reading->error,
		                      "the line holds a NUL byte; a policy is plain text");
	reading->indented = line.size > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
	struct span trimmed = span_trim(line);
	bool continues = reading->indented && reading->setting;
	if (continues && is_header(trimmed))
		return document_error(
			reading->document, reading->line, reading->error,
			"the section is indented, which makes it a part of the value above; put it at the "
			"line's beginning");
	if (trimmed.size > 0 && trimmed.data[0] == '[' && !continues)
		return open_section(reading, trimmed);
	return true;
}

/* inih's fgets: one line, its newline kept. */
static char *next_line(char *buffer, int capacity, void *state)
{
	struct reading *reading = state;
	struct span line;
	if (reading->failed || capacity < 3 || !span_next_line(&reading->rest, &line))
		return NULL;
	size_t room = (size_t)capacity - 2;
	if (!look_at_line(reading, line, room)) {
		reading->failed = true;
		return NULL;
	}
	if (line.size > 0)
		memcpy(buffer, line.data, line.size);
	buffer[line.size] = '\n';
	buffer[line.size + 1] = 0;
	return buffer;
}

static bool add_setting(struct reading *reading, const char *key, const char *value)
{
	struct document *document = reading->document;
	if (document->sections.count == 0)
		return document_error(
			document, reading->line, reading->error,
			"\"%.80s\" stands in front of the first section; begin with [policy] or a rule", key);
	struct section *section = &document->sections.items[document->sections.count - 1];
	for (size_t i = 0; i < section->settings.count; i++)
		if (str_equal(section->settings.items[i].key, key))
			return document_error(
				document, reading->line, reading->error,
				"\"%.80s\" is set twice in [%.80s], first in line %u; keep one of them", key,
				section->name, section->settings.items[i].line);
	reading->setting = LIST_ADD(reading->arena, &section->settings);
	reading->setting->key = arena_strdup(reading->arena, key);
	reading->setting->value = arena_strdup(reading->arena, value);
	reading->setting->line = reading->line;
	return true;
}

/* A comment behind a value starts at white space and ';'. Not every inih looks for it on continuation lines.
 */
static const char *without_comment(struct arena *arena, const char *value)
{
	size_t length = 0;
	while (value[length] && !(value[length] == ';' && length > 0 && strchr(" \t", value[length - 1])))
		length++;
	return arena_string(arena, span_trim(span_of(value, length)));
}

static int take_setting(void *state, const char *section, const char *key, const char *value)
{
	(void)section; /* inih cuts long names; the header was read in open_section() */
	struct reading *reading = state;
	if (reading->failed)
		return 0;
	if (reading->indented && reading->setting) {
		const char *before = reading->setting->value;
		reading->setting->value = arena_printf(reading->arena, "%s%s%s", before, *before ? " " : "",
		                                       without_comment(reading->arena, value));
		return 1;
	}
	reading->failed = !add_setting(reading, key, value);
	return !reading->failed;
}

bool document_read(struct span text, const char *name, struct arena *arena, struct document *out,
                   struct error *error)
{
	*out = (struct document){ .name = name };
	if (text.size > POLICY_MOST)
		return error_set(error, ERROR_LIMIT, "%s: a policy of more than %u bytes is not read", name,
		                 POLICY_MOST);
	struct reading reading = { .document = out, .arena = arena, .rest = text, .error = error };
	int line = ini_parse_stream(next_line, &reading, take_setting, &reading);
	if (reading.failed && (line <= 0 || (unsigned)line >= reading.line))
		return false;
	if (line != 0)
		return document_error(out, line > 0 ? (unsigned)line : reading.line, error,
		                      "expected Key=value, [section] or a comment");
	return true;
}
