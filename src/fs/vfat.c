// FAT12, FAT16 and FAT32 with long names, as the kernel's vfat reads them. A chain of clusters is followed
// forwards only, and never for more steps than the file system has clusters.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/text.h"
#include "fs/identify.h"
#include "fs/vfat_layout.h"
#include "fs/vfat_name.h"

#define WINDOW_SIZE 4096
/* 65536 entries, which is what the format and the kernel allow. */
#define DIRECTORY_SIZE_MAX (UINT64_C(65536) * VFAT_ENTRY_SIZE)

/* Where the walk of a chain stands: cluster number `index` of the file that begins at `first`. */
struct cursor {
	uint32_t first, index, cluster;
};

struct vfat {
	struct vfat_layout layout;
	/* The piece of the FAT that was used last. Entries of 12 bits may cross its end: 4 bytes more. */
	uint8_t window[WINDOW_SIZE + 4];
	uint64_t window_offset;
	size_t window_length; /* 0: nothing read yet */
	struct cursor cursor;
};

static struct vfat *vfat_of(const struct filesystem *fs)
{
	return fs->state;
}

/* Reads up to four bytes of the FAT, as a little-endian number, through the window. */
static bool read_fat(const struct filesystem *fs, uint64_t offset, uint32_t *out, struct error *error)
{
	struct vfat *vfat = vfat_of(fs);
	uint64_t start = offset - offset % WINDOW_SIZE;
	if (vfat->window_length == 0 || vfat->window_offset != start) {
		uint64_t left = vfat->layout.fat_size - start;
		size_t length = left < sizeof(vfat->window) ? (size_t)left : sizeof(vfat->window);
		vfat->window_length = 0;
		memset(vfat->window, 0, sizeof(vfat->window));
		if (!reader_read(&fs->reader, vfat->layout.fat_offset + start, vfat->window, length, error))
			return error_wrap(error, "vfat: the file allocation table");
		vfat->window_offset = start;
		vfat->window_length = length;
	}
	struct span window = span_of(vfat->window, sizeof(vfat->window));
	return get_le32(window, (size_t)(offset - start), out);
}

/* The entry of the FAT for a valid cluster: the next cluster of the chain, or a mark. */
static bool fat_entry(const struct filesystem *fs, uint32_t cluster, uint32_t *out, struct error *error)
{
	uint32_t raw = 0;
	unsigned bits = vfat_of(fs)->layout.bits;
	uint64_t bit = (uint64_t)cluster * bits;
	if (!read_fat(fs, bit / 8, &raw, error))
		return false;
	if (bits == 32)
		*out = raw & 0x0fffffff;
	else
		*out = raw >> bit % 8 & ((1U << bits) - 1);
	return true;
}

static bool fail_chain(uint32_t cluster, const char *why, struct error *error)
{
	return error_set(error, ERROR_CORRUPT, "vfat: the chain that starts at cluster %" PRIu32 " %s",
	                 cluster, why);
}

/* One step along a chain; *ended instead when `cluster` is its last. */
static bool next_cluster(const struct filesystem *fs, struct cursor *cursor, bool *ended, struct error *error)
{
	const struct vfat_layout *layout = &vfat_of(fs)->layout;
	uint32_t next;
	uint32_t mark = layout->bits == 32 ? 0x0ffffff8 : (1U << layout->bits) - 8;
	if (!budget_step(fs->budget, 1, "vfat", error) || !fat_entry(fs, cursor->cluster, &next, error))
		return false;
	*ended = next >= mark;
	if (*ended)
		return true;
	if (!vfat_cluster_valid(layout, next))
		return fail_chain(cursor->first, "leads to a cluster that does not exist", error);
	if (cursor->index + 1 >= layout->clusters)
		return fail_chain(cursor->first, "is a loop", error);
	cursor->index++;
	cursor->cluster = next;
	return true;
}

/* Moves the cursor to cluster number `index` of a chain, from where it stands if that is on the way. */
static bool seek_cluster(const struct filesystem *fs, uint32_t first, uint32_t index, bool *ended,
                         struct error *error)
{
	struct cursor *cursor = &vfat_of(fs)->cursor;
	*ended = false;
	if (!vfat_cluster_valid(&vfat_of(fs)->layout, first))
		return fail_chain(first, "starts outside the file system", error);
	if (cursor->first != first || cursor->index > index)
		*cursor = (struct cursor){ .first = first, .cluster = first };
	while (!*ended && cursor->index < index)
		if (!next_cluster(fs, cursor, ended, error))
			return false;
	return true;
}

/* How many bytes from the cursor on lie in one piece on the disk, at least one cluster, about `wanted`. */
static bool contiguous_bytes(const struct filesystem *fs, uint64_t wanted, uint64_t *out, struct error *error)
{
	struct vfat *vfat = vfat_of(fs);
	struct cursor ahead = vfat->cursor;
	for (*out = vfat->layout.cluster_size; *out < wanted; *out += vfat->layout.cluster_size) {
		uint32_t before = ahead.cluster;
		bool ended;
		if (!next_cluster(fs, &ahead, &ended, error))
			return false;
		if (ended || ahead.cluster != before + 1)
			break;
		vfat->cursor = ahead;
	}
	return true;
}

