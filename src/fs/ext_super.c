// Fields and offsets: Documentation/filesystems/ext4/super.rst of the kernel.
#include "fs/ext_super.h"

#include <ext2fs/ext2fs.h>
#include <inttypes.h>

#include "base/checked.h"
#include "fs/identify.h"

#define CHECKSUM_OFFSET 0x3fc
#define CHECKSUM_CRC32C 1

static bool checksum_matches(struct span bytes)
{
	uint8_t type;
	uint32_t stored;
	if (!get_u8(bytes, 0x175, &type) || !get_le32(bytes, CHECKSUM_OFFSET, &stored))
		return false;
	return type == CHECKSUM_CRC32C && stored == ext2fs_crc32c_le(~0U, bytes.data, CHECKSUM_OFFSET);
}

static bool decode_features(struct span bytes, struct ext_super *super)
{
	uint32_t revision;
	if (!get_le32(bytes, 0x4c, &revision))
		return false;
	super->descriptor_size = EXT2_MIN_DESC_SIZE;
	if (revision == EXT2_GOOD_OLD_REV)
		return true;

	uint32_t blocks_high;
	uint16_t descriptor_size;
	if (!get_le16(bytes, 0x5a, &super->group) || !get_le32(bytes, 0x5c, &super->compat) ||
	    !get_le32(bytes, 0x60, &super->incompat) || !get_le32(bytes, 0x64, &super->ro_compat) ||
	    !get_le16(bytes, 0xfe, &descriptor_size) || !get_le32(bytes, 0x150, &blocks_high))
		return false;
	if (super->incompat & EXT4_FEATURE_INCOMPAT_64BIT) {
		super->blocks |= (uint64_t)blocks_high << 32;
		super->descriptor_size = descriptor_size;
	}
	if (super->ro_compat & EXT4_FEATURE_RO_COMPAT_METADATA_CSUM)
		super->checksum_wrong = !checksum_matches(bytes);
	return true;
}

static bool numbers_sound(const struct ext_super *super)
{
	if (super->incompat & EXT3_FEATURE_INCOMPAT_JOURNAL_DEV)
		return super->blocks > 0;
	return super->blocks > super->first_data_block && super->blocks_per_group > 0 &&
	       super->inodes_per_group > 0 && super->descriptor_size >= EXT2_MIN_DESC_SIZE &&
	       super->descriptor_size <= super->block_size;
}

bool ext_super_decode(struct span bytes, struct ext_super *out)
{
	struct ext_super super = { 0 };
	uint16_t magic;
	uint32_t blocks_low, log_block_size;
	if (!get_le16(bytes, 0x38, &magic) || magic != EXT2_SUPER_MAGIC ||
	    !get_le32(bytes, 0x04, &blocks_low) || !get_le32(bytes, 0x14, &super.first_data_block) ||
	    !get_le32(bytes, 0x18, &log_block_size) || !get_le32(bytes, 0x20, &super.blocks_per_group) ||
	    !get_le32(bytes, 0x28, &super.inodes_per_group) || !get_le16(bytes, 0x3a, &super.state))
		return false;
	if (log_block_size > EXT2_MAX_BLOCK_LOG_SIZE - EXT2_MIN_BLOCK_LOG_SIZE)
		return false;
	super.block_size = (uint32_t)EXT2_MIN_BLOCK_SIZE << log_block_size;
	super.blocks = blocks_low;
	if (!decode_features(bytes, &super) || !numbers_sound(&super))
		return false;
	*out = super;
	return true;
}

#define RO_COMPAT_BTREE_DIR 0x0004 /* historical; ext2_fs.h does not name it */

/* The features that the ext2 and ext3 of Linux know; with any other one it is an ext4. */
#define OLD_RO_COMPAT                                                                                        \
	(EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE | RO_COMPAT_BTREE_DIR)
#define OLD_INCOMPAT                                                                                         \
	(EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_RECOVER | EXT2_FEATURE_INCOMPAT_META_BG)

const char *ext_super_type(const struct ext_super *super)
{
	if (super->incompat & EXT3_FEATURE_INCOMPAT_JOURNAL_DEV)
		return "jbd";
	if ((super->ro_compat & ~(uint32_t)OLD_RO_COMPAT) || (super->incompat & ~(uint32_t)OLD_INCOMPAT))
		return "ext4";
	return super->compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL ? "ext3" : "ext2";
}

uint64_t ext_super_groups(const struct ext_super *super)
{
	if (super->blocks_per_group == 0)
		return 0;
	uint64_t blocks = super->blocks - super->first_data_block;
	return blocks / super->blocks_per_group + (blocks % super->blocks_per_group != 0);
}

