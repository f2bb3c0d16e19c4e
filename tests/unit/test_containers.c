// The headers of containers: qcow2, QED, VMDK, VDI and Parallels; sound, pointing
// elsewhere, lying.

#include "container_file.h"

static void has_problem(const char *code)
{
	struct disk disk;
	struct error error;
	if (!open_file(&disk, &error))
		fail_msg("%s", error.message);
	assert_string_equal(disk.problem.code, code);
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
	sound("qcow2", SERVED_NOT);
	put_be(104, 4, 0x6803f857); /* a feature name table, and the end */
	put_be(108, 4, 144);
	sound("qcow2", SERVED_NOT);
	put_be(60, 4, 2); /* snapshots */
	put_be(64, 8, 64 * KIB);
	sound("qcow2", SERVED_NOT);
	make_qcow2();
	put_be(4, 4, 2); /* what would be features is not looked at in version 2 */
	put_be(72, 8, 0);
	put_be(100, 4, 0);
	sound("qcow2", SERVED_NOT);
	make_qcow2();
	put_be(8, 8, 1024); /* a backing file without a name is none */
	sound("qcow2", SERVED_NOT);
	put_be(72, 8, 1);
	has_problem("qcow2-dirty");
	put_be(72, 8, 3);
	has_problem("qcow2-corrupt");
	put_be(72, 8, 8 | 16); /* zstd, extended L2 entries */
	put_be(100, 4, 112);
	file[104] = 1;
	sound("qcow2", SERVED_NOT);
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
	static const struct lie lies[] = {
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
		{ 56, 4, 0, ERROR_CORRUPT, "no table of reference counts" },
		{ 60, 4, UINT32_MAX, ERROR_CORRUPT, "4294967295 snapshots" },
		{ 72, 8, 8, ERROR_CORRUPT, "compression method 0, and a flag says that it names another" },
		{ 96, 4, 7, ERROR_CORRUPT, "no table of reference counts" },
		{ 104, 8, UINT64_C(0x0537be7700000010), ERROR_CORRUPT, "a key for its encryption" },
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
	put_be(60, 4, 65536);
	put_be(64, 8, 3 * 64 * KIB + 8);
	refused(ERROR_CORRUPT, "its snapshot table");
	make_qcow2();
	put_be(100, 4, 112);
	file[104] = 1;
	refused(ERROR_CORRUPT, "compression method 1, and a flag says that it names none");
	put_be(72, 8, 8);
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
	static const struct lie lies[] = {
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
	static const struct lie lies[] = {
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qcow2_is_taken), cmocka_unit_test(qcow2_names_no_other_file),
		cmocka_unit_test(qcow2_lies),     cmocka_unit_test(qed_is_judged),
		cmocka_unit_test(vmdk_is_judged), cmocka_unit_test(vmdk_lies),
		cmocka_unit_test(vdi_is_judged),  cmocka_unit_test(parallels_is_judged),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(file);
	arena_free(&arena);
	return failed;
}
