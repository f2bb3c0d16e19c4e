// Checked arithmetic: every sum and product of numbers that come from an image goes through here.
// Unsigned only; each returns false, and leaves *out alone, when the true result does not fit.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

NODISCARD static inline bool add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

NODISCARD static inline bool mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t product;
	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}

NODISCARD static inline bool mul_size(size_t a, size_t b, size_t *out)
{
	size_t product;
	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}

/* Do `length` bytes at `offset` lie inside `size` bytes? Never overflows. */
NODISCARD static inline bool range_inside(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* Rounds up to a multiple of `unit`, a power of two. */
NODISCARD static inline bool align_up_u64(uint64_t value, uint64_t unit, uint64_t *out)
{
	uint64_t sum;
	if (!add_u64(value, unit - 1, &sum))
		return false;
	*out = sum & ~(unit - 1);
	return true;
}
