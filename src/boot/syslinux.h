// Private to syslinux*.c: a configuration of SYSLINUX (EXTLINUX is the same for other file systems), and what
// its commands say. https://wiki.syslinux.org/wiki/index.php?title=Config
#pragma once

#include "boot/firmware.h"

#define SYSLINUX_CONFIG_MAX ((size_t)256 << 10)

/* One LABEL. */
struct syslinux_label {
	const char *name, *title;    /* of `menu label`, else the name */
	const char *type;            /* the command that named the kernel: "kernel", "linux", "com32", ... */
	const char *kernel;          /* and its file; without such a command the label's name is one */
	const char *append, *initrd; /* NULL: none of its own */
	bool disabled;
	bool hidden;        /* from the menu */
	unsigned depth;     /* of `menu begin` around it */
	struct place place; /* its append line, else that of the kernel, else that of the label */
	unsigned place_rank;
};

struct syslinux_config {
	struct boot_disk *disk;
	struct boot *out;
	uint64_t partition;
	const char *folder; /* of the first file: relative paths start there */
	LIST(struct syslinux_label) labels;
	const char *append;        /* for labels without one */
	const char *ui, *fallback; /* values of `ui` and `default`; NULL */
	const char *on_timeout;    /* NULL */
	const char *menu_default;  /* name of the label that `menu default` stands in; NULL */
	struct place default_place, timeout_place;
	uint64_t timeout, total_timeout; /* tenths of a second; 0: for ever */
	bool prompt;
	bool in_label, in_text;
	unsigned depth, files;
	const char *doubt; /* why something may be missing; NULL */
};

/* syslinux_config.c: reads the file at `path` and what it includes. */
void syslinux_read(struct syslinux_config *config, const char *path);
/* A path of the configuration, from the root of the file system, without "." and "..". */
const char *syslinux_path(const struct syslinux_config *config, const char *path);
