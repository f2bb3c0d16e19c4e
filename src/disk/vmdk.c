// A VMDK image that is one file, as the "Virtual Disk Format 5.0" lays it out: monolithicSparse and
// streamOptimized. All numbers are little-endian, and count sectors of 512 bytes.
//
//     0  "KDMV"                      28  u64 embedded descriptor    77  u16 compression: 0 none, 1 deflate
//     4  u32 version: 1 to 3         36  u64 its length
//    12  u64 size of the disk        44  u32 entries of a grain table
//    20  u64 size of a grain         56  u64 grain directory; ~0: the footer, a second header, has it
//
// The descriptor is text. Its lines `RW 4192256 SPARSE "disk.vmdk"` name the files of the disk, of which only
// the one that it stands in may be there; parentCID and parentFileNameHint name what the disk is a change of.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "disk/container.h"

#define SECTOR           512
#define HEADER_SIZE      512
#define FOOTER_BACK      1024 /* from the end of the file: the footer, then an end-of-stream marker */
#define AT_END           UINT64_MAX
#define DESCRIPTOR_LEAST (20 * SECTOR) /* what QEMU reads of it, whatever length the header gives */
#define DESCRIPTOR_MOST  ((uint64_t)1 << 20)
#define GRAIN_MOST       0x200000

#define FLATTEN                                                                                              \
	"if you trust the files that it names, join them with `qemu-img convert -f vmdk -O raw disk.vmdk "   \
	"disk.raw` and give disk.raw"

struct header {
	uint32_t version, table_entries;
	uint64_t size, grain, descriptor, descriptor_size, directory;
	uint16_t compression;
};

static bool read_header(const struct disk *disk, uint64_t offset, struct header *header, struct error *error)
{
	uint8_t bytes[HEADER_SIZE];
	struct span at;
	if (!header_read(disk, offset, bytes, sizeof(bytes), &at, error))
		return false;
	if (!span_has(at, 0, "KDMV", 4))
		return header_damaged(disk, error,
		                      "there is no footer at offset %" PRIu64 ": was it copied completely?",
		                      offset);
	return get_le32(at, 4, &header->version) && get_le64(at, 12, &header->size) &&
	       get_le64(at, 20, &header->grain) && get_le64(at, 28, &header->descriptor) &&
	       get_le64(at, 36, &header->descriptor_size) && get_le32(at, 44, &header->table_entries) &&
	       get_le64(at, 56, &header->directory) && get_le16(at, 77, &header->compression);
}

static bool check_tables(const struct disk *disk, const struct header *header, struct error *error)
{
	uint64_t size, covered, offset;
	if (header->version < 1 || header->version > 3 || header->compression > 1)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "this vmdk image is of version %" PRIu32
		                 ", compression %u, which is not known here",
		                 header->version, header->compression);
	if (header->grain == 0 || header->grain > GRAIN_MOST || header->table_entries == 0 ||
	    header->table_entries > 512)
		return header_damaged(disk, error,
		                      "its grains have %" PRIu64 " sectors and its grain tables %" PRIu32
		                      " entries",
		                      header->grain, header->table_entries);
	if (!mul_u64(header->size, SECTOR, &size) || !mul_u64(header->directory, SECTOR, &offset))
		return header_damaged(disk, error, "its header has sizes that no disk has");
	covered = header->grain * header->table_entries;
	return header_size(disk, size, error) &&
	       header_inside(disk, "grain directory", offset, ((header->size - 1) / covered + 1) * 4, error);
}

static bool is_inside_text(struct span text, const char *word)
{
	return span_find(text, 0, word, strlen(word)) != SIZE_MAX;
}

/* `parentCID=ffffffff` is that of a disk that changes no other; QEMU follows the hint whatever the id says.
 */
static bool has_parent(struct span descriptor)
{
	struct span rest = descriptor, line;
	bool has = is_inside_text(descriptor, "parentFileNameHint");
	while (!has && span_next_line(&rest, &line)) {
		line = span_trim(line);
		has = span_has(line, 0, "parentCID", 9) && !is_inside_text(line, "ffffffff") &&
		      !is_inside_text(line, "FFFFFFFF");
	}
	return has;
}

/* `RW 4192256 SPARSE "disk.vmdk"`: *kind is what follows the number, *name what stands between the quotes. */
static bool parse_extent(struct span line, struct span *kind, struct span *name)
{
	if (!span_has(line, 0, "RW ", 3) && !span_has(line, 0, "RDONLY ", 7) &&
	    !span_has(line, 0, "NOACCESS ", 9))
		return false;
	size_t number = span_find(line, 0, " ", 1) + 1;
	size_t word = span_find(line, number, " ", 1);
	*kind = word == SIZE_MAX ? span_of(NULL, 0) : span_from(line, word + 1);
	size_t quote = span_find(line, 0, "\"", 1);
	*name = quote == SIZE_MAX ? *kind : span_from(line, quote + 1);
	size_t end = span_find(*name, 0, "\"", 1);
	if (end != SIZE_MAX)
		name->size = end;
	return true;
}

