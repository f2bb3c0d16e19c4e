// squashfs, through libsquashfs over our read gate.
//
// Superblock, little-endian, at 0 (Documentation/filesystems/squashfs.rst of the kernel):
//   0  "hsqs"   8 le32 time of making   12 le32 block size   20 le16 compression   28 le16 version 4.0
//   40 le64 bytes used
// An inode is named by its reference: the position of its metadata block in the inode table << 16 | offset in
// it.
#include "fs/identify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/text.h"

#define SUPER_SIZE        96
#define BYTES_USED_OFFSET 40

static bool squashfs_identify(struct filesystem *fs)
{
	uint8_t buffer[SUPER_SIZE];
	struct span super = span_of(buffer, sizeof(buffer));
	uint64_t used;
	if (!fs_peek(fs, 0, buffer, sizeof(buffer)) || !span_has(super, 0, "hsqs", 4))
		return false;
	fs->type = "squashfs";
	if (get_le64(super, BYTES_USED_OFFSET, &used) && used > fs->reader.size)
		fs_problem(fs, "squashfs-beyond-partition", BYTES_USED_OFFSET,
		           "this squashfs is %" PRIu64 " bytes long, more than the %" PRIu64
		           " bytes that it lies in",
		           used, fs->reader.size);
	return true;
}

#ifdef HAVE_SQUASHFS

#include <sqfs/compressor.h>
#include <sqfs/data_reader.h>
#include <sqfs/dir.h>
#include <sqfs/error.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/meta_reader.h>
#include <sqfs/super.h>

/* A file as libsquashfs wants one, over the reader of a file system. Its first member is the library's. */
struct squashfs_file {
	sqfs_file_t base;
	const struct filesystem *fs; /* borrowed */
	struct error error;          /* why the last read failed; code ERROR_NONE: it did not */
};

struct squashfs {
	struct squashfs_file file;
	sqfs_super_t super;
	sqfs_compressor_t *compressor;
	sqfs_id_table_t *ids;
	sqfs_meta_reader_t *inodes, *directories;
	sqfs_data_reader_t *data;
	/* The inode read last: a file is mostly read in several pieces. */
	sqfs_inode_generic_t *inode;
	uint64_t reference;
};

static int file_read_at(sqfs_file_t *base, sqfs_u64 offset, void *buffer, size_t size)
{
	struct squashfs_file *file = (struct squashfs_file *)(void *)base;
	/* Each read is one metadata or data block. */
	if (budget_step(file->fs->budget, 1, "squashfs blocks", &file->error) &&
	    reader_read(&file->fs->reader, offset, buffer, size, &file->error))
		return 0;
	return file->error.code == ERROR_TRUNCATED ? SQFS_ERROR_OUT_OF_BOUNDS : SQFS_ERROR_IO;
}

static int file_write_at(sqfs_file_t *base, sqfs_u64 offset, const void *buffer, size_t size)
{
	(void)base, (void)offset, (void)buffer, (void)size;
	return SQFS_ERROR_IO;
}

static sqfs_u64 file_get_size(const sqfs_file_t *base)
{
	const struct squashfs_file *file = (const struct squashfs_file *)(const void *)base;
	return file->fs->reader.size;
}

static int file_truncate(sqfs_file_t *base, sqfs_u64 size)
{
	(void)base, (void)size;
	return SQFS_ERROR_IO;
}

/* Its memory is the driver's. */
static void file_destroy(sqfs_object_t *base)
{
	(void)base;
}

static const sqfs_file_t file_functions = {
	.base = { .destroy = file_destroy },
	.read_at = file_read_at,
	.write_at = file_write_at,
	.get_size = file_get_size,
	.truncate = file_truncate,
};

static struct squashfs *squashfs_of(const struct filesystem *fs)
{
	return fs->state;
}

