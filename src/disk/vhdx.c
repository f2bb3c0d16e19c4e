// The headers of a VHDX image, as MS-VHDX lays them out. All numbers are little-endian; CRC-32C over each
// structure with its own field as zero.
//
//     0      "vhdxfile"
//    64 KiB, 128 KiB   header, 4 KiB: the valid one with the larger sequence number counts
//               0 "head"; 4 u32 CRC; 8 u64 sequence number; 48 GUID of the log, zero: empty; 66 u16 version:
//               1
//    192 KiB, 256 KiB  region table, 64 KiB: the first valid one counts
//               0 "regi"; 4 u32 CRC; 8 u32 entries; from 16 on, of 32 bytes each:
//               0 GUID; 16 u64 offset; 24 u32 length; 28 u32 1: required
//    the metadata region, of which the first 64 KiB are a table
//               0 "metadata"; 10 u16 entries; from 32 on, of 32 bytes each:
//               0 GUID; 16 u32 offset in the region; 20 u32 length; 24 u32 flags, 4: required
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/checksum.h"
#include "disk/container.h"

#define KIB            1024u
#define HEADER_SIZE    (4 * KIB)
#define TABLE_SIZE     (64 * KIB)
#define REGIONS_MOST   2047
#define METADATA_MOST  2047
#define ENTRY_SIZE     32
#define ITEM_REQUIRED  4u
#define HAS_PARENT     2u

struct guid {
	uint8_t bytes[16];
};

/* As they lie on the disk: the first three fields of a GUID are little-endian. */
static const struct guid region_blocks = { { 0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42, 0x9d, 0x64, 0x11,
	                                     0x5e, 0x9b, 0xfd, 0x4a, 0x08 } };
static const struct guid region_metadata = { { 0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe,
	                                       0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e } };
static const struct guid item_parameters = { { 0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6,
	                                       0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b } };
static const struct guid item_size = { { 0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d,
	                                 0xbe, 0xd8, 0x3b, 0xf4, 0xb8 } };
static const struct guid item_sector = { { 0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47, 0xba, 0x47, 0xf2,
	                                   0x33, 0xa8, 0xfa, 0xab, 0x5f } };
static const struct guid item_physical_sector = { { 0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44, 0x9c,
	                                            0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5, 0x56 } };
static const struct guid item_page83 = { { 0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45, 0x93, 0xef, 0xc3,
	                                   0x09, 0xe0, 0x00, 0xc7, 0x46 } };
static const struct guid item_parent = { { 0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45, 0xab, 0xf7, 0xd3,
	                                   0xd8, 0x48, 0x34, 0xab, 0x0c } };

/* What was found of the metadata; a size of 0 is none. */
struct metadata {
	uint64_t size;
	uint32_t block, flags, sector;
	bool has_parent_item;
};

static bool is_sound(struct span bytes, const char *signature)
{
	uint32_t stored;
	return span_has(bytes, 0, signature, 4) && get_le32(bytes, 4, &stored) &&
	       stored == crc32c_but_own(bytes, 4);
}

static bool is_guid(struct span bytes, size_t offset, const struct guid *guid)
{
	return span_has(bytes, offset, guid->bytes, sizeof(guid->bytes));
}

/* The header that counts: nothing may be waiting in the log. */
static bool check_headers(const struct disk *disk, uint8_t *bytes, struct error *error)
{
	bool found = false, log_is_empty = false;
	uint64_t newest = 0;
	uint16_t version = 0;
	for (uint64_t offset = 64 * KIB; offset <= 128 * KIB; offset += 64 * KIB) {
		struct span at, log;
		uint64_t sequence;
		if (!header_read(disk, offset, bytes, HEADER_SIZE, &at, error))
			return false;
		if (!is_sound(at, "head") || !get_le64(at, 8, &sequence) || (found && sequence <= newest))
			continue;
		found = get_le16(at, 66, &version) && span_slice(at, 48, 16, &log);
		log_is_empty = found && span_is_zero(log);
		newest = sequence;
	}
	if (!found)
		return header_damaged(disk, error, "none of its two headers is sound");
	if (version != 1)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "this vhdx image is of version %u, and only 1 is read", version);
	if (!log_is_empty)
		return error_set(
			error, ERROR_UNSUPPORTED,
			"this vhdx image was not closed properly, and changes wait in its log: write them "
			"with `qemu-img check -r all disk.vhdx`, or attach it once in Hyper-V");
	return true;
}

/* The first sound region table, in bytes[]. */
static bool read_regions(const struct disk *disk, uint8_t *bytes, struct span *out, struct error *error)
{
	for (uint64_t offset = 192 * KIB; offset <= 256 * KIB; offset += 64 * KIB) {
		if (!header_read(disk, offset, bytes, TABLE_SIZE, out, error))
			return false;
		if (is_sound(*out, "regi"))
			return true;
	}
	return header_damaged(disk, error, "none of its two region tables is sound");
}

