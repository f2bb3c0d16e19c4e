// How UEFI firmware starts a disk on a machine that has never seen it: no boot entry in NVRAM, so only the
// removable-media path counts (UEFI Specification 2.10, section 3.5.1.1).
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "boot/firmware.h"
#include "boot/pe.h"

#define SBAT_MAX    ((size_t)16 << 10)
#define MODULES_MAX ((size_t)16 << 20)
#define CSV_MAX     ((size_t)16 << 10)
#define VENDORS_MAX 64
#define SHIM_MAX    ((size_t)4 << 20)

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
	struct boot_disk *disk;
	struct firmware_path *out;
	const struct efi_arch *arch;
	struct tree esp;
	uint64_t partition;
	const char *second_stage; /* that shim is told to start; NULL: what it starts by itself */
};

/* What a line of shim's BOOT*.CSV makes a boot entry of. */
struct csv_option {
	const char *program;
	const char *second_stage; /* NULL: none is named */
};

struct csv_options {
	LIST(struct csv_option) list;
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

static bool has_bytes(struct uefi *uefi, const char *program, struct span bytes)
{
	struct span content;
	struct error error = { 0 };
	return tree_load(&uefi->esp, program, SHIM_MAX, uefi->disk->arena, &content, NULL, &error) &&
	       span_find(content, 0, bytes.data, bytes.size) != SIZE_MAX;
}

static bool has_text(struct uefi *uefi, const char *program, const char *text)
{
	return has_bytes(uefi, program, span_text(text));
}

/* Does the program hold this text, in UTF-16? Says how shim's builder has named what it starts. */
static bool has_name(struct uefi *uefi, const char *program, const char *name)
{
	struct text wide CLEANUP(text_free) = { 0 };
	for (const char *at = name; *at; at++) {
		text_add_char(&wide, *at);
		text_add_char(&wide, '\0');
	}
	return has_bytes(uefi, program, span_of(wide.data, wide.size));
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
	/* It has one section, and names the module that it loads. */
	if (str_equal(loader, "unknown") && has_text(uefi, path, "ldlinux.e64"))
		loader = "syslinux";
	const struct pe_section *modules = pe_section(&pe, "mods");
	struct span content;
	if (modules && pe_load(&file, modules, MODULES_MAX, arena, &content, &error))
		grub_image_read(content, arena, &uefi->out->image);
	uefi->out->path.loader = loader;
	uefi->out->path.place =
		(struct place){ .partition = uefi->partition, .path = arena_strdup(arena, found->path) };
	return loader;
}

/* UTF-16LE, of which names need the ASCII alone. */
static struct span narrow(struct arena *arena, struct span wide)
{
	uint8_t *text = arena_alloc(arena, wide.size / 2 + 1);
	size_t at = span_has(wide, 0, "\xff\xfe", 2) ? 2 : 0, length = 0;
	uint16_t character;
	for (; get_le16(wide, at, &character) && character; at += 2)
		text[length++] = character < 0x7f ? (uint8_t)character : '?';
	return span_of(text, length);
}

/* Takes what stands in front of the next comma. */
static struct span take_field(struct span *line)
{
	size_t comma = span_find(*line, 0, ",", 1);
	struct span field = span_of(line->data, comma == SIZE_MAX ? line->size : comma);
	*line = comma == SIZE_MAX ? (struct span){ 0 } : span_from(*line, comma + 1);
	return field;
}

/* "\EFI\Linux\a.efi" is a path from the root, all else one from the folder of shim. */
static const char *second_stage_path(struct arena *arena, const char *folder, struct span name)
{
	bool whole = span_has(name, 0, "\\EFI\\", 5);
	const char *text = arena_string(arena, name);
	char *path = whole ? arena_strdup(arena, text) : arena_printf(arena, "%s/%s", folder, text);
	for (char *at = path; *at; at++)
		if (*at == '\\')
			*at = '/';
	return path;
}

/*
 * The lines of a BOOT*.CSV of shim's fallback: "PROGRAM,LABEL,OPTIONS,COMMENT" in UTF-16LE. The first word of
 * the options is what shim starts in place of GRUB, as in "shimx64.efi,redhat,\EFI\Linux\a.efi ,": without a
 * blank behind it shim does not see it.
 */
static void read_csv(struct uefi *uefi, const char *folder, const char *name, struct csv_options *out)
{
	struct arena *arena = uefi->disk->arena;
	struct span wide, text, line;
	struct error error = { 0 };
	const char *path = arena_printf(arena, "%s/%s", folder, name);
	if (!tree_load(&uefi->esp, path, CSV_MAX, arena, &wide, NULL, &error))
		return;
	text = narrow(arena, wide);
	while (span_next_line(&text, &line)) {
		struct span program = take_field(&line), label = take_field(&line);
		struct span options = take_field(&line);
		if (program.size == 0 || label.size == 0)
			continue;
		while (options.size > 0 && options.data[0] == ' ')
			options = span_from(options, 1);
		size_t blank = span_find(options, 0, " ", 1);
		struct csv_option *option = LIST_ADD(arena, &out->list);
		option->program = arena_printf(arena, "%s/%s", folder, arena_string(arena, program));
		if (blank != SIZE_MAX && blank > 0)
			option->second_stage = second_stage_path(arena, folder, span_of(options.data, blank));
	}
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

static bool has_fallback(struct uefi *uefi)
{
	struct arena *arena = uefi->disk->arena;
	struct tree_file *file = arena_alloc(arena, sizeof(*file));
	return find_file(uefi, arena_printf(arena, "/EFI/BOOT/fb%s.efi", uefi->arch->suffix), file) ||
	       find_file(uefi, "/EFI/BOOT/fallback.efi", file);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcasecmp(a, b) == 0);
}

static bool same_option(const struct csv_option *a, const struct csv_option *b)
{
	return same_text(a->program, b->program) && same_text(a->second_stage, b->second_stage);
}

/*
 * Shim as BOOTX64.EFI with fbx64.efi beside it makes boot entries of the BOOT*.CSV under /EFI, and starts
 * one: the first of them, or where there is a TPM, what the firmware starts behind a reset. Nothing else: a
 * GRUB that lies there as well is passed over.
 */
static const char *follow_fallback(struct uefi *uefi)
{
	struct arena *arena = uefi->disk->arena;
	struct names names = vendors(uefi);
	struct csv_options options = { 0 };
	const char *shim = uefi->out->path.place.path;
	verdict(uefi, ANSWER_NO,
	        arena_printf(
			arena,
			"%s is shim, whose fallback finds no vendor's BOOT%s.CSV under /EFI: add one, or "
			"remove fb%s.efi so that shim starts GRUB",
			shim, uefi->arch->upper, uefi->arch->suffix));
	for (size_t i = 0; i < names.count; i++) {
		if (strcasecmp(names.items[i], "BOOT") == 0)
			continue;
		const char *folder = arena_printf(arena, "/EFI/%s", names.items[i]);
		size_t before = options.list.count;
		read_csv(uefi, folder, arena_printf(arena, "BOOT%s.CSV", uefi->arch->upper), &options);
		if (options.list.count == before)
			read_csv(uefi, folder, "BOOT.CSV", &options);
	}
	if (options.list.count == 0)
		return NULL;
	const struct csv_option *first = &options.list.items[0];
	for (size_t i = 1; i < options.list.count; i++)
		if (!same_option(&options.list.items[i], first))
			uefi->out->doubt = "shim's fallback makes more than one boot entry, and which of "
					   "them is the first depends on the firmware";
	verdict(uefi, ANSWER_NO,
	        arena_printf(arena, "%s is shim, whose fallback starts %s, which does not exist", shim,
	                     first->program));
	uefi->second_stage = first->second_stage;
	return inspect(uefi, first->program);
}

/* What shim starts: what it is told to, else GRUB in its own folder. */
static void follow_shim(struct uefi *uefi)
{
	struct arena *arena = uefi->disk->arena;
	const char *path = uefi->out->path.place.path;
	const char *slash = strrchr(path, '/');
	const char *folder = arena_string(arena, span_of(path, (size_t)(slash - path)));
	const char *name = arena_printf(arena, "grub%s.efi", uefi->arch->suffix);
	/* SUSE's starts "grub.efi", without the architecture. */
	if (!has_name(uefi, path, name) && has_name(uefi, path, "grub.efi"))
		name = "grub.efi";
	const char *grub =
		uefi->second_stage ? uefi->second_stage : arena_printf(arena, "%s/%s", folder, name);
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
		const char *started = has_fallback(uefi) ? follow_fallback(uefi) : loader;
		if (str_equal(started, "shim"))
			follow_shim(uefi);
		else if (started)
			verdict(uefi, ANSWER_YES,
			        arena_printf(arena, "%s is shim, whose fallback starts %s", path,
			                     uefi->out->path.place.path));
		return;
	}
	bool known = !str_equal(loader, "unknown");
	verdict(uefi, known ? ANSWER_YES : ANSWER_UNKNOWN,
	        known ? arena_printf(arena, "%s is %s", path, loader)
	              : arena_printf(arena, "%s is an EFI program that is not known", path));
	if (str_equal(loader, "syslinux"))
		syslinux_find_efi(uefi->disk, uefi->out);
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
					"firmware starts that path alone; run %s",
					path, uefi->arch->removable,
					str_equal(loader, "systemd-boot")
						? "bootctl install"
						: "grub-install with --removable or "
						  "--force-extra-removable"));
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
	return str_equal(partition->type, VOLUME_ESP_TYPE) || str_equal(partition->type, "0xef");
}

