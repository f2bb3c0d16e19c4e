// Decompression of one whole block in memory, as file systems and disk formats keep their content: they know
// how large a block is before and after, so there is nothing to stream.
#pragma once

#include "base/budget.h"
#include "base/span.h"

enum block_format {
	BLOCK_ZLIB,    /* RFC 1950 */
	BLOCK_DEFLATE, /* RFC 1951 without anything around it; ends where the output is full */
	BLOCK_ZSTD,    /* frames of RFC 8878 until the output is full; what else follows is not looked at */
	BLOCK_LZO1X,   /* bare instructions up to their end marker */
};

/*
 * Decompresses `in` into at most `capacity` bytes; *got is how many it gave. More than fits is ERROR_CORRUPT,
 * but for bare deflate, whose formats store no sizes that are exact to the byte. ERROR_UNSUPPORTED in a build
 * without the library.
 */
NODISCARD bool block_unpack(enum block_format format, struct span in, void *out, size_t capacity, size_t *got,
                            struct budget *budget, struct error *error);
