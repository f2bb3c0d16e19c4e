// Boot Loader Specification, type 1: one file an entry in /loader/entries, lines "key value".
// https://uapi-group.org/specifications/specs/boot_loader_specification/
//
// Fedora's GRUB and systemd-boot read the same files with rules of their own, which is why both stand here.
#pragma once

#include "base/arena.h"
#include "base/place.h"
#include "base/span.h"

#define BLS_FILE_MAX    ((size_t)64 << 10) /* bytes of one entry's file */
#define BLS_ENTRIES_MAX 512

/* Who reads: GRUB ends at the first line without a value; systemd-boot skips it, and takes quotes off. */
enum bls_reader {
	BLS_GRUB,
	BLS_SYSTEMD,
};

struct bls_key {
	const char *key, *value;
	uint64_t line;
};

struct bls_keys {
	LIST(struct bls_key) list;
};

void bls_parse(struct span text, enum bls_reader reader, struct arena *arena, struct bls_keys *out);

/* The n-th value of a key (0: the first); NULL when there are no more. */
const struct bls_key *bls_get(const struct bls_keys *keys, const char *key, size_t n);

/* The last one, which is what counts for systemd-boot; NULL. */
const struct bls_key *bls_last(const struct bls_keys *keys, const char *key);

/* Does GRUB take this name for an entry's file, "*.conf"? */
bool bls_is_entry_name(const char *name);

/* How GRUB orders ids (names without ".conf"): as RPM does names, versions and releases. > 0: a is newer. */
int bls_compare_ids(const char *a, const char *b);

/* How systemd orders versions and ids (strverscmp_improved()): NULL is "". > 0: a is newer. */
int bls_compare_versions(const char *a, const char *b);
