// GRUB's configuration, followed as GRUB would: which entries the menu holds and which one boots.
//
// The script is really run, over a disk that answers three questions. Where its course depends on something
// that cannot be known here, both ways are walked and everything they touch is marked as not known.
#pragma once

#include "boot/boot.h"

enum grub_search {
	GRUB_SEARCH_UUID,
	GRUB_SEARCH_LABEL,
	GRUB_SEARCH_FILE,
};

enum grub_file_kind {
	GRUB_FILE_ABSENT,
	GRUB_FILE_EMPTY, /* a regular file of no bytes */
	GRUB_FILE_REGULAR,
	GRUB_FILE_DIRECTORY,
};

/* The disk that GRUB was started from, as far as its file systems can be read. */
struct grub_disk {
	void *context;
	const char *scheme; /* of its partition table, as in (hd0,gpt1): "gpt" or "msdos"; NULL: no table */
	const struct partition_table
		*table; /* borrowed: where the names of logical volumes are; NULL: none */

	/* UNKNOWN when more than one file system answers, or one that cannot be read might. */
	enum answer (*search)(void *context, enum grub_search by, const char *key, uint64_t *partition);

	/* UNKNOWN when the file system cannot be read; else YES with *kind. */
	enum answer (*look)(void *context, uint64_t partition, const char *path, enum grub_file_kind *kind);

	/* A whole file of at most `most` bytes. */
	bool (*load)(void *context, uint64_t partition, const char *path, size_t most, struct arena *arena,
	             struct span *out, struct error *error);

	/* The names in a directory, sorted bytewise; UNKNOWN when it cannot be read, NO when there is none.
	 */
	enum answer (*list)(void *context, uint64_t partition, const char *path, struct arena *arena,
	                    struct names *out);

	/* The path of the subvolume that a mount without options shows; NULL where there are none. May be
	 * NULL. */
	const char *(*default_subvolume)(void *context, uint64_t partition);
};

/* A directory that SUSE's GRUB finds elsewhere. */
struct grub_btrfs_mount {
	uint64_t partition;
	const char *directory, *subvolume; /* "/boot/grub2/i386-pc", "/@/boot/grub2/i386-pc" */
};

/* grub_btrfs.c: how it takes the paths that it is given. Paths here are below the top level subvolume,
 * always. */
struct grub_btrfs {
	bool relative; /* to the default subvolume */
	LIST(struct grub_btrfs_mount) mounts;
};

const char *grub_btrfs_path(const struct grub_disk *disk, const struct grub_btrfs *btrfs, uint64_t partition,
                            const char *path, struct arena *arena);
/* The way back, to what GRUB itself would call it. */
const char *grub_btrfs_relative(const struct grub_disk *disk, const struct grub_btrfs *btrfs,
                                uint64_t partition, const char *path);

/* A string of the module `blscfg` in those versions that read the ESP, and unified kernels, too. */
#define GRUB_BLS_ON_ESP "blslinuxdir"

/* How GRUB's core leaves things when it opens its first configuration file. */
struct grub_start {
	const char *platform; /* "pc" or "efi" */
	const char *cpu;      /* "i386", "x86_64", "arm64" */
	const char *prefix;   /* "/boot/grub": its folder in `partition` */
	const char
		*cmdpath; /* folder of the EFI program in `partition` of cmd_partition: "/EFI/debian"; NULL */
	const char *config; /* path of the first configuration file */
	uint64_t partition; /* of prefix and config */
	uint64_t cmd_partition;
	struct grub_btrfs btrfs; /* as the commands in its image left it */
	enum answer blscfg;      /* is that command in its image? */
	bool bls_on_esp;         /* and a version of it that looks on the EFI system partition as well */
};

/*
 * Runs the configuration and fills loader, config, entries (without root_*), the default, the timeout and
 * problems of *out. False only when the configuration cannot be read at all, or the budget is used up;
 * what was found until then stands in *out.
 */
NODISCARD bool grub_run(const struct grub_disk *disk, const struct grub_start *start, struct budget *budget,
                        struct arena *arena, struct boot *out, struct error *error);

/*
 * Runs the commands that were built into GRUB's image, with root and prefix as `start` has them, and says
 * which configuration file GRUB goes on with, and how it takes paths on btrfs then. False when that cannot be
 * followed.
 */
bool grub_run_embedded(const struct grub_disk *disk, const struct grub_start *start, struct span commands,
                       struct budget *budget, struct arena *arena, uint64_t *partition, const char **config,
                       struct grub_btrfs *btrfs);
