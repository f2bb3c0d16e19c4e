// Which of some modules an initramfs carries, for one kernel version.
#pragma once

#include "os/kernel.h"

/* One module that is looked for. */
struct carried_module {
	const char *name; /* plain, with '_' */
	bool seen;
	bool wanted;   /* the walk goes on until it is seen */
	uint32_t next; /* 1 + index of the next module of its bucket */
};

#define CARRIED_BUCKETS 256

struct carried {
	LIST(struct carried_module) modules;
	uint32_t buckets[CARRIED_BUCKETS]; /* 1 + index of a module */
	size_t unseen;                     /* of those that are wanted */
	/* Borrowed: a crafted list puts all modules into one bucket, and going through that has its price. */
	struct budget *budget;
	bool lvm_wanted, lvm_seen; /* the program lvm; when wanted, the walk goes on until it is seen */
	bool whole;                /* the initramfs was walked to its end: what was not seen is not there */
};

/* The module's index; adds it when it is not looked for yet. SIZE_MAX when the budget is used up. */
size_t carried_add(struct carried *carried, struct span name, struct arena *arena);

/* The walk shall go on until this module is seen. */
void carried_want(struct carried *carried, size_t index);

/*
 * Walks the initramfs until every wanted module was seen, and to its first compressed segment in any case;
 * or, for `everything`, to its end. Fills the initramfs_* members of *kernel but its place.
 */
void carried_walk(struct carried *carried, const struct reader *initramfs, bool everything,
                  struct budget *budget, struct arena *arena, struct kernel *kernel);
