// XFS: superblock, log, inodes, extents, directories. Built with -Dfuzzing=true checksums count as right, so
// that what lies behind them is reached.
#include "fs_walk.h"

#define SIZE_MOST  (256 << 10)
#define IMAGE_SIZE (32 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= SIZE_MOST)
		fuzz_pieces(data, size, IMAGE_SIZE);
	return 0;
}
