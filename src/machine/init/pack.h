// gzip, the little of it that a capture needs: serial ports are slow, and a tar of small files is mostly
// zeros. RFC 1951 with the codes that need no tables, RFC 1952.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes `data` as one gzip stream; false when the file takes no more. */
bool pack(const uint8_t *data, size_t size, FILE *out);
