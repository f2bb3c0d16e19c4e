#include "base/span.h"

#include <string.h>

#include "base/checked.h"

struct span span_text(const char *text)
{
	return span_of(text, text ? strlen(text) : 0);
}

bool span_slice(struct span span, size_t offset, size_t length, struct span *out)
{
	if (!range_inside(offset, length, span.size))
		return false;
	/* Arithmetic on a NULL pointer is undefined, even by nothing. */
	*out = span_of(span.data ? span.data + offset : NULL, length);
	return true;
}

struct span span_from(struct span span, size_t offset)
{
	struct span rest = { 0 };
	if (offset < span.size && !span_slice(span, offset, span.size - offset, &rest))
		return (struct span){ 0 };
	return rest;
}

/* All getters: `width` bytes, least significant first. */
static bool get_le(struct span span, size_t offset, size_t width, uint64_t *out)
{
	struct span bytes;
	if (!span_slice(span, offset, width, &bytes))
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)bytes.data[i] << (8 * i);
	*out = value;
	return true;
}

static bool get_be(struct span span, size_t offset, size_t width, uint64_t *out)
{
	struct span bytes;
	if (!span_slice(span, offset, width, &bytes))
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value = value << 8 | bytes.data[i];
	*out = value;
	return true;
}

#define GETTER(name, type, read)                                                                             \
	bool name(struct span span, size_t offset, type *out)                                                \
	{                                                                                                    \
		uint64_t value;                                                                              \
		if (!read(span, offset, sizeof(type), &value))                                               \
			return false;                                                                        \
		*out = (type)value;                                                                          \
		return true;                                                                                 \
	}

GETTER(get_u8, uint8_t, get_le)
GETTER(get_le16, uint16_t, get_le)
GETTER(get_le32, uint32_t, get_le)
GETTER(get_le64, uint64_t, get_le)
GETTER(get_be16, uint16_t, get_be)
GETTER(get_be32, uint32_t, get_be)
GETTER(get_be64, uint64_t, get_be)

bool span_has(struct span span, size_t offset, const void *magic, size_t length)
{
	struct span bytes;
	return span_slice(span, offset, length, &bytes) &&
	       (length == 0 || memcmp(bytes.data, magic, length) == 0);
}

bool span_equal_text(struct span span, const char *text)
{
	return span.size == strlen(text) && span_has(span, 0, text, span.size);
}

size_t span_find(struct span span, size_t from, const void *needle, size_t length)
{
	struct span rest = span_from(span, from);
	if (length == 0 || rest.size < length)
		return SIZE_MAX;
	const uint8_t *at = memmem(rest.data, rest.size, needle, length);
	return at ? (size_t)(at - span.data) : SIZE_MAX;
}

bool span_is_zero(struct span span)
{
	/* The C library compares with the widest words that the processor has; its first cache keeps these.
	 */
	static const uint8_t zeros[4096];
	size_t at = 0;
	for (; span.size - at > sizeof(zeros); at += sizeof(zeros))
		if (memcmp(span.data + at, zeros, sizeof(zeros)) != 0)
			return false;
	return at == span.size || memcmp(span.data + at, zeros, span.size - at) == 0;
}

bool span_next_line(struct span *rest, struct span *line)
{
	if (rest->size == 0)
		return false;
	const uint8_t *end = memchr(rest->data, '\n', rest->size);
	size_t length = end ? (size_t)(end - rest->data) : rest->size;
	size_t used = end ? length + 1 : length;
	*line = span_of(rest->data, length);
	if (length > 0 && rest->data[length - 1] == '\r')
		line->size--;
	*rest = span_from(*rest, used);
	return true;
}

static bool is_space(uint8_t character)
{
	return character == ' ' || (character >= '\t' && character <= '\r');
}

struct span span_trim(struct span span)
{
	while (span.size > 0 && is_space(span.data[0]))
		span = span_from(span, 1);
	while (span.size > 0 && is_space(span.data[span.size - 1]))
		span.size--;
	return span;
}