/* Reads from a chain; *got is less than `length` only where the chain ends. */
static bool read_chain(const struct filesystem *fs, uint32_t first, uint64_t offset, uint8_t *out,
                       size_t length, size_t *got, struct error *error)
{
	struct vfat *vfat = vfat_of(fs);
	uint64_t cluster_size = vfat->layout.cluster_size;
	for (*got = 0; *got < length;) {
		uint64_t position = offset + *got, inside = position % cluster_size, run;
		bool ended;
		if (!seek_cluster(fs, first, (uint32_t)(position / cluster_size), &ended, error))
			return false;
		if (ended)
			return true;
		uint64_t start =
			vfat->layout.data_offset + (vfat->cursor.cluster - 2) * cluster_size + inside;
		if (!contiguous_bytes(fs, inside + length - *got, &run, error))
			return false;
		size_t part = length - *got < run - inside ? length - *got : (size_t)(run - inside);
		if (!reader_read(&fs->reader, start, out + *got, part, error))
			return error_wrap(error, "vfat");
		*got += part;
	}
	return true;
}

static bool vfat_read(const struct node *file, uint64_t offset, void *buffer, size_t length,
                      struct error *error)
{
	size_t got;
	if (length == 0)
		return true;
	if (!read_chain(file->fs, (uint32_t)file->driver[0], offset, buffer, length, &got, error))
		return false;
	if (got < length)
		return fail_chain((uint32_t)file->driver[0], "ends before its file does", error);
	return true;
}

/* The entries of the root of FAT12 and FAT16 lie in one piece. */
static bool read_root(const struct filesystem *fs, uint64_t offset, uint8_t *out, size_t length, size_t *got,
                      struct error *error)
{
	const struct vfat_layout *layout = &vfat_of(fs)->layout;
	uint64_t left = offset < layout->root_size ? layout->root_size - offset : 0;
	*got = length < left ? length : (size_t)left;
	if (!reader_read(&fs->reader, layout->root_offset + offset, out, *got, error))
		return error_wrap(error, "vfat: the root directory");
	return true;
}

static bool is_fixed_root(const struct node *directory)
{
	return directory->driver[1];
}

static bool read_directory(const struct node *directory, uint64_t offset, uint8_t *out, size_t length,
                           size_t *got, struct error *error)
{
	if (is_fixed_root(directory))
		return read_root(directory->fs, offset, out, length, got, error);
	return read_chain(directory->fs, (uint32_t)directory->driver[0], offset, out, length, got, error);
}

/* Return false to stop. `offset` is that of the entry in its directory. */
typedef bool entry_fn(void *context, const struct vfat_entry *entry, uint64_t offset);

/* Calls `each` for the entries in use, "." and ".." and the label included. */
static bool scan_directory(const struct node *directory, entry_fn *each, void *context, struct error *error)
{
	struct vfat_long_name pending = { 0 };
	struct vfat_entry entry;
	uint8_t buffer[1024];
	for (uint64_t offset = 0;; offset += sizeof(buffer)) {
		size_t got;
		if (!budget_step(directory->fs->budget, 1, "vfat", error) ||
		    !read_directory(directory, offset, buffer, sizeof(buffer), &got, error))
			return false;
		if (got > 0 && offset >= DIRECTORY_SIZE_MAX)
			return fail_chain((uint32_t)directory->driver[0], "is too long for a directory",
			                  error);
		for (size_t at = 0; at + VFAT_ENTRY_SIZE <= got; at += VFAT_ENTRY_SIZE) {
			struct span bytes = span_of(buffer + at, VFAT_ENTRY_SIZE);
			enum vfat_scan seen = vfat_scan_entry(&pending, bytes, &entry);
			if (seen == VFAT_END || (seen == VFAT_ENTRY && !each(context, &entry, offset + at)))
				return true;
		}
		if (got < sizeof(buffer))
			return true;
	}
}

static void make_node(const struct node *directory, const struct vfat_entry *entry, uint64_t offset,
                      struct node *out)
{
	/* FAT has no inodes: the place of the entry is as good. The root is 1. */
	*out = (struct node){
		.fs = directory->fs,
		.inode = (directory->driver[0] << 32) + offset + 2,
		.type = entry->directory ? NODE_DIRECTORY : NODE_FILE,
		.mode = 0755,
		.size = entry->directory ? 0 : entry->size,
		.modified = entry->modified,
		.driver = { entry->cluster },
	};
}

static bool is_named_file(const struct vfat_entry *entry)
{
	return !entry->label && entry->name[0] && !str_equal(entry->alias, ".") &&
	       !str_equal(entry->alias, "..");
}

struct search {
	const struct node *directory;
	const char *name;
	struct node *out;
	bool found;
};

