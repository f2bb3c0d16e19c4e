// What runs on the kernel: the distribution, its init, its mounts, and the settings that a guest of the
// platform should or should not have.
#pragma once

#include "base/place.h"
#include "fs/tree.h"
#include "os/sysctl.h"
#include "volume/volume.h"

struct os {
	const char *id;      /* os-release ID: "debian"; NULL */
	const char *id_like; /* NULL */
	const char *version; /* VERSION_ID: "12"; NULL */
	const char *name;    /* PRETTY_NAME; NULL */
	struct place place;
	const char *init;       /* "systemd", "sysvinit", "openrc", "busybox", "unknown" */
	enum answer init_found; /* NO: none of the programs that a kernel starts is there */
	struct place init_place;
	enum sysctl_applier sysctl_applier;
};

void os_identify(const struct tree *tree, struct arena *arena, struct os *out);

struct mount_entry {
	const char *device; /* first field of fstab, unescaped */
	const char *path;
	const char *type;
	const char *options;
	bool optional; /* nofail or noauto */
	struct place place;
	/* Filled by whoever knows the disk (see boot_resolve_device): */
	enum answer found;
	uint64_t partition;
	const char *reason;
};

struct fstab {
	enum answer present;
	LIST(struct mount_entry) entries;
};

/* Parses /etc/fstab of a tree; `found` stays unknown. */
void fstab_read(const struct tree *tree, struct arena *arena, struct fstab *out);

/*
 * One thing seen (or not) in the image, by a stable name: "guest.irqbalance" with state NO, or
 * "guest.timezone" with value "Europe/Berlin". The names are listed in os/guest.c.
 */
struct observation {
	const char *name;
	enum answer state;  /* is it there? */
	const char *value;  /* what it is set to; NULL */
	const char *reason; /* one sentence */
	const char *by;     /* the program that does it, by which rules choose a fix: "chrony"; NULL */
	LIST(struct place) places;
};

struct observations {
	LIST(struct observation) items;
};

/* Looks at every guest setting; adds one observation for each name, always. */
void guest_observe(const struct tree *tree, const struct os *os, struct arena *arena,
                   struct observations *out);
