// How UEFI firmware starts a disk on a machine that has never seen it: no boot entry in NVRAM, so only the
// removable-media path counts (UEFI Specification 2.10, section 3.5.1.1).
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "boot/firmware.h"
#include "boot/pe.h"

#define ESP_TYPE    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define SBAT_MAX    ((size_t)16 << 10)
#define MODULES_MAX ((size_t)16 << 20)
#define CSV_MAX     ((size_t)16 << 10)
#define VENDORS_MAX 64

/* File names by architecture; shim looks for its own. */
static const struct efi_arch {
	uint16_t machine;
	const char *cpu;
	const char *removable; /* "/EFI/BOOT/BOOTX64.EFI" */
	const char *suffix;    /* "x64" in grubx64.efi, shimx64.efi, fbx64.efi */
	const char *upper;     /* "X64" in BOOTX64.CSV */
} archs[] = {
	{ PE_MACHINE_X86_64, "x86_64", "/EFI/BOOT/BOOTX64.EFI", "x64", "X64" },
	{ PE_MACHINE_ARM64, "arm64", "/EFI/BOOT/BOOTAA64.EFI", "aa64", "AA64" },
};

struct uefi {
	const struct boot_disk *disk;
	struct firmware_path *out;
	const struct efi_arch *arch;
	struct tree esp;
	uint64_t partition;
};

static void verdict(struct uefi *uefi, enum answer works, const char *reason)
{
	uefi->out->path.works = works;
	uefi->out->path.reason = reason;
}

static bool find_file(struct uefi *uefi, const char *path, struct tree_file *out)
{
	struct error error = { 0 };
	return tree_lookup(&uefi->esp, path, out, &error) && out->node.type == NODE_FILE;
}

static bool sbat_names(const struct reader *file, const struct pe *pe, struct arena *arena, const char *name)
{
	struct span sbat, line;
	struct error error = { 0 };
	const struct pe_section *section = pe_section(pe, ".sbat");
	if (!section || !pe_load(file, section, SBAT_MAX, arena, &sbat, &error))
		return false;
	while (span_next_line(&sbat, &line))
		if (span_has(line, 0, name, strlen(name)) && span_has(line, strlen(name), ",", 1))
			return true;
	return false;
}

/* Which loader an EFI program is, by the sections that its build leaves. */
static const char *identify(const struct reader *file, const struct pe *pe, struct arena *arena)
{
	if (pe_section(pe, ".linux"))
		return "uki";
	if (pe_section(pe, ".sdmagic"))
		return "systemd-boot";
	if (pe_section(pe, "mods") || sbat_names(file, pe, arena, "grub"))
		return "grub";
	if (pe_section(pe, ".vendor_cert") || sbat_names(file, pe, arena, "shim"))
		return "shim";
	if (sbat_names(file, pe, arena, "systemd-boot"))
		return "systemd-boot";
	return "unknown";
}

/* Looks into one EFI program; its loader's name, NULL when it cannot run here (with the verdict). */
static const char *inspect(struct uefi *uefi, const char *path)
{
	struct arena *arena = uefi->disk->arena;
	struct tree_file *found = arena_alloc(arena, sizeof(*found));
	struct pe pe;
	struct error error = { 0 };
	if (!find_file(uefi, path, found))
		return NULL;
	struct reader file = node_reader(&found->node);
	if (!pe_read(&file, arena, &pe, &error)) {
		verdict(uefi, ANSWER_NO, arena_printf(arena, "%s: %s", path, error.message));
		return NULL;
	}
	if (pe.machine != uefi->arch->machine) {
		verdict(uefi, ANSWER_NO,
		        arena_printf(arena, "%s is built for another machine (PE type 0x%04x)", path,
		                     pe.machine));
		return NULL;
	}
	const char *loader = identify(&file, &pe, arena);
	const struct pe_section *modules = pe_section(&pe, "mods");
	struct span content;
	if (modules && pe_load(&file, modules, MODULES_MAX, arena, &content, &error))
		grub_image_read(content, arena, &uefi->out->image);
	uefi->out->path.loader = loader;
	uefi->out->path.place =
		(struct place){ .partition = uefi->partition, .path = arena_strdup(arena, found->path) };
	return loader;
}

/* The first name in a BOOT*.CSV of shim's fallback: "shimx64.efi,debian,,..." in UTF-16LE. */
static const char *csv_program(struct uefi *uefi, const char *path)
{
	struct span text;
	struct error error = { 0 };
	struct text name CLEANUP(text_free) = { 0 };
	if (!tree_load(&uefi->esp, path, CSV_MAX, uefi->disk->arena, &text, NULL, &error))
		return NULL;
	size_t at = span_has(text, 0, "\xff\xfe", 2) ? 2 : 0;
	uint16_t character;
	for (; get_le16(text, at, &character) && character > ' ' && character < 0x7f && character != ',';
	     at += 2)
		text_add_char(&name, (char)character);
	return name.size ? arena_strdup(uefi->disk->arena, text_get(&name)) : NULL;
}

/* Folders of /EFI but BOOT: one a vendor. */
static struct names vendors(struct uefi *uefi)
{
	struct names names = { 0 };
	struct error error = { 0 };
	if (!tree_names(&uefi->esp, "/EFI", uefi->disk->arena, &names, &error) || names.count > VENDORS_MAX)
		names.count = 0;
	return names;
}

