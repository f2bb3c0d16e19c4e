// Checksums hide what lies behind them from random damage: these are found in the sound image by the magic
// beside each, and made right again after it was damaged.
#include <ext2fs/ext2fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/span.h"
#include "disk/tar.h"
#include "mutate.h"

#define AREA_MOST (1u << 20)

static void add(struct signed_areas *areas, uint64_t offset, uint64_t length, uint64_t at, enum sum sum)
{
	if (length == 0 || length > AREA_MOST)
		return;
	areas->items = realloc(areas->items, (areas->count + 1) * sizeof(*areas->items));
	areas->items[areas->count++] = (struct signed_area){ { offset, length }, at, sum };
}

/* --- finding --- */

/* Blocks of xfs version 5 by their magic; the length 0 is that of a block, 1 of an inode, 2 of a directory
 * block. */
static const struct {
	const char *magic;
	uint8_t magic_at, sum_at, length;
} xfs_blocks[] = {
	{ "XDB3", 0, 4, 2 },      { "XDD3", 0, 4, 2 },      { "XDF3", 0, 4, 2 },
	{ "\x3d\xf1", 8, 12, 2 }, { "\x3d\xff", 8, 12, 2 }, { "\x3e\xbe", 8, 12, 2 },
	{ "BMA3", 0, 64, 0 },     { "XSLM", 0, 12, 0 },     { "IN", 0, 100, 1 },
};

static void find_xfs(const struct image *image, struct signed_areas *areas)
{
	uint8_t bytes[PIECE];
	uint32_t block = 0;
	uint16_t version = 0, sector = 0, inode = 0;
	image_read(image, 0, bytes, sizeof(bytes));
	struct span super = span_of(bytes, sizeof(bytes));
	if (!span_has(super, 0, "XFSB", 4) || !get_be32(super, 4, &block) ||
	    !get_be16(super, 100, &version) || !get_be16(super, 102, &sector) ||
	    !get_be16(super, 104, &inode) || (version & 15) != 5)
		return;
	uint32_t lengths[] = { block, inode, block << bytes[192] };
	add(areas, 0, sector, 224, SUM_CRC32C);
	for (size_t i = 0; i < image->data.count; i++) {
		uint64_t at = image->data.items[i].offset;
		image_read(image, at, bytes, sizeof(bytes));
		for (size_t j = 0; j < sizeof(xfs_blocks) / sizeof(*xfs_blocks); j++)
			if (span_has(super, xfs_blocks[j].magic_at, xfs_blocks[j].magic,
			             strlen(xfs_blocks[j].magic)))
				add(areas, at, lengths[xfs_blocks[j].length], at + xfs_blocks[j].sum_at,
				    SUM_CRC32C);
	}
}

/* Nodes name the file system that they belong to; the copies of the superblock stand at 64 KiB and 64 MiB. */
static void find_btrfs(const struct image *image, struct signed_areas *areas)
{
	uint8_t bytes[PIECE], id[16];
	uint32_t node;
	image_read(image, 65536, bytes, sizeof(bytes));
	struct span super = span_of(bytes, sizeof(bytes));
	if (!span_has(super, 64, "_BHRfS_M", 8) || !get_le32(super, 148, &node) || node < 4096)
		return;
	memcpy(id, bytes + 32, sizeof(id));
	for (size_t i = 0; i < image->data.count; i++) {
		uint64_t at = image->data.items[i].offset;
		image_read(image, at, bytes, sizeof(bytes));
		bool is_super = span_has(super, 64, "_BHRfS_M", 8);
		if (at % 4096 == 0 && (is_super || span_has(super, 32, id, sizeof(id))))
			add(areas, at + 32, (is_super ? 4096 : node) - 32, at, SUM_CRC32C);
	}
}

static void find_gpt(const struct image *image, struct signed_areas *areas)
{
	uint64_t headers[] = { 512, image->size - 512 }, entries;
	uint8_t bytes[PIECE];
	struct span header = span_of(bytes, sizeof(bytes));
	uint32_t size, count, width;
	for (size_t i = 0; i < 2 && image->size > 2 * PIECE; i++) {
		image_read(image, headers[i], bytes, sizeof(bytes));
		if (!span_has(header, 0, "EFI PART", 8) || !get_le32(header, 12, &size) ||
		    !get_le64(header, 72, &entries) || !get_le32(header, 80, &count) ||
		    !get_le32(header, 84, &width))
			continue;
		add(areas, entries * PIECE, (uint64_t)count * width, headers[i] + 88, SUM_CRC32);
		add(areas, headers[i], size, headers[i] + 16, SUM_CRC32);
	}
}

