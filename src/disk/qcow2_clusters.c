// From a place on the disk to one in a qcow2 image, as docs/interop/qcow2.rst of QEMU lays it out. An offset
// on the disk has three parts: the entry of the L1 table, the entry of the L2 table that it leads to, and the
// byte in the cluster that this one leads to. All numbers are big-endian.
//
//   L1 entry     bits 9-55   offset of an L2 table, which is one cluster; 0: its clusters are not allocated
//
//   L2 entry     bit 62      0: a cluster as it is, 1: a compressed one
//     as it is   bit 0       it reads as zeros (from version 3 on, and not in extended entries)
//                bits 9-55   offset of the cluster; 0: it is not allocated, and reads as zeros
//     compressed bits 0-x    offset of its first byte, where x is 61 - (cluster bits - 8)
//                above x     how many sectors of 512 bytes it goes on behind the one that it begins in
//
//   An extended L2 entry has a second u64: bit N, subcluster N is allocated; bit 32 + N, it reads as zeros.
//
// The highest bits of all say what writers have to know (that no snapshot shares the cluster).
#include "disk/qcow2_clusters.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"

#define OFFSET_BITS     UINT64_C(0x00fffffffffffe00)
#define FLAG_ZERO       (UINT64_C(1) << 0)
#define FLAG_COMPRESSED (UINT64_C(1) << 62)
#define SUBCLUSTERS     32
#define SECTOR          512

/* L2 tables are read and kept in slices: one leads to 32 MiB of a disk with clusters of 64 KiB. */
#define SLICE_MOST  ((size_t)4 << 10)
#define SLICE_COUNT 64

/* Compressed clusters are kept unpacked: readers come back to the same places, some bytes at a time. */
#define UNPACKED_BYTES ((size_t)8 << 20)
#define UNPACKED_MOST  64
#define UNPACKED_LEAST 4

struct slice {
	bool is_known;
	bool is_allocated; /* there is a table to read it from */
	uint64_t number;   /* its place on the disk, in slices */
	uint8_t bytes[SLICE_MOST];
};

struct unpacked {
	uint64_t used;  /* the clock when last used; 0: it holds nothing */
	uint64_t begin; /* of the cluster on the disk */
	uint8_t *bytes; /* in the arena; NULL until it is needed */
};

struct qcow2 {
	struct qcow2_layout layout;
	struct disk *disk;
	struct reader file;
	struct budget budget; /* of what is decompressed */
	uint64_t clock;
	uint8_t *packed; /* in the arena: room for a compressed cluster; NULL until it is needed */
	struct slice slices[SLICE_COUNT];
	struct unpacked unpacked[UNPACKED_MOST];
};

/* Bytes of the disk that are found in one way. */
struct extent {
	enum {
		EXTENT_ZEROS,
		EXTENT_BYTES,     /* in the file, at `from` */
		EXTENT_COMPRESSED /* a part of the cluster that `from` describes */
	} kind;
	uint64_t from;
	uint64_t size; /* bytes, not 0 */
};

static uint64_t cluster_size(const struct qcow2 *qcow2)
{
	return UINT64_C(1) << qcow2->layout.cluster_bits;
}

static size_t entry_size(const struct qcow2 *qcow2)
{
	return qcow2->layout.extended_l2 ? 16 : 8;
}

static size_t slice_size(const struct qcow2 *qcow2)
{
	return cluster_size(qcow2) < SLICE_MOST ? (size_t)cluster_size(qcow2) : SLICE_MOST;
}

static uint64_t slice_entries(const struct qcow2 *qcow2)
{
	return slice_size(qcow2) / entry_size(qcow2);
}

/* Reads a part of the L2 table that the disk's clusters from `first` on belong to. */
static bool load_slice(const struct qcow2 *qcow2, uint64_t first, struct slice *slice, struct error *error)
{
	uint64_t table_entries = cluster_size(qcow2) / entry_size(qcow2);
	uint64_t l1_offset = qcow2->layout.l1 + first / table_entries * 8, l1_entry = 0;
	uint8_t bytes[8];
	if (!reader_read(&qcow2->file, l1_offset, bytes, sizeof(bytes), error) ||
	    !get_be64(span_of(bytes, sizeof(bytes)), 0, &l1_entry))
		return false;
	uint64_t table = l1_entry & OFFSET_BITS;
	slice->is_allocated = table != 0;
	if (table == 0)
		return true;
	if (table % cluster_size(qcow2) != 0)
		return header_damaged(qcow2->disk, error,
		                      "the L1 entry at offset %" PRIu64 " leads to offset %" PRIu64
		                      ", where no cluster begins",
		                      l1_offset, table);
	if (!range_inside(table, cluster_size(qcow2), qcow2->file.size))
		return header_damaged(qcow2->disk, error,
		                      "the L2 table at offset %" PRIu64
		                      " ends behind the file's end at %" PRIu64 ": was it copied completely?",
		                      table, qcow2->file.size);
	return reader_read(&qcow2->file, table + first % table_entries * entry_size(qcow2), slice->bytes,
	                   slice_size(qcow2), error);
}

