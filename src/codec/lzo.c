// lzo, the lzop file format: recognised and named only. liblzo2 is under GPL-2+, which this project's licence
// does not go with.
#include "codec/formats.h"

static bool lzo_matches(struct span head)
{
	return span_has(head, 0, "\x89LZO\0\r\n\x1a\n", 9);
}

static bool lzo_open(struct decoder *decoder, struct error *error)
{
	return error_set(error, ERROR_UNSUPPORTED,
	                 "%s data cannot be read: compress with zstd or gzip instead", decoder->codec->name);
}

const struct codec codec_lzo = {
	.name = "lzo",
	.matches = lzo_matches,
	.open = lzo_open,
};