/* Shim as BOOTX64.EFI with fbx64.efi beside it starts what the first BOOT*.CSV under /EFI names. */
static bool follow_fallback(struct uefi *uefi, const char **loader)
{
	struct arena *arena = uefi->disk->arena;
	struct tree_file *file = arena_alloc(arena, sizeof(*file));
	struct names names = vendors(uefi);
	if (!find_file(uefi, arena_printf(arena, "/EFI/BOOT/fb%s.efi", uefi->arch->suffix), file))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		const char *folder = arena_printf(arena, "/EFI/%s", names.items[i]);
		const char *program =
			csv_program(uefi, arena_printf(arena, "%s/BOOT%s.CSV", folder, uefi->arch->upper));
		if (!program)
			continue;
		*loader = inspect(uefi, arena_printf(arena, "%s/%s", folder, program));
		return *loader != NULL;
	}
	return false;
}

/* What shim starts: GRUB in its own folder. */
static void follow_shim(struct uefi *uefi)
{
	struct arena *arena = uefi->disk->arena;
	const char *path = uefi->out->path.place.path;
	const char *slash = strrchr(path, '/');
	const char *folder = arena_string(arena, span_of(path, (size_t)(slash - path)));
	const char *grub = arena_printf(arena, "%s/grub%s.efi", folder, uefi->arch->suffix);
	struct tree_file *file = arena_alloc(arena, sizeof(*file));
	if (!find_file(uefi, grub, file)) {
		verdict(uefi, ANSWER_NO,
		        arena_printf(arena, "%s is shim, and %s, which it starts, does not exist", path,
		                     grub));
		return;
	}
	if (!inspect(uefi, grub)) {
		uefi->out->path.loader = "shim";
		return;
	}
	verdict(uefi, ANSWER_YES, arena_printf(arena, "%s is shim, which starts %s", path, grub));
}

static void follow_removable(struct uefi *uefi, const char *loader)
{
	struct arena *arena = uefi->disk->arena;
	const char *path = uefi->out->path.place.path;
	if (str_equal(loader, "shim")) {
		const char *started = loader;
		if (follow_fallback(uefi, &started) && !str_equal(started, "shim")) {
			verdict(uefi, ANSWER_YES,
			        arena_printf(arena, "%s is shim, whose fallback starts %s", path,
			                     uefi->out->path.place.path));
			return;
		}
		follow_shim(uefi);
		return;
	}
	bool known = !str_equal(loader, "unknown");
	verdict(uefi, known ? ANSWER_YES : ANSWER_UNKNOWN,
	        known ? arena_printf(arena, "%s is %s", path, loader)
	              : arena_printf(arena, "%s is an EFI program that is not known", path));
}

/* Without the removable path: is there a loader that an NVRAM entry would be needed for? */
static void note_vendor_paths(struct uefi *uefi)
{
	static const char *const programs[] = { "shim%s.efi", "grub%s.efi", "systemd-boot%s.efi" };
	struct arena *arena = uefi->disk->arena;
	struct names names = vendors(uefi);
	for (size_t i = 0; i < names.count; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(programs); j++) {
			const char *program = programs[j];
			size_t stem = strcspn(program, "%");
			const char *path = arena_printf(arena, "/EFI/%s/%.*s%s.efi", names.items[i],
			                                (int)stem, program, uefi->arch->suffix);
			const char *loader = inspect(uefi, path);
			if (!loader)
				continue;
			/* What it would start is of interest; that it is not started is what counts. */
			if (str_equal(loader, "shim"))
				follow_shim(uefi);
			verdict(uefi, ANSWER_NO,
			        arena_printf(
					arena,
					"there is %s but no %s: a new instance has no boot entries, and its "
					"firmware starts that path alone; run grub-install with --removable "
					"or --force-extra-removable",
					path, uefi->arch->removable));
			return;
		}
	}
	uefi->out->path.loader = "unknown";
	verdict(uefi, ANSWER_NO,
	        arena_printf(arena, "the EFI system partition %" PRIu64 " has no %s", uefi->partition,
	                     uefi->arch->removable));
}

static void check_esp(struct uefi *uefi)
{
	struct tree_file *file = arena_alloc(uefi->disk->arena, sizeof(*file));
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
		uefi->arch = &archs[i];
		if (!find_file(uefi, archs[i].removable, file))
			continue;
		uefi->out->cpu = uefi->arch->cpu;
		const char *loader = inspect(uefi, archs[i].removable);
		if (loader)
			follow_removable(uefi, loader);
		return;
	}
	uefi->arch = &archs[0];
	note_vendor_paths(uefi);
}

static bool is_esp(const struct partition *partition)
{
	return str_equal(partition->type, ESP_TYPE) || str_equal(partition->type, "0xef");
}

void uefi_find(const struct boot_disk *disk, struct firmware_path *out)
{
	struct uefi uefi = { .disk = disk, .out = out };
	*out = (struct firmware_path){ .platform = "efi", .cpu = "x86_64" };
	out->path.firmware = "uefi";
	out->path.loader = "unknown";
	verdict(&uefi, ANSWER_NO, "there is no EFI system partition");
	for (size_t i = 0; i < disk->table->partitions.count; i++) {
		const struct partition *partition = &disk->table->partitions.items[i];
		if (!is_esp(partition))
			continue;
		struct filesystem *fs = boot_disk_filesystem(disk, partition->number);
		out->path.place.partition = uefi.partition = partition->number;
		if (!fs || !fs_is_open(fs) || !str_equal(fs->type, "vfat")) {
			verdict(&uefi, fs && !fs_is_open(fs) ? ANSWER_UNKNOWN : ANSWER_NO,
			        arena_printf(disk->arena,
			                     "the EFI system partition %" PRIu64
			                     " holds no FAT file system that "
			                     "can be read",
			                     partition->number));
			continue;
		}
		uefi.esp = tree_of(fs);
		check_esp(&uefi);
		if (out->path.works != ANSWER_NO)
			return;
	}
}
