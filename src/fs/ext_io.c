#include "fs/ext_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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
	if (!mul_u64(block, block_size, &offset) || !range_inside(offset, length, io->cache.reader.size)) {
		error_fill(&io->error, ERROR_CORRUPT, "block %llu lies behind the end of the file system",
		           block);
		return EXT2_ET_SHORT_READ;
	}
	if (!block_cache_read(&io->cache, offset, data, (size_t)length, &io->error))
		return EXT2_ET_SHORT_READ;
	return 0;
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
	*io = (struct ext_io){ .budget = budget };
	block_cache_init(&io->cache, reader);
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
	block_cache_free(&io->cache);
}

errcode_t ext_io_open(struct ext_io *io, int flags, ext2_filsys *out)
{
	char name[2 * sizeof(uintptr_t) + 1];
	snprintf(name, sizeof(name), "%" PRIxPTR, (uintptr_t)io);
	return ext2fs_open2(name, NULL, flags, 0, 0, &io->manager, out);
}
