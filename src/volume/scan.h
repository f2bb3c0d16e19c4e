// Private to volume/: one scan in progress, and what the schemes share.
#pragma once

#include "volume/volume.h"

/* Linux gives a disk 255 partitions at most (DISK_MAX_PARTS in block/partitions). */
#define PARTITIONS_MOST 255
/* A crafted table must not fill the report. */
#define PROBLEMS_MOST 64

struct scan {
	const struct reader *disk;     /* borrowed */
	struct budget *budget;         /* borrowed */
	struct arena *arena;           /* borrowed */
	struct partition_table *table; /* what is filled */
};

/* Lists a problem with the byte offset of the damage. `code` lives as long as the arena. */
void scan_problem(struct scan *scan, const char *code, uint64_t offset, const char *format, ...) PRINTF(4, 5);

/* Adds a partition with empty strings; `readable` is decided at the end of the scan. */
struct partition *scan_partition(struct scan *scan, uint64_t number, uint64_t start, uint64_t size);

/*
 * Marks a partition as one that cannot be read. What it holds is unknown then, and not missing. `why` lives
 * as long as the arena.
 */
void scan_unread(struct partition *partition, const char *why);
/* `why` of one whose bytes do not all lie on the disk. */
#define SCAN_CUT "the disk ends before the partition does: was it copied completely?"

/* An MBR's extended partition: it holds logical ones, and no file system. */
bool scan_is_extended(const struct partition *partition);

/* "EFI System" for a GPT type GUID in lower case, "" when it is not known. */
const char *gpt_type_name(const char *guid);
const char *mbr_type_name(uint8_t type);

/* mbr.c */

#define MBR_SIZE            512
#define MBR_TYPE_EMPTY      0x00
#define MBR_TYPE_PROTECTIVE 0xee

struct mbr_entry {
	uint8_t flag; /* 0x80: active */
	uint8_t type;
	uint32_t start; /* sectors; relative in an extended boot record */
	uint32_t sectors;
};

struct mbr {
	bool signed_; /* 55 aa at the end */
	uint32_t disk_id;
	struct mbr_entry entries[4];
};

/* Decodes the first sector of a disk, or an extended boot record. */
NODISCARD bool mbr_decode(struct span sector, struct mbr *out);

/* Is this sector a partition table with entries, as the kernel and libblkid tell it from a boot sector? */
bool mbr_is_table(const struct mbr *mbr, struct span sector);

/* Does it hold an entry of the type that announces a GPT? */
bool mbr_is_protective(const struct mbr *mbr);

/* Is the sector the boot sector of a FAT, exFAT or NTFS file system? */
bool mbr_is_file_system(struct span sector);

NODISCARD bool mbr_scan(struct scan *scan, const struct mbr *mbr, struct error *error);

/* gpt.c */

/* The sector size of the primary GPT, by where its header stands; 0 when there is none. */
uint64_t gpt_primary_sector_size(const struct reader *disk);
/* The same by the backup header, in the last sector; 0 when there is none that is intact. */
uint64_t gpt_backup_sector_size(const struct reader *disk);

NODISCARD bool gpt_scan(struct scan *scan, const struct mbr *mbr, struct error *error);
