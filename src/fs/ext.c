// ext2, ext3 and ext4, read through libext2fs. Metadata goes through the io_manager of ext_io.h; the
// content of files is read straight from the reader, a whole run of blocks at a time.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/text.h"
#include "fs/ext_io.h"
#include "fs/ext_super.h"
#include "fs/identify.h"
#include "fs/name_cache.h"

/* Group descriptors are held in memory; this much is a file system of 128 TiB. */
#define DESCRIPTORS_MAX (UINT64_C(64) << 20)

/* Consecutive blocks of a file; physical 0 is a hole, which reads as zeros. */
struct run {
	uint64_t logical, physical, count;
};

struct ext {
	struct ext_io io;
	ext2_filsys fs;
	struct name_cache names;
	/* The run that was read last: files are read from front to back in pieces. */
	ext2_ino_t run_inode;
	struct run run;
};

static struct ext *ext_of(const struct filesystem *fs)
{
	return fs->state;
}

/* Forgets the failures of earlier calls, so that fail() speaks of this one. */
static struct ext *ext_start(const struct filesystem *fs)
{
	struct ext *ext = ext_of(fs);
	error_clear(&ext->io.error);
	return ext;
}

/* What libext2fs says, or the reason that made the device fail under it. */
static bool fail(struct ext *ext, errcode_t code, struct error *error)
{
	if (ext->io.error.code != ERROR_NONE) {
		*error = ext->io.error;
		return false;
	}
	enum error_code kind = ERROR_CORRUPT;
	if (code == EXT2_ET_UNSUPP_FEATURE || code == EXT2_ET_RO_UNSUPP_FEATURE)
		kind = ERROR_UNSUPPORTED;
	return error_set(error, kind, "%s", error_message(code));
}

static bool fail_inode(struct ext *ext, errcode_t code, uint64_t inode, struct error *error)
{
	fail(ext, code, error);
	return error_wrap(error, "inode %" PRIu64, inode);
}

/* The numbers that libext2fs allocates by must fit the bytes that are there. */
static bool check_numbers(struct filesystem *fs, struct error *error)
{
	uint8_t buffer[EXT_SUPER_SIZE];
	struct ext_super super;
	uint64_t descriptors;
	if (!reader_read(&fs->reader, EXT_SUPER_OFFSET, buffer, sizeof(buffer), error))
		return false;
	if (!ext_super_decode(span_of(buffer, sizeof(buffer)), &super))
		return error_set(error, ERROR_CORRUPT, "the superblock is not sound");
	if (super.incompat & EXT3_FEATURE_INCOMPAT_JOURNAL_DEV)
		return error_set(error, ERROR_UNSUPPORTED, "an external journal holds no files");
	if (!mul_u64(ext_super_groups(&super), super.descriptor_size, &descriptors) ||
	    descriptors > fs->reader.size || descriptors > DESCRIPTORS_MAX)
		return error_set(error, ERROR_CORRUPT,
		                 "the superblock asks for %" PRIu64 " block groups, more than fit",
		                 ext_super_groups(&super));
	return true;
}

static bool ext_open(struct filesystem *fs, struct error *error)
{
	if (!check_numbers(fs, error))
		return error_wrap(error, "%s", fs->type);

	initialize_ext2_error_table();
	struct ext *ext = xmalloc(sizeof(*ext));
	*ext = (struct ext){ 0 };
	ext_io_init(&ext->io, &fs->reader, fs->budget);
	errcode_t code = ext_io_open(&ext->io, EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP, &ext->fs);
	if (code) {
		fail(ext, code, error);
		ext_io_free(&ext->io);
		free(ext);
		return error_wrap(error, "%s", fs->type);
	}
	fs->state = ext;
	return true;
}

static void ext_close(struct filesystem *fs)
{
	struct ext *ext = ext_of(fs);
	ext2fs_free(ext->fs);
	ext_io_free(&ext->io);
	free(ext);
}

static bool read_inode(struct ext *ext, uint64_t number, struct ext2_inode_large *inode, struct error *error)
{
	*inode = (struct ext2_inode_large){ 0 };
	errcode_t code =
		ext2fs_read_inode_full(ext->fs, (ext2_ino_t)number, EXT2_INODE(inode), sizeof(*inode));
	return code ? fail_inode(ext, code, number, error) : true;
}

