// The superblock of btrfs, at 64 KiB, with copies at 64 MiB and 256 GiB that nothing but a repair reads.
//
//     0  checksum, of all from 32 on        144  le32 sector size
//    32  fsid                               148  le32 node size
//    48  le64 its own address               160  le32 bytes of system chunks
//    56  le64 flags                         164  le64 generation of the chunk tree
//    64  "_BHRfS_M"                         172  le64 compat, compat_ro, incompat
//    72  le64 generation                    196  le16 kind of checksums
//    80  le64 root tree                     198  levels of the root, chunk and log tree
//    88  le64 chunk tree                    201  device item: le64 its number, le64 bytes
//    96  le64 log tree                      299  label (256)
//   112  le64 bytes of the file system      571  id in the nodes, where that is not the fsid
//   136  le64 devices                       811  system chunks (2048)
#include <ext2fs/ext2fs.h>
#include <inttypes.h>
#include <string.h>

#include "fs/btrfs.h"
#include "fs/identify.h"

#define MAGIC         "_BHRfS_M"
#define CRC32C_KIND   0
#define CHECKSUM_SIZE 32

#define INCOMPAT_METADATA_UUID (UINT64_C(1) << 10)

#define FLAG_ERROR       (UINT64_C(1) << 2)
#define FLAG_METADUMP    (UINT64_C(1) << 33)
#define FLAG_METADUMP_V2 (UINT64_C(1) << 34)
#define FLAG_CHANGING_ID (UINT64_C(1) << 35)

/* What a reader has to know of; bits 0 to 6 are of the days before 3.10. NULL: no hindrance to reading. */
static const char *const features[] = {
	[7] = NULL,  /* raid56: the chunks say whether there are any */
	[8] = NULL,  /* skinny-metadata */
	[9] = NULL,  /* no-holes */
	[10] = NULL, /* metadata-uuid */
	[11] = "raid1c34", [12] = "zoned", [13] = "extent-tree-v2", [14] = "raid-stripe-tree",
	[16] = NULL, /* simple-quota */
};

#define KNOWN_BITS UINT64_C(0x107ff)

static bool decode_numbers(struct span bytes, struct btrfs_super *out)
{
	return get_le64(bytes, 56, &out->flags) && get_le64(bytes, 72, &out->generation) &&
	       get_le64(bytes, 80, &out->root) && get_le64(bytes, 88, &out->chunk_root) &&
	       get_le64(bytes, 96, &out->log_root) && get_le64(bytes, 112, &out->total_bytes) &&
	       get_le64(bytes, 136, &out->devices) && get_le32(bytes, 144, &out->sector_size) &&
	       get_le32(bytes, 148, &out->node_size) && get_le32(bytes, 160, &out->system_chunks_size) &&
	       get_le64(bytes, 164, &out->chunk_generation) && get_le64(bytes, 188, &out->incompat) &&
	       get_le16(bytes, 196, &out->checksum) && get_u8(bytes, 198, &out->root_level) &&
	       get_u8(bytes, 199, &out->chunk_level) && get_le64(bytes, 201, &out->device) &&
	       get_le64(bytes, 209, &out->device_bytes);
}

