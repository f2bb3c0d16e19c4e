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

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

/* CRC-32 and length modulo 2^32 of what came out, little endian */
#define TRAILER_SIZE 8
#define PIECE_SIZE   ((size_t)16 << 10)

/* ISA-L unpacks; header and trailer are asked for and compared here, as the checksum is ours. */
struct gunzip {
	struct inflate_state inflate;
	bool has_header;
	uint32_t checksum; /* of what came out */
	uint8_t trailer[TRAILER_SIZE];
	size_t trailer_size;
};

static bool gzip_open(struct decoder *decoder, struct error *error)
{
	(void)error;
	struct gunzip *state = xmalloc(sizeof(*state));
	isal_inflate_init(&state->inflate);
	state->inflate.crc_flag = ISAL_DEFLATE;
	state->has_header = false;
	state->checksum = 0;
	state->trailer_size = 0;
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

/*
 * The checksum `before` with a piece of zeros behind it. A CRC is linear but for a constant: what each of its
 * bits becomes over the zeros is known once and for all.
 */
static uint32_t sum_zeros(uint32_t before)
{
	static uint32_t of_zero, of_bit[32];
	if (of_zero == 0) {
		static const uint8_t zeros[PIECE_SIZE];
		of_zero = crc32_gzip_refl(0, zeros, PIECE_SIZE);
		for (unsigned i = 0; i < 32; i++)
			of_bit[i] = crc32_gzip_refl(UINT32_C(1) << i, zeros, PIECE_SIZE) ^ of_zero;
	}
	uint32_t after = of_zero;
	for (unsigned i = 0; i < 32; i++)
		after ^= of_bit[i] & (0 - (before >> i & 1));
	return after;
}

/* Most of a disk is zeros: they are looked for once, here, and whoever wants to leave them out is told. */
static void sum(struct decoder *decoder, struct gunzip *state, const uint8_t *bytes, size_t size)
{
	size_t at = 0;
	for (; size - at >= PIECE_SIZE; at += PIECE_SIZE) {
		struct span piece = span_of(bytes + at, PIECE_SIZE);
		if (!span_is_zero(piece)) {
			state->checksum = crc32_gzip_refl(state->checksum, piece.data, PIECE_SIZE);
			continue;
		}
		state->checksum = sum_zeros(state->checksum);
		decoder_found_zeros(decoder, piece);
	}
	state->checksum = crc32_gzip_refl(state->checksum, bytes + at, size - at);
}

/* The trailer begins at the next whole byte, of which ISA-L may hold some already. */
static bool read_trailer(struct decoder *decoder, struct gunzip *state)
{
	struct inflate_state *inflate = &state->inflate;
	inflate->read_in >>= inflate->read_in_length % 8;
	inflate->read_in_length -= inflate->read_in_length % 8;
	for (; state->trailer_size < TRAILER_SIZE && inflate->read_in_length > 0;
	     inflate->read_in_length -= 8) {
		state->trailer[state->trailer_size++] = (uint8_t)inflate->read_in;
		inflate->read_in >>= 8;
	}
	for (; state->trailer_size < TRAILER_SIZE && decoder->input.size > 0; decoder_use(decoder, 1))
		state->trailer[state->trailer_size++] = decoder->input.data[0];
	return state->trailer_size == TRAILER_SIZE;
}

static bool trailer_is_right(const struct gunzip *state)
{
	struct span trailer = span_of(state->trailer, TRAILER_SIZE);
	uint32_t checksum, size;
	return get_le32(trailer, 0, &checksum) && get_le32(trailer, 4, &size) &&
	       checksum == state->checksum && size == state->inflate.total_out;
}

/* The header, as far as it has come; then what it is before. */
static int header_and_data(struct gunzip *state)
{
	struct isal_gzip_header header;
	isal_gzip_header_init(&header);
	if (!state->has_header) {
		int status = isal_read_gzip_header(&state->inflate, &header);
		if (status != ISAL_DECOMP_OK)
			return status;
		state->has_header = true;
	}
	return isal_inflate(&state->inflate);
}

static bool gzip_step(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got,
                      struct error *error)
{
	struct gunzip *state = decoder->state;
	struct inflate_state *inflate = &state->inflate;
	int status = ISAL_DECOMP_OK;
	if (inflate->block_state != ISAL_BLOCK_FINISH) {
		uint32_t room = capacity < UINT32_MAX ? (uint32_t)capacity : UINT32_MAX;
		size_t given = decoder->input.size;
		/* ISA-L's field is not const, though it only reads. */
		inflate->next_in = (uint8_t *)(uintptr_t)decoder->input.data;
		inflate->avail_in = (uint32_t)given;
		inflate->next_out = buffer;
		inflate->avail_out = room;
		status = header_and_data(state);
		decoder_use(decoder, given - inflate->avail_in);
		*got = room - inflate->avail_out;
		sum(decoder, state, buffer, *got);
	}
	if (status >= 0 && inflate->block_state == ISAL_BLOCK_FINISH && read_trailer(decoder, state)) {
		decoder->finished = true;
		status = trailer_is_right(state) ? ISAL_DECOMP_OK : ISAL_INCORRECT_CHECKSUM;
	}
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
