// The content of files: EXTENT_DATA (inode, 108, offset in the file) says what a run of it is.
//
//   0  le64 generation          21  inline: the content, up to the end of the item
//   8  le64 bytes, unpacked     21  otherwise: le64 address (0: a hole), le64 bytes there,
//  16  compression              37  le64 bytes of all that is there, unpacked, that come before this run
//  20  kind                     45  le64 bytes of the run
//
// What no item covers is a hole, too (no-holes). Preallocated extents read as zeros.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "codec/block.h"
#include "fs/btrfs.h"

#define INLINE_CONTENT 21
/* The most that the kernel compresses into one extent, and so the most that one is unpacked to. */
#define UNPACKED_MOST (UINT64_C(128) << 10)

#define LZO_WORD ((size_t)4)

enum extent_type {
	TYPE_INLINE,
	TYPE_REGULAR,
	TYPE_PREALLOCATED,
};

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_ZLIB,
	COMPRESSION_LZO,
	COMPRESSION_ZSTD,
};

static bool fail_extent(const struct node *file, uint64_t start, const char *reason, struct error *error)
{
	return error_set(error, ERROR_CORRUPT,
	                 "inode %" PRIu64 " of subvolume %" PRIu64 ": the extent at offset %" PRIu64 " %s",
	                 file->inode, file->driver[0], start, reason);
}

static bool decode_on_disk(const struct node *file, struct span item, uint8_t type, struct btrfs_extent *out,
                           struct error *error)
{
	uint64_t end;
	if (!get_le64(item, 21, &out->address) || !get_le64(item, 29, &out->stored) ||
	    !get_le64(item, 37, &out->skipped) || !get_le64(item, 45, &out->length) || out->length == 0 ||
	    !add_u64(out->start, out->length, &end) || !add_u64(out->skipped, out->length, &end))
		return fail_extent(file, out->start, "is not sound", error);
	out->kind = BTRFS_EXTENT_DISK;
	if (out->address == 0 || type == TYPE_PREALLOCATED) {
		out->kind = BTRFS_EXTENT_ZEROS;
		return true;
	}
	if (out->compression == COMPRESSION_NONE
	            ? end > out->stored
	            : out->unpacked > UNPACKED_MOST || out->stored > UNPACKED_MOST || end > out->unpacked)
		return fail_extent(file, out->start, "is longer than what is stored", error);
	return true;
}

static bool decode_extent(const struct node *file, const struct btrfs_cursor *cursor,
                          struct btrfs_extent *out, struct error *error)
{
	uint8_t encryption, type;
	uint16_t encoding;
	struct span item = cursor->item;
	*out = (struct btrfs_extent){ .start = cursor->key.offset };
	if (!get_le64(item, 8, &out->unpacked) || !get_u8(item, 16, &out->compression) ||
	    !get_u8(item, 17, &encryption) || !get_le16(item, 18, &encoding) || !get_u8(item, 20, &type))
		return fail_extent(file, out->start, "is not sound", error);
	if (encryption != 0 || encoding != 0 || out->compression > COMPRESSION_ZSTD)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "inode %" PRIu64 " is stored in a way that is not known here", file->inode);
	switch (type) {
	case TYPE_INLINE:
		if (out->start != 0 || out->unpacked > UNPACKED_MOST)
			return fail_extent(file, out->start, "is inline where none can be", error);
		out->kind = BTRFS_EXTENT_INLINE;
		out->length = out->unpacked;
		return true;
	case TYPE_REGULAR:
	case TYPE_PREALLOCATED:
		return decode_on_disk(file, item, type, out, error);
	default:
		return fail_extent(file, out->start, "is of an unknown kind", error);
	}
}

static bool covers(const struct btrfs_extent *extent, uint64_t offset)
{
	return offset >= extent->start && offset - extent->start < extent->length;
}

static bool is_of_file(const struct btrfs_cursor *cursor, const struct node *file)
{
	return cursor->key.object == file->inode && cursor->key.type == BTRFS_EXTENT_DATA;
}

/* A hole from `offset` to the next extent, or without end. */
static bool make_hole(const struct node *file, struct btrfs_cursor *cursor, uint64_t offset, bool found,
                      struct btrfs_extent *out, struct error *error)
{
	*out = (struct btrfs_extent){ .start = offset, .length = UINT64_MAX - offset };
	if (found && !btrfs_next(cursor, &found, error))
		return false;
	if (!found || !is_of_file(cursor, file))
		return true;
	if (cursor->key.offset <= offset)
		return fail_extent(file, cursor->key.offset, "is out of order", error);
	out->length = cursor->key.offset - offset;
	return true;
}

