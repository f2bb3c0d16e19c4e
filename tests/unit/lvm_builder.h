// Builds physical volumes of LVM2 in memory, byte by byte, for tests and fuzz targets.
#pragma once

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#define LVM_AREA        4096  /* of a physical volume: its first metadata area */
#define LVM_AREA_SIZE   8192  /* with its header of 512 bytes */
#define LVM_SECOND      12288 /* its second one, where it has one */
#define LVM_SECOND_SIZE 4096
#define LVM_DATA        16384 /* where its extents start: sector 32 */

/* One physical volume, `size` bytes at `at`. */
struct lvm_builder {
	uint8_t *at;
	uint64_t size;
	const char *id;     /* 32 characters */
	unsigned sector;    /* of the label: 0 to 3 */
	uint64_t text_at;   /* offset of the text in the first area; 0: 512 */
	const char *text;   /* the metadata in it; NULL: none */
	const char *second; /* the metadata in the second area; NULL: there is no second area */
};

static inline void lvm_put(uint8_t *at, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

/* LVM's CRC starts with a value of its own and is not inverted. */
static inline uint32_t lvm_builder_crc(const uint8_t *bytes, size_t size)
{
	return ~(uint32_t)crc32_z(~0xf597a6cfu, bytes, size);
}

/* Makes the checksums of label and area headers right. */
static inline void lvm_sign(const struct lvm_builder *lvm)
{
	uint8_t *label = lvm->at + (size_t)512 * lvm->sector;
	lvm_put(label + 16, lvm_builder_crc(label + 20, 512 - 20), 4);
	lvm_put(lvm->at + LVM_AREA, lvm_builder_crc(lvm->at + LVM_AREA + 4, 512 - 4), 4);
	if (lvm->second)
		lvm_put(lvm->at + LVM_SECOND, lvm_builder_crc(lvm->at + LVM_SECOND + 4, 512 - 4), 4);
}

static inline void lvm_build_area(uint8_t *area, uint64_t at, uint64_t size, uint64_t text_at,
                                  const char *text)
{
	memcpy(area + 4, " LVM2 x[5A%r0N*>", 16);
	lvm_put(area + 20, 1, 4);
	lvm_put(area + 24, at, 8);
	lvm_put(area + 32, size, 8);
	if (!text)
		return;
	size_t length = strlen(text) + 1;
	lvm_put(area + 40, text_at, 8);
	lvm_put(area + 48, length, 8);
	lvm_put(area + 56, lvm_builder_crc((const uint8_t *)text, length), 4);
	/* A text that reaches the end of the area goes on behind the header. */
	for (size_t i = 0; i < length; i++, text_at++) {
		text_at = text_at == size ? 512 : text_at;
		area[text_at] = (uint8_t)text[i];
	}
}

static inline void lvm_build(const struct lvm_builder *lvm)
{
	uint8_t *label = lvm->at + (size_t)512 * lvm->sector;
	memcpy(label, "LABELONE", 8);
	lvm_put(label + 8, lvm->sector, 8);
	lvm_put(label + 20, 32, 4);
	memcpy(label + 24, "LVM2 001", 8);
	memcpy(label + 32, lvm->id, 32);
	lvm_put(label + 64, lvm->size, 8);
	lvm_put(label + 72, LVM_DATA, 8);
	lvm_put(label + 104, LVM_AREA, 8);
	lvm_put(label + 112, LVM_AREA_SIZE, 8);
	lvm_build_area(lvm->at + LVM_AREA, LVM_AREA, LVM_AREA_SIZE, lvm->text_at ? lvm->text_at : 512,
	               lvm->text);
	if (lvm->second) {
		lvm_put(label + 120, LVM_SECOND, 8);
		lvm_put(label + 128, LVM_SECOND_SIZE, 8);
		lvm_build_area(lvm->at + LVM_SECOND, LVM_SECOND, LVM_SECOND_SIZE, 512, lvm->second);
	}
	lvm_sign(lvm);
}
