// Where SYSLINUX was installed, whether its parts are there, and which configuration it reads.
//
// For a BIOS, the partition's boot sector loads a sector that it was given by number, the first of
// ldlinux.sys. That file begins "\r\nSYSLINUX 6.04 ", and holds a table that its installer fills
// (libinstaller/syslxint.h):
//   +0 u32 0x3eb202fe   +22 u16 offset of the second table, in the file:
//       +2 u16, +4 u16  offset and room of the folder that it was installed to
//       +14 u16         where in the boot sector the sector's number stands, as u32
// It loads ldlinux.c32 (versions from 5 on), which reads the configuration.
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "boot/syslinux.h"

#define LDLINUX_MAX   ((size_t)1 << 20)
#define LDLINUX_MAGIC "\xfe\x02\xb2\x3e"
#define SECTOR        ((size_t)512)

static const char *const folders[] = { "/boot/extlinux", "/extlinux", "/boot/syslinux",
	                               "/syslinux",      "/boot",     "" };

static bool verdict(struct firmware_path *way, enum answer works, const char *reason)
{
	way->path.works = works;
	way->path.reason = reason;
	return works != ANSWER_NO;
}

/* What ldlinux.sys says of its installation. */
struct ldlinux {
	const char *path;
	struct span content;
	const char *folder;    /* that it was installed to; "" for the root */
	size_t sector_pointer; /* offset in the boot sector */
};

static bool read_ldlinux(struct boot_disk *disk, uint64_t partition, const char *path, struct ldlinux *out)
{
	struct error error = { 0 };
	struct span folder;
	uint16_t table, at, room, pointer;
	*out = (struct ldlinux){ .path = path };
	if (!boot_disk_load(disk, partition, path, LDLINUX_MAX, disk->arena, &out->content, &error))
		return false;
	size_t magic = span_find(out->content, 0, LDLINUX_MAGIC, 4);
	if (magic == SIZE_MAX || !get_le16(out->content, magic + 22, &table) ||
	    !get_le16(out->content, table + 2u, &at) || !get_le16(out->content, table + 4u, &room) ||
	    !get_le16(out->content, table + 14u, &pointer) || !span_slice(out->content, at, room, &folder))
		return false;
	const char *text = arena_string(disk->arena, folder);
	out->folder = str_equal(text, "/") ? "" : text;
	out->sector_pointer = pointer;
	return true;
}

static bool find_ldlinux(struct boot_disk *disk, uint64_t partition, struct ldlinux *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (read_ldlinux(disk, partition, arena_printf(disk->arena, "%s/ldlinux.sys", folders[i]),
		                 out))
			return true;
	return false;
}

/* Does the boot sector lead to this file? It does not, once the file was copied or restored. */
static bool leads_to(struct boot_disk *disk, const struct partition *partition, struct span boot,
                     const struct ldlinux *ldlinux, uint32_t *sector)
{
	struct reader inside, part;
	struct error error = { 0 };
	uint8_t bytes[SECTOR];
	if (!get_le32(boot, ldlinux->sector_pointer, sector) ||
	    !reader_slice(disk->reader, partition->start, partition->size, &inside, &error) ||
	    !reader_slice(&inside, *sector * (uint64_t)SECTOR, SECTOR, &part, &error) ||
	    !reader_read(&part, 0, bytes, SECTOR, &error))
		return false;
	return span_has(ldlinux->content, 0, bytes, SECTOR);
}

static bool take_config(struct boot_disk *disk, struct firmware_path *way, uint64_t partition,
                        const char *folder, const char *name)
{
	const char *path = arena_printf(disk->arena, "%s/%s", folder, name);
	if (!boot_disk_exists(disk, partition, path))
		return false;
	way->path.config = path;
	way->path.config_partition = partition;
	return true;
}

