// Tar archives: each form of header, and the lies that headers can tell.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/text.h"
#include "disk/tar.h"
#include "tar_builder.h"

static struct arena arena;
static struct tar_builder tar;

static int setup(void **state)
{
	(void)state;
	tar.size = 0;
	return 0;
}

static bool read_bytes(size_t size, struct tar_archive *out, struct error *error)
{
	struct span *bytes = arena_alloc(&arena, sizeof(*bytes));
	struct budget budget = budget_default();
	*bytes = span_of(tar.bytes, size);
	struct reader reader = reader_of_span(bytes);
	return tar_read(&reader, &budget, &arena, out, error);
}

static struct tar_archive read_tar(void)
{
	struct tar_archive out;
	struct error error = { 0 };
	if (!read_bytes(tar.size, &out, &error))
		fail_msg("%s", error.message);
	return out;
}

/* Fails with the code, and a message that has `words` in it; what came before is there. */
static void expect_error(enum error_code code, const char *words, size_t members)
{
	struct tar_archive out;
	struct error error = { 0 };
	assert_false(read_bytes(tar.size, &out, &error));
	if (error.code != code || !strstr(error.message, words))
		fail_msg("%d: %s", error.code, error.message);
	assert_int_equal(out.members.count, members);
}

static void expect_content(const struct tar_archive *archive, const struct tar_member *member,
                           const char *text)
{
	uint8_t got[4096];
	struct error error = { 0 };
	assert_int_equal(member->size, strlen(text));
	if (!tar_member_read(archive, member, 0, got, strlen(text), &error))
		fail_msg("%s", error.message);
	assert_memory_equal(got, text, strlen(text));
	assert_false(tar_member_read(archive, member, 1, got, strlen(text), &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
}

static void formats_are_told_apart(void **state)
{
	(void)state;
	tar_builder_file(&tar, "./a", "v7", NULL);
	tar_builder_file(&tar, "b", "ustar", TAR_USTAR);
	tar_builder_file(&tar, "c", "gnu", TAR_GNU);
	tar_builder_pax(&tar, 'x', PAIRS("comment=x"));
	tar_builder_file(&tar, "d", "pax", TAR_USTAR);
	tar_builder_file(&tar, "e", "", TAR_USTAR);
	tar_builder_end(&tar);
	struct tar_archive archive = read_tar();
	static const char *const formats[] = { "v7", "ustar", "gnu", "pax", "ustar" };
	assert_int_equal(archive.members.count, ARRAY_SIZE(formats));
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(archive.members.items[i].format, formats[i]);
		expect_content(&archive, &archive.members.items[i], formats[i]);
	}
	const struct tar_member *first = &archive.members.items[0];
	assert_string_equal(tar_plain_name(first->name), "a");
	assert_int_equal(first->mode, 0644);
	assert_int_equal(first->uid, 01750);
	assert_int_equal(first->gid, 0144);
	assert_int_equal(first->mtime, 015300452446);
	assert_int_equal(archive.members.items[3].header, 6 * 512);
	assert_true(archive.has_end);
	assert_int_equal(archive.end, tar.size - 1024);
}

static void names_come_from_everywhere(void **state)
{
	(void)state;
	uint8_t *header = tar_builder_header(&tar, "name", '0', 0, TAR_USTAR);
	memcpy(header + 345, "some/prefix", 12);
	tar_builder_checksum(header);
	tar_builder_header(&tar, "L", 'L', 9, TAR_GNU);
	tar_builder_content(&tar, "long/name", 9);
	tar_builder_header(&tar, "K", 'K', 6, TAR_GNU);
	tar_builder_content(&tar, "target", 6);
	tar_builder_header(&tar, "cut", '2', 0, TAR_GNU);
	tar_builder_pax(&tar, 'g', PAIRS("uid=77"));
	tar_builder_pax(&tar, 'x',
	                PAIRS("path=pax/one", "linkpath=pax/two", "mtime=-9.5", "SCHILY.xattr.user.a=="));
	tar_builder_header(&tar, "cut", '1', 5, TAR_USTAR);
	tar_builder_header(&tar, "folder/", '\0', 0, NULL);
	tar_builder_end(&tar);
	struct tar_archive archive = read_tar();
	assert_int_equal(archive.members.count, 4);
	const struct tar_member *members = archive.members.items;
	assert_string_equal(members[0].name, "some/prefix/name");
	assert_string_equal(members[1].name, "long/name");
	assert_string_equal(members[1].link, "target");
	assert_int_equal(members[1].header, 512);
	assert_string_equal(members[1].format, "gnu");
	assert_string_equal(members[2].name, "pax/one");
	assert_string_equal(members[2].link, "pax/two");
	assert_int_equal(members[2].mtime, -9);
	assert_int_equal(members[2].uid, 77);
	assert_int_equal(members[2].stored, 0); /* a link's size is that of what it leads to */
	assert_string_equal(members[3].name, "folder/");
	assert_int_equal(members[3].type, TAR_DIRECTORY);
	assert_string_equal(members[3].format, "pax"); /* the global header holds for it too */
	assert_int_equal(members[3].uid, 77);
}

static void large_numbers_are_binary(void **state)
{
	(void)state;
	uint8_t *header = tar_builder_header(&tar, "a", '0', 0, TAR_GNU);
	memcpy(header + 124, "\x80\0\0\0\0\0\0\0\0\0\0\3", 12);
	memcpy(header + 136, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb", 12);
	memcpy(header + 108, "\x80\0\0\0\0\x2d\xc6\xc0", 8);
	tar_builder_checksum(header);
	tar_builder_content(&tar, "abc", 3);
	struct tar_archive archive = read_tar();
	assert_int_equal(archive.members.items[0].size, 3);
	assert_int_equal(archive.members.items[0].mtime, -5);
	assert_int_equal(archive.members.items[0].uid, 3000000);
	assert_false(archive.has_end);

	memcpy(header + 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb", 12);
	tar_builder_checksum(header);
	expect_error(ERROR_CORRUPT, "at offset 0 has a size that is no number", 0);
	memcpy(header + 124, "\x80\0\0\1\0\0\0\0\0\0\0\0", 12);
	tar_builder_checksum(header);
	expect_error(ERROR_CORRUPT, "at offset 0 has a size that is no number", 0);
	memcpy(header + 124, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
	tar_builder_checksum(header);
	expect_error(ERROR_TRUNCATED, "ends at offset 1024", 1);
	memcpy(header + 124, "0000000000x", 12);
	tar_builder_checksum(header);
	expect_error(ERROR_CORRUPT, "at offset 0 has a size that is no number", 0);
}

static void checksums_are_of_either_sign(void **state)
{
	(void)state;
	uint8_t *header = tar_builder_header(&tar, "gr\xc3\xbc\xc3\x9f", '0', 0, NULL);
	assert_true(tar_is_header(span_of(tar.bytes, 512)));
	unsigned sum = 0;
	memset(header + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned)(int)(signed char)header[i];
	snprintf((char *)header + 148, 8, "%06o", sum);
	assert_true(tar_is_header(span_of(tar.bytes, 512)));
	header[0]++;
	assert_false(tar_is_header(span_of(tar.bytes, 512)));
	expect_error(ERROR_CORRUPT, "at offset 0 is none", 0);
	memset(tar.bytes, 0, 512);
	assert_false(tar_is_header(span_of(tar.bytes, 512)));
	assert_false(tar_is_header(span_of(tar.bytes, 511)));
}

static void damage_behind_a_member_is_named(void **state)
{
	(void)state;
	tar_builder_file(&tar, "a", "content", TAR_USTAR);
	tar_builder_file(&tar, "b", "content", TAR_USTAR);
	tar.bytes[1024 + 3] ^= 1;
	expect_error(ERROR_CORRUPT, "the tar header at offset 1024 is damaged", 1);
}

static void a_cut_archive_keeps_what_it_has(void **state)
{
	(void)state;
	tar_builder_file(&tar, "a", "content", TAR_USTAR);
	tar_builder_pax(&tar, 'x', PAIRS("path=name"));
	tar_builder_file(&tar, "b", "content", TAR_USTAR);
	size_t whole = tar.size;
	tar.size = 1024 + 100;
	expect_error(ERROR_TRUNCATED, "ends at offset 1124, in the middle of the header at 1024", 1);
	tar.size = 1024 + 512 + 3;
	expect_error(ERROR_TRUNCATED, "in the middle of the extended header at 1024", 1);
	tar.size = 2048; /* the extended header is there, its member is not */
	expect_error(ERROR_TRUNCATED, "ends at offset 2048", 1);
	tar.size = 2560 + 3;
	expect_error(ERROR_TRUNCATED, "ends at offset 2563, 4 bytes before its member name does", 2);
	tar.size = 2560 + 7; /* the filling alone is missing */
	struct tar_archive archive = read_tar();
	expect_content(&archive, &archive.members.items[1], "content");
	tar.size = whole;
	archive = read_tar();
	assert_int_equal(archive.members.count, 2);
}

static void zeros_end_it(void **state)
{
	(void)state;
	tar_builder_file(&tar, "a", "content", TAR_USTAR);
	tar_builder_end(&tar);
	memset(tar.bytes + tar.size, 'x', 700);
	tar.size += 700;
	struct tar_archive archive = read_tar();
	assert_int_equal(archive.members.count, 1);
	assert_int_equal(archive.end, 1024);
	assert_true(archive.has_end);
}

/* It may be a header that was wiped: GNU tar warns of it. */
static void a_lone_block_of_zeros_is_no_end_mark(void **state)
{
	(void)state;
	tar_builder_file(&tar, "a", "content", TAR_USTAR);
	memset(tar.bytes + tar.size, 0, TAR_BLOCK);
	tar.size += TAR_BLOCK;
	assert_true(read_tar().has_end); /* where nothing comes behind it, nothing is missing */
	tar_builder_file(&tar, "b", "content", TAR_USTAR);
	struct tar_archive archive = read_tar();
	assert_int_equal(archive.members.count, 1);
	assert_false(archive.has_end);
}

/* A sparse file of 1000 bytes with "ab" at 512 and "c" at 999, in each of the four formats. */
static void expect_sparse(const char *format)
{
	uint8_t wanted[1000] = { 0 }, got[1000];
	memcpy(wanted + 512, "ab", 2);
	wanted[999] = 'c';
	tar_builder_file(&tar, "next", "n", TAR_USTAR);
	struct tar_archive archive = read_tar();
	struct error error = { 0 };
	const struct tar_member *member = &archive.members.items[0];
	assert_int_equal(archive.members.count, 2);
	assert_string_equal(member->format, format);
	assert_string_equal(member->name, "sparse");
	assert_true(member->sparse);
	assert_int_equal(member->size, sizeof(wanted));
	struct reader reader = tar_member_reader(&archive, member, &arena);
	assert_true(reader_read(&reader, 0, got, sizeof(got), &error));
	assert_memory_equal(got, wanted, sizeof(got));
	for (size_t at = 505; at < 520; at++)
		for (size_t length = 1; length < 9; length++) {
			assert_true(reader_read(&reader, at, got, length, &error));
			assert_memory_equal(got, wanted + at, length);
		}
	assert_string_equal(archive.members.items[1].name, "next");
	expect_content(&archive, &archive.members.items[1], "n");
	tar.size = 0;
}

static void gnu_sparse(const char *real_size)
{
	uint8_t *header = tar_builder_header(&tar, "sparse", 'S', 3, TAR_GNU);
	snprintf((char *)header + 386, 24, "%s", "00000001000");
	snprintf((char *)header + 398, 12, "%s", "00000000002");
	header[482] = 1;
	memcpy(header + 483, real_size, 12);
	tar_builder_checksum(header);
}

static void sparse_files_of_gnu(void **state)
{
	(void)state;
	/* 512 = 01000, 999 = 01747, 1000 = 01750; four entries are in the header, two of them used */
	gnu_sparse("00000001750");
	uint8_t more[512] = { 0 };
	snprintf((char *)more, 12, "%s", "00000001747");
	snprintf((char *)more + 12, 12, "%s", "00000000001");
	tar_builder_content(&tar, more, 512);
	tar_builder_content(&tar, "abc", 3);
	expect_sparse("gnu");

	gnu_sparse("00000001000"); /* the extents leave it */
	tar_builder_content(&tar, more, 512);
	tar_builder_content(&tar, "abc", 3);
	expect_error(ERROR_CORRUPT, "at offset 0 has a sparse map that contradicts itself", 0);
	tar.size = 0;
	gnu_sparse("00000001750");
	expect_error(ERROR_TRUNCATED, "in the middle of the header at 512", 0);
	snprintf((char *)more, 12, "%s", "00000000000"); /* goes back */
	tar_builder_content(&tar, more, 512);
	expect_error(ERROR_CORRUPT, "contradicts itself", 0);
	tar.size = 512;
	snprintf((char *)more, 12, "%s", "00000001747");
	snprintf((char *)more + 12, 12, "%s", "00000000002"); /* more than is stored */
	tar_builder_content(&tar, more, 512);
	expect_error(ERROR_CORRUPT, "contradicts itself", 0);
}

static void sparse_files_of_pax(void **state)
{
	(void)state;
	tar_builder_pax(&tar, 'x',
	                PAIRS("GNU.sparse.size=1000", "GNU.sparse.offset=512", "GNU.sparse.numbytes=2",
	                      "GNU.sparse.offset=999", "GNU.sparse.numbytes=1"));
	tar_builder_file(&tar, "sparse", "abc", TAR_USTAR);
	expect_sparse("pax");

	tar_builder_pax(
		&tar, 'x',
		PAIRS("GNU.sparse.name=sparse", "GNU.sparse.size=1000", "GNU.sparse.map=512,2,999,1"));
	tar_builder_file(&tar, "./GNUSparseFile.1/sparse", "abc", TAR_USTAR);
	expect_sparse("pax");

	static const char *const one[] = { "GNU.sparse.major=1", "GNU.sparse.minor=0",
		                           "GNU.sparse.name=sparse", "GNU.sparse.realsize=1000", NULL };
	tar_builder_pax(&tar, 'x', one);
	tar_builder_header(&tar, "cut", '0', 515, TAR_USTAR);
	tar_builder_content(&tar, "2\n512\n2\n999\n1\n", 14);
	tar_builder_content(&tar, "abc", 3);
	expect_sparse("pax");

	static const struct {
		const char *map, *message;
	} lies[] = {
		{ "2\n512\n2\n0\n1\n", "contradicts itself" },
		{ "2\n512\n2\n513\n1\n", "contradicts itself" },
		{ "1\n998\n3\n", "contradicts itself" },
		{ "1\n0\n4\n", "contradicts itself" },
		{ "1\n18446744073709551615\n2\n", "contradicts itself" },
		{ "1\n18446744073709551616\n2\n", "no list of numbers" },
		{ "x\n", "no list of numbers" },
		{ "\n", "no list of numbers" },
		{ "1000\n1\n1\n", "no list of numbers" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		tar.size = 0;
		tar_builder_pax(&tar, 'x', one);
		tar_builder_header(&tar, "cut", '0', 515, TAR_USTAR);
		tar_builder_content(&tar, lies[i].map, strlen(lies[i].map));
		tar_builder_content(&tar, "abc", 3);
		expect_error(ERROR_CORRUPT, lies[i].message, 0);
	}
}

/* No record is longer than its header, none is without '=', none ends anywhere else than at a line's end. */
static void damaged_records_are_refused(void **state)
{
	(void)state;
	static const char *const records[] = {
		"99 path=x\n",
		"0 path=x\n",
		"3 =",
		"8 path=x\n",
		"11 path=x\n",
		"path=x\n",
		"7 path\n",
		"99999999999999999999 path=x\n",
		"18446744073709551615 path=x\n",
		"9\tpath=x\n",
		"9 path=x ",
		"2\n",
		"12 size=abc\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		tar.size = 0;
		tar_builder_records(&tar, 'x', records[i]);
		tar_builder_file(&tar, "a", "", TAR_USTAR);
		expect_error(ERROR_CORRUPT, "the tar header at offset 0 ", 0);
	}
}

static void work_is_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < 20; i++)
		tar_builder_file(&tar, "a", "", TAR_USTAR);
	struct span bytes = span_of(tar.bytes, tar.size);
	struct reader reader = reader_of_span(&bytes);
	struct budget budget = { .steps_left = 10 };
	struct tar_archive out;
	struct error error = { 0 };
	assert_false(tar_read(&reader, &budget, &arena, &out, &error));
	assert_int_equal(error.code, ERROR_LIMIT);
	assert_int_equal(out.members.count, 10);

	tar.size = 0;
	tar_builder_header(&tar, "pax", 'x', 1 << 30, TAR_USTAR);
	expect_error(ERROR_LIMIT, "is an extended one of 1073741824 bytes", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(formats_are_told_apart, setup),
		cmocka_unit_test_setup(names_come_from_everywhere, setup),
		cmocka_unit_test_setup(large_numbers_are_binary, setup),
		cmocka_unit_test_setup(checksums_are_of_either_sign, setup),
		cmocka_unit_test_setup(damage_behind_a_member_is_named, setup),
		cmocka_unit_test_setup(a_cut_archive_keeps_what_it_has, setup),
		cmocka_unit_test_setup(a_lone_block_of_zeros_is_no_end_mark, setup),
		cmocka_unit_test_setup(zeros_end_it, setup),
		cmocka_unit_test_setup(sparse_files_of_gnu, setup),
		cmocka_unit_test_setup(sparse_files_of_pax, setup),
		cmocka_unit_test_setup(damaged_records_are_refused, setup),
		cmocka_unit_test_setup(work_is_bounded, setup),
	};
	int failed = cmocka_run_group_tests_name("tar", tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}