/* The slice that has the entry of a cluster; they replace each other by their numbers. */
static bool find_slice(struct qcow2 *qcow2, uint64_t cluster, const struct slice **out, struct error *error)
{
	uint64_t number = cluster / slice_entries(qcow2);
	struct slice *slice = &qcow2->slices[number % SLICE_COUNT];
	*out = slice;
	if (slice->is_known && slice->number == number)
		return true;
	slice->number = number;
	slice->is_known = load_slice(qcow2, number * slice_entries(qcow2), slice, error);
	return slice->is_known;
}

#define BEHIND_END "leads behind the file's end: was it copied completely?"

/* `offset`: of the cluster on the disk. */
static bool damaged_entry(const struct qcow2 *qcow2, uint64_t offset, const char *what, struct error *error)
{
	return header_damaged(qcow2->disk, error, "the L2 entry for offset %" PRIu64 " of the disk %s",
	                      offset, what);
}

/*
 * Where a cluster lies that is stored as it is. The file may end in the middle of its last cluster, and the
 * rest is zeros then; a cluster behind the end is missing.
 */
static bool check_place(const struct qcow2 *qcow2, uint64_t offset, uint64_t place, struct error *error)
{
	if (place % cluster_size(qcow2) != 0)
		return damaged_entry(qcow2, offset, "leads to where no cluster begins", error);
	return place < qcow2->file.size || damaged_entry(qcow2, offset, BEHIND_END, error);
}

/* The entry of the cluster that `offset` lies in. */
static bool get_entry(const struct qcow2 *qcow2, const struct slice *slice, uint64_t offset,
                      uint64_t *descriptor, uint64_t *bitmap)
{
	uint64_t number = (offset >> qcow2->layout.cluster_bits) % slice_entries(qcow2);
	struct span bytes = span_of(slice->bytes, slice_size(qcow2));
	size_t at = (size_t)number * entry_size(qcow2);
	*bitmap = 0;
	return get_be64(bytes, at, descriptor) &&
	       (!qcow2->layout.extended_l2 || get_be64(bytes, at + 8, bitmap));
}

/* What an entry says of the cluster, or of the subcluster, that `offset` lies in. */
static bool read_entry(const struct qcow2 *qcow2, const struct slice *slice, uint64_t offset,
                       struct extent *out, struct error *error)
{
	const struct qcow2_layout *layout = &qcow2->layout;
	uint64_t unit = layout->extended_l2 ? cluster_size(qcow2) / SUBCLUSTERS : cluster_size(qcow2);
	uint64_t inside = offset % cluster_size(qcow2), begin = offset - inside;
	uint64_t descriptor = 0, bitmap = 0;
	if (!get_entry(qcow2, slice, offset, &descriptor, &bitmap))
		return false;
	uint64_t place = descriptor & OFFSET_BITS;
	bool is_zero = descriptor & FLAG_ZERO, is_allocated = place != 0;
	if (descriptor & FLAG_COMPRESSED) {
		*out = (struct extent){ EXTENT_COMPRESSED, descriptor, cluster_size(qcow2) - inside };
		return true;
	}
	if (is_zero && !layout->has_zero_flag)
		return damaged_entry(qcow2, begin, "has a flag that version 2 does not have", error);
	if (layout->extended_l2) {
		uint64_t of_subcluster = bitmap >> inside / unit;
		is_allocated = of_subcluster & 1;
		is_zero = of_subcluster >> SUBCLUSTERS & 1;
		if (is_allocated && (is_zero || place == 0))
			return damaged_entry(qcow2, begin, "contradicts itself", error);
	}
	*out = (struct extent){ EXTENT_ZEROS, 0, unit - offset % unit };
	if (is_zero || !is_allocated)
		return true;
	*out = (struct extent){ EXTENT_BYTES, place + inside, out->size };
	return check_place(qcow2, begin, place, error);
}

static bool find_extent(struct qcow2 *qcow2, uint64_t offset, struct extent *out, struct error *error)
{
	uint64_t cluster = offset >> qcow2->layout.cluster_bits;
	const struct slice *slice;
	if (!find_slice(qcow2, cluster, &slice, error))
		return false;
	if (slice->is_allocated)
		return read_entry(qcow2, slice, offset, out, error);
	*out = (struct extent){ EXTENT_ZEROS, 0, cluster_size(qcow2) - offset % cluster_size(qcow2) };
	return true;
}

/*
 * The file ends in the middle of a cluster that is in use. QEMU left such files behind, and a cut copy looks
 * the same: what is missing reads as zeros in a guest, and whoever looks is told.
 */
static void note_cut(const struct qcow2 *qcow2)
{
	qcow2->disk->problem = (struct problem){
		.code = "qcow2-cut",
		.message = "the qcow2 image ends in the middle of a cluster that is in use, whose rest reads "
			   "as zeros: was it copied completely?",
	};
}

