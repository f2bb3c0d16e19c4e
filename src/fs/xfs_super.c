// Fields and offsets: "XFS Algorithms & Data Structures" of the xfs-documentation, chapter "Superblocks".
// Numbers are big-endian; the checksum of version 5 alone is little-endian.
#include "fs/xfs_super.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/checksum.h"
#include "base/text.h"
#include "fs/identify.h"
#include "fs/xfs_log.h"

#define MAGIC           "XFSB"
#define UUID_OFFSET     32
#define CHECKSUM_OFFSET 224

/* Bits of sb_versionnum, whose lowest four bits are the version. */
#define VERSION_BITS          0x000f
#define VERSION_DIRV2         0x2000
#define VERSION_CI            0x4000
#define VERSION_MORE          0x8000
#define FEATURES2_FTYPE       0x0200
#define INCOMPAT_FTYPE        0x0001
#define INCOMPAT_META_UUID    0x0004
#define INCOMPAT_NEEDS_REPAIR 0x0010

/*
 * Incompatible features by bit, as mkfs.xfs and xfs_info call them. `readable`: nothing that is read here
 * changes, or what does is read.
 */
static const struct {
	const char *name;
	bool readable;
} features[] = {
	{ "ftype", true },        { "sparse", true },  { "meta_uuid", true },  { "bigtime", true },
	{ "needsrepair", false }, { "nrext64", true }, { "exchange", true },   { "parent", true },
	{ "metadir", false },     { "zoned", false },  { "zone_gaps", false },
};

bool xfs_checksum_matches(struct span bytes, size_t offset)
{
	uint32_t stored;
	if (!get_le32(bytes, offset, &stored))
		return false;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	return true; /* a fuzzer cannot guess a checksum, and what lies behind it must not be trusted */
#endif
	return stored == crc32c_but_own(bytes, offset);
}

/* A power of two, and its logarithm as the superblock gives it. */
struct power {
	uint64_t value;
	uint8_t log;
};

static bool power_sound(struct power power, unsigned least, unsigned most)
{
	return power.log >= least && power.log <= most && power.value == UINT64_C(1) << power.log;
}

static bool decode_sizes(struct span bytes, struct xfs_super *super)
{
	struct power block = { 0 }, sector = { 0 }, inode = { 0 }, inodes_per_block = { 0 };
	uint16_t sector_size, inode_size, inodes;
	uint8_t directory_log;
	if (!get_be32(bytes, 4, &super->block_size) || !get_u8(bytes, 120, &block.log) ||
	    !get_be16(bytes, 102, &sector_size) || !get_u8(bytes, 121, &sector.log) ||
	    !get_be16(bytes, 104, &inode_size) || !get_u8(bytes, 122, &inode.log) ||
	    !get_be16(bytes, 106, &inodes) || !get_u8(bytes, 123, &inodes_per_block.log) ||
	    !get_u8(bytes, 192, &directory_log))
		return false;
	block.value = super->block_size;
	sector.value = super->sector_size = sector_size;
	inode.value = super->inode_size = inode_size;
	inodes_per_block.value = inodes;
	if (!power_sound(block, 9, 16) || !power_sound(sector, 9, 15) || !power_sound(inode, 8, 11) ||
	    !power_sound(inodes_per_block, 1, 8) || inodes_per_block.log + inode.log != block.log ||
	    block.log + directory_log > 16)
		return false;
	super->block_log = block.log;
	super->inode_log = inode.log;
	super->inodes_per_block_log = inodes_per_block.log;
	super->directory_blocks = UINT32_C(1) << directory_log;
	return true;
}

#define GROUP_BLOCKS_MIN 64

