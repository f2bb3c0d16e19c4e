// Where LVM2 keeps its metadata on a physical volume, all numbers little-endian (LVM2: lib/label/label.h,
// lib/format_text/layout.h).
//
// The label, at the start of one of the first four sectors of 512 bytes:
//
//     0  "LABELONE"                          32  (by the offset at 20) the header of the physical volume:
//     8  its sector, u64                          0  UUID, 32 characters
//    16  CRC of all behind this, u32             32  size of the device, u64
//    20  offset of the header, u32               40  data areas, then metadata areas: each list is of
//    24  "LVM2 001"                                  (offset u64, size u64) and ends with an offset of 0
//
// A metadata area, which is a ring of texts behind its header of 512 bytes:
//
//     0  CRC of all behind this, u32         24  its own offset on the device, u64
//     4  "\x20LVM2\x20x[5A%r0N*>"            32  size with this header, u64
//    20  version 1, u32                      40  the text: offset in the area u64, size u64, CRC u32, flags
//    u32
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/checked.h"
#include "base/text.h"
#include "volume/lvm.h"

#define SECTOR          ((size_t)512)
#define LABEL_SECTORS   4
#define LABEL_CRC_FROM  20
#define LABEL_HEADER    20
#define LABEL_TYPE      24
#define LABEL_HEAD_SIZE 32

#define MEMBER_AREAS 40 /* offset of the lists in the header of the physical volume */

#define AREA_HEADER_SIZE ((uint64_t)512)
#define AREA_MAGIC       "\x20LVM2\x20x[5A%r0N*>"
#define AREA_TEXT        40
#define AREA_IGNORED     1 /* in flags: LVM does not keep the text up to date */
#define AREAS_MOST       8 /* metadata areas that are looked at; LVM makes two at most */
#define TEXT_MOST        ((uint64_t)4 << 20)

#define CRC_START 0xf597a6cfu /* LVM's own initial value */

/* The usual CRC-32 without its inversions at both ends. */
static uint32_t lvm_crc(struct span bytes)
{
	return ~(uint32_t)crc32_z(~CRC_START, bytes.data, bytes.size);
}

void lvm_problem(struct scan *scan, const char *code, uint64_t partition, uint64_t offset, const char *format,
                 ...)
{
	char message[480] = "LVM has more problems than these: the rest is not listed";
	if (scan->table->volume_problems.count >= PROBLEMS_MOST)
		return;
	if (scan->table->volume_problems.count == PROBLEMS_MOST - 1) {
		code = "lvm-more-problems";
	} else {
		va_list arguments;
		va_start(arguments, format);
		vsnprintf(message, sizeof(message), format, arguments);
		va_end(arguments);
	}
	*LIST_ADD(scan->arena, &scan->table->volume_problems) = (struct problem){
		.code = code,
		.message = arena_strdup(scan->arena, message),
		.place = { .partition = partition, .offset = offset },
	};
}

bool lvm_plain_id(const char *uuid, char *id)
{
	size_t length = 0;
	for (; uuid && *uuid; uuid++) {
		if (*uuid == '-')
			continue;
		if (length == LVM_ID_SIZE)
			return false;
		id[length++] = *uuid;
	}
	id[length] = '\0';
	return length == LVM_ID_SIZE;
}

static const struct partition *partition_of(const struct scan *scan, const struct lvm_member *member)
{
	return &scan->table->partitions.items[member->partition];
}

/* Damage of this physical volume; the offset counts from its start. */
#define MEMBER_PROBLEM(scan, member, code, at, ...)                                                          \
	do {                                                                                                 \
		(member)->damaged = true;                                                                    \
		lvm_problem((scan), (code), partition_of((scan), (member))->number, (member)->start + (at),  \
		            __VA_ARGS__);                                                                    \
	} while (0)

/* What the header of a metadata area says of the text in it. */
struct area {
	uint64_t at, size;             /* in the physical volume */
	uint64_t text_at, text_length; /* text_at in the area; 0: it holds no text */
	uint32_t text_crc;
	uint32_t flags;
};

/* False when the area is damaged, which is reported. */
static bool read_area(struct scan *scan, struct lvm_member *member, struct area *area)
{
	uint8_t bytes[AREA_HEADER_SIZE];
	struct span header = span_of(bytes, sizeof(bytes));
	struct error failure;
	uint32_t crc, version;
	uint64_t start, size;
	if (!range_inside(area->at, area->size, member->size) || area->size < 2 * AREA_HEADER_SIZE ||
	    !reader_read(scan->disk, member->start + area->at, bytes, sizeof(bytes), &failure)) {
		MEMBER_PROBLEM(scan, member, "lvm-area-outside", area->at,
		               "a metadata area of LVM, %" PRIu64
		               " bytes, does not lie inside its physical volume",
		               area->size);
		return false;
	}
	if (!get_le32(header, 0, &crc) || crc != lvm_crc(span_from(header, 4)) ||
	    !span_has(header, 4, AREA_MAGIC, 16) || !get_le32(header, 20, &version) || version != 1 ||
	    !get_le64(header, 24, &start) || !get_le64(header, 32, &size) || start != area->at ||
	    size != area->size) {
		MEMBER_PROBLEM(scan, member, "lvm-area-damaged", area->at,
		               "the header of a metadata area of LVM is damaged");
		return false;
	}
	return get_le64(header, AREA_TEXT, &area->text_at) &&
	       get_le64(header, AREA_TEXT + 8, &area->text_length) &&
	       get_le32(header, AREA_TEXT + 16, &area->text_crc) &&
	       get_le32(header, AREA_TEXT + 20, &area->flags);
}

