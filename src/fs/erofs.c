// erofs: the superblock, inodes, directories, and files that are not compressed.
//
// Superblock, little-endian, at 1024:
//   0 le32 0xe0f5e1e2   8 le32 compatible features   12 u8 log2 of the block size   14 le16 root inode
//   24 le64 time of making   36 le32 blocks   40 le32 first block of the inodes   48 UUID   64 label of 16
//   bytes 80 le32 incompatible features   86 le16 extra devices   96 le64 packed inode
// Inode, at metadata + 32 * number; 32 bytes, or 64 when bit 0 of its first word is set:
//   0 le16 format (bits 1-3: layout)   2 le16 size of attributes   4 le16 mode   8 le32 (le64) size
//   16 le32 first block   24 le16 (le32) uid   26 (28) gid   in the larger one 32 le64 time
// Directory block: entries of 12 bytes in the order of their names, and then the names:
//   0 le64 inode   8 le16 offset of the name in the block   10 u8 type
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/text.h"
#include "fs/erofs_layout.h"
#include "fs/identify.h"

#define INODE_UNIT       32
#define LARGE_INODE      64
#define ATTRIBUTES_FIRST 12 /* bytes of the header of attributes */
#define DIRENT_SIZE      12
#define BLOCK_BITS_LEAST 9
#define BLOCK_BITS_MOST  16
#define NAME_MOST        255

/* Chunks: the low bits of their format say how large they are, one more which index they have. */
#define CHUNK_BITS_MASK 0x1f
#define CHUNK_INDEXES   0x20
#define CHUNK_FORMATS   0x3f
#define CHUNK_HOLE      UINT32_MAX

static struct erofs *erofs_of(const struct filesystem *fs)
{
	return fs->state;
}

static bool is_erofs(struct span super, unsigned *block_bits)
{
	uint8_t bits = 0;
	bool found = span_has(super, 0, "\xe2\xe1\xf5\xe0", 4) && get_u8(super, 12, &bits);
	*block_bits = bits;
	return found;
}

static bool erofs_identify(struct filesystem *fs)
{
	uint8_t buffer[EROFS_SUPER_SIZE];
	struct span super = span_of(buffer, sizeof(buffer));
	unsigned block_bits;
	uint32_t blocks;
	if (!fs_peek(fs, EROFS_SUPER_OFFSET, buffer, sizeof(buffer)) || !is_erofs(super, &block_bits) ||
	    !get_le32(super, 36, &blocks))
		return false;
	fs->type = "erofs";
	fs->uuid = fs_uuid(fs->arena, super, 48);
	fs->label = fs_label(fs->arena, super, 64, 16);
	if (block_bits <= BLOCK_BITS_MOST && (uint64_t)blocks << block_bits > fs->reader.size)
		fs_problem(fs, "erofs-beyond-partition", EROFS_SUPER_OFFSET + 36,
		           "this erofs is %" PRIu64 " bytes long, more than the %" PRIu64
		           " bytes that it lies in",
		           (uint64_t)blocks << block_bits, fs->reader.size);
	return true;
}

/* The numbers of the superblock; false when we cannot read what they describe. */
static bool decode_super(struct erofs *erofs, struct span super, struct error *error)
{
	uint16_t root, devices;
	uint32_t metadata, features;
	uint64_t built, packed;
	if (!is_erofs(super, &erofs->block_bits) || !get_le16(super, 14, &root) ||
	    !get_le64(super, 24, &built) || !get_le32(super, 40, &metadata) ||
	    !get_le32(super, 80, &features) || !get_le16(super, 86, &devices) ||
	    !get_le64(super, 96, &packed))
		return error_set(error, ERROR_CORRUPT, "erofs: the superblock is not sound");
	if (erofs->block_bits < BLOCK_BITS_LEAST || erofs->block_bits > BLOCK_BITS_MOST)
		return error_set(error, ERROR_CORRUPT, "erofs: blocks of 2^%u bytes", erofs->block_bits);
	if (features & ~(uint32_t)EROFS_FEATURES_KNOWN)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "erofs: incompatible features 0x%x are not supported",
		                 features & ~(uint32_t)EROFS_FEATURES_KNOWN);
	if (devices > 0)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "erofs: part of its content lies on %u other devices", devices);
	erofs->root = root;
	erofs->built = (int64_t)built;
	erofs->metadata = (uint64_t)metadata << erofs->block_bits;
	erofs->features = features;
	erofs->packed = packed;
	return true;
}

