// The part that xz and lzma share: liblzma has one stream type for both.
#pragma once

#include "codec/formats.h"

#ifdef HAVE_LIBLZMA

#include <lzma.h>

/* Keeps a stream whose decoder was started with `status`; frees it and fails when that went wrong. */
bool liblzma_open(struct decoder *decoder, lzma_stream *stream, lzma_ret status, struct error *error);
bool liblzma_step(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got,
                  struct error *error);
void liblzma_close(struct decoder *decoder);

#else

#define liblzma_step  NULL
#define liblzma_close NULL

#endif
