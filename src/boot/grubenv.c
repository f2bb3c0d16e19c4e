#include "boot/grubenv.h"

#include <string.h>

#include "base/text.h"

/*
 * "# GRUB Environment Block\n", then lines NAME=VALUE. In a value a backslash protects the character behind
 * it (a backslash or a line feed). Everything behind the last line is filled up with '#'.
 */
static const char signature[] = "# GRUB Environment Block\n";

static bool entry_is_name(struct span name)
{
	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return name.size > 0;
}

/* The logical line at the front of *rest, unescaped into *line; *lines counts the physical ones. */
static void take_line(struct span *rest, struct text *line, uint64_t *lines)
{
	size_t at = 0;
	for (; at < rest->size && rest->data[at] != '\n'; at++) {
		if (rest->data[at] == '\\' && at + 1 < rest->size)
			at++;
		*lines += rest->data[at] == '\n';
		text_add_char(line, (char)rest->data[at]);
	}
	++*lines;
	*rest = span_from(*rest, at + 1);
}

bool grubenv_parse(struct span file, struct arena *arena, struct grubenv *out, struct error *error)
{
	size_t head = strlen(signature);
	if (file.size < GRUBENV_SIZE)
		return error_set(error, ERROR_CORRUPT,
		                 "the environment block has %zu bytes instead of %d: make it anew with "
		                 "`grub-editenv FILE create`",
		                 file.size, GRUBENV_SIZE);
	if (!span_has(file, 0, signature, head))
		return error_set(
			error, ERROR_CORRUPT,
			"the environment block does not begin with \"# GRUB Environment Block\": make it "
			"anew with `grub-editenv FILE create`");
	struct text line CLEANUP(text_free) = { 0 };
	struct span rest = span_from(file, head);
	for (uint64_t number = 2; rest.size > 0;) {
		uint64_t first = number;
		/* Padding ends the block; a comment line of more than '#' is only skipped. */
		bool comment = rest.data[0] == '#';
		text_clear(&line);
		take_line(&rest, &line, &number);
		struct span text = span_text(text_get(&line));
		size_t equals = span_find(text, 0, "=", 1);
		struct span name;
		if (comment || equals == SIZE_MAX || !span_slice(text, 0, equals, &name) ||
		    !entry_is_name(name))
			continue;
		*LIST_ADD(arena, &out->entries) = (struct grubenv_entry){
			.name = arena_string(arena, name),
			.value = arena_string(arena, span_from(text, equals + 1)),
			.line = first,
		};
	}
	return true;
}
