#include "base/checksum.h"

#include <ext2fs/ext2fs.h>

uint32_t crc32c_but_own(struct span bytes, size_t own)
{
	static const uint8_t zeros[4];
	size_t before = own < bytes.size ? own : bytes.size;
	struct span rest = span_from(bytes, before);
	uint32_t sum = ext2fs_crc32c_le(UINT32_MAX, bytes.data, before);
	size_t covered = rest.size < sizeof(zeros) ? rest.size : sizeof(zeros);
	sum = ext2fs_crc32c_le(sum, zeros, covered);
	rest = span_from(rest, covered);
	return ~ext2fs_crc32c_le(sum, rest.data, rest.size);
}
