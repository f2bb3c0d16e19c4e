// A GUID partition table as a whole: the protective MBR, the two copies, and the partitions of the one that
// can be believed. The rules are those of block/partitions/efi.c in the kernel:
//   - without an MBR entry of type 0xee that starts at sector 1 there is no GPT;
//   - the primary copy is used when it is sound; the backup only with `gpt` on the kernel's command line.
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "volume/gpt_copy.h"

#define ENTRY_TYPE       0
#define ENTRY_GUID       16
#define ENTRY_FIRST      32
#define ENTRY_LAST       40
#define ENTRY_ATTRIBUTES 48
#define ENTRY_NAME       56
#define NAME_UNITS       36

#define ATTRIBUTE_LEGACY_BOOT (UINT64_C(1) << 2)

static const uint64_t sector_sizes[] = { 512, 4096 };

static bool has_signature(const struct reader *disk, uint64_t offset)
{
	uint8_t bytes[8];
	struct error ignored;
	return range_inside(offset, sizeof(bytes), disk->size) &&
	       reader_read(disk, offset, bytes, sizeof(bytes), &ignored) &&
	       span_has(span_of(bytes, sizeof(bytes)), 0, "EFI PART", sizeof(bytes));
}

uint64_t gpt_primary_sector_size(const struct reader *disk)
{
	for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++)
		if (has_signature(disk, sector_sizes[i]))
			return sector_sizes[i];
	return 0;
}

uint64_t gpt_backup_sector_size(const struct reader *disk)
{
	for (size_t i = 0; i < ARRAY_SIZE(sector_sizes); i++) {
		uint64_t size = sector_sizes[i];
		if (disk->size >= 2 * size && has_signature(disk, gpt_last_lba(disk, size) * size))
			return size;
	}
	return 0;
}

