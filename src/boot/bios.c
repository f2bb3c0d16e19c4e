// How a BIOS starts a disk: the code in its first sector, and what that loads.
//
// GRUB (grub-core/boot/i386/pc/ of its sources describes the layout):
//   sector 0      boot.img      0x5c u64 number of the sector to load next; the string at 0x180
//   that sector   diskboot.img  block lists from 0x1f4 downwards: u64 start, u16 count, u16 segment, in
//                               sectors; a count of 0 ends them
//   those blocks  the rest of the core image: it knows file systems and reads grub.cfg
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/text.h"
#include "boot/firmware.h"

#define SECTOR          ((size_t)512)
#define CODE_SIZE       ((size_t)440) /* behind it: disk id and partition table */
#define KERNEL_SECTOR   0x5c
#define BLOCK_LIST      0x1f4
#define BLOCK_LIST_SIZE 12
#define BLOCK_LISTS_MAX 16
#define CORE_SIZE_MAX   ((uint64_t)1 << 20)
#define BIOS_BOOT_TYPE  "21686148-6449-6e6f-744e-656564454649"

struct bios {
	struct boot_disk *disk;
	struct firmware_path *out;
	struct span core; /* all of GRUB's core image */
};

static bool verdict(struct bios *bios, enum answer works, const char *loader, const char *reason)
{
	bios->out->path.works = works;
	bios->out->path.loader = loader;
	bios->out->path.reason = reason;
	return true;
}

static bool read_sectors(const struct boot_disk *disk, uint64_t sector, uint64_t count, struct span *out)
{
	struct error error;
	struct reader part;
	uint64_t offset, size;
	if (!mul_u64(sector, SECTOR, &offset) || !mul_u64(count, SECTOR, &size) || size > CORE_SIZE_MAX ||
	    !reader_slice(disk->reader, offset, size, &part, &error))
		return false;
	return reader_load(&part, (size_t)size, disk->arena, out, &error);
}

/* Does a way work that loads a sector outside the disk? Not known where the disk was cut: it may have had the
 * sector. */
static enum answer works_outside(const struct boot_disk *disk)
{
	return volume_unread(disk->table) ? ANSWER_UNKNOWN : ANSWER_NO;
}

/* Says where the core image lies; NULL when it destroys, or is destroyed by, something else. */
static const char *describe_place(struct bios *bios, uint64_t sector, uint64_t count)
{
	const struct partition_table *table = bios->disk->table;
	uint64_t start = sector * SECTOR, size = count * SECTOR;
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *partition = &table->partitions.items[i];
		/* A volume's bytes lie in partitions, and may be scattered. */
		if (partition->volume || start + size <= partition->start ||
		    start >= partition->start + partition->size)
			continue;
		bool inside = start >= partition->start &&
		              range_inside(start - partition->start, size, partition->size);
		if (partition->number == 0)
			return "the bare file system";
		if (!inside)
			return NULL;
		if (str_equal(partition->type, BIOS_BOOT_TYPE))
			return arena_printf(bios->disk->arena, "BIOS boot partition %" PRIu64,
			                    partition->number);
		return arena_printf(bios->disk->arena, "partition %" PRIu64 " by block lists",
		                    partition->number);
	}
	/* Header and entries of a GPT: 34 sectors of 512 bytes, 6 of 4096. */
	uint64_t table_end = table->sector_size == 4096 ? (uint64_t)6 * 4096 : 34 * SECTOR;
	if (str_equal(table->kind, "gpt") && start < table_end)
		return NULL;
	return "the gap before the first partition";
}

static bool add_block(struct bios *bios, struct text *core, uint64_t start, uint64_t count,
                      const char **place)
{
	struct span blocks;
	const char *here = NULL;
	if (start == 0 || !read_sectors(bios->disk, start, count, &blocks))
		return !verdict(bios, works_outside(bios->disk), "grub",
		                arena_printf(bios->disk->arena,
		                             "GRUB's block lists name sector %" PRIu64
		                             ", which is outside the disk: run grub-install",
		                             start));
	if (!span_is_zero(blocks))
		here = describe_place(bios, start, count);
	else
		return !verdict(bios, ANSWER_NO, "grub",
		                arena_printf(bios->disk->arena,
		                             "GRUB's core image at sector %" PRIu64
		                             " is all zero: run grub-install",
		                             start));
	if (!here)
		return !verdict(bios, ANSWER_NO, "grub",
		                arena_printf(bios->disk->arena,
		                             "GRUB's core image at sector %" PRIu64
		                             " collides with the partition table or a partition's end: run "
		                             "grub-install",
		                             start));
	*place = here;
	text_add_span(core, blocks);
	return true;
}

/* Follows the block lists of diskboot.img and collects the whole core image. */
static bool follow_blocks(struct bios *bios, struct span first, struct text *core, const char **place)
{
	text_add_span(core, first);
	for (size_t i = 0; i < BLOCK_LISTS_MAX; i++) {
		size_t at = BLOCK_LIST - i * BLOCK_LIST_SIZE;
		uint64_t start;
		uint16_t count;
		if (!get_le64(first, at, &start) || !get_le16(first, at + 8, &count) || count == 0)
			break;
		if (core->size + count * SECTOR > CORE_SIZE_MAX)
			return !verdict(
				bios, ANSWER_NO, "grub",
				"GRUB's block lists are larger than any core image: run grub-install");
		if (!add_block(bios, core, start, count, place))
			return false;
	}
	if (core->size == first.size)
		return !verdict(bios, ANSWER_NO, "grub", "GRUB's block lists are empty: run grub-install");
	return true;
}

