// Fields and offsets: Microsoft's "FAT: General Overview of On-Disk Format", version 1.03.
#include "fs/vfat_layout.h"

#include "base/checked.h"

/* The numbers of the BIOS parameter block, as they stand there. */
struct parameters {
	uint16_t sector_size, reserved, root_entries, sectors_16, fat_sectors_16;
	uint8_t cluster_sectors, fats, media;
	uint32_t sectors_32, fat_sectors_32, root_cluster;
};

static bool read_parameters(struct span boot, struct parameters *out)
{
	return get_le16(boot, 11, &out->sector_size) && get_u8(boot, 13, &out->cluster_sectors) &&
	       get_le16(boot, 14, &out->reserved) && get_u8(boot, 16, &out->fats) &&
	       get_le16(boot, 17, &out->root_entries) && get_le16(boot, 19, &out->sectors_16) &&
	       get_u8(boot, 21, &out->media) && get_le16(boot, 22, &out->fat_sectors_16) &&
	       get_le32(boot, 32, &out->sectors_32) && get_le32(boot, 36, &out->fat_sectors_32) &&
	       get_le32(boot, 44, &out->root_cluster);
}

static bool power_of_two(uint32_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static bool parameters_sound(const struct parameters *p)
{
	return power_of_two(p->sector_size) && p->sector_size >= 512 && p->sector_size <= 4096 &&
	       power_of_two(p->cluster_sectors) && p->reserved > 0 && p->fats > 0 && p->fats <= 4 &&
	       (p->media == 0xf0 || p->media >= 0xf8);
}

/* Formatting programs write a name of the kind; some write none, but then a jump and the boot signature. */
static bool has_signature(struct span boot)
{
	uint8_t jump = 0;
	if (span_has(boot, 82, "FAT32   ", 8) || span_has(boot, 82, "MSWIN", 5) ||
	    span_has(boot, 54, "FAT", 3) || span_has(boot, 54, "MSDOS", 5))
		return true;
	return get_u8(boot, 0, &jump) && (jump == 0xeb || jump == 0xe9) && span_has(boot, 510, "\x55\xaa", 2);
}

/* How many clusters the FAT has room for; its first two entries stand for none. */
static uint64_t fat_capacity(const struct vfat_layout *layout)
{
	uint64_t entries = layout->fat_size * 8 / layout->bits;
	return entries > 2 ? entries - 2 : 0;
}

/* Linux tells the kinds apart like this, and not by the number of clusters alone. */
static unsigned entry_bits(const struct parameters *p, uint64_t clusters)
{
	if (p->fat_sectors_16 == 0)
		return 32;
	return clusters < 4085 ? 12 : 16;
}

/* The highest numbers are marks. */
static uint64_t clusters_most(unsigned bits)
{
	return bits == 32 ? 0x0ffffff4 : (UINT64_C(1) << bits) - 12;
}

bool vfat_decode(struct span boot, struct vfat_layout *out)
{
	struct parameters p;
	if (!has_signature(boot) || !read_parameters(boot, &p) || !parameters_sound(&p))
		return false;

	/* 32-bit numbers times at most 4 times 4096: no overflow in 64 bits. */
	uint64_t sector = p.sector_size;
	uint64_t sectors = p.sectors_16 ? p.sectors_16 : p.sectors_32;
	uint64_t fat_sectors = p.fat_sectors_16 ? p.fat_sectors_16 : p.fat_sectors_32;
	uint64_t root_sectors = (p.root_entries * 32 + sector - 1) / sector;
	uint64_t root_start = p.reserved + p.fats * fat_sectors;
	uint64_t data_start = root_start + root_sectors;
	if (fat_sectors == 0 || sectors <= data_start)
		return false;

	uint64_t clusters = (sectors - data_start) / p.cluster_sectors;
	struct vfat_layout layout = {
		.bits = entry_bits(&p, clusters),
		.sector_size = p.sector_size,
		.cluster_size = (uint32_t)p.sector_size * p.cluster_sectors,
		.size = sectors * sector,
		.fat_offset = p.reserved * sector,
		.fat_size = fat_sectors * sector,
		.root_offset = root_start * sector,
		.root_size = (uint32_t)(root_sectors * sector),
		.root_cluster = p.root_cluster,
		.data_offset = data_start * sector,
	};
	if (clusters > clusters_most(layout.bits))
		return false;
	if (clusters > fat_capacity(&layout))
		clusters = fat_capacity(&layout);
	layout.clusters = (uint32_t)clusters;
	if (layout.bits == 32)
		layout.root_size = 0;
	bool has_root =
		layout.bits == 32 ? vfat_cluster_valid(&layout, layout.root_cluster) : layout.root_size > 0;
	if (!has_root || layout.clusters == 0)
		return false;
	*out = layout;
	return true;
}
