// The headers of VHD and VHDX: sound, and lying.

#include "container_file.h"

static void set_checksum(size_t at, size_t size, size_t field)
{
	uint32_t sum = 0;
	put_be(at + field, 4, 0);
	for (size_t i = 0; i < size; i++)
		sum += file[at + i];
	put_be(at + field, 4, ~sum);
}

static void make_footer(size_t at, uint32_t type)
{
	put_text(at, "conectix");
	put_be(at + 16, 8, type == 2 ? UINT64_MAX : 512);
	put_be(at + 48, 8, 64 * MIB);
	put_be(at + 60, 4, type);
	set_checksum(at, 512, 64);
}

static void make_vhd(uint32_t type)
{
	begin(MIB);
	make_footer(0, type);
	put_text(512, "cxsparse");
	put_be(512 + 16, 8, 2048);
	put_be(512 + 28, 4, 32);
	put_be(512 + 32, 4, 2 * MIB);
	for (size_t i = 0; i < 11; i++)
		put_be(512 + 64 + 2 * i, 2, (uint8_t) "/etc/shadow"[i]);
	set_checksum(512, 1024, 36);
	make_footer(MIB - 512, type);
}

static void vhd_is_judged(void **state)
{
	(void)state;
	static const struct {
		size_t offset;
		unsigned width;
		uint64_t value;
		const char *part;
	} lies[] = {
		{ 16, 8, UINT64_MAX, "its header (1024 bytes at offset 18446744073709551615)" },
		{ 16, 8, 4096, "no sound header of a dynamic disk at offset 4096" },
		{ 48, 8, 0, "no bytes" },
		{ 48, 8, UINT64_MAX, "bytes" },
		{ 48, 8, 65 * MIB, "hold no disk of" },
		{ 60, 4, 2, "its type is 2" },
		{ 60, 4, 9, "its type is 9" },
		{ 512 + 16, 8, UINT64_MAX, "its block table" },
		{ 512 + 28, 4, UINT32_MAX, "its block table" },
		{ 512 + 28, 4, 0, "hold no disk of" },
		{ 512 + 32, 4, 0, "its blocks have 0 bytes" },
		{ 512 + 32, 4, 3 * MIB, "its blocks have 3145728 bytes" },
	};
	make_vhd(3);
	sound("vhd", SERVED_VHD);
	file[100] ^= 1;
	refused(ERROR_CORRUPT, "the checksum of its footer at offset 0 is wrong");
	make_vhd(3);
	file[1000] ^= 1;
	refused(ERROR_CORRUPT, "no sound header");
	make_vhd(4);
	refused(ERROR_UNSUPPORTED, "'/etc/shadow' (its parent)");
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		make_vhd(3);
		put_be(lies[i].offset, lies[i].width, lies[i].value);
		set_checksum(0, 512, 64);
		set_checksum(512, 1024, 36);
		refused(ERROR_CORRUPT, lies[i].part);
	}
}

static void vhd_fixed_takes_no_server(void **state)
{
	(void)state;
	struct disk disk;
	struct error error;
	begin(MIB + 512);
	make_footer(MIB, 2);
	put_be(MIB + 48, 8, MIB);
	set_checksum(MIB, 512, 64);
	sound("vhd", SERVED_NOT);
	assert_true(open_file(&disk, &error));
	assert_int_equal(disk.reader.size, MIB);
	put_be(MIB + 48, 8, MIB + 1);
	set_checksum(MIB, 512, 64);
	refused(ERROR_CORRUPT, "it holds 1048576 of the 1048577 bytes of its disk");
	make_footer(MIB, 3);
	refused(ERROR_CORRUPT, "no fixed disk (type 3)");
	begin(8);
	put_text(0, "conectix");
	refused(ERROR_CORRUPT, "ends behind the file's end at 8");
}

