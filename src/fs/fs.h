// File systems, read-only. One format is one file with a `const struct fs_driver` at its end and one row
// in fs_drivers[]. Drivers know nodes and names; paths and symlinks are followed in tree.h alone.
#pragma once

#include "base/arena.h"
#include "base/budget.h"
#include "base/error.h"
#include "base/place.h"
#include "base/reader.h"

enum node_type {
	NODE_FILE,
	NODE_DIRECTORY,
	NODE_SYMLINK,
	NODE_OTHER, /* device, FIFO, socket */
};

/* A file, directory or link of an open file system. Plain data: copy it freely. */
struct node {
	const struct filesystem *fs;
	uint64_t inode; /* the driver's own number for it */
	enum node_type type;
	uint32_t mode; /* permission bits and set-id bits, 07777 */
	uint32_t uid, gid;
	uint64_t size;      /* bytes */
	int64_t modified;   /* seconds since 1970 */
	uint64_t driver[2]; /* for the driver: where its metadata lies */
};

/* A mount in the running system. */
struct fs_mount {
	const char *point; /* absolute and plain: "/", "/boot" */
	const char *shown; /* the directory of the file system that is seen there: "" its root, "/@home" */
};

struct filesystem {
	const struct fs_driver *driver; /* NULL: recognised, but not readable (swap, LUKS, LVM, ...) */
	const char *type;               /* as blkid names it: "ext4", "ext3", "ext2", "vfat", "swap", ... */
	const char *uuid;               /* as blkid prints it; NULL */
	const char *label;              /* NULL */
	bool encrypted;                 /* LUKS, BitLocker */
	uint64_t partition;             /* number of the partition it lies in; 0: the whole disk */
	LIST(struct fs_mount) mounts;   /* where the tree mounts it; empty: nowhere (yet) */
	struct reader reader;
	struct budget *budget;         /* borrowed */
	struct arena *arena;           /* borrowed; for the strings above */
	void *state;                   /* the driver's own, owned */
	const char *unread; /* why some of what identifies it could not be read; NULL: all of it could */
	LIST(struct problem) problems; /* "ext4-journal-not-clean", "ext4-superblock-checksum", ... */
	size_t problems_told;          /* how many of them whoever gathers them has seen */
};

/* The file systems of one image, one for each partition that holds something known. */
struct fs_set {
	struct filesystem **items;
	size_t count;
	const struct reader_watch *watch; /* sees every read of theirs that fails; NULL: nobody counts them */
};

/* Return false to stop the listing early; that is no error. */
typedef bool fs_list_fn(void *context, const char *name);

struct fs_driver {
	const char *name;
	/* Does the superblock say that it is this format? Fills type, uuid, label. False also when not sound.
	 */
	bool (*identify)(struct filesystem *fs);
	bool (*open)(struct filesystem *fs, struct error *error); /* NULL: only recognised */
	void (*close)(struct filesystem *fs);
	bool (*root)(const struct filesystem *fs, struct node *out, struct error *error);
	/* ERROR_NOT_FOUND when the directory has no such name. Never sees "." or "..". */
	bool (*lookup)(const struct node *directory, const char *name, struct node *out, struct error *error);
	/* Every name but "." and "..", in the order on disk; what it names is left to lookup. */
	bool (*list)(const struct node *directory, fs_list_fn *each, void *context, struct error *error);
	/* The target, NUL-terminated, at most capacity - 1 bytes. */
	bool (*read_link)(const struct node *link, char *target, size_t capacity, struct error *error);
	/* Bytes of a file; the range lies inside node->size. */
	bool (*read)(const struct node *file, uint64_t offset, void *buffer, size_t length,
	             struct error *error);
	/*
	 * The directory that a mount with these options ("rw,subvol=@home"; "": none) shows in place of
	 * root(), and its path below that, "" for the root itself. ERROR_NOT_FOUND when they name none. NULL
	 * for formats whose mounts always show their root.
	 */
	bool (*find_mounted)(const struct filesystem *fs, const char *options, struct node *out, char *path,
	                     size_t capacity, struct error *error);
};

/* Ends with NULL. */
extern const struct fs_driver *const fs_drivers[];

/*
 * Recognises what `reader` holds and fills *fs without opening it; false when it is nothing known (no
 * error: of *fs, `unread` alone is set then, where something known may lie in what could not be read). A
 * zeroed or damaged superblock of a known kind adds a problem.
 */
bool fs_identify(const struct reader *reader, uint64_t partition, struct budget *budget, struct arena *arena,
                 struct filesystem *fs);

/* Makes the files of an identified file system readable; ERROR_UNSUPPORTED when we have no reader for it. */
NODISCARD bool fs_open(struct filesystem *fs, struct error *error);
void fs_close(struct filesystem *fs);
/* Was fs_open() successful? */
bool fs_is_open(const struct filesystem *fs);

/*
 * The directory of an open file system that a mount with these options shows, and its path there, in the file
 * system's arena: see fs_driver.find_mounted.
 */
NODISCARD bool fs_find_mounted(const struct filesystem *fs, const char *options, struct node *out,
                               const char **path, struct error *error);

/* A reader over a regular file; *file must outlive it. */
struct reader node_reader(const struct node *file);