static enum node_type type_of(uint16_t mode)
{
	switch (mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
		return NODE_FILE;
	case LINUX_S_IFDIR:
		return NODE_DIRECTORY;
	case LINUX_S_IFLNK:
		return NODE_SYMLINK;
	default:
		return NODE_OTHER;
	}
}

/* 32 bits, signed; inodes of more than 128 bytes carry two more in i_mtime_extra. */
static int64_t modified_of(const struct ext2_inode_large *inode)
{
	int64_t seconds = (int32_t)inode->i_mtime;
	const size_t end = offsetof(struct ext2_inode_large, i_mtime_extra) + sizeof(inode->i_mtime_extra);
	if (inode->i_extra_isize >= end - EXT2_GOOD_OLD_INODE_SIZE)
		seconds += (int64_t)(inode->i_mtime_extra & 3) << 32;
	return seconds;
}

static bool make_node(const struct filesystem *fs, uint64_t number, struct node *out, struct error *error)
{
	struct ext2_inode_large inode;
	if (!read_inode(ext_start(fs), number, &inode, error))
		return false;
	if (inode.i_links_count == 0)
		return error_set(error, ERROR_CORRUPT, "inode %" PRIu64 " is named but deleted", number);
	*out = (struct node){
		.fs = fs,
		.inode = number,
		.type = type_of(inode.i_mode),
		.mode = inode.i_mode & 07777,
		.uid = inode_uid(inode),
		.gid = inode_gid(inode),
		.size = EXT2_I_SIZE(&inode),
		.modified = modified_of(&inode),
		.driver = { inode.i_flags },
	};
	return true;
}

static bool is_encrypted(const struct node *node)
{
	return node->driver[0] & EXT4_ENCRYPT_FL;
}

static bool fail_encrypted(const struct node *node, struct error *error)
{
	return error_set(error, ERROR_UNSUPPORTED, "inode %" PRIu64 " is encrypted", node->inode);
}

static bool ext_root(const struct filesystem *fs, struct node *out, struct error *error)
{
	if (!make_node(fs, EXT2_ROOT_INO, out, error))
		return false;
	if (out->type != NODE_DIRECTORY)
		return error_set(error, ERROR_CORRUPT, "the root inode is no directory");
	return true;
}

/* The inode of a name, 0 when the directory does not have it. */
static errcode_t search(struct ext *ext, ext2_ino_t directory, const char *name, ext2_ino_t *found)
{
	size_t length = strlen(name);
	uint64_t known;
	*found = 0;
	if (length > EXT2_NAME_LEN)
		return 0;
	if (name_cache_find(&ext->names, directory, name, &known)) {
		*found = (ext2_ino_t)known;
		return 0;
	}
	errcode_t code = ext2fs_lookup(ext->fs, directory, name, (int)length, NULL, found);
	if (code && code != EXT2_ET_FILE_NOT_FOUND)
		return code;
	/* Where a block could not be read, the name may stand. */
	if (ext->io.error.code != ERROR_NONE)
		return EXT2_ET_SHORT_READ;
	name_cache_keep(&ext->names, directory, name, *found);
	return 0;
}

static bool ext_lookup(const struct node *directory, const char *name, struct node *out, struct error *error)
{
	struct ext *ext = ext_start(directory->fs);
	ext2_ino_t found;
	if (is_encrypted(directory))
		return fail_encrypted(directory, error);
	errcode_t code = search(ext, (ext2_ino_t)directory->inode, name, &found);
	if (code)
		return fail_inode(ext, code, directory->inode, error);
	if (found == 0)
		return error_set(error, ERROR_NOT_FOUND, "no such name");
	return make_node(directory->fs, found, out, error);
}

struct listing {
	const struct node *directory;
	fs_list_fn *each;
	void *context;
	struct error *error;
	bool failed;
};