/* Finds the metadata among the regions; each of them lies in the file. */
static bool find_metadata(const struct disk *disk, struct span table, uint64_t *metadata, struct error *error)
{
	uint32_t count = 0;
	bool has_blocks = false, has_metadata = false;
	if (!get_le32(table, 8, &count) || count > REGIONS_MOST)
		return header_damaged(disk, error, "its region table has %" PRIu32 " entries", count);
	for (size_t i = 0; i < count; i++) {
		size_t at = 16 + i * ENTRY_SIZE;
		uint64_t offset = 0;
		uint32_t length = 0, required = 0;
		if (!get_le64(table, at + 16, &offset) || !get_le32(table, at + 24, &length) ||
		    !get_le32(table, at + 28, &required) ||
		    !header_inside(disk, "region", offset, length, error))
			return false;
		if (is_guid(table, at, &region_blocks)) {
			has_blocks = true;
		} else if (is_guid(table, at, &region_metadata)) {
			has_metadata = length >= TABLE_SIZE;
			*metadata = offset;
		} else if (required & 1) {
			return error_set(error, ERROR_UNSUPPORTED,
			                 "this vhdx image has a region that is required and not known here");
		}
	}
	return (has_blocks && has_metadata) ||
	       header_damaged(disk, error, "its region table lacks the block table or the metadata");
}

static bool is_known_item(struct span table, size_t at)
{
	return is_guid(table, at, &item_physical_sector) || is_guid(table, at, &item_page83);
}

/* One entry of the metadata table. */
static bool read_item(const struct disk *disk, struct span table, size_t at, uint64_t region,
                      struct metadata *out, struct error *error)
{
	uint32_t offset = 0, length = 0, flags = 0;
	uint8_t bytes[8] = { 0 };
	struct span value = span_of(bytes, sizeof(bytes));
	if (!get_le32(table, at + 16, &offset) || !get_le32(table, at + 20, &length) ||
	    !get_le32(table, at + 24, &flags) ||
	    !header_inside(disk, "metadata item", region + offset, length, error) ||
	    !reader_read(&disk->reader, region + offset, bytes, length < 8 ? length : 8, error))
		return false;
	if (is_guid(table, at, &item_parameters))
		return get_le32(value, 0, &out->block) && get_le32(value, 4, &out->flags);
	if (is_guid(table, at, &item_size))
		return get_le64(value, 0, &out->size);
	if (is_guid(table, at, &item_sector))
		return get_le32(value, 0, &out->sector);
	if (is_guid(table, at, &item_parent))
		out->has_parent_item = true;
	else if (flags & ITEM_REQUIRED && !is_known_item(table, at))
		return error_set(error, ERROR_UNSUPPORTED,
		                 "this vhdx image has metadata that is required and not known here");
	return true;
}

static bool read_metadata(const struct disk *disk, uint8_t *bytes, uint64_t region, struct metadata *out,
                          struct error *error)
{
	struct span table;
	uint16_t count = 0;
	if (!header_read(disk, region, bytes, TABLE_SIZE, &table, error))
		return false;
	if (!span_has(table, 0, "metadata", 8) || !get_le16(table, 10, &count) || count > METADATA_MOST)
		return header_damaged(disk, error, "there is no metadata table at offset %" PRIu64, region);
	for (size_t i = 0; i < count; i++)
		if (!read_item(disk, table, 32 + i * ENTRY_SIZE, region, out, error))
			return false;
	return true;
}

static bool check_metadata(const struct disk *disk, const struct metadata *metadata, struct error *error)
{
	if (metadata->flags & HAS_PARENT || metadata->has_parent_item)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "this vhdx image holds only the changes to another file (it has a parent), "
		                 "which is not "
		                 "opened: join them with Convert-VHD of Hyper-V, which follows that name, "
		                 "and give the result "
		                 "(qemu-img cannot)");
	if (metadata->block < (1u << 20) || metadata->block > (256u << 20) ||
	    (metadata->block & (metadata->block - 1)) != 0)
		return header_damaged(disk, error, "its blocks have %" PRIu32 " bytes", metadata->block);
	if (metadata->sector != 512 && metadata->sector != 4096)
		return header_damaged(disk, error, "its sectors have %" PRIu32 " bytes", metadata->sector);
	return header_size(disk, metadata->size, error);
}

bool vhdx_open(struct disk *disk, struct error *error)
{
	uint8_t *bytes = xmalloc(TABLE_SIZE);
	struct span regions;
	uint64_t region = 0;
	struct metadata metadata = { 0 };
	bool sound = check_headers(disk, bytes, error) && read_regions(disk, bytes, &regions, error) &&
	             find_metadata(disk, regions, &region, error) &&
	             read_metadata(disk, bytes, region, &metadata, error) &&
	             check_metadata(disk, &metadata, error);
	free(bytes);
	if (sound)
		disk->served = SERVED_VHDX;
	return sound;
}
