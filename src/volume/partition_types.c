// The names of partition types, as fdisk's users know them. Type GUIDs: UEFI Specification 2.10 (table 5.7)
// and the Discoverable Partitions Specification; MBR types have no standard but custom.
#include <string.h>

#include "volume/scan.h"

struct gpt_type {
	const char *guid;
	const char *name;
};

static const struct gpt_type gpt_types[] = {
	{ VOLUME_ESP_TYPE, "EFI System" },
	{ "024dee41-33e7-11d3-9d69-0008c781f39f", "MBR partition scheme" },
	{ "21686148-6449-6e6f-744e-656564454649", "BIOS boot" },
	{ "9e1a2d38-c612-4316-aa26-8b49521e5a8b", "PowerPC PReP boot" },
	{ "e3c9e316-0b5c-4db8-817d-f92df00215ae", "Microsoft reserved" },
	{ "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "Microsoft basic data" },
	{ "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", "Microsoft LDM metadata" },
	{ "af9b60a0-1431-4f62-bc68-3311714a69ad", "Microsoft LDM data" },
	{ "e75caf8f-f680-4cee-afa3-b001e56efc2d", "Microsoft Storage Spaces" },
	{ "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "Linux swap" },
	{ "0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux filesystem" },
	{ "3b8f8425-20e0-4f3b-907f-1a25a76f98e8", "Linux server data" },
	{ "44479540-f297-41b2-9af7-d131d5f0458a", "Linux root (x86)" },
	{ "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "Linux root (x86-64)" },
	{ "69dad710-2ce4-4e3c-b16c-21a1d49abed3", "Linux root (ARM)" },
	{ "b921b045-1df0-41c3-af44-4c6f280d3fae", "Linux root (ARM-64)" },
	{ "8da63339-0007-60c0-c436-083ac8230908", "Linux reserved" },
	{ "933ac7e1-2eb4-4f13-b844-0e14e2aef915", "Linux home" },
	{ "a19d880f-05fc-4d3b-a006-743f0f84911e", "Linux RAID" },
	{ "e6d6d379-f507-44c2-a23c-238f2a3df928", "Linux LVM" },
	{ "4d21b016-b534-45c2-a9fb-5c16e091fd2d", "Linux variable data" },
	{ "7ec6f557-3bc5-4aca-b293-16ef5df639d1", "Linux temporary data" },
	{ "75250d76-8cc6-458e-bd66-bd47cc81a812", "Linux /usr (x86)" },
	{ "8484680c-9521-48c6-9c11-b0720656f69e", "Linux /usr (x86-64)" },
	{ "7d0359a3-02b3-4f0a-865c-654403e70625", "Linux /usr (ARM)" },
	{ "b0e01050-ee5f-4390-949a-9101b17104e9", "Linux /usr (ARM-64)" },
	{ "d13c5d3b-b5d1-422a-b29f-9454fdc89d76", "Linux root verity (x86)" },
	{ "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", "Linux root verity (x86-64)" },
	{ "7386cdf2-203c-47a9-a498-f2ecce45a2d6", "Linux root verity (ARM)" },
	{ "df3300ce-d69f-4c92-978c-9bfb0f38d820", "Linux root verity (ARM-64)" },
	{ "8f461b0d-14ee-4e81-9aa9-049b6fb97abd", "Linux /usr verity (x86)" },
	{ "77ff5f63-e7b6-4633-acf4-1565b864c0e6", "Linux /usr verity (x86-64)" },
	{ "c215d751-7bcd-4649-be90-6627490a4c05", "Linux /usr verity (ARM)" },
	{ "6e11a4e7-fbca-4ded-b9e9-e1a512bb664e", "Linux /usr verity (ARM-64)" },
	{ "5996fc05-109c-48de-808b-23fa0830b676", "Linux root verity sign. (x86)" },
	{ "41092b05-9fc8-4523-994f-2def0408b176", "Linux root verity sign. (x86-64)" },
	{ "42b0455f-eb11-491d-98d3-56145ba9d037", "Linux root verity sign. (ARM)" },
	{ "6db69de6-29f4-4758-a7a5-962190f00ce3", "Linux root verity sign. (ARM-64)" },
	{ "974a71c0-de41-43c3-be5d-5c5ccd1ad2c0", "Linux /usr verity sign. (x86)" },
	{ "e7bb33fb-06cf-4e81-8273-e543b413e2e2", "Linux /usr verity sign. (x86-64)" },
	{ "d7ff812f-37d1-4902-a810-d76ba57b975a", "Linux /usr verity sign. (ARM)" },
	{ "c23ce4ff-44bd-4b00-b2d4-b41b3419e02a", "Linux /usr verity sign. (ARM-64)" },
	{ "bc13c2ff-59e6-4262-a352-b275fd6f7172", "Linux extended boot" },
	{ "773f91ef-66d4-49b5-bd83-d683bf40ad16", "Linux user's home" },
	{ "516e7cb4-6ecf-11d6-8ff8-00022d09712b", "FreeBSD data" },
	{ "83bd6b9d-7f41-11dc-be0b-001560b84f0f", "FreeBSD boot" },
	{ "516e7cb5-6ecf-11d6-8ff8-00022d09712b", "FreeBSD swap" },
	{ "516e7cb6-6ecf-11d6-8ff8-00022d09712b", "FreeBSD UFS" },
	{ "516e7cba-6ecf-11d6-8ff8-00022d09712b", "FreeBSD ZFS" },
	{ "516e7cb8-6ecf-11d6-8ff8-00022d09712b", "FreeBSD Vinum" },
	{ "fe3a2a5d-4f32-41a7-b725-accc3285a309", "ChromeOS kernel" },
	{ "3cb8e202-3b7e-47dd-8a3c-7ff2a13cfcec", "ChromeOS root fs" },
	{ "2e0a753d-9e48-43b0-8337-b15192cb1b5e", "ChromeOS reserved" },
};

static const char *const mbr_types[256] = {
	[0x00] = "Empty",
	[0x01] = "FAT12",
	[0x04] = "FAT16 <32M",
	[0x05] = "Extended",
	[0x06] = "FAT16",
	[0x07] = "HPFS/NTFS/exFAT",
	[0x0b] = "W95 FAT32",
	[0x0c] = "W95 FAT32 (LBA)",
	[0x0e] = "W95 FAT16 (LBA)",
	[0x0f] = "W95 Ext'd (LBA)",
	[0x11] = "Hidden FAT12",
	[0x14] = "Hidden FAT16 <32M",
	[0x16] = "Hidden FAT16",
	[0x17] = "Hidden HPFS/NTFS",
	[0x1b] = "Hidden W95 FAT32",
	[0x1c] = "Hidden W95 FAT32 (LBA)",
	[0x1e] = "Hidden W95 FAT16 (LBA)",
	[0x27] = "Hidden NTFS WinRE",
	[0x41] = "PPC PReP Boot",
	[0x82] = "Linux swap / Solaris",
	[0x83] = "Linux",
	[0x85] = "Linux extended",
	[0x8e] = "Linux LVM",
	[0xa5] = "FreeBSD",
	[0xa6] = "OpenBSD",
	[0xa9] = "NetBSD",
	[0xda] = "Non-FS data",
	[0xea] = "Linux extended boot",
	[0xee] = "GPT",
	[0xef] = "EFI (FAT-12/16/32)",
	[0xf8] = "EBBR protective",
	[0xfd] = "Linux raid autodetect",
};

const char *gpt_type_name(const char *guid)
{
	for (size_t i = 0; i < ARRAY_SIZE(gpt_types); i++)
		if (strcmp(gpt_types[i].guid, guid) == 0)
			return gpt_types[i].name;
	return "";
}

const char *mbr_type_name(uint8_t type)
{
	return mbr_types[type] ? mbr_types[type] : "";
}
