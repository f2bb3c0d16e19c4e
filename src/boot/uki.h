// Unified kernel images: one EFI program (systemd-stub) with a kernel, its initramfs and its command line as
// sections. https://uapi-group.org/specifications/specs/unified_kernel_image/, systemd-stub(7).
//
//   .linux     the kernel, an EFI program itself
//   .initrd    its initramfs                  .ucode  microcode, which comes in front of it
//   .cmdline   its command line               .uname  its release, as in /lib/modules
//   .osrel     os-release                     .dtb    a device tree
//   .profile   begins a profile: the sections behind it, in the place of those in front of the first .profile
#pragma once

#include "base/budget.h"
#include "boot/boot.h"
#include "boot/pe.h"

#define UKI_PROFILES_MAX 32

/* One way to boot an image. Without .profile sections there is one, the image itself. */
struct uki_profile {
	const char *id, *title;   /* of .profile: "ID=" and "TITLE="; NULL */
	struct pe_section linux;  /* size 0: none, and the stub boots nothing */
	struct pe_section ucode;  /* size 0: none */
	struct pe_section initrd; /* size 0: none */
	const char *command_line; /* of .cmdline, without white space at its ends; NULL: no such section */
	const char *version;      /* of .uname; NULL */
	struct span os_release;   /* text of .osrel; empty: none */
};

struct uki {
	uint16_t machine;                  /* PE_MACHINE_* */
	unsigned stub_version;             /* of the systemd-stub in it, "252" of "252.39"; 0: not known */
	LIST(struct uki_profile) profiles; /* at least one; the first is what boots by itself */
};

/*
 * Reads the section table and the small sections; strings are in the arena. ERROR_NOT_FOUND when the file is
 * an EFI program without a kernel in it, ERROR_CORRUPT when it is none or a section lies outside of it.
 */
NODISCARD bool uki_read(const struct reader *file, struct arena *arena, struct uki *out, struct error *error);

/* The sections of a PE file as a UKI's, a kernel asked for or not (an addon has none). */
NODISCARD bool uki_read_sections(const struct reader *file, const struct pe *pe, struct arena *arena,
                                 struct uki *out, struct error *error);

/* A section of the image at `path` as a file that an entry names. */
struct boot_file uki_part(const char *path, uint64_t partition, const struct pe_section *section);

/*
 * Appends what systemd-stub hands to the kernel as initramfs, in its order (.ucode, .initrd), to the entry,
 * and sets its kernel, command line ("" for none) and place: the UKI with the section's name in `text`.
 */
void uki_fill_entry(const struct uki_profile *profile, const char *path, uint64_t partition,
                    struct arena *arena, struct boot_entry *entry);

/*
 * uki_boot.c: fills kernel, initrds, command line and place of an entry that starts the image at `path`:
 * profile `profile` of it, `options` (NULL or "": none) in the place of its own command line, and the addons
 * beside it. ERROR_NOT_FOUND when that file is no such image.
 */
struct boot_disk;
NODISCARD bool uki_boot(struct boot_disk *disk, uint64_t partition, const char *path, size_t profile,
                        const char *options, struct boot_entry *entry, struct error *error);

/* A value of an os-release text, unquoted, in the arena; NULL when it has no such key. */
const char *uki_os_release(struct span text, const char *key, struct arena *arena);
