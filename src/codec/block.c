#include "codec/block.h"

#include <limits.h>
#include <zlib.h>

#include "codec/lzo1x.h"

/* `window`: as inflateInit2() takes it, with what stands around the data. */
static bool inflate_block(const char *format, int window, bool may_go_on, struct span in, uint8_t *out,
                          size_t capacity, size_t *got, struct error *error)
{
	z_stream stream = {
		/* zlib's field is not const, though it only reads. */
		.next_in = (Bytef *)(uintptr_t)in.data,
		.avail_in = (uInt)in.size,
		.next_out = out,
		.avail_out = (uInt)capacity,
	};
	if (in.size > UINT_MAX || capacity > UINT_MAX)
		return error_set(error, ERROR_LIMIT, "a %s block of %zu bytes is too large", format, in.size);
	if (inflateInit2(&stream, window) != Z_OK)
		return error_set(error, ERROR_LIMIT, "%s data: zlib has no memory", format);
	int status = inflate(&stream, Z_FINISH);
	*got = capacity - stream.avail_out;
	bool full = status == Z_BUF_ERROR && stream.avail_out == 0;
	bool sound = status == Z_STREAM_END || (full && may_go_on);
	const char *reason = full ? "they give more than they should" : stream.msg;
	if (!sound)
		error_fill(error, ERROR_CORRUPT, "%s data are damaged: %s", format,
		           reason ? reason : "they end early");
	inflateEnd(&stream);
	return sound;
}

static bool unpack_zlib(struct span in, uint8_t *out, size_t capacity, size_t *got, struct error *error)
{
	return inflate_block("zlib", MAX_WBITS, false, in, out, capacity, got, error);
}

#ifdef HAVE_ISAL

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "base/arena.h"

static bool unpack_deflate(struct span in, uint8_t *out, size_t capacity, size_t *got, struct error *error)
{
	if (in.size > UINT32_MAX || capacity > UINT32_MAX)
		return error_set(error, ERROR_LIMIT, "a deflate block of %zu bytes is too large", in.size);
	/* With its tables and its window: more than a stack should bear. */
	struct inflate_state *state = xmalloc(sizeof(*state));
	isal_inflate_init(state);
	/* ISA-L's field is not const, though it only reads. */
	state->next_in = (uint8_t *)(uintptr_t)in.data;
	state->avail_in = (uint32_t)in.size;
	state->next_out = out;
	state->avail_out = (uint32_t)capacity;
	int status = isal_inflate_stateless(state);
	*got = capacity - state->avail_out;
	free(state);
	bool more_in_or_out = status == ISAL_END_INPUT || status == ISAL_OUT_OVERFLOW;
	if (status == ISAL_DECOMP_OK || (more_in_or_out && *got == capacity))
		return true;
	return error_set(error, ERROR_CORRUPT, "deflate data are damaged: %s",
	                 status == ISAL_END_INPUT ? "they end early" : "a block is invalid");
}

#else

static bool unpack_deflate(struct span in, uint8_t *out, size_t capacity, size_t *got, struct error *error)
{
	return inflate_block("deflate", -MAX_WBITS, true, in, out, capacity, got, error);
}

#endif

#ifdef HAVE_ZSTD

#include <zstd.h>

/* A frame of data, or one to be skipped, as both magics are. */
static bool is_zstd_frame(struct span in)
{
	uint32_t magic;
	return get_le32(in, 0, &magic) && (magic == ZSTD_MAGICNUMBER ||
	                                   (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START);
}

static bool unpack_zstd(struct span in, uint8_t *out, size_t capacity, size_t *got, struct error *error)
{
	*got = 0;
	/* Not all at once: ZSTD_decompress() takes zeros behind a frame, which fill up sectors, for another
	 * one. */
	do {
		size_t size = ZSTD_findFrameCompressedSize(in.data, in.size), given = size;
		if (!ZSTD_isError(size))
			given = ZSTD_decompress(out + *got, capacity - *got, in.data, size);
		if (ZSTD_isError(given))
			return error_set(error, ERROR_CORRUPT, "zstd data are damaged: %s",
			                 ZSTD_getErrorName(given));
		*got += given;
		in = span_from(in, size);
	} while (*got < capacity && is_zstd_frame(in));
	return true;
}

#else

static bool unpack_zstd(struct span in, uint8_t *out, size_t capacity, size_t *got, struct error *error)
{
	(void)in, (void)out, (void)capacity, (void)got;
	return error_set(error, ERROR_UNSUPPORTED,
	                 "zstd data: this build has no libzstd, install it and build again");
}

#endif

static bool unpack_lzo(struct span in, uint8_t *out, size_t capacity, size_t *got, struct error *error)
{
	return lzo1x_unpack(in, out, capacity, got) ||
	       error_set(error, ERROR_CORRUPT, "lzo data are damaged");
}

bool block_unpack(enum block_format format, struct span in, void *out, size_t capacity, size_t *got,
                  struct budget *budget, struct error *error)
{
	static const struct {
		const char *name;
		bool (*unpack)(struct span in, uint8_t *out, size_t capacity, size_t *got,
		               struct error *error);
	} formats[] = {
		[BLOCK_ZLIB] = { "zlib", unpack_zlib },
		[BLOCK_DEFLATE] = { "deflate", unpack_deflate },
		[BLOCK_ZSTD] = { "zstd", unpack_zstd },
		[BLOCK_LZO1X] = { "lzo", unpack_lzo },
	};
	/* Paid for in advance: what fits is what it may give. */
	return budget_inflate(budget, in.size, formats[format].name, error) &&
	       budget_inflate(budget, capacity, formats[format].name, error) &&
	       formats[format].unpack(in, out, capacity, got, error);
}
