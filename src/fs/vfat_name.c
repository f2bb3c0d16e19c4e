// Layout: Microsoft's "FAT: General Overview of On-Disk Format", version 1.03, and for the letter case of
// short names Documentation/filesystems/vfat.rst of the kernel.
#include "fs/vfat_name.h"

#include <string.h>

#define ATTRIBUTE_LABEL     0x08
#define ATTRIBUTE_DIRECTORY 0x10
#define ATTRIBUTE_LONG_NAME 0x0f /* all of read-only, hidden, system and label */
#define ATTRIBUTE_MASK      0x3f

#define LONG_NAME_FIRST 0x40 /* on the entry that holds the end of the name and comes first */
#define UNITS_PER_ENTRY 13

#define LOWER_CASE_BASE      0x08
#define LOWER_CASE_EXTENSION 0x10

/* Code page 437, from 0x80 on: what short names are written in for the kernel, unless it is told otherwise.
 */
static const uint16_t code_page_437[128] = {
	0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef,
	0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
	0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa,
	0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
	0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557,
	0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
	0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559,
	0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
	0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4,
	0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248,
	0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

static size_t add_code_point(char *out, uint32_t point)
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xe0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

/* Up to the first zero unit. A surrogate without its partner becomes U+FFFD. */
static void to_utf8(const uint16_t *units, char *out)
{
	while (*units) {
		uint32_t point = *units++;
		if (point >= 0xd800 && point < 0xdc00 && *units >= 0xdc00 && *units < 0xe000)
			point = 0x10000 + ((point - 0xd800) << 10) + (uint32_t)(*units++ - 0xdc00);
		else if (point >= 0xd800 && point < 0xe000)
			point = 0xfffd;
		out += add_code_point(out, point);
	}
	*out = '\0';
}

static uint8_t short_name_checksum(const uint8_t *name)
{
	uint8_t sum = 0;
	for (size_t i = 0; i < 11; i++)
		sum = (uint8_t)((sum >> 1 | sum << 7) + name[i]);
	return sum;
}

/* Adds one part of a short name, without the blanks that fill it up. */
static char *add_short_part(char *out, const uint8_t *part, size_t length, bool lower)
{
	while (length > 0 && part[length - 1] == ' ')
		length--;
	for (size_t i = 0; i < length; i++) {
		uint32_t point = part[i] < 0x80 ? part[i] : code_page_437[part[i] - 0x80];
		if (lower && point >= 'A' && point <= 'Z')
			point += 'a' - 'A';
		out += add_code_point(out, point);
	}
	return out;
}

static void format_short_name(const uint8_t *name, uint8_t flags, char *out)
{
	uint8_t base[8];
	memcpy(base, name, sizeof(base));
	if (base[0] == 0x05) /* stands for 0xe5, which would mean "deleted" */
		base[0] = 0xe5;
	out = add_short_part(out, base, 8, flags & LOWER_CASE_BASE);
	char *dot = out++;
	char *end = add_short_part(out, name + 8, 3, flags & LOWER_CASE_EXTENSION);
	if (end == out)
		end = dot;
	else
		*dot = '.';
	*end = '\0';
}

/* One entry of a long name: 5, 6 and 2 units around the fields that make old readers skip it. */
static void scan_long_name(struct vfat_long_name *pending, struct span bytes)
{
	static const uint8_t offsets[UNITS_PER_ENTRY] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
	uint8_t number = 0, checksum = 0;
	if (!get_u8(bytes, 0, &number) || !get_u8(bytes, 13, &checksum))
		return;
	uint8_t position = number & (LONG_NAME_FIRST - 1);
	if (number & LONG_NAME_FIRST) {
		*pending = (struct vfat_long_name){ .missing = position, .checksum = checksum };
	} else if (pending->missing != position || pending->checksum != checksum) {
		pending->missing = 0;
		pending->complete = false;
		return;
	}
	if (position == 0 || position > VFAT_UNITS_MAX / UNITS_PER_ENTRY) {
		*pending = (struct vfat_long_name){ 0 };
		return;
	}
	uint16_t *units = pending->units + (position - 1) * UNITS_PER_ENTRY;
	for (size_t i = 0; i < UNITS_PER_ENTRY; i++)
		if (!get_le16(bytes, offsets[i], &units[i]))
			return;
	pending->missing--;
	pending->complete = pending->missing == 0;
}

/* Days since 1970 of a date in the Gregorian calendar; months that do not exist count as January. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	static const int64_t before[12] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	size_t index = month >= 1 && month <= 12 ? month - 1 : 0;
	int64_t past = year - 1;
	int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - 719162;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days + before[index] + (leap && index > 1 ? 1 : 0) + (int64_t)(day ? day - 1 : 0);
}

/* FAT keeps local time without its zone; it is taken for UTC. */
static int64_t seconds_of(uint16_t date, uint16_t time)
{
	int64_t days = days_of(1980 + (date >> 9), date >> 5 & 15, date & 31);
	return days * 86400 + (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;
}

static bool decode_entry(struct span bytes, uint8_t attributes, struct vfat_entry *out)
{
	uint16_t high, low, date, time;
	uint8_t flags;
	if (!get_u8(bytes, 12, &flags) || !get_le16(bytes, 20, &high) || !get_le16(bytes, 22, &time) ||
	    !get_le16(bytes, 24, &date) || !get_le16(bytes, 26, &low) || !get_le32(bytes, 28, &out->size))
		return false;
	out->cluster = (uint32_t)high << 16 | low;
	out->modified = seconds_of(date, time);
	out->label = attributes & ATTRIBUTE_LABEL;
	out->directory = attributes & ATTRIBUTE_DIRECTORY;
	memcpy(out->short_name, bytes.data, sizeof(out->short_name));
	format_short_name(out->short_name, flags, out->alias);
	return true;
}

enum vfat_scan vfat_scan_entry(struct vfat_long_name *pending, struct span bytes, struct vfat_entry *out)
{
	uint8_t first, attributes;
	if (bytes.size != VFAT_ENTRY_SIZE || !get_u8(bytes, 0, &first) || !get_u8(bytes, 11, &attributes) ||
	    first == 0)
		return VFAT_END;
	if (first == 0xe5) {
		*pending = (struct vfat_long_name){ 0 };
		return VFAT_SKIP;
	}
	if ((attributes & ATTRIBUTE_MASK) == ATTRIBUTE_LONG_NAME) {
		scan_long_name(pending, bytes);
		return VFAT_SKIP;
	}
	if (!decode_entry(bytes, attributes, out))
		return VFAT_END;
	if (pending->complete && pending->checksum == short_name_checksum(bytes.data) && pending->units[0])
		to_utf8(pending->units, out->name);
	else
		memcpy(out->name, out->alias, sizeof(out->alias));
	*pending = (struct vfat_long_name){ 0 };
	return VFAT_ENTRY;
}

static char fold(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter;
}

static bool matches_ignoring_case(const char *text, const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (fold(text[i]) != fold(name[i]) || text[i] == '\0')
			return false;
	return text[length] == '\0';
}

bool vfat_name_matches(const struct vfat_entry *entry, const char *name)
{
	size_t length = strlen(name);
	while (length > 0 && name[length - 1] == '.')
		length--;
	return length > 0 && (matches_ignoring_case(entry->name, name, length) ||
	                      matches_ignoring_case(entry->alias, name, length));
}
