// Names of devices in root= and fstab, tied to partitions.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/root.h"

static struct partition parts[] = {
	{ .number = 1,
	  .type = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
	  .name = "ESP",
	  .part_uuid = "11111111-aaaa-4a1c-9c77-6a6f1de3b001",
	  .uuid = "ABCD-1234",
	  .label = "" },
	{ .number = 3,
	  .type = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
	  .name = "the root",
	  .part_uuid = "33333333-aaaa-4a1c-9c77-6a6f1de3b001",
	  .uuid = "1b0c2a6e-3d77-4a1c-9c77-6a6f1de3b001",
	  .label = "root" },
	{ .number = 5,
	  .type = "0fc63daf-8483-4772-8e79-3d69d8477de4",
	  .name = "",
	  .part_uuid = "55555555-aaaa-4a1c-9c77-6a6f1de3b001",
	  .uuid = "ffff-twice",
	  .label = "data" },
	{ .number = 6,
	  .type = "0fc63daf-8483-4772-8e79-3d69d8477de4",
	  .name = "",
	  .part_uuid = "66666666-aaaa-4a1c-9c77-6a6f1de3b001",
	  .uuid = "ffff-twice",
	  .label = NULL },
};

static const struct partition_table table = {
	.kind = "gpt",
	.partitions = { .items = parts, .count = ARRAY_SIZE(parts), .capacity = ARRAY_SIZE(parts) },
};

static void is_in(const struct partition_table *names, const char *name, enum answer expected,
                  uint64_t number, const char *part_of_reason)
{
	struct arena arena = { 0 };
	uint64_t partition = 99;
	const char *reason = NULL;
	enum answer answer = boot_resolve_device(name, names, &arena, &partition, &reason);
	assert_non_null(reason);
	if (answer != expected || !strstr(reason, part_of_reason))
		fail_msg("%s: %d, %s", name, answer, reason);
	if (expected == ANSWER_YES)
		assert_int_equal(partition, number);
	arena_free(&arena);
}

static void is(const char *name, enum answer expected, uint64_t number, const char *part_of_reason)
{
	is_in(&table, name, expected, number, part_of_reason);
}

static void names(void **state)
{
	(void)state;
	is("UUID=1b0c2a6e-3d77-4a1c-9c77-6a6f1de3b001", ANSWER_YES, 3, "partition 3 has the UUID");
	is("UUID=\"1b0c2a6e-3d77-4a1c-9c77-6a6f1de3b001\"", ANSWER_YES, 3, "");
	is("UUID=1B0C2A6E-3D77-4A1C-9C77-6A6F1DE3B001", ANSWER_YES, 3, "");
	is("UUID=abcd-1234", ANSWER_YES, 1, "");
	is("UUID=1b0c2a6e", ANSWER_NO, 0, "no partition has the UUID");
	is("UUID=", ANSWER_NO, 0, "");
	is("UUID=ffff-twice", ANSWER_UNKNOWN, 0, "partition 5 and partition 6 have the same UUID");
	is("LABEL=root", ANSWER_YES, 3, "label");
	is("LABEL=Root", ANSWER_NO, 0, "");
	is("LABEL=", ANSWER_NO, 0, "");
	is("PARTUUID=33333333-AAAA-4a1c-9c77-6a6f1de3b001", ANSWER_YES, 3, "PARTUUID");
	is("PARTLABEL=ESP", ANSWER_YES, 1, "");
	is("/dev/disk/by-uuid/1b0c2a6e-3d77-4a1c-9c77-6a6f1de3b001", ANSWER_YES, 3, "");
	is("/dev/disk/by-partlabel/the\\x20root", ANSWER_YES, 3, "");
	is("/dev/disk/by-label/root", ANSWER_YES, 3, "");
	is("/dev/disk/by-id/google-disk-part3", ANSWER_UNKNOWN, 0, "cannot be tied");
	is("/dev/sda3", ANSWER_YES, 3, "/dev/sda3 is partition 3");
	is("/dev/sda2", ANSWER_NO, 0, "no partition /dev/sda2");
	is("/dev/sda", ANSWER_NO, 0, "");
	is("/dev/sda3x", ANSWER_NO, 0, "");
	is("/dev/sdb1", ANSWER_NO, 0, "another disk");
	is("/dev/sdaa1", ANSWER_NO, 0, "another disk");
	is("/dev/vda3", ANSWER_NO, 0, "by UUID");
	is("/dev/nvme0n1p3", ANSWER_UNKNOWN, 0, "NVMe disks alone");
	is("/dev/nvme0n1p2", ANSWER_NO, 0, "no partition /dev/nvme0n1p2");
	is("/dev/nvme0n1px", ANSWER_NO, 0, "no name of a partition");
	is("/dev/nvme0n1", ANSWER_NO, 0, "whole disk");
	is("/dev/nvme1n1p3", ANSWER_NO, 0, "another disk");
	is("PARTUUID=11111111-aaaa-4a1c-9c77-6a6f1de3b001/PARTNROFF=2", ANSWER_UNKNOWN, 0, "cannot be tied");
	is("/dev/mapper/vg-root", ANSWER_UNKNOWN, 0, "cannot be tied");
	is("/dev/vg0/root", ANSWER_UNKNOWN, 0, "cannot be tied");
	is("/dev/md0", ANSWER_UNKNOWN, 0, "RAID");
	is("proc", ANSWER_UNKNOWN, 0, "");
	is("", ANSWER_UNKNOWN, 0, "");
}