/* Bit by bit, as the specification has it. */
static void set_crc32c(size_t at, size_t size)
{
	uint32_t crc = UINT32_MAX;
	put_le(at + 4, 4, 0);
	for (size_t i = 0; i < size; i++) {
		crc ^= file[at + i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	put_le(at + 4, 4, ~crc);
}

#define GUID_BLOCKS     "\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08"
#define GUID_METADATA   "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e"
#define GUID_PARAMETERS "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b"
#define GUID_SIZE       "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8"
#define GUID_SECTOR     "\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f"
#define GUID_PARENT     "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c"

#define VHDX_HEADER   (64 * KIB)
#define VHDX_REGIONS  (192 * KIB)
#define VHDX_METADATA (2 * MIB)

static void put_region(unsigned index, const char *guid, uint64_t offset, uint32_t length)
{
	size_t at = VHDX_REGIONS + 16 + 32 * index;
	put(at, guid, 16);
	put_le(at + 16, 8, offset);
	put_le(at + 24, 4, length);
	put_le(at + 28, 4, 1);
}

static void put_item(unsigned index, const char *guid, uint32_t offset, uint32_t length)
{
	size_t at = VHDX_METADATA + 32 + 32 * index;
	put(at, guid, 16);
	put_le(at + 16, 4, offset);
	put_le(at + 20, 4, length);
	put_le(at + 24, 4, 4);
}

static void seal_vhdx(void)
{
	set_crc32c(VHDX_HEADER, 4 * KIB);
	set_crc32c(2 * VHDX_HEADER, 4 * KIB);
	set_crc32c(VHDX_REGIONS, 64 * KIB);
	put(VHDX_REGIONS + 64 * KIB, file + VHDX_REGIONS, 64 * KIB);
}

static void make_vhdx(void)
{
	begin(4 * MIB);
	put_text(0, "vhdxfile");
	for (unsigned i = 1; i <= 2; i++) {
		put_text(i * VHDX_HEADER, "head");
		put_le(i * VHDX_HEADER + 8, 8, i);
		put_le(i * VHDX_HEADER + 66, 2, 1);
	}
	put_text(VHDX_REGIONS, "regi");
	put_le(VHDX_REGIONS + 8, 4, 2);
	put_region(0, GUID_BLOCKS, 3 * MIB, MIB);
	put_region(1, GUID_METADATA, VHDX_METADATA, MIB);
	put_text(VHDX_METADATA, "metadata");
	put_le(VHDX_METADATA + 10, 2, 3);
	put_item(0, GUID_PARAMETERS, 64 * KIB, 8);
	put_item(1, GUID_SIZE, 64 * KIB + 8, 8);
	put_item(2, GUID_SECTOR, 64 * KIB + 16, 4);
	put_le(VHDX_METADATA + 64 * KIB, 4, 32 * MIB);
	put_le(VHDX_METADATA + 64 * KIB + 8, 8, 64 * MIB);
	put_le(VHDX_METADATA + 64 * KIB + 16, 4, 512);
	seal_vhdx();
}

static void vhdx_is_judged(void **state)
{
	(void)state;
	make_vhdx();
	sound("vhdx", SERVED_VHDX);
	/* One sound copy of each is enough. */
	file[VHDX_HEADER + 100] ^= 1;
	file[VHDX_REGIONS + 100] ^= 1;
	sound("vhdx", SERVED_VHDX);
	file[2 * VHDX_HEADER + 100] ^= 1;
	refused(ERROR_CORRUPT, "none of its two headers is sound");
	make_vhdx();
	file[VHDX_REGIONS + 100] ^= 1;
	file[VHDX_REGIONS + 64 * KIB + 100] ^= 1;
	refused(ERROR_CORRUPT, "none of its two region tables is sound");
	/* The log counts in the newer header only. */
	make_vhdx();
	file[VHDX_HEADER + 48] = 1;
	seal_vhdx();
	sound("vhdx", SERVED_VHDX);
	file[2 * VHDX_HEADER + 48] = 1;
	seal_vhdx();
	refused(ERROR_UNSUPPORTED, "`qemu-img check -r all disk.vhdx`");
	make_vhdx();
	put_le(VHDX_METADATA + 64 * KIB + 4, 4, 2);
	refused(ERROR_UNSUPPORTED, "it has a parent");
	make_vhdx();
	put_le(VHDX_METADATA + 10, 2, 4);
	put_item(3, GUID_PARENT, 64 * KIB + 32, 64);
	refused(ERROR_UNSUPPORTED, "it has a parent");
}

static void vhdx_lies(void **state)
{
	(void)state;
	static const struct lie lies[] = {
		{ 2 * VHDX_HEADER + 66, 2, 2, ERROR_UNSUPPORTED, "version 2" },
		{ VHDX_REGIONS + 8, 4, 2048, ERROR_CORRUPT, "2048 entries" },
		{ VHDX_REGIONS + 8, 4, 1, ERROR_CORRUPT, "lacks" },
		{ VHDX_REGIONS + 8, 4, UINT32_MAX, ERROR_CORRUPT, "4294967295 entries" },
		{ VHDX_REGIONS + 16, 4, 0, ERROR_UNSUPPORTED, "a region that is required" },
		{ VHDX_REGIONS + 32, 8, UINT64_MAX, ERROR_CORRUPT, "its region" },
		{ VHDX_REGIONS + 72, 4, UINT32_MAX, ERROR_CORRUPT, "its region" },
		{ VHDX_REGIONS + 72, 4, 4096, ERROR_CORRUPT, "lacks" },
		{ VHDX_METADATA, 4, 0, ERROR_CORRUPT, "no metadata table at offset 2097152" },
		{ VHDX_METADATA + 10, 2, 2048, ERROR_CORRUPT, "no metadata table" },
		{ VHDX_METADATA + 32, 4, 0, ERROR_UNSUPPORTED, "metadata that is required" },
		{ VHDX_METADATA + 48, 4, UINT32_MAX, ERROR_CORRUPT, "its metadata item" },
		{ VHDX_METADATA + 52, 4, UINT32_MAX, ERROR_CORRUPT, "its metadata item" },
		{ VHDX_METADATA + 64 * KIB, 4, 3 * MIB, ERROR_CORRUPT, "its blocks have 3145728 bytes" },
		{ VHDX_METADATA + 64 * KIB + 8, 8, UINT64_MAX, ERROR_CORRUPT, "bytes" },
		{ VHDX_METADATA + 64 * KIB + 8, 8, 0, ERROR_CORRUPT, "no bytes" },
		{ VHDX_METADATA + 64 * KIB + 16, 4, 1000, ERROR_CORRUPT, "its sectors have 1000 bytes" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		make_vhdx();
		put_le(lies[i].offset, lies[i].width, lies[i].value);
		seal_vhdx();
		refused(lies[i].code, lies[i].part);
	}
	make_vhdx();
	file_size = 256 * KIB;
	file[VHDX_REGIONS] = 0;
	refused(ERROR_CORRUPT, "ends behind the file's end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vhd_is_judged),
		cmocka_unit_test(vhd_fixed_takes_no_server),
		cmocka_unit_test(vhdx_is_judged),
		cmocka_unit_test(vhdx_lies),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(file);
	arena_free(&arena);
	return failed;
}
