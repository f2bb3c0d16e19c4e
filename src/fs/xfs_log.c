// The log is a ring of 512-byte blocks. Each begins with the number of the pass over the ring that wrote it
// (its cycle), but for a record's first block: magic number, then the cycle. So the newest record ends where
// the cycle steps down, and what a clean unmount wrote is a record of one operation that is marked as the
// unmount. The kernel goes by the same (xlog_find_head and xlog_check_unmount_rec in
// fs/xfs/xfs_log_recover.c). Layout of a record: "XFS Algorithms & Data Structures", chapter "Journaling
// Log".
#include "fs/xfs_log.h"

#include <string.h>

#include "base/checked.h"
#include "fs/identify.h"

#define LOG_BLOCK     512
#define RECORD_MAGIC  UINT32_C(0xfeedbabe)
#define RECORD_MAX    (UINT64_C(256) << 10) /* bytes of a record behind its headers */
#define HEADER_COVERS 32768                 /* bytes of a record that one header block has the cycles of */

struct log {
	const struct filesystem *fs;
	uint64_t offset, count; /* in bytes; in log blocks */
};

static bool read_log(const struct log *log, uint64_t index, uint8_t *block)
{
	return fs_peek(log->fs, log->offset + index % log->count * LOG_BLOCK, block, LOG_BLOCK);
}

static bool read_cycle(const struct log *log, uint64_t index, uint32_t *cycle)
{
	uint8_t block[LOG_BLOCK];
	struct span bytes = span_of(block, sizeof(block));
	return read_log(log, index, block) && get_be32(bytes, 0, cycle) &&
	       (*cycle != RECORD_MAGIC || get_be32(bytes, 4, cycle));
}

/* The block behind the newest record, from 1 to `count`; 0 for a log that is all zeros. */
static bool find_head(const struct log *log, uint64_t *head)
{
	uint32_t first, last, cycle;
	if (!read_cycle(log, 0, &first) || !read_cycle(log, log->count - 1, &last))
		return false;
	*head = first == 0 ? 0 : log->count;
	if (first == 0 || first == last)
		return true;
	uint64_t low = 0; /* is not of the last block's cycle; *head is, or lies behind the end */
	while (*head - low > 1) {
		uint64_t middle = low + (*head - low) / 2;
		if (!read_cycle(log, middle, &cycle))
			return false;
		if (cycle == last)
			*head = middle;
		else
			low = middle;
	}
	return true;
}

/* The fields of a record's header that tell what it is. */
struct record {
	uint64_t headers, blocks; /* log blocks of headers; and of all */
	uint32_t operations;
};

/* Is the block the header of a record of this file system? */
static bool decode_record(struct span bytes, const struct xfs_super *super, struct record *out)
{
	uint32_t magic, version, length, size;
	if (!get_be32(bytes, 0, &magic) || magic != RECORD_MAGIC || !get_be32(bytes, 8, &version) ||
	    !get_be32(bytes, 12, &length) || !get_be32(bytes, 40, &out->operations) ||
	    !get_be32(bytes, 320, &size) || length > RECORD_MAX || size > RECORD_MAX ||
	    !span_has(bytes, 304, super->uuid, sizeof(super->uuid)))
		return false;
	out->headers = 1;
	if (version & 2 && size > HEADER_COVERS)
		out->headers = (size + HEADER_COVERS - 1) / HEADER_COVERS;
	out->blocks = out->headers + (length + LOG_BLOCK - 1) / LOG_BLOCK;
	return true;
}

/* Looks backwards from the head for the header of the newest record; *start may lie one pass ahead. */
static bool find_record(const struct log *log, const struct xfs_super *super, uint64_t head, uint64_t *start,
                        struct record *record)
{
	uint8_t block[LOG_BLOCK];
	uint64_t most = (RECORD_MAX + RECORD_MAX / HEADER_COVERS * LOG_BLOCK) / LOG_BLOCK;
	for (uint64_t back = 1; back <= most && back <= log->count; back++) {
		*start = head + log->count - back;
		if (!read_log(log, *start, block))
			return false;
		if (decode_record(span_of(block, sizeof(block)), super, record))
			return true;
	}
	return false;
}

#define OPERATION_FLAGS   9 /* offset in the header of an operation */
#define OPERATION_UNMOUNT 0x20

/* False where something could not be read or is no log as we know it. */
static bool is_clean(const struct log *log, const struct xfs_super *super, bool *clean)
{
	uint8_t block[LOG_BLOCK];
	uint64_t head, start;
	struct record record;
	if (!find_head(log, &head))
		return false;
	*clean = head == 0;
	if (*clean)
		return true;
	if (!find_record(log, super, head, &start, &record) || !read_log(log, start + record.headers, block))
		return false;
	*clean = record.operations == 1 && start + record.blocks == head + log->count &&
	         (block[OPERATION_FLAGS] & OPERATION_UNMOUNT);
	return true;
}

void xfs_log_note(struct filesystem *fs, const struct xfs_super *super)
{
	struct log log = { .fs = fs };
	bool clean;
	log.count = (uint64_t)super->log_blocks * super->block_size / LOG_BLOCK;
	if (super->log_start == 0 || log.count < 2 ||
	    !xfs_block_offset(super, super->log_start, super->log_blocks, &log.offset) ||
	    !is_clean(&log, super, &clean) || clean)
		return;
	fs_problem(
		fs, "xfs-log-not-clean", log.offset,
		"the log of this xfs was not replayed: it was copied while mounted or not unmounted cleanly, "
		"and its newest changes are not seen here");
}
