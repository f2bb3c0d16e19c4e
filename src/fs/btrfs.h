// What the parts of the btrfs reader share: its superblock, the map of its chunks and its trees.
//
// Source: the on-disk format documentation of the btrfs project (btrfs.readthedocs.io, "On-disk Format").
#pragma once

#include "fs/fs.h"

#define BTRFS_SUPER_OFFSET 0x10000
#define BTRFS_SUPER_SIZE   4096

/* Of a tree: levels 0 to 7. */
#define BTRFS_LEVELS_MAX 8
#define BTRFS_NODES_KEPT 64

struct btrfs_super {
	uint64_t total_bytes; /* of the whole file system */
	uint64_t device_bytes;
	uint64_t device;
	uint64_t devices;
	uint64_t flags;
	uint64_t incompat;
	uint64_t root, chunk_root, log_root; /* logical addresses */
	uint64_t generation, chunk_generation;
	uint32_t sector_size, node_size;
	uint32_t system_chunks_size;
	uint8_t root_level, chunk_level;
	uint16_t checksum;       /* its kind */
	uint8_t metadata_id[16]; /* what every node carries */
};

/* btrfs_super.c: false when there is no magic, or when numbers that everything hangs on are impossible. */
bool btrfs_super_decode(struct span bytes, struct btrfs_super *out);
/* Does the checksum in front of these bytes fit them? Kinds other than crc32c are taken as they are. */
bool btrfs_checksum_fits(uint16_t kind, struct span bytes);
/* Can all of it be read? ERROR_UNSUPPORTED names what stands against it. */
NODISCARD bool btrfs_super_check(const struct btrfs_super *super, struct error *error);
/* The arrays of chunks in the superblock, with which the tree of all chunks is found. */
#define BTRFS_SYSTEM_CHUNKS_OFFSET 811
#define BTRFS_SYSTEM_CHUNKS_MOST   2048
/* The identify functions of btrfs_driver and btrfs_damaged_driver. */
bool btrfs_identify(struct filesystem *fs);
bool btrfs_identify_damaged(struct filesystem *fs);

/* Logical addresses in one piece, and where it lies. */
struct btrfs_chunk {
	uint64_t logical, length;
	uint64_t copies[2]; /* byte offsets on the device */
	unsigned copy_count;
};

struct btrfs_chunks {
	struct btrfs_chunk *items; /* owned; by their logical addresses, none over another */
	size_t count, capacity;
};

enum btrfs_type {
	BTRFS_INODE_ITEM = 1,
	BTRFS_INODE_REF = 12,
	BTRFS_DIR_ITEM = 84,
	BTRFS_DIR_INDEX = 96,
	BTRFS_EXTENT_DATA = 108,
	BTRFS_ROOT_ITEM = 132,
	BTRFS_ROOT_BACKREF = 144,
	BTRFS_ROOT_REF = 156,
	BTRFS_CHUNK_ITEM = 228,
};

#define BTRFS_KEY_SIZE 17

struct btrfs_key {
	uint64_t object;
	uint8_t type;
	uint64_t offset;
};

NODISCARD bool btrfs_get_key(struct span span, size_t offset, struct btrfs_key *out);
int btrfs_compare_keys(const struct btrfs_key *a, const struct btrfs_key *b);

/* Where a node is said to be, and what it has to be there. */
struct btrfs_pointer {
	uint64_t address; /* logical */
	uint64_t generation;
	uint8_t level;
};

/* A node that was read and found sound. */
struct btrfs_node {
	struct btrfs_pointer pointer;
	uint32_t count; /* of items or pointers */
	uint64_t used;  /* the clock when last used; 0: nothing is kept here */
	uint8_t *bytes; /* owned */
};

/* The tree of a subvolume. */
struct btrfs_root {
	uint64_t id;
	struct btrfs_pointer top;
	uint64_t directory; /* the inode that it begins at */
};

/* A run of a file that one extent, or none, gives. */
enum btrfs_extent_kind {
	BTRFS_EXTENT_ZEROS,
	BTRFS_EXTENT_INLINE, /* in the item itself */
	BTRFS_EXTENT_DISK,
};

struct btrfs_extent {
	uint64_t start, length; /* in the file */
	enum btrfs_extent_kind kind;
	uint8_t compression;
	uint64_t address, stored; /* logical, and bytes there */
	uint64_t skipped;         /* bytes of what is stored (after unpacking) that come before the run */
	uint64_t unpacked;        /* bytes of all that is stored, after unpacking */
};