/* What the library's error number means here; `what` was being read. */
static bool fail(struct squashfs *squashfs, int number, const char *what, struct error *error)
{
	struct error *cause = &squashfs->file.error;
	if (cause->code != ERROR_NONE) {
		*error = *cause;
		*cause = (struct error){ 0 };
		return error_wrap(error, "squashfs: %s", what);
	}
	switch (number) {
	case SQFS_ERROR_UNSUPPORTED:
		return error_set(error, ERROR_UNSUPPORTED,
		                 "squashfs: %s: this build of libsquashfs does not read it", what);
	case SQFS_ERROR_ALLOC:
		return error_set(error, ERROR_LIMIT, "squashfs: %s takes too much memory", what);
	default:
		return error_set(error, ERROR_CORRUPT, "squashfs: %s is damaged (libsquashfs error %d)", what,
		                 number);
	}
}

static bool open_tables(struct squashfs *squashfs, struct error *error)
{
	sqfs_file_t *file = &squashfs->file.base;
	const sqfs_super_t *super = &squashfs->super;
	squashfs->ids = sqfs_id_table_create(0);
	if (!squashfs->ids)
		return fail(squashfs, SQFS_ERROR_ALLOC, "the id table", error);
	int number = sqfs_id_table_read(squashfs->ids, file, super, squashfs->compressor);
	if (number != 0)
		return fail(squashfs, number, "the id table", error);
	squashfs->inodes = sqfs_meta_reader_create(file, squashfs->compressor, super->inode_table_start,
	                                           super->directory_table_start);
	/* What follows the directory table is its end: whichever table there is. */
	squashfs->directories = sqfs_meta_reader_create(file, squashfs->compressor,
	                                                super->directory_table_start, super->id_table_start);
	squashfs->data = sqfs_data_reader_create(file, super->block_size, squashfs->compressor, 0);
	if (!squashfs->inodes || !squashfs->directories || !squashfs->data)
		return fail(squashfs, SQFS_ERROR_ALLOC, "its tables", error);
	number = sqfs_data_reader_load_fragment_table(squashfs->data, super);
	return number == 0 || fail(squashfs, number, "the fragment table", error);
}

/* The library allocates this table, too, before it looks for it: 16 bytes for each, and none is empty. */
#define FRAGMENTS_MOST ((uint32_t)4 << 20)

static bool open_all(struct squashfs *squashfs, struct error *error)
{
	sqfs_compressor_config_t configuration;
	int number = sqfs_super_read(&squashfs->super, &squashfs->file.base);
	if (number != 0)
		return fail(squashfs, number, "the superblock", error);
	if (squashfs->super.fragment_entry_count > FRAGMENTS_MOST ||
	    squashfs->super.fragment_entry_count > squashfs->file.fs->reader.size)
		return error_set(error, ERROR_CORRUPT, "squashfs: the superblock claims %u fragments",
		                 squashfs->super.fragment_entry_count);
	number = sqfs_compressor_config_init(&configuration, squashfs->super.compression_id,
	                                     squashfs->super.block_size, SQFS_COMP_FLAG_UNCOMPRESS);
	if (number == 0)
		number = sqfs_compressor_create(&configuration, &squashfs->compressor);
	if (number != 0) {
		const char *name = sqfs_compressor_name_from_id(squashfs->super.compression_id);
		return error_set(error, ERROR_UNSUPPORTED, "squashfs: its compression (%s) is not supported",
		                 name ? name : "unknown");
	}
	if (squashfs->super.flags & SQFS_FLAG_COMPRESSOR_OPTIONS) {
		number = squashfs->compressor->read_options(squashfs->compressor, &squashfs->file.base);
		if (number != 0)
			return fail(squashfs, number, "the compressor's options", error);
	}
	return open_tables(squashfs, error);
}

static void squashfs_close(struct filesystem *fs)
{
	struct squashfs *squashfs = squashfs_of(fs);
	sqfs_free(squashfs->inode);
	sqfs_destroy(squashfs->data);
	sqfs_destroy(squashfs->directories);
	sqfs_destroy(squashfs->inodes);
	sqfs_destroy(squashfs->ids);
	sqfs_destroy(squashfs->compressor);
	free(squashfs);
}

static bool squashfs_open(struct filesystem *fs, struct error *error)
{
	struct squashfs *squashfs = xmalloc(sizeof(*squashfs));
	*squashfs = (struct squashfs){ .file = { .base = file_functions, .fs = fs } };
	fs->state = squashfs;
	if (open_all(squashfs, error))
		return true;
	squashfs_close(fs);
	fs->state = NULL;
	return false;
}

