// The sysctls as they stand once the image has booted: what its own init would write, over the defaults of
// its own kernel.
#pragma once

#include "base/place.h"
#include "fs/tree.h"
#include "os/kernel.h"

enum sysctl_source {
	SYSCTL_UNKNOWN,
	SYSCTL_KERNEL_DEFAULT,
	SYSCTL_FILE,
	SYSCTL_COMMAND_LINE,
	SYSCTL_ABSENT,  /* this kernel has no such key */
	SYSCTL_RUNNING, /* read from the running kernel: it is what it is, whoever has set it */
};

struct sysctl {
	const char *key;   /* dots: "net.ipv4.conf.all.rp_filter" */
	const char *value; /* literal value of the key after boot; NULL: not known */
	enum sysctl_source source;
	struct place place;    /* file and line, or the command line's place; path NULL for a default */
	const char *effective; /* what a network interface (eth0) then does, where keys combine; else value */
	struct place effective_place; /* the line that decides it */
	const char *reason;      /* one sentence: why unknown, or how the effective value comes about; "" */
	const char *remedy;      /* a command without which no new line in a file changes it; NULL */
	struct place boot_place; /* of SYSCTL_RUNNING: the line that would set it at the next boot */
};

/* Who writes sysctls at boot; they disagree on files, order and globs. */
enum sysctl_applier {
	SYSCTL_APPLIER_UNKNOWN,
	SYSCTL_APPLIER_SYSTEMD,
	SYSCTL_APPLIER_PROCPS,
	SYSCTL_APPLIER_BUSYBOX,
};

/* Kernel configuration symbols that the defaults depend on; ends with NULL. */
extern const char *const sysctl_default_symbols[];

struct sysctl_system {
	const struct tree *tree;
	enum sysctl_applier applier;
	const char *command_line; /* of the kernel; for "sysctl.KEY=VALUE", "norandmaps" */
	struct place command_line_place;
	const struct kernel *kernel; /* version, banner and configuration; its modules are not used */
	bool running_only;           /* the files of the next boot are not there: nothing is said of it */
};

/* Appends one sysctl for each wanted key (dots) to kernel->sysctls, in that order. */
void sysctl_predict(const struct sysctl_system *system, const struct names *keys, struct budget *budget,
                    struct arena *arena, struct kernel *kernel);

/*
 * Appends what the running kernel's /proc/sys says, one sysctl for each wanted key, and behind them one for
 * each network interface and wanted key of conf.all. Where the next boot would bring another value, the
 * reason says so.
 */
void sysctl_read_running(const struct sysctl_system *system, const struct names *keys, struct budget *budget,
                         struct arena *arena, struct kernel *kernel);

/* The same, for every key that a file, the command line or the table of defaults names: for `inspect`. */
void sysctl_predict_all(const struct sysctl_system *system, const struct names *keys, struct budget *budget,
                        struct arena *arena, struct kernel *kernel);
