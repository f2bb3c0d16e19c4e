// One header block of a tar archive: its numbers, its checksum, and which program's layout it has.
#include <string.h>

#include "disk/tar_private.h"

/* GNU's way to write what octal digits have no room for: big-endian, two's complement behind the first bit.
 */
static bool number_base256(struct span field, int64_t *out)
{
	bool negative = field.data[0] & 0x40;
	uint64_t value = (negative ? UINT64_MAX << 6 : 0) | (field.data[0] & 0x3f);
	for (size_t i = 1; i < field.size; i++) {
		/* The bits that fall out on the left must all be the sign. */
		if (value >> 55 != (negative ? 0x1ff : 0))
			return false;
		value = value << 8 | field.data[i];
	}
	memcpy(out, &value, sizeof(*out));
	return true;
}

/* Octal digits, blanks in front, a blank or NUL behind unless they fill the field; nothing at all is 0. */
bool tar_number(struct span header, size_t offset, size_t length, int64_t *out)
{
	struct span field;
	if (!span_slice(header, offset, length, &field) || length == 0 || length > 12)
		return false;
	if (field.data[0] & 0x80)
		return number_base256(field, out);
	size_t at = 0;
	while (at < length && field.data[at] == ' ')
		at++;
	int64_t value = 0;
	for (; at < length && field.data[at] != ' ' && field.data[at] != '\0'; at++) {
		if (field.data[at] < '0' || field.data[at] > '7')
			return false;
		value = value * 8 + (field.data[at] - '0');
	}
	*out = value;
	return true;
}

bool tar_has_magic(struct span block)
{
	return span_has(block, TAR_MAGIC, "ustar", 5);
}

/*
 * The sum of all bytes, those of the checksum itself taken as blanks. Some old programs added them up as
 * signed ones.
 */
bool tar_is_header(struct span block)
{
	int64_t wanted;
	if (block.size < TAR_BLOCK || !tar_number(block, TAR_CHECKSUM, 8, &wanted) || wanted == 0)
		return false;
	int64_t plain = 0, with_sign = 0;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool is_checksum = i >= TAR_CHECKSUM && i < TAR_CHECKSUM + 8;
		int byte = is_checksum ? ' ' : block.data[i];
		plain += byte;
		with_sign += byte < 0x80 ? byte : byte - 0x100;
	}
	return wanted == plain || wanted == with_sign;
}

const char *tar_format(struct span header)
{
	if (span_has(header, TAR_MAGIC, "ustar  \0", 8))
		return "gnu";
	return tar_has_magic(header) ? "ustar" : "v7";
}
