// EFI programs made of named sections, for tests: the least that is a PE file.
#pragma once

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

#define PE_TEST_HEADERS ((size_t)0x400) /* room for 22 sections; contents come behind, each aligned to 16 */

struct pe_test_section {
	const char *name; /* at most 8 bytes */
	struct span content;
};

static inline struct pe_test_section pe_text(const char *name, const char *content)
{
	return (struct pe_test_section){ name, span_text(content) };
}

static inline void pe_put_le32(uint8_t *at, size_t value)
{
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static inline struct span pe_build(const struct pe_test_section *sections, size_t count, struct arena *arena)
{
	size_t size = PE_TEST_HEADERS;
	for (size_t i = 0; i < count; i++)
		size += (sections[i].content.size + 15) / 16 * 16;
	uint8_t *bytes = arena_alloc(arena, size), *header = bytes + 0x58;
	memcpy(bytes, "MZ", 2);
	bytes[0x3c] = 0x40;
	memcpy(bytes + 0x40, "PE\0\0\x64\x86", 6);
	bytes[0x46] = (uint8_t)count;
	size_t at = PE_TEST_HEADERS;
	for (size_t i = 0; i < count; i++, header += 40) {
		memcpy(header, sections[i].name, strlen(sections[i].name));
		pe_put_le32(header + 8, sections[i].content.size);
		pe_put_le32(header + 16, (sections[i].content.size + 15) / 16 * 16);
		pe_put_le32(header + 20, at);
		if (sections[i].content.size > 0)
			memcpy(bytes + at, sections[i].content.data, sections[i].content.size);
		at += (sections[i].content.size + 15) / 16 * 16;
	}
	return span_of(bytes, size);
}
