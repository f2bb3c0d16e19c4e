// One copy of a GUID partition table. Layout: UEFI Specification 2.10, section 5.3.
//
//   header, in LBA 1 or the disk's last LBA         entry, 128 bytes or a larger power of two
//     0  "EFI PART"                                   0  type GUID; all zero: unused
//     8  revision                                    16  the partition's own GUID
//    12  header size, 92 or more                     32  first LBA
//    16  CRC-32 of the header, this field as zero    40  last LBA, inclusive
//    24  LBA of this copy                            48  attributes
//    32  LBA of the other copy                       56  name, UTF-16LE, 36 units
//    40  first usable LBA
//    48  last usable LBA
//    56  disk GUID
//    72  first LBA of the entries
//    80  number of entries
//    84  size of an entry
//    88  CRC-32 of the entries
//
// What "sound" means is what the kernel asks for: block/partitions/efi.c, is_gpt_valid().
#include "volume/gpt_copy.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/checked.h"

#define SIGNATURE        "EFI PART"
#define SIGNATURE_SIZE   8
#define HEADER_LEAST     92
#define SECTOR_MOST      4096
#define LINUX_ENTRY_SIZE 128
#define ENTRY_MOST       4096
/* The kernel's own bound is what kmalloc() gives, 4 MiB; common tables have 16 KiB. */
#define ENTRIES_MOST ((uint64_t)4 << 20)

/* Where a copy is being read: what the checks below share. */
struct reading {
	struct scan *scan;
	struct gpt_copy *copy;
	uint64_t sector_size;
	bool quiet;
};

/* Lists "gpt-<which>-<code>"; returns false, so that a check can `return complain(...)`. */
static bool complain(const struct reading *reading, const char *code, uint64_t offset, const char *format,
                     ...) PRINTF(4, 5);

static bool complain(const struct reading *reading, const char *code, uint64_t offset, const char *format,
                     ...)
{
	if (reading->quiet)
		return false;
	char message[400];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	const char *whole = arena_printf(reading->scan->arena, "gpt-%s-%s", reading->copy->which, code);
	scan_problem(reading->scan, whole, offset, "the %s GPT %s", reading->copy->which, message);
	return false;
}

/* That bytes cannot be had says nothing of what they are. */
static bool unread(const struct reading *reading, uint64_t offset, const struct error *failure)
{
	reading->copy->unread = true;
	return complain(reading, "unreadable", offset, "cannot be read: %s", failure->message);
}

void gpt_guid_text(struct span guid, char text[GUID_TEXT_SIZE])
{
	uint32_t low = 0, node_low = 0;
	uint16_t middle = 0, high = 0, sequence = 0, node_high = 0;
	bool whole = get_le32(guid, 0, &low) && get_le16(guid, 4, &middle) && get_le16(guid, 6, &high) &&
	             get_be16(guid, 8, &sequence) && get_be16(guid, 10, &node_high) &&
	             get_be32(guid, 12, &node_low);
	(void)whole; /* callers give 16 bytes; of fewer, what is missing stays zero */
	snprintf(text, GUID_TEXT_SIZE, "%08" PRIx32 "-%04x-%04x-%04x-%04x%08" PRIx32, low, middle, high,
	         sequence, node_high, node_low);
}

uint64_t gpt_last_lba(const struct reader *disk, uint64_t sector_size)
{
	uint64_t sectors = disk->size / sector_size;
	return sectors > 0 ? sectors - 1 : 0;
}

static uint32_t crc_of(struct span bytes)
{
	return (uint32_t)crc32_z(0, bytes.data, bytes.size);
}

/* The CRC of the header with its own CRC field taken as zero. */
static uint32_t header_crc(struct span header)
{
	static const uint8_t zeros[4];
	uint32_t crc = (uint32_t)crc32_z(0, header.data, 16);
	crc = (uint32_t)crc32_z(crc, zeros, sizeof(zeros));
	return (uint32_t)crc32_z(crc, header.data + 20, header.size - 20);
}

static bool decode_header(struct span sector, struct gpt_header *out)
{
	struct span guid;
	if (!get_le32(sector, 12, &out->header_size) || !get_le32(sector, 16, &out->header_crc) ||
	    !get_le64(sector, 24, &out->my_lba) || !get_le64(sector, 32, &out->alternate_lba) ||
	    !get_le64(sector, 40, &out->first_usable) || !get_le64(sector, 48, &out->last_usable) ||
	    !span_slice(sector, 56, 16, &guid) || !get_le64(sector, 72, &out->entries_lba) ||
	    !get_le32(sector, 80, &out->entry_count) || !get_le32(sector, 84, &out->entry_size) ||
	    !get_le32(sector, 88, &out->entries_crc))
		return false;
	gpt_guid_text(guid, out->disk_guid);
	return true;
}