static void erofs_close(struct filesystem *fs)
{
	struct erofs *erofs = erofs_of(fs);
	block_cache_free(&erofs->cache);
	free(erofs->piece.bytes);
	free(erofs);
}

static bool erofs_open(struct filesystem *fs, struct error *error)
{
	uint8_t buffer[EROFS_SUPER_SIZE];
	if (!reader_read(&fs->reader, EROFS_SUPER_OFFSET, buffer, sizeof(buffer), error))
		return error_wrap(error, "erofs");
	struct erofs *erofs = xmalloc(sizeof(*erofs));
	*erofs = (struct erofs){ .fs = fs };
	if (!decode_super(erofs, span_of(buffer, sizeof(buffer)), error)) {
		free(erofs);
		return false;
	}
	block_cache_init(&erofs->cache, &fs->reader);
	fs->state = erofs;
	return true;
}

static enum node_type type_of(uint32_t mode)
{
	return S_ISREG(mode)   ? NODE_FILE
	       : S_ISDIR(mode) ? NODE_DIRECTORY
	       : S_ISLNK(mode) ? NODE_SYMLINK
	                       : NODE_OTHER;
}

static bool decode_large(struct span bytes, struct erofs_inode *out)
{
	uint64_t modified;
	bool whole = get_le64(bytes, 8, &out->size) && get_le32(bytes, 24, &out->uid) &&
	             get_le32(bytes, 28, &out->gid) && get_le64(bytes, 32, &modified);
	if (whole)
		out->modified = (int64_t)modified;
	return whole;
}

static bool decode_small(struct span bytes, int64_t built, struct erofs_inode *out)
{
	uint32_t size;
	uint16_t uid, gid;
	if (!get_le32(bytes, 8, &size) || !get_le16(bytes, 24, &uid) || !get_le16(bytes, 26, &gid))
		return false;
	out->size = size;
	out->uid = uid;
	out->gid = gid;
	out->modified = built;
	return true;
}

/* How many bytes the attributes behind an inode take, by the number that it keeps of them. */
static uint64_t attributes_size(uint16_t count)
{
	return count ? ATTRIBUTES_FIRST + 4 * (uint64_t)(count - 1) : 0;
}

bool erofs_load_inode(struct erofs *erofs, uint64_t nid, struct erofs_inode *out, struct error *error)
{
	uint8_t buffer[LARGE_INODE];
	uint16_t format, attributes, mode;
	uint64_t at;
	if (!budget_step(erofs->fs->budget, 1, "erofs inodes", error))
		return false;
	if (!mul_u64(nid, INODE_UNIT, &at) || !add_u64(at, erofs->metadata, &at))
		return error_set(error, ERROR_CORRUPT, "erofs: inode %" PRIu64 " lies nowhere", nid);
	if (!block_cache_read(&erofs->cache, at, buffer, INODE_UNIT, error))
		return error_wrap(error, "erofs: inode %" PRIu64, nid);
	struct span bytes = span_of(buffer, INODE_UNIT);
	bool large = buffer[0] & 1;
	if (large) {
		if (!block_cache_read(&erofs->cache, at, buffer, LARGE_INODE, error))
			return error_wrap(error, "erofs: inode %" PRIu64, nid);
		bytes = span_of(buffer, LARGE_INODE);
	}
	*out = (struct erofs_inode){ .nid = nid };
	if (!get_le16(bytes, 0, &format) || !get_le16(bytes, 2, &attributes) || !get_le16(bytes, 4, &mode) ||
	    !get_le32(bytes, 16, &out->start) ||
	    !(large ? decode_large(bytes, out) : decode_small(bytes, erofs->built, out)))
		return error_set(error, ERROR_CORRUPT, "erofs: inode %" PRIu64 " is cut off", nid);
	if (format >> 1 > EROFS_CHUNK_BASED)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "erofs: inode %" PRIu64 " has the unknown format 0x%x", nid, format);
	out->layout = (enum erofs_layout)(format >> 1);
	out->type = type_of(mode);
	out->mode = mode & 07777;
	out->behind = at + bytes.size + attributes_size(attributes);
	return true;
}