static void find_lvm(const struct image *image, uint64_t at, struct span piece, struct signed_areas *areas)
{
	uint64_t own, text, length;
	if (span_has(piece, 0, "LABELONE", 8))
		add(areas, at + 20, PIECE - 20, at + 16, SUM_LVM);
	if (!span_has(piece, 4, " LVM2 x[5A%r0N*>", 16) || !get_le64(piece, 24, &own) ||
	    !get_le64(piece, 40, &text) || !get_le64(piece, 48, &length))
		return;
	(void)image;
	add(areas, at + text, length, at + 56, SUM_LVM);
	add(areas, at + 4, PIECE - 4, at, SUM_LVM);
}

static void find_containers(const struct image *image, struct signed_areas *areas)
{
	uint8_t bytes[PIECE];
	struct span piece = span_of(bytes, sizeof(bytes));
	bool is_vhdx, is_tar;
	image_read(image, 0, bytes, sizeof(bytes));
	is_vhdx = span_has(piece, 0, "vhdxfile", 8);
	is_tar = tar_is_header(piece);
	for (size_t i = 0; i < image->data.count; i++) {
		uint64_t at = image->data.items[i].offset;
		image_read(image, at, bytes, sizeof(bytes));
		if (is_tar && tar_is_header(piece))
			add(areas, at, PIECE, at + 148, SUM_TAR);
		if (span_has(piece, 0, "conectix", 8))
			add(areas, at, PIECE, at + 64, SUM_COMPLEMENT);
		if (span_has(piece, 0, "cxsparse", 8))
			add(areas, at, 1024, at + 36, SUM_COMPLEMENT);
		if (is_vhdx && (span_has(piece, 0, "head", 4) || span_has(piece, 0, "regi", 4)))
			add(areas, at, bytes[0] == 'h' ? 4096 : 65536, at + 4, SUM_CRC32C);
		find_lvm(image, at, piece, areas);
	}
}

void signed_find(const struct image *image, struct signed_areas *out)
{
	*out = (struct signed_areas){ 0 };
	find_xfs(image, out);
	find_btrfs(image, out);
	find_containers(image, out);
	find_gpt(image, out);
}

/* --- mending --- */

static void write_le32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t byte_sum(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < length; i++)
		sum += bytes[i];
	return sum;
}

/* The sum's place within the bytes holds what the format wants there. */
static size_t make_sum(enum sum kind, const uint8_t *bytes, size_t length, uint8_t sum[8])
{
	uint32_t value;
	switch (kind) {
	case SUM_CRC32C:
		write_le32(sum, ~ext2fs_crc32c_le(UINT32_MAX, bytes, length));
		return 4;
	case SUM_CRC32:
		write_le32(sum, (uint32_t)crc32_z(0, bytes, length));
		return 4;
	case SUM_LVM:
		write_le32(sum, ~(uint32_t)crc32_z(~0xf597a6cfu, bytes, length));
		return 4;
	case SUM_COMPLEMENT:
		value = ~byte_sum(bytes, length);
		for (int i = 0; i < 4; i++)
			sum[i] = (uint8_t)(value >> (24 - 8 * i));
		return 4;
	case SUM_TAR:
		snprintf((char *)sum, 8, "%06o", byte_sum(bytes, length) & 0777777);
		sum[7] = ' ';
		return 8;
	}
	return 0;
}

static bool overlaps(struct range a, struct range b)
{
	return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

static void mend(const struct image *image, const struct signed_area *area, struct ranges *changed)
{
	static uint8_t bytes[AREA_MOST];
	uint8_t sum[8];
	size_t width = area->sum == SUM_TAR ? 8 : 4;
	image_read(image, area->covers.offset, bytes, (size_t)area->covers.length);
	if (overlaps(area->covers, (struct range){ area->at, width }))
		memset(bytes + (area->at - area->covers.offset), area->sum == SUM_TAR ? ' ' : 0, width);
	width = make_sum(area->sum, bytes, (size_t)area->covers.length, sum);
	image_write(image, area->at, sum, width);
	ranges_add(changed, area->at, width);
}

void signed_mend(const struct image *image, const struct signed_areas *areas, struct ranges *changed)
{
	/* A sum over a sum stands behind it in the list. */
	for (size_t i = 0; i < areas->count; i++)
		for (size_t j = 0; j < changed->count; j++)
			if (overlaps(areas->items[i].covers, changed->items[j])) {
				mend(image, &areas->items[i], changed);
				break;
			}
}
