// A VHD image, as the "Virtual Hard Disk Image Format Specification" lays it out. All numbers are big-endian.
//
// Its last 512 bytes are the footer; a dynamic disk begins with a copy of it:
//
//     0  "conectix"                             48  u64 size of the disk, bytes
//    16  u64 dynamic header; ~0: none           60  u32 type: 2 fixed, 3 dynamic, 4 differencing
//    28  the program that made it               64  u32 checksum: one's complement of the sum of all other
//    bytes
//
// The header of a dynamic disk has 1024 bytes:
//
//     0  "cxsparse"                             32  u32 bytes of a block
//    16  u64 block table                        36  u32 checksum
//    28  u32 its entries                        64  name of the parent, 512 bytes of UTF-16
#include <inttypes.h>

#include "base/checked.h"
#include "disk/container.h"

#define FOOTER_SIZE        512
#define HEADER_SIZE        1024
#define TYPE_FIXED         2
#define TYPE_DYNAMIC       3
#define TYPE_DIFFERENCING  4
#define PARENT_NAME        64
#define PARENT_NAME_SIZE   512
#define FOOTER_CHECKSUM_AT 64
#define HEADER_CHECKSUM_AT 36

struct footer {
	uint32_t type;
	uint64_t size, header;
};

/* One's complement of the sum of all bytes but those of the checksum itself. */
static bool checksum_fits(struct span bytes, size_t at)
{
	uint32_t sum = 0, stored;
	for (size_t i = 0; i < bytes.size; i++)
		if (i < at || i >= at + 4)
			sum += bytes.data[i];
	return get_be32(bytes, at, &stored) && stored == ~sum;
}

static bool read_footer(const struct disk *disk, uint64_t offset, struct footer *footer, struct error *error)
{
	uint8_t bytes[FOOTER_SIZE];
	struct span at;
	if (!header_read(disk, offset, bytes, sizeof(bytes), &at, error))
		return false;
	if (!checksum_fits(at, FOOTER_CHECKSUM_AT))
		return header_damaged(disk, error,
		                      "the checksum of its footer at offset %" PRIu64 " is wrong", offset);
	return get_be64(at, 16, &footer->header) && get_be64(at, 48, &footer->size) &&
	       get_be32(at, 60, &footer->type);
}

/* The parent's name is UTF-16; what is not plain in it becomes '?'. */
static bool refuse_parent(struct span header, struct error *error)
{
	char plain[PARENT_NAME_SIZE / 2], name[HEADER_NAME_MAX + 4];
	size_t length = 0;
	uint16_t unit;
	while (length < sizeof(plain) && get_be16(header, PARENT_NAME + 2 * length, &unit) && unit != 0)
		plain[length++] = unit < 0x7f ? (char)unit : '?';
	header_name(span_of(plain, length), name);
	return error_set(
		error, ERROR_UNSUPPORTED,
		"this vhd image holds only the changes to another file, '%s' (its parent), which is not "
		"opened: join them with `VBoxManage clonemedium disk disk.vhd disk.raw --format RAW`, or "
		"Convert-VHD of Hyper-V, which follow that name, and give the result (qemu-img cannot)",
		name);
}

static bool check_blocks(const struct disk *disk, const struct footer *footer, struct span header,
                         struct error *error)
{
	uint32_t entries = 0, block = 0;
	uint64_t table = 0, covered = 0;
	if (!get_be64(header, 16, &table) || !get_be32(header, 28, &entries) || !get_be32(header, 32, &block))
		return false;
	if (block < FOOTER_SIZE || (block & (block - 1)) != 0)
		return header_damaged(disk, error, "its blocks have %" PRIu32 " bytes", block);
	if (!mul_u64(entries, block, &covered) || covered < footer->size)
		return header_damaged(disk, error,
		                      "its %" PRIu32 " blocks of %" PRIu32 " bytes hold no disk of %" PRIu64
		                      " bytes",
		                      entries, block, footer->size);
	return header_inside(disk, "block table", table, (uint64_t)entries * 4, error);
}

static bool check_dynamic(const struct disk *disk, const struct footer *footer, struct error *error)
{
	uint8_t bytes[HEADER_SIZE];
	struct span at;
	if (!header_read(disk, footer->header, bytes, sizeof(bytes), &at, error))
		return false;
	if (!span_has(at, 0, "cxsparse", 8) || !checksum_fits(at, HEADER_CHECKSUM_AT))
		return header_damaged(disk, error,
		                      "there is no sound header of a dynamic disk at offset %" PRIu64,
		                      footer->header);
	if (footer->type == TYPE_DIFFERENCING)
		return refuse_parent(at, error);
	return check_blocks(disk, footer, at, error);
}

bool vhd_open(struct disk *disk, struct error *error)
{
	struct footer footer = { 0 };
	if (!read_footer(disk, 0, &footer, error))
		return false;
	if (footer.type != TYPE_DYNAMIC && footer.type != TYPE_DIFFERENCING)
		return header_damaged(disk, error,
		                      "it begins as a dynamic disk does, and its type is %" PRIu32,
		                      footer.type);
	if (!header_size(disk, footer.size, error) || !check_dynamic(disk, &footer, error))
		return false;
	disk->served = SERVED_VHD;
	return true;
}

/* The disk as it is, with the footer behind it: that takes no server. */
bool vhd_fixed_open(struct disk *disk, struct error *error)
{
	struct footer footer = { 0 };
	uint64_t end = disk->reader.size - FOOTER_SIZE;
	if (!read_footer(disk, end, &footer, error))
		return false;
	if (footer.type != TYPE_FIXED)
		return header_damaged(disk, error,
		                      "its end says that it is no fixed disk (type %" PRIu32
		                      "), but its beginning holds no header: was it copied completely?",
		                      footer.type);
	if (!header_size(disk, footer.size, error))
		return false;
	if (footer.size > end)
		return header_damaged(disk, error,
		                      "it holds %" PRIu64 " of the %" PRIu64
		                      " bytes of its disk: was it copied completely?",
		                      end, footer.size);
	disk->reader.size = footer.size;
	return true;
}
