// Private to systemd_boot.c and systemd_entries.c: the menu of systemd-boot while it is put together.
#pragma once

#include "boot/bls.h"
#include "boot/firmware.h"
#include "boot/uki.h"

#define SYSTEMD_BOOT_CONFIG "/loader/loader.conf"

struct systemd_entry {
	const char *id;   /* the file's name, and behind it "@PROFILE" where that is not the first */
	const char *file; /* the name alone, of a type 2 entry; NULL */
	const char *title, *sort_key, *version, *machine_id; /* NULL: it has none */
	long tries_left, tries_done;                         /* of boot counting; -1: not counted */
	size_t profile;
	struct boot_entry boot;
};

struct systemd_boot {
	struct boot_disk *disk;
	const struct firmware_path *way;
	struct boot *out;
	LIST(struct systemd_entry) entries;
	const char *doubt; /* why there may be others; NULL */
};

/* systemd_entries.c: reads all entries of both partitions, in no order. */
void systemd_boot_read_entries(struct systemd_boot *loader);
