// EFI programs: the little of the PE/COFF format that tells what a boot loader is.
// Format: Microsoft Portable Executable and Common Object File Format Specification.
#pragma once

#include "base/arena.h"
#include "base/reader.h"

#define PE_MACHINE_X86_64 0x8664
#define PE_MACHINE_ARM64  0xaa64
#define PE_SECTIONS_MAX   96

struct pe_section {
	char name[9];
	uint64_t offset, size; /* of its bytes in the file */
};

struct pe {
	uint16_t machine;
	LIST(struct pe_section) sections;
};

/* ERROR_CORRUPT when the file is no EFI program. */
NODISCARD bool pe_read(const struct reader *file, struct arena *arena, struct pe *out, struct error *error);

/* NULL when there is none of that name. */
const struct pe_section *pe_section(const struct pe *pe, const char *name);

/* The bytes of a section, at most `most` of them. */
NODISCARD bool pe_load(const struct reader *file, const struct pe_section *section, size_t most,
                       struct arena *arena, struct span *out, struct error *error);
