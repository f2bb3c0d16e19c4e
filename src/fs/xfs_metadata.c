#include "fs/xfs_metadata.h"

#include <inttypes.h>

/* What is done with metadata takes time by its size, which the image chooses. */
#define STEP_SIZE 1024
#define SECTOR    512 /* the unit in which blocks name their own place */

bool xfs_read_metadata(const struct filesystem *fs, uint64_t offset, void *buffer, size_t length,
                       struct error *error)
{
	return budget_step(fs->budget, 1 + length / STEP_SIZE, "an xfs file system", error) &&
	       block_cache_read(&xfs_of(fs)->cache, offset, buffer, length, error);
}

bool xfs_check_block(const struct filesystem *fs, const struct xfs_header *header, struct span block,
                     uint64_t offset, uint64_t owner, struct error *error)
{
	const struct xfs_super *super = &xfs_of(fs)->super;
	uint64_t place, inode;
	if (super->version != 5)
		return true;
	if (!xfs_checksum_matches(block, header->checksum))
		return error_set(error, ERROR_CORRUPT,
		                 "the checksum of the %s at offset %" PRIu64 " is wrong", header->what,
		                 offset);
	if (!get_be64(block, header->block, &place) || !get_be64(block, header->owner, &inode) ||
	    place != offset / SECTOR || inode != owner ||
	    !span_has(block, header->uuid, super->meta_uuid, sizeof(super->meta_uuid)))
		return error_set(error, ERROR_CORRUPT,
		                 "the %s at offset %" PRIu64 " says that it is another one", header->what,
		                 offset);
	return true;
}