/* Plain blocks, but for a tail that stands behind the inode. */
static bool read_flat(struct erofs *erofs, const struct erofs_inode *inode, uint64_t offset, uint8_t *buffer,
                      size_t length, struct error *error)
{
	uint64_t block_size = UINT64_C(1) << erofs->block_bits;
	uint64_t start = (uint64_t)inode->start << erofs->block_bits;
	uint64_t tail = inode->size; /* where the part in the inode begins */
	if (inode->layout == EROFS_FLAT_INLINE && inode->size > 0)
		tail = (inode->size - 1) & ~(block_size - 1);
	if (offset < tail) {
		size_t part = tail - offset < length ? (size_t)(tail - offset) : length;
		uint64_t at;
		if (!add_u64(start, offset, &at))
			return error_set(error, ERROR_CORRUPT, "erofs: a file lies nowhere");
		if (!block_cache_read(&erofs->cache, at, buffer, part, error))
			return false;
		buffer += part;
		offset += part;
		length -= part;
	}
	return length == 0 ||
	       block_cache_read(&erofs->cache, inode->behind + (offset - tail), buffer, length, error);
}

/* The first block of one chunk, or CHUNK_HOLE. */
static bool find_chunk(struct erofs *erofs, const struct erofs_inode *inode, uint64_t number, uint32_t *block,
                       struct error *error)
{
	uint8_t buffer[8];
	uint16_t device = 0, high = 0;
	bool indexes = inode->start & CHUNK_INDEXES;
	uint64_t unit = indexes ? 8 : 4;
	uint64_t at = (inode->behind + unit - 1) / unit * unit;
	if (!block_cache_read(&erofs->cache, at + number * unit, buffer, (size_t)unit, error))
		return false;
	struct span bytes = span_of(buffer, (size_t)unit);
	if (!get_le32(bytes, indexes ? 4 : 0, block) ||
	    (indexes && (!get_le16(bytes, 0, &high) || !get_le16(bytes, 2, &device))))
		return error_set(error, ERROR_CORRUPT, "erofs: a chunk index is cut off");
	if (*block == CHUNK_HOLE)
		return true;
	return (device == 0 && high == 0) ||
	       error_set(error, ERROR_UNSUPPORTED, "erofs: a chunk lies on another device");
}

static bool read_chunks(struct erofs *erofs, const struct erofs_inode *inode, uint64_t offset,
                        uint8_t *buffer, size_t length, struct error *error)
{
	unsigned bits = erofs->block_bits + (inode->start & CHUNK_BITS_MASK);
	if ((inode->start & 0xffff & ~(uint32_t)CHUNK_FORMATS) || bits > 40)
		return error_set(error, ERROR_UNSUPPORTED, "erofs: the unknown chunk format 0x%x",
		                 inode->start);
	while (length > 0) {
		uint64_t within = offset & ((UINT64_C(1) << bits) - 1);
		uint64_t left = (UINT64_C(1) << bits) - within;
		size_t part = left < length ? (size_t)left : length;
		uint32_t block;
		if (!budget_step(erofs->fs->budget, 1, "erofs chunks", error) ||
		    !find_chunk(erofs, inode, offset >> bits, &block, error))
			return false;
		if (block == CHUNK_HOLE)
			memset(buffer, 0, part);
		else if (!block_cache_read(&erofs->cache, ((uint64_t)block << erofs->block_bits) + within,
		                           buffer, part, error))
			return false;
		buffer += part;
		offset += part;
		length -= part;
	}
	return true;
}