/* The list of a file's blocks, a link's target, a name: more than any that makes sense. */
#define BLOCKS_MOST ((uint64_t)16 << 20)
#define TARGET_MOST ((uint32_t)64 << 10)
#define NAME_MOST   ((uint32_t)256)

/* What all inodes have, and the most that is read of one: an extended directory's. */
#define INODE_LEAST 20
#define INODE_MOST  40

/* An inode of which `size` bytes have been read; more of it follows in the meta reader. */
struct claims {
	struct squashfs *squashfs; /* borrowed */
	uint8_t bytes[INODE_MOST];
	size_t size;
};

static bool read_claims(struct claims *claims, size_t size, struct error *error)
{
	int number = sqfs_meta_reader_read(claims->squashfs->inodes, claims->bytes + claims->size, size);
	claims->size += size;
	return number == 0 || fail(claims->squashfs, number, "an inode", error);
}

/* A file: 28 le32 size, an extended one 24 le64 size. */
static bool check_file(struct claims *claims, bool extended, struct error *error)
{
	if (!read_claims(claims, 12, error))
		return false;
	struct span inode = span_of(claims->bytes, claims->size);
	uint32_t small = 0;
	uint64_t size = 0;
	bool read = extended ? get_le64(inode, 24, &size) : get_le32(inode, 28, &small);
	size += small;
	return (read && size / claims->squashfs->super.block_size <= BLOCKS_MOST) ||
	       error_set(error, ERROR_CORRUPT, "squashfs: an inode claims a file of %" PRIu64 " bytes", size);
}

/* A link: 20 le32 size. */
static bool check_link(struct claims *claims, struct error *error)
{
	uint32_t size = 0;
	if (!read_claims(claims, 4, error))
		return false;
	return (get_le32(span_of(claims->bytes, claims->size), 20, &size) && size <= TARGET_MOST) ||
	       error_set(error, ERROR_CORRUPT, "squashfs: an inode claims a link of %" PRIu32 " bytes", size);
}

/*
 * An extended directory: 32 le16 number of entries in its index, and behind the inode, at 40, that index.
 * Each 0 le32 place in the listing   4 le32 metadata block   8 le32 length of the name - 1   12 the name
 */
static bool check_index(struct claims *claims, struct error *error)
{
	uint8_t entry[12], name[NAME_MOST];
	uint16_t count;
	uint32_t size;
	if (!read_claims(claims, INODE_MOST - INODE_LEAST, error) ||
	    !get_le16(span_of(claims->bytes, claims->size), 32, &count))
		return false;
	for (uint16_t i = 0; i < count; i++) {
		int number = sqfs_meta_reader_read(claims->squashfs->inodes, entry, sizeof(entry));
		if (number == 0 && get_le32(span_of(entry, sizeof(entry)), 8, &size)) {
			if (size >= NAME_MOST)
				return error_set(
					error, ERROR_CORRUPT,
					"squashfs: the index of a directory claims a name of %" PRIu64
					" bytes",
					(uint64_t)size + 1);
			number = sqfs_meta_reader_read(claims->squashfs->inodes, name, size + 1);
		}
		if (number != 0)
			return fail(claims->squashfs, number, "the index of a directory", error);
	}
	return true;
}

/*
 * The library allocates what an inode claims to need before it looks at what is there, so the claim is read
 * first. Every inode: 0 le16 type; the smallest, a FIFO's, has 20 bytes, and may be the last one in the
 * table.
 */
