// Private to volume/: one copy of a GPT, header and entries.
#pragma once

#include "volume/scan.h"

#define GUID_TEXT_SIZE 37

struct gpt_header {
	uint32_t header_size;
	uint32_t header_crc;
	uint64_t my_lba, alternate_lba;
	uint64_t first_usable, last_usable;
	char disk_guid[GUID_TEXT_SIZE];
	uint64_t entries_lba;
	uint32_t entry_count, entry_size;
	uint32_t entries_crc;
};

struct gpt_copy {
	const char *which;  /* "primary", "backup" */
	uint64_t lba;       /* where it was looked for */
	bool unread;        /* its bytes could not be had: nothing is known of it */
	bool present;       /* the signature is there */
	bool header_intact; /* the header's CRC is right */
	bool intact;        /* the entries' too: the copy can be believed */
	bool sound;         /* and Linux would take it */
	struct gpt_header header;
	uint8_t *bytes;      /* owned; the entries */
	struct span entries; /* over `bytes`; empty unless `intact` */
};

/* A GUID as Linux writes it: the first three fields little-endian. */
void gpt_guid_text(struct span guid, char text[GUID_TEXT_SIZE]);

/* Number of the disk's last sector; the disk is not empty. */
uint64_t gpt_last_lba(const struct reader *disk, uint64_t sector_size);

/*
 * Reads and judges the copy whose header should stand at `lba`. `quiet` lists no problems: for a look whether
 * there is a copy at all.
 */
NODISCARD bool gpt_copy_read(struct scan *scan, const char *which, uint64_t lba, bool quiet,
                             struct gpt_copy *out, struct error *error);
void gpt_copy_free(struct gpt_copy *copy);
