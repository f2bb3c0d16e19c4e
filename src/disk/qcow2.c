// The header of a qcow2 image, as docs/interop/qcow2.rst of QEMU lays it out. All numbers are big-endian.
//
//     0  u32 "QFI\xfb"          40  u64 L1 table                   80  u64 compatible features
//     4  u32 version            48  u64 refcount table             88  u64 autoclear features
//     8  u64 backing file name  56  u32 its clusters               96  u32 refcount order
//    16  u32 its length         60  u32 snapshots                 100  u32 header length
//    20  u32 cluster bits       64  u64 their table               104  u8  compression: 0 zlib, 1 zstd
//    24  u64 size of the disk   72  u64 incompatible features
//    32  u32 encryption: 0 none, 1 AES, 2 LUKS; 36 u32 entries of the L1 table
//
// What stands from offset 72 on came with version 3; in version 2 it is all zero. Extensions follow the
// header: u32 type, u32 length, data padded to 8 bytes; type 0 ends them.
#include <inttypes.h>

#include "base/checked.h"
#include "disk/qcow2_clusters.h"

#define HEADER_SIZE_2 72
#define HEADER_SIZE_3 104

#define FEATURE_DIRTY       (UINT64_C(1) << 0)
#define FEATURE_CORRUPT     (UINT64_C(1) << 1)
#define FEATURE_DATA_FILE   (UINT64_C(1) << 2)
#define FEATURE_COMPRESSION (UINT64_C(1) << 3)
#define FEATURE_EXTENDED_L2 (UINT64_C(1) << 4)
#define FEATURES_KNOWN      (FEATURE_EXTENDED_L2 * 2 - 1)

#define EXTENSION_END       0
#define EXTENSION_DATA_FILE 0x44415441
#define EXTENSION_CRYPTO    0x0537be77
#define EXTENSIONS_MOST     64

/* QEMU reads no larger tables. */
#define L1_MOST             ((uint64_t)32 << 20)
#define REFCOUNT_MOST       ((uint64_t)8 << 20)
#define REFCOUNT_ORDER_MOST 6
#define SNAPSHOTS_MOST      65536

#define FLATTEN                                                                                              \
	"if you trust both files, join them with `qemu-img convert -f qcow2 -O raw disk.qcow2 disk.raw`, "   \
	"which follows that name, and give disk.raw"

struct header {
	uint32_t version, name_size, cluster_bits, encryption, l1_entries, refcount_clusters, snapshots;
	uint64_t name, size, l1, refcounts, snapshot_table;
	uint64_t features;
	uint32_t refcount_order, length;
	uint8_t compression;
};

static bool read_header(const struct disk *disk, struct header *header, struct error *error)
{
	uint8_t bytes[HEADER_SIZE_3 + 1] = { 0 };
	struct span at;
	if (!header_read(disk, 0, bytes, HEADER_SIZE_2, &at, error))
		return false;
	bool whole = get_be32(at, 4, &header->version) && get_be64(at, 8, &header->name) &&
	             get_be32(at, 16, &header->name_size) && get_be32(at, 20, &header->cluster_bits) &&
	             get_be64(at, 24, &header->size) && get_be32(at, 32, &header->encryption) &&
	             get_be32(at, 36, &header->l1_entries) && get_be64(at, 40, &header->l1) &&
	             get_be64(at, 48, &header->refcounts) && get_be32(at, 56, &header->refcount_clusters) &&
	             get_be32(at, 60, &header->snapshots) && get_be64(at, 64, &header->snapshot_table);
	header->length = HEADER_SIZE_2;
	if (!whole || header->version < 3)
		return whole;
	if (!header_read(disk, 0, bytes, HEADER_SIZE_3, &at, error))
		return false;
	whole = get_be64(at, 72, &header->features) && get_be32(at, 96, &header->refcount_order) &&
	        get_be32(at, 100, &header->length);
	if (header->length > HEADER_SIZE_3 && !header_read(disk, 0, bytes, HEADER_SIZE_3 + 1, &at, error))
		return false;
	header->compression = bytes[HEADER_SIZE_3];
	return whole;
}