/* Finds the run that holds `offset` of the file, and keeps it. */
static bool find_extent(const struct node *file, uint64_t offset, struct error *error)
{
	struct btrfs *btrfs = btrfs_of(file->fs);
	const struct btrfs_key key = { file->inode, BTRFS_EXTENT_DATA, offset };
	struct btrfs_extent extent;
	struct btrfs_cursor cursor;
	struct btrfs_root root;
	bool found;
	if (btrfs->extent_root == file->driver[0] && btrfs->extent_inode == file->inode &&
	    covers(&btrfs->extent, offset))
		return true;
	if (!btrfs_root_find(btrfs, file->driver[0], &root, error) ||
	    !btrfs_seek(btrfs, &root.top, &key, &cursor, &found, error))
		return false;
	bool known = found && is_of_file(&cursor, file);
	if (known && !decode_extent(file, &cursor, &extent, error))
		return false;
	if (!(known && covers(&extent, offset)) && !make_hole(file, &cursor, offset, found, &extent, error))
		return false;
	btrfs->extent_root = file->driver[0];
	btrfs->extent_inode = file->inode;
	btrfs->extent = extent;
	return true;
}

/*
 * LZO works on one sector at a time: le32 bytes of all, then for each sector le32 bytes and the data. Those
 * four bytes never lie across the end of a sector of what is stored.
 */
static bool unpack_lzo(struct btrfs *btrfs, struct span packed, uint8_t *out, size_t capacity, size_t *got,
                       struct error *error)
{
	size_t sector = btrfs->super.sector_size, at = LZO_WORD, more;
	uint32_t total, size;
	struct span piece;
	*got = 0;
	if (!get_le32(packed, 0, &total) || total > packed.size)
		return error_set(error, ERROR_CORRUPT, "lzo data are longer than what is stored");
	while (at < total && *got < capacity) {
		size_t left = sector - at % sector;
		if (left < LZO_WORD)
			at += left;
		if (!get_le32(packed, at, &size) || !span_slice(packed, at + LZO_WORD, size, &piece))
			return error_set(error, ERROR_CORRUPT, "lzo data end early");
		size_t room = capacity - *got < sector ? capacity - *got : sector;
		if (!block_unpack(BLOCK_LZO1X, piece, out + *got, room, &more, btrfs->fs->budget, error))
			return false;
		*got += more;
		at += LZO_WORD + size;
	}
	return true;
}

/* Unpacks an extent; what it gives too little of reads as zeros, as in the kernel. */
static bool unpack(struct btrfs *btrfs, uint8_t compression, struct span packed, uint8_t *out, size_t size,
                   struct error *error)
{
	size_t got = 0;
	bool sound = false;
	switch (compression) {
	case COMPRESSION_ZLIB:
		sound = block_unpack(BLOCK_ZLIB, packed, out, size, &got, btrfs->fs->budget, error);
		break;
	case COMPRESSION_LZO:
		sound = unpack_lzo(btrfs, packed, out, size, &got, error);
		break;
	case COMPRESSION_ZSTD:
		sound = block_unpack(BLOCK_ZSTD, packed, out, size, &got, btrfs->fs->budget, error);
		break;
	default:
		return error_set(error, ERROR_UNSUPPORTED, "compression %u is not known here", compression);
	}
	if (sound)
		memset(out + got, 0, size - got);
	return sound;
}

static bool read_inline(const struct node *file, uint64_t offset, uint8_t *buffer, size_t length,
                        struct error *error)
{
	struct btrfs *btrfs = btrfs_of(file->fs);
	const struct btrfs_key key = { file->inode, BTRFS_EXTENT_DATA, 0 };
	struct btrfs_cursor cursor;
	struct btrfs_root root;
	bool found;
	if (!btrfs_root_find(btrfs, file->driver[0], &root, error) ||
	    !btrfs_find(btrfs, &root.top, &key, &cursor, &found, error))
		return false;
	struct span content = span_from(cursor.item, INLINE_CONTENT);
	if (!found)
		return fail_extent(file, 0, "is gone", error);
	if (btrfs->extent.compression == COMPRESSION_NONE) {
		if (!span_slice(content, (size_t)offset, length, &content))
			return fail_extent(file, 0, "is longer than its item", error);
		memcpy(buffer, content.data, length);
		return true;
	}
	size_t size = (size_t)btrfs->extent.unpacked;
	uint8_t *unpacked = xmalloc(size + 1);
	bool sound = unpack(btrfs, btrfs->extent.compression, content, unpacked, size, error);
	if (sound)
		memcpy(buffer, unpacked + offset, length);
	free(unpacked);
	return sound;
}

