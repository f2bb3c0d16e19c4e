// What the formats share with decoder.c: their rows and the bounds on their memory.
#pragma once

#include "codec/codec.h"

extern const struct codec codec_gzip;
extern const struct codec codec_xz;
extern const struct codec codec_zstd;
extern const struct codec codec_lz4;
extern const struct codec codec_lz4_frame;
extern const struct codec codec_bzip2;
extern const struct codec codec_lzma;
extern const struct codec codec_lzo;

/*
 * The largest window that a kernel build uses: `zstd -22 --ultra` and the 128 MiB dictionary of
 * scripts/xz_wrap.sh. Memory is taken as the frame's header asks for, and touched as output comes.
 */
#define CODEC_WINDOW_LOG 27
/* For liblzma: that dictionary and the decoder's own state. */
#define CODEC_LZMA_MEMORY (UINT64_C(144) << 20)

/* The row's `open` in a build without the library; returns false. */
bool codec_not_built(const struct decoder *decoder, const char *library, struct error *error);

/* Takes `count` bytes off the front of decoder->input. */
void decoder_use(struct decoder *decoder, size_t count);

/* Says that these bytes, which a step has just put out, are zeros. */
void decoder_found_zeros(struct decoder *decoder, struct span zeros);