/* In the folder of the installation, then in the usual ones. */
static bool find_config(struct boot_disk *disk, struct firmware_path *way, uint64_t partition,
                        const char *folder)
{
	static const char *const names[] = { "syslx64.cfg", "extlinux.conf", "syslinux.cfg" };
	const char *const searched[] = { folder, "/boot/syslinux", "/syslinux", "" };
	size_t first = str_equal(way->path.firmware, "uefi") ? 0 : 1;
	for (size_t i = 0; i < ARRAY_SIZE(searched); i++)
		for (size_t j = first; j < ARRAY_SIZE(names); j++)
			if (take_config(disk, way, partition, searched[i], names[j]))
				return true;
	return false;
}

/* The core module, which does all the rest. */
static bool has_core(struct boot_disk *disk, uint64_t partition, const char *folder, const char *name)
{
	const char *const searched[] = { folder,           "/boot/isolinux", "/isolinux",
		                         "/boot/syslinux", "/syslinux",      "" };
	for (size_t i = 0; i < ARRAY_SIZE(searched); i++)
		if (boot_disk_exists(disk, partition, arena_printf(disk->arena, "%s/%s", searched[i], name)))
			return true;
	return false;
}

/* Completes a way whose loader runs: the core module and the configuration. */
static void finish(struct boot_disk *disk, struct firmware_path *way, uint64_t partition, const char *folder,
                   const char *core, const char *what)
{
	struct arena *arena = disk->arena;
	if (core && !has_core(disk, partition, folder, core)) {
		verdict(way, ANSWER_NO,
		        arena_printf(arena, "%s, but %s is not in %s: copy it there", what, core,
		                     *folder ? folder : "/"));
		return;
	}
	if (!find_config(disk, way, partition, folder)) {
		verdict(way, ANSWER_NO,
		        arena_printf(
				arena,
				"%s, but finds neither extlinux.conf nor syslinux.cfg in %s, /boot/syslinux, "
				"/syslinux or /",
				what, *folder ? folder : "/"));
		return;
	}
	verdict(way, ANSWER_YES, what);
}

void syslinux_find_bios(struct boot_disk *disk, const struct partition *partition, struct span boot,
                        const char *whose, struct firmware_path *way)
{
	struct arena *arena = disk->arena;
	struct ldlinux ldlinux;
	uint32_t sector = 0;
	const char *start = arena_printf(arena, "%s in the first sector starts partition %" PRIu64, whose,
	                                 partition->number);
	struct filesystem *fs = boot_disk_filesystem(disk, partition->number);
	way->path.loader = "syslinux";
	if (!fs || !fs_is_open(fs)) {
		verdict(way, ANSWER_UNKNOWN,
		        arena_printf(arena, "%s, which holds syslinux in a file system that cannot be read",
		                     start));
		return;
	}
	if (!find_ldlinux(disk, partition->number, &ldlinux)) {
		verdict(way, ANSWER_UNKNOWN,
		        arena_printf(arena, "%s, which holds syslinux, whose ldlinux.sys was not found",
		                     start));
		(void)find_config(disk, way, partition->number, folders[0]);
		return;
	}
	if (!leads_to(disk, partition, boot, &ldlinux, &sector)) {
		verdict(way, ANSWER_NO,
		        arena_printf(arena,
		                     "%s, whose boot sector loads sector %" PRIu32
		                     " of it, where %s does not lie: run extlinux --install",
		                     start, sector, ldlinux.path));
		return;
	}
	bool old = span_find(ldlinux.content, 0, "LINUX 4.", 8) < SECTOR ||
	           span_find(ldlinux.content, 0, "LINUX 3.", 8) < SECTOR;
	finish(disk, way, partition->number, ldlinux.folder, old ? NULL : "ldlinux.c32",
	       arena_printf(arena, "%s, where syslinux is installed in %s", start,
	                    *ldlinux.folder ? ldlinux.folder : "/"));
}

void syslinux_find_efi(struct boot_disk *disk, struct firmware_path *way)
{
	const struct place *program = &way->path.place;
	finish(disk, way, program->partition, boot_disk_folder(disk, program->path),
	       str_equal(way->cpu, "x86_64") ? "ldlinux.e64" : NULL, way->path.reason);
}