/* Reads what is stored at a logical address, chunk by chunk. */
static bool read_stored(struct btrfs *btrfs, uint64_t address, uint8_t *buffer, size_t length,
                        struct error *error)
{
	struct btrfs_chunk place;
	return btrfs_chunks_find(btrfs, address, length, &place, error) &&
	       reader_read(&btrfs->fs->reader, place.copies[0], buffer, length, error);
}

static bool fill_unpacked(struct btrfs *btrfs, const struct btrfs_extent *extent, struct btrfs_unpacked *kept,
                          struct error *error)
{
	size_t stored = (size_t)extent->stored;
	if (!btrfs->packed)
		btrfs->packed = xmalloc(UNPACKED_MOST);
	if (!kept->bytes)
		kept->bytes = xmalloc(UNPACKED_MOST);
	kept->size = 0;
	if (!read_stored(btrfs, extent->address, btrfs->packed, stored, error) ||
	    !unpack(btrfs, extent->compression, span_of(btrfs->packed, stored), kept->bytes,
	            (size_t)extent->unpacked, error))
		return false;
	kept->address = extent->address;
	kept->size = (size_t)extent->unpacked;
	return true;
}

/* The unpacked content of an extent, from those that are kept or made now; NULL on failure. */
static const struct btrfs_unpacked *get_unpacked(struct btrfs *btrfs, const struct btrfs_extent *extent,
                                                 struct error *error)
{
	struct btrfs_unpacked *oldest = &btrfs->unpacked[0];
	for (size_t i = 0; i < BTRFS_UNPACKED_KEPT; i++) {
		struct btrfs_unpacked *one = &btrfs->unpacked[i];
		if (one->size == extent->unpacked && one->size > 0 && one->address == extent->address) {
			one->used = ++btrfs->clock;
			return one;
		}
		if (one->used < oldest->used)
			oldest = one;
	}
	oldest->used = ++btrfs->clock;
	return fill_unpacked(btrfs, extent, oldest, error) ? oldest : NULL;
}

void btrfs_unpacked_free(struct btrfs *btrfs)
{
	for (size_t i = 0; i < BTRFS_UNPACKED_KEPT; i++)
		free(btrfs->unpacked[i].bytes);
	free(btrfs->packed);
}

/* Reads inside the run that was found last. */
static bool read_run(const struct node *file, uint64_t inside, uint8_t *buffer, size_t length,
                     struct error *error)
{
	struct btrfs *btrfs = btrfs_of(file->fs);
	const struct btrfs_extent *extent = &btrfs->extent;
	if (extent->kind == BTRFS_EXTENT_ZEROS) {
		memset(buffer, 0, length);
		return true;
	}
	if (extent->kind == BTRFS_EXTENT_INLINE)
		return read_inline(file, inside, buffer, length, error);
	if (extent->compression == COMPRESSION_NONE)
		return read_stored(btrfs, extent->address + extent->skipped + inside, buffer, length, error);
	const struct btrfs_unpacked *unpacked = get_unpacked(btrfs, extent, error);
	if (!unpacked)
		return false;
	memcpy(buffer, unpacked->bytes + extent->skipped + inside, length);
	return true;
}

bool btrfs_read(const struct node *file, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	struct btrfs *btrfs = btrfs_of(file->fs);
	uint8_t *out = buffer;
	while (length > 0) {
		if (!find_extent(file, offset, error))
			return false;
		uint64_t inside = offset - btrfs->extent.start, left = btrfs->extent.length - inside;
		size_t part = length < left ? length : (size_t)left;
		if (!read_run(file, inside, out, part, error))
			return error_wrap(error, "inode %" PRIu64 " of subvolume %" PRIu64, file->inode,
			                  file->driver[0]);
		out += part;
		offset += part;
		length -= part;
	}
	return true;
}
