// /etc/fstab: six fields separated by blanks; a blank inside a field is written \040.
//
// Source: fstab(5), getmntent(3).
#include <string.h>

#include "os/lines.h"
#include "os/system.h"

#define FSTAB_MOST   ((size_t)1 << 20)
#define ENTRIES_MOST 4096

static bool is_octal(uint8_t character)
{
	return character >= '0' && character <= '7';
}

/* Octal escapes of three digits; any other backslash stands for itself. */
static const char *unescape(struct span field, struct arena *arena)
{
	char *out = arena_alloc(arena, field.size + 1);
	size_t used = 0;
	for (size_t i = 0; i < field.size; i++) {
		const uint8_t *at = field.data + i;
		bool escape = *at == '\\' && field.size - i >= 4 && is_octal(at[1]) && is_octal(at[2]) &&
		              is_octal(at[3]) && at[1] <= '3';
		if (escape) {
			out[used++] = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
			i += 3;
		} else {
			out[used++] = (char)*at;
		}
	}
	return out;
}

static bool has_option(const char *options, const char *option)
{
	size_t length = strlen(option);
	while (*options) {
		size_t size = strcspn(options, ",");
		if (size == length && strncmp(options, option, length) == 0)
			return true;
		options += size + (options[size] == ',');
	}
	return false;
}

void fstab_read(const struct tree *tree, struct arena *arena, struct fstab *out)
{
	struct file_lines file = file_lines_open(tree, "/etc/fstab", FSTAB_MOST, arena);
	struct span line;
	*out = (struct fstab){ .present = file.present };
	while (file_lines_next(&file, &line) && out->entries.count < ENTRIES_MOST) {
		struct span rest = line, device, path, type, options;
		if (line.data[0] == '#' || !next_word(&rest, NULL, &device) ||
		    !next_word(&rest, NULL, &path) || !next_word(&rest, NULL, &type))
			continue;
		if (!next_word(&rest, NULL, &options))
			options = span_text("defaults");
		struct mount_entry *entry = LIST_ADD(arena, &out->entries);
		*entry = (struct mount_entry){
			.device = unescape(device, arena),
			.path = unescape(path, arena),
			.type = unescape(type, arena),
			.options = unescape(options, arena),
			.place = file_lines_place(&file, line, arena),
		};
		entry->optional =
			has_option(entry->options, "nofail") || has_option(entry->options, "noauto");
	}
}
