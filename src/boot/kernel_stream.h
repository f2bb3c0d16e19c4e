// The unpacked content of a kernel file as a stream, and the search for a marker in it, with one window of
// bounded size.
#pragma once

#include "boot/kernel_image.h"
#include "codec/codec.h"

#define KERNEL_WINDOW_SIZE ((size_t)2 << 20)

struct kernel_stream {
	struct reader payload;
	struct decoder decoder; /* codec NULL: the payload is not compressed */
	uint64_t next;          /* of an uncompressed payload */
	struct budget *budget;  /* borrowed */
	uint8_t *window;        /* owned, KERNEL_WINDOW_SIZE bytes */
	size_t begin, size;     /* what of it is loaded and not dropped */
	bool ended;             /* nothing follows the window */
	unsigned found;         /* markers so far */
};

/* Starts at the first byte of the payload. On success kernel_stream_close() is owed; *out must not move. */
NODISCARD bool kernel_stream_open(struct kernel_stream *out, const struct reader *file,
                                  const struct kernel_image *image, struct budget *budget,
                                  struct error *error);
void kernel_stream_close(struct kernel_stream *stream);

/* What the window holds; valid until the next call. */
struct span kernel_stream_window(const struct kernel_stream *stream);
/* Loads until the window holds `want` bytes (at most KERNEL_WINDOW_SIZE) or the payload ends. */
NODISCARD bool kernel_stream_fill(struct kernel_stream *stream, size_t want, struct error *error);
/*
 * Moves the window to just behind the next marker; false with ERROR_NOT_FOUND when there is none, or when so
 * many came before it that the file holds nothing else.
 */
NODISCARD bool kernel_stream_find(struct kernel_stream *stream, const char *marker, struct error *error);
