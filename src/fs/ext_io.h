// libext2fs reads through this: an io_manager over a cached reader, with no way to write.
#pragma once

#include <ext2fs/ext2fs.h>

#include "fs/block_cache.h"
#include "fs/fs.h"

struct ext_io {
	struct struct_io_manager manager;
	struct struct_io_channel channel;
	struct block_cache cache;
	struct budget *budget; /* borrowed; every block that libext2fs asks for is a step */
	struct error error;    /* why the last read failed; code ERROR_NONE: it did not */
};

void ext_io_init(struct ext_io *io, const struct reader *reader, struct budget *budget);
void ext_io_free(struct ext_io *io);

/* Opens the file system; the result must go to ext2fs_free() before ext_io_free(). */
errcode_t ext_io_open(struct ext_io *io, int flags, ext2_filsys *out);
