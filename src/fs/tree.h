// One namespace of files: a root file system with others mounted in it (or one directory of each), and the
// only place where paths are resolved and symlinks followed. Nothing here can leave the image: ".." stops at
// the root, absolute links start at the root of the tree, and after 40 links it is a loop.
#pragma once

#include "base/text.h"
#include "fs/fs.h"

#define TREE_MOUNTS_MAX 32
#define TREE_LINKS_MAX  40
#define TREE_PATH_MAX   4096

struct tree_mount {
	const char *path; /* absolute, without a trailing slash, as tree_mount() was given it */
	const struct filesystem *fs;
	struct node directory; /* what of fs is seen there; its fs NULL: the root */
};

struct tree {
	struct filesystem *root;
	struct node directory; /* what of root is seen; its fs NULL: the root of it */
	struct tree_mount mounts[TREE_MOUNTS_MAX];
	size_t mount_count;
};

/* A tree of one open file system, as GRUB and the firmware see it. */
struct tree tree_of(struct filesystem *root);
/* A tree that begins at a directory of it, as a mount of a subvolume shows it. */
struct tree tree_of_directory(struct filesystem *root, const struct node *directory);

/*
 * Mounts an open file system; neither the directory nor its parents need exist in what is mounted already
 * (they would at boot). The path is borrowed.
 */
NODISCARD bool tree_mount(struct tree *tree, const char *path, struct filesystem *fs, struct error *error);
/* Mounts one directory of a file system. */
NODISCARD bool tree_mount_directory(struct tree *tree, const char *path, const struct node *directory,
                                    struct error *error);

/* What a path led to. */
struct tree_file {
	struct node node;
	char path[TREE_PATH_MAX]; /* the real path in the tree, without links: what evidence names */
};

/*
 * Follows a path from the root of the tree, the last component included unless `keep_last_link`.
 * ERROR_NOT_FOUND (also for a dangling link), ERROR_CORRUPT for a loop, ERROR_UNSUPPORTED inside
 * an encrypted directory.
 */
NODISCARD bool tree_lookup(const struct tree *tree, const char *path, struct tree_file *out,
                           struct error *error);
NODISCARD bool tree_lookup_link(const struct tree *tree, const char *path, struct tree_file *out,
                                struct error *error);
bool tree_exists(const struct tree *tree, const char *path); /* errors count as no */
/* A symlink's own target, unresolved; false when the path is no link. */
bool tree_read_link(const struct tree *tree, const char *path, char *target, size_t capacity);

/*
 * Loads a whole regular file. `place` (may be NULL) is filled with the real path and the partition. The
 * content has a NUL behind it. ERROR_LIMIT when larger than `most` bytes.
 */
NODISCARD bool tree_load(const struct tree *tree, const char *path, size_t most, struct arena *arena,
                         struct span *out, struct place *place, struct error *error);

/* The names in a directory, sorted bytewise. An absent directory gives an empty list and true. */
NODISCARD bool tree_names(const struct tree *tree, const char *path, struct arena *arena, struct names *out,
                          struct error *error);

/* Fills a place for a file of the tree. */
struct place tree_place(const struct tree_file *file, uint64_t line, const char *text, struct arena *arena);
