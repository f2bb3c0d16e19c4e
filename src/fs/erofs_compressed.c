// Compressed files of erofs: the pieces that their index describes, and what is in them.
//
// In front of the index, at the next multiple of 8 behind the inode:
//   0 le16 reserved (le32 or le64 offset in the packed inode)   2 le16 bytes of the last piece that stand
//   behind the records   4 le16 advice   6 u8 algorithms   7 u8 log2 of blocks in a cluster
// Source: fs/erofs/zmap.c and fs/erofs/erofs_fs.h of the kernel.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "fs/erofs_clusters.h"

#ifdef HAVE_LZ4
#include <lz4.h>
#endif

#define HEADER_SIZE   8
#define ONLY_FRAGMENT (UINT64_C(1) << 63)
#define PIECE_MOST    ((size_t)32 << 20)
#define PACKED_MOST   ((size_t)1 << 20)

/* What is unpacked at once. */
struct piece {
	uint64_t logical; /* offset in the file */
	uint64_t length;  /* unpacked */
	uint64_t physical;
	uint64_t packed; /* bytes at `physical` */
	enum cluster_type type;
	bool is_fragment;
};

/* The cluster in which the piece that holds `offset` begins. */
static bool find_head(const struct erofs_clusters *file, uint64_t offset, uint64_t *number,
                      struct erofs_cluster *out, struct error *error)
{
	uint64_t at = offset >> file->bits;
	uint32_t inside = (uint32_t)(offset & ((UINT64_C(1) << file->bits) - 1));
	if (!erofs_load_cluster(file, at, out, error))
		return false;
	uint64_t back = out->type == CLUSTER_REST ? out->distance : inside < out->offset ? 1 : 0;
	while (back > 0) {
		if (back > at)
			return erofs_cluster_damaged(file, at, error);
		at -= back;
		if (!erofs_load_cluster(file, at, out, error))
			return false;
		back = out->type == CLUSTER_REST ? out->distance : 0;
		if (out->type == CLUSTER_REST && back == 0)
			return erofs_cluster_damaged(file, at, error);
	}
	*number = at;
	return out->type != CLUSTER_REST || erofs_cluster_damaged(file, at, error);
}

/* Where the piece that begins in cluster `number` ends in the file: at the next head, or with it. */
static bool find_end(const struct erofs_clusters *file, uint64_t number, uint64_t *end, struct error *error)
{
	struct erofs_cluster next;
	while (++number < file->count) {
		if (!erofs_load_cluster(file, number, &next, error))
			return false;
		if (next.type == CLUSTER_REST)
			continue;
		*end = (number << file->bits) + next.offset;
		return *end <= file->inode->size || erofs_cluster_damaged(file, number, error);
	}
	*end = file->inode->size;
	return true;
}

/* How many bytes it is compressed: one cluster, unless the "rest" behind the head says a number of blocks. */
static bool find_packed_size(const struct erofs_clusters *file, uint64_t number,
                             const struct erofs_cluster *head, uint64_t *out, struct error *error)
{
	bool big = head->type == CLUSTER_HEAD1   ? file->advice & ADVICE_BIG_HEAD1
	           : head->type == CLUSTER_HEAD2 ? file->advice & ADVICE_BIG_HEAD2
	                                         : false;
	struct erofs_cluster next;
	*out = UINT64_C(1) << file->bits;
	if (!big || number + 1 >= file->count)
		return true;
	if (!erofs_load_cluster(file, number + 1, &next, error))
		return false;
	if (next.type != CLUSTER_REST)
		return true;
	*out = (uint64_t)next.blocks << file->erofs->block_bits;
	return next.blocks > 0 || erofs_cluster_damaged(file, number + 1, error);
}

static bool find_piece(const struct erofs_clusters *file, uint64_t offset, struct piece *out,
                       struct error *error)
{
	struct erofs_cluster head;
	uint64_t number, end;
	if (!find_head(file, offset, &number, &head, error) || !find_end(file, number, &end, error))
		return false;
	*out = (struct piece){ .type = head.type, .logical = (number << file->bits) + head.offset };
	if (out->logical > offset || end <= offset)
		return erofs_cluster_damaged(file, number, error);
	out->length = end - out->logical;
	if (number == file->tail_start && file->advice & ADVICE_FRAGMENT) {
		out->is_fragment = true;
	} else if (number == file->tail_start) {
		out->physical = file->inline_at;
		out->packed = file->inline_size;
	} else {
		out->physical = (uint64_t)head.block << file->erofs->block_bits;
		return find_packed_size(file, number, &head, &out->packed, error);
	}
	return true;
}

