// A disk for tests of the boot floor: bytes, a partition table and file systems in memory.
//
//   partition 1  BIOS boot, sectors 34-1057    partition 2  EFI system    partition 3  Linux root
#pragma once

#include "boot/boot.h"
#include "boot/firmware.h"
#include "memory_fs.h"
#include "tools.h"

#define TEST_SECTOR ((size_t)512)
#define TEST_DISK   ((size_t)4 << 20)

struct test_disk {
	struct arena arena;
	struct budget budget;
	uint8_t *bytes;
	struct span span;
	struct reader reader;
	struct partition_table table;
	struct memory_fs esp, root;
	struct filesystem *filesystems[2];
	struct fs_set set;
	struct boot_disk disk;
};

static inline struct partition *test_partition(struct test_disk *test, uint64_t number)
{
	return &test->table.partitions.items[number - 1];
}

static inline void test_add_partition(struct test_disk *test, uint64_t number, const char *type,
                                      uint64_t start, uint64_t sectors)
{
	*LIST_ADD(&test->arena, &test->table.partitions) = (struct partition){
		.number = number,
		.type = type,
		.name = "",
		.part_uuid =
			arena_printf(&test->arena, "5B0C2A6E-0000-0000-0000-00000000000%u", (unsigned)number),
		.start = start * TEST_SECTOR,
		.size = sectors * TEST_SECTOR,
		.readable = true,
	};
}

/* Opens the file systems that the test has filled. */
static inline void test_open(struct test_disk *test)
{
	struct memory_fs *files[] = { &test->esp, &test->root };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)memory_tree(files[i]);
		files[i]->filesystem.partition = i + 2;
		files[i]->filesystem.type = i == 0 ? "vfat" : "ext4";
		files[i]->filesystem.uuid = i == 0 ? "ABCD-1234" : "1b0c2a6e-3d77-4a1c-9c77-6a6f1de3b001";
		files[i]->filesystem.label = i == 0 ? NULL : "root";
		test->filesystems[i] = &files[i]->filesystem;
		test_partition(test, i + 2)->file_system = files[i]->filesystem.type;
		test_partition(test, i + 2)->uuid = files[i]->filesystem.uuid;
		test_partition(test, i + 2)->label = files[i]->filesystem.label;
	}
	test->set = (struct fs_set){ .items = test->filesystems, .count = 2 };
	test->disk =
		(struct boot_disk){ &test->reader, &test->table, &test->set, &test->budget, &test->arena };
}

static inline void test_start(struct test_disk *test)
{
	*test = (struct test_disk){ .budget = budget_default() };
	test->bytes = arena_alloc(&test->arena, TEST_DISK);
	test->span = span_of(test->bytes, TEST_DISK);
	test->reader = reader_of_span(&test->span);
	test->table.kind = "gpt";
	test->table.sector_size = TEST_SECTOR;
	test_add_partition(test, 1, "21686148-6449-6e6f-744e-656564454649", 34, 1024);
	test_add_partition(test, 2, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", 2048, 2048);
	test_add_partition(test, 3, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", 4096, 2048);
	memory_directory(&test->esp, "/EFI");
	memory_directory(&test->root, "/boot");
}

static inline void test_end(struct test_disk *test)
{
	memory_free(&test->esp);
	memory_free(&test->root);
	arena_free(&test->arena);
}

static inline struct span test_read_host(struct test_disk *test, const char *path)
{
	return tool_filter(COMMAND("cat", path), (struct span){ 0 }, &test->arena);
}

/* A core image as grub-install would build it, looking for its files in `prefix`. */
static inline struct span test_mkimage(struct test_disk *test, const char *format, const char *prefix)
{
	return tool_filter(COMMAND("grub-mkimage", "-O", format, "-p", prefix, "part_gpt", "ext2", "fat",
	                           "normal", "configfile", "search"),
	                   (struct span){ 0 }, &test->arena);
}

static inline void test_put_le(struct test_disk *test, size_t offset, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		test->bytes[offset + i] = (uint8_t)(value >> (8 * i));
}

/* What grub-bios-setup does: boot.img in the first sector, the core image at `sector`, linked. */
static inline void test_install_bios(struct test_disk *test, const char *prefix, uint64_t sector)
{
	struct span boot = test_read_host(test, "/usr/lib/grub/i386-pc/boot.img");
	struct span core = test_mkimage(test, "i386-pc", prefix);
	size_t at = (size_t)sector * TEST_SECTOR;
	memcpy(test->bytes, boot.data, 440);
	memcpy(test->bytes + 510, "\x55\xaa", 2);
	memcpy(test->bytes + at, core.data, core.size);
	test_put_le(test, 0x5c, sector, 8);
	test_put_le(test, at + 0x1f4, sector + 1, 8);
	test_put_le(test, at + 0x1fc, (core.size - 1) / TEST_SECTOR, 2);
}
