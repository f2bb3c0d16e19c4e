#include "boot/pe.h"

#include <string.h>

#include "base/checked.h"
#include "base/text.h"

/*
 * 0x00 "MZ"; 0x3c u32 offset of the PE header:
 *   +0 "PE\0\0"  +4 u16 machine  +6 u16 number of sections  +20 u16 size of the optional header
 *   +24 optional header, then sections of 40 bytes:
 *       +0 name[8]  +8 u32 size in memory  +16 u32 size in the file  +20 u32 offset in the file
 */
#define PE_HEADER_SIZE 24
#define SECTION_SIZE   40

static bool read_sections(const struct reader *file, uint64_t offset, uint16_t count, struct arena *arena,
                          struct pe *out, struct error *error)
{
	if (count > PE_SECTIONS_MAX)
		return error_set(error, ERROR_CORRUPT, "the EFI program claims %u sections", count);
	for (uint16_t i = 0; i < count; i++, offset += SECTION_SIZE) {
		uint8_t bytes[SECTION_SIZE];
		struct span header = span_of(bytes, sizeof(bytes));
		uint32_t in_memory, in_file, start;
		if (!reader_read(file, offset, bytes, sizeof(bytes), error))
			return false;
		if (!get_le32(header, 8, &in_memory) || !get_le32(header, 16, &in_file) ||
		    !get_le32(header, 20, &start))
			return error_set(error, ERROR_CORRUPT, "a section header is cut short");
		struct pe_section *section = LIST_ADD(arena, &out->sections);
		memcpy(section->name, bytes, 8);
		section->offset = start;
		/* The file's size is rounded up; the size in memory is what was meant. */
		section->size = in_memory && in_memory < in_file ? in_memory : in_file;
	}
	return true;
}

bool pe_read(const struct reader *file, struct arena *arena, struct pe *out, struct error *error)
{
	uint8_t dos[0x40], header[PE_HEADER_SIZE];
	uint32_t at;
	uint16_t count, optional;
	uint64_t sections;
	*out = (struct pe){ 0 };
	if (!reader_read(file, 0, dos, sizeof(dos), error))
		return false;
	if (memcmp(dos, "MZ", 2) != 0 || !get_le32(span_of(dos, sizeof(dos)), 0x3c, &at))
		return error_set(error, ERROR_CORRUPT,
		                 "the file does not begin with \"MZ\": it is no EFI program");
	if (!reader_read(file, at, header, sizeof(header), error))
		return false;
	struct span pe = span_of(header, sizeof(header));
	if (memcmp(header, "PE\0\0", 4) != 0 || !get_le16(pe, 4, &out->machine) || !get_le16(pe, 6, &count) ||
	    !get_le16(pe, 20, &optional))
		return error_set(error, ERROR_CORRUPT, "the file has no PE header: it is no EFI program");
	sections = (uint64_t)at + PE_HEADER_SIZE + optional;
	return read_sections(file, sections, count, arena, out, error);
}

const struct pe_section *pe_section(const struct pe *pe, const char *name)
{
	for (size_t i = 0; i < pe->sections.count; i++)
		if (str_equal(pe->sections.items[i].name, name))
			return &pe->sections.items[i];
	return NULL;
}

bool pe_load(const struct reader *file, const struct pe_section *section, size_t most, struct arena *arena,
             struct span *out, struct error *error)
{
	struct reader part;
	uint64_t size = section->size < most ? section->size : most;
	return reader_slice(file, section->offset, size, &part, error) &&
	       reader_load(&part, most, arena, out, error);
}
