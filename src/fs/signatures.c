// Formats that are recognised and not read: one row each, by the magic number that libblkid goes by.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fs/identify.h"

/* How a format keeps its UUID. */
enum uuid_kind {
	UUID_NONE,
	UUID_BINARY, /* 16 bytes */
	UUID_TEXT,   /* 36 characters, NUL-padded: LUKS */
	UUID_LVM,    /* 32 characters, printed in groups 6-4-4-4-4-4-6 */
	UUID_NTFS,   /* serial number, 64 bits, printed as one hexadecimal number */
};

/* Offsets of uuid and label count from the start of the file system. */
struct signature {
	const char *type;
	const char *magic;
	uint64_t magic_offset;
	size_t magic_length;
	enum uuid_kind uuid_kind;
	uint64_t uuid_offset;
	uint64_t label_offset;
	size_t label_length; /* 0: it keeps no label */
	bool encrypted;
	uint32_t version; /* of LUKS, big-endian behind the magic; 0: any */
};

#define MAGIC(text) .magic = (text), .magic_length = sizeof(text) - 1

/* The signature of swap stands at the end of the first page, whatever the page size of its kernel was. */
#define SWAP(page)                                                                                           \
	{                                                                                                    \
		.type = "swap", MAGIC("SWAPSPACE2"), .magic_offset = (page)-10, .uuid_kind = UUID_BINARY,    \
		.uuid_offset = 1024 + 12, .label_offset = 1024 + 28, .label_length = 16,                     \
	}

/* A physical volume's label lies in one of the first four sectors of 512 bytes. */
#define LVM2(sector)                                                                                         \
	{                                                                                                    \
		.type = "LVM2_member", MAGIC("LVM2 001"), .magic_offset = (sector)*512 + 24,                 \
		.uuid_kind = UUID_LVM, .uuid_offset = (sector)*512 + 32,                                     \
	}

/* Version 1.0 lies at the end of the device, 1.1 at its start and 1.2 behind the first 4 KiB. */
#define RAID(offset)                                                                                         \
	{                                                                                                    \
		.type = "linux_raid_member", MAGIC("\xfc\x4e\x2b\xa9\x01\x00\x00\x00"),                      \
		.magic_offset = (offset), .uuid_kind = UUID_BINARY, .uuid_offset = (offset) + 16,            \
		.label_offset = (offset) + 32, .label_length = 32,                                           \
	}

/* Their members may hold what looks like a file system: these are asked first. */
static const struct signature containers[] = {
	{
		.type = "crypto_LUKS",
		MAGIC("LUKS\xba\xbe"),
		.version = 1,
		.uuid_kind = UUID_TEXT,
		.uuid_offset = 168,
		.encrypted = true,
	},
	{
		.type = "crypto_LUKS",
		MAGIC("LUKS\xba\xbe"),
		.version = 2,
		.uuid_kind = UUID_TEXT,
		.uuid_offset = 168,
		.label_offset = 24,
		.label_length = 48,
		.encrypted = true,
	},
	{ .type = "BitLocker", MAGIC("-FVE-FS-"), .magic_offset = 3, .encrypted = true },
	RAID(0),
	RAID(4096),
	LVM2(0),
	LVM2(1),
	LVM2(2),
	LVM2(3),
};

/* mke2fs does not wipe what stood behind the first 2 KiB: these are asked after ext. */
static const struct signature signatures[] = {
	{
		.type = "f2fs",
		MAGIC("\x10\x20\xf5\xf2"),
		.magic_offset = 1024,
		.uuid_kind = UUID_BINARY,
		.uuid_offset = 1024 + 108,
	},
	{ .type = "ntfs", MAGIC("NTFS    "), .magic_offset = 3, .uuid_kind = UUID_NTFS, .uuid_offset = 72 },
	{ .type = "exfat", MAGIC("EXFAT   "), .magic_offset = 3 },
	SWAP(4096),
	SWAP(16384),
	SWAP(65536),
	{ .type = "iso9660",
	  MAGIC("CD001"),
	  .magic_offset = 0x8001,
	  .label_offset = 0x8028,
	  .label_length = 32 },
};

