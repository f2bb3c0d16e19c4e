#include "codec/block.h"

#include <limits.h>
#include <zlib.h>

#include "codec/lzo1x.h"

static bool unpack_zlib(struct span in, uint8_t *out, size_t capacity, size_t *got, struct error *error)
{
	z_stream stream = {
		/* zlib's field is not const, though it only reads. */
		.next_in = (Bytef *)(uintptr_t)in.data,
		.avail_in = (uInt)in.size,
		.next_out = out,
		.avail_out = (uInt)capacity,
	};
	if (in.size > UINT_MAX || capacity > UINT_MAX)
		return error_set(error, ERROR_LIMIT, "a zlib block of %zu bytes is too large", in.size);
	if (inflateInit(&stream) != Z_OK)
		return error_set(error, ERROR_LIMIT, "zlib data: zlib has no memory");
	int status = inflate(&stream, Z_FINISH);
	*got = capacity - stream.avail_out;
	bool full = status == Z_BUF_ERROR && stream.avail_out == 0;
	const char *reason = full ? "they give more than they should" : stream.msg;
	if (status != Z_STREAM_END)
		error_fill(error, ERROR_CORRUPT, "zlib data are damaged: %s",
		           reason ? reason : "they end early");
	inflateEnd(&stream);
	return status == Z_STREAM_END;
}

#ifdef HAVE_ZSTD

#include <zstd.h>

static bool unpack_zstd(struct span in, uint8_t *out, size_t capacity, size_t *got, struct error *error)
{
	/* Not ZSTD_decompress(): that takes zeros behind the frame, which fill up sectors, for another one.
	 */
	size_t size = ZSTD_findFrameCompressedSize(in.data, in.size);
	if (!ZSTD_isError(size))
		size = ZSTD_decompress(out, capacity, in.data, size);
	if (ZSTD_isError(size))
		return error_set(error, ERROR_CORRUPT, "zstd data are damaged: %s", ZSTD_getErrorName(size));
	*got = size;
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
		[BLOCK_ZSTD] = { "zstd", unpack_zstd },
		[BLOCK_LZO1X] = { "lzo", unpack_lzo },
	};
	/* Paid for in advance: what fits is what it may give. */
	return budget_inflate(budget, in.size, formats[format].name, error) &&
	       budget_inflate(budget, capacity, formats[format].name, error) &&
	       formats[format].unpack(in, out, capacity, got, error);
}
