#include "boot/initramfs.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/text.h"
#include "boot/archive.h"
#include "codec/codec.h"

/*
 * newc, cpio(5): 110 bytes of ASCII, then the name, then the content; name and content are padded so that
 * what follows lies at a multiple of 4.
 *   0  "070701", or "070702" with a checksum of the content
 *   6  thirteen numbers of 8 hexadecimal digits; here used:  14 mode   54 size   94 size of the name with
 *      its NUL
 */
#define HEADER_SIZE   ((size_t)110)
#define FIELD_MODE    14
#define FIELD_SIZE    54
#define FIELD_NAME    94
#define ALIGNMENT     4
#define TRAILER       "TRAILER!!!"
#define SEGMENTS_MOST 4096

_Static_assert(HEADER_SIZE + PATH_MAX + ALIGNMENT <= ARCHIVE_AHEAD, "a header and its name fit the buffer");

struct walk {
	const struct reader *file;
	struct budget *budget;
	struct arena *arena;
	cpio_fn *each;
	void *context;
	struct initramfs *out;
	struct cpio_wanted *wanted; /* files that are loaded, and not told of */
	size_t wanted_count;
	bool stopped; /* the caller has seen enough */
};

static bool get_hex(struct span header, size_t offset, uint32_t *out)
{
	struct span digits;
	uint32_t value = 0;
	if (!span_slice(header, offset, 8, &digits))
		return false;
	for (size_t i = 0; i < digits.size; i++) {
		uint8_t digit = digits.data[i];
		uint32_t part;
		if (digit >= '0' && digit <= '9')
			part = (uint32_t)(digit - '0');
		else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
			part = (uint32_t)((digit | 0x20) - 'a' + 10);
		else
			return false;
		value = value << 4 | part;
	}
	*out = value;
	return true;
}

static bool add_segment(struct walk *walk, uint64_t offset, const char *compression, struct error *error)
{
	if (walk->out->segments.count >= SEGMENTS_MOST)
		return error_set(error, ERROR_LIMIT, "more than %d segments, the last at offset %" PRIu64,
		                 SEGMENTS_MOST, offset);
	*LIST_ADD(walk->arena, &walk->out->segments) =
		(struct initramfs_segment){ .offset = offset, .compression = compression };
	return true;
}

/* Without what cpio's users put in front: "./usr" and "/usr" are "usr". */
static const char *plain_name(const char *name)
{
	for (;;) {
		if (name[0] == '/')
			name++;
		else if (name[0] == '.' && name[1] == '/')
			name += 2;
		else
			return name;
	}
}

struct header {
	uint32_t mode, size, name_size;
	uint64_t content; /* from the header's begin, as are the next two */
	uint64_t end;     /* of the content */
	uint64_t next;    /* behind the padding */
};

