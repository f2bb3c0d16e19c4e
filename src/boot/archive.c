#include "boot/archive.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE ((size_t)64 << 10)
/* Of a plain archive little is read: headers lie far apart. Reads end where a file system's blocks do. */
#define BLOCK_SIZE ((size_t)4 << 10)
#define SHORT_READ ((size_t)512)
/* What a block of padding costs in steps. */
#define ZERO_STEPS 16

void archive_open(struct archive *out, const struct reader *file, struct decoder *decoder, uint64_t position)
{
	*out = (struct archive){
		.file = file, .decoder = decoder, .position = position, .buffer = xmalloc(BUFFER_SIZE)
	};
}

void archive_close(struct archive *archive)
{
	free(archive->buffer);
	*archive = (struct archive){ 0 };
}

const char *archive_where(const struct archive *archive)
{
	return archive->decoder ? "at byte" : "at offset";
}

struct span archive_ahead(const struct archive *archive)
{
	return span_of(archive->buffer + archive->begin, archive->end - archive->begin);
}

static void pass(struct archive *archive, size_t count)
{
	archive->begin += count;
	archive->position += count;
}

static bool read_file(struct archive *archive, uint8_t *into, size_t room, struct error *error)
{
	uint64_t offset = archive->position + (archive->end - archive->begin);
	size_t size = BLOCK_SIZE - (size_t)(offset % BLOCK_SIZE);
	if (size < SHORT_READ)
		size += BLOCK_SIZE;
	uint64_t left = offset < archive->file->size ? archive->file->size - offset : 0;
	if (size > left)
		size = (size_t)left;
	if (size > room)
		size = room;
	if (!reader_read(archive->file, offset, into, size, error))
		return false;
	archive->end += size;
	archive->ended = size == left;
	return true;
}

static bool read_decoder(struct archive *archive, uint8_t *into, size_t room, struct error *error)
{
	size_t got;
	if (!decoder_read(archive->decoder, into, room, &got, error))
		return false;
	archive->end += got;
	archive->ended = got < room;
	return true;
}

bool archive_fill(struct archive *archive, size_t want, struct error *error)
{
	while (archive->end - archive->begin < want && !archive->ended) {
		size_t kept = archive->end - archive->begin;
		memmove(archive->buffer, archive->buffer + archive->begin, kept);
		archive->begin = 0;
		archive->end = kept;
		uint8_t *into = archive->buffer + kept;
		if (!(archive->decoder ? read_decoder : read_file)(archive, into, BUFFER_SIZE - kept, error))
			return false;
	}
	return true;
}

bool archive_skip(struct archive *archive, uint64_t count, struct error *error)
{
	for (;;) {
		size_t loaded = archive->end - archive->begin;
		size_t part = count < loaded ? (size_t)count : loaded;
		pass(archive, part);
		count -= part;
		if (count == 0)
			return true;
		if (archive->ended)
			return error_set(error, ERROR_TRUNCATED,
			                 "the cpio archive ends %" PRIu64 " bytes too early, %s %" PRIu64,
			                 count, archive_where(archive), archive->position);
		if (!archive->decoder && count <= archive->file->size - archive->position) {
			archive->position += count;
			archive->begin = archive->end = 0;
			return true;
		}
		if (!archive->decoder)
			return error_set(error, ERROR_TRUNCATED,
			                 "the cpio archive ends too early: its file at offset %" PRIu64
			                 " wants %" PRIu64 " bytes more",
			                 archive->position, count);
		if (!archive_fill(archive, 1, error))
			return false;
	}
}

bool archive_skip_zeros(struct archive *archive, struct budget *budget, struct error *error)
{
	for (;;) {
		struct span ahead = archive_ahead(archive);
		size_t zeros = 0;
		while (zeros < ahead.size && ahead.data[zeros] == 0)
			zeros++;
		pass(archive, zeros);
		if (zeros < ahead.size || archive->ended)
			return true;
		if (!budget_step(budget, zeros ? ZERO_STEPS : 1, "the initramfs's padding", error) ||
		    !archive_fill(archive, 1, error))
			return false;
	}
}