/* An extent that was unpacked: files are read from front to back in pieces. */
struct btrfs_unpacked {
	uint64_t address;
	uint64_t used;
	uint8_t *bytes; /* owned; NULL: nothing is kept here */
	size_t size;
};

#define BTRFS_ROOTS_KEPT    16
#define BTRFS_UNPACKED_KEPT 4

struct btrfs {
	struct filesystem *fs;
	struct btrfs_super super;
	struct btrfs_chunks chunks;
	struct btrfs_node nodes[BTRFS_NODES_KEPT];
	uint64_t clock;
	struct btrfs_root roots[BTRFS_ROOTS_KEPT]; /* by their numbers; id 0: nothing is kept here */
	uint64_t extent_root, extent_inode;        /* of the run that was found last */
	struct btrfs_extent extent;
	struct btrfs_unpacked unpacked[BTRFS_UNPACKED_KEPT];
	uint8_t *packed; /* owned; room for the largest extent that is stored compressed */
	bool copy_used;  /* a damaged node was told of already */
};

/* btrfs_chunk.c: fills the map, from the superblock and then from the tree of all chunks. */
NODISCARD bool btrfs_chunks_read(struct btrfs *btrfs, struct error *error);
/* Where `length` bytes at a logical address lie, all of them in one chunk. */
NODISCARD bool btrfs_chunks_find(const struct btrfs *btrfs, uint64_t address, uint64_t length,
                                 struct btrfs_chunk *out, struct error *error);

/* btrfs_tree.c: a place between the items of a tree, which goes from one to the next. */
struct btrfs_cursor {
	struct btrfs *btrfs;
	struct btrfs_pointer nodes[BTRFS_LEVELS_MAX]; /* [0] is the leaf */
	uint32_t slots[BTRFS_LEVELS_MAX];
	uint8_t top;
	struct btrfs_key key;
	struct span item; /* valid until the next node is read */
};

/* Goes to the last item whose key is not above `key`; *found is false where there is none. */
NODISCARD bool btrfs_seek(struct btrfs *btrfs, const struct btrfs_pointer *top, const struct btrfs_key *key,
                          struct btrfs_cursor *cursor, bool *found, struct error *error);
/* The item with exactly this key. */
NODISCARD bool btrfs_find(struct btrfs *btrfs, const struct btrfs_pointer *top, const struct btrfs_key *key,
                          struct btrfs_cursor *cursor, bool *found, struct error *error);
/* To the next item; *found is false at the end of the tree. */
NODISCARD bool btrfs_next(struct btrfs_cursor *cursor, bool *found, struct error *error);
void btrfs_nodes_free(struct btrfs *btrfs);

/* btrfs_subvolume.c */
#define BTRFS_TOP_LEVEL 5

struct btrfs_name {
	char text[256];
};

/* The tree of subvolume `id`; ERROR_NOT_FOUND when there is none. */
NODISCARD bool btrfs_root_find(struct btrfs *btrfs, uint64_t id, struct btrfs_root *out, struct error *error);
/*
 * Is subvolume `child` reachable from this directory of `parent` by this name? A snapshot holds the names of
 * subvolumes that were inside what it is a snapshot of, and not those.
 */
NODISCARD bool btrfs_root_is_child(struct btrfs *btrfs, uint64_t parent, uint64_t directory, uint64_t child,
                                   const char *name, bool *is, struct error *error);
bool btrfs_find_mounted(const struct filesystem *fs, const char *options, struct node *out, char *path,
                        size_t capacity, struct error *error);

/* btrfs_directory.c */
bool btrfs_make_node(const struct filesystem *fs, const struct btrfs_root *root, uint64_t inode,
                     struct node *out, struct error *error);
bool btrfs_lookup(const struct node *directory, const char *name, struct node *out, struct error *error);
bool btrfs_list(const struct node *directory, fs_list_fn *each, void *context, struct error *error);
/* Where a name of a directory leads: an inode of the same tree, or a subvolume. */
NODISCARD bool btrfs_name_find(struct btrfs *btrfs, const struct btrfs_pointer *top, uint64_t directory,
                               const char *name, struct btrfs_key *location, struct error *error);

/* btrfs_extent.c */
bool btrfs_read(const struct node *file, uint64_t offset, void *buffer, size_t length, struct error *error);
void btrfs_unpacked_free(struct btrfs *btrfs);

static inline struct btrfs *btrfs_of(const struct filesystem *fs)
{
	return fs->state;
}
