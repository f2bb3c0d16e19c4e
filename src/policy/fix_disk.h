// The next step for a disk whose size or partition table is wrong.
#pragma once

#include "policy/outcome.h"

/* What to do, and why it matters. Strings live in the context's arena or for ever. */
struct disk_advice {
	const char *fix;
	const char *why; /* NULL: what the rule says */
};

/* The first partition that ends behind the disk's end: the image was cut. NULL: there is none. */
const struct partition *fix_disk_cut(const struct facts *facts);

/* Makes the disk this large, in GiB, which it has to have room for. */
const char *fix_disk_resize(const struct context *context, uint64_t gib);

/* Makes the disk a whole number of GiB. */
const char *fix_disk_size(const struct context *context);

/* Makes its partition table sound. */
struct disk_advice fix_disk_table(const struct context *context);
