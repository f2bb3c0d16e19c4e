// Judgements that are not a matter of one option or one key: a function each, named by Check=.
#pragma once

#include "policy/outcome.h"

struct check {
	const char *name; /* "whole-gib" */
	void (*judge)(const struct context *context, struct outcome *outcome);
	/* What it looks at, so that it can be told from an input that does not have it: */
	bool of_disk;               /* the disk: its size, its table, its boot path */
	bool of_root;               /* the files of the running system */
	bool of_kernel;             /* once for each judged kernel */
	const char *const *symbols; /* that it asks for; ends with NULL; NULL: none */
	const char *const *modules;
};

/* NULL: there is none of that name. */
const struct check *check_find(const char *name);

void check_whole_gib(const struct context *context, struct outcome *outcome);
void check_max_size(const struct context *context, struct outcome *outcome);
void check_partition_table(const struct context *context, struct outcome *outcome);
void check_boot_path(const struct context *context, struct outcome *outcome);
void check_uefi_path(const struct context *context, struct outcome *outcome);
void check_no_encryption(const struct context *context, struct outcome *outcome);
void check_tar_member(const struct context *context, struct outcome *outcome);
void check_tar_format(const struct context *context, struct outcome *outcome);
void check_tar_name(const struct context *context, struct outcome *outcome);

void check_default_entry(const struct context *context, struct outcome *outcome);
void check_root_found(const struct context *context, struct outcome *outcome);
void check_boot_drivers(const struct context *context, struct outcome *outcome);
void check_console(const struct context *context, struct outcome *outcome);
void check_no_quiet(const struct context *context, struct outcome *outcome);
void check_menu_timeout(const struct context *context, struct outcome *outcome);
void check_fstab(const struct context *context, struct outcome *outcome);
void check_serial_getty(const struct context *context, struct outcome *outcome);
void check_as_predicted(const struct context *context, struct outcome *outcome); /* join_boots.c */

/* Says why nothing is known of the entry; false when there is one. */
bool lacks_entry(const struct context *context, struct outcome *outcome);

/* "ttyS0" of "ttyS0,38400n8d"; the platform's first port: checks_boot.c. */
const char *console_device(const struct context *context, const char *value);
const char *serial_device(const struct context *context);

/* Is the root a logical volume, or named by what only a program in an initramfs can resolve? */
bool needs_initramfs(const struct context *context);

/* The partition or volume that root= names; NULL where that is not known. */
const struct partition *root_partition(const struct context *context);

extern const char *const boot_driver_symbols[];
extern const char *const boot_driver_modules[];