/* A name out of the image into `name`; what cannot be read of it is left out. */
static void read_name(const struct disk *disk, uint64_t offset, uint64_t length,
                      char name[HEADER_NAME_MAX + 4])
{
	uint8_t bytes[HEADER_NAME_MAX + 1];
	struct error ignored;
	size_t wanted = length < sizeof(bytes) ? (size_t)length : sizeof(bytes);
	bool read = reader_read(&disk->reader, offset, bytes, wanted, &ignored);
	header_name(span_of(bytes, read ? wanted : 0), name);
}

static bool refuse_data_file(const char *name, struct error *error)
{
	return error_set(
		error, ERROR_UNSUPPORTED,
		"this qcow2 image keeps its data in another file, '%s', which is not opened: " FLATTEN, name);
}

/* The extensions, in whose number there may be the name of a data file. */
static bool check_extensions(const struct disk *disk, const struct header *header, struct error *error)
{
	uint64_t offset = header->length, end = UINT64_C(1) << header->cluster_bits;
	for (unsigned count = 0; offset + 8 <= end && offset + 8 <= disk->reader.size; count++) {
		uint8_t bytes[8];
		struct span at;
		uint32_t type = 0, length = 0;
		if (count == EXTENSIONS_MOST)
			return header_damaged(disk, error, "its header has more than %u extensions",
			                      EXTENSIONS_MOST);
		if (!header_read(disk, offset, bytes, sizeof(bytes), &at, error))
			return false;
		if (!get_be32(at, 0, &type) || !get_be32(at, 4, &length) || type == EXTENSION_END)
			return true;
		if (length > end - offset - 8)
			return header_damaged(disk, error,
			                      "the header extension at offset %" PRIu64
			                      " is longer than the first cluster",
			                      offset);
		if (type == EXTENSION_DATA_FILE) {
			char name[HEADER_NAME_MAX + 4];
			read_name(disk, offset + 8, length, name);
			return refuse_data_file(name, error);
		}
		if (type == EXTENSION_CRYPTO)
			return header_damaged(disk, error,
			                      "it has a key for its encryption, and is not encrypted");
		offset += 8 + ((uint64_t)length + 7) / 8 * 8;
	}
	return true;
}

/* Nothing but this file is needed, and it is not locked with a passphrase. */
static bool check_alone(const struct disk *disk, const struct header *header, struct error *error)
{
	if (header->name != 0 && header->name_size != 0) {
		char name[HEADER_NAME_MAX + 4];
		read_name(disk, header->name, header->name_size, name);
		return error_set(
			error, ERROR_UNSUPPORTED,
			"this qcow2 image holds only the changes to another file, '%s' (its backing file), "
			"which is not opened: " FLATTEN,
			name);
	}
	if (header->encryption != 0)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "this qcow2 image is encrypted: decrypt it with `qemu-img convert --object "
		                 "secret,id=key,file=PASSPHRASE-FILE --image-opts "
		                 "driver=qcow2,file.filename=disk.qcow2,encrypt.key-secret=key -O raw "
		                 "disk.raw` and give disk.raw");
	if (header->features & FEATURE_DATA_FILE && !check_extensions(disk, header, error))
		return false;
	if (header->features & FEATURE_DATA_FILE)
		return refuse_data_file("", error);
	return true;
}