/* EDK II starts the removable path of any FAT file system; the specification asks for one of the ESP's type.
 */
static void check_other_fat(struct uefi *uefi)
{
	const struct partition_table *table = uefi->disk->table;
	for (size_t i = 0; i < table->partitions.count && uefi->out->path.works == ANSWER_NO; i++) {
		const struct partition *partition = &table->partitions.items[i];
		struct filesystem *fs = boot_disk_filesystem(uefi->disk, partition->number);
		if (is_esp(partition) || partition->volume || !fs || !fs_is_open(fs) ||
		    !str_equal(fs->type, "vfat"))
			continue;
		struct tree tree = tree_of(fs);
		if (!tree_exists(&tree, archs[0].removable) && !tree_exists(&tree, archs[1].removable))
			continue;
		uefi->esp = tree;
		uefi->out->path.place = (struct place){ .partition = uefi->partition = partition->number };
		check_esp(uefi);
		if (uefi->out->path.works == ANSWER_YES)
			verdict(uefi, ANSWER_UNKNOWN,
			        arena_printf(
					uefi->disk->arena,
					"%s, but partition %" PRIu64
					" is not of the EFI system partition's type, and firmware may pass "
					"it over: set its type, as in sgdisk -t %" PRIu64 ":ef00 disk.raw",
					uefi->out->path.reason, partition->number, partition->number));
	}
}

void uefi_find(struct boot_disk *disk, struct firmware_path *out)
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
	check_other_fat(&uefi);
}
