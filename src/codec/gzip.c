// gzip, RFC 1952, by ISA-L, or by zlib, which takes more than twice the time. A file may hold several
// members; a decoder reads one.
#include <inttypes.h>
#include <stdlib.h>

#include "codec/formats.h"

static bool gzip_matches(struct span head)
{
	/* ID1, ID2, CM = deflate */
	return span_has(head, 0, "\x1f\x8b\x08", 3);
}

#ifdef HAVE_ISAL

#include <isa-l/igzip_lib.h>

static bool gzip_open(struct decoder *decoder, struct error *error)
{
	(void)error;
	struct inflate_state *state = xmalloc(sizeof(*state));
	isal_inflate_init(state);
	/* It reads the header, and compares the checksum and the length behind the data. */
	state->crc_flag = ISAL_GZIP;
	decoder->state = state;
	return true;
}

static const char *explain(int status)
{
	switch (status) {
	case ISAL_INCORRECT_CHECKSUM:
		return "the checksum or the length behind them is wrong";
	case ISAL_INVALID_LOOKBACK:
		return "a distance leads before the beginning";
	case ISAL_INVALID_WRAPPER:
	case ISAL_UNSUPPORTED_METHOD:
		return "the header is wrong";
	default:
		return "a block is invalid";
	}
}

static bool gzip_step(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got,
                      struct error *error)
{
	struct inflate_state *state = decoder->state;
	uint32_t room = capacity < UINT32_MAX ? (uint32_t)capacity : UINT32_MAX;
	size_t given = decoder->input.size;
	/* ISA-L's field is not const, though it only reads. */
	state->next_in = (uint8_t *)(uintptr_t)decoder->input.data;
	state->avail_in = (uint32_t)given;
	state->next_out = buffer;
	state->avail_out = room;
	int status = isal_inflate(state);
	decoder_use(decoder, given - state->avail_in);
	*got = room - state->avail_out;
	decoder->finished = state->block_state == ISAL_BLOCK_FINISH;
	if (status < 0 || status == ISAL_NEED_DICT)
		return error_set(error, ERROR_CORRUPT, "gzip data are damaged before offset %" PRIu64 ": %s",
		                 decoder_offset(decoder), explain(status));
	return true;
}

static void gzip_close(struct decoder *decoder)
{
	free(decoder->state);
}

#else

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
		return error_set(error, ERROR_CORRUPT, "gzip data are damaged before offset %" PRIu64 ": %s",
		                 decoder_offset(decoder), stream->msg ? stream->msg : "unknown reason");
	return true;
}

static void gzip_close(struct decoder *decoder)
{
	inflateEnd(decoder->state);
	free(decoder->state);
}

#endif

const struct codec codec_gzip = {
	.name = "gzip",
	.matches = gzip_matches,
	.open = gzip_open,
	.step = gzip_step,
	.close = gzip_close,
};
