#include "machine/init/pack.h"

#include <string.h>

#define MATCH_LEAST  3u
#define MATCH_MOST   258u
#define WINDOW       32768u
#define HASH_BITS    15
#define END_OF_BLOCK 256u

struct packer {
	FILE *out;
	uint64_t bits; /* not written yet, the first in the lowest place */
	unsigned count;
};

static void put_bits(struct packer *packer, unsigned value, unsigned count)
{
	packer->bits |= (uint64_t)value << packer->count; /* 7 + 32 at most */
	packer->count += count;
	for (; packer->count >= 8; packer->count -= 8) {
		putc((int)(packer->bits & 0xff), packer->out);
		packer->bits >>= 8;
	}
}

/* Huffman codes stand with their highest bit first, everything else with its lowest. */
static void put_code(struct packer *packer, unsigned code, unsigned count)
{
	unsigned turned = 0;
	for (unsigned i = 0; i < count; i++)
		turned |= (code >> i & 1) << (count - 1 - i);
	put_bits(packer, turned, count);
}

/* RFC 1951, 3.2.6: the fixed codes of literals and lengths. */
static void put_symbol(struct packer *packer, unsigned symbol)
{
	if (symbol < 144)
		put_code(packer, 0x30 + symbol, 8);
	else if (symbol < 256)
		put_code(packer, 0x190 + symbol - 144, 9);
	else if (symbol < 280)
		put_code(packer, symbol - 256, 7);
	else
		put_code(packer, 0xc0 + symbol - 280, 8);
}

/* RFC 1951, 3.2.5: the code of a value is where it lies between powers of two, with `steps` codes for each.
 */
static void put_match(struct packer *packer, unsigned length, unsigned distance)
{
	unsigned extra = 0, rest = length - MATCH_LEAST;
	if (length == MATCH_MOST) {
		put_symbol(packer, 285);
	} else {
		while (rest >> extra >= 8)
			extra++;
		put_symbol(packer, 257 + 4 * extra + (rest >> extra));
		put_bits(packer, rest & ((1u << extra) - 1), extra);
	}
	extra = 0;
	rest = distance - 1;
	while (rest >> extra >= 4)
		extra++;
	put_code(packer, 2 * extra + (rest >> extra), 5);
	put_bits(packer, rest & ((1u << extra) - 1), extra);
}

static uint32_t hash_of(const uint8_t *at)
{
	uint32_t three = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
	return three * 2654435761u >> (32 - HASH_BITS);
}

/* One block of the place where three such bytes were last: behind a header that resembles the one before it.
 */
static void put_block(struct packer *packer, const uint8_t *data, size_t size)
{
	static size_t last[1u << HASH_BITS]; /* 1 + the place */
	memset(last, 0, sizeof(last));
	put_bits(packer, 1, 1); /* the last block */
	put_bits(packer, 1, 2); /* of fixed codes */
	for (size_t at = 0; at < size;) {
		unsigned length = 0;
		size_t from = 0;
		if (size - at >= MATCH_LEAST) {
			size_t *known = &last[hash_of(data + at)];
			from = *known;
			*known = at + 1;
			if (from > 0 && at - (from - 1) <= WINDOW)
				while (length < MATCH_MOST && at + length < size &&
				       data[from - 1 + length] == data[at + length])
					length++;
		}
		if (length < MATCH_LEAST) {
			put_symbol(packer, data[at++]);
			continue;
		}
		put_match(packer, length, (unsigned)(at - (from - 1)));
		at += length;
	}
	put_symbol(packer, END_OF_BLOCK);
	if (packer->count)
		put_bits(packer, 0, 8 - packer->count);
}

static uint32_t crc_of(const uint8_t *data, size_t size)
{
	uint32_t crc = ~0u;
	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

bool pack(const uint8_t *data, size_t size, FILE *out)
{
	/* Magic, deflate, no flags, no time, nothing about the effort, an unknown system. */
	static const uint8_t header[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
	struct packer packer = { .out = out };
	fwrite(header, 1, sizeof(header), out);
	put_block(&packer, data, size);
	put_bits(&packer, crc_of(data, size), 32);
	put_bits(&packer, (unsigned)size, 32);
	return !ferror(out);
}
