// Ways to look at an image that several observers need.
#include "os/guest.h"

#include <stdlib.h>
#include <string.h>

/* A crafted image may hold any number of places; a report needs a few. */
#define EVIDENCE_MOST 16
/* Files of one directory that are looked at. */
#define FILES_MOST 256

void guest_say(struct observation *out, enum answer state, const char *value, const char *reason)
{
	out->state = state;
	out->value = value;
	out->reason = reason;
}

void guest_evidence(const struct guest *guest, struct observation *out, struct place place)
{
	if (out->places.count < EVIDENCE_MOST)
		*LIST_ADD(guest->arena, &out->places) = place;
}

/* Remembers an error that is more than "not there". */
static void note_trouble(const struct guest *guest, const struct error *error)
{
	if (error->code != ERROR_NONE && error->code != ERROR_NOT_FOUND && !guest->effort->trouble)
		guest->effort->trouble = arena_strdup(guest->arena, error->message);
}

/* Takes one file or directory from the effort. */
static bool may_open(const struct guest *guest)
{
	if (guest->effort->files_left == 0) {
		if (!guest->effort->trouble)
			guest->effort->trouble = "too many files include each other";
		return false;
	}
	guest->effort->files_left--;
	return true;
}

struct file_lines guest_open(const struct guest *guest, const char *path)
{
	struct file_lines file = { 0 };
	if (!may_open(guest))
		return file;
	file = file_lines_open(guest->tree, path, GUEST_FILE_MOST, guest->arena);
	if (file.present == ANSWER_UNKNOWN && !guest->effort->trouble)
		guest->effort->trouble = file.reason;
	return file;
}

bool guest_finds(const struct guest *guest, const char *path, struct place *place)
{
	struct tree_file file;
	struct error error = { 0 };
	if (!tree_lookup(guest->tree, path, &file, &error)) {
		note_trouble(guest, &error);
		return false;
	}
	if (place)
		*place = tree_place(&file, 0, NULL, guest->arena);
	return true;
}

bool guest_read_link(const struct guest *guest, const char *path, char *target, size_t capacity)
{
	struct tree_file file;
	struct error error = { 0 };
	if (!tree_lookup_link(guest->tree, path, &file, &error)) {
		note_trouble(guest, &error);
		return false;
	}
	if (file.node.type != NODE_SYMLINK)
		return false;
	bool sound = file.node.fs->driver->read_link(&file.node, target, capacity, &error);
	if (!sound)
		note_trouble(guest, &error);
	return sound;
}

const char *guest_finds_any(const struct guest *guest, const char *const *paths, struct place *place)
{
	for (; *paths; paths++)
		if (guest_finds(guest, *paths, place))
			return *paths;
	return NULL;
}

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(name_of(*(const char *const *)a), name_of(*(const char *const *)b));
}

static bool has_name(const struct names *paths, const char *name)
{
	for (size_t i = 0; i < paths->count; i++)
		if (strcmp(name_of(paths->items[i]), name) == 0)
			return true;
	return false;
}

/* Adds the names of a directory that match to *out, as whole paths. */
static void add_matches(const struct guest *guest, const char *directory, const char *pattern,
                        struct names *out)
{
	struct error error = { 0 };
	struct names names = { 0 };
	if (!may_open(guest))
		return;
	if (!tree_names(guest->tree, directory, guest->arena, &names, &error)) {
		note_trouble(guest, &error);
		return;
	}
	for (size_t i = 0; i < names.count && out->count < FILES_MOST; i++)
		if (names.items[i][0] != '.' && str_glob(pattern, names.items[i], true) &&
		    !has_name(out, names.items[i]))
			out->items[out->count++] =
				arena_printf(guest->arena, "%s/%s", directory, names.items[i]);
}

struct names guest_drop_ins(const struct guest *guest, const char *const *directories, const char *suffix)
{
	struct names out = { arena_alloc_array(guest->arena, FILES_MOST, sizeof(char *)), 0 };
	const char *pattern = arena_printf(guest->arena, "*%s", suffix);
	for (; *directories; directories++)
		add_matches(guest, *directories, pattern, &out);
	if (out.count > 1)
		qsort(out.items, out.count, sizeof(*out.items), by_name);
	return out;
}

struct names guest_glob(const struct guest *guest, const char *pattern)
{
	struct names out = { arena_alloc_array(guest->arena, FILES_MOST, sizeof(char *)), 0 };
	const char *slash = strrchr(pattern, '/');
	if (!slash)
		return out;
	const char *directory = arena_string(guest->arena, span_of(pattern, (size_t)(slash - pattern)));
	if (strpbrk(slash, "*?["))
		add_matches(guest, directory, slash + 1, &out);
	else
		out.items[out.count++] = arena_strdup(guest->arena, pattern);
	return out;
}

bool guest_assignment(struct span line, struct span *key, struct span *value)
{
	size_t equals = span_find(line, 0, "=", 1);
	if (equals == SIZE_MAX || strchr("#;[", line.data[0]))
		return false;
	*key = span_trim(span_of(line.data, equals));
	*value = span_trim(span_from(line, equals + 1));
	return true;
}

void guest_add_word(struct text *list, struct span word)
{
	struct span rest = span_text(text_get(list)), seen;
	while (next_word(&rest, NULL, &seen))
		if (seen.size == word.size && span_has(seen, 0, word.data, word.size))
			return;
	if (list->size > 0)
		text_add_char(list, ' ');
	text_add_span(list, word);
}