static bool check_form(const struct disk *disk, const struct header *header, struct error *error)
{
	if (header->version != 2 && header->version != 3)
		return error_set(
			error, ERROR_UNSUPPORTED,
			"this is a qcow image of version %" PRIu32
			", and only 2 and 3 are read: convert it with `qemu-img convert -O raw disk.qcow "
			"disk.raw`",
			header->version);
	if (header->features & ~FEATURES_KNOWN)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "this qcow2 image uses features that are not known here (bits 0x%" PRIx64
		                 "): convert it with the `qemu-img convert -O raw` of the QEMU that made it",
		                 header->features & ~FEATURES_KNOWN);
	uint32_t least = header->features & FEATURE_EXTENDED_L2 ? 14 : 9;
	if (header->cluster_bits < least || header->cluster_bits > 21)
		return header_damaged(disk, error, "its clusters have 2^%" PRIu32 " bytes",
		                      header->cluster_bits);
	if (header->version == 3 && (header->length < HEADER_SIZE_3 || header->length % 8 != 0 ||
	                             header->length > UINT64_C(1) << header->cluster_bits))
		return header_damaged(disk, error, "its header says that it is %" PRIu32 " bytes long",
		                      header->length);
	bool needs_flag = header->compression != 0, has_flag = header->features & FEATURE_COMPRESSION;
	if (needs_flag != has_flag)
		return header_damaged(
			disk, error,
			"its header names compression method %u, and a flag says that it names %s",
			header->compression, has_flag ? "another" : "none");
	if (header->compression > 1)
		return error_set(
			error, ERROR_UNSUPPORTED,
			"this qcow2 image is compressed with method %u, which is not known here: convert it "
			"with the `qemu-img convert -O raw` of the QEMU that made it",
			header->compression);
	return true;
}

static bool check_tables(const struct disk *disk, const struct header *header, struct error *error)
{
	uint64_t cluster = UINT64_C(1) << header->cluster_bits;
	uint64_t entries = cluster / (header->features & FEATURE_EXTENDED_L2 ? 16 : 8);
	if (!header_size(disk, header->size, error))
		return false;
	uint64_t wanted = (header->size - 1) / cluster / entries + 1;
	if (wanted > header->l1_entries)
		return header_damaged(disk, error,
		                      "its L1 table has %" PRIu32 " entries, and a disk of %" PRIu64
		                      " bytes takes %" PRIu64,
		                      header->l1_entries, header->size, wanted);
	uint64_t l1_size = (uint64_t)header->l1_entries * 8;
	uint64_t refcount_size = header->refcount_clusters * cluster;
	if (refcount_size == 0 || header->refcount_order > REFCOUNT_ORDER_MOST)
		return header_damaged(disk, error, "it has no table of reference counts that can be read");
	if (header->snapshots > SNAPSHOTS_MOST)
		return header_damaged(disk, error, "its header says that it has %" PRIu32 " snapshots",
		                      header->snapshots);
	if (l1_size > L1_MOST || refcount_size > REFCOUNT_MOST)
		return header_damaged(disk, error,
		                      "its tables are larger than any that are used: L1 %" PRIu64
		                      " bytes, refcounts %" PRIu64,
		                      l1_size, refcount_size);
	if (header->l1 % cluster != 0 || header->refcounts % cluster != 0)
		return header_damaged(disk, error, "its tables do not begin where clusters do");
	return header_inside(disk, "L1 table", header->l1, l1_size, error) &&
	       header_inside(disk, "refcount table", header->refcounts, refcount_size, error) &&
	       (header->snapshots == 0 ||
	        header_inside(disk, "snapshot table", header->snapshot_table, header->snapshots, error));
}

bool qcow2_open(struct disk *disk, struct error *error)
{
	struct header header = { 0 };
	if (!read_header(disk, &header, error) || !check_form(disk, &header, error) ||
	    !check_alone(disk, &header, error) || !check_extensions(disk, &header, error) ||
	    !check_tables(disk, &header, error))
		return false;
	if (header.features & FEATURE_CORRUPT)
		disk->problem = (struct problem){
			.code = "qcow2-corrupt",
			.message = "the qcow2 image is marked as corrupt: QEMU met damaged metadata in it "
				   "(`qemu-img check disk.qcow2` says where)",
		};
	else if (header.features & FEATURE_DIRTY)
		disk->problem = (struct problem){
			.code = "qcow2-dirty",
			.message = "the qcow2 image was not closed properly: its reference counts may be off "
				   "(`qemu-img check -r leaks disk.qcow2` mends them)",
		};
	const struct qcow2_layout layout = {
		.size = header.size,
		.l1 = header.l1,
		.cluster_bits = header.cluster_bits,
		.has_zero_flag = header.version >= 3,
		.extended_l2 = header.features & FEATURE_EXTENDED_L2,
		.compression = header.compression ? BLOCK_ZSTD : BLOCK_DEFLATE,
	};
	qcow2_read_clusters(disk, &layout);
	return true;
}