static bool refuse_extent(struct span name, struct error *error)
{
	char text[HEADER_NAME_MAX + 4];
	header_name(name, text);
	return error_set(
		error, ERROR_UNSUPPORTED,
		"this vmdk image keeps its data in other files ('%s'), which are not opened: " FLATTEN, text);
}

/* One extent, and that in this file: only then does the name of it not matter. */
static bool check_extents(struct span descriptor, struct error *error)
{
	struct span rest = descriptor, line, kind, name;
	size_t count = 0;
	while (span_next_line(&rest, &line)) {
		if (!parse_extent(span_trim(line), &kind, &name))
			continue;
		if (!span_has(kind, 0, "SPARSE ", 7) || span_find(name, 0, "/", 1) != SIZE_MAX || count++ > 0)
			return refuse_extent(name, error);
	}
	return count == 1 || error_set(error, ERROR_UNSUPPORTED,
	                               "this vmdk image has no descriptor in it, so it is one of several "
	                               "parts of a disk: join "
	                               "them with `qemu-img convert -f vmdk -O raw disk.vmdk disk.raw` on "
	                               "the small text file "
	                               "that names them, and give disk.raw");
}

static bool refuse_parent(struct error *error)
{
	return error_set(error, ERROR_UNSUPPORTED,
	                 "this vmdk image holds only the changes to another file (its parent), which is not "
	                 "opened: " FLATTEN);
}

/* The text at `sector`, as far as the file goes, without the zeros that fill it up. */
static struct span load_descriptor(const struct disk *disk, uint64_t sector, uint64_t length, uint8_t *bytes)
{
	struct error ignored;
	uint64_t offset;
	if (!mul_u64(sector, SECTOR, &offset) || offset >= disk->reader.size)
		return span_of(bytes, 0);
	if (length > disk->reader.size - offset)
		length = disk->reader.size - offset;
	if (!reader_read(&disk->reader, offset, bytes, (size_t)length, &ignored))
		return span_of(bytes, 0);
	const uint8_t *end = memchr(bytes, 0, (size_t)length);
	return span_of(bytes, end ? (size_t)(end - bytes) : (size_t)length);
}

/* QEMU looks for a parent right behind the header, wherever the descriptor is said to be: so do we. */
static bool check_descriptor(const struct disk *disk, const struct header *header, struct error *error)
{
	uint64_t length;
	if (!mul_u64(header->descriptor_size, SECTOR, &length) || length > DESCRIPTOR_MOST)
		return header_damaged(disk, error, "its descriptor is said to have %" PRIu64 " sectors",
		                      header->descriptor_size);
	if (length < DESCRIPTOR_LEAST)
		length = DESCRIPTOR_LEAST;
	uint8_t *bytes = xmalloc((size_t)length);
	bool alone = !has_parent(load_descriptor(disk, 1, DESCRIPTOR_LEAST, bytes));
	struct span descriptor =
		load_descriptor(disk, header->descriptor, header->descriptor ? length : 0, bytes);
	alone = alone && !has_parent(descriptor);
	bool sound = alone ? check_extents(descriptor, error) : refuse_parent(error);
	free(bytes);
	return sound;
}

bool vmdk_open(struct disk *disk, struct error *error)
{
	struct header header = { 0 };
	if (!read_header(disk, 0, &header, error))
		return false;
	/* QEMU takes such a file for nothing but its descriptor, and opens what that names. */
	if (header.size == 0)
		return header_damaged(disk, error, "its header says that the disk in it has no bytes");
	if (!check_descriptor(disk, &header, error))
		return false;
	if (header.directory == AT_END) {
		uint64_t end = disk->reader.size / SECTOR * SECTOR;
		uint64_t footer = end < FOOTER_BACK ? end : end - FOOTER_BACK;
		if (!read_header(disk, footer, &header, error) || !check_descriptor(disk, &header, error))
			return false;
	}
	if (!check_tables(disk, &header, error))
		return false;
	disk->served = SERVED_VMDK;
	return true;
}

/* A descriptor alone: whatever it names are other files. */
bool vmdk_descriptor_open(struct disk *disk, struct error *error)
{
	uint8_t bytes[DESCRIPTOR_LEAST];
	struct span rest = load_descriptor(disk, 0, sizeof(bytes), bytes), line, kind, name = { 0 };
	while (span_next_line(&rest, &line))
		if (parse_extent(span_trim(line), &kind, &name))
			break;
	return refuse_extent(name, error);
}
