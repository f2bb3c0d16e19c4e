// A borrowed run of bytes, and the only way to read numbers out of it.
//
// On-disk structures are never cast onto memory: each field is read by offset and width, after a
// range check, and converted from its byte order. Every getter returns false outside the span.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct span {
	const uint8_t *data; /* borrowed */
	size_t size;
};

static inline struct span span_of(const void *data, size_t size)
{
	return (struct span){ .data = data, .size = size };
}

/* The bytes of a C string without its terminator. */
struct span span_text(const char *text);

/* A part of `span`; false, and *out untouched, when it does not lie inside. */
NODISCARD bool span_slice(struct span span, size_t offset, size_t length, struct span *out);

/* Everything from `offset` on; empty when the offset is at or behind the end. */
struct span span_from(struct span span, size_t offset);

NODISCARD bool get_u8(struct span span, size_t offset, uint8_t *out);
NODISCARD bool get_le16(struct span span, size_t offset, uint16_t *out);
NODISCARD bool get_le32(struct span span, size_t offset, uint32_t *out);
NODISCARD bool get_le64(struct span span, size_t offset, uint64_t *out);
NODISCARD bool get_be16(struct span span, size_t offset, uint16_t *out);
NODISCARD bool get_be32(struct span span, size_t offset, uint32_t *out);
NODISCARD bool get_be64(struct span span, size_t offset, uint64_t *out);

/* Do the bytes at `offset` equal the `length` bytes at `magic`? */
bool span_has(struct span span, size_t offset, const void *magic, size_t length);

bool span_equal_text(struct span span, const char *text);

/* Offset of the first occurrence of `needle` at or after `from`; SIZE_MAX when there is none. */
size_t span_find(struct span span, size_t from, const void *needle, size_t length);

/* Are all bytes zero? True for an empty span. */
bool span_is_zero(struct span span);

/* Takes the next line, without its end of line, off the front of *rest; false at the end. */
NODISCARD bool span_next_line(struct span *rest, struct span *line);

/* Without the white space (blank, tab, CR, LF, VT, FF) at either end. */
struct span span_trim(struct span span);
