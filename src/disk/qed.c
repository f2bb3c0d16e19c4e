// The header of a QED image, as docs/interop/qed_spec.txt of QEMU lays it out. All numbers are little-endian.
//
//     0  u32 "QED\0"                 16  u64 features                   40  u64 L1 table
//     4  u32 bytes of a cluster      24  u64 compatible features        48  u64 size of the disk
//     8  u32 clusters of a table     32  u64 autoclear features         56  u32 backing file name
//    12  u32 clusters of the header                                     60  u32 its length
#include <inttypes.h>

#include "base/checked.h"
#include "disk/container.h"

#define HEADER_SIZE 64

#define FEATURE_BACKING    (UINT64_C(1) << 0)
#define FEATURE_NEED_CHECK (UINT64_C(1) << 1)
#define FEATURES_KNOWN     UINT64_C(7)

static bool is_power(uint64_t value, uint64_t least, uint64_t most)
{
	return value >= least && value <= most && (value & (value - 1)) == 0;
}

static bool refuse_backing(const struct disk *disk, uint32_t offset, uint32_t length, struct error *error)
{
	uint8_t bytes[HEADER_NAME_MAX + 1];
	char name[HEADER_NAME_MAX + 4];
	struct error ignored;
	size_t wanted = length < sizeof(bytes) ? length : sizeof(bytes);
	bool read = reader_read(&disk->reader, offset, bytes, wanted, &ignored);
	header_name(span_of(bytes, read ? wanted : 0), name);
	return error_set(
		error, ERROR_UNSUPPORTED,
		"this qed image holds only the changes to another file, '%s' (its backing file), which is "
		"not opened: if you trust both files, join them with `qemu-img convert -f qed -O raw "
		"disk.qed disk.raw`, which follows that name, and give disk.raw",
		name);
}

bool qed_open(struct disk *disk, struct error *error)
{
	uint8_t bytes[HEADER_SIZE];
	struct span at;
	uint32_t cluster = 0, table = 0, name = 0, name_size = 0;
	uint64_t features = 0, l1 = 0, size = 0;
	if (!header_read(disk, 0, bytes, sizeof(bytes), &at, error) || !get_le32(at, 4, &cluster) ||
	    !get_le32(at, 8, &table) || !get_le64(at, 16, &features) || !get_le64(at, 40, &l1) ||
	    !get_le64(at, 48, &size) || !get_le32(at, 56, &name) || !get_le32(at, 60, &name_size))
		return false;
	if (features & ~FEATURES_KNOWN)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "this qed image uses features that are not known here (bits 0x%" PRIx64
		                 "): convert it with `qemu-img convert -f qed -O raw disk.qed disk.raw`",
		                 features & ~FEATURES_KNOWN);
	if (features & FEATURE_BACKING)
		return refuse_backing(disk, name, name_size, error);
	if (!is_power(cluster, 1 << 12, 1 << 26) || !is_power(table, 1, 16))
		return header_damaged(disk, error,
		                      "its clusters have %" PRIu32 " bytes and its tables %" PRIu32
		                      " clusters",
		                      cluster, table);
	if (!header_size(disk, size, error) ||
	    !header_inside(disk, "L1 table", l1, (uint64_t)cluster * table, error))
		return false;
	if (features & FEATURE_NEED_CHECK)
		disk->problem = (struct problem){
			.code = "qed-dirty",
			.message = "the qed image was not closed properly: its tables may be off "
				   "(`qemu-img check -r all disk.qed` mends them)",
		};
	disk->served = SERVED_QED;
	return true;
}