/* Of sums of 32-bit numbers, so that nothing overflows. */
static uint64_t aligned(uint64_t offset)
{
	return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool read_header(struct archive *archive, struct header *out, struct error *error)
{
	if (!archive_fill(archive, HEADER_SIZE, error))
		return false;
	struct span bytes = archive_ahead(archive);
	if (bytes.size < HEADER_SIZE)
		return error_set(error, ERROR_TRUNCATED, "the cpio archive ends inside a header, %s %" PRIu64,
		                 archive_where(archive), archive->position);
	struct header header;
	if ((!span_has(bytes, 0, "070701", 6) && !span_has(bytes, 0, "070702", 6)) ||
	    !get_hex(bytes, FIELD_MODE, &header.mode) || !get_hex(bytes, FIELD_SIZE, &header.size) ||
	    !get_hex(bytes, FIELD_NAME, &header.name_size))
		return error_set(error, ERROR_CORRUPT, "no newc cpio header %s %" PRIu64,
		                 archive_where(archive), archive->position);
	header.content = aligned(HEADER_SIZE + (uint64_t)header.name_size);
	header.end = header.content + header.size;
	header.next = aligned(header.end);
	*out = header;
	return true;
}

/* The name that lies ahead; "" for one that the kernel passes over, empty or too long. */
static bool read_name(struct archive *archive, const struct header *header, char name[PATH_MAX + 1],
                      struct error *error)
{
	struct span text;
	name[0] = '\0';
	if (header->name_size > PATH_MAX)
		return true;
	if (!archive_fill(archive, HEADER_SIZE + header->name_size, error))
		return false;
	if (!span_slice(archive_ahead(archive), HEADER_SIZE, header->name_size, &text))
		return error_set(error, ERROR_TRUNCATED, "the cpio archive ends inside a name, %s %" PRIu64,
		                 archive_where(archive), archive->position);
	memcpy(name, text.data, text.size);
	name[text.size] = '\0';
	return true;
}

/* Passes what is behind a file's content. Behind the last one an archive may end without its padding. */
static bool skip_padding(struct archive *archive, const struct header *header, struct error *error)
{
	size_t padding = (size_t)(header->next - header->end);
	if (!archive_fill(archive, padding, error))
		return false;
	size_t there = archive_ahead(archive).size;
	return archive_skip(archive, padding < there ? padding : there, error);
}

/* The content of a file whose header lies ahead; passes it. */
static bool load_content(struct walk *walk, struct archive *archive, const struct header *header,
                         struct cpio_wanted *wanted, struct error *error)
{
	uint8_t *content = arena_alloc(walk->arena, (size_t)header->size + 1);
	size_t done = 0;
	if (!archive_skip(archive, header->content, error))
		return false;
	while (done < header->size) {
		size_t left = header->size - done, want = left < ARCHIVE_AHEAD ? left : ARCHIVE_AHEAD;
		if (!archive_fill(archive, want, error))
			return false;
		struct span ahead = archive_ahead(archive);
		if (ahead.size < want)
			return error_set(error, ERROR_TRUNCATED,
			                 "the cpio archive ends inside a file, %s %" PRIu64,
			                 archive_where(archive), archive->position);
		memcpy(content + done, ahead.data, want);
		done += want;
		if (!archive_skip(archive, want, error))
			return false;
	}
	wanted->content = span_of(content, done);
	return true;
}

static struct cpio_wanted *find_wanted(const struct walk *walk, const char *name, const struct header *header)
{
	for (size_t i = 0; i < walk->wanted_count; i++)
		if (S_ISREG(header->mode) && str_equal(walk->wanted[i].name, name) &&
		    header->size <= walk->wanted[i].most)
			return &walk->wanted[i];
	return NULL;
}

/* Reads one file's header and name, tells the caller, and skips to the next. */
static bool walk_entry(struct walk *walk, struct archive *archive, bool *trailer, struct error *error)
{
	struct header header;
	char name[PATH_MAX + 1];
	*trailer = false;
	if (!budget_step(walk->budget, 1, "the initramfs", error) || !read_header(archive, &header, error) ||
	    !read_name(archive, &header, name, error))
		return false;
	if (str_equal(name, TRAILER)) {
		*trailer = true;
		return archive_skip(archive, HEADER_SIZE + header.name_size, error);
	}
	struct cpio_wanted *wanted = find_wanted(walk, plain_name(name), &header);
	if (wanted)
		return load_content(walk, archive, &header, wanted, error) &&
		       skip_padding(archive, &header, error);
	if (name[0] != '\0') {
		struct cpio_entry entry = { .name = plain_name(name),
			                    .mode = header.mode,
			                    .size = header.size };
		walk->out->segments.items[walk->out->segments.count - 1].entries++;
		walk->stopped = !walk->each(walk->context, &entry);
		if (walk->stopped)
			return true;
	}
	return archive_skip(archive, header.end, error) && skip_padding(archive, &header, error);
}

/*
 * All that the kernel takes for cpio from here on: entries with zeros between them, up to the end or to a
 * byte that begins neither. A plain archive adds a segment for each of its archives.
 */
static bool walk_cpio(struct walk *walk, struct archive *archive, struct error *error)
{
	bool in_segment = archive->decoder != NULL;
	for (;;) {
		uint8_t next;
		if (!archive_skip_zeros(archive, walk->budget, error))
			return false;
		if (!get_u8(archive_ahead(archive), 0, &next))
			return true;
		if (next != '0' || archive->position % ALIGNMENT != 0)
			return true;
		if (!in_segment && !add_segment(walk, archive->position, "none", error))
			return false;
		bool trailer;
		if (!walk_entry(walk, archive, &trailer, error))
			return false;
		if (walk->stopped)
			return true;
		in_segment = archive->decoder != NULL || !trailer;
	}
}

/* What the kernel's own decompressors refuse though ours do not. */
static bool check_compression(const struct walk *walk, const struct codec *codec, uint64_t offset,
                              struct error *error)
{
	/* "The .xz File Format", 2.1.1.2: the second byte of the stream flags, at 7, names the check. */
	uint8_t check;
	if (str_equal(codec->name, "lz4-frame"))
		return error_set(error, ERROR_UNSUPPORTED,
		                 "an lz4 frame at offset %" PRIu64
		                 ": the kernel unpacks only the legacy format, which lz4 -l writes",
		                 offset);
	if (!str_equal(codec->name, "xz"))
		return true;
	if (!reader_read(walk->file, offset + 7, &check, 1, error))
		return false;
	if (check > 1)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "xz data with a check other than CRC32 at offset %" PRIu64
		                 ": the kernel unpacks only what xz --check=crc32 writes",
		                 offset);
	return true;
}

