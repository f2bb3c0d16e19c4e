// The partition table of a master boot record, and the chain of extended boot records behind it. As the
// kernel reads them: block/partitions/msdos.c.
//
//   440  disk id, u32                      an entry, 16 bytes:
//   446  four entries                        0  flag: 0x80 active, 0x00 not
//   510  55 aa                               4  type
//                                            8  first sector, u32
//                                           12  sectors, u32
//
// Sectors in a primary entry count from the start of the disk. In an extended boot record (EBR) a partition's
// count from that record, and the link to the next record counts from the start of the extended partition.
#include <inttypes.h>

#include "base/checked.h"
#include "volume/scan.h"

#define ENTRIES_OFFSET 446
#define ENTRY_SIZE     16
#define FLAG_ACTIVE    0x80
#define FIRST_LOGICAL  5
/* Records that may follow each other without a partition in them, as in the kernel. */
#define EMPTY_LINKS_MOST 100
/* An MBR does not name its sector size; the disks of the platform, and most others, have this one. */
#define SECTOR UINT64_C(512)

bool mbr_decode(struct span sector, struct mbr *out)
{
	static const uint8_t signature[] = { 0x55, 0xaa };
	struct mbr mbr = { .signed_ = span_has(sector, 510, signature, sizeof(signature)) };
	if (!get_le32(sector, 440, &mbr.disk_id))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(mbr.entries); i++) {
		struct mbr_entry *entry = &mbr.entries[i];
		size_t at = ENTRIES_OFFSET + ENTRY_SIZE * i;
		if (!get_u8(sector, at, &entry->flag) || !get_u8(sector, at + 4, &entry->type) ||
		    !get_le32(sector, at + 8, &entry->start) || !get_le32(sector, at + 12, &entry->sectors))
			return false;
	}
	*out = mbr;
	return true;
}

static bool is_extended(const struct mbr_entry *entry)
{
	return entry->type == 0x05 || entry->type == 0x0f || entry->type == 0x85;
}

bool mbr_is_protective(const struct mbr *mbr)
{
	for (size_t i = 0; mbr->signed_ && i < ARRAY_SIZE(mbr->entries); i++)
		if (mbr->entries[i].type == MBR_TYPE_PROTECTIVE)
			return true;
	return false;
}

/*
 * The BIOS parameter block of FAT: bytes per sector (11), sectors per cluster (13), reserved sectors (14),
 * number of FATs (16), media (21).
 */
static bool is_fat(struct span sector)
{
	uint8_t jump, per_cluster, fats, media;
	uint16_t bytes, reserved;
	if (!get_u8(sector, 0, &jump) || !get_le16(sector, 11, &bytes) || !get_u8(sector, 13, &per_cluster) ||
	    !get_le16(sector, 14, &reserved) || !get_u8(sector, 16, &fats) || !get_u8(sector, 21, &media))
		return false;
	bool jumps = jump == 0xeb || jump == 0xe9;
	bool sector_sized = bytes == 512 || bytes == 1024 || bytes == 2048 || bytes == 4096;
	bool clustered = per_cluster != 0 && (per_cluster & (per_cluster - 1)) == 0;
	return jumps && sector_sized && clustered && reserved != 0 && (fats == 1 || fats == 2) &&
	       (media == 0xf0 || media >= 0xf8);
}

bool mbr_is_file_system(struct span sector)
{
	return span_has(sector, 3, "NTFS    ", 8) || span_has(sector, 3, "EXFAT   ", 8) || is_fat(sector);
}

bool mbr_is_table(const struct mbr *mbr, struct span sector)
{
	if (!mbr->signed_)
		return false;
	bool used = false, whole_disk = true;
	for (size_t i = 0; i < ARRAY_SIZE(mbr->entries); i++) {
		const struct mbr_entry *entry = &mbr->entries[i];
		/* Boot code or text where the entries would be: a boot sector of a file system. */
		if (entry->flag != 0 && entry->flag != FLAG_ACTIVE)
			return false;
		if (entry->sectors == 0)
			continue;
		used = true;
		whole_disk &= entry->start == 0;
	}
	/* mkfs.fat writes such an entry: it starts at sector 0 and so names the file system itself. */
	return used && !(whole_disk && mbr_is_file_system(sector));
}

static struct partition *add(struct scan *scan, uint64_t number, uint64_t start,
                             const struct mbr_entry *entry, uint32_t disk_id)
{
	/* Both are below 2^34 sectors: no overflow in bytes. */
	struct partition *partition = scan_partition(scan, number, start * SECTOR, entry->sectors * SECTOR);
	partition->type = arena_printf(scan->arena, "0x%02x", entry->type);
	partition->type_name = mbr_type_name(entry->type);
	partition->part_uuid = arena_printf(scan->arena, "%08" PRIx32 "-%02" PRIx64, disk_id, number);
	partition->bootable = entry->flag == FLAG_ACTIVE;
	return partition;
}

static void check_range(struct scan *scan, struct partition *partition, uint64_t offset)
{
	bool inside = range_inside(partition->start, partition->size, scan->disk->size);
	if (inside && partition->start > 0)
		return;
	if (inside) {
		scan_problem(scan, "mbr-partition-outside", offset,
		             "partition %" PRIu64 " starts at sector 0, on the partition table itself",
		             partition->number);
		return;
	}
	scan_unread(partition, SCAN_CUT);
	scan_problem(scan, "mbr-partition-outside", offset,
	             "partition %" PRIu64 " spans the bytes %" PRIu64 " to %" PRIu64 " of a disk of %" PRIu64
	             " bytes: was the image cut?",
	             partition->number, partition->start, partition->start + partition->size,
	             scan->disk->size);
}

