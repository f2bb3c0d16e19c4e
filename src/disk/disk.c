#include "disk/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/container.h"

#define HEAD_SIZE 512 /* every magic in the table lies in the first or the last sector */

struct container {
	const char *name;
	size_t offset; /* of the magic, in the first sector (or the last one) */
	bool in_last;  /* the magic is in the last 512 bytes */
	size_t length; /* of the magic; 0: matches everything, for the last row */
	const char *magic;
	container_open_fn *open; /* NULL: recognised, and refused with the advice */
	const char *advice;      /* "this is " + advice */
};

#define MAGIC(text) .length = sizeof(text) - 1, .magic = (text)
#define CONVERT(format, ending)                                                                              \
	"convert it with `qemu-img convert -f " format " -O raw disk." ending " disk.raw`"
#define UNPACK(command) "unpack it with `" command "` and give the disk inside"

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
	{ "gzip", MAGIC("\x1f\x8b\x08"),
	  .advice = "a gzip file: unpack it with `tar -xzf` (a .tar.gz) or `gzip -d` and give the disk.raw "
	            "inside" },
	{ "xz", MAGIC("\3757zXZ\0"), .advice = "an xz file: " UNPACK("xz -d") },
	{ "zstd", MAGIC("\x28\xb5\x2f\xfd"), .advice = "a zstd file: " UNPACK("zstd -d") },
	{ "bzip2", MAGIC("BZh"), .advice = "a bzip2 file: " UNPACK("bzip2 -d") },
	{ "lz4", MAGIC("\x04\x22\x4d\x18"), .advice = "an lz4 file: " UNPACK("lz4 -d") },
	{ "zip", MAGIC("PK\x03\x04"), .advice = "a zip file: " UNPACK("unzip") },
	{ "7z", MAGIC("7z\xbc\xaf\x27\x1c"), .advice = "a 7z file: " UNPACK("7z x") },
	{ "tar", .offset = 257, MAGIC("ustar"), .advice = "a tar file: " UNPACK("tar -xf") },
	{ "raw", .open = raw_open },
};

static bool matches(const struct container *container, struct span first, struct span last)
{
	return container->length == 0 || span_has(container->in_last ? last : first, container->offset,
	                                          container->magic, container->length);
}

/* Only a regular file or a block device has a size and can be read at any place. */
static bool check_kind(int descriptor, mode_t *mode, struct error *error)
{
	struct stat status;
	if (fstat(descriptor, &status) != 0)
		return error_set(error, ERROR_IO, "the input cannot be examined: %s", strerrordesc_np(errno));
	*mode = status.st_mode;
	if (S_ISREG(*mode) || S_ISBLK(*mode))
		return true;
	if (S_ISDIR(*mode))
		return error_set(error, ERROR_UNSUPPORTED, "this is a directory, not a disk image");
	if (S_ISFIFO(*mode) || S_ISSOCK(*mode))
		return error_set(error, ERROR_UNSUPPORTED,
		                 "a disk cannot be read from a pipe or a socket: save it to a file first");
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
		return error_set(
			error, ERROR_TRUNCATED,
			"the input is empty (0 bytes), so it holds no disk: was it copied completely?");
	state->size = (uint64_t)end;
	return true;
}

static bool read_ends(struct disk *disk, uint8_t first[HEAD_SIZE], uint8_t last[HEAD_SIZE], size_t *length,
                      struct error *error)
{
	*length = disk->state->size < HEAD_SIZE ? (size_t)disk->state->size : HEAD_SIZE;
	return reader_read(&disk->reader, 0, first, *length, error) &&
	       reader_read(&disk->reader, disk->reader.size - *length, last, *length, error);
}

static bool detect(struct disk *disk, struct error *error)
{
	uint8_t first[HEAD_SIZE], last[HEAD_SIZE];
	size_t length;
	/* Every container is read through the raw bytes of its file. */
	if (!read_ends(disk, first, last, &length, error))
		return false;
	const struct container *found = containers;
	while (!matches(found, span_of(first, length), span_of(last, length)))
		found++;
	if (!found->open)
		return error_set(error, ERROR_UNSUPPORTED, "this is %s", found->advice);
	disk->container = found->name;
	return found->open(disk, error);
}

static struct disk *new_disk(const struct disk_state *state)
{
	struct disk *disk = xmalloc(sizeof(*disk));
	*disk = (struct disk){ .state = xmalloc(sizeof(*disk->state)) };
	*disk->state = *state;
	return disk;
}

bool disk_open_bytes(const struct input *input, struct disk **out, struct error *error)
{
	mode_t mode;
	struct disk_state state = { .descriptor = input->descriptor };
	if (!check_kind(input->descriptor, &mode, error) || !measure(&state, error))
		return false;
	state.may_have_holes = S_ISREG(mode);
	*out = new_disk(&state);
	return raw_open(*out, error);
}

bool disk_open(const struct input *input, struct budget *budget, struct arena *arena, struct disk **out,
               struct error *error)
{
	(void)budget; /* nothing of the table is unpacked */
	(void)arena;
	struct disk *disk = NULL;
	bool opened;
	if (input->source == SOURCE_SERVER) {
		disk = new_disk(&(struct disk_state){ .descriptor = input->descriptor });
		opened = nbd_open(input, disk, error);
	} else {
		opened = disk_open_bytes(input, &disk, error) && detect(disk, error);
	}
	if (!opened) {
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
