// What the stages of gathering share. Private to facts/.
#pragma once

#include "facts/facts.h"
#include "fs/hostdir.h"

struct gatherer {
	const struct input *input;
	const struct questions *questions;
	facts_checkpoint_fn *checkpoint;
	void *context; /* of the checkpoint */
	struct arena *arena;
	struct budget budget;
	struct facts *facts; /* what is filled */
	struct disk *disk;   /* owned; NULL for what is no bytes */
	struct reader_watch watch; /* of the disk's bytes */
	struct reader bytes;       /* of the disk, through the watch */
	struct fs_set filesystems;
	const struct hostdir_use *directory; /* NULL for what is none */
	bool kernels_left_out;
	struct tree tree; /* the namespace of the running system; root NULL: none was found */
};

/* Something could not be read: remembers it, and the input counts as partly examined. */
void gather_note_gap(struct gatherer *gatherer, const char *code, const struct place *place,
                     const char *format, ...) PRINTF(4, 5);

/* Sends what is known so far: a later crash loses nothing of it. */
void gather_checkpoint(struct gatherer *gatherer);

/* gather_disk.c: gatherer->disk, from its partition table to the system in it. */
void gather_disk(struct gatherer *gatherer);

/* The first half of that: file systems, and what boots, its paths inside those. False: no table. */
NODISCARD bool gather_boot_path(struct gatherer *gatherer);

/* Closes what was opened for the input. */
void gather_close(struct gatherer *gatherer);

/* The system whose namespace gatherer->tree is: what it is, its settings, its kernels. */
void gather_system(struct gatherer *gatherer);

/* The open file system of a partition, NULL when there is none. */
struct filesystem *gather_filesystem(const struct gatherer *gatherer, uint64_t partition);

/* Why a partition has none. */
const char *gather_why_closed(const struct gatherer *gatherer, uint64_t partition);

/*
 * gather_mounts.c: where a path of one file system lies in the running system. The mount that shows the most
 * of the path decides; a path that none shows, and NULL, stay as they are.
 */
const char *gather_image_path(const struct gatherer *gatherer, uint64_t partition, const char *path);

/* The way back: where a real path of the running system lies in its own file system. */
const char *gather_own_path(const struct gatherer *gatherer, const struct tree_file *file);

/*
 * The namespace of the running system: `root` as the options of its mount ("" for none) show it, and what its
 * fstab mounts in it. False, with the reason, when the options name nothing that is there.
 */
NODISCARD bool gather_mounts(struct gatherer *gatherer, struct filesystem *root, const char *options,
                             struct error *error);

/*
 * gather_parts.c: a file that is a part of a system, a kernel or the configuration of one. False, and nothing
 * done, when these bytes are neither.
 */
bool gather_part(struct gatherer *gatherer, const struct reader *bytes);

/* gather_tree.c: the root directory of a system, by the input's descriptor. */
void gather_directory(struct gatherer *gatherer);

/*
 * The same in a tar archive, unpacked; `container` names its wrapping ("tar", "tar.zst"). False, and nothing
 * done, when the archive holds neither a root file system nor the layers of one.
 */
bool gather_root_tar(struct gatherer *gatherer, const struct tar_archive *archive, const char *container);

/* gather_live.c: the running machine, by its root directory and what it answered. */
void gather_live(struct gatherer *gatherer);

/*
 * Of a tree that holds the /proc of a machine that runs: the type of its root, NULL when that is not known;
 * and its kernel, with the boot that it came up with.
 */
const char *gather_root_type(struct gatherer *gatherer);
void gather_running_kernel(struct gatherer *gatherer, const struct machine_answers *answers);

/* gather_capture.c: the same in a tar that came from there. */
void gather_capture(struct gatherer *gatherer);

/* What a kernel file says of itself. */
void gather_read_kernel(struct gatherer *gatherer, const struct reader *file, struct kernel *kernel);

/* The symbols that the questions name, and those that other facts hang on. */
struct names gather_wanted_symbols(struct gatherer *gatherer);

/* The modules that the questions name, and the root file system's driver; with the initramfs, if any. */
void gather_modules(struct gatherer *gatherer, struct kernel *kernel);

/* Finds the kernels, chooses those that are judged, and learns everything asked of them. */
void gather_kernels(struct gatherer *gatherer);
