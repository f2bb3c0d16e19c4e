#include "fs/identify.h"

#include <stdarg.h>
#include <stdio.h>

bool fs_peek(const struct filesystem *fs, uint64_t offset, void *buffer, size_t length)
{
	struct error ignored;
	return reader_read(&fs->reader, offset, buffer, length, &ignored);
}

const char *fs_uuid(struct arena *arena, struct span span, size_t offset)
{
	struct span id;
	if (!span_slice(span, offset, 16, &id) || span_is_zero(id))
		return NULL;
	const uint8_t *b = id.data;
	return arena_printf(arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
	                    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
	                    b[13], b[14], b[15]);
}

const char *fs_label(struct arena *arena, struct span span, size_t offset, size_t length)
{
	struct span label;
	if (!span_slice(span, offset, length, &label))
		return NULL;
	size_t end = span_find(label, 0, "", 1);
	if (end < label.size)
		label.size = end;
	label = span_trim(label);
	return label.size > 0 ? arena_string(arena, label) : NULL;
}

void fs_problem(struct filesystem *fs, const char *code, uint64_t offset, const char *format, ...)
{
	char message[480];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);

	struct problem *problem = LIST_ADD(fs->arena, &fs->problems);
	problem->code = code;
	problem->message = arena_strdup(fs->arena, message);
	problem->place.partition = fs->partition;
	problem->place.offset = reader_locate(&fs->reader, offset);
}
