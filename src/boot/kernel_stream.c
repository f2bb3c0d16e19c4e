#include "boot/kernel_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define CHUNK_SIZE ((size_t)64 << 10)
/* A kernel has a marker once or twice. */
#define MARKERS_MOST 1000

/* The kernel's build puts the content's size, 4 bytes, behind an lz4 payload, which cannot tell its end. */
static uint64_t stream_size(const struct kernel_image *image)
{
	bool appended = str_equal(image->format, "bzImage") && str_equal(image->compression, "lz4");
	return appended && image->payload_size >= 4 ? image->payload_size - 4 : image->payload_size;
}

bool kernel_stream_open(struct kernel_stream *out, const struct reader *file,
                        const struct kernel_image *image, struct budget *budget, struct error *error)
{
	*out = (struct kernel_stream){ .budget = budget };
	if (!reader_slice(file, image->payload_offset, stream_size(image), &out->payload, error))
		return false;
	if (!str_equal(image->compression, "none")) {
		const struct codec *codec = codec_detect(&out->payload, 0);
		if (!codec)
			return error_set(error, ERROR_UNSUPPORTED,
			                 "the kernel's payload is compressed in a way that we do not know");
		if (!decoder_open(&out->decoder, codec, &out->payload, 0, budget, error))
			return false;
	}
	out->window = xmalloc(KERNEL_WINDOW_SIZE);
	return true;
}

void kernel_stream_close(struct kernel_stream *stream)
{
	if (stream->decoder.codec)
		decoder_close(&stream->decoder);
	free(stream->window);
	*stream = (struct kernel_stream){ 0 };
}

struct span kernel_stream_window(const struct kernel_stream *stream)
{
	return span_of(stream->window + stream->begin, stream->size);
}

/* Drops bytes at the front of the window. */
static void drop(struct kernel_stream *stream, size_t count)
{
	if (count > stream->size)
		count = stream->size;
	stream->begin += count;
	stream->size -= count;
}

/* Only where more is to be loaded: a kernel may be nothing but markers, each of which is dropped. */
static void move_to_front(struct kernel_stream *stream)
{
	memmove(stream->window, stream->window + stream->begin, stream->size);
	stream->begin = 0;
}

static bool read_plain(struct kernel_stream *stream, uint8_t *buffer, size_t capacity, size_t *got,
                       struct error *error)
{
	uint64_t left = stream->payload.size - stream->next;
	size_t size = left < capacity ? (size_t)left : capacity;
	if (!budget_inflate(stream->budget, size, "the kernel", error) ||
	    !reader_read(&stream->payload, stream->next, buffer, size, error))
		return false;
	stream->next += size;
	*got = size;
	return true;
}

bool kernel_stream_fill(struct kernel_stream *stream, size_t want, struct error *error)
{
	while (stream->size < want && !stream->ended) {
		move_to_front(stream);
		size_t room = KERNEL_WINDOW_SIZE - stream->size;
		size_t size = room < CHUNK_SIZE ? room : CHUNK_SIZE;
		uint8_t *end = stream->window + stream->size;
		size_t got;
		bool sound = stream->decoder.codec ? decoder_read(&stream->decoder, end, size, &got, error)
		                                   : read_plain(stream, end, size, &got, error);
		if (!sound)
			return false;
		stream->size += got;
		stream->ended = got < size;
	}
	return true;
}

bool kernel_stream_find(struct kernel_stream *stream, const char *marker, struct error *error)
{
	size_t length = strlen(marker);
	for (;;) {
		size_t at = span_find(kernel_stream_window(stream), 0, marker, length);
		if (at != SIZE_MAX && ++stream->found > MARKERS_MOST)
			return error_set(error, ERROR_NOT_FOUND, "the kernel contains \"%s\" too often",
			                 marker);
		if (at != SIZE_MAX) {
			drop(stream, at + length);
			return true;
		}
		if (stream->ended)
			return error_set(error, ERROR_NOT_FOUND, "the kernel does not contain \"%s\"",
			                 marker);
		/* The marker may lie across the border: its length less one byte stays. */
		if (stream->size >= length)
			drop(stream, stream->size - (length - 1));
		if (!kernel_stream_fill(stream, length + CHUNK_SIZE, error))
			return false;
	}
}