static bool walk_compressed(struct walk *walk, uint64_t *offset, struct error *error)
{
	const struct codec *codec = codec_detect(walk->file, *offset);
	if (!codec)
		return error_set(error, ERROR_CORRUPT,
		                 "neither a cpio archive nor a compression that we know at offset %" PRIu64,
		                 *offset);
	struct decoder decoder;
	struct archive archive;
	if (!check_compression(walk, codec, *offset, error) ||
	    !decoder_open(&decoder, codec, walk->file, *offset, walk->budget, error) ||
	    !add_segment(walk, *offset, codec->name, error))
		return false;
	archive_open(&archive, walk->file, &decoder, 0);
	bool sound = walk_cpio(walk, &archive, error);
	if (sound && !walk->stopped && archive_ahead(&archive).size > 0)
		sound = error_set(error, ERROR_CORRUPT, "junk %s %" PRIu64 " of the unpacked archive",
		                  archive_where(&archive), archive.position);
	if (!sound)
		error_add_context(error, "segment %zu, %s at offset %" PRIu64, walk->out->segments.count,
		                  codec->name, *offset);
	*offset = decoder_offset(&decoder);
	archive_close(&archive);
	decoder_close(&decoder);
	return sound;
}

/* A run of plain archives; *offset is where it ended. */
static bool walk_plain(struct walk *walk, uint64_t *offset, struct error *error)
{
	struct archive archive;
	archive_open(&archive, walk->file, NULL, *offset);
	size_t before = walk->out->segments.count;
	bool sound = walk_cpio(walk, &archive, error);
	*offset = archive.position;
	/* The kernel gives up with "broken padding" here. */
	if (sound && !walk->stopped && walk->out->segments.count > before && *offset < walk->file->size &&
	    *offset % ALIGNMENT != 0)
		sound = error_set(error, ERROR_CORRUPT,
		                  "the data behind a cpio archive begin at offset %" PRIu64
		                  ", which is no multiple of 4",
		                  *offset);
	archive_close(&archive);
	return sound;
}

static bool walk_all(struct walk *walk, struct error *error)
{
	struct initramfs *out = walk->out;
	uint64_t offset = 0, size = walk->file->size;
	while (offset < size) {
		if (!walk_plain(walk, &offset, error))
			return false;
		if (!walk->stopped && offset < size && !walk_compressed(walk, &offset, error))
			return false;
		if (walk->stopped)
			return true;
	}
	if (out->segments.count == 0)
		return error_set(error, ERROR_CORRUPT, "the file holds no cpio archive");
	out->whole = true;
	return true;
}

bool initramfs_walk(const struct reader *file, struct budget *budget, struct arena *arena, cpio_fn *each,
                    void *context, struct initramfs *out, struct error *error)
{
	*out = (struct initramfs){ 0 };
	struct walk walk = {
		.file = file, .budget = budget, .arena = arena, .each = each, .context = context, .out = out
	};
	return walk_all(&walk, error);
}

static bool go_on(void *context, const struct cpio_entry *entry)
{
	(void)context, (void)entry;
	return true;
}

bool initramfs_load(const struct reader *file, struct budget *budget, struct arena *arena,
                    struct cpio_wanted *wanted, size_t count, struct error *error)
{
	struct initramfs found = { 0 };
	struct walk walk = {
		.file = file,
		.budget = budget,
		.arena = arena,
		.each = go_on,
		.out = &found,
		.wanted = wanted,
		.wanted_count = count,
	};
	return walk_all(&walk, error);
}
