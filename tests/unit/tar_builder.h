// Tar archives in memory, a header at a time, sound or not.
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/span.h"

#define TAR_BUILDER_MOST ((size_t)64 << 10)

#define TAR_USTAR "ustar\00000"
#define TAR_GNU   "ustar  \0"

struct tar_builder {
	uint8_t bytes[TAR_BUILDER_MOST];
	size_t size;
};

static inline void tar_builder_checksum(uint8_t *header)
{
	unsigned sum = 0;
	memset(header + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += header[i];
	snprintf((char *)header + 148, 8, "%06o", sum);
}

/* A header with its checksum; `magic` is NULL for v7. Returned for more fields: then the sum is to be made
 * anew. */
static inline uint8_t *tar_builder_header(struct tar_builder *tar, const char *name, char type,
                                          unsigned long size, const char *magic)
{
	uint8_t *header = tar->bytes + tar->size;
	memset(header, 0, 512);
	memcpy(header, name, strlen(name) < 100 ? strlen(name) : 100);
	memcpy(header + 100, "0000644", 8);
	memcpy(header + 108, "0001750", 8);
	memcpy(header + 116, "0000144", 8);
	snprintf((char *)header + 124, 12, "%011lo", size);
	memcpy(header + 136, "15300452446", 12);
	header[156] = (uint8_t)type;
	if (magic)
		memcpy(header + 257, magic, 8);
	tar_builder_checksum(header);
	tar->size += 512;
	return header;
}

/* Content, filled up to whole blocks. */
static inline void tar_builder_content(struct tar_builder *tar, const void *content, size_t size)
{
	size_t padded = (size + 511) / 512 * 512;
	memset(tar->bytes + tar->size, 0, padded);
	memcpy(tar->bytes + tar->size, content, size);
	tar->size += padded;
}

static inline void tar_builder_file(struct tar_builder *tar, const char *name, const char *content,
                                    const char *magic)
{
	tar_builder_header(tar, name, '0', strlen(content), magic);
	tar_builder_content(tar, content, strlen(content));
}

/* An extended header with these bytes as its records. */
static inline void tar_builder_records(struct tar_builder *tar, char type, const char *records)
{
	tar_builder_header(tar, "pax", type, strlen(records), TAR_USTAR);
	tar_builder_content(tar, records, strlen(records));
}

/* An extended header of records "key=value", up to a NULL; each gets the length that counts its own digits.
 */
static inline void tar_builder_pax(struct tar_builder *tar, char type, const char *const *pairs)
{
	char records[2048] = "";
	for (; *pairs; pairs++) {
		size_t length = strlen(*pairs) + 3;
		length += length + 1 >= 10;
		size_t at = strlen(records);
		snprintf(records + at, sizeof(records) - at, "%zu %s\n", length, *pairs);
	}
	tar_builder_records(tar, type, records);
}

#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static inline void tar_builder_end(struct tar_builder *tar)
{
	memset(tar->bytes + tar->size, 0, 1024);
	tar->size += 1024;
}
