// LZO1X: literals and matches in what was given before, told apart by the first byte of an instruction.
//
//   first byte of all  18..255   literals, byte - 17 of them, in front of the first instruction
//   0000LLLL           literals, L + 3 of them, where the last instruction gave none or 1 to 3 have no place;
//   0000DDSS H         behind 1 to 3 literals: a match of 2 bytes, H * 4 + D + 1 back;
//                      behind a run of 4 and more: a match of 3 bytes, H * 4 + D + 2049 back
//   0001HLLL le16      a match of L + 2 bytes, 16384 + H * 16384 + (le16 >> 2) back; 16384 back is the end
//   001LLLLL le16      a match of L + 2 bytes, (le16 >> 2) + 1 back
//   01LDDDSS H         a match of L + 3 bytes, H * 8 + D + 1 back
//   1LLDDDSS H         a match of L + 5 bytes, H * 8 + D + 1 back
//
// L of zero in the first, third and fourth form goes on in the next bytes: 255 for each zero byte, then the
// first that is not, above the largest L. S, or the low bits of le16, is how many literals follow a match.
//
// Source: the description of the format in the Linux documentation (staging/lzo).
#include "codec/lzo1x.h"

#include <string.h>

struct unpacking {
	struct span in;
	size_t at; /* in `in` */
	uint8_t *out;
	size_t capacity, size;
	/* Literals that stood before the next instruction: 0 to 3, or 4 for a run of its own. */
	unsigned state;
};

struct match {
	size_t length, distance;
	unsigned literals; /* behind it */
};

static bool next_byte(struct unpacking *unpacking, uint8_t *byte)
{
	if (!get_u8(unpacking->in, unpacking->at, byte))
		return false;
	unpacking->at++;
	return true;
}

static bool copy_literals(struct unpacking *unpacking, size_t count)
{
	struct span literals;
	if (count > unpacking->capacity - unpacking->size ||
	    !span_slice(unpacking->in, unpacking->at, count, &literals))
		return false;
	if (count > 0)
		memcpy(unpacking->out + unpacking->size, literals.data, count);
	unpacking->at += count;
	unpacking->size += count;
	return true;
}

/* A match may reach into what it gives itself: it repeats then. */
static bool copy_match(struct unpacking *unpacking, const struct match *match)
{
	if (match->distance > unpacking->size || match->length > unpacking->capacity - unpacking->size)
		return false;
	uint8_t *to = unpacking->out + unpacking->size;
	const uint8_t *from = to - match->distance;
	if (match->distance >= match->length)
		memcpy(to, from, match->length);
	else
		for (size_t i = 0; i < match->length; i++)
			to[i] = from[i];
	unpacking->size += match->length;
	unpacking->state = match->literals;
	return copy_literals(unpacking, match->literals);
}

/* A length that does not fit its bits, which all are zero then, goes on in the bytes that follow. */
static bool read_length(struct unpacking *unpacking, size_t bits, size_t most, size_t *length)
{
	uint8_t byte;
	*length = bits;
	if (bits != 0)
		return true;
	*length = most;
	do {
		if (!next_byte(unpacking, &byte))
			return false;
		*length += byte ? byte : 255;
	} while (byte == 0);
	return true;
}

/* The forms with two bytes of distance; *end at the marker that nothing follows. */
static bool read_far_match(struct unpacking *unpacking, uint8_t first, struct match *match, bool *end)
{
	uint16_t word;
	bool farthest = first < 32;
	size_t most = farthest ? 7 : 31;
	if (!read_length(unpacking, first & most, most, &match->length) ||
	    !get_le16(unpacking->in, unpacking->at, &word))
		return false;
	unpacking->at += 2;
	match->length += 2;
	match->literals = word & 3;
	match->distance = (size_t)(word >> 2) + 1;
	if (farthest)
		match->distance += 16383 + ((size_t)(first & 8) << 11);
	*end = farthest && match->distance == 16384;
	return true;
}

static bool read_near_match(struct unpacking *unpacking, uint8_t first, struct match *match)
{
	uint8_t high;
	if (!next_byte(unpacking, &high))
		return false;
	match->literals = first & 3;
	if (first >= 128) {
		match->length = 5 + (first >> 5 & 3);
		match->distance = ((size_t)high << 3) + (first >> 2 & 7) + 1;
	} else if (first >= 64) {
		match->length = 3 + (first >> 5 & 1);
		match->distance = ((size_t)high << 3) + (first >> 2 & 7) + 1;
	} else {
		bool behind_run = unpacking->state == 4;
		match->length = behind_run ? 3 : 2;
		match->distance = ((size_t)high << 2) + (first >> 2 & 3) + (behind_run ? 2049 : 1);
	}
	return true;
}

static bool run_instruction(struct unpacking *unpacking, bool *end)
{
	uint8_t first;
	size_t length;
	struct match match;
	if (!next_byte(unpacking, &first))
		return false;
	if (first < 16 && unpacking->state == 0) {
		unpacking->state = 4;
		return read_length(unpacking, first, 15, &length) && copy_literals(unpacking, length + 3);
	}
	if (first >= 16 && first < 64) {
		if (!read_far_match(unpacking, first, &match, end))
			return false;
		return *end || copy_match(unpacking, &match);
	}
	return read_near_match(unpacking, first, &match) && copy_match(unpacking, &match);
}

bool lzo1x_unpack(struct span in, uint8_t *out, size_t capacity, size_t *got)
{
	struct unpacking unpacking = { .in = in, .out = out, .capacity = capacity };
	uint8_t first;
	bool end = false;
	if (!get_u8(in, 0, &first))
		return false;
	if (first > 17) {
		unpacking.at = 1;
		unpacking.state = first - 17U < 4 ? first - 17U : 4;
		if (!copy_literals(&unpacking, first - 17U))
			return false;
	}
	while (!end)
		if (!run_instruction(&unpacking, &end))
			return false;
	*got = unpacking.size;
	return true;
}
