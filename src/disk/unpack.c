// A stream into the scratch file. One pass: what is decoded is looked at for zeros and written, so that a
// disk takes the room of what it holds, and is read like a sparse file afterwards.
#include "disk/unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "disk/spool.h"
#include "disk/write_behind.h"

/* Bytes that cost a step of the budget. */
#define STEP (UINT64_C(1) << 20)
/* No disk that can be imported is larger than 2 TiB, and a container adds little to it. */
#define UNPACKED_MOST (UINT64_C(4) << 40)

bool feed_read(void *state, void *buffer, size_t capacity, size_t *got, struct error *error)
{
	struct feed *feed = state;
	struct disk_state *input = feed->disk->state;
	*got = 0;
	if (feed->offset < feed->head_size) {
		*got = feed->head_size - (size_t)feed->offset < capacity
		               ? feed->head_size - (size_t)feed->offset
		               : capacity;
		memcpy(buffer, feed->head + feed->offset, *got);
		feed->offset += *got;
	}
	if (input->input->source != SOURCE_STREAM) {
		uint64_t left = feed->disk->reader.size - feed->offset;
		*got = left < capacity ? (size_t)left : capacity;
		feed->offset += *got;
		return reader_read(&feed->disk->reader, feed->offset - *got, buffer, *got, error);
	}
	while (*got < capacity) {
		ssize_t count = read(input->descriptor, (uint8_t *)buffer + *got, capacity - *got);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return error_set(error, ERROR_IO,
			                 "the input cannot be read at offset %" PRIu64 ": %s", feed->offset,
			                 strerrordesc_np(errno));
		if (count == 0)
			break;
		*got += (size_t)count;
		feed->offset += (uint64_t)count;
		feed->disk->bytes_read += (uint64_t)count;
	}
	return true;
}

/* The next chunk; *got < WRITE_BEHIND_CHUNK only at the end. */
static bool next_chunk(struct disk *disk, struct feed *feed, struct decoder *decoder, uint8_t *chunk,
                       size_t *got, struct error *error)
{
	struct packing *packing = &disk->packing;
	if (!decoder)
		return feed_read(feed, chunk, WRITE_BEHIND_CHUNK, got, error);
	*got = 0;
	for (;;) {
		size_t some;
		bool more;
		if (!decoder_read(decoder, chunk + *got, WRITE_BEHIND_CHUNK - *got, &some, error))
			return false;
		*got += some;
		if (*got == WRITE_BEHIND_CHUNK)
			return true;
		if (!decoder_next(decoder, &more, error))
			return false;
		if (!more)
			break;
		packing->streams++;
	}
	if (!decoder_at_end(decoder))
		packing->garbage = decoder_offset(decoder);
	return true;
}

/* Decodes ahead of what is written; *size: what came out. */
static bool spool_all(struct disk *disk, struct feed *feed, struct decoder *decoder, struct spool *spool,
                      uint64_t *size, struct error *error)
{
	struct write_behind behind;
	bool sound = true;
	write_behind_open(&behind, spool);
	*size = 0;
	for (size_t got = WRITE_BEHIND_CHUNK; sound && got == WRITE_BEHIND_CHUNK;) {
		uint64_t before = *size;
		sound = next_chunk(disk, feed, decoder, write_behind_room(&behind), &got, error);
		if (!sound)
			break;
		*size += got;
		sound = write_behind_add(&behind, before, got,
		                         decoder ? decoder_zeros(decoder) : (struct span){ 0 }) &&
		        budget_step(disk->state->budget, *size / STEP - before / STEP, "unpacking it", error);
		if (sound && *size > UNPACKED_MOST)
			sound = error_set(error, ERROR_LIMIT,
			                  "unpacked it is larger than %" PRIu64 " bytes, as no disk is",
			                  UNPACKED_MOST);
	}
	/* What could not be written lies before what could not be decoded. */
	return write_behind_close(&behind, error) && sound && spool_end(spool, *size, error);
}

/* From here on disk->state reads the scratch file. */
static bool read_scratch(struct disk *disk, uint64_t size, struct error *error)
{
	struct disk_state *state = disk->state;
	if (size == 0)
		return error_set(error, ERROR_TRUNCATED,
		                 "the input holds nothing (0 bytes%s): was it copied completely?",
		                 disk->packing.compression ? " unpacked" : "");
	disk->packing.unpacked_size = size;
	state->descriptor = state->input->scratch;
	state->size = size;
	state->may_have_holes = true;
	state->is_scratch = true;
	state->extent_start = state->extent_end = 0;
	return raw_open(disk, error);
}

bool unpack(struct disk *disk, struct feed *feed, const struct codec *codec, struct error *error)
{
	const struct input *input = disk->state->input;
	/* What comes out is bounded by steps and by room. */
	struct budget unbounded = { .inflated_left = UINT64_MAX };
	struct spool spool = { .file = input->scratch, .most = input->scratch_most };
	struct decoder decoder;
	if (input->scratch < 0)
		return error_set(error, ERROR_IO, "unpacking it needs a temporary file: %s",
		                 input->scratch_reason ? input->scratch_reason : "there is none");
	if (codec && !decoder_open_feed(&decoder, codec, feed_read, feed, &unbounded, error))
		return false;
	disk->packing.streams = codec ? 1 : 0;
	uint64_t size;
	bool sound = spool_all(disk, feed, codec ? &decoder : NULL, &spool, &size, error);
	if (codec)
		decoder_close(&decoder);
	return sound && read_scratch(disk, size, error);
}