static bool is_power_of_two(uint32_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

bool btrfs_super_decode(struct span bytes, struct btrfs_super *out)
{
	struct span id;
	if (!span_has(bytes, 64, MAGIC, 8) || !decode_numbers(bytes, out) ||
	    !span_slice(bytes, out->incompat & INCOMPAT_METADATA_UUID ? 571 : 32, sizeof(out->metadata_id),
	                &id))
		return false;
	memcpy(out->metadata_id, id.data, sizeof(out->metadata_id));
	return is_power_of_two(out->sector_size) && out->sector_size >= 4096 && out->sector_size <= 65536 &&
	       is_power_of_two(out->node_size) && out->node_size >= out->sector_size &&
	       out->node_size <= 65536 && out->root_level < BTRFS_LEVELS_MAX &&
	       out->chunk_level < BTRFS_LEVELS_MAX && out->system_chunks_size <= BTRFS_SYSTEM_CHUNKS_MOST;
}

bool btrfs_checksum_fits(uint16_t kind, struct span bytes)
{
	uint32_t stored;
	struct span content = span_from(bytes, CHECKSUM_SIZE);
	if (kind != CRC32C_KIND)
		return true;
	return get_le32(bytes, 0, &stored) &&
	       stored == ~ext2fs_crc32c_le(UINT32_MAX, content.data, content.size);
}

bool btrfs_super_check(const struct btrfs_super *super, struct error *error)
{
	if (super->devices != 1)
		return error_set(error, ERROR_UNSUPPORTED, "it is spread over %" PRIu64 " devices",
		                 super->devices);
	for (unsigned bit = 0; bit < 64; bit++) {
		if (!(super->incompat >> bit & 1))
			continue;
		if (bit < ARRAY_SIZE(features) && features[bit])
			return error_set(error, ERROR_UNSUPPORTED, "its feature %s is not known here",
			                 features[bit]);
		if (!(KNOWN_BITS >> bit & 1))
			return error_set(error, ERROR_UNSUPPORTED,
			                 "it has an unknown feature, incompat bit %u", bit);
	}
	if (super->flags & (FLAG_METADUMP | FLAG_METADUMP_V2))
		return error_set(error, ERROR_UNSUPPORTED,
		                 "it is a dump of the metadata alone, without files");
	return true;
}

static void note_state(struct filesystem *fs, const struct btrfs_super *super)
{
	if (super->log_root != 0)
		fs_problem(fs, "btrfs-log-not-empty", BTRFS_SUPER_OFFSET,
		           "the log tree of this btrfs was not replayed: it was copied while mounted or not "
		           "unmounted cleanly, and its newest changes are not seen here");
	if (super->flags & FLAG_ERROR)
		fs_problem(fs, "btrfs-errors-recorded", BTRFS_SUPER_OFFSET,
		           "the kernel recorded errors in this btrfs; run btrfs check on it");
	if (super->flags & FLAG_CHANGING_ID)
		fs_problem(
			fs, "btrfs-changing-id", BTRFS_SUPER_OFFSET,
			"a change of this btrfs' UUID was broken off and the kernel does not mount it; run "
			"btrfstune again");
	if (super->device_bytes > fs->reader.size)
		fs_problem(fs, "btrfs-beyond-partition", BTRFS_SUPER_OFFSET,
		           "this btrfs takes %" PRIu64 " bytes of its device, more than the %" PRIu64
		           " bytes that it lies in: the kernel does not mount it",
		           super->device_bytes, fs->reader.size);
}

/* Reads a superblock; false where there is none, or one for another place. */
static bool read_super(const struct filesystem *fs, uint64_t offset, uint8_t *buffer, struct btrfs_super *out)
{
	uint64_t own;
	struct span bytes = span_of(buffer, BTRFS_SUPER_SIZE);
	return fs_peek(fs, offset, buffer, BTRFS_SUPER_SIZE) && btrfs_super_decode(bytes, out) &&
	       get_le64(bytes, 48, &own) && own == offset;
}

bool btrfs_identify(struct filesystem *fs)
{
	uint8_t buffer[BTRFS_SUPER_SIZE];
	struct span bytes = span_of(buffer, sizeof(buffer));
	struct btrfs_super super;
	if (!read_super(fs, BTRFS_SUPER_OFFSET, buffer, &super) ||
	    !btrfs_checksum_fits(super.checksum, bytes))
		return false;
	fs->type = "btrfs";
	fs->uuid = fs_uuid(fs->arena, bytes, 32);
	fs->label = fs_label(fs->arena, bytes, 299, 256);
	note_state(fs, &super);
	return true;
}

/*
 * No UUID and no label are given: neither the kernel nor udev would find such a file system by them. A copy
 * alone may be what is left of a file system that another one took the place of: this is asked last.
 */
bool btrfs_identify_damaged(struct filesystem *fs)
{
	static const uint64_t copies[] = { UINT64_C(64) << 20, UINT64_C(256) << 30 };
	uint8_t buffer[BTRFS_SUPER_SIZE];
	struct btrfs_super super;
	bool magic = fs_peek(fs, BTRFS_SUPER_OFFSET, buffer, sizeof(buffer)) &&
	             span_has(span_of(buffer, sizeof(buffer)), 64, MAGIC, 8);
	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		if (!read_super(fs, copies[i], buffer, &super) ||
		    !btrfs_checksum_fits(super.checksum, span_of(buffer, sizeof(buffer))))
			continue;
		fs->type = "btrfs";
		const char *uuid = fs_uuid(fs->arena, span_of(buffer, sizeof(buffer)), 32);
		fs_problem(fs, "btrfs-superblock-damaged", BTRFS_SUPER_OFFSET,
		           "the superblock is damaged and the kernel does not mount it; the copy at offset "
		           "%" PRIu64 " is sound (btrfs, UUID %s): btrfs rescue super-recover mends it",
		           copies[i], uuid ? uuid : "none");
		return true;
	}
	if (!magic)
		return false;
	fs->type = "btrfs";
	fs_problem(fs, "btrfs-superblock-damaged", BTRFS_SUPER_OFFSET,
	           "the btrfs superblock is damaged, and the kernel does not mount it");
	return true;
}
