#include "codec/liblzma.h"

#ifdef HAVE_LIBLZMA

#include <inttypes.h>
#include <stdlib.h>

static bool explain(const struct decoder *decoder, lzma_ret status, struct error *error)
{
	const char *name = decoder->codec->name;
	switch (status) {
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return error_set(error, ERROR_LIMIT,
		                 "%s data ask for a dictionary that needs more than %" PRIu64
		                 " MiB of memory",
		                 name, CODEC_LZMA_MEMORY >> 20);
	case LZMA_OPTIONS_ERROR:
		return error_set(error, ERROR_UNSUPPORTED, "%s data use options that liblzma does not know",
		                 name);
	case LZMA_FORMAT_ERROR:
		return error_set(error, ERROR_CORRUPT, "%s data do not begin with an %s header", name, name);
	default:
		return error_set(error, ERROR_CORRUPT, "%s data are damaged", name);
	}
}

bool liblzma_open(struct decoder *decoder, lzma_stream *stream, lzma_ret status, struct error *error)
{
	if (status != LZMA_OK) {
		lzma_end(stream);
		return explain(decoder, status, error);
	}
	lzma_stream *kept = xmalloc(sizeof(*kept));
	*kept = *stream;
	decoder->state = kept;
	return true;
}

bool liblzma_step(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got, struct error *error)
{
	lzma_stream *stream = decoder->state;
	stream->next_in = decoder->input.data;
	stream->avail_in = decoder->input.size;
	stream->next_out = buffer;
	stream->avail_out = capacity;
	lzma_ret status = lzma_code(stream, LZMA_RUN);
	decoder_use(decoder, decoder->input.size - stream->avail_in);
	*got = capacity - stream->avail_out;
	decoder->finished = status == LZMA_STREAM_END;
	if (status == LZMA_OK || status == LZMA_STREAM_END || status == LZMA_BUF_ERROR)
		return true;
	return explain(decoder, status, error);
}

void liblzma_close(struct decoder *decoder)
{
	lzma_end(decoder->state);
	free(decoder->state);
}

#endif
