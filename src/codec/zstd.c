// Zstandard, RFC 8878, by libzstd. A file may hold several frames; a decoder reads one.
#include "codec/formats.h"

static bool zstd_matches(struct span head)
{
	return span_has(head, 0, "\x28\xb5\x2f\xfd", 4);
}

#ifdef HAVE_ZSTD

#include <zstd.h>
#include <zstd_errors.h>

static bool zstd_open(struct decoder *decoder, struct error *error)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	if (!stream || ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, CODEC_WINDOW_LOG))) {
		ZSTD_freeDStream(stream);
		return error_set(error, ERROR_LIMIT, "zstd data: libzstd has no memory");
	}
	decoder->state = stream;
	return true;
}

static bool zstd_fail(size_t status, struct error *error)
{
	switch (ZSTD_getErrorCode(status)) {
	case ZSTD_error_frameParameter_windowTooLarge:
	case ZSTD_error_memory_allocation:
		return error_set(
			error, ERROR_LIMIT,
			"zstd data ask for a window of more than %u MiB: pack them anew with `--long=%d` "
			"at most",
			1U << (CODEC_WINDOW_LOG - 20), CODEC_WINDOW_LOG);
	case ZSTD_error_dictionary_wrong:
		return error_set(error, ERROR_UNSUPPORTED, "zstd data need a dictionary of their own");
	default:
		return error_set(error, ERROR_CORRUPT, "zstd data are damaged: %s",
		                 ZSTD_getErrorName(status));
	}
}

static bool zstd_step(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got,
                      struct error *error)
{
	ZSTD_inBuffer input = { .src = decoder->input.data, .size = decoder->input.size };
	ZSTD_outBuffer output = { .dst = buffer, .size = capacity };
	size_t status = ZSTD_decompressStream(decoder->state, &output, &input);
	decoder_use(decoder, input.pos);
	*got = output.pos;
	if (ZSTD_isError(status))
		return zstd_fail(status, error);
	decoder->finished = status == 0;
	return true;
}

static void zstd_close(struct decoder *decoder)
{
	ZSTD_freeDStream(decoder->state);
}

#else

static bool zstd_open(struct decoder *decoder, struct error *error)
{
	return codec_not_built(decoder, "libzstd", error);
}

#define zstd_step  NULL
#define zstd_close NULL

#endif

const struct codec codec_zstd = {
	.name = "zstd",
	.matches = zstd_matches,
	.open = zstd_open,
	.step = zstd_step,
	.close = zstd_close,
};
