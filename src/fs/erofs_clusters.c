#include "fs/erofs_clusters.h"

#include <inttypes.h>

#define FULL_GAP      8 /* between the header and full records */
#define FULL_SIZE     8
#define TYPE_MASK     3u
#define DISTANCE_BITS 12u
#define BLOCK_COUNT_FLAG                                                                                     \
	(1u << 11) /* the first "rest" keeps the number of compressed blocks in place of a distance */

bool erofs_cluster_damaged(const struct erofs_clusters *file, uint64_t number, struct error *error)
{
	return error_set(error, ERROR_CORRUPT,
	                 "the compression index of erofs inode %" PRIu64 " is damaged at cluster %" PRIu64,
	                 file->inode->nid, number);
}

static bool load_full(const struct erofs_clusters *file, uint64_t number, struct erofs_cluster *out,
                      struct error *error)
{
	uint8_t buffer[FULL_SIZE];
	struct span bytes = span_of(buffer, sizeof(buffer));
	uint16_t type, offset, distance;
	uint64_t at = file->records + FULL_GAP + number * FULL_SIZE;
	if (!block_cache_read(&file->erofs->cache, at, buffer, sizeof(buffer), error))
		return false;
	*out = (struct erofs_cluster){ .behind = at + FULL_SIZE };
	if (!get_le16(bytes, 0, &type) || !get_le16(bytes, 2, &offset) || !get_le16(bytes, 4, &distance) ||
	    !get_le32(bytes, 4, &out->block))
		return erofs_cluster_damaged(file, number, error);
	out->type = (enum cluster_type)(type & TYPE_MASK);
	out->offset = offset;
	if (out->type != CLUSTER_REST)
		return true;
	bool counts = distance & BLOCK_COUNT_FLAG;
	out->blocks = counts ? distance & ~BLOCK_COUNT_FLAG : 0;
	out->distance = counts ? 1 : distance;
	return true;
}

/* A pack of compact records, as it lies there. */
struct pack {
	uint8_t bytes[32];
	unsigned records; /* 2 or 16 */
	unsigned size;    /* bytes */
	unsigned value_bits;
	bool big; /* are compressed block counts kept? */
};

static void decode_record(const struct pack *pack, unsigned index, enum cluster_type *type, uint32_t *value)
{
	unsigned record_bits = (pack->size - 4) * 8 / pack->records;
	unsigned at = index * record_bits;
	uint32_t word = 0;
	/* A record ends before the block number, so that four bytes from its first one are always there. */
	if (get_le32(span_of(pack->bytes, pack->size), at / 8, &word))
		word >>= at % 8;
	*value = word & ((1u << pack->value_bits) - 1);
	*type = (enum cluster_type)(word >> pack->value_bits & TYPE_MASK);
}

/* A "rest": how far its head is. */
static bool decode_rest(const struct pack *pack, unsigned index, uint32_t value, struct erofs_cluster *out)
{
	enum cluster_type type;
	if (value & BLOCK_COUNT_FLAG) {
		out->blocks = value & ~BLOCK_COUNT_FLAG;
		out->distance = 1;
		return pack->big;
	}
	if (index + 1 != pack->records) {
		out->distance = value;
		return true;
	}
	/* The last one of a pack looks ahead: it is one farther than its neighbour. */
	decode_record(pack, index - 1, &type, &value);
	if (type != CLUSTER_REST)
		value = 0;
	else if (value & BLOCK_COUNT_FLAG)
		value = 1;
	out->distance = value + 1;
	return true;
}

/* How many compressed blocks lie between the pack's first one and those of this head; false: not sound. */
static bool count_blocks(const struct pack *pack, unsigned index, uint32_t *out)
{
	enum cluster_type type;
	uint32_t value, blocks = pack->big ? 0 : 1;
	int64_t at = index;
	while (at > 0) {
		decode_record(pack, (unsigned)--at, &type, &value);
		if (type != CLUSTER_REST) {
			blocks++;
		} else if (!pack->big) {
			at -= value;
			blocks += at >= 0;
		} else if (value & BLOCK_COUNT_FLAG) {
			at--;
			blocks += value & ~BLOCK_COUNT_FLAG;
		} else if (value <= 1) {
			return false;
		} else {
			at -= (int64_t)value - 2;
		}
	}
	*out = blocks;
	return true;
}

/* Where the record stands, and how many bytes it takes: some of 4 up to a multiple of 32, then of 2, then
 * of 4. */
static uint64_t locate_compact(const struct erofs_clusters *file, uint64_t number, unsigned *width)
{
	uint64_t before = (32 - file->records % 32) % 32 / 4, narrow = 0, at = file->records;
	if (file->advice & ADVICE_COMPACT_2_BYTES && before < file->count)
		narrow = (file->count - before) & ~UINT64_C(15);
	*width = 4;
	if (number < before)
		return at + number * 4;
	at += before * 4;
	number -= before;
	if (number < narrow) {
		*width = 2;
		return at + number * 2;
	}
	return at + narrow * 2 + (number - narrow) * 4;
}

static bool load_compact(const struct erofs_clusters *file, uint64_t number, struct erofs_cluster *out,
                         struct error *error)
{
	unsigned width;
	uint32_t value, base, blocks;
	uint64_t at = locate_compact(file, number, &width);
	struct pack pack = {
		.records = width == 4 ? 2 : 16,
		.value_bits = file->bits > DISTANCE_BITS ? file->bits : DISTANCE_BITS,
		.big = file->advice & ADVICE_BIG_HEAD1,
	};
	pack.size = pack.records * width;
	/* The formats have room for clusters of 16 KiB and of 4 KiB. */
	if (file->bits > (width == 4 ? 14 : 12))
		return error_set(error, ERROR_UNSUPPORTED, "compressed clusters of 2^%u bytes", file->bits);
	unsigned index = (unsigned)(at % pack.size) / width;
	at -= at % pack.size;
	if (!block_cache_read(&file->erofs->cache, at, pack.bytes, pack.size, error))
		return false;
	*out = (struct erofs_cluster){ .behind = at + pack.size };
	decode_record(&pack, index, &out->type, &value);
	if (out->type == CLUSTER_REST) {
		out->offset = 1u << file->bits;
		return decode_rest(&pack, index, value, out) || erofs_cluster_damaged(file, number, error);
	}
	out->offset = value;
	if (!count_blocks(&pack, index, &blocks) ||
	    !get_le32(span_of(pack.bytes, pack.size), pack.size - 4, &base))
		return erofs_cluster_damaged(file, number, error);
	out->block = base + blocks;
	return true;
}

bool erofs_load_cluster(const struct erofs_clusters *file, uint64_t number, struct erofs_cluster *out,
                        struct error *error)
{
	if (!budget_step(file->erofs->fs->budget, 1, "erofs clusters", error))
		return false;
	if (number >= file->count)
		return erofs_cluster_damaged(file, number, error);
	return file->inode->layout == EROFS_COMPRESSED_FULL ? load_full(file, number, out, error)
	                                                    : load_compact(file, number, out, error);
}
