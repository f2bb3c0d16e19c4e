// Private to volume/: LVM2. lvm_label.c finds physical volumes and their metadata, lvm_text.c knows the
// grammar of the metadata, lvm.c makes logical volumes of it.
#pragma once

#include "volume/scan.h"

#define LVM_ID_SIZE 32 /* characters of an LVM UUID, without its hyphens */

/* One entry of the metadata text: "name = value" or "name { ... }". */
enum lvm_kind {
	LVM_SECTION, /* `first` is its first entry */
	LVM_LIST,    /* `first` is its first value, which has no name */
	LVM_STRING,
	LVM_NUMBER,
};

struct lvm_node {
	enum lvm_kind kind;
	const char *name; /* NULL: a value in a list */
	const char *text; /* of a string, and of a number as it is written */
	uint64_t number;
	struct lvm_node *first;
	struct lvm_node *next; /* in the same section or list */
};

/*
 * Parses metadata text into *root, a section without a name. ERROR_CORRUPT names the byte of the text that is
 * off; ERROR_LIMIT when it asks for too much.
 */
NODISCARD bool lvm_parse(struct span text, struct budget *budget, struct arena *arena,
                         const struct lvm_node **root, struct error *error);

/* The entry of that name; NULL when there is none, or `section` is NULL or no section. */
const struct lvm_node *lvm_find(const struct lvm_node *section, const char *name);
/* Its string; NULL when there is none. */
const char *lvm_string(const struct lvm_node *section, const char *name);
NODISCARD bool lvm_number(const struct lvm_node *section, const char *name, uint64_t *out);
/* Is `word` one of the strings in the list? */
bool lvm_list_has(const struct lvm_node *section, const char *name, const char *word);
/* The first section inside a section, and the one behind it; NULL at the end. */
const struct lvm_node *lvm_first_section(const struct lvm_node *section);
const struct lvm_node *lvm_next_section(const struct lvm_node *section);

/* A physical volume of this disk. */
struct lvm_member {
	char id[LVM_ID_SIZE + 1];
	size_t partition; /* index into the table's partitions */
	uint64_t start;   /* bytes from the start of the disk */
	uint64_t size;    /* bytes of the partition */
	bool damaged;     /* metadata that should be here could not be read */
	bool unused;      /* it has room for metadata, and none in it: it is in no volume group */
	bool ambiguous;   /* another physical volume has the same id */
	struct span text; /* its metadata of the highest seqno; empty: it carries none */
	uint64_t text_at; /* where that lies, bytes from the start of the disk */
	uint64_t seqno;
	const struct lvm_node *group; /* the section of the volume group in that text; NULL */
};

/* Does the partition hold a physical volume? Fills *out and reports damage. False also when it has none. */
bool lvm_read_member(struct scan *scan, size_t partition, struct lvm_member *out);

/* An LVM UUID without its hyphens into id[LVM_ID_SIZE + 1]; false when it is none. */
NODISCARD bool lvm_plain_id(const char *uuid, char *id);

/* Lists what is wrong with a volume, apart from the problems of the partition table. */
void lvm_problem(struct scan *scan, const char *code, uint64_t partition, uint64_t offset, const char *format,
                 ...) PRINTF(5, 6);

/* Appends the logical volumes of the disk to the table's partitions. */
void lvm_scan(struct scan *scan);