static bool is_diskboot(struct span sector)
{
	return span_find(sector, 0, "loading\0.\0", 10) != SIZE_MAX &&
	       span_find(sector, 0, "Geom\0Read\0 Error\0", 17) != SIZE_MAX;
}

static void check_grub(struct bios *bios, struct span boot)
{
	struct arena *arena = bios->disk->arena;
	struct text core CLEANUP(text_free) = { 0 };
	const char *place = NULL;
	uint64_t sector = 0;
	struct span first;
	if (!get_le64(boot, KERNEL_SECTOR, &sector) || sector == 0 ||
	    !read_sectors(bios->disk, sector, 1, &first)) {
		verdict(bios, works_outside(bios->disk), "grub",
		        arena_printf(arena,
		                     "GRUB's boot sector loads sector %" PRIu64
		                     ", which is outside the disk: run grub-install",
		                     sector));
		return;
	}
	if (!is_diskboot(first)) {
		verdict(bios, ANSWER_NO, "grub",
		        arena_printf(arena,
		                     "GRUB's boot sector loads sector %" PRIu64
		                     ", which does not hold its core image: run grub-install",
		                     sector));
		return;
	}
	if (!describe_place(bios, sector, 1)) {
		verdict(bios, ANSWER_NO, "grub",
		        arena_printf(arena,
		                     "GRUB's core image at sector %" PRIu64
		                     " collides with the partition table: run grub-install",
		                     sector));
		return;
	}
	if (!follow_blocks(bios, first, &core, &place))
		return;
	uint8_t *copy = arena_alloc(arena, core.size);
	memcpy(copy, core.data, core.size);
	bios->core = span_of(copy, core.size);
	verdict(bios, ANSWER_YES, "grub",
	        arena_printf(arena,
	                     "GRUB in the first sector and its core image at sector %" PRIu64 ", in %s",
	                     sector, place));
}

static bool has_text(struct span code, const char *text)
{
	return span_find(code, 0, text, strlen(text)) != SIZE_MAX;
}

static bool is_grub(struct span code)
{
	return span_find(code, 0, "GRUB \0Geom\0Hard Disk\0Read\0 Error", 32) != SIZE_MAX;
}

/* Code that starts whatever the active partition's own first sector holds. */
static void check_active(struct bios *bios, const char *whose)
{
	const struct partition_table *table = bios->disk->table;
	struct arena *arena = bios->disk->arena;
	const struct partition *active = NULL;
	struct span sector;
	for (size_t i = 0; i < table->partitions.count; i++)
		if (table->partitions.items[i].bootable && !active)
			active = &table->partitions.items[i];
	if (!active) {
		verdict(bios, ANSWER_NO, "unknown",
		        arena_printf(arena,
		                     "%s in the first sector starts the active partition, and none is "
		                     "active",
		                     whose));
		return;
	}
	if (!read_sectors(bios->disk, active->start / SECTOR, 1, &sector) ||
	    !span_has(sector, 510, "\x55\xaa", 2)) {
		verdict(bios, ANSWER_NO, "unknown",
		        arena_printf(arena,
		                     "%s in the first sector starts partition %" PRIu64
		                     ", which has no boot sector",
		                     whose, active->number));
		return;
	}
	bios->out->path.place.offset = active->start;
	if (is_grub(sector)) {
		check_grub(bios, sector);
		return;
	}
	if (span_has(sector, 3, "SYSLINUX", 8) || span_has(sector, 3, "EXTLINUX", 8)) {
		syslinux_find_bios(bios->disk, active, sector, whose, bios->out);
		return;
	}
	verdict(bios, ANSWER_UNKNOWN, "unknown",
	        arena_printf(arena,
	                     "%s in the first sector starts partition %" PRIu64
	                     ", whose boot code is not known",
	                     whose, active->number));
}

static void check_code(struct bios *bios, struct span sector)
{
	struct span code;
	if (!span_slice(sector, 0, CODE_SIZE, &code))
		return;
	if (span_is_zero(code))
		verdict(bios, ANSWER_NO, "unknown", "there is no boot code in the first sector");
	else if (!span_has(sector, 510, "\x55\xaa", 2))
		verdict(bios, ANSWER_NO, "unknown",
		        "the first sector has no boot signature (55 aa at its end), and a BIOS does not run "
		        "it");
	else if (is_grub(code))
		check_grub(bios, sector);
	else if (has_text(code, "Missing operating system") && has_text(code, "Operating system load error"))
		check_active(bios, "syslinux's boot code");
	else if (has_text(code, "Missing OS") && has_text(code, "Disk error"))
		check_active(bios, "syslinux's boot code for GPT");
	else if (has_text(code, "Invalid partition table") && has_text(code, "operating system"))
		check_active(bios, "generic boot code");
	else
		verdict(bios, ANSWER_UNKNOWN, "unknown", "the boot code in the first sector is not known");
}

bool bios_find(struct boot_disk *disk, struct firmware_path *out, struct error *error)
{
	uint8_t bytes[SECTOR];
	struct bios bios = { .disk = disk, .out = out };
	*out = (struct firmware_path){ .platform = "pc", .cpu = "i386" };
	out->path.firmware = "bios";
	if (disk->reader->size < SECTOR)
		return verdict(&bios, ANSWER_NO, "unknown", "the disk is shorter than one sector");
	if (!reader_read(disk->reader, 0, bytes, sizeof(bytes), error))
		return false;
	check_code(&bios, span_of(bytes, sizeof(bytes)));
	if (bios.core.size > 0)
		grub_image_read_core(bios.core, disk->budget, disk->arena, &out->image);
	return true;
}
