// The configuration inside a kernel, CONFIG_IKCONFIG: kernel/configs.c of the kernel puts the text, as one
// gzip member, between two markers into the read-only data.
#include "boot/kernel_stream.h"
#include "codec/codec.h"

#define MARKER_BEGIN "IKCFG_ST"
#define MARKER_END   "IKCFG_ED"

/* A distribution's configuration has 0.3 MiB. */
#define CONFIG_SIZE_MAX ((size_t)8 << 20)

/* Finds the gzip member: the window then begins with it. */
static bool find_member(struct kernel_stream *stream, struct error *error)
{
	do {
		if (!kernel_stream_find(stream, MARKER_BEGIN, error))
			return error->code == ERROR_NOT_FOUND
			               ? error_set(error, ERROR_NOT_FOUND,
			                           "the kernel was built without CONFIG_IKCONFIG and "
			                           "holds no configuration")
			               : false;
		if (!kernel_stream_fill(stream, CODEC_HEAD, error))
			return false;
	} while (!span_has(kernel_stream_window(stream), 0, "\x1f\x8b\x08", 3));
	return true;
}

/* Loads the window up to the end marker. */
static bool take_member(struct kernel_stream *stream, struct span *out, struct error *error)
{
	size_t searched = 0;
	for (;;) {
		struct span window = kernel_stream_window(stream);
		size_t end = span_find(window, searched, MARKER_END, sizeof(MARKER_END) - 1);
		if (end != SIZE_MAX) {
			*out = span_of(window.data, end);
			return true;
		}
		if (stream->ended || window.size == KERNEL_WINDOW_SIZE)
			return error_set(error, ERROR_CORRUPT,
			                 "the configuration inside the kernel has no end: %s without %s",
			                 MARKER_BEGIN, MARKER_END);
		if (window.size >= sizeof(MARKER_END))
			searched = window.size - sizeof(MARKER_END);
		if (!kernel_stream_fill(stream, window.size + 1, error))
			return false;
	}
}

bool kernel_image_config(const struct reader *file, const struct kernel_image *image, struct budget *budget,
                         struct arena *arena, struct span *out, struct error *error)
{
	struct kernel_stream stream;
	struct span member;
	if (!kernel_stream_open(&stream, file, image, budget, error))
		return false;
	bool found = find_member(&stream, error) && take_member(&stream, &member, error);
	if (found) {
		struct reader packed = reader_of_span(&member);
		found = codec_load(&packed, 0, CONFIG_SIZE_MAX, budget, arena, out, error) ||
		        error_wrap(error, "the configuration inside the kernel");
	}
	kernel_stream_close(&stream);
	return found;
}
