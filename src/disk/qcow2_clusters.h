// Private to disk/: the clusters of a qcow2 image, whose header has been found sound.
#pragma once

#include "codec/block.h"
#include "disk/container.h"

struct qcow2_layout {
	uint64_t size; /* of the disk, bytes; not 0 */
	uint64_t l1;   /* offset of the L1 table in the file; the table is long enough for the disk */
	unsigned cluster_bits;
	bool has_zero_flag; /* version 3: an L2 entry may say that its cluster is zeros */
	bool extended_l2;   /* its entries are twice as long, and tell of 32 subclusters each */
	enum block_format compression;
};

/*
 * From here on disk->reader is the disk; what it has been before is the file. Tables are read when they are
 * needed: an entry that leads nowhere fails the read that comes upon it, as it does for a guest.
 */
void qcow2_read_clusters(struct disk *disk, const struct qcow2_layout *layout);