/* Files of older file systems have no header: one block a cluster, LZ4. */
static bool has_header(const struct erofs_clusters *file)
{
	const uint32_t newer = EROFS_BIG_PCLUSTER | EROFS_TAIL_PACKING | EROFS_FRAGMENTS;
	return file->inode->layout != EROFS_COMPRESSED_FULL || file->erofs->features & newer;
}

/* The last piece of some files does not lie where the others do. */
static bool find_tail(struct erofs_clusters *file, struct error *error)
{
	struct erofs_cluster last, head;
	uint64_t number;
	if (!(file->advice & (ADVICE_INLINE | ADVICE_FRAGMENT)) || file->inode->size == 0)
		return true;
	if (!erofs_load_cluster(file, (file->inode->size - 1) >> file->bits, &last, error) ||
	    !find_head(file, file->inode->size - 1, &number, &head, error))
		return false;
	file->tail_start = number;
	file->inline_at = last.behind;
	if (file->inode->layout == EROFS_COMPRESSED_FULL)
		file->fragment |= (uint64_t)head.block << 32;
	return true;
}

/* Reads the header; *only_fragment: all of the file lies in the packed inode. */
static bool open_clusters(struct erofs *erofs, const struct erofs_inode *inode, struct erofs_clusters *out,
                          bool *only_fragment, struct error *error)
{
	uint8_t buffer[HEADER_SIZE];
	struct span bytes = span_of(buffer, sizeof(buffer));
	uint64_t whole, at = (inode->behind + 7) & ~UINT64_C(7);
	uint32_t fragment;
	uint16_t advice;
	*out = (struct erofs_clusters){
		.erofs = erofs,
		.inode = inode,
		.bits = erofs->block_bits,
		.records = at + HEADER_SIZE,
		.tail_start = UINT64_MAX,
	};
	*only_fragment = false;
	if (has_header(out)) {
		if (!block_cache_read(&erofs->cache, at, buffer, sizeof(buffer), error))
			return false;
		if (!get_le64(bytes, 0, &whole) || !get_le32(bytes, 0, &fragment) ||
		    !get_le16(bytes, 4, &advice))
			return erofs_cluster_damaged(out, 0, error);
		*only_fragment = whole & ONLY_FRAGMENT;
		out->fragment = *only_fragment ? whole & ~ONLY_FRAGMENT : fragment;
		out->inline_size = (uint16_t)(fragment >> 16);
		out->advice = advice;
		out->algorithms[0] = buffer[6] & 15;
		out->algorithms[1] = buffer[6] >> 4;
		out->bits += buffer[7] & 7;
	}
	out->count = (inode->size >> out->bits) + ((inode->size & ((UINT64_C(1) << out->bits) - 1)) != 0);
	return *only_fragment || find_tail(out, error);
}

static bool read_packed_inode(const struct erofs_clusters *file, uint64_t offset, void *buffer, size_t length,
                              struct error *error)
{
	struct erofs_inode packed;
	uint64_t end;
	if (!(file->erofs->features & EROFS_FRAGMENTS) || file->inode->nid == file->erofs->packed)
		return error_set(error, ERROR_CORRUPT, "a fragment of a file system that has none");
	if (!erofs_load_inode(file->erofs, file->erofs->packed, &packed, error))
		return false;
	if (!add_u64(offset, length, &end) || end > packed.size)
		return error_set(error, ERROR_CORRUPT, "a fragment behind the end of the packed inode");
	/* That one is no fragment itself: the test above ends this. */
	return erofs_read_file(file->erofs, &packed, offset, buffer, length, error);
}

#ifdef HAVE_LZ4

/* Unpacks the first `length` bytes of a piece. */
static bool unpack_lz4(const struct erofs_clusters *file, struct span packed, uint8_t *to, size_t length,
                       struct error *error)
{
	if (file->erofs->features & EROFS_ZERO_PADDING) {
		size_t zeros = 0;
		while (zeros < packed.size && packed.data[zeros] == 0)
			zeros++;
		packed = span_from(packed, zeros);
	}
	int got = LZ4_decompress_safe_partial((const char *)packed.data, (char *)to, (int)packed.size,
	                                      (int)length, (int)length);
	return got == (int)length || error_set(error, ERROR_CORRUPT, "LZ4 data is damaged");
}

