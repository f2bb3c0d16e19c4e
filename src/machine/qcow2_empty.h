// An empty qcow2 image: what the guest writes goes there, and everything else is read from the disk beneath.
#pragma once

#include <stdint.h>

#include "base/error.h"

/*
 * Writes one for a disk of `size` bytes (rounded up to whole sectors of 512) to the empty file `descriptor`.
 * It names no backing file: whoever opens it says what lies beneath. ERROR_IO: the file takes no more;
 * ERROR_LIMIT: the disk is too large for the format with this cluster size.
 */
NODISCARD bool qcow2_write_empty(int descriptor, uint64_t size, struct error *error);
