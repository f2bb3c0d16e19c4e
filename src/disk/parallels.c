// The header of a Parallels image, as docs/interop/parallels.txt of QEMU lays it out. All numbers are
// little-endian. What other files a disk has stands in a file of its own, which is never read.
//
//     0  "WithoutFreeSpace" or "WithouFreSpacExt"     32  u32 entries of the block table, which follows
//    16  u32 version: 2                               36  u64 sectors of the disk (u32 in the first kind)
//    28  u32 sectors of a block                       44  u32 0x746f6e59: it is in use
#include <inttypes.h>

#include "base/checked.h"
#include "disk/container.h"

#define HEADER_SIZE 64
#define IN_USE      0x746f6e59

bool parallels_open(struct disk *disk, struct error *error)
{
	uint8_t bytes[HEADER_SIZE];
	struct span at;
	uint32_t version = 0, block = 0, entries = 0, in_use = 0;
	uint64_t sectors = 0, size = 0, covered = 0;
	if (!header_read(disk, 0, bytes, sizeof(bytes), &at, error) || !get_le32(at, 16, &version) ||
	    !get_le32(at, 28, &block) || !get_le32(at, 32, &entries) || !get_le64(at, 36, &sectors) ||
	    !get_le32(at, 44, &in_use))
		return false;
	if (span_has(at, 0, "WithoutFreeSpace", 16))
		sectors &= UINT32_MAX;
	if (version != 2)
		return error_set(
			error, ERROR_UNSUPPORTED,
			"this parallels image is of version %" PRIu32
			", and only 2 is read: convert it with `prl_disk_tool` or make a raw copy of it",
			version);
	if (block == 0 || !mul_u64(sectors, 512, &size) || !mul_u64(entries, block, &covered))
		return header_damaged(disk, error, "its blocks have %" PRIu32 " sectors", block);
	if (!header_size(disk, size, error) ||
	    !header_inside(disk, "block table", HEADER_SIZE, (uint64_t)entries * 4, error))
		return false;
	if (covered < sectors)
		return header_damaged(disk, error,
		                      "its block table covers %" PRIu64 " of %" PRIu64 " sectors", covered,
		                      sectors);
	if (in_use == IN_USE)
		disk->problem = (struct problem){
			.code = "parallels-dirty",
			.message = "the parallels image was not closed properly: its block table may be off "
				   "(`qemu-img check -r all disk.hdd` mends it)",
		};
	disk->served = SERVED_PARALLELS;
	return true;
}
