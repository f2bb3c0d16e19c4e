// xz, "The .xz File Format" 1.1.0, by liblzma. A file may hold several streams; a decoder reads one.
#include "codec/liblzma.h"

static bool xz_matches(struct span head)
{
	return span_has(head, 0, "\xfd\067zXZ\0", 6);
}

static bool xz_open(struct decoder *decoder, struct error *error)
{
#ifdef HAVE_LIBLZMA
	lzma_stream stream = LZMA_STREAM_INIT;
	return liblzma_open(decoder, &stream, lzma_stream_decoder(&stream, CODEC_LZMA_MEMORY, 0), error);
#else
	return codec_not_built(decoder, "liblzma", error);
#endif
}

const struct codec codec_xz = {
	.name = "xz",
	.matches = xz_matches,
	.open = xz_open,
	.step = liblzma_step,
	.close = liblzma_close,
};
