// Decompression behind one call. One format is one file with a `const struct codec` at its end and one
// row in codecs[]; a library that was not built in leaves a row that answers ERROR_UNSUPPORTED.
//
// A decoder streams exactly one member (gzip member, xz stream, zstd or lz4 frame, bzip2 stream, lzma):
// what follows is the caller's to look at, because an initramfs and a kernel put other things there.
#pragma once

#include "base/budget.h"
#include "base/reader.h"

struct decoder; /* opaque, one per open stream */

struct codec {
	const char *name; /* "gzip", "xz", "zstd", "lz4", "bzip2", "lzma", "lzo", "lz4-frame" */
	bool (*matches)(struct span head); /* looks at up to CODEC_HEAD bytes */
	/* Allocates the format's state; ERROR_UNSUPPORTED when the library is not there. */
	bool (*open)(struct decoder *decoder, struct error *error);
	/*
	 * Turns decoder->input into at most `capacity` bytes of output; sets *got, and decoder->finished at
	 * the end of the member. May use up input without giving output.
	 */
	bool (*step)(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got,
	             struct error *error);
	void (*close)(struct decoder *decoder);
};

#define CODEC_HEAD 16

/*
 * Input that comes in order and whose end is not known before: fills the buffer as far as it goes; *got <
 * capacity only at the end.
 */
typedef bool feed_fn(void *state, void *buffer, size_t capacity, size_t *got, struct error *error);

struct decoder {
	const struct codec *codec;
	const struct reader *in; /* borrowed; NULL: there is a feed */
	feed_fn *feed;
	void *feed_state;      /* borrowed */
	struct budget *budget; /* borrowed */
	uint64_t next;         /* offset of the first byte not yet loaded */
	struct span input;     /* loaded and not yet used */
	uint8_t *buffer;       /* owned */
	size_t capacity;       /* of the buffer */
	bool finished;
	struct span zeros; /* see decoder_zeros() */
	void *state; /* the codec's own, owned */
};

/* Ends with NULL. */
extern const struct codec *const codecs[];

/* The format that begins with these bytes, CODEC_HEAD of them at best; NULL when it is none of ours. */
const struct codec *codec_of(struct span head);
/* The format that starts at `offset`, or NULL when it is none of ours (or cannot be read). */
const struct codec *codec_detect(const struct reader *in, uint64_t offset);

/* Starts decoding one member at `offset`. On success decoder_close() is owed. */
NODISCARD bool decoder_open(struct decoder *out, const struct codec *codec, const struct reader *in,
                            uint64_t offset, struct budget *budget, struct error *error);
/* The same from the first byte that a feed will give. */
NODISCARD bool decoder_open_feed(struct decoder *out, const struct codec *codec, feed_fn *feed, void *state,
                                 struct budget *budget, struct error *error);
/* Fills the buffer as far as the member goes: *got < capacity only at its end, 0 behind it. */
NODISCARD bool decoder_read(struct decoder *decoder, void *buffer, size_t capacity, size_t *got,
                            struct error *error);
/*
 * Zeros among the bytes that the last decoder_read() gave, where the format came upon some by the way: one
 * run, and others may be there. Empty: nothing is known.
 */
struct span decoder_zeros(const struct decoder *decoder);
/*
 * At the end of a member: starts the next one, when zeros at most lie between; otherwise *more is false, and
 * decoder_offset() is that of the first byte of something else, or the input's end when decoder_at_end().
 */
NODISCARD bool decoder_next(struct decoder *decoder, bool *more, struct error *error);
bool decoder_at_end(const struct decoder *decoder);
/* Offset in the input behind what was used; exact once the member has ended. */
uint64_t decoder_offset(const struct decoder *decoder);
void decoder_close(struct decoder *decoder);

/* Decodes all concatenated members from `offset` on into the arena, with a NUL behind; at most `most`. */
NODISCARD bool codec_load(const struct reader *in, uint64_t offset, size_t most, struct budget *budget,
                          struct arena *arena, struct span *out, struct error *error);
