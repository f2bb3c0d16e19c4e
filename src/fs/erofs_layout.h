// Private to the erofs driver: its superblock and inodes, decoded, and the ways in which files keep their
// bytes. Source: Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h of the kernel.
#pragma once

#include "fs/block_cache.h"
#include "fs/fs.h"

#define EROFS_SUPER_OFFSET 1024
#define EROFS_SUPER_SIZE   128

/* Features without which a file system cannot be read; each number is all that it ever meant. */
enum {
	EROFS_ZERO_PADDING = 0x01, /* LZ4 data stands at the end of its blocks */
	EROFS_BIG_PCLUSTER = 0x02, /* compressed pieces of more than one block */
	EROFS_CHUNKED_FILE = 0x04,
	EROFS_DEVICE_TABLE = 0x08, /* or: a second algorithm, which needs no more than being looked at */
	EROFS_TAIL_PACKING = 0x10, /* the last compressed piece stands behind the inode */
	EROFS_FRAGMENTS = 0x20,    /* tails of files stand together in the packed inode */
	EROFS_XATTR_PREFIXES = 0x40,
	EROFS_FEATURES_KNOWN = 0x7f,
};

enum erofs_layout {
	EROFS_FLAT_PLAIN = 0,
	EROFS_COMPRESSED_FULL = 1,
	EROFS_FLAT_INLINE = 2,
	EROFS_COMPRESSED_COMPACT = 3,
	EROFS_CHUNK_BASED = 4,
};

struct erofs_inode {
	uint64_t nid; /* its number: where it lies, in units of 32 bytes */
	enum erofs_layout layout;
	enum node_type type;
	uint32_t mode, uid, gid;
	uint64_t size;
	int64_t modified;
	uint32_t start;  /* what `i_u` holds: the first block, or the format of the chunks */
	uint64_t behind; /* offset in the file system of what follows the inode and its attributes */
};

/* The piece that was unpacked last. */
struct erofs_piece {
	uint8_t *bytes; /* owned; NULL: none */
	uint64_t nid, logical;
	size_t length;
};

struct erofs {
	const struct filesystem *fs; /* borrowed */
	struct block_cache cache;
	unsigned block_bits;
	uint64_t metadata; /* offset of inode 0 */
	uint32_t features;
	uint64_t root, packed; /* inode numbers */
	int64_t built;         /* the time of inodes that keep none */
	struct erofs_piece piece;
};

NODISCARD bool erofs_load_inode(struct erofs *erofs, uint64_t nid, struct erofs_inode *out,
                                struct error *error);

/* Bytes of a file or directory; the range lies inside inode->size. */
NODISCARD bool erofs_read_file(struct erofs *erofs, const struct erofs_inode *inode, uint64_t offset,
                               void *buffer, size_t length, struct error *error);

/* erofs_compressed.c: the same for the two compressed layouts. */
NODISCARD bool erofs_read_compressed(struct erofs *erofs, const struct erofs_inode *inode, uint64_t offset,
                                     void *buffer, size_t length, struct error *error);
