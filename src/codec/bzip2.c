// bzip2, by libbz2. A file may hold several streams; a decoder reads one.
#include <stdlib.h>

#include "codec/formats.h"

static bool bzip2_matches(struct span head)
{
	/* "BZh", the block size in units of 100 kB, and the magic of a block or of the stream's end */
	uint8_t level;
	return span_has(head, 0, "BZh", 3) && get_u8(head, 3, &level) && level >= '1' && level <= '9' &&
	       (span_has(head, 4, "\x31\x41\x59\x26\x53\x59", 6) ||
	        span_has(head, 4, "\x17\x72\x45\x38\x50\x90", 6));
}

#ifdef HAVE_BZIP2

#include <bzlib.h>
#include <limits.h>

static bool bzip2_open(struct decoder *decoder, struct error *error)
{
	bz_stream *stream = calloc(1, sizeof(*stream));
	if (!stream || BZ2_bzDecompressInit(stream, 0, 0) != BZ_OK) {
		free(stream);
		return error_set(error, ERROR_LIMIT, "bzip2 data: libbz2 has no memory");
	}
	decoder->state = stream;
	return true;
}

static bool bzip2_step(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got,
                       struct error *error)
{
	bz_stream *stream = decoder->state;
	unsigned room = capacity < UINT_MAX ? (unsigned)capacity : UINT_MAX;
	unsigned given = (unsigned)decoder->input.size;
	/* libbz2's fields are not const, though it only reads. */
	stream->next_in = (char *)(uintptr_t)decoder->input.data;
	stream->avail_in = given;
	stream->next_out = (char *)buffer;
	stream->avail_out = room;
	int status = BZ2_bzDecompress(stream);
	decoder_use(decoder, given - stream->avail_in);
	*got = room - stream->avail_out;
	decoder->finished = status == BZ_STREAM_END;
	if (status == BZ_MEM_ERROR)
		return error_set(error, ERROR_LIMIT, "bzip2 data: libbz2 has no memory");
	if (status != BZ_OK && status != BZ_STREAM_END)
		return error_set(error, ERROR_CORRUPT, "bzip2 data are damaged");
	return true;
}

static void bzip2_close(struct decoder *decoder)
{
	BZ2_bzDecompressEnd(decoder->state);
	free(decoder->state);
}

#else

static bool bzip2_open(struct decoder *decoder, struct error *error)
{
	return codec_not_built(decoder, "libbz2", error);
}

#define bzip2_step  NULL
#define bzip2_close NULL

#endif

const struct codec codec_bzip2 = {
	.name = "bzip2",
	.matches = bzip2_matches,
	.open = bzip2_open,
	.step = bzip2_step,
	.close = bzip2_close,
};
