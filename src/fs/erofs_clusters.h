// Private to the erofs driver: the index of a compressed file, record by record.
//
// A file is divided into logical clusters of (mostly) one block. What is compressed together is a piece: it
// begins in a cluster of type "head" or "plain" (at some offset in it, the piece before ends there) and goes
// on over clusters of type "rest" to the next head. Each cluster has a record:
//   full:     8 bytes: 0 le16 type in bits 0-1   2 le16 offset in the cluster   4 le32 block of the
//   compressed
//             bytes, or for "rest" le16 distance to the head before
//   compact:  packs of 2 records in 8 bytes or of 16 records in 32 bytes, each pack ending in a le32 block; a
//             record is the offset (or the distance) in its low bits and the type in the two above. The last
//             record of a pack holds the distance to the next head instead.
// Source: fs/erofs/zmap.c and fs/erofs/erofs_fs.h of the kernel.
#pragma once

#include "fs/erofs_layout.h"

enum advice {
	ADVICE_COMPACT_2_BYTES = 0x01,
	ADVICE_BIG_HEAD1 = 0x02,
	ADVICE_BIG_HEAD2 = 0x04,
	ADVICE_INLINE = 0x08,     /* the last piece stands behind the records */
	ADVICE_INTERLACED = 0x10, /* plain pieces begin at their offset in the block and wrap around */
	ADVICE_FRAGMENT = 0x20,   /* the last piece is a part of the packed inode */
};

enum cluster_type { CLUSTER_PLAIN, CLUSTER_HEAD1, CLUSTER_REST, CLUSTER_HEAD2 };

/* A compressed file, by its header. */
struct erofs_clusters {
	struct erofs *erofs;
	const struct erofs_inode *inode;
	unsigned bits; /* log2 of a cluster */
	unsigned advice;
	unsigned algorithms[2]; /* of heads 1 and 2; 0: LZ4 */
	uint64_t records;       /* offset of the first one */
	uint64_t count;
	uint16_t inline_size;
	uint64_t inline_at;
	uint64_t fragment;   /* offset in the packed inode */
	uint64_t tail_start; /* cluster where the last piece begins, where that one is special; else
	                        UINT64_MAX */
};

/* One record. */
struct erofs_cluster {
	enum cluster_type type;
	uint32_t offset;   /* in the cluster */
	uint32_t distance; /* of a "rest": to its head, in clusters, or to another "rest" nearer to it */
	uint32_t blocks;   /* compressed blocks, where the record keeps their number; else 0 */
	uint32_t block;    /* of a head */
	uint64_t behind;   /* offset behind the record, or its pack */
};

/* ERROR_CORRUPT: the index does not hold together at this cluster. */
bool erofs_cluster_damaged(const struct erofs_clusters *file, uint64_t number, struct error *error);

/* One record of the index; costs a step. */
NODISCARD bool erofs_load_cluster(const struct erofs_clusters *file, uint64_t number,
                                  struct erofs_cluster *out, struct error *error);