/* The one that is looked for may be the one that could not be read, but what has a UUID has another one. */
static void names_of_what_was_not_read(void **state)
{
	(void)state;
	struct partition items[] = {
		{ .number = 1, .name = "", .part_uuid = "1111", .uuid = "b00t", .unread = "a bad block" },
		{ .number = 2, .name = "", .part_uuid = "2222", .unread = "a bad block" },
	};
	struct partition_table torn = { .kind = "gpt",
		                        .partitions = { .items = items, .count = 2, .capacity = 2 } };
	is_in(&torn, "UUID=b00t", ANSWER_YES, 1, "");
	is_in(&torn, "UUID=r00t", ANSWER_UNKNOWN, 0,
	      "the UUID r00t may be that of partition 2, which cannot be read: a bad block");
	is_in(&torn, "LABEL=root", ANSWER_UNKNOWN, 0, "partition 1, which cannot be read");
	is_in(&torn, "PARTUUID=3333", ANSWER_NO, 0, "no partition has the PARTUUID");
	is_in(&torn, "/dev/sda2", ANSWER_YES, 2, "");
	is_in(&torn, "/dev/mapper/vg-root", ANSWER_UNKNOWN, 0, "");
	torn.partitions.count = 1;
	is_in(&torn, "UUID=r00t", ANSWER_NO, 0, "no partition has the UUID");
	torn.unread = "the GPT cannot be read";
	is_in(&torn, "UUID=r00t", ANSWER_UNKNOWN, 0, "is not known: the GPT cannot be read");
	is_in(&torn, "PARTUUID=3333", ANSWER_UNKNOWN, 0, "the GPT cannot be read");
	is_in(&torn, "/dev/sda2", ANSWER_UNKNOWN, 0, "the GPT cannot be read");
}

#define GROUP_ID  "OmovW3-rj1Q-EKs4-J3ng-svXt-MqNq-VKcabx"
#define VOLUME_ID "IPCZMO-d1dL-GkKy-577O-ajvH-ggyu-F4rBow"

/* Partition 2 is the physical volume of both volumes. */
static struct partition_table volumes_of(struct partition *items, enum answer volumes_read)
{
	items[0] = (struct partition){ .number = 1, .name = "", .part_uuid = "", .uuid = "b00t" };
	items[1] = (struct partition){ .number = 2,
		                       .name = "",
		                       .part_uuid = "",
		                       .file_system = "LVM2_member",
		                       .volumes_read = volumes_read };
	items[2] = (struct partition){ .number = 1001,
		                       .name = "",
		                       .part_uuid = "",
		                       .volume = "vg-slip/root",
		                       .volume_id = GROUP_ID "/" VOLUME_ID,
		                       .uuid = "r00t",
		                       .label = "top" };
	items[3] = (struct partition){
		.number = 1002, .name = "", .part_uuid = "", .volume = "vg-slip/my-home", .uuid = "h0me"
	};
	items[4] = (struct partition){ .number = 4, .name = "", .part_uuid = "" };
	return (struct partition_table){ .kind = "gpt",
		                         .partitions = { .items = items, .count = 5, .capacity = 5 } };
}

