// erofs: inodes, directories, chunks, and the indexes of compressed files.
#include "fs_walk.h"

#define SIZE_MOST (256 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= SIZE_MOST)
		fuzz_image(data, size);
	return 0;
}
