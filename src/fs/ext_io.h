// libext2fs reads through this: an io_manager over a reader, with a small cache and no way to write.
#pragma once

#include <ext2fs/ext2fs.h>

#include "fs/fs.h"

/* One cached piece of the device, aligned to its size; near the end of the device it is shorter. */
#define EXT_PIECE_SIZE  8192
#define EXT_PIECE_COUNT 64

struct ext_piece {
	uint64_t offset;
	size_t length; /* 0: nothing cached here */
	uint64_t used; /* the clock when last used */
	uint8_t *bytes;
};

struct ext_io {
	struct struct_io_manager manager;
	struct struct_io_channel channel;
	struct reader reader;
	struct budget *budget; /* borrowed; every block that libext2fs asks for is a step */
	struct error error;    /* why the last read failed; code ERROR_NONE: it did not */
	uint64_t clock;
	struct ext_piece pieces[EXT_PIECE_COUNT];
};

void ext_io_init(struct ext_io *io, const struct reader *reader, struct budget *budget);
void ext_io_free(struct ext_io *io);

/* Opens the file system; the result must go to ext2fs_free() before ext_io_free(). */
errcode_t ext_io_open(struct ext_io *io, int flags, ext2_filsys *out);
