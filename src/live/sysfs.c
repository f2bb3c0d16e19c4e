#include "live/sysfs.h"

#include <stdlib.h>
#include <string.h>

/* An attribute has at most a page. */
#define ATTRIBUTE_MAX ((size_t)64 << 10)
/* Devices of one kind: more than any machine has that this is made for. */
#define DEVICES_MAX 512

/* What cannot be read is remembered, with what would help. */
static void note_unread(struct machine_reader *reader, const char *path, const struct error *error)
{
	struct problem *problem = LIST_ADD(reader->arena, &reader->out->unread);
	problem->code = "live-unread";
	problem->place.path = path;
	problem->message =
		reader->answers->root
			? arena_printf(reader->arena, "%s cannot be read: %s", path, error->message)
			: arena_printf(reader->arena, "run as root to read %s", path);
}

bool sysfs_bytes(struct machine_reader *reader, const char *path, struct span *out)
{
	struct error error = { 0 };
	if (!budget_step(reader->budget, 1, "the machine's devices", &error))
		return false;
	if (tree_load(reader->tree, path, ATTRIBUTE_MAX, reader->arena, out, NULL, &error))
		return true;
	if (error.code != ERROR_NOT_FOUND)
		note_unread(reader, path, &error);
	return false;
}

const char *sysfs_text(struct machine_reader *reader, const char *path, struct place *place)
{
	struct span bytes;
	if (!sysfs_bytes(reader, path, &bytes))
		return NULL;
	const char *text = arena_string(reader->arena, span_trim(bytes));
	if (place)
		*place = (struct place){ .path = path, .text = text };
	return text;
}

bool sysfs_number(struct machine_reader *reader, const char *path, uint64_t *out, struct place *place)
{
	const char *text = sysfs_text(reader, path, place);
	if (!text || *text < '0' || *text > '9')
		return false;
	char *end;
	uint64_t number = strtoull(text, &end, 0);
	if (*end)
		return false;
	*out = number;
	return true;
}

const char *sysfs_link_name(struct machine_reader *reader, const char *path, struct place *place)
{
	char target[TREE_PATH_MAX];
	if (!tree_read_link(reader->tree, path, target, sizeof(target)))
		return NULL;
	const char *slash = strrchr(target, '/');
	const char *name = arena_strdup(reader->arena, slash ? slash + 1 : target);
	if (place)
		*place = (struct place){ .path = path, .text = name };
	return name;
}

const char *sysfs_real_path(struct machine_reader *reader, const char *path)
{
	struct error error = { 0 };
	struct tree_file file;
	if (!tree_lookup(reader->tree, path, &file, &error))
		return NULL;
	return arena_strdup(reader->arena, file.path);
}

bool sysfs_names(struct machine_reader *reader, const char *path, struct names *out)
{
	struct error error = { 0 };
	*out = (struct names){ 0 };
	if (!tree_names(reader->tree, path, reader->arena, out, &error)) {
		note_unread(reader, path, &error);
		return false;
	}
	if (out->count > DEVICES_MAX) {
		error_fill(&error, ERROR_LIMIT, "it has more than %d entries", DEVICES_MAX);
		note_unread(reader, path, &error);
		out->count = DEVICES_MAX;
	}
	return true;
}
