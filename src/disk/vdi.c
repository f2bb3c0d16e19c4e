// The header of a VDI image (VirtualBox), version 1.1. All numbers are little-endian.
//
//    64  u32 0xbeda107f            340  u32 block map, bytes       376  u32 bytes of a block
//    68  u32 version: 0x00010001   344  u32 data, bytes            384  u32 blocks of the disk
//    72  u32 bytes of the header   360  u32 bytes of a sector      424  UUID of the image this one is linked
//    to 76  u32 type: 1 dynamic, 2 static, 3 undo, 4 differencing     440  UUID of the parent
//                                  368  u64 size of the disk
#include <inttypes.h>

#include "base/checked.h"
#include "disk/container.h"

#define HEADER_SIZE  512
#define VERSION      0x00010001
#define TYPE_DYNAMIC 1
#define TYPE_STATIC  2
#define LINK         424
#define UUIDS_SIZE   32
#define SECTOR_SIZE  512

struct header {
	uint32_t version, type, map, data, sector, block, blocks;
	uint64_t size;
	bool linked;
};

static bool read_header(const struct disk *disk, struct header *header, struct error *error)
{
	uint8_t bytes[HEADER_SIZE];
	struct span at, links;
	if (!header_read(disk, 0, bytes, sizeof(bytes), &at, error))
		return false;
	bool whole = get_le32(at, 68, &header->version) && get_le32(at, 76, &header->type) &&
	             get_le32(at, 340, &header->map) && get_le32(at, 344, &header->data) &&
	             get_le32(at, 360, &header->sector) && get_le64(at, 368, &header->size) &&
	             get_le32(at, 376, &header->block) && get_le32(at, 384, &header->blocks) &&
	             span_slice(at, LINK, UUIDS_SIZE, &links);
	header->linked = whole && !span_is_zero(links);
	return whole;
}

static bool check_tables(const struct disk *disk, const struct header *header, struct error *error)
{
	uint64_t covered;
	if (header->sector != SECTOR_SIZE || header->block == 0 || header->block % SECTOR_SIZE != 0)
		return header_damaged(disk, error,
		                      "its sectors have %" PRIu32 " bytes and its blocks %" PRIu32,
		                      header->sector, header->block);
	if (!header_size(disk, header->size, error))
		return false;
	if (!mul_u64(header->block, header->blocks, &covered) || covered < header->size)
		return header_damaged(disk, error,
		                      "its %" PRIu32 " blocks of %" PRIu32 " bytes hold no disk of %" PRIu64
		                      " bytes",
		                      header->blocks, header->block, header->size);
	return header_inside(disk, "block map", header->map, (uint64_t)header->blocks * 4, error) &&
	       header_inside(disk, "data", header->data, 0, error);
}

bool vdi_open(struct disk *disk, struct error *error)
{
	struct header header = { 0 };
	if (!read_header(disk, &header, error))
		return false;
	if (header.version != VERSION)
		return error_set(
			error, ERROR_UNSUPPORTED,
			"this vdi image is of version %" PRIu32 ".%" PRIu32
			", and only 1.1 is read: convert it with `VBoxManage clonemedium disk disk.vdi "
			"disk.raw --format RAW`",
			header.version >> 16, header.version & 0xffff);
	if (header.linked || (header.type != TYPE_DYNAMIC && header.type != TYPE_STATIC))
		return error_set(
			error, ERROR_UNSUPPORTED,
			"this vdi image holds only the changes to another one (it is a snapshot or a linked "
			"clone, type %" PRIu32 "): join them with `VBoxManage clonemedium disk disk.vdi "
			"disk.raw --format RAW`, which finds the others, and give disk.raw",
			header.type);
	if (!check_tables(disk, &header, error))
		return false;
	disk->served = SERVED_VDI;
	return true;
}