static int list_entry(ext2_ino_t directory, int kind, struct ext2_dir_entry *entry, int offset,
                      int block_size, char *block, void *context)
{
	(void)directory, (void)offset, (void)block_size, (void)block;
	struct listing *listing = context;
	char name[EXT2_NAME_LEN + 1];
	size_t length = (size_t)ext2fs_dirent_name_len(entry);

	if (kind == DIRENT_DOT_FILE || kind == DIRENT_DOT_DOT_FILE)
		return 0;
	memcpy(name, entry->name, length);
	name[length] = '\0';
	if (length == 0 || strlen(name) != length || strchr(name, '/')) {
		error_fill(listing->error, ERROR_CORRUPT,
		           "directory inode %" PRIu64 " holds an impossible name", listing->directory->inode);
		listing->failed = true;
		return DIRENT_ABORT;
	}
	if (str_equal(name, ".") || str_equal(name, ".."))
		return 0;
	return listing->each(listing->context, name) ? 0 : DIRENT_ABORT;
}

static bool ext_list(const struct node *directory, fs_list_fn *each, void *context, struct error *error)
{
	struct ext *ext = ext_start(directory->fs);
	struct listing listing = { directory, each, context, error, false };
	if (is_encrypted(directory))
		return fail_encrypted(directory, error);
	errcode_t code =
		ext2fs_dir_iterate2(ext->fs, (ext2_ino_t)directory->inode, 0, NULL, list_entry, &listing);
	if (listing.failed)
		return false;
	return code ? fail_inode(ext, code, directory->inode, error) : true;
}

/* Data that lies inside the inode itself; libext2fs may give more of it than the file is long. */
static bool read_inline(const struct node *file, uint64_t offset, uint8_t *buffer, size_t length,
                        struct error *error)
{
	struct ext *ext = ext_start(file->fs);
	size_t size = 0;
	errcode_t code = ext2fs_inline_data_size(ext->fs, (ext2_ino_t)file->inode, &size);
	if (code)
		return fail_inode(ext, code, file->inode, error);
	uint8_t *data = xmalloc(size + 1);
	code = ext2fs_inline_data_get(ext->fs, (ext2_ino_t)file->inode, NULL, data, &size);
	if (code) {
		free(data);
		return fail_inode(ext, code, file->inode, error);
	}
	memset(buffer, 0, length);
	if (offset < size)
		memcpy(buffer, data + offset, length < size - offset ? length : size - (size_t)offset);
	free(data);
	return true;
}

static errcode_t extent_run(struct ext *ext, ext2_ino_t number, struct ext2_inode *inode, struct run *run)
{
	ext2_extent_handle_t handle;
	struct ext2fs_extent extent;
	errcode_t code = ext2fs_extent_open2(ext->fs, number, inode, &handle);
	if (code)
		return code;
	code = ext2fs_extent_goto(handle, run->logical);
	if (!code)
		code = ext2fs_extent_get(handle, EXT2_EXTENT_CURRENT, &extent);
	ext2fs_extent_free(handle);
	if (code == EXT2_ET_EXTENT_NOT_FOUND)
		return 0; /* a hole */
	if (code)
		return code;
	if (run->logical < extent.e_lblk || run->logical - extent.e_lblk >= extent.e_len)
		return EXT2_ET_EXTENT_NOT_FOUND;
	uint64_t inside = run->logical - extent.e_lblk;
	run->count = extent.e_len - inside;
	run->physical = extent.e_flags & EXT2_EXTENT_FLAGS_UNINIT ? 0 : extent.e_pblk + inside;
	return 0;
}

/* Files with block maps: asks block after block while they follow each other, up to `most`. */
static errcode_t mapped_run(struct ext *ext, ext2_ino_t number, struct ext2_inode *inode, uint64_t most,
                            struct run *run)
{
	for (run->count = 0; run->count < most; run->count++) {
		blk64_t block = 0;
		errcode_t code = ext2fs_bmap2(ext->fs, number, inode, NULL, 0, run->logical + run->count,
		                              NULL, &block);
		if (code)
			return code;
		if (run->count == 0)
			run->physical = block;
		else if (block != (run->physical ? run->physical + run->count : 0))
			break;
	}
	return 0;
}