static void names_of_volumes(void **state)
{
	(void)state;
	struct partition items[5];
	struct partition_table volumes = volumes_of(items, ANSWER_YES);
	is_in(&volumes, "/dev/mapper/vg--slip-root", ANSWER_YES, 1001, "is logical volume vg-slip/root");
	is_in(&volumes, "/dev/mapper/vg--slip-my--home", ANSWER_YES, 1002, "");
	is_in(&volumes, "/dev/vg-slip/my-home", ANSWER_YES, 1002, "");
	is_in(&volumes, "/dev/disk/by-id/dm-name-vg--slip-root", ANSWER_YES, 1001, "");
	is_in(&volumes,
	      "/dev/disk/by-id/dm-uuid-LVM-OmovW3rj1QEKs4J3ngsvXtMqNqVKcabxIPCZMOd1dLGkKy577OajvHggyuF4rBow",
	      ANSWER_YES, 1001, "");
	is_in(&volumes, "/dev/disk/by-id/dm-uuid-LVM-OmovW3", ANSWER_UNKNOWN, 0, "cannot be tied");
	is_in(&volumes, "UUID=r00t", ANSWER_YES, 1001, "logical volume vg-slip/root has the UUID");
	is_in(&volumes, "LABEL=top", ANSWER_YES, 1001, "");
	is_in(&volumes, "/dev/mapper/vg-slip-root", ANSWER_UNKNOWN, 0, "cannot be tied");
	is_in(&volumes, "/dev/mapper/vg--slip-rooted", ANSWER_NO, 0, "no logical volume");
	is_in(&volumes, "/dev/mapper/rhel-root", ANSWER_NO, 0, "no logical volume");
	is_in(&volumes, "/dev/rhel/root", ANSWER_NO, 0, "no logical volume");
	is_in(&volumes, "/dev/md/root", ANSWER_UNKNOWN, 0, "cannot be tied");
	is_in(&volumes, "/dev/mapper/cryptroot", ANSWER_UNKNOWN, 0, "cannot be tied");
	is_in(&volumes, "/dev/mapper/luks-1b0c2a6e-3d77", ANSWER_UNKNOWN, 0, "cannot be tied");
	is_in(&volumes, "/dev/dm-0", ANSWER_UNKNOWN, 0, "order");
	is_in(&volumes, "UUID=gone", ANSWER_NO, 0, "no partition has the UUID");
	/* The numbers of volumes are ours alone. */
	is_in(&volumes, "/dev/sda1001", ANSWER_NO, 0, "no partition /dev/sda1001");
}

static void names_that_may_be_hidden(void **state)
{
	(void)state;
	struct partition items[5];
	struct partition_table volumes = volumes_of(items, ANSWER_UNKNOWN);
	is_in(&volumes, "/dev/mapper/vg--slip-root", ANSWER_YES, 1001, "");
	is_in(&volumes, "UUID=gone", ANSWER_UNKNOWN, 0, "not all logical volumes in partition 2");
	is_in(&volumes, "PARTUUID=gone", ANSWER_NO, 0, "");
	is_in(&volumes, "/dev/rhel/root", ANSWER_UNKNOWN, 0, "cannot be tied");
	/* A physical volume inside an encrypted partition has volumes of its own. */
	volumes = volumes_of(items, ANSWER_YES);
	items[4].file_system = "crypto_LUKS";
	is_in(&volumes, "/dev/mapper/rhel-root", ANSWER_UNKNOWN, 0, "cannot be tied");
	items[4] = items[2];
	items[4].number = 1003;
	is_in(&volumes, "/dev/vg-slip/root", ANSWER_UNKNOWN, 0, "more than one");
}

static void of_entry(const char *command_line, enum answer expected, uint64_t number, const char *reason)
{
	struct arena arena = { 0 };
	struct boot_entry entry = { .command_line = command_line };
	root_find(&table, &arena, &entry);
	assert_int_equal(entry.root_found, expected);
	assert_int_equal(entry.root_partition, number);
	if (!strstr(entry.root_reason, reason))
		fail_msg("%s", entry.root_reason);
	arena_free(&arena);
}

static void entries(void **state)
{
	(void)state;
	of_entry("ro root=UUID=1b0c2a6e-3d77-4a1c-9c77-6a6f1de3b001 quiet", ANSWER_YES, 3, "");
	of_entry("root=/dev/sda1 root=LABEL=root", ANSWER_YES, 3, "label root");
	of_entry("ro quiet", ANSWER_UNKNOWN, 3, "may discover partition 3");
	of_entry("rootwait", ANSWER_UNKNOWN, 3, "names no root=");
	of_entry("root=", ANSWER_UNKNOWN, 3, "names no root=");
	of_entry("root=/dev/sda9", ANSWER_NO, 0, "no partition");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(names_of_what_was_not_read),
		cmocka_unit_test(names_of_volumes),
		cmocka_unit_test(names_that_may_be_hidden),
		cmocka_unit_test(entries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
