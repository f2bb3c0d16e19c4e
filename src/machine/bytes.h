// Numbers in network byte order, put behind a text that serves as a buffer of bytes.
#pragma once

#include "base/text.h"

static inline void put_u8(struct text *out, unsigned value)
{
	text_add_char(out, (char)(value & 0xff));
}

static inline void put_be16(struct text *out, unsigned value)
{
	put_u8(out, value >> 8);
	put_u8(out, value);
}

static inline void put_be32(struct text *out, uint32_t value)
{
	put_be16(out, value >> 16);
	put_be16(out, value & 0xffff);
}

static inline void put_zeros(struct text *out, size_t count)
{
	while (count-- > 0)
		text_add_char(out, '\0');
}

static inline struct span text_bytes(const struct text *text)
{
	return span_of(text_get(text), text->size);
}
