#include "disk/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "disk/container.h"
#include "disk/unpack.h"

struct container {
	const char *name;
	size_t offset; /* of the magic, in the first sector (or the last one) */
	bool in_last;  /* the magic is in the last 512 bytes */
	size_t length; /* of the magic; 0: matches everything, for the last row */
	const char *magic;
	bool (*test)(struct span first); /* in place of a magic; NULL */
	container_open_fn *open;         /* NULL: recognised, and refused with the advice */
	const char *advice;              /* "this is " + advice */
};

#define MAGIC(text) .length = sizeof(text) - 1, .magic = (text)
#define CONVERT(format, ending)                                                                              \
	"convert it with `qemu-img convert -f " format " -O raw disk." ending " disk.raw`"
#define EMPTY           "the input is empty (0 bytes), so it holds no disk: was it copied completely?"
#define UNPACK(command) "unpack it with `" command "` and give the disk inside"

static container_open_fn compressed_open;

/*
 * Tried in this order; the first match decides. The magics are those of the formats' specifications:
 * qcow2.txt and parallels.txt of QEMU, "Virtual Disk Format 5.0" (VMDK), MS-VHDX, "Virtual Hard Disk Image
 * Format" (VHD), RFC 1952 (gzip), POSIX (ustar).
 */
static const struct container containers[] = {
	{ "qcow2", MAGIC("QFI\xfb"), .open = qcow2_open },
	{ "qed", MAGIC("QED\0"), .open = qed_open },
	{ "vmdk", MAGIC("KDMV"), .open = vmdk_open },
	{ "vmdk", MAGIC("COWD"), .advice = "a VMDK image of the COW kind: " CONVERT("vmdk", "vmdk") },
	{ "vmdk", MAGIC("# Disk DescriptorFile"), .open = vmdk_descriptor_open },
	{ "vhdx", MAGIC("vhdxfile"), .open = vhdx_open },
	{ "vhd", MAGIC("conectix"), .open = vhd_open },
	{ "vhd", .in_last = true, MAGIC("conectix"), .open = vhd_fixed_open },
	{ "vdi", .offset = 64, MAGIC("\x7f\x10\xda\xbe"), .open = vdi_open },
	{ "parallels", MAGIC("WithoutFreeSpace"), .open = parallels_open },
	{ "parallels", MAGIC("WithouFreSpacExt"), .open = parallels_open },
	{ "android-sparse", MAGIC("\x3a\xff\x26\xed"),
	  .advice = "an Android sparse image: convert it with `simg2img disk.img disk.raw`" },
	{ "gzip", MAGIC("\x1f\x8b\x08"), .open = compressed_open },
	{ "xz", MAGIC("\3757zXZ\0"), .open = compressed_open },
	{ "zstd", MAGIC("\x28\xb5\x2f\xfd"), .open = compressed_open },
	{ "bzip2", MAGIC("BZh"), .open = compressed_open },
	{ "lz4", MAGIC("\x04\x22\x4d\x18"), .open = compressed_open },
	{ "zip", MAGIC("PK\x03\x04"), .advice = "a zip file: " UNPACK("unzip") },
	{ "7z", MAGIC("7z\xbc\xaf\x27\x1c"), .advice = "a 7z file: " UNPACK("7z x") },
	{ "cpio", MAGIC("07070"),
	  .advice = "a cpio archive, as an initramfs is, which holds no disk: give the image it belongs to" },
	{ "tar", .offset = 257, MAGIC("ustar"), .open = tar_open },
	{ "tar", .test = tar_is_header, .open = tar_open }, /* v7 has no magic */
	{ "raw", .open = raw_open },
};

static bool matches(const struct container *container, struct span first, struct span last)
{
	if (container->test)
		return container->test(first);
	return container->length == 0 || span_has(container->in_last ? last : first, container->offset,
	                                          container->magic, container->length);
}

bool disk_read_failed(struct disk *disk, const struct error *error)
{
	if (!disk->failure[0])
		memcpy(disk->failure, error->message, sizeof(disk->failure));
	return false;
}

/* Only a regular file or a block device has a size and can be read at any place. */
static bool check_kind(struct disk_state *state, struct error *error)
{
	struct stat status;
	if (fstat(state->descriptor, &status) != 0)
		return error_set(error, ERROR_IO, "the input cannot be examined: %s", strerrordesc_np(errno));
	state->may_have_holes = S_ISREG(status.st_mode);
	if (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))
		return true;
	if (S_ISDIR(status.st_mode))
		return error_set(error, ERROR_UNSUPPORTED, "this is a directory, not a disk image");
	return error_set(error, ERROR_UNSUPPORTED,
	                 "this is neither a regular file nor a block device, so it holds no disk image");
}

