// Entries of FAT directories, and the long names that VFAT spreads over several of them.
#pragma once

#include "base/span.h"

#define VFAT_ENTRY_SIZE 32
/* 20 entries with 13 UTF-16 units each, of at most 3 bytes in UTF-8. */
#define VFAT_UNITS_MAX 260
#define VFAT_NAME_MAX  (VFAT_UNITS_MAX * 3 + 1)
#define VFAT_ALIAS_MAX 40

struct vfat_entry {
	char name[VFAT_NAME_MAX];   /* the long name, or else the short one; UTF-8 */
	char alias[VFAT_ALIAS_MAX]; /* the short name, which also leads to the file */
	uint8_t short_name[11];     /* as it stands there */
	bool directory, label;
	uint32_t cluster, size;
	int64_t modified;
};

/* The long name that is being put together, over the entries in front of the one it belongs to. */
struct vfat_long_name {
	uint16_t units[VFAT_UNITS_MAX + 1];
	uint8_t missing; /* entries still to come; the next one has this number */
	uint8_t checksum;
	bool complete;
};

enum vfat_scan {
	VFAT_SKIP,  /* deleted, or a part of a long name */
	VFAT_ENTRY, /* *out is filled */
	VFAT_END,   /* no entry behind this one is in use */
};

/* Takes the next 32 bytes of a directory; `pending` starts zeroed. */
enum vfat_scan vfat_scan_entry(struct vfat_long_name *pending, struct span bytes, struct vfat_entry *out);

/* Does a name lead to this entry? The case of ASCII letters and dots at the end of the name do not count. */
bool vfat_name_matches(const struct vfat_entry *entry, const char *name);
