// gzip, RFC 1952, by zlib. A file may hold several members; a decoder reads one.
#include <stdlib.h>

#include "codec/formats.h"

static bool gzip_matches(struct span head)
{
	/* ID1, ID2, CM = deflate */
	return span_has(head, 0, "\x1f\x8b\x08", 3);
}

#ifdef HAVE_ZLIB

#include <limits.h>
#include <zlib.h>

/* zlib's way to ask for the largest window, with a gzip header and nothing else. */
#define WINDOW_BITS_GZIP (15 + 16)

static bool gzip_open(struct decoder *decoder, struct error *error)
{
	z_stream *stream = calloc(1, sizeof(*stream));
	if (!stream || inflateInit2(stream, WINDOW_BITS_GZIP) != Z_OK) {
		free(stream);
		return error_set(error, ERROR_LIMIT, "gzip data: zlib has no memory");
	}
	decoder->state = stream;
	return true;
}

static bool gzip_step(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got,
                      struct error *error)
{
	z_stream *stream = decoder->state;
	uInt room = capacity < UINT_MAX ? (uInt)capacity : UINT_MAX;
	uInt given = (uInt)decoder->input.size;
	/* zlib's field is not const, though it only reads. */
	stream->next_in = (Bytef *)(uintptr_t)decoder->input.data;
	stream->avail_in = given;
	stream->next_out = buffer;
	stream->avail_out = room;
	int status = inflate(stream, Z_NO_FLUSH);
	decoder_use(decoder, given - stream->avail_in);
	*got = room - stream->avail_out;
	decoder->finished = status == Z_STREAM_END;
	if (status == Z_MEM_ERROR)
		return error_set(error, ERROR_LIMIT, "gzip data: zlib has no memory");
	if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
		return error_set(error, ERROR_CORRUPT, "gzip data are damaged: %s",
		                 stream->msg ? stream->msg : "unknown reason");
	return true;
}

static void gzip_close(struct decoder *decoder)
{
	inflateEnd(decoder->state);
	free(decoder->state);
}

#else

static bool gzip_open(struct decoder *decoder, struct error *error)
{
	return codec_not_built(decoder, "zlib", error);
}

#define gzip_step  NULL
#define gzip_close NULL

#endif

const struct codec codec_gzip = {
	.name = "gzip",
	.matches = gzip_matches,
	.open = gzip_open,
	.step = gzip_step,
	.close = gzip_close,
};