/* fstat() knows no size of a block device; the end of it does. */
static bool measure(struct disk_state *state, struct error *error)
{
	off_t end = lseek(state->descriptor, 0, SEEK_END);
	if (end < 0)
		return error_set(error, ERROR_IO, "the size of the input cannot be told: %s",
		                 strerrordesc_np(errno));
	if (end == 0)
		return error_set(error, ERROR_TRUNCATED, EMPTY);
	state->size = (uint64_t)end;
	return true;
}

/* The row that the first and the last bytes of what disk->reader has belong to. */
static bool detect(const struct disk *disk, const struct container **out, struct error *error)
{
	uint8_t first[CONTAINER_HEAD], last[CONTAINER_HEAD];
	const struct reader *reader = &disk->reader;
	size_t length = reader->size < CONTAINER_HEAD ? (size_t)reader->size : CONTAINER_HEAD;
	if (!reader_read(reader, 0, first, length, error) ||
	    !reader_read(reader, reader->size - length, last, length, error))
		return false;
	*out = containers;
	while (!matches(*out, span_of(first, length), span_of(last, length)))
		(*out)++;
	memcpy(disk->state->head, first, length);
	disk->state->head_size = length;
	return true;
}

/* Those that are read here, as they are, wherever their bytes lie. */
static bool is_read_here(const struct container *container)
{
	return container->open == raw_open || container->open == tar_open || container->open == qcow2_open;
}

/* What is packed and not read here has to be unpacked by hand. */
static bool refuse_inside(const struct container *inside, const char *outside, struct error *error)
{
	if (inside->open == compressed_open)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "this %s file holds a %s file: unpack the outer one and give what is inside",
		                 outside, inside->name);
	return error_set(error, ERROR_UNSUPPORTED,
	                 "this %s file holds no raw disk but a %s image: unpack it and give that", outside,
	                 inside->name);
}

/* More members than an appliance has are those of a system. */
#define FEW_MEMBERS 8

/*
 * An archive without a raw disk may have one of another format, as an OVA has: false then, and what to do. Of
 * one whose end is missing it is not known how many members it has.
 */
static bool has_no_other_disk(struct disk *disk, struct error *error)
{
	const struct tar_archive *archive = disk->archive;
	const struct reader whole = disk->reader;
	bool none = true, few = archive->has_end && archive->members.count <= FEW_MEMBERS;
	for (size_t i = 0; few && i < archive->members.count && none; i++) {
		const struct tar_member *member = &archive->members.items[i];
		const struct container *inside;
		struct error ignored = { 0 };
		if (member->type != TAR_FILE || member->size == 0)
			continue;
		disk->reader = tar_member_reader(archive, member, disk->state->arena);
		if (detect(disk, &inside, &ignored) && inside->open != raw_open && inside->open != tar_open &&
		    inside->open != compressed_open)
			none = refuse_inside(inside, disk->container, error);
	}
	disk->reader = whole;
	return none;
}

/* The disk inside an archive is raw, or it is none for the platform and for us. */
static bool open_archive(struct disk *disk, struct error *error)
{
	const struct container *inside;
	if (!tar_open(disk, error))
		return false;
	if (!disk->packing.disk.name)
		return has_no_other_disk(disk, error);
	if (disk->reader.size == 0)
		return error_set(error, ERROR_TRUNCATED, "the archive's member %.200s is empty",
		                 disk->packing.disk.name);
	if (!detect(disk, &inside, error))
		return false;
	return inside->open == raw_open || refuse_inside(inside, disk->container, error);
}

static const char *ending_of(const char *compression)
{
	static const struct {
		const char *name, *ending;
	} endings[] = { { "gzip", "gz" }, { "zstd", "zst" }, { "bzip2", "bz2" } };
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (str_equal(compression, endings[i].name))
			return endings[i].ending;
	return compression;
}