#else

static bool unpack_lz4(const struct erofs_clusters *file, struct span packed, uint8_t *to, size_t length,
                       struct error *error)
{
	(void)file, (void)packed, (void)to, (void)length;
	return error_set(error, ERROR_UNSUPPORTED, "this build of slipway has no liblz4");
}

#endif

/* What is not compressed: at the start of its block, or at its own offset in the block and on from its start.
 */
static bool unpack_plain(const struct erofs_clusters *file, const struct piece *piece, struct span packed,
                         uint8_t *to, size_t length, struct error *error)
{
	size_t start = 0;
	if (length > packed.size)
		return error_set(error, ERROR_CORRUPT,
		                 "a piece that is not compressed is longer than its blocks");
	if (file->advice & ADVICE_INTERLACED)
		start = (size_t)(piece->logical & ((UINT64_C(1) << file->erofs->block_bits) - 1));
	if (start >= packed.size)
		start = 0;
	size_t first = packed.size - start < length ? packed.size - start : length;
	memcpy(to, packed.data + start, first);
	memcpy(to + first, packed.data, length - first);
	return true;
}

static bool unpack(const struct erofs_clusters *file, const struct piece *piece, struct span packed,
                   uint8_t *to, size_t length, struct error *error)
{
	static const char *const names[] = { "LZ4", "LZMA", "DEFLATE", "zstd" };
	if (piece->type == CLUSTER_PLAIN)
		return unpack_plain(file, piece, packed, to, length, error);
	unsigned algorithm = file->algorithms[piece->type == CLUSTER_HEAD2];
	if (algorithm != 0)
		return error_set(error, ERROR_UNSUPPORTED, "compressed with %s, which is not supported",
		                 algorithm < 4 ? names[algorithm] : "an unknown algorithm");
	return unpack_lz4(file, packed, to, length, error);
}

/* Unpacks a piece into the cache of the file system. */
static bool load_piece(const struct erofs_clusters *file, const struct piece *piece, struct error *error)
{
	struct erofs_piece *cached = &file->erofs->piece;
	uint64_t nid = file->inode->nid;
	if (cached->bytes && cached->nid == nid && cached->logical == piece->logical &&
	    cached->length == piece->length)
		return true;
	free(cached->bytes);
	*cached = (struct erofs_piece){ 0 };
	if (piece->length > PIECE_MOST || piece->packed > PACKED_MOST)
		return error_set(error, ERROR_LIMIT, "a compressed piece of %" PRIu64 " bytes",
		                 piece->length);
	if (!budget_inflate(file->erofs->fs->budget, piece->length, "erofs files", error))
		return false;
	uint8_t *packed = xmalloc(piece->packed + 1), *bytes = xmalloc(piece->length + 1);
	bool sound = block_cache_read(&file->erofs->cache, piece->physical, packed, (size_t)piece->packed,
	                              error) &&
	             unpack(file, piece, span_of(packed, (size_t)piece->packed), bytes, (size_t)piece->length,
	                    error);
	free(packed);
	if (!sound) {
		free(bytes);
		return false;
	}
	*cached = (struct erofs_piece){ bytes, nid, piece->logical, (size_t)piece->length };
	return true;
}

bool erofs_read_compressed(struct erofs *erofs, const struct erofs_inode *inode, uint64_t offset,
                           void *buffer, size_t length, struct error *error)
{
	struct erofs_clusters file;
	bool only_fragment;
	uint8_t *to = buffer;
	if (!open_clusters(erofs, inode, &file, &only_fragment, error))
		return false;
	if (only_fragment)
		return add_u64(offset, file.fragment, &offset) &&
		       read_packed_inode(&file, offset, buffer, length, error);
	while (length > 0) {
		struct piece piece;
		if (!find_piece(&file, offset, &piece, error))
			return false;
		uint64_t inside = offset - piece.logical, left = piece.length - inside;
		size_t part = left < length ? (size_t)left : length;
		if (piece.is_fragment) {
			if (!read_packed_inode(&file, file.fragment + inside, to, part, error))
				return false;
		} else {
			if (!load_piece(&file, &piece, error))
				return false;
			memcpy(to, erofs->piece.bytes + inside, part);
		}
		to += part;
		offset += part;
		length -= part;
	}
	return true;
}