bool erofs_read_file(struct erofs *erofs, const struct erofs_inode *inode, uint64_t offset, void *buffer,
                     size_t length, struct error *error)
{
	switch (inode->layout) {
	case EROFS_FLAT_PLAIN:
	case EROFS_FLAT_INLINE:
		return read_flat(erofs, inode, offset, buffer, length, error);
	case EROFS_CHUNK_BASED:
		return read_chunks(erofs, inode, offset, buffer, length, error);
	case EROFS_COMPRESSED_FULL:
	case EROFS_COMPRESSED_COMPACT:
		break;
	}
	return erofs_read_compressed(erofs, inode, offset, buffer, length, error);
}

static bool make_node(const struct filesystem *fs, uint64_t nid, struct node *out, struct error *error)
{
	struct erofs_inode inode;
	if (!erofs_load_inode(erofs_of(fs), nid, &inode, error))
		return false;
	*out = (struct node){
		.fs = fs,
		.inode = nid,
		.type = inode.type,
		.mode = inode.mode,
		.uid = inode.uid,
		.gid = inode.gid,
		.size = inode.type == NODE_OTHER ? 0 : inode.size,
		.modified = inode.modified,
	};
	return true;
}

static bool erofs_root(const struct filesystem *fs, struct node *out, struct error *error)
{
	if (!make_node(fs, erofs_of(fs)->root, out, error))
		return false;
	return out->type == NODE_DIRECTORY ||
	       error_set(error, ERROR_CORRUPT, "erofs: its root is no directory");
}

/* One block of a directory, with room behind it for a NUL. */
struct directory_block {
	uint8_t bytes[(1u << BLOCK_BITS_MOST) + 1];
	size_t size;
	size_t entries;
};

static bool load_block(struct erofs *erofs, const struct erofs_inode *inode, uint64_t number,
                       struct directory_block *out, struct error *error)
{
	uint64_t start = number << erofs->block_bits;
	uint64_t left = inode->size - start;
	uint16_t first;
	out->size = left < UINT64_C(1) << erofs->block_bits ? (size_t)left : (size_t)1 << erofs->block_bits;
	if (!budget_step(erofs->fs->budget, 1, "erofs directories", error) ||
	    !erofs_read_file(erofs, inode, start, out->bytes, out->size, error))
		return false;
	out->bytes[out->size] = '\0';
	if (!get_le16(span_of(out->bytes, out->size), 8, &first) || first < DIRENT_SIZE ||
	    first > out->size || first % DIRENT_SIZE != 0)
		return error_set(error, ERROR_CORRUPT,
		                 "erofs: block %" PRIu64 " of the directory with inode %" PRIu64
		                 " is not sound",
		                 number, inode->nid);
	out->entries = first / DIRENT_SIZE;
	return true;
}

/* A name of the block, NUL-terminated in `name`; false when it is not sound. */
static bool get_entry(const struct directory_block *block, size_t index, char name[NAME_MOST + 1],
                      uint64_t *nid)
{
	struct span bytes = span_of(block->bytes, block->size);
	uint16_t start, end = (uint16_t)block->size;
	size_t at = index * DIRENT_SIZE;
	if (!get_le64(bytes, at, nid) || !get_le16(bytes, at + 8, &start))
		return false;
	size_t limit = block->size;
	if (index + 1 < block->entries) {
		if (!get_le16(bytes, at + DIRENT_SIZE + 8, &end))
			return false;
		limit = end;
	}
	if (start < block->entries * DIRENT_SIZE || start >= limit || limit > block->size)
		return false;
	size_t length = strnlen((const char *)block->bytes + start, limit - start);
	if (length == 0 || length > NAME_MOST || memchr(block->bytes + start, '/', length))
		return false;
	memcpy(name, block->bytes + start, length);
	name[length] = '\0';
	return true;
}

static bool fail_entry(const struct erofs_inode *inode, struct error *error)
{
	return error_set(error, ERROR_CORRUPT,
	                 "erofs: an entry of the directory with inode %" PRIu64 " is not sound", inode->nid);
}

static uint64_t block_count(const struct erofs *erofs, const struct erofs_inode *inode)
{
	uint64_t block_size = UINT64_C(1) << erofs->block_bits;
	return inode->size / block_size + (inode->size % block_size != 0);
}