static bool check_claims(struct squashfs *squashfs, uint64_t reference, struct error *error)
{
	struct claims claims = { .squashfs = squashfs };
	uint16_t type;
	uint64_t block;
	if (!add_u64(squashfs->super.inode_table_start, reference >> 16, &block))
		return fail(squashfs, SQFS_ERROR_OUT_OF_BOUNDS, "an inode", error);
	int number = sqfs_meta_reader_seek(squashfs->inodes, block, reference & 0xffff);
	if (number != 0)
		return fail(squashfs, number, "an inode", error);
	if (!read_claims(&claims, INODE_LEAST, error) ||
	    !get_le16(span_of(claims.bytes, claims.size), 0, &type))
		return false;
	switch (type) {
	case SQFS_INODE_FILE:
	case SQFS_INODE_EXT_FILE:
		return check_file(&claims, type == SQFS_INODE_EXT_FILE, error);
	case SQFS_INODE_SLINK:
	case SQFS_INODE_EXT_SLINK:
		return check_link(&claims, error);
	case SQFS_INODE_EXT_DIR:
		return check_index(&claims, error);
	default:
		return true;
	}
}

/* The inode behind a reference; it is the driver's until the next call. */
static bool load_inode(struct squashfs *squashfs, uint64_t reference, const sqfs_inode_generic_t **out,
                       struct error *error)
{
	if (!squashfs->inode || squashfs->reference != reference) {
		sqfs_inode_generic_t *inode = NULL;
		if (!check_claims(squashfs, reference, error))
			return false;
		int number = sqfs_meta_reader_read_inode(squashfs->inodes, &squashfs->super, reference >> 16,
		                                         reference & 0xffff, &inode);
		if (number != 0)
			return fail(squashfs, number, "an inode", error);
		sqfs_free(squashfs->inode);
		squashfs->inode = inode;
		squashfs->reference = reference;
	}
	*out = squashfs->inode;
	return true;
}

static enum node_type type_of(const sqfs_inode_generic_t *inode)
{
	switch (inode->base.type) {
	case SQFS_INODE_DIR:
	case SQFS_INODE_EXT_DIR:
		return NODE_DIRECTORY;
	case SQFS_INODE_FILE:
	case SQFS_INODE_EXT_FILE:
		return NODE_FILE;
	case SQFS_INODE_SLINK:
	case SQFS_INODE_EXT_SLINK:
		return NODE_SYMLINK;
	default:
		return NODE_OTHER;
	}
}

static uint64_t size_of(const sqfs_inode_generic_t *inode)
{
	sqfs_u64 size;
	if (inode->base.type == SQFS_INODE_SLINK)
		return inode->data.slink.target_size;
	if (inode->base.type == SQFS_INODE_EXT_SLINK)
		return inode->data.slink_ext.target_size;
	return sqfs_inode_get_file_size(inode, &size) == 0 ? size : 0;
}

static bool make_node(const struct filesystem *fs, uint64_t reference, struct node *out, struct error *error)
{
	struct squashfs *squashfs = squashfs_of(fs);
	const sqfs_inode_generic_t *inode;
	sqfs_u32 uid, gid;
	if (!load_inode(squashfs, reference, &inode, error))
		return false;
	int number = sqfs_id_table_index_to_id(squashfs->ids, inode->base.uid_idx, &uid);
	if (number == 0)
		number = sqfs_id_table_index_to_id(squashfs->ids, inode->base.gid_idx, &gid);
	if (number != 0)
		return fail(squashfs, number, "the owner of an inode", error);
	*out = (struct node){
		.fs = fs,
		.inode = inode->base.inode_number,
		.type = type_of(inode),
		.mode = inode->base.mode & 07777,
		.uid = uid,
		.gid = gid,
		.size = size_of(inode),
		.modified = inode->base.mod_time,
		.driver = { reference },
	};
	return true;
}

static bool squashfs_root(const struct filesystem *fs, struct node *out, struct error *error)
{
	if (!make_node(fs, squashfs_of(fs)->super.root_inode_ref, out, error))
		return false;
	return out->type == NODE_DIRECTORY ||
	       error_set(error, ERROR_CORRUPT, "squashfs: its root is no directory");
}

/* Return false to stop. */
typedef bool entry_fn(void *context, const char *name, uint64_t reference);