/* Bytes of the file from `place` on, with zeros behind its end. */
static bool read_bytes(const struct qcow2 *qcow2, uint64_t place, void *buffer, size_t length,
                       struct error *error)
{
	uint64_t there = place < qcow2->file.size ? qcow2->file.size - place : 0;
	size_t part = there < length ? (size_t)there : length;
	if (part < length)
		note_cut(qcow2);
	memset((uint8_t *)buffer + part, 0, length - part);
	return part == 0 || reader_read(&qcow2->file, place, buffer, part, error);
}

/* All of the compressed cluster that lies at `offset` of the disk. */
static bool unpack_cluster(struct qcow2 *qcow2, uint64_t offset, uint64_t descriptor, uint8_t *out,
                           struct error *error)
{
	unsigned size_bits = qcow2->layout.cluster_bits - 8, place_bits = 62 - size_bits;
	uint64_t place = descriptor & ((UINT64_C(1) << place_bits) - 1);
	uint64_t sectors = 1 + (descriptor >> place_bits & ((UINT64_C(1) << size_bits) - 1));
	uint64_t size = sectors * SECTOR - place % SECTOR;
	size_t got = 0;
	if (place >= qcow2->file.size)
		return damaged_entry(qcow2, offset, BEHIND_END, error);
	/* It is counted in sectors, and the file may end with its last byte. */
	if (size > qcow2->file.size - place)
		size = qcow2->file.size - place;
	if (!qcow2->packed)
		qcow2->packed = arena_alloc(qcow2->disk->state->arena, (size_t)SECTOR << size_bits);
	if (!reader_read(&qcow2->file, place, qcow2->packed, (size_t)size, error))
		return false;
	if (!block_unpack(qcow2->layout.compression, span_of(qcow2->packed, (size_t)size), out,
	                  cluster_size(qcow2), &got, &qcow2->budget, error))
		return error_wrap(error, "this %s image cannot be unpacked at offset %" PRIu64 " of the disk",
		                  qcow2->disk->container, offset);
	return got == cluster_size(qcow2) ||
	       damaged_entry(qcow2, offset, "leads to less than a cluster", error);
}

static size_t unpacked_count(const struct qcow2 *qcow2)
{
	size_t fit = UNPACKED_BYTES >> qcow2->layout.cluster_bits;
	return fit > UNPACKED_MOST ? UNPACKED_MOST : fit < UNPACKED_LEAST ? UNPACKED_LEAST : fit;
}

/* The compressed cluster that `offset` lies in, from the ones kept, or in the place of the one used longest
 * ago. */
static const uint8_t *find_unpacked(struct qcow2 *qcow2, uint64_t offset, uint64_t descriptor,
                                    struct error *error)
{
	uint64_t begin = offset - offset % cluster_size(qcow2);
	struct unpacked *found = &qcow2->unpacked[0];
	for (size_t i = 0; i < unpacked_count(qcow2); i++) {
		struct unpacked *kept = &qcow2->unpacked[i];
		if (kept->used && kept->begin == begin) {
			kept->used = ++qcow2->clock;
			return kept->bytes;
		}
		if (kept->used < found->used)
			found = kept;
	}
	if (!found->bytes)
		found->bytes = arena_alloc(qcow2->disk->state->arena, (size_t)cluster_size(qcow2));
	found->used = 0;
	if (!unpack_cluster(qcow2, begin, descriptor, found->bytes, error))
		return NULL;
	found->begin = begin;
	found->used = ++qcow2->clock;
	return found->bytes;
}

static bool read_extent(struct qcow2 *qcow2, uint64_t offset, const struct extent *extent, uint8_t *to,
                        size_t length, struct error *error)
{
	const uint8_t *cluster;
	switch (extent->kind) {
	case EXTENT_ZEROS:
		memset(to, 0, length);
		return true;
	case EXTENT_BYTES:
		return read_bytes(qcow2, extent->from, to, length, error);
	case EXTENT_COMPRESSED:
		cluster = find_unpacked(qcow2, offset, extent->from, error);
		if (cluster)
			memcpy(to, cluster + offset % cluster_size(qcow2), length);
		return cluster != NULL;
	}
	return false;
}

static bool qcow2_read(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	struct qcow2 *qcow2 = state;
	uint8_t *to = buffer;
	while (length > 0) {
		struct extent extent = { 0 };
		if (!find_extent(qcow2, offset, &extent, error))
			return disk_read_failed(qcow2->disk, error);
		size_t part = extent.size < length ? (size_t)extent.size : length;
		if (!read_extent(qcow2, offset, &extent, to, part, error))
			return disk_read_failed(qcow2->disk, error);
		to += part;
		offset += part;
		length -= part;
	}
	return true;
}

void qcow2_read_clusters(struct disk *disk, const struct qcow2_layout *layout)
{
	struct qcow2 *qcow2 = arena_alloc(disk->state->arena, sizeof(*qcow2));
	qcow2->layout = *layout;
	qcow2->disk = disk;
	qcow2->file = disk->reader;
	qcow2->budget = budget_default();
	/* Each cluster once, with what it is unpacked of, beside what any input may take. */
	qcow2->budget.inflated_left += 3 * layout->size;
	disk->reader = (struct reader){ .read = qcow2_read, .state = qcow2, .size = layout->size };
}