/* Is the header itself there and whole? */
static bool check_header(const struct reading *reading, struct span sector, uint64_t offset)
{
	struct gpt_copy *copy = reading->copy;
	struct gpt_header *header = &copy->header;
	copy->present = span_has(sector, 0, SIGNATURE, SIGNATURE_SIZE);
	if (!copy->present)
		return complain(reading, "missing", offset, "is missing: no header at offset %" PRIu64,
		                offset);
	struct span covered;
	if (!decode_header(sector, header) || header->header_size < HEADER_LEAST ||
	    !span_slice(sector, 0, header->header_size, &covered))
		return complain(reading, "header-size", offset + 12,
		                "gives its header %" PRIu32 " bytes, where %d to %" PRIu64 " are possible",
		                header->header_size, HEADER_LEAST, reading->sector_size);
	uint32_t crc = header_crc(covered);
	if (crc != header->header_crc)
		return complain(reading, "header-crc", offset,
		                "has a damaged header: its CRC is %08" PRIx32 ", the header says %08" PRIx32,
		                crc, header->header_crc);
	copy->header_intact = true;
	return true;
}

/* Are the entries where the header says, as many, and whole? */
static bool read_entries(const struct reading *reading, uint64_t header_offset, struct error *error)
{
	struct gpt_copy *copy = reading->copy;
	const struct gpt_header *header = &copy->header;
	uint32_t entry_size = header->entry_size;
	if (entry_size < LINUX_ENTRY_SIZE || entry_size > ENTRY_MOST || (entry_size & (entry_size - 1)) != 0)
		return complain(reading, "entry-size", header_offset + 84,
		                "gives its entries %" PRIu32 " bytes each, which no firmware reads",
		                entry_size);
	uint64_t size = (uint64_t)header->entry_count * entry_size, offset;
	if (size == 0 || size > ENTRIES_MOST)
		return complain(reading, "entry-count", header_offset + 80,
		                "claims %" PRIu32 " entries, which is out of all reason",
		                header->entry_count);
	if (!mul_u64(header->entries_lba, reading->sector_size, &offset) ||
	    !range_inside(offset, size, reading->scan->disk->size))
		return complain(reading, "entries-outside", header_offset + 72,
		                "places its entries at sector %" PRIu64 ", outside the disk",
		                header->entries_lba);
	copy->bytes = xmalloc((size_t)size);
	struct error failure;
	if (!reader_read(reading->scan->disk, offset, copy->bytes, (size_t)size, &failure))
		return unread(reading, offset, &failure);
	if (!budget_step(reading->scan->budget, header->entry_count, "the GPT", error))
		return false;
	uint32_t crc = crc_of(span_of(copy->bytes, (size_t)size));
	if (crc != header->entries_crc)
		return complain(reading, "entries-crc", offset,
		                "has damaged entries: their CRC is %08" PRIx32 ", its header says %08" PRIx32,
		                crc, header->entries_crc);
	copy->entries = span_of(copy->bytes, (size_t)size);
	copy->intact = true;
	return true;
}

/* An intact copy that Linux refuses all the same. */
static void check_sound(const struct reading *reading, uint64_t offset)
{
	struct gpt_copy *copy = reading->copy;
	const struct gpt_header *header = &copy->header;
	uint64_t last = gpt_last_lba(reading->scan->disk, reading->sector_size);
	copy->sound = copy->intact;
	if (header->my_lba != copy->lba)
		copy->sound =
			complain(reading, "my-lba", offset + 24,
		                 "says that it stands in sector %" PRIu64 " but stands in sector %" PRIu64,
		                 header->my_lba, copy->lba);
	if (header->first_usable > last || header->last_usable > last ||
	    header->last_usable < header->first_usable)
		copy->sound = complain(reading, "usable-range", offset + 40,
		                       "allows partitions in the sectors %" PRIu64 " to %" PRIu64
		                       " of a disk whose last sector is %" PRIu64,
		                       header->first_usable, header->last_usable, last);
	if (header->entry_size != LINUX_ENTRY_SIZE && copy->intact)
		copy->sound = complain(reading, "entry-size", offset + 84,
		                       "has entries of %" PRIu32 " bytes, and Linux reads only %d",
		                       header->entry_size, LINUX_ENTRY_SIZE);
}

bool gpt_copy_read(struct scan *scan, const char *which, uint64_t lba, bool quiet, struct gpt_copy *out,
                   struct error *error)
{
	*out = (struct gpt_copy){ .which = which, .lba = lba };
	struct reading reading = {
		.scan = scan, .copy = out, .sector_size = scan->table->sector_size, .quiet = quiet
	};
	uint8_t bytes[SECTOR_MOST];
	struct span sector = span_of(bytes, (size_t)reading.sector_size);
	uint64_t offset;
	struct error failure = { 0 };
	if (!mul_u64(lba, reading.sector_size, &offset) ||
	    !range_inside(offset, reading.sector_size, scan->disk->size)) {
		complain(&reading, "missing", 0, "is missing: sector %" PRIu64 " lies outside the disk", lba);
		return true;
	}
	if (!reader_read(scan->disk, offset, bytes, sector.size, &failure)) {
		unread(&reading, offset, &failure);
		return true;
	}
	if (!check_header(&reading, sector, offset))
		return true;
	error_clear(&failure);
	if (!read_entries(&reading, offset, &failure) && failure.code != ERROR_NONE) {
		gpt_copy_free(out);
		*error = failure;
		return false;
	}
	check_sound(&reading, offset);
	return true;
}

void gpt_copy_free(struct gpt_copy *copy)
{
	free(copy->bytes);
	copy->bytes = NULL;
	copy->entries = (struct span){ 0 };
}
