#include "os/lines.h"

#include <string.h>
#include <strings.h>

struct file_lines file_lines_open(const struct tree *tree, const char *path, size_t most, struct arena *arena)
{
	struct file_lines out = { .present = ANSWER_NO };
	struct tree_file file;
	struct error error = { 0 };
	if (tree_lookup(tree, path, &file, &error)) {
		if (file.node.type != NODE_FILE)
			return out;
		if (tree_load(tree, path, most, arena, &out.rest, &out.place, &error)) {
			out.present = ANSWER_YES;
			return out;
		}
	} else if (error.code == ERROR_NOT_FOUND) {
		return out;
	}
	out.present = ANSWER_UNKNOWN;
	out.place = (struct place){ .path = arena_strdup(arena, path) };
	out.reason = arena_printf(arena, "%s cannot be read: %s", path, error.message);
	out.rest = (struct span){ 0 };
	return out;
}

bool file_lines_next(struct file_lines *file, struct span *line)
{
	while (span_next_line(&file->rest, line)) {
		file->number++;
		*line = span_trim(*line);
		if (line->size > 0)
			return true;
	}
	return false;
}

struct place file_lines_place(const struct file_lines *file, struct span line, struct arena *arena)
{
	struct place place = file->place;
	place.line = file->number;
	place.text = arena_string(arena, line);
	return place;
}

static bool separates(uint8_t character, const char *also)
{
	return character == ' ' || character == '\t' || (also && character && strchr(also, character));
}

bool next_word(struct span *rest, const char *also, struct span *word)
{
	size_t begin = 0, end;
	while (begin < rest->size && separates(rest->data[begin], also))
		begin++;
	for (end = begin; end < rest->size && !separates(rest->data[end], also);)
		end++;
	if (begin == end)
		return false;
	*word = span_of(rest->data + begin, end - begin);
	*rest = span_from(*rest, end);
	return true;
}

bool span_equal_word(struct span span, const char *word)
{
	return span.size == strlen(word) && strncasecmp((const char *)span.data, word, span.size) == 0;
}
