// Builds partition tables in memory, byte by byte, for tests.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct image {
	uint8_t *bytes;
	uint64_t size;
	uint64_t sector_size;
};

struct gpt_entry_spec {
	const char *type; /* 32 hexadecimal digits as on the disk; NULL: Linux filesystem */
	uint64_t first, last;
	uint64_t attributes;
	const char *name; /* ASCII */
};

static inline struct image image_new(uint64_t size, uint64_t sector_size)
{
	struct image image = { calloc(1, size), size, sector_size };
	if (!image.bytes)
		abort();
	return image;
}

static inline void put_le(uint8_t *at, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static inline void put_mbr_entry(struct image *image, uint64_t sector, unsigned slot, uint8_t flag,
                                 uint8_t type, uint32_t start, uint32_t sectors)
{
	uint8_t *record = image->bytes + sector * 512;
	uint8_t *entry = record + 446 + (size_t)16 * slot;
	entry[0] = flag;
	entry[4] = type;
	put_le(entry + 8, start, 4);
	put_le(entry + 12, sectors, 4);
	record[510] = 0x55;
	record[511] = 0xaa;
}

static inline uint64_t image_last(const struct image *image)
{
	return image->size / image->sector_size - 1;
}

static inline uint8_t *image_sector(struct image *image, uint64_t lba)
{
	return image->bytes + lba * image->sector_size;
}

/* Makes the CRCs of the copy whose header stands at `lba` right again. */
static inline void gpt_sign(struct image *image, uint64_t lba)
{
	uint8_t *header = image_sector(image, lba);
	uint64_t entries = 0;
	uint32_t count = 0, size = 0;
	for (unsigned i = 8; i-- > 0;)
		entries = entries << 8 | header[72 + i];
	for (unsigned i = 4; i-- > 0;) {
		count = count << 8 | header[80 + i];
		size = size << 8 | header[84 + i];
	}
	put_le(header + 88, crc32(0, image_sector(image, entries), count * size), 4);
	put_le(header + 16, 0, 4);
	put_le(header + 16, crc32(0, header, 92), 4);
}

static inline void put_gpt_copy(struct image *image, uint64_t lba, uint64_t other, uint64_t entries_lba,
                                const struct gpt_entry_spec *specs, size_t count)
{
	uint64_t entries_sectors = 128 * 128 / image->sector_size;
	uint8_t *header = image_sector(image, lba);
	memcpy(header, "EFI PART", 8);
	put_le(header + 8, 0x10000, 4);
	put_le(header + 12, 92, 4);
	put_le(header + 24, lba, 8);
	put_le(header + 32, other, 8);
	put_le(header + 40, 2 + entries_sectors, 8);
	put_le(header + 48, image_last(image) - 1 - entries_sectors, 8);
	for (uint8_t i = 0; i < 16; i++)
		header[56 + i] = (uint8_t)(0x10 + i);
	put_le(header + 72, entries_lba, 8);
	put_le(header + 80, 128, 4);
	put_le(header + 84, 128, 4);
	for (size_t i = 0; i < count; i++) {
		uint8_t *entry = image_sector(image, entries_lba) + 128 * i;
		const char *type = specs[i].type ? specs[i].type : "af3dc60f838472478e793d69d8477de4";
		for (size_t j = 0; j < 16; j++) {
			char digits[] = { type[2 * j], type[2 * j + 1], 0 };
			entry[j] = (uint8_t)strtoul(digits, NULL, 16);
			entry[16 + j] = (uint8_t)(0xa0 + i);
		}
		put_le(entry + 32, specs[i].first, 8);
		put_le(entry + 40, specs[i].last, 8);
		put_le(entry + 48, specs[i].attributes, 8);
		for (size_t j = 0; specs[i].name && specs[i].name[j]; j++)
			entry[56 + 2 * j] = (uint8_t)specs[i].name[j];
	}
	gpt_sign(image, lba);
}

/* A sound GPT: protective MBR, primary and backup. */
static inline void put_gpt(struct image *image, const struct gpt_entry_spec *specs, size_t count)
{
	uint64_t last = image_last(image), sectors = 128 * 128 / image->sector_size;
	put_mbr_entry(image, 0, 0, 0, 0xee, 1, (uint32_t)last);
	put_gpt_copy(image, 1, last, 2, specs, count);
	put_gpt_copy(image, last, 1, last - sectors, specs, count);
}