/* The text of an area, whose end may have wrapped around to the place behind the header. */
static bool read_text(struct scan *scan, struct lvm_member *member, const struct area *area,
                      struct span *text)
{
	struct error failure = { 0 };
	if (area->text_at < AREA_HEADER_SIZE || area->text_at >= area->size ||
	    area->text_length > area->size - AREA_HEADER_SIZE || area->text_length > TEXT_MOST) {
		MEMBER_PROBLEM(scan, member, "lvm-metadata-outside", area->at + AREA_TEXT,
		               "LVM's metadata, %" PRIu64 " bytes, does not lie inside its area",
		               area->text_length);
		return false;
	}
	size_t length = (size_t)area->text_length;
	uint64_t room = area->size - area->text_at;
	size_t first = room < length ? (size_t)room : length;
	uint8_t *bytes = arena_alloc(scan->arena, length);
	if (!reader_read(scan->disk, member->start + area->at + area->text_at, bytes, first, &failure) ||
	    !reader_read(scan->disk, member->start + area->at + AREA_HEADER_SIZE, bytes + first,
	                 length - first, &failure)) {
		MEMBER_PROBLEM(scan, member, "lvm-metadata-unreadable", area->at + area->text_at,
		               "LVM's metadata cannot be read: %s", failure.message);
		return false;
	}
	*text = span_of(bytes, length);
	if (lvm_crc(*text) == area->text_crc)
		return true;
	MEMBER_PROBLEM(scan, member, "lvm-metadata-crc", area->at + area->text_at,
	               "the checksum of LVM's metadata is wrong");
	return false;
}

/* The volume group is the one section of the text that is no value. */
static void take_text(struct scan *scan, struct lvm_member *member, const struct area *area, struct span text)
{
	const struct lvm_node *root = NULL;
	struct error failure = { 0 };
	uint64_t seqno = 0, at = area->at + area->text_at;
	/* Both areas mostly hold the same text. */
	if (text.size == member->text.size && memcmp(text.data, member->text.data, text.size) == 0)
		return;
	if (!lvm_parse(text, scan->budget, scan->arena, &root, &failure)) {
		MEMBER_PROBLEM(scan, member, "lvm-metadata-syntax", at,
		               "LVM's metadata cannot be understood: %s", failure.message);
		return;
	}
	const struct lvm_node *group = lvm_first_section(root);
	if (!group || !lvm_number(group, "seqno", &seqno)) {
		MEMBER_PROBLEM(scan, member, "lvm-metadata-syntax", at,
		               "LVM's metadata describes no volume group");
		return;
	}
	if (member->group && member->seqno >= seqno)
		return;
	member->text = text;
	member->text_at = member->start + at;
	member->seqno = seqno;
	member->group = group;
}

/* Walks a list of areas that ends with an offset of 0. */
static bool next_area(struct span header, size_t *at, struct area *area)
{
	*area = (struct area){ 0 };
	bool inside = get_le64(header, *at, &area->at) && get_le64(header, *at + 8, &area->size);
	*at += 16;
	return inside && area->at != 0;
}

static void read_areas(struct scan *scan, struct lvm_member *member, struct span header)
{
	struct area area;
	struct span text;
	size_t at = MEMBER_AREAS;
	while (next_area(header, &at, &area))
		continue; /* where the data lies, the metadata says as well */
	for (unsigned i = 0; i < AREAS_MOST && next_area(header, &at, &area); i++) {
		if (!read_area(scan, member, &area) || (area.flags & AREA_IGNORED))
			continue;
		if (area.text_at == 0)
			member->unused = true;
		else if (read_text(scan, member, &area, &text))
			take_text(scan, member, &area, text);
	}
	/* One sound copy is enough. */
	member->damaged = member->damaged && !member->group;
}

static bool is_label(struct span sector)
{
	return span_has(sector, 0, "LABELONE", 8) && span_has(sector, LABEL_TYPE, "LVM2 001", 8);
}

/* LVM takes the first sound label; one whose checksum is wrong is none to it. */
static bool find_label(struct scan *scan, struct lvm_member *member, struct span head, struct span *header)
{
	for (size_t i = 0; i < LABEL_SECTORS; i++) {
		struct span sector;
		uint64_t number;
		uint32_t crc, offset;
		if (!span_slice(head, i * SECTOR, SECTOR, &sector) || !is_label(sector) ||
		    !get_le64(sector, 8, &number) || !get_le32(sector, 16, &crc) ||
		    !get_le32(sector, LABEL_HEADER, &offset))
			continue;
		bool sound = number == i && crc == lvm_crc(span_from(sector, LABEL_CRC_FROM)) &&
		             offset >= LABEL_HEAD_SIZE && offset <= SECTOR - MEMBER_AREAS;
		*header = span_from(sector, offset);
		if (sound)
			return true;
		MEMBER_PROBLEM(scan, member, "lvm-label-damaged", i * SECTOR,
		               "the label of an LVM physical volume is damaged, so that LVM does not see it");
	}
	return false;
}

bool lvm_read_member(struct scan *scan, size_t partition, struct lvm_member *out)
{
	uint8_t head[LABEL_SECTORS * SECTOR];
	struct span header, id;
	struct error failure;
	const struct partition *place = &scan->table->partitions.items[partition];
	*out = (struct lvm_member){ .partition = partition, .start = place->start, .size = place->size };
	if (place->size < sizeof(head) ||
	    !reader_read(scan->disk, place->start, head, sizeof(head), &failure))
		return false;
	if (!find_label(scan, out, span_of(head, sizeof(head)), &header) ||
	    !span_slice(header, 0, LVM_ID_SIZE, &id))
		return false;
	memcpy(out->id, id.data, LVM_ID_SIZE);
	read_areas(scan, out, header);
	return true;
}