/* Where a walk along an extended partition is. */
struct chain {
	uint64_t first, sectors; /* of the extended partition */
	uint64_t at, at_sectors; /* of the record that is being read */
	unsigned empty_links;    /* records in a row without a partition */
};

static bool read_record(struct scan *scan, const struct chain *chain, struct mbr *out)
{
	uint8_t bytes[MBR_SIZE];
	struct error failure;
	uint64_t offset = chain->at * SECTOR;
	if (!reader_read(scan->disk, offset, bytes, sizeof(bytes), &failure)) {
		scan_problem(scan, "mbr-extended-outside", offset,
		             "the extended boot record in sector %" PRIu64 " cannot be read: %s", chain->at,
		             failure.message);
		/* Behind the end lies what was cut off; else a link that leads there is a wrong one. */
		bool cut = !range_inside(chain->first * SECTOR, chain->sectors * SECTOR, scan->disk->size);
		if (cut || range_inside(offset, sizeof(bytes), scan->disk->size))
			scan->table->unread = "an extended boot record cannot be read";
		return false;
	}
	if (!mbr_decode(span_of(bytes, sizeof(bytes)), out))
		return false;
	if (!out->signed_)
		scan_problem(scan, "mbr-extended-damaged", offset + 510,
		             "the extended boot record in sector %" PRIu64
		             " has no signature: the logical partitions from here on are lost",
		             chain->at);
	return out->signed_;
}

/* The third and the fourth entry of a record sometimes hold garbage: believed only when they fit. */
static bool fits(const struct chain *chain, const struct mbr_entry *entry)
{
	uint64_t end = (uint64_t)entry->start + entry->sectors;
	return end <= chain->at_sectors && chain->at + end <= chain->first + chain->sectors;
}

static void add_logicals(struct scan *scan, struct chain *chain, const struct mbr *record, uint32_t disk_id,
                         uint64_t *next)
{
	for (size_t i = 0; i < ARRAY_SIZE(record->entries); i++) {
		const struct mbr_entry *entry = &record->entries[i];
		if (entry->sectors == 0 || is_extended(entry) || (i >= 2 && !fits(chain, entry)))
			continue;
		if (*next > PARTITIONS_MOST)
			return;
		struct partition *partition = add(scan, *next, chain->at + entry->start, entry, disk_id);
		check_range(scan, partition, chain->at * SECTOR + ENTRIES_OFFSET + ENTRY_SIZE * i);
		(*next)++;
		chain->empty_links = 0;
	}
}

static bool follow_chain(struct scan *scan, struct chain *chain, uint32_t disk_id, uint64_t *next,
                         struct error *error)
{
	struct mbr record;
	while (*next <= PARTITIONS_MOST) {
		if (++chain->empty_links > EMPTY_LINKS_MOST) {
			scan_problem(scan, "mbr-extended-loop", chain->at * SECTOR,
			             "the chain of extended boot records goes on without partitions: it is a "
			             "loop");
			return true;
		}
		if (!budget_step(scan->budget, 1, "the chain of extended boot records", error))
			return false;
		if (!read_record(scan, chain, &record))
			return true;
		add_logicals(scan, chain, &record, disk_id, next);
		const struct mbr_entry *link = NULL;
		for (size_t i = 0; i < ARRAY_SIZE(record.entries) && !link; i++)
			if (record.entries[i].sectors != 0 && is_extended(&record.entries[i]))
				link = &record.entries[i];
		if (!link)
			return true;
		chain->at = chain->first + link->start;
		chain->at_sectors = link->sectors;
	}
	scan_problem(scan, "mbr-extended-loop", chain->at * SECTOR,
	             "the chain of extended boot records has more than the %d partitions that Linux gives a "
	             "disk: it is a loop",
	             PARTITIONS_MOST);
	return true;
}

bool mbr_scan(struct scan *scan, const struct mbr *mbr, struct error *error)
{
	struct partition_table *table = scan->table;
	table->kind = "mbr";
	table->sector_size = SECTOR;
	if (mbr->disk_id != 0)
		table->disk_uuid = arena_printf(scan->arena, "0x%08" PRIx32, mbr->disk_id);
	for (size_t i = 0; i < ARRAY_SIZE(mbr->entries); i++) {
		const struct mbr_entry *entry = &mbr->entries[i];
		if (entry->sectors == 0)
			continue;
		struct partition *partition = add(scan, i + 1, entry->start, entry, mbr->disk_id);
		check_range(scan, partition, ENTRIES_OFFSET + ENTRY_SIZE * i);
	}
	uint64_t next = FIRST_LOGICAL;
	for (size_t i = 0; i < ARRAY_SIZE(mbr->entries); i++) {
		const struct mbr_entry *entry = &mbr->entries[i];
		if (entry->sectors == 0 || !is_extended(entry))
			continue;
		struct chain chain = {
			.first = entry->start,
			.sectors = entry->sectors,
			.at = entry->start,
			.at_sectors = entry->sectors,
		};
		if (!follow_chain(scan, &chain, mbr->disk_id, &next, error))
			return false;
	}
	return true;
}
