#include "boot/uki.h"

#include <string.h>

#include "base/text.h"

#define TEXT_MAX ((size_t)64 << 10) /* bytes of .cmdline, .uname, .osrel and .profile that are read */

/* The text of a section up to a NUL, without white space at its ends. */
static bool read_text(const struct reader *file, const struct pe_section *section, struct arena *arena,
                      const char **out, struct error *error)
{
	struct span bytes;
	if (!pe_load(file, section, TEXT_MAX, arena, &bytes, error))
		return error_wrap(error, "section %s", section->name);
	const char *text = arena_string(arena, bytes);
	*out = arena_string(arena, span_trim(span_text(text)));
	return true;
}

/* As systemd-stub does: control characters inside the command line are blanks to it. */
static bool read_command_line(const struct reader *file, const struct pe_section *section,
                              struct arena *arena, const char **out, struct error *error)
{
	const char *text = NULL;
	if (!read_text(file, section, arena, &text, error))
		return false;
	char *line = arena_strdup(arena, text);
	for (char *at = line; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = ' ';
	*out = line;
	return true;
}

/* The value of KEY=value, without quotes around it, as systemd's boot loaders read their files. */
const char *uki_os_release(struct span text, const char *key, struct arena *arena)
{
	const char *found = NULL;
	struct span line;
	size_t length = strlen(key);
	while (span_next_line(&text, &line)) {
		line = span_trim(line);
		if (!span_has(line, 0, key, length) || !span_has(line, length, "=", 1))
			continue;
		struct span value = span_trim(span_from(line, length + 1));
		bool quoted = value.size >= 2 && strchr("\"'", value.data[0]) &&
		              value.data[0] == value.data[value.size - 1];
		if (quoted)
			value = span_of(value.data + 1, value.size - 2);
		found = arena_string(arena, value);
	}
	return found;
}

static bool read_profile(const struct reader *file, const struct pe_section *section, struct arena *arena,
                         struct uki_profile *profile, struct error *error)
{
	struct span text;
	if (!pe_load(file, section, TEXT_MAX, arena, &text, error))
		return error_wrap(error, "section %s", section->name);
	profile->id = uki_os_release(text, "ID", arena);
	profile->title = uki_os_release(text, "TITLE", arena);
	return true;
}

/* A large section: only that it is there, and whole. */
static bool take_part(const struct reader *file, const struct pe_section *section, struct pe_section *out,
                      struct error *error)
{
	struct reader part;
	if (!reader_slice(file, section->offset, section->size, &part, error))
		return error_wrap(error, "section %s is cut off", section->name);
	*out = *section;
	return true;
}

static bool take_section(const struct reader *file, const struct pe_section *section, struct arena *arena,
                         struct uki_profile *profile, struct error *error)
{
	if (str_equal(section->name, ".linux"))
		return take_part(file, section, &profile->linux, error);
	if (str_equal(section->name, ".initrd"))
		return take_part(file, section, &profile->initrd, error);
	if (str_equal(section->name, ".ucode"))
		return take_part(file, section, &profile->ucode, error);
	if (str_equal(section->name, ".cmdline"))
		return read_command_line(file, section, arena, &profile->command_line, error);
	if (str_equal(section->name, ".uname"))
		return read_text(file, section, arena, &profile->version, error);
	if (str_equal(section->name, ".osrel"))
		return pe_load(file, section, TEXT_MAX, arena, &profile->os_release, error);
	return true;
}

/* "#### LoaderInfo: systemd-stub 252.39-1 ####": which stub the image begins with. */
static unsigned read_stub_version(const struct reader *file, const struct pe_section *section,
                                  struct arena *arena)
{
	static const char name[] = "systemd-stub ";
	struct span magic;
	struct error error = { 0 };
	unsigned version = 0;
	if (!pe_load(file, section, TEXT_MAX, arena, &magic, &error))
		return 0;
	size_t at = span_find(magic, 0, name, strlen(name));
	for (at += at == SIZE_MAX ? 0 : strlen(name); at < magic.size && version < 100000; at++) {
		if (magic.data[at] < '0' || magic.data[at] > '9')
			break;
		version = version * 10 + (unsigned)(magic.data[at] - '0');
	}
	return version;
}

bool uki_read_sections(const struct reader *file, const struct pe *pe, struct arena *arena, struct uki *out,
                       struct error *error)
{
	struct uki_profile base = { 0 }, *profile = &base;
	*out = (struct uki){ .machine = pe->machine };
	for (size_t i = 0; i < pe->sections.count; i++) {
		const struct pe_section *section = &pe->sections.items[i];
		if (str_equal(section->name, ".profile")) {
			if (out->profiles.count >= UKI_PROFILES_MAX)
				break;
			profile = LIST_ADD(arena, &out->profiles);
			*profile = base;
			if (!read_profile(file, section, arena, profile, error))
				return false;
		} else if (str_equal(section->name, ".sdmagic")) {
			out->stub_version = read_stub_version(file, section, arena);
		} else if (!take_section(file, section, arena, profile, error)) {
			return false;
		}
	}
	if (out->profiles.count == 0)
		*LIST_ADD(arena, &out->profiles) = base;
	return true;
}

bool uki_read(const struct reader *file, struct arena *arena, struct uki *out, struct error *error)
{
	struct pe pe;
	if (!pe_read(file, arena, &pe, error) || !uki_read_sections(file, &pe, arena, out, error))
		return false;
	if (out->profiles.items[0].linux.size == 0)
		return error_set(error, ERROR_NOT_FOUND,
		                 "the EFI program has no .linux section: it is no unified kernel image");
	return true;
}

struct boot_file uki_part(const char *path, uint64_t partition, const struct pe_section *section)
{
	return (struct boot_file){
		.path = path,
		.partition = partition,
		.found = ANSWER_YES,
		.section = section->name,
		.offset = section->offset,
		.size = section->size,
	};
}

void uki_fill_entry(const struct uki_profile *profile, const char *path, uint64_t partition,
                    struct arena *arena, struct boot_entry *entry)
{
	if (profile->linux.size > 0)
		entry->kernel = uki_part(path, partition, &profile->linux);
	if (profile->ucode.size > 0)
		*LIST_ADD(arena, &entry->initrds) = uki_part(path, partition, &profile->ucode);
	if (profile->initrd.size > 0)
		*LIST_ADD(arena, &entry->initrds) = uki_part(path, partition, &profile->initrd);
	entry->command_line = profile->command_line ? profile->command_line : "";
	entry->place = (struct place){
		.partition = partition,
		.path = path,
		.text = profile->command_line ? arena_printf(arena, ".cmdline: %s", profile->command_line)
		                              : ".linux",
	};
}
