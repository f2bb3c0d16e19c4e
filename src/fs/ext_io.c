#include "fs/ext_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

static struct ext_io *io_of(io_channel channel)
{
	return channel->private_data;
}

/* libext2fs hands its io_manager no pointer but the name of the device: so the name is the pointer. */
static errcode_t open_channel(const char *name, int flags, io_channel *channel)
{
	(void)flags;
	struct ext_io *io = (struct ext_io *)(uintptr_t)strtoull(name, NULL, 16); // NOLINT
	*channel = &io->channel;
	io->channel.refcount = 1;
	return 0;
}

static errcode_t close_channel(io_channel channel)
{
	channel->refcount--;
	return 0;
}

static errcode_t set_block_size(io_channel channel, int block_size)
{
	if (block_size <= 0)
		return EXT2_ET_INVALID_ARGUMENT;
	channel->block_size = block_size;
	return 0;
}

static struct ext_piece *oldest_piece(struct ext_io *io)
{
	struct ext_piece *oldest = &io->pieces[0];
	for (size_t i = 1; i < EXT_PIECE_COUNT; i++)
		if (io->pieces[i].used < oldest->used)
			oldest = &io->pieces[i];
	return oldest;
}

static struct ext_piece *cached_piece(struct ext_io *io, uint64_t offset)
{
	for (size_t i = 0; i < EXT_PIECE_COUNT; i++)
		if (io->pieces[i].length > 0 && io->pieces[i].offset == offset)
			return &io->pieces[i];
	return NULL;
}

/* The piece that starts at `offset`, read when it is not cached; NULL with io->error set. */
static struct ext_piece *load_piece(struct ext_io *io, uint64_t offset)
{
	struct ext_piece *piece = cached_piece(io, offset);
	if (!piece) {
		uint64_t left = offset < io->reader.size ? io->reader.size - offset : 0;
		size_t length = left < EXT_PIECE_SIZE ? (size_t)left : EXT_PIECE_SIZE;
		piece = oldest_piece(io);
		piece->length = 0;
		if (!piece->bytes)
			piece->bytes = xmalloc(EXT_PIECE_SIZE);
		if (!reader_read(&io->reader, offset, piece->bytes, length, &io->error))
			return NULL;
		piece->offset = offset;
		piece->length = length;
	}
	piece->used = ++io->clock;
	return piece;
}

/* The range lies inside the device. */
static bool read_pieces(struct ext_io *io, uint64_t offset, uint8_t *out, size_t length)
{
	while (length > 0) {
		size_t inside = (size_t)(offset % EXT_PIECE_SIZE);
		const struct ext_piece *piece = load_piece(io, offset - inside);
		if (!piece)
			return false;
		size_t part = piece->length - inside;
		if (part > length)
			part = length;
		memcpy(out, piece->bytes + inside, part);
		out += part;
		offset += part;
		length -= part;
	}
	return true;
}

/* What libext2fs does with a block takes time by its size, which the image chooses. */
#define STEP_SIZE 1024

/* `count` blocks, or -count bytes when it is negative. */
static errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void *data)
{
	struct ext_io *io = io_of(channel);
	uint64_t block_size = (uint64_t)channel->block_size;
	uint64_t length = count < 0 ? (uint64_t) - (int64_t)count : (uint64_t)count * block_size;
	uint64_t offset;

	if (!budget_step(io->budget, 1 + length / STEP_SIZE, "an ext file system", &io->error))
		return EXT2_ET_SHORT_READ;
	if (!mul_u64(block, block_size, &offset) || !range_inside(offset, length, io->reader.size)) {
		error_fill(&io->error, ERROR_CORRUPT, "block %llu lies behind the end of the file system",
		           block);
		return EXT2_ET_SHORT_READ;
	}
	bool done = length > EXT_PIECE_SIZE
	                    ? reader_read(&io->reader, offset, data, (size_t)length, &io->error)
	                    : read_pieces(io, offset, data, (size_t)length);
	return done ? 0 : EXT2_ET_SHORT_READ;
}

static errcode_t read_blocks_32(io_channel channel, unsigned long block, int count, void *data)
{
	return read_blocks(channel, block, count, data);
}

static errcode_t refuse_write(io_channel channel, unsigned long block, int count, const void *data)
{
	(void)channel, (void)block, (void)count, (void)data;
	return EXT2_ET_RO_FILSYS;
}

static errcode_t refuse_write_64(io_channel channel, unsigned long long block, int count, const void *data)
{
	(void)channel, (void)block, (void)count, (void)data;
	return EXT2_ET_RO_FILSYS;
}

static errcode_t refuse_write_bytes(io_channel channel, unsigned long offset, int count, const void *data)
{
	(void)channel, (void)offset, (void)count, (void)data;
	return EXT2_ET_RO_FILSYS;
}

static errcode_t refuse_range(io_channel channel, unsigned long long block, unsigned long long count)
{
	(void)channel, (void)block, (void)count;
	return EXT2_ET_RO_FILSYS;
}

static errcode_t flush_nothing(io_channel channel)
{
	(void)channel;
	return 0;
}

static errcode_t no_option(io_channel channel, const char *option, const char *argument)
{
	(void)channel, (void)option, (void)argument;
	return EXT2_ET_INVALID_ARGUMENT;
}

static errcode_t no_readahead(io_channel channel, unsigned long long block, unsigned long long count)
{
	(void)channel, (void)block, (void)count;
	return 0;
}

static errcode_t no_stats(io_channel channel, io_stats *stats)
{
	(void)channel;
	*stats = NULL;
	return 0;
}

static const struct struct_io_manager read_only_manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "reader",
	.open = open_channel,
	.close = close_channel,
	.set_blksize = set_block_size,
	.read_blk = read_blocks_32,
	.read_blk64 = read_blocks,
	.write_blk = refuse_write,
	.write_blk64 = refuse_write_64,
	.write_byte = refuse_write_bytes,
	.flush = flush_nothing,
	.set_option = no_option,
	.get_stats = no_stats,
	.discard = refuse_range,
	.zeroout = refuse_range,
	.cache_readahead = no_readahead,
};

void ext_io_init(struct ext_io *io, const struct reader *reader, struct budget *budget)
{
	*io = (struct ext_io){ .reader = *reader, .budget = budget };
	io->manager = read_only_manager;
	io->channel = (struct struct_io_channel){
		.magic = EXT2_ET_MAGIC_IO_CHANNEL,
		.manager = &io->manager,
		.name = (char *)(uintptr_t) "reader",
		.block_size = 1024,
		.private_data = io,
	};
}

void ext_io_free(struct ext_io *io)
{
	for (size_t i = 0; i < EXT_PIECE_COUNT; i++)
		free(io->pieces[i].bytes);
}

errcode_t ext_io_open(struct ext_io *io, int flags, ext2_filsys *out)
{
	char name[2 * sizeof(uintptr_t) + 1];
	snprintf(name, sizeof(name), "%" PRIxPTR, (uintptr_t)io);
	return ext2fs_open2(name, NULL, flags, 0, 0, &io->manager, out);
}
