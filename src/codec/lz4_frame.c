// The lz4 frame of lz4_Frame_format.md, which `lz4` writes without -l. The kernel does not read it; we do, to
// say so of what holds it.
#include "codec/formats.h"

static bool lz4_frame_matches(struct span head)
{
	return span_has(head, 0, "\x04\x22\x4d\x18", 4);
}

#ifdef HAVE_LZ4

#include <lz4frame.h>

static bool lz4_frame_open(struct decoder *decoder, struct error *error)
{
	LZ4F_dctx *context;
	if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		return error_set(error, ERROR_LIMIT, "lz4 data: liblz4 has no memory");
	decoder->state = context;
	return true;
}

static bool lz4_frame_step(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got,
                           struct error *error)
{
	size_t used = decoder->input.size;
	*got = capacity;
	size_t status = LZ4F_decompress(decoder->state, buffer, got, decoder->input.data, &used, NULL);
	if (LZ4F_isError(status)) {
		*got = 0;
		return error_set(error, ERROR_CORRUPT, "lz4 data are damaged: %s", LZ4F_getErrorName(status));
	}
	decoder_use(decoder, used);
	decoder->finished = status == 0;
	return true;
}

static void lz4_frame_close(struct decoder *decoder)
{
	LZ4F_freeDecompressionContext(decoder->state);
}

#else

static bool lz4_frame_open(struct decoder *decoder, struct error *error)
{
	return codec_not_built(decoder, "liblz4", error);
}

#define lz4_frame_step  NULL
#define lz4_frame_close NULL

#endif

const struct codec codec_lz4_frame = {
	.name = "lz4-frame",
	.matches = lz4_frame_matches,
	.open = lz4_frame_open,
	.step = lz4_frame_step,
	.close = lz4_frame_close,
};