static bool scan_directory(const struct node *directory, entry_fn *each, void *context, struct error *error)
{
	struct squashfs *squashfs = squashfs_of(directory->fs);
	const sqfs_inode_generic_t *inode;
	sqfs_readdir_state_t state;
	if (!load_inode(squashfs, directory->driver[0], &inode, error))
		return false;
	int number = sqfs_readdir_state_init(&state, &squashfs->super, inode);
	while (number == 0) {
		sqfs_dir_entry_t *entry = NULL;
		sqfs_u64 reference;
		if (!budget_step(directory->fs->budget, 1, "squashfs directories", error))
			return false;
		number = sqfs_meta_reader_readdir(squashfs->directories, &state, &entry, NULL, &reference);
		if (number != 0)
			break;
		const char *name = (const char *)entry->name;
		/* No name that any program could write holds a slash. */
		bool sound = *name && !strchr(name, '/') && !str_equal(name, ".") && !str_equal(name, "..");
		bool more = !sound || each(context, name, reference);
		sqfs_free(entry);
		if (!more)
			return true;
	}
	return number > 0 || fail(squashfs, number, "a directory", error);
}

struct search {
	const char *name;
	uint64_t reference;
	bool found;
};

static bool match_entry(void *context, const char *name, uint64_t reference)
{
	struct search *search = context;
	int order = strcmp(name, search->name);
	search->found = order == 0;
	search->reference = reference;
	/* Names are sorted (the kernel relies on it, too). */
	return order < 0;
}

static bool squashfs_lookup(const struct node *directory, const char *name, struct node *out,
                            struct error *error)
{
	struct search search = { .name = name };
	if (!scan_directory(directory, match_entry, &search, error))
		return false;
	if (!search.found)
		return error_set(error, ERROR_NOT_FOUND, "no such name");
	return make_node(directory->fs, search.reference, out, error);
}

struct listing {
	fs_list_fn *each;
	void *context;
};

static bool list_entry(void *context, const char *name, uint64_t reference)
{
	(void)reference;
	const struct listing *listing = context;
	return listing->each(listing->context, name);
}

static bool squashfs_list(const struct node *directory, fs_list_fn *each, void *context, struct error *error)
{
	struct listing listing = { each, context };
	return scan_directory(directory, list_entry, &listing, error);
}

static bool squashfs_read_link(const struct node *link, char *target, size_t capacity, struct error *error)
{
	const sqfs_inode_generic_t *inode;
	if (!load_inode(squashfs_of(link->fs), link->driver[0], &inode, error))
		return false;
	size_t size = (size_t)size_of(inode);
	if (size >= capacity || size > inode->payload_bytes_used)
		return error_set(error, ERROR_CORRUPT, "squashfs: a link's target of %zu bytes", size);
	memcpy(target, inode->extra, size);
	target[size] = '\0';
	return true;
}

static bool squashfs_read(const struct node *file, uint64_t offset, void *buffer, size_t length,
                          struct error *error)
{
	struct squashfs *squashfs = squashfs_of(file->fs);
	const sqfs_inode_generic_t *inode;
	if (!load_inode(squashfs, file->driver[0], &inode, error) ||
	    !budget_inflate(file->fs->budget, length, "squashfs files", error))
		return false;
	uint8_t *to = buffer;
	while (length > 0) {
		sqfs_u32 part = length < INT32_MAX ? (sqfs_u32)length : INT32_MAX;
		sqfs_s32 got = sqfs_data_reader_read(squashfs->data, inode, offset, to, part);
		if (got <= 0)
			return fail(squashfs, got == 0 ? SQFS_ERROR_OUT_OF_BOUNDS : got, "a file's content",
			            error);
		to += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return true;
}

#define OPEN squashfs_open
#else
/* Built without libsquashfs: the format is recognised, and its files cannot be read. */
#define OPEN               NULL
#define squashfs_close     NULL
#define squashfs_root      NULL
#define squashfs_lookup    NULL
#define squashfs_list      NULL
#define squashfs_read_link NULL
#define squashfs_read      NULL
#endif

const struct fs_driver squashfs_driver = {
	.name = "squashfs",
	.identify = squashfs_identify,
	.open = OPEN,
	.close = squashfs_close,
	.root = squashfs_root,
	.lookup = squashfs_lookup,
	.list = squashfs_list,
	.read_link = squashfs_read_link,
	.read = squashfs_read,
};