static void add_utf8(char **to, uint32_t point)
{
	char *at = *to;
	if (point < 0x80) {
		*at++ = (char)point;
	} else if (point < 0x800) {
		*at++ = (char)(0xc0 | point >> 6);
		*at++ = (char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*at++ = (char)(0xe0 | point >> 12);
		*at++ = (char)(0x80 | (point >> 6 & 0x3f));
		*at++ = (char)(0x80 | (point & 0x3f));
	} else {
		*at++ = (char)(0xf0 | point >> 18);
		*at++ = (char)(0x80 | (point >> 12 & 0x3f));
		*at++ = (char)(0x80 | (point >> 6 & 0x3f));
		*at++ = (char)(0x80 | (point & 0x3f));
	}
	*to = at;
}

/* A partition's name, UTF-16LE, as UTF-8; half a surrogate pair becomes U+FFFD. */
static const char *entry_name(struct arena *arena, struct span entry)
{
	char name[NAME_UNITS * 3 + 1];
	char *at = name;
	for (size_t i = 0; i < NAME_UNITS; i++) {
		uint16_t unit, next = 0;
		if (!get_le16(entry, ENTRY_NAME + 2 * i, &unit) || unit == 0)
			break;
		uint32_t point = unit;
		bool first_half = unit >= 0xd800 && unit < 0xdc00;
		if (first_half && i + 1 < NAME_UNITS && get_le16(entry, ENTRY_NAME + 2 * i + 2, &next) &&
		    next >= 0xdc00 && next < 0xe000) {
			point = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(next - 0xdc00);
			i++;
		} else if (unit >= 0xd800 && unit < 0xe000) {
			point = 0xfffd;
		}
		add_utf8(&at, point);
	}
	return arena_string(arena, span_of(name, (size_t)(at - name)));
}

/* Bytes of the sectors first..last; false when that is no range of the disk. */
static bool entry_range(const struct scan *scan, uint64_t first, uint64_t last, uint64_t *start,
                        uint64_t *size)
{
	uint64_t sectors = 0;
	bool counted = first <= last && add_u64(last - first, 1, &sectors);
	return mul_u64(first, scan->table->sector_size, start) && counted &&
	       mul_u64(sectors, scan->table->sector_size, size);
}

static void add_entry(struct scan *scan, const struct gpt_copy *copy, uint64_t number, struct span entry,
                      uint64_t offset)
{
	struct span type, guid;
	uint64_t first, last, attributes, start = 0, size = 0;
	if (!span_slice(entry, ENTRY_TYPE, 16, &type) || !span_slice(entry, ENTRY_GUID, 16, &guid) ||
	    !get_le64(entry, ENTRY_FIRST, &first) || !get_le64(entry, ENTRY_LAST, &last) ||
	    !get_le64(entry, ENTRY_ATTRIBUTES, &attributes))
		return;
	char text[GUID_TEXT_SIZE];
	bool ranged = entry_range(scan, first, last, &start, &size);
	struct partition *partition = scan_partition(scan, number, start, size);
	gpt_guid_text(type, text);
	partition->type = arena_strdup(scan->arena, text);
	partition->type_name = gpt_type_name(text);
	gpt_guid_text(guid, text);
	partition->part_uuid = arena_strdup(scan->arena, text);
	partition->name = entry_name(scan->arena, entry);
	partition->bootable = (attributes & ATTRIBUTE_LEGACY_BOOT) != 0;

	uint64_t end = gpt_last_lba(scan->disk, scan->table->sector_size);
	if (!ranged || last > end) {
		scan_unread(partition, SCAN_CUT);
		scan_problem(scan, "gpt-partition-outside", offset + ENTRY_FIRST,
		             "partition %" PRIu64 " spans the sectors %" PRIu64 " to %" PRIu64
		             ", which do not lie on a disk whose last sector is %" PRIu64,
		             number, first, last, end);
	} else if (first < copy->header.first_usable || last > copy->header.last_usable) {
		scan_problem(scan, "gpt-partition-outside", offset + ENTRY_FIRST,
		             "partition %" PRIu64 " spans the sectors %" PRIu64 " to %" PRIu64
		             ", outside the %" PRIu64 " to %" PRIu64
		             " that the GPT sets aside for partitions",
		             number, first, last, copy->header.first_usable, copy->header.last_usable);
	}
}

static void add_entries(struct scan *scan, const struct gpt_copy *copy)
{
	const struct gpt_header *header = &copy->header;
	uint64_t table = header->entries_lba * scan->table->sector_size;
	for (uint32_t i = 0; i < header->entry_count; i++) {
		struct span entry, type;
		size_t at = (size_t)i * header->entry_size;
		if (!span_slice(copy->entries, at, header->entry_size, &entry) ||
		    !span_slice(entry, ENTRY_TYPE, 16, &type) || span_is_zero(type))
			continue;
		if (i >= PARTITIONS_MOST) {
			scan_problem(scan, "gpt-partition-number", table + at,
			             "partition %" PRIu32 " is more than the %d that Linux gives a disk",
			             i + 1, PARTITIONS_MOST);
			return;
		}
		add_entry(scan, copy, (uint64_t)i + 1, entry, table + at);
	}
}

/*
 * Judges the entry 0xee; the kernel wants it to start at sector 1 and does not mind its size, which is all
 * ones on a disk too large for it (and from some tools on every disk).
 */
static void judge_protective_mbr(struct scan *scan, const struct mbr *mbr)
{
	const struct mbr_entry *found = NULL;
	scan->table->protective_mbr = ANSWER_NO;
	for (size_t i = 0; mbr->signed_ && i < ARRAY_SIZE(mbr->entries); i++) {
		const struct mbr_entry *entry = &mbr->entries[i];
		if (entry->type == MBR_TYPE_PROTECTIVE && (!found || entry->start == 1))
			found = entry;
		if (entry->type != MBR_TYPE_PROTECTIVE && entry->type != MBR_TYPE_EMPTY)
			scan->table->hybrid = true;
	}
	if (!found) {
		scan_problem(
			scan, "gpt-no-protective-mbr", 446,
			"no MBR entry of type 0xee protects the GPT, so firmware, GRUB and Linux ignore it");
		return;
	}
	if (found->start != 1) {
		scan_problem(scan, "gpt-no-protective-mbr", 446,
		             "the MBR entry of type 0xee starts at sector %" PRIu32
		             " and not at 1, so Linux ignores the GPT",
		             found->start);
		return;
	}
	scan->table->protective_mbr = ANSWER_YES;
	uint64_t wanted = gpt_last_lba(scan->disk, scan->table->sector_size);
	if (!scan->table->hybrid && found->sectors != wanted && found->sectors != UINT32_MAX)
		scan_problem(scan, "gpt-protective-mbr-size", 446,
		             "the protective MBR entry covers %" PRIu32 " sectors of a disk that has %" PRIu64
		             " behind its first: was the image grown or cut?",
		             found->sectors, wanted);
}

/* A hybrid MBR must name partitions of the GPT, or two systems see two disks. */
static void judge_hybrid_mbr(struct scan *scan, const struct mbr *mbr)
{
	for (size_t i = 0; scan->table->hybrid && i < ARRAY_SIZE(mbr->entries); i++) {
		const struct mbr_entry *entry = &mbr->entries[i];
		if (entry->type == MBR_TYPE_PROTECTIVE || entry->type == MBR_TYPE_EMPTY)
			continue;
		uint64_t start = entry->start * scan->table->sector_size;
		uint64_t size = entry->sectors * scan->table->sector_size;
		bool agrees = false;
		for (size_t j = 0; j < scan->table->partitions.count; j++) {
			const struct partition *partition = &scan->table->partitions.items[j];
			agrees |= partition->start == start && partition->size == size;
		}
		if (!agrees)
			scan_problem(scan, "gpt-hybrid-disagrees", 446 + 16 * i,
			             "entry %zu of the hybrid MBR (type 0x%02x, sector %" PRIu32 ", %" PRIu32
			             " sectors) is no partition of the GPT",
			             i + 1, entry->type, entry->start, entry->sectors);
	}
}

/* Both copies are intact: do they describe the same disk? */
static void compare_copies(struct scan *scan, const struct gpt_copy *primary, const struct gpt_copy *backup)
{
	const struct gpt_header *a = &primary->header, *b = &backup->header;
	uint64_t offset = backup->lba * scan->table->sector_size;
	bool same = a->first_usable == b->first_usable && a->last_usable == b->last_usable &&
	            a->entry_count == b->entry_count && a->entry_size == b->entry_size &&
	            a->entries_crc == b->entries_crc && strcmp(a->disk_guid, b->disk_guid) == 0;
	if (!same)
		scan_problem(scan, "gpt-copies-differ", offset,
		             "the backup GPT differs from the primary: firmware that repairs one from the "
		             "other may bring back old partitions");
	if (b->alternate_lba != primary->lba)
		scan_problem(scan, "gpt-backup-alternate", offset + 32,
		             "the backup GPT looks for the primary in sector %" PRIu64
		             ", which stands in sector %" PRIu64,
		             b->alternate_lba, primary->lba);
}

/* The disk goes on behind the sector where the primary says the backup is: which of the two is wrong? */
static bool read_inner_backup(struct scan *scan, const struct gpt_copy *primary, struct gpt_copy *backup,
                              struct error *error)
{
	uint64_t last = gpt_last_lba(scan->disk, scan->table->sector_size);
	uint64_t named = primary->header.alternate_lba;
	if (!gpt_copy_read(scan, "backup", named, true, backup, error))
		return false;
	if (backup->intact) {
		scan_problem(scan, "gpt-backup-misplaced", named * scan->table->sector_size,
		             "the backup GPT stands in sector %" PRIu64 " and not in the last one, %" PRIu64
		             ": the image was grown (`sgdisk -e` moves it)",
		             named, last);
		return true;
	}
	gpt_copy_free(backup);
	if (!gpt_copy_read(scan, "backup", last, true, backup, error))
		return false;
	if (backup->intact) {
		scan_problem(scan, "gpt-primary-alternate-lba", primary->lba * scan->table->sector_size + 32,
		             "the primary GPT looks for the backup in sector %" PRIu64
		             ", which stands in the last one, %" PRIu64,
		             named, last);
		return true;
	}
	gpt_copy_free(backup);
	return gpt_copy_read(scan, "backup", named, false, backup, error);
}

/*
 * Finds the backup: where an intact primary header says, else in the last sector. A copy in the wrong place
 * is what growing or cutting an image leaves behind.
 */
static bool read_backup(struct scan *scan, const struct gpt_copy *primary, struct gpt_copy *backup,
                        struct error *error)
{
	uint64_t last = gpt_last_lba(scan->disk, scan->table->sector_size);
	uint64_t named = primary->header_intact ? primary->header.alternate_lba : last;
	if (named < last)
		return read_inner_backup(scan, primary, backup, error);
	if (named > last)
		scan_problem(scan, "gpt-backup-outside", scan->disk->size,
		             "the backup GPT should stand in sector %" PRIu64
		             " but the disk ends at sector %" PRIu64 ": the image was cut",
		             named, last);
	return gpt_copy_read(scan, "backup", last, named > last, backup, error);
}

static enum answer is_sound(const struct gpt_copy *copy)
{
	if (copy->unread)
		return ANSWER_UNKNOWN;
	return copy->sound ? ANSWER_YES : ANSWER_NO;
}

static bool scan_copies(struct scan *scan, const struct mbr *mbr, struct gpt_copy *primary,
                        struct gpt_copy *backup, struct error *error)
{
	struct partition_table *table = scan->table;
	judge_protective_mbr(scan, mbr);
	if (!gpt_copy_read(scan, "primary", 1, false, primary, error) ||
	    !read_backup(scan, primary, backup, error))
		return false;
	table->primary_sound = is_sound(primary);
	table->backup_sound = is_sound(backup);
	if (primary->intact && backup->intact)
		compare_copies(scan, primary, backup);

	/* An intact copy that Linux would refuse is still better than none. */
	const struct gpt_copy *best = primary->sound    ? primary
	                              : backup->sound   ? backup
	                              : primary->intact ? primary
	                                                : backup;
	if (!best->intact) {
		if (primary->unread || backup->unread)
			table->unread = "the GPT cannot be read";
		return true;
	}
	if (primary->unread && best == backup)
		table->unread = "the primary GPT cannot be read";
	table->disk_uuid = arena_strdup(scan->arena, best->header.disk_guid);
	add_entries(scan, best);
	judge_hybrid_mbr(scan, mbr);
	return true;
}

bool gpt_scan(struct scan *scan, const struct mbr *mbr, struct error *error)
{
	struct partition_table *table = scan->table;
	table->kind = "gpt";
	uint64_t sector_size = gpt_primary_sector_size(scan->disk);
	if (sector_size == 0)
		sector_size = gpt_backup_sector_size(scan->disk);
	table->sector_size = sector_size ? sector_size : 512;
	struct gpt_copy primary = { 0 }, backup = { 0 };
	bool scanned = scan_copies(scan, mbr, &primary, &backup, error);
	gpt_copy_free(&primary);
	gpt_copy_free(&backup);
	return scanned;
}