static void note_state(struct filesystem *fs, const struct ext_super *super)
{
	if (super->incompat & EXT3_FEATURE_INCOMPAT_RECOVER)
		fs_problem(fs, "ext4-journal-not-clean", EXT_SUPER_OFFSET,
		           "the journal of this %s was not replayed: it was copied while mounted or not "
		           "unmounted cleanly, and its newest changes are not seen here",
		           fs->type);
	else if (!(super->compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL) && !(super->state & EXT2_VALID_FS))
		fs_problem(fs, "ext4-not-clean", EXT_SUPER_OFFSET, "this %s was not unmounted cleanly",
		           fs->type);
	if (super->state & EXT2_ERROR_FS)
		fs_problem(fs, "ext4-errors-recorded", EXT_SUPER_OFFSET,
		           "the kernel recorded errors in this %s; run e2fsck on it", fs->type);

	uint64_t size;
	if (!mul_u64(super->blocks, super->block_size, &size) || size > fs->reader.size)
		fs_problem(fs, "ext4-beyond-partition", EXT_SUPER_OFFSET,
		           "this %s has %" PRIu64 " blocks of %" PRIu32 " bytes, more than the %" PRIu64
		           " bytes that it lies in: the kernel does not mount it",
		           fs->type, super->blocks, super->block_size, fs->reader.size);
}

bool ext_identify(struct filesystem *fs)
{
	uint8_t buffer[EXT_SUPER_SIZE];
	struct span bytes = span_of(buffer, sizeof(buffer));
	struct ext_super super;
	if (!fs_peek(fs, EXT_SUPER_OFFSET, buffer, sizeof(buffer)) || !ext_super_decode(bytes, &super) ||
	    super.checksum_wrong)
		return false;
	fs->type = ext_super_type(&super);
	fs->uuid = fs_uuid(fs->arena, bytes, 0x68);
	fs->label = fs_label(fs->arena, bytes, 0x78, 16);
	if (!(super.incompat & EXT3_FEATURE_INCOMPAT_JOURNAL_DEV))
		note_state(fs, &super);
	return true;
}

/* Is the copy of the superblock that belongs to `group` sound? */
static bool backup_at(const struct filesystem *fs, uint64_t offset, uint32_t block_size, uint16_t group)
{
	uint8_t buffer[EXT_SUPER_SIZE];
	struct span bytes = span_of(buffer, sizeof(buffer));
	struct ext_super super;
	return fs_peek(fs, offset, buffer, sizeof(buffer)) && ext_super_decode(bytes, &super) &&
	       !super.checksum_wrong && super.block_size == block_size && super.group == group &&
	       super.blocks_per_group == 8 * block_size;
}

/*
 * Groups 1 and the powers of 3, 5 and 7 carry copies of the superblock (sparse_super). A group has as many
 * blocks as one block has bits; with blocks of 1 KiB the first block is no part of a group.
 */
static uint64_t find_backup(const struct filesystem *fs, uint32_t *block_size)
{
	static const uint16_t groups[] = { 1, 3, 5, 7, 9, 25, 27, 49 };
	for (*block_size = 1024; *block_size <= 4096; *block_size *= 2) {
		for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
			uint64_t block =
				(uint64_t)groups[i] * 8 * *block_size + (*block_size == 1024 ? 1 : 0);
			uint64_t offset = block * *block_size;
			if (backup_at(fs, offset, *block_size, groups[i]))
				return offset;
		}
	}
	return 0;
}

static bool describe_backup(struct filesystem *fs, uint64_t offset, uint32_t block_size)
{
	uint8_t buffer[EXT_SUPER_SIZE];
	struct span bytes = span_of(buffer, sizeof(buffer));
	struct ext_super super;
	if (!fs_peek(fs, offset, buffer, sizeof(buffer)) || !ext_super_decode(bytes, &super))
		return false;
	fs->type = ext_super_type(&super);
	const char *uuid = fs_uuid(fs->arena, bytes, 0x68);
	fs_problem(fs, "ext4-superblock-damaged", EXT_SUPER_OFFSET,
	           "the superblock is damaged and the kernel does not mount it; the backup at block %" PRIu64
	           " is sound (%s, UUID %s): e2fsck -b %" PRIu64 " -B %" PRIu32 " mends it",
	           offset / block_size, fs->type, uuid ? uuid : "none", offset / block_size, block_size);
	return true;
}

/* No UUID and no label are given: neither the kernel nor udev would find such a file system by them. */
bool ext_identify_damaged(struct filesystem *fs)
{
	uint8_t buffer[EXT_SUPER_SIZE];
	struct ext_super super;
	if (!fs_peek(fs, EXT_SUPER_OFFSET, buffer, sizeof(buffer)))
		return false;
	if (ext_super_decode(span_of(buffer, sizeof(buffer)), &super) && super.checksum_wrong) {
		fs->type = ext_super_type(&super);
		fs_problem(fs, "ext4-superblock-checksum", EXT_SUPER_OFFSET,
		           "the checksum of the %s superblock is wrong and the kernel does not mount it; run "
		           "e2fsck on it",
		           fs->type);
		return true;
	}
	uint32_t block_size;
	uint64_t backup = find_backup(fs, &block_size);
	return backup != 0 && describe_backup(fs, backup, block_size);
}