/* The names of a directory are in order over all its blocks. */
static bool search_block(const struct directory_block *block, const struct erofs_inode *inode,
                         const char *wanted, uint64_t *nid, bool *found, struct error *error)
{
	char name[NAME_MOST + 1];
	size_t low = 0, high = block->entries;
	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		if (!get_entry(block, middle, name, nid))
			return fail_entry(inode, error);
		int order = strcmp(wanted, name);
		*found = order == 0;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return true;
}

static bool search_directory(struct erofs *erofs, const struct erofs_inode *inode, const char *wanted,
                             struct directory_block *block, uint64_t *nid, struct error *error)
{
	char name[NAME_MOST + 1];
	uint64_t low = 0, high = block_count(erofs, inode);
	bool found = false;
	/* The last block whose first name is not behind the wanted one. */
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		if (!load_block(erofs, inode, middle, block, error))
			return false;
		if (!get_entry(block, 0, name, nid))
			return fail_entry(inode, error);
		if (strcmp(wanted, name) < 0)
			high = middle;
		else
			low = middle;
	}
	if (high > low && (!load_block(erofs, inode, low, block, error) ||
	                   !search_block(block, inode, wanted, nid, &found, error)))
		return false;
	return found || error_set(error, ERROR_NOT_FOUND, "no such name");
}

static bool erofs_lookup(const struct node *directory, const char *name, struct node *out,
                         struct error *error)
{
	struct erofs *erofs = erofs_of(directory->fs);
	struct erofs_inode inode;
	uint64_t nid;
	if (!erofs_load_inode(erofs, directory->inode, &inode, error))
		return false;
	struct directory_block *block = xmalloc(sizeof(*block));
	bool found = search_directory(erofs, &inode, name, block, &nid, error);
	free(block);
	return found && make_node(directory->fs, nid, out, error);
}

static bool list_blocks(struct erofs *erofs, const struct erofs_inode *inode, struct directory_block *block,
                        fs_list_fn *each, void *context, struct error *error)
{
	char name[NAME_MOST + 1];
	uint64_t nid, count = block_count(erofs, inode);
	for (uint64_t i = 0; i < count; i++) {
		if (!load_block(erofs, inode, i, block, error))
			return false;
		for (size_t j = 0; j < block->entries; j++) {
			if (!get_entry(block, j, name, &nid))
				return fail_entry(inode, error);
			if (!str_equal(name, ".") && !str_equal(name, "..") && !each(context, name))
				return true;
		}
	}
	return true;
}

static bool erofs_list(const struct node *directory, fs_list_fn *each, void *context, struct error *error)
{
	struct erofs *erofs = erofs_of(directory->fs);
	struct erofs_inode inode;
	if (!erofs_load_inode(erofs, directory->inode, &inode, error))
		return false;
	struct directory_block *block = xmalloc(sizeof(*block));
	bool sound = list_blocks(erofs, &inode, block, each, context, error);
	free(block);
	return sound;
}

static bool erofs_read(const struct node *file, uint64_t offset, void *buffer, size_t length,
                       struct error *error)
{
	struct erofs *erofs = erofs_of(file->fs);
	struct erofs_inode inode;
	if (!erofs_load_inode(erofs, file->inode, &inode, error))
		return false;
	return erofs_read_file(erofs, &inode, offset, buffer, length, error) ||
	       error_wrap(error, "erofs: inode %" PRIu64, file->inode);
}

static bool erofs_read_link(const struct node *link, char *target, size_t capacity, struct error *error)
{
	if (link->size >= capacity)
		return error_set(error, ERROR_CORRUPT, "erofs: a link's target of %" PRIu64 " bytes",
		                 link->size);
	if (!erofs_read(link, 0, target, (size_t)link->size, error))
		return false;
	target[link->size] = '\0';
	return true;
}

const struct fs_driver erofs_driver = {
	.name = "erofs",
	.identify = erofs_identify,
	.open = erofs_open,
	.close = erofs_close,
	.root = erofs_root,
	.lookup = erofs_lookup,
	.list = erofs_list,
	.read_link = erofs_read_link,
	.read = erofs_read,
};