/* Do the checks that a short magic number needs pass? */
static bool details_match(const struct filesystem *fs, const struct signature *signature)
{
	uint8_t buffer[2];
	uint16_t version;
	if (signature->version == 0)
		return true;
	return fs_peek(fs, signature->magic_length, buffer, sizeof(buffer)) &&
	       get_be16(span_of(buffer, sizeof(buffer)), 0, &version) && version == signature->version;
}

static bool signature_matches(const struct filesystem *fs, const struct signature *signature)
{
	uint8_t bytes[16];
	return fs_peek(fs, signature->magic_offset, bytes, signature->magic_length) &&
	       memcmp(bytes, signature->magic, signature->magic_length) == 0 && details_match(fs, signature);
}

static const char *uuid_of_text(struct arena *arena, const char *text)
{
	return text[0] ? arena_strdup(arena, text) : NULL;
}

static const char *uuid_of_lvm(struct arena *arena, const char *text)
{
	return arena_printf(arena, "%.6s-%.4s-%.4s-%.4s-%.4s-%.4s-%.6s", text, text + 6, text + 10, text + 14,
	                    text + 18, text + 22, text + 26);
}

static const char *read_uuid(const struct filesystem *fs, const struct signature *signature)
{
	static const size_t lengths[] = {
		[UUID_BINARY] = 16, [UUID_TEXT] = 36, [UUID_LVM] = 32, [UUID_NTFS] = 8
	};
	char buffer[40] = { 0 };
	struct span bytes = span_of(buffer, sizeof(buffer));
	uint64_t serial;
	if (signature->uuid_kind == UUID_NONE ||
	    !fs_peek(fs, signature->uuid_offset, buffer, lengths[signature->uuid_kind]))
		return NULL;
	switch (signature->uuid_kind) {
	case UUID_TEXT:
		return uuid_of_text(fs->arena, buffer);
	case UUID_LVM:
		return strlen(buffer) == 32 ? uuid_of_lvm(fs->arena, buffer) : NULL;
	case UUID_NTFS:
		return get_le64(bytes, 0, &serial) && serial ? arena_printf(fs->arena, "%016" PRIX64, serial)
		                                             : NULL;
	default:
		return fs_uuid(fs->arena, bytes, 0);
	}
}

static const char *read_label(const struct filesystem *fs, const struct signature *signature)
{
	uint8_t buffer[256];
	if (signature->label_length == 0 ||
	    !fs_peek(fs, signature->label_offset, buffer, signature->label_length))
		return NULL;
	return fs_label(fs->arena, span_of(buffer, sizeof(buffer)), 0, signature->label_length);
}

static bool identify_among(struct filesystem *fs, const struct signature *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!signature_matches(fs, &rows[i]))
			continue;
		fs->type = rows[i].type;
		fs->encrypted = rows[i].encrypted;
		fs->uuid = read_uuid(fs, &rows[i]);
		fs->label = read_label(fs, &rows[i]);
		return true;
	}
	return false;
}

/* Version 1.0 of a RAID superblock lies 8 to 12 KiB before the end, aligned to 4 KiB. */
static bool identify_raid_at_end(struct filesystem *fs)
{
	if (fs->reader.size < 16384)
		return false;
	uint64_t sectors = fs->reader.size / 512;
	const struct signature row = RAID(((sectors - 16) & ~UINT64_C(7)) * 512);
	return identify_among(fs, &row, 1);
}

static bool identify_container(struct filesystem *fs)
{
	return identify_among(fs, containers, ARRAY_SIZE(containers)) || identify_raid_at_end(fs);
}

static bool identify_signature(struct filesystem *fs)
{
	return identify_among(fs, signatures, ARRAY_SIZE(signatures));
}

const struct fs_driver container_driver = { .name = "container", .identify = identify_container };
const struct fs_driver signature_driver = { .name = "signature", .identify = identify_signature };