/* Block and inode numbers give the group and the block in it in bit fields of their own. */
static bool groups_sound(const struct xfs_super *super)
{
	if (super->ag_count == 0 || super->ag_blocks < GROUP_BLOCKS_MIN || super->ag_block_log > 31)
		return false;
	uint64_t room = UINT64_C(1) << super->ag_block_log;
	uint64_t most = (uint64_t)super->ag_count * super->ag_blocks;
	return super->ag_blocks <= room && super->ag_blocks > room / 2 && super->blocks <= most &&
	       super->blocks > most - super->ag_blocks;
}

static bool decode_groups(struct span bytes, struct xfs_super *super)
{
	uint8_t ag_block_log, in_progress;
	if (!get_be64(bytes, 8, &super->blocks) || !get_be32(bytes, 84, &super->ag_blocks) ||
	    !get_be32(bytes, 88, &super->ag_count) || !get_u8(bytes, 124, &ag_block_log) ||
	    !get_be64(bytes, 48, &super->log_start) || !get_be32(bytes, 96, &super->log_blocks) ||
	    !get_be64(bytes, 56, &super->root) || !get_u8(bytes, 126, &in_progress))
		return false;
	super->ag_block_log = ag_block_log;
	super->in_progress = in_progress != 0;
	return groups_sound(super);
}

static bool copy_uuid(struct span bytes, size_t offset, uint8_t *out)
{
	struct span uuid;
	if (!span_slice(bytes, offset, 16, &uuid))
		return false;
	for (size_t i = 0; i < uuid.size; i++)
		out[i] = uuid.data[i];
	return true;
}

static bool decode_features(struct span bytes, uint16_t version, struct xfs_super *super)
{
	uint32_t features2;
	if (!get_be32(bytes, 200, &features2) || !copy_uuid(bytes, UUID_OFFSET, super->uuid))
		return false;
	super->case_insensitive = version & VERSION_CI;
	super->file_types = (version & VERSION_MORE) && (features2 & FEATURES2_FTYPE);
	if (super->version < 5)
		return version & VERSION_DIRV2;
	if (!get_be32(bytes, 216, &super->incompat))
		return false;
	super->file_types = super->incompat & INCOMPAT_FTYPE;
	return copy_uuid(bytes, super->incompat & INCOMPAT_META_UUID ? 248 : UUID_OFFSET, super->meta_uuid);
}

bool xfs_super_decode(struct span bytes, struct xfs_super *out)
{
	struct xfs_super super = { 0 };
	uint16_t version;
	if (!span_has(bytes, 0, MAGIC, 4) || !get_be16(bytes, 100, &version))
		return false;
	super.version = version & VERSION_BITS;
	if (super.version == 4 || super.version == 5) {
		if (!decode_sizes(bytes, &super) || !decode_groups(bytes, &super) ||
		    !decode_features(bytes, version, &super))
			return false;
	} else if (super.version == 0) {
		return false;
	}
	*out = super;
	return true;
}

bool xfs_super_checksum_matches(const struct reader *reader, const struct xfs_super *super)
{
	struct error ignored;
	if (super->version != 5)
		return true;
	uint8_t *sector = xmalloc(super->sector_size);
	bool matches = reader_read(reader, 0, sector, super->sector_size, &ignored) &&
	               xfs_checksum_matches(span_of(sector, super->sector_size), CHECKSUM_OFFSET);
	free(sector);
	return matches;
}

static bool features_supported(uint32_t incompat, struct error *error)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		if (!(incompat >> bit & 1))
			continue;
		if (bit >= ARRAY_SIZE(features))
			return error_set(error, ERROR_UNSUPPORTED,
			                 "it has the incompatible feature 0x%" PRIx32
			                 ", which is not known here",
			                 UINT32_C(1) << bit);
		if (!features[bit].readable)
			return error_set(error, ERROR_UNSUPPORTED,
			                 "it has the feature %s, which cannot be read", features[bit].name);
	}
	return true;
}