/* Finds the run of blocks that holds block `logical` of the file, at least one and about `most` long. */
static bool find_run(const struct node *file, uint64_t logical, uint64_t most, struct error *error)
{
	struct ext *ext = ext_start(file->fs);
	struct ext2_inode_large inode;
	ext2_ino_t number = (ext2_ino_t)file->inode;
	if (ext->run_inode == number && logical >= ext->run.logical &&
	    logical - ext->run.logical < ext->run.count)
		return true;
	if (!budget_step(file->fs->budget, 1, "an ext file system", error) ||
	    !read_inode(ext, file->inode, &inode, error))
		return false;

	struct run run = { .logical = logical, .count = 1 };
	errcode_t code = inode.i_flags & EXT4_EXTENTS_FL
	                         ? extent_run(ext, number, EXT2_INODE(&inode), &run)
	                         : mapped_run(ext, number, EXT2_INODE(&inode), most, &run);
	if (code)
		return fail_inode(ext, code, file->inode, error);
	ext->run_inode = number;
	ext->run = run;
	return true;
}

/* Reads from one run; *done is how many bytes that gave. */
static bool read_run(const struct node *file, uint64_t offset, uint8_t *buffer, size_t length, size_t *done,
                     struct error *error)
{
	struct ext *ext = ext_of(file->fs);
	uint64_t block_size = ext->fs->blocksize;
	uint64_t logical = offset / block_size;
	if (!find_run(file, logical, length / block_size + 2, error))
		return false;

	uint64_t inside = offset - ext->run.logical * block_size;
	uint64_t left = ext->run.count * block_size - inside;
	size_t part = length < left ? length : (size_t)left;
	*done = part;
	if (ext->run.physical == 0) {
		memset(buffer, 0, part);
		return true;
	}
	uint64_t start;
	if (!mul_u64(ext->run.physical, block_size, &start) || !add_u64(start, inside, &start))
		return error_set(error, ERROR_CORRUPT, "inode %" PRIu64 " points behind the end",
		                 file->inode);
	return reader_read(&file->fs->reader, start, buffer, part, error);
}

static bool ext_read(const struct node *file, uint64_t offset, void *buffer, size_t length,
                     struct error *error)
{
	uint8_t *out = buffer;
	if (is_encrypted(file))
		return fail_encrypted(file, error);
	if (file->driver[0] & EXT4_INLINE_DATA_FL)
		return read_inline(file, offset, out, length, error);
	while (length > 0) {
		size_t done;
		if (!read_run(file, offset, out, length, &done, error))
			return false;
		out += done;
		offset += done;
		length -= done;
	}
	return true;
}

static bool ext_read_link(const struct node *link, char *target, size_t capacity, struct error *error)
{
	struct ext2_inode_large inode;
	if (is_encrypted(link))
		return fail_encrypted(link, error);
	if (link->size >= capacity || link->size > ext_of(link->fs)->fs->blocksize)
		return error_set(error, ERROR_CORRUPT,
		                 "symlink inode %" PRIu64 " has a target of %" PRIu64 " bytes", link->inode,
		                 link->size);
	if (!read_inode(ext_of(link->fs), link->inode, &inode, error))
		return false;
	size_t length = (size_t)link->size;
	target[length] = '\0';
	if ((inode.i_flags & EXT4_INLINE_DATA_FL) || !ext2fs_is_fast_symlink(EXT2_INODE(&inode)))
		return ext_read(link, 0, target, length, error);
	if (length > sizeof(inode.i_block))
		return error_set(error, ERROR_CORRUPT, "symlink inode %" PRIu64 " has a target of %zu bytes",
		                 link->inode, length);
	memcpy(target, inode.i_block, length);
	return true;
}

static bool refuse_damaged(struct filesystem *fs, struct error *error)
{
	return error_set(error, ERROR_CORRUPT, "%s",
	                 fs->problems.count > 0 ? fs->problems.items[0].message
	                                        : "the superblock is damaged");
}

const struct fs_driver ext_driver = {
	.name = "ext",
	.identify = ext_identify,
	.open = ext_open,
	.close = ext_close,
	.root = ext_root,
	.lookup = ext_lookup,
	.list = ext_list,
	.read_link = ext_read_link,
	.read = ext_read,
};

const struct fs_driver ext_damaged_driver = {
	.name = "ext-damaged",
	.identify = ext_identify_damaged,
	.open = refuse_damaged,
};
