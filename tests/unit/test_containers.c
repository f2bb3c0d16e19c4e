// Headers of containers, made by hand: the sound ones are taken, and each lie in them is told by its
// sentence.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "disk/disk.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static struct arena arena;

/* The file that is built: zeros where nothing was put. */
static uint8_t *file;
static size_t file_size;

static void begin(size_t size)
{
	free(file);
	file = calloc(1, size);
	assert_non_null(file);
	file_size = size;
}

static void put(size_t offset, const void *bytes, size_t length)
{
	assert_true(offset + length <= file_size);
	memcpy(file + offset, bytes, length);
}

static void put_text(size_t offset, const char *text)
{
	put(offset, text, strlen(text));
}

static void put_le(size_t offset, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++)
		file[offset + i] = (uint8_t)(value >> (8 * i));
}

static void put_be(size_t offset, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++)
		file[offset + i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

/* Opens the file as it stands; *disk is filled also where `message` is. */
static bool open_file(struct disk *out, struct error *error)
{
	struct disk *disk = NULL;
	struct budget budget = budget_default();
	FILE *stream = tmpfile();
	assert_non_null(stream);
	assert_int_equal(fwrite(file, 1, file_size, stream), file_size);
	assert_int_equal(fflush(stream), 0);
	struct input input = input_of_file("disk", fileno(stream));
	bool opened = disk_open(&input, &budget, &arena, &disk, error);
	if (opened)
		*out = *disk;
	disk_close(disk);
	fclose(stream);
	return opened;
}

static void sound(const char *container, enum served served)
{
	struct disk disk;
	struct error error;
	if (!open_file(&disk, &error))
		fail_msg("%s", error.message);
	assert_string_equal(disk.container, container);
	assert_int_equal(disk.served, served);
	assert_null(disk.problem.code);
}

static void has_problem(const char *code)
{
	struct disk disk;
	struct error error;
	if (!open_file(&disk, &error))
		fail_msg("%s", error.message);
	assert_string_equal(disk.problem.code, code);
}

static void refused(enum error_code code, const char *part)
{
	struct disk disk;
	struct error error;
	if (open_file(&disk, &error))
		fail_msg("taken, but wanted: %s", part);
	if (!strstr(error.message, part))
		fail_msg("\"%s\" says nothing of \"%s\"", error.message, part);
	assert_int_equal(error.code, code);
}

/* A qcow2 image of version 3 with a disk of 64 MiB: one L1 entry, clusters of 64 KiB. */
static void make_qcow2(void)
{
	begin(4 * 64 * KIB);
	put(0, "QFI\xfb", 4);
	put_be(4, 4, 3);
	put_be(20, 4, 16);
	put_be(24, 8, 64 * MIB);
	put_be(36, 4, 1);
	put_be(40, 8, 3 * 64 * KIB);
	put_be(48, 8, 64 * KIB);
	put_be(56, 4, 1);
	put_be(96, 4, 4);
	put_be(100, 4, 104);
}

static void qcow2_is_taken(void **state)
{
	(void)state;
	make_qcow2();
	sound("qcow2", SERVED_QCOW2);
	put_be(104, 4, 0x6803f857); /* a feature name table, and the end */
	put_be(108, 4, 144);
	sound("qcow2", SERVED_QCOW2);
	put_be(60, 4, 2); /* snapshots */
	put_be(64, 8, 64 * KIB);
	sound("qcow2", SERVED_QCOW2);
	make_qcow2();
	put_be(4, 4, 2); /* what would be features is not looked at in version 2 */
	put_be(72, 8, 0);
	put_be(100, 4, 0);
	sound("qcow2", SERVED_QCOW2);
	make_qcow2();
	put_be(72, 8, 1);
	has_problem("qcow2-dirty");
	put_be(72, 8, 3);
	has_problem("qcow2-corrupt");
	put_be(72, 8, 8 | 16); /* zstd, extended L2 entries */
	put_be(100, 4, 112);
	file[104] = 1;
	sound("qcow2", SERVED_QCOW2);
}

static void qcow2_names_no_other_file(void **state)
{
	(void)state;
	make_qcow2();
	put_be(8, 8, 1024);
	put_be(16, 4, 11);
	put_text(1024, "/etc/passwd");
	refused(ERROR_UNSUPPORTED, "'/etc/passwd' (its backing file)");
	refused(ERROR_UNSUPPORTED, "`qemu-img convert -f qcow2 -O raw disk.qcow2 disk.raw`");
	put_be(16, 4, UINT32_MAX); /* a length that lies, and an offset that does */
	refused(ERROR_UNSUPPORTED, "(its backing file)");
	put_be(8, 8, UINT64_MAX - 4);
	refused(ERROR_UNSUPPORTED, "(its backing file)");
	put_be(8, 8, 4 * 64 * KIB - 2);
	refused(ERROR_UNSUPPORTED, "(its backing file)");

	make_qcow2();
	put_be(72, 8, 4);
	refused(ERROR_UNSUPPORTED, "keeps its data in another file");
	put_be(104, 4, 0x44415441);
	put_be(108, 4, 11);
	put_text(112, "/etc/shadow");
	refused(ERROR_UNSUPPORTED, "another file, '/etc/shadow'");
	put_be(72, 8, 0); /* without the feature the name is one too many all the same */
	refused(ERROR_UNSUPPORTED, "another file, '/etc/shadow'");
}

static void qcow2_lies(void **state)
{
	(void)state;
	static const struct {
		size_t offset;
		unsigned width;
		uint64_t value;
		enum error_code code;
		const char *part;
	} lies[] = {
		{ 4, 4, 1, ERROR_UNSUPPORTED, "version 1" },
		{ 4, 4, 4, ERROR_UNSUPPORTED, "version 4" },
		{ 20, 4, 8, ERROR_CORRUPT, "2^8 bytes" },
		{ 20, 4, 22, ERROR_CORRUPT, "2^22 bytes" },
		{ 20, 4, UINT32_MAX, ERROR_CORRUPT, "2^4294967295 bytes" },
		{ 24, 8, 0, ERROR_CORRUPT, "no bytes" },
		{ 24, 8, UINT64_MAX, ERROR_CORRUPT, "18446744073709551615 bytes" },
		{ 24, 8, UINT64_C(1) << 40, ERROR_CORRUPT, "its L1 table has 1 entries" },
		{ 32, 4, 1, ERROR_UNSUPPORTED, "encrypted" },
		{ 32, 4, 2, ERROR_UNSUPPORTED, "encrypt.key-secret=key" },
		{ 36, 4, 0, ERROR_CORRUPT, "takes 1" },
		{ 36, 4, UINT32_MAX, ERROR_CORRUPT, "larger than any" },
		{ 40, 8, 3 * 64 * KIB + 8, ERROR_CORRUPT, "do not begin where clusters do" },
		{ 40, 8, 64 * MIB, ERROR_CORRUPT, "its L1 table (8 bytes at offset 67108864)" },
		{ 40, 8, UINT64_MAX << 16, ERROR_CORRUPT, "its L1 table" },
		{ 48, 8, UINT64_MAX << 16, ERROR_CORRUPT, "its refcount table" },
		{ 56, 4, 4, ERROR_CORRUPT, "its refcount table" },
		{ 56, 4, UINT32_MAX, ERROR_CORRUPT, "larger than any" },
		{ 60, 4, UINT32_MAX, ERROR_CORRUPT, "its snapshot table" },
		{ 72, 8, 1 << 5, ERROR_UNSUPPORTED, "(bits 0x20)" },
		{ 100, 4, 0, ERROR_CORRUPT, "0 bytes long" },
		{ 100, 4, UINT32_MAX, ERROR_CORRUPT, "4294967295 bytes long" },
		{ 100, 4, 128 * KIB, ERROR_CORRUPT, "131072 bytes long" },
		{ 104, 8, UINT64_C(0x12345678ffffffff), ERROR_CORRUPT, "longer than the first cluster" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		make_qcow2();
		put_be(lies[i].offset, lies[i].width, lies[i].value);
		refused(lies[i].code, lies[i].part);
	}
	make_qcow2();
	put_be(100, 4, 112);
	file[104] = 2;
	refused(ERROR_UNSUPPORTED, "method 2");
	make_qcow2();
	for (size_t i = 104; i < 64 * KIB; i += 8)
		put_be(i, 4, 1); /* no end */
	refused(ERROR_CORRUPT, "more than 64 extensions");
	make_qcow2();
	file_size = 100;
	refused(ERROR_CORRUPT, "its header (104 bytes at offset 0) ends behind the file's end at 100");
}

static void qed_is_judged(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		begin(3 * 64 * KIB);
		put(0, "QED\0", 4);
		put_le(4, 4, i == 1 ? 3 : 64 * KIB);
		put_le(8, 4, i == 2 ? 0 : 1);
		put_le(16, 8, i == 3 ? 1 : i == 4 ? 8 : i == 5 ? 2 : 0);
		put_le(40, 8, 64 * KIB);
		put_le(48, 8, 64 * MIB);
		put_le(56, 4, 64);
		put_le(60, 4, 11);
		put_text(64, "/etc/passwd");
		if (i == 0)
			sound("qed", SERVED_QED);
		else if (i == 3)
			refused(ERROR_UNSUPPORTED, "'/etc/passwd' (its backing file)");
		else if (i == 4)
			refused(ERROR_UNSUPPORTED, "(bits 0x8)");
		else if (i == 5)
			has_problem("qed-dirty");
		else
			refused(ERROR_CORRUPT, "its clusters have");
	}
	put_le(40, 8, UINT64_MAX);
	refused(ERROR_CORRUPT, "its L1 table");
}

#define EXTENT "RW 131072 SPARSE \"disk.vmdk\"\n"

static void make_vmdk(const char *descriptor)
{
	begin(MIB);
	put_text(0, "KDMV");
	put_le(4, 4, 1);
	put_le(12, 8, 131072);
	put_le(20, 8, 128);
	put_le(28, 8, 1);
	put_le(36, 8, 20);
	put_le(44, 4, 512);
	put_le(56, 8, 22);
	put_text(512, "# Disk DescriptorFile\nversion=1\nCID=1234\n");
	put_text(512 + strlen("# Disk DescriptorFile\nversion=1\nCID=1234\n"), descriptor);
}

static void vmdk_is_judged(void **state)
{
	(void)state;
	make_vmdk("parentCID=ffffffff\n" EXTENT);
	sound("vmdk", SERVED_VMDK);
	put_le(12, 8, 0); /* QEMU would open what the descriptor names */
	refused(ERROR_CORRUPT, "no bytes");
	make_vmdk("parentCID=ffffffff\nRW 131072 FLAT \"/etc/shadow\" 0\n");
	refused(ERROR_UNSUPPORTED, "in other files ('/etc/shadow')");
	make_vmdk("parentCID=ffffffff\nRW 131072 SPARSE \"/etc/shadow\"\n");
	refused(ERROR_UNSUPPORTED, "in other files ('/etc/shadow')");
	make_vmdk("parentCID=ffffffff\n" EXTENT EXTENT);
	refused(ERROR_UNSUPPORTED, "in other files ('disk.vmdk')");
	make_vmdk("parentCID=ffffffff\nRW");
	refused(ERROR_UNSUPPORTED, "no descriptor in it");
	make_vmdk("parentCID=ffffffff\n" EXTENT "parentFileNameHint=\"/etc/shadow\"\n");
	refused(ERROR_UNSUPPORTED, "its parent");
	make_vmdk("parentCID=12345678\n" EXTENT);
	refused(ERROR_UNSUPPORTED, "its parent");
	make_vmdk("parentCID=ffffffff\n" EXTENT);
	put_le(28, 8, 100); /* a parent where QEMU looks for it, a sound descriptor where the header says */
	put_text(512, "parentFileNameHint=\"/etc/shadow\"");
	put_text(51200, EXTENT);
	refused(ERROR_UNSUPPORTED, "its parent");
	/* Alone on the disk, and cut to nothing. */
	begin(4096);
	put_text(0, "# Disk DescriptorFile\nversion=1\nRW 1 FLAT \"/etc/shadow\" 0\n");
	refused(ERROR_UNSUPPORTED, "in other files ('/etc/shadow')");
	begin(21);
	put_text(0, "# Disk DescriptorFile");
	refused(ERROR_UNSUPPORTED, "in other files ('')");
}

static void vmdk_lies(void **state)
{
	(void)state;
	static const struct {
		size_t offset;
		unsigned width;
		uint64_t value;
		enum error_code code;
		const char *part;
	} lies[] = {
		{ 4, 4, 4, ERROR_UNSUPPORTED, "version 4" },
		{ 12, 8, UINT64_MAX, ERROR_CORRUPT, "sizes that no disk has" },
		{ 12, 8, UINT64_MAX >> 9, ERROR_CORRUPT, "bytes" },
		{ 20, 8, 0, ERROR_CORRUPT, "its grains have 0 sectors" },
		{ 20, 8, UINT64_MAX, ERROR_CORRUPT, "its grains have" },
		{ 28, 8, UINT64_MAX, ERROR_UNSUPPORTED, "no descriptor in it" },
		{ 28, 8, 0, ERROR_UNSUPPORTED, "no descriptor in it" },
		{ 36, 8, UINT64_MAX, ERROR_CORRUPT, "its descriptor is said to have" },
		{ 36, 8, 4096, ERROR_CORRUPT, "its descriptor is said to have 4096 sectors" },
		{ 44, 4, 0, ERROR_CORRUPT, "0 entries" },
		{ 44, 4, UINT32_MAX, ERROR_CORRUPT, "4294967295 entries" },
		{ 56, 8, UINT64_MAX, ERROR_CORRUPT, "there is no footer at offset 1047552" },
		{ 56, 8, UINT64_MAX - 1, ERROR_CORRUPT, "sizes that no disk has" },
		{ 56, 8, 2048, ERROR_CORRUPT, "its grain directory (8 bytes at offset 1048576)" },
		{ 77, 2, 2, ERROR_UNSUPPORTED, "compression 2" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		make_vmdk("parentCID=ffffffff\n" EXTENT);
		put_le(lies[i].offset, lies[i].width, lies[i].value);
		refused(lies[i].code, lies[i].part);
	}
	/* The footer is another header, with a descriptor of its own. */
	make_vmdk("parentCID=ffffffff\n" EXTENT);
	put(MIB - 1024, file, 512);
	put_le(56, 8, UINT64_MAX);
	sound("vmdk", SERVED_VMDK);
	put_le(MIB - 1024 + 28, 8, 100);
	put_text(51200, "RW 131072 FLAT \"/etc/shadow\" 0\n");
	refused(ERROR_UNSUPPORTED, "in other files ('/etc/shadow')");
	put_le(MIB - 1024 + 28, 8, 1);
	put_le(MIB - 1024 + 12, 8, 0);
	refused(ERROR_CORRUPT, "no bytes");
}

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

static void make_vdi(void)
{
	begin(2 * MIB);
	put(64, "\x7f\x10\xda\xbe", 4);
	put_le(68, 4, 0x00010001);
	put_le(72, 4, 400);
	put_le(76, 4, 1);
	put_le(340, 4, 512);
	put_le(344, 4, MIB);
	put_le(360, 4, 512);
	put_le(368, 8, 64 * MIB);
	put_le(376, 4, MIB);
	put_le(384, 4, 64);
}

static void vdi_is_judged(void **state)
{
	(void)state;
	static const struct {
		size_t offset;
		unsigned width;
		uint64_t value;
		enum error_code code;
		const char *part;
	} lies[] = {
		{ 68, 4, 0x00020003, ERROR_UNSUPPORTED, "version 2.3" },
		{ 76, 4, 3, ERROR_UNSUPPORTED, "type 3" },
		{ 76, 4, 4, ERROR_UNSUPPORTED, "VBoxManage clonemedium" },
		{ 424, 4, 1, ERROR_UNSUPPORTED, "a snapshot or a linked clone" },
		{ 452, 4, 1, ERROR_UNSUPPORTED, "a snapshot or a linked clone" },
		{ 340, 4, UINT32_MAX, ERROR_CORRUPT, "its block map" },
		{ 344, 4, UINT32_MAX, ERROR_CORRUPT, "its data" },
		{ 360, 4, 4096, ERROR_CORRUPT, "its sectors have 4096 bytes" },
		{ 368, 8, 0, ERROR_CORRUPT, "no bytes" },
		{ 368, 8, UINT64_MAX, ERROR_CORRUPT, "bytes" },
		{ 368, 8, 65 * MIB, ERROR_CORRUPT, "its 64 blocks of" },
		{ 376, 4, 0, ERROR_CORRUPT, "its blocks 0" },
		{ 384, 4, UINT32_MAX, ERROR_CORRUPT, "its block map" },
	};
	make_vdi();
	sound("vdi", SERVED_VDI);
	put_le(76, 4, 2);
	sound("vdi", SERVED_VDI);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		make_vdi();
		put_le(lies[i].offset, lies[i].width, lies[i].value);
		refused(lies[i].code, lies[i].part);
	}
}

static void parallels_is_judged(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		begin(MIB);
		put_text(0, i == 1 ? "WithouFreSpacExt" : "WithoutFreeSpace");
		put_le(16, 4, i == 2 ? 1 : 2);
		put_le(28, 4, i == 3 ? 0 : 2048);
		put_le(32, 4, i == 4 ? 1 : 64);
		put_le(36, 8, 64 * MIB / 512);
		put_le(44, 4, i == 5 ? 0x746f6e59 : 0x312e3276);
		if (i < 2)
			sound("parallels", SERVED_PARALLELS);
		else if (i == 5)
			has_problem("parallels-dirty");
		else
			refused(i == 2 ? ERROR_UNSUPPORTED : ERROR_CORRUPT,
			        i == 2   ? "version 1"
			        : i == 3 ? "0 sectors"
			                 : "covers 2048 of 131072 sectors");
	}
	put_le(32, 4, UINT32_MAX);
	refused(ERROR_CORRUPT, "its block table");
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
	static const struct {
		size_t offset;
		unsigned width;
		uint64_t value;
		enum error_code code;
		const char *part;
	} lies[] = {
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
		cmocka_unit_test(qcow2_is_taken), cmocka_unit_test(qcow2_names_no_other_file),
		cmocka_unit_test(qcow2_lies),     cmocka_unit_test(qed_is_judged),
		cmocka_unit_test(vmdk_is_judged), cmocka_unit_test(vmdk_lies),
		cmocka_unit_test(vhd_is_judged),  cmocka_unit_test(vhd_fixed_takes_no_server),
		cmocka_unit_test(vdi_is_judged),  cmocka_unit_test(parallels_is_judged),
		cmocka_unit_test(vhdx_is_judged), cmocka_unit_test(vhdx_lies),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(file);
	arena_free(&arena);
	return failed;
}
