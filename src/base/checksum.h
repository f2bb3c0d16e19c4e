// CRC-32C over what carries its own checksum.
#pragma once

#include "base/span.h"

/* CRC-32C of all bytes, with the four from `own` on, where it is stored, taken as zeros. */
uint32_t crc32c_but_own(struct span bytes, size_t own);
