// The initramfs as the kernel unpacks it: concatenated cpio archives (newc), each plain or compressed,
// with zero padding between. Documentation/driver-api/early-userspace/buffer-format.rst.
//
// It is streamed: names go by, contents are skipped. A plain archive is walked by its headers without
// reading the contents. The walk stops as soon as the caller has seen enough.
#pragma once

#include "base/budget.h"
#include "base/place.h"
#include "base/reader.h"

/* One file of the archive. */
struct cpio_entry {
	const char *name; /* without a leading "./" or "/"; valid during the call */
	uint32_t mode;    /* st_mode with the file type */
	uint64_t size;
};

/* Return false to stop the walk: everything asked is proved. */
typedef bool cpio_fn(void *context, const struct cpio_entry *entry);

struct initramfs_segment {
	uint64_t offset;         /* in the file, bytes */
	const char *compression; /* "none", "zstd", ... */
	uint64_t entries;        /* names seen in it */
};

struct initramfs {
	LIST(struct initramfs_segment) segments;
	bool whole; /* walked to its end; false when the caller stopped it */
};

/* A file of the archive that is loaded. */
struct cpio_wanted {
	const char *name;    /* as in struct cpio_entry */
	size_t most;         /* bytes */
	struct span content; /* in the arena, with a NUL behind it; data NULL: not there */
};

/*
 * Loads some files, the last of a name, as the kernel would leave them; links have no content. Walks the
 * archive as initramfs_walk() does, up to its end.
 */
NODISCARD bool initramfs_load(const struct reader *file, struct budget *budget, struct arena *arena,
                              struct cpio_wanted *wanted, size_t count, struct error *error);

/*
 * Walks all segments. A damaged or unreadable segment ends the walk with an error that names its offset;
 * what was seen until then has been given to `each` and stands in *out.
 */
NODISCARD bool initramfs_walk(const struct reader *file, struct budget *budget, struct arena *arena,
                              cpio_fn *each, void *context, struct initramfs *out, struct error *error);
