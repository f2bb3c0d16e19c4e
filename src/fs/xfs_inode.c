// Fields and offsets: "XFS Algorithms & Data Structures", chapter "On-disk Inode".
#include "fs/xfs_inode.h"

#include <inttypes.h>
#include <sys/stat.h>

#define CORE_V2         100 /* bytes in front of the data fork */
#define CORE_V3         176
#define CHECKSUM_OFFSET 100
#define FLAG_REALTIME   1
#define FLAG2_BIGTIME   (1 << 3)
#define FLAG2_NREXT64   (1 << 4)

/* What decides how the other fields are to be read. */
struct head {
	uint16_t mode;
	uint8_t version, format, fork_end;
	uint16_t flags;
	uint64_t flags2;
};

static bool fail(const struct xfs_inode *inode, const char *why, struct error *error)
{
	return error_set(error, ERROR_CORRUPT, "inode %" PRIu64 " %s", inode->number, why);
}

static enum node_type type_of(uint16_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return NODE_FILE;
	case S_IFDIR:
		return NODE_DIRECTORY;
	case S_IFLNK:
		return NODE_SYMLINK;
	default:
		return NODE_OTHER;
	}
}

/* Seconds and nanoseconds, 32 bits each; with bigtime one number of nanoseconds since December 1901. */
static bool decode_time(struct span bytes, bool bigtime, int64_t *out)
{
	const uint64_t second = 1000 * 1000 * 1000;
	uint64_t time;
	uint32_t seconds;
	if (!get_be64(bytes, 40, &time) || !get_be32(bytes, 40, &seconds))
		return false;
	*out = bigtime ? (int64_t)(time / second) + INT32_MIN : (int32_t)seconds;
	return true;
}

static bool decode_head(struct span bytes, struct head *head)
{
	return span_has(bytes, 0, "IN", 2) && get_be16(bytes, 2, &head->mode) &&
	       get_u8(bytes, 4, &head->version) && get_u8(bytes, 5, &head->format) &&
	       get_u8(bytes, 82, &head->fork_end) && get_be16(bytes, 90, &head->flags) &&
	       (head->version < 3 || get_be64(bytes, 120, &head->flags2));
}

static bool decode_extent_count(struct span bytes, const struct head *head, uint64_t *out)
{
	uint32_t count = 0;
	if (head->flags2 & FLAG2_NREXT64)
		return get_be64(bytes, 24, out);
	bool got = get_be32(bytes, 76, &count);
	*out = count;
	return got;
}

static bool decode_links(struct span bytes, const struct head *head, uint32_t *out)
{
	uint16_t old = 0;
	if (head->version > 1)
		return get_be32(bytes, 16, out);
	bool got = get_be16(bytes, 6, &old);
	*out = old;
	return got;
}

static bool decode_core(struct span bytes, const struct head *head, struct xfs_inode *out,
                        struct error *error)
{
	uint32_t links;
	if (!get_be32(bytes, 8, &out->uid) || !get_be32(bytes, 12, &out->gid) ||
	    !get_be64(bytes, 56, &out->size) || !decode_links(bytes, head, &links) ||
	    !decode_extent_count(bytes, head, &out->extents) ||
	    !decode_time(bytes, head->flags2 & FLAG2_BIGTIME, &out->modified))
		return fail(out, "is cut off", error);
	if (head->mode == 0 || links == 0)
		return fail(out, "is named but deleted", error);
	if (out->size > INT64_MAX)
		return fail(out, "has an impossible size", error);
	out->type = type_of(head->mode);
	out->mode = head->mode & 07777;
	out->realtime = out->type == NODE_FILE && head->flags & FLAG_REALTIME;
	return true;
}

/* The data fork lies behind the core; that of the extended attributes, if there is one, ends it. */
static bool decode_fork(struct span bytes, const struct head *head, struct xfs_inode *out,
                        struct error *error)
{
	out->fork_offset = head->version == 3 ? CORE_V3 : CORE_V2;
	out->fork_size = bytes.size - out->fork_offset;
	if (head->fork_end) {
		if (head->fork_end * 8U > out->fork_size)
			return fail(out, "has a data fork that is larger than itself", error);
		out->fork_size = head->fork_end * 8U;
	}
	bool can_be_local = out->type == NODE_DIRECTORY || out->type == NODE_SYMLINK;
	if (out->type != NODE_OTHER && (head->format < XFS_LOCAL || head->format > XFS_BTREE ||
	                                (head->format == XFS_LOCAL && !can_be_local)))
		return fail(out, "keeps its data in an impossible format", error);
	out->format = head->format;
	if (out->format == XFS_LOCAL && out->size > out->fork_size)
		return fail(out, "holds more bytes than fit into it", error);
	return true;
}

static bool check_identity(const struct filesystem *fs, struct span bytes, const struct head *head,
                           const struct xfs_inode *inode, uint64_t offset, struct error *error)
{
	const struct xfs_super *super = &xfs_of(fs)->super;
	uint64_t number;
	if (xfs_is_v5(fs) ? head->version != 3 : head->version < 1 || head->version > 2)
		return fail(inode, "has an impossible version", error);
	if (!xfs_is_v5(fs))
		return true;
	if (!xfs_checksum_matches(bytes, CHECKSUM_OFFSET))
		return error_set(error, ERROR_CORRUPT,
		                 "the checksum of inode %" PRIu64 " at offset %" PRIu64 " is wrong",
		                 inode->number, offset);
	if (!get_be64(bytes, 152, &number) || number != inode->number ||
	    !span_has(bytes, 160, super->meta_uuid, sizeof(super->meta_uuid)))
		return fail(inode, "says that it is another one", error);
	return true;
}

bool xfs_inode_read(const struct filesystem *fs, uint64_t number, struct xfs_inode *out, struct error *error)
{
	const struct xfs_super *super = &xfs_of(fs)->super;
	struct span bytes = span_of(out->bytes, super->inode_size);
	struct head head = { 0 };
	uint64_t offset;
	out->number = number;
	if (!xfs_inode_offset(super, number, &offset))
		return fail(out, "cannot exist: its number lies outside the file system", error);
	if (!xfs_read_metadata(fs, offset, out->bytes, super->inode_size, error))
		return error_wrap(error, "inode %" PRIu64, number);
	if (!decode_head(bytes, &head))
		return error_set(error, ERROR_CORRUPT, "there is no inode %" PRIu64 " at offset %" PRIu64,
		                 number, offset);
	return check_identity(fs, bytes, &head, out, offset, error) &&
	       decode_core(bytes, &head, out, error) && decode_fork(bytes, &head, out, error);
}

struct span xfs_inode_fork(const struct xfs_inode *inode)
{
	return span_of(inode->bytes + inode->fork_offset, inode->fork_size);
}