static bool compressed_open(struct disk *disk, struct error *error)
{
	struct disk_state *state = disk->state;
	bool piped = state->input->source == SOURCE_STREAM;
	struct feed feed = { .disk = disk, .head = state->head, .head_size = piped ? state->head_size : 0 };
	const struct codec *codec = codec_of(span_of(state->head, state->head_size));
	const struct container *inside;
	if (!codec)
		return error_set(error, ERROR_CORRUPT, "this is a %s file whose header is damaged",
		                 disk->container);
	disk->packing.compression = disk->container;
	if (!unpack(disk, &feed, codec, error) || !detect(disk, &inside, error))
		return false;
	if (!is_read_here(inside))
		return refuse_inside(inside, disk->packing.compression, error);
	if (inside->open == raw_open)
		return true;
	disk->container =
		arena_printf(state->arena, "%s.%s", inside->name, ending_of(disk->packing.compression));
	return (inside->open == tar_open ? open_archive : inside->open)(disk, error);
}

static bool open_container(struct disk *disk, const struct container *container, struct error *error)
{
	if (!container->open)
		return error_set(error, ERROR_UNSUPPORTED, "this is %s", container->advice);
	disk->container = container->name;
	return (container->open == tar_open ? open_archive : container->open)(disk, error);
}

/* Every container is read through the raw bytes of its file. */
static bool open_bytes(struct disk *disk, struct error *error)
{
	return check_kind(disk->state, error) && measure(disk->state, error) && raw_open(disk, error);
}

static bool open_file(struct disk *disk, struct error *error)
{
	const struct container *container;
	return open_bytes(disk, error) && detect(disk, &container, error) &&
	       open_container(disk, container, error);
}

/* What is not compressed is kept as it is: a disk is read here and there, and a pipe only once. */
static bool open_pipe(struct disk *disk, struct error *error)
{
	struct disk_state *state = disk->state;
	struct feed feed = { .disk = disk };
	const struct container *container = containers;
	if (!feed_read(&feed, state->head, sizeof(state->head), &state->head_size, error))
		return false;
	if (state->head_size == 0)
		return error_set(error, ERROR_TRUNCATED, EMPTY);
	while (!matches(container, span_of(state->head, state->head_size), (struct span){ 0 }))
		container++;
	feed = (struct feed){ .disk = disk, .head = state->head, .head_size = state->head_size };
	if (container->open == compressed_open)
		return open_container(disk, container, error);
	if (is_read_here(container) &&
	    (!unpack(disk, &feed, NULL, error) || !detect(disk, &container, error)))
		return false;
	if (is_read_here(container) || !container->open)
		return open_container(disk, container, error);
	return error_set(error, ERROR_UNSUPPORTED,
	                 "a %s image cannot be read from a pipe: save it to a file and give that",
	                 container->name);
}

static bool open_server(struct disk *disk, struct error *error)
{
	return nbd_open(disk->state->input, disk, error);
}

/* The input's name without its folders; NULL where it is none of a file: of a pipe or a descriptor. */
static const char *file_name(const struct input *input, struct arena *arena)
{
	if (!input->name || input->source == SOURCE_STREAM || str_equal(input->name, "-") ||
	    str_starts(input->name, "/dev/") || str_starts(input->name, "/proc/self/fd/"))
		return NULL;
	const char *slash = strrchr(input->name, '/');
	return arena_strdup(arena, slash ? slash + 1 : input->name);
}

static struct disk *new_disk(const struct input *input)
{
	struct disk *disk = xmalloc(sizeof(*disk));
	*disk = (struct disk){ .state = xmalloc(sizeof(*disk->state)) };
	*disk->state = (struct disk_state){ .input = input, .descriptor = input->descriptor };
	return disk;
}

bool disk_open_bytes(const struct input *input, struct disk **out, struct error *error)
{
	struct disk *disk = new_disk(input);
	if (!open_bytes(disk, error)) {
		disk_close(disk);
		return false;
	}
	*out = disk;
	return true;
}

bool disk_open(const struct input *input, struct budget *budget, struct arena *arena, struct disk **out,
               struct error *error)
{
	struct disk *disk = new_disk(input);
	disk->state->budget = budget;
	disk->state->arena = arena;
	disk->packing.file_name = file_name(input, arena);
	bool (*open_source)(struct disk *, struct error *) = input->source == SOURCE_SERVER   ? open_server
	                                                     : input->source == SOURCE_STREAM ? open_pipe
	                                                                                      : open_file;
	if (!open_source(disk, error)) {
		disk_close(disk);
		return false;
	}
	*out = disk;
	return true;
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	nbd_close_disk(disk->state->nbd);
	free(disk->state);
	free(disk);
}
