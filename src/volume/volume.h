// The parts of a disk: its partition table, judged as the firmware, GRUB and the kernel would read it.
#pragma once

#include "base/arena.h"
#include "base/budget.h"
#include "base/place.h"
#include "base/reader.h"
#include "base/text.h"

/*
 * Logical volumes are listed behind the partitions, with numbers of our own from this one on: Linux gives a
 * disk 255 partitions at most.
 */
#define VOLUME_FIRST_NUMBER 1001

/* GPT type of the EFI system partition. */
#define VOLUME_ESP_TYPE "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

/* A partition, or a logical volume of LVM in one or more of them. */
struct partition {
	uint64_t number;       /* as Linux numbers it: sda1 is 1; a file system on the whole disk is 0 */
	const char *type;      /* GPT type GUID in lower case, or MBR type as "0x83"; "" on a whole disk */
	const char *type_name; /* "EFI System", "BIOS boot", "Linux filesystem", ...; "" if not known */
	const char *name;      /* GPT name; "" */
	const char *part_uuid; /* PARTUUID as Linux gives it: GPT GUID, or "<disk id>-<nn>" for MBR */
	uint64_t start;        /* bytes from the start of the disk; of a volume, its first byte's */
	uint64_t size;         /* bytes */
	bool bootable;         /* MBR active flag, or GPT legacy-BIOS-bootable attribute */
	bool readable; /* lies inside the disk and overlaps no other; of a volume: a plain linear one. A
	                  partition that is not has `unread` */
	/* Of a logical volume alone: */
	const char *volume;           /* "rhel/root"; NULL: it is a partition */
	const char *volume_id;        /* "VGUUID/LVUUID", each with its hyphens; NULL */
	uint64_t within;              /* number of the partition that its first byte lies in */
	const struct reader_map *map; /* where its bytes lie in the disk; NULL where it is not readable */
	/* Of an LVM physical volume alone: are all logical volumes in it readable? NO: its metadata is
	 * damaged. */
	enum answer volumes_read;
	/* Filled from the file system inside, by fs_identify(): */
	const char *
		file_system; /* "ext4", "vfat", "crypto_LUKS", "LVM2_member", "swap", ...; NULL: none known */
	const char *uuid;    /* NULL: none */
	const char *label;   /* NULL or "": none */
	const char *unread;  /* why what tells these three could not all be read; NULL: it could */
	const char *mount;   /* where fstab (or the boot's root=) mounts it; NULL: nowhere */
};

struct partition_table {
	const char *kind;      /* "gpt", "mbr", "none" (a bare file system or nothing) */
	uint64_t sector_size;  /* of the table: 512 or 4096 */
	const char *disk_uuid; /* GPT disk GUID or MBR disk id as "0x12345678"; NULL: none */
	bool hybrid;           /* GPT whose MBR also names partitions */
	/* GPT only; ANSWER_UNKNOWN on other tables: */
	enum answer
		protective_mbr;    /* an MBR entry of type 0xee covers the disk: else Linux ignores the GPT */
	enum answer primary_sound; /* header and entries CRC of the copy that the kernel uses */
	enum answer backup_sound;
	const char *unread; /* why there may be more partitions than these; NULL: there are not */
	LIST(struct partition) partitions;    /* in the order of their numbers, volumes last */
	LIST(struct problem) problems;        /* each with the byte offset of the damage */
	LIST(struct problem) volume_problems; /* the same of LVM, which is no matter of the table */
};

/*
 * Reads the partition table. Damage is no failure: it is listed in `problems`, and whatever is sound is
 * still given (a backup GPT is read when the primary is damaged). False only when the disk cannot be read
 * at all: `kind` is NULL then. Strings live in `arena`.
 */
NODISCARD bool volume_scan(const struct reader *disk, struct budget *budget, struct arena *arena,
                           struct partition_table *out, struct error *error);

/* A reader over one partition or volume of `table` (the whole disk for number 0). */
NODISCARD bool volume_reader(const struct reader *disk, const struct partition *partition, struct reader *out,
                             struct error *error);

/* The partition or volume of that number; NULL when there is none. */
const struct partition *volume_find(const struct partition_table *table, uint64_t number);

/* Why what is looked for may lie in what could not be read: a partition, or part of the table. NULL: all was
 * read. */
const char *volume_unread(const struct partition_table *table);

/* Adds "partition 3" or "logical volume rhel/root". */
void volume_describe(struct text *text, const struct partition_table *table, uint64_t number);
/* The same in the arena. */
const char *volume_phrase(const struct partition_table *table, uint64_t number, struct arena *arena);
