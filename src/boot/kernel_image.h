// Kernel files: what they say of themselves, and the payload and configuration inside.
// bzImage layout: Documentation/arch/x86/boot.rst of the kernel.
#pragma once

#include "base/budget.h"
#include "base/reader.h"

struct kernel_image {
	const char *format;      /* "bzImage", "Image", "zboot", "vmlinux" */
	const char *arch;        /* "x86_64", "i386", "arm64" */
	const char *version;     /* "6.1.0-56-cloud-amd64": the release, as in /lib/modules; NULL */
	const char *banner;      /* the whole version text, builder included: tells the vendor; NULL */
	bool efi_stub;           /* starts as an EFI program too */
	const char *compression; /* of the payload: "xz", "zstd", ... ; "none" */
	uint64_t payload_offset;
	uint64_t payload_size;
};

/*
 * Do the first bytes claim to be a kernel (or, in ELF, some program)? Those of a compressed file are unpacked
 * as far as that takes. What the claim is worth is for kernel_image_read() to say.
 */
bool kernel_image_matches(const struct reader *file, struct budget *budget);

/*
 * Reads the header alone (some kilobytes), and where that tells no version, what is inside up to the banner.
 * ERROR_CORRUPT when it is no kernel that we know.
 */
NODISCARD bool kernel_image_read(const struct reader *file, struct budget *budget, struct arena *arena,
                                 struct kernel_image *out, struct error *error);

/*
 * The text of the configuration that CONFIG_IKCONFIG keeps inside the kernel, unpacked. Streams the payload
 * with bounded memory and stops once found. ERROR_NOT_FOUND when the kernel was built without it,
 * ERROR_UNSUPPORTED (naming it) for a compression that we do not read.
 */
NODISCARD bool kernel_image_config(const struct reader *file, const struct kernel_image *image,
                                   struct budget *budget, struct arena *arena, struct span *out,
                                   struct error *error);