static bool match_entry(void *context, const struct vfat_entry *entry, uint64_t offset)
{
	struct search *search = context;
	if (!is_named_file(entry) || !vfat_name_matches(entry, search->name))
		return true;
	make_node(search->directory, entry, offset, search->out);
	search->found = true;
	return false;
}

static bool vfat_lookup(const struct node *directory, const char *name, struct node *out, struct error *error)
{
	struct search search = { directory, name, out, false };
	if (!scan_directory(directory, match_entry, &search, error))
		return false;
	return search.found ? true : error_set(error, ERROR_NOT_FOUND, "no such name");
}

struct listing {
	fs_list_fn *each;
	void *context;
};

static bool list_entry(void *context, const struct vfat_entry *entry, uint64_t offset)
{
	(void)offset;
	const struct listing *listing = context;
	/* No name that any program could write holds a slash. */
	if (!is_named_file(entry) || strchr(entry->name, '/'))
		return true;
	return listing->each(listing->context, entry->name);
}

static bool vfat_list(const struct node *directory, fs_list_fn *each, void *context, struct error *error)
{
	struct listing listing = { each, context };
	return scan_directory(directory, list_entry, &listing, error);
}

static bool vfat_root(const struct filesystem *fs, struct node *out, struct error *error)
{
	(void)error;
	const struct vfat_layout *layout = &vfat_of(fs)->layout;
	*out = (struct node){
		.fs = fs,
		.inode = 1,
		.type = NODE_DIRECTORY,
		.mode = 0755,
		.driver = { layout->root_cluster, layout->bits != 32 },
	};
	return true;
}

static bool vfat_read_link(const struct node *link, char *target, size_t capacity, struct error *error)
{
	(void)link, (void)target, (void)capacity;
	return error_set(error, ERROR_UNSUPPORTED, "vfat has no symbolic links");
}

static bool vfat_open(struct filesystem *fs, struct error *error)
{
	uint8_t boot[VFAT_BOOT_SIZE];
	struct vfat_layout layout;
	if (!reader_read(&fs->reader, 0, boot, sizeof(boot), error))
		return error_wrap(error, "vfat");
	if (!vfat_decode(span_of(boot, sizeof(boot)), &layout))
		return error_set(error, ERROR_CORRUPT, "vfat: the boot sector is not sound");
	struct vfat *vfat = xmalloc(sizeof(*vfat));
	*vfat = (struct vfat){ .layout = layout };
	fs->state = vfat;
	return true;
}

static void vfat_close(struct filesystem *fs)
{
	free(fs->state);
}

static bool take_label(void *context, const struct vfat_entry *entry, uint64_t offset)
{
	(void)offset;
	struct filesystem *fs = context;
	if (!entry->label || entry->directory || entry->cluster != 0)
		return true;
	fs->label = fs_label(fs->arena, span_of(entry->short_name, sizeof(entry->short_name)), 0,
	                     sizeof(entry->short_name));
	return false;
}

/* The label is an entry of the root directory; a root that cannot be read has none. */
static void find_label(struct filesystem *fs)
{
	struct error ignored;
	struct node root;
	if (!vfat_open(fs, &ignored))
		return;
	if (vfat_root(fs, &root, &ignored) && !scan_directory(&root, take_label, fs, &ignored))
		fs->label = NULL;
	vfat_close(fs);
	fs->state = NULL;
}

/* The serial number is there when the byte in front of it says so. */
static const char *serial_number(struct filesystem *fs, struct span boot, unsigned bits)
{
	size_t offset = bits == 32 ? 66 : 38;
	uint8_t mark = 0;
	uint32_t serial = 0;
	if (!get_u8(boot, offset, &mark) || !get_le32(boot, offset + 1, &serial) ||
	    (mark != 0x28 && mark != 0x29) || serial == 0)
		return NULL;
	return arena_printf(fs->arena, "%04" PRIX32 "-%04" PRIX32, serial >> 16, serial & 0xffff);
}

static bool vfat_identify(struct filesystem *fs)
{
	uint8_t buffer[VFAT_BOOT_SIZE];
	struct span boot = span_of(buffer, sizeof(buffer));
	struct vfat_layout layout;
	if (!fs_peek(fs, 0, buffer, sizeof(buffer)) || !vfat_decode(boot, &layout))
		return false;
	fs->type = "vfat";
	fs->uuid = serial_number(fs, boot, layout.bits);
	find_label(fs);
	if (layout.size > fs->reader.size)
		fs_problem(fs, "vfat-beyond-partition", 0,
		           "this vfat is %" PRIu64 " bytes long, more than the %" PRIu64
		           " bytes that it lies in",
		           layout.size, fs->reader.size);
	return true;
}

const struct fs_driver vfat_driver = {
	.name = "vfat",
	.identify = vfat_identify,
	.open = vfat_open,
	.close = vfat_close,
	.root = vfat_root,
	.lookup = vfat_lookup,
	.list = vfat_list,
	.read_link = vfat_read_link,
	.read = vfat_read,
};