bool xfs_super_supported(const struct xfs_super *super, struct error *error)
{
	if (super->version != 4 && super->version != 5)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "it has version %u, which no kernel of today mounts", super->version);
	if (super->incompat & INCOMPAT_NEEDS_REPAIR)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "it is marked as in need of repair and the kernel does not mount it; run "
		                 "xfs_repair on it");
	if (super->log_start == 0)
		return error_set(error, ERROR_UNSUPPORTED, "its log is on another device");
	return features_supported(super->incompat, error);
}

bool xfs_block_offset(const struct xfs_super *super, uint64_t block, uint64_t count, uint64_t *out)
{
	uint64_t group = block >> super->ag_block_log;
	uint64_t inside = block & ((UINT64_C(1) << super->ag_block_log) - 1);
	if (group >= super->ag_count)
		return false;
	uint64_t first = group * super->ag_blocks; /* 32 bits by 32 bits */
	uint64_t size = super->blocks - first < super->ag_blocks ? super->blocks - first : super->ag_blocks;
	return range_inside(inside, count, size) && mul_u64(first + inside, super->block_size, out);
}

bool xfs_inode_offset(const struct xfs_super *super, uint64_t number, uint64_t *out)
{
	uint64_t index = number & ((UINT64_C(1) << super->inodes_per_block_log) - 1);
	if (number == 0 || !xfs_block_offset(super, number >> super->inodes_per_block_log, 1, out))
		return false;
	*out += index << super->inode_log;
	return true;
}

static void note_state(struct filesystem *fs, const struct xfs_super *super)
{
	uint64_t size;
	if (super->version != 4 && super->version != 5)
		return;
	if (!mul_u64(super->blocks, super->block_size, &size) || size > fs->reader.size)
		fs_problem(fs, "xfs-beyond-partition", 0,
		           "this xfs has %" PRIu64 " blocks of %" PRIu32 " bytes, more than the %" PRIu64
		           " bytes that it lies in: the kernel does not mount it",
		           super->blocks, super->block_size, fs->reader.size);
	if (super->incompat & INCOMPAT_NEEDS_REPAIR)
		fs_problem(fs, "xfs-needs-repair", 0,
		           "this xfs is marked as in need of repair and the kernel does not mount it; run "
		           "xfs_repair on it");
	xfs_log_note(fs, super);
}

bool xfs_identify(struct filesystem *fs)
{
	uint8_t buffer[XFS_SUPER_SIZE];
	struct span bytes = span_of(buffer, sizeof(buffer));
	struct xfs_super super;
	if (!fs_peek(fs, 0, buffer, sizeof(buffer)) || !xfs_super_decode(bytes, &super) ||
	    super.in_progress || !xfs_super_checksum_matches(&fs->reader, &super))
		return false;
	fs->type = "xfs";
	fs->uuid = fs_uuid(fs->arena, bytes, UUID_OFFSET);
	fs->label = fs_label(fs->arena, bytes, 108, 12);
	note_state(fs, &super);
	return true;
}

/* No UUID and no label are given: neither the kernel nor udev would find such a file system by them. */
bool xfs_identify_damaged(struct filesystem *fs)
{
	uint8_t buffer[XFS_SUPER_SIZE];
	struct span bytes = span_of(buffer, sizeof(buffer));
	struct xfs_super super;
	if (!fs_peek(fs, 0, buffer, sizeof(buffer)) || !span_has(bytes, 0, MAGIC, 4))
		return false;
	fs->type = "xfs";
	if (!xfs_super_decode(bytes, &super))
		fs_problem(fs, "xfs-superblock-damaged", 0,
		           "the xfs superblock is damaged and the kernel does not mount it; xfs_repair looks "
		           "for "
		           "a sound copy");
	else if (super.in_progress)
		fs_problem(fs, "xfs-unfinished", 0,
		           "mkfs.xfs was interrupted before this xfs was complete, and the kernel does not "
		           "mount it");
	else
		fs_problem(
			fs, "xfs-superblock-checksum", 0,
			"the checksum of the xfs superblock is wrong and the kernel does not mount it; run "
			"xfs_repair on it");
	return true;
}
