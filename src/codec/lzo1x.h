// LZO1X, the instructions behind lzop files and btrfs' compress=lzo.
#pragma once

#include <stdbool.h>

#include "base/span.h"

/* Unpacks up to the end marker; false when the data are damaged, or give more than `capacity` bytes. */
NODISCARD bool lzo1x_unpack(struct span in, uint8_t *out, size_t capacity, size_t *got);
