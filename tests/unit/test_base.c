#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/budget.h"
#include "base/checked.h"
#include "base/checksum.h"
#include "base/path.h"
#include "base/reader.h"
#include "base/text.h"

static void checked_sums_and_products_never_wrap(void **state)
{
	(void)state;
	uint64_t out = 7;
	assert_false(add_u64(UINT64_MAX, 1, &out));
	assert_false(mul_u64(UINT64_MAX / 2 + 1, 2, &out));
	assert_int_equal(out, 7);
	assert_true(add_u64(UINT64_MAX - 1, 1, &out));
	assert_true(out == UINT64_MAX);
	assert_true(mul_u64(1u << 31, 1u << 31, &out));
	assert_true(out == UINT64_C(1) << 62);
	assert_false(align_up_u64(UINT64_MAX, 4096, &out));
	assert_true(align_up_u64(4097, 4096, &out));
	assert_int_equal(out, 8192);
}

static void ranges_at_the_edges(void **state)
{
	(void)state;
	assert_true(range_inside(0, 0, 0));
	assert_true(range_inside(10, 0, 10));
	assert_true(range_inside(4, 6, 10));
	assert_false(range_inside(4, 7, 10));
	assert_false(range_inside(11, 0, 10));
	assert_false(range_inside(UINT64_MAX, 2, 10));
	assert_false(range_inside(2, UINT64_MAX, 10));
}

static void numbers_are_read_in_their_byte_order(void **state)
{
	(void)state;
	struct span span = span_of("\x01\x02\x03\x04\x05\x06\x07\xf8", 8);
	uint8_t byte;
	uint16_t half;
	uint32_t word = 9;
	uint64_t wide;
	assert_true(get_u8(span, 7, &byte) && byte == 0xf8);
	assert_true(get_le16(span, 0, &half) && half == 0x0201);
	assert_true(get_be16(span, 0, &half) && half == 0x0102);
	assert_true(get_le32(span, 4, &word) && word == 0xf8070605);
	assert_true(get_be32(span, 4, &word) && word == 0x050607f8);
	assert_true(get_le64(span, 0, &wide) && wide == UINT64_C(0xf807060504030201));
	assert_true(get_be64(span, 0, &wide) && wide == UINT64_C(0x01020304050607f8));
	assert_false(get_le32(span, 5, &word));
	assert_false(get_le64(span, SIZE_MAX, &wide));
	assert_int_equal(word, 0x050607f8);
}

static void lines_end_as_files_end_them(void **state)
{
	(void)state;
	struct span rest = span_text("one\r\n\n three \nlast"), line;
	assert_true(span_next_line(&rest, &line) && span_equal_text(line, "one"));
	assert_true(span_next_line(&rest, &line) && line.size == 0);
	assert_true(span_next_line(&rest, &line) && span_equal_text(span_trim(line), "three"));
	assert_true(span_next_line(&rest, &line) && span_equal_text(line, "last"));
	assert_false(span_next_line(&rest, &line));
}

static void find_sees_the_last_place(void **state)
{
	(void)state;
	struct span span = span_text("abcab");
	assert_int_equal(span_find(span, 0, "ab", 2), 0);
	assert_int_equal(span_find(span, 1, "ab", 2), 3);
	assert_true(span_find(span, 4, "ab", 2) == SIZE_MAX);
	assert_true(span_find(span, 99, "ab", 2) == SIZE_MAX);
}

static void reader_refuses_what_lies_outside(void **state)
{
	(void)state;
	struct span bytes = span_text("0123456789");
	struct reader whole = reader_of_span(&bytes), part;
	struct error error;
	char buffer[8] = { 0 };
	assert_true(reader_slice(&whole, 2, 5, &part, &error));
	assert_true(reader_read(&part, 1, buffer, 4, &error));
	assert_string_equal(buffer, "3456");
	assert_false(reader_read(&part, 1, buffer, 5, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	assert_false(reader_read(&part, UINT64_MAX, buffer, 2, &error));
	assert_false(reader_slice(&whole, 8, 3, &part, &error));
}

static void sequence_pads_all_but_the_last(void **state)
{
	(void)state;
	struct span first = span_text("abcde"), second = span_text(""), third = span_text("xyz");
	struct reader_sequence sequence = {
		.parts = { reader_of_span(&first), reader_of_span(&second), reader_of_span(&third) },
		.count = 3,
		.unit = 4,
	};
	struct reader reader;
	struct error error;
	char buffer[12];
	assert_true(reader_of_sequence(&sequence, &reader, &error));
	assert_int_equal(reader.size, 11);
	assert_true(reader_read(&reader, 0, buffer, 11, &error));
	assert_memory_equal(buffer, "abcde\0\0\0xyz", 11);
	for (size_t at = 0; at < 11; at++) {
		char one;
		assert_true(reader_read(&reader, at, &one, 1, &error));
		assert_int_equal(one, buffer[at]);
	}
	assert_false(reader_read(&reader, 10, buffer, 2, &error));
}

static void arena_keeps_what_it_gave(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	char *first = arena_printf(&arena, "%s-%d", "text", 5);
	char *large = arena_alloc(&arena, 1 << 20);
	char *second = arena_string(&arena, span_of("cut\0off", 7));
	memset(large, 1, 1 << 20);
	assert_string_equal(first, "text-5");
	assert_string_equal(second, "cut");
	LIST(int) list = { 0 };
	for (int i = 0; i < 1000; i++)
		*LIST_ADD(&arena, &list) = i;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(list.items[i], i);
	arena_free(&arena);
}

static void command_line_words(void **state)
{
	(void)state;
	char value[16];
	const char *line = "root=UUID=1 quiet console=tty0 console=ttyS0,38400n8d dyndbg=\"a b\" \"x=1 2\"";
	assert_true(command_line_has(line, "quiet", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(command_line_has(line, "console", value, sizeof(value)));
	assert_string_equal(value, "ttyS0,38400n8d");
	assert_false(command_line_has(line, "consol", NULL, 0));
	assert_false(command_line_has(line, "b", NULL, 0));
	assert_true(command_line_has(line, "dyndbg", value, sizeof(value)));
	assert_string_equal(value, "a b");
	assert_true(command_line_has(line, "x", value, sizeof(value)));
	assert_string_equal(value, "1 2");
	assert_false(command_line_has(NULL, "quiet", NULL, 0));
}

static void clean_text_is_printable_and_stays_as_it_is(void **state)
{
	(void)state;
	struct text CLEANUP(text_free) text = { 0 }, again = { 0 };
	text_add_clean(&text, span_of("a\x1b[31m\0\xff\xc2\x9b\xed\xa0\x80 \xe2\x82\xac\tb", 19));
	assert_string_equal(text_get(&text), "a\\x1b[31m\\x00\\xff\\xc2\\x9b\\xed\\xa0\\x80 \xe2\x82\xac"
	                                     " b");
	text_add_clean(&again, span_of(text.data, text.size));
	assert_string_equal(text_get(&again), text_get(&text));
	text_clear(&text);
	/* Those that show what stands behind them in another order, and their neighbours, which do not */
	text_add_clean(
		&text,
		span_text("\xe2\x80\xaeX\xe2\x81\xa6\xd8\x9c\xe2\x80\x8f\xe2\x80\xa6\xe2\x81\xa5\xd8\xb3"));
	assert_string_equal(text_get(&text), "\\xe2\\x80\\xaeX\\xe2\\x81\\xa6\\xd8\\x9c\\xe2\\x80\\x8f"
	                                     "\xe2\x80\xa6\xe2\x81\xa5\xd8\xb3");
}

static void text_is_cut_between_letters(void **state)
{
	(void)state;
	assert_int_equal(str_fit("abc", 3), 3);
	assert_int_equal(str_fit("abcd", 3), 3);
	assert_int_equal(str_fit("ab\xe2\x82\xac", 5), 5);
	assert_int_equal(str_fit("ab\xe2\x82\xac", 4), 2);
	assert_int_equal(str_fit("\xe2\x82\xac", 2), 0);
	assert_int_equal(str_fit("", 0), 0);
}

static void words_are_added_once(void **state)
{
	(void)state;
	struct text CLEANUP(text_free) text = { 0 };
	text_add_words(&text, "");
	assert_string_equal(text_get(&text), "");
	text_add_words(&text, "virtio_scsi scsi_mod");
	text_add_words(&text, " sd_mod  scsi_mod ");
	text_add_words(&text, "scsi");
	assert_string_equal(text_get(&text), "virtio_scsi scsi_mod sd_mod scsi");
}

static void versions_in_order(void **state)
{
	(void)state;
	static const char *const rising[] = { "2.6.32",
		                              "3.7",
		                              "4.9.0",
		                              "4.19",
		                              "5.10.0-9-amd64",
		                              "5.10.0-34-amd64",
		                              "6.1-rc1",
		                              "6.1",
		                              "6.1.0-9",
		                              "6.1.0-49-cloud-amd64",
		                              "6.9",
		                              "6.12.9",
		                              "6.12.10",
		                              "7.2" };
	for (size_t i = 0; i < ARRAY_SIZE(rising); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rising); j++) {
			int order = version_compare(rising[i], rising[j]);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void globs_as_fnmatch(void **state)
{
	(void)state;
	assert_true(str_glob("net/ipv4/conf/*/rp_filter", "net/ipv4/conf/eth0/rp_filter", true));
	assert_false(str_glob("net/ipv4/*/rp_filter", "net/ipv4/conf/eth0/rp_filter", true));
	assert_true(str_glob("net/ipv4/*/rp_filter", "net/ipv4/conf/eth0/rp_filter", false));
	assert_true(str_glob("e[a-z]h?", "eth0", true));
	assert_false(str_glob("e[!a-z]h?", "eth0", true));
	assert_true(str_glob("a[", "a[", true));
	assert_true(str_glob("*", "", true));
	assert_false(str_glob("?", "", true));
	assert_true(str_glob("a\\*", "a*", true));
	assert_false(str_glob("a\\*", "ab", true));
	assert_true(str_glob("*a*b", "xaxbxb", true));
}

static void numbers_must_be_whole(void **state)
{
	(void)state;
	uint64_t value;
	assert_true(str_to_u64("18446744073709551615", &value) && value == UINT64_MAX);
	assert_false(str_to_u64("18446744073709551616", &value));
	assert_false(str_to_u64("", &value));
	assert_false(str_to_u64("12 ", &value));
	assert_false(str_to_u64("-1", &value));
}

static void budgets_run_out_once(void **state)
{
	(void)state;
	struct budget budget = { .inflated_left = 10, .steps_left = 1 };
	struct error error;
	assert_true(budget_inflate(&budget, 10, "a test", &error));
	assert_false(budget_inflate(&budget, 1, "a test", &error));
	assert_int_equal(error.code, ERROR_LIMIT);
	assert_true(budget_step(&budget, 1, "a test", &error));
	assert_false(budget_step(&budget, 1, "a test", &error));
}

static void errors_keep_their_code_and_gain_context(void **state)
{
	(void)state;
	struct error error;
	assert_false(error_set(&error, ERROR_CORRUPT, "bad magic %d", 5));
	assert_false(error_wrap(&error, "partition %d", 2));
	assert_string_equal(error.message, "partition 2: bad magic 5");
	assert_int_equal(error.code, ERROR_CORRUPT);
}

static void test_plain_words(void **state)
{
	(void)state;
	static const char *const plain[] = { "6.1.0-50-amd64", "6.12.107+deb13", "/etc/sysctl.d/a.conf",
		                             "UUID=a" };
	static const char *const other[] = { "",    "-k",  "a b", "a;b", "$(a)",    "a'",
		                             "a|b", "`a`", "a\\", "~a",  "\xc3\xa4" };
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		assert_true(str_is_plain(plain[i]));
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		assert_false(str_is_plain(other[i]));
}

static void paths_as_text(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	assert_string_equal(path_below("/boot/efi", "/boot"), "/efi");
	assert_string_equal(path_below("/boot", "/boot"), "");
	assert_string_equal(path_below("/boot", ""), "/boot");
	assert_null(path_below("/boots", "/boot"));
	assert_null(path_below("/", "/boot"));
	assert_string_equal(path_plain("//boot//efi///", &arena), "/boot/efi");
	assert_string_equal(path_plain("/", &arena), "");
	assert_string_equal(path_plain("", &arena), "");
	arena_free(&arena);
}

static void a_checksum_leaves_itself_out(void **state)
{
	(void)state;
	/* The known value of "123456789" is 0xe3069283; that of nine zeros is the same wherever four are its
	 * own. */
	const struct span digits = span_text("123456789"), zeros = span_of("\0\0\0\0\0\0\0\0\0", 9);
	assert_int_equal(crc32c_but_own(digits, 9), 0xe3069283);
	assert_int_equal(crc32c_but_own(zeros, 2), crc32c_but_own(zeros, 9));
	assert_int_equal(crc32c_but_own(span_of("\0\0abcd\0\0\0", 9), 2), crc32c_but_own(zeros, 9));
	assert_int_equal(crc32c_but_own(span_of("\0\0\0\0\0\0\0ab", 9), 7), crc32c_but_own(zeros, 9));
}

static bool fail_to_read(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	(void)state, (void)offset, (void)buffer, (void)length;
	return error_set(error, ERROR_IO, "a bad block");
}

/* What lies behind the end was asked for by mistake: it is no read that failed. */
static void a_watch_counts_what_could_not_be_read(void **state)
{
	(void)state;
	uint8_t byte;
	struct error error;
	struct span bytes = span_text("text");
	struct reader_watch watch = { .below = reader_of_span(&bytes) };
	struct reader reader = reader_watched(&watch);
	assert_true(reader_read(&reader, 3, &byte, 1, &error));
	assert_int_equal(byte, 't');
	assert_false(reader_read(&reader, 4, &byte, 1, &error));
	assert_int_equal(watch.failures, 0);
	watch = (struct reader_watch){ .below = { .read = fail_to_read, .size = 4 } };
	assert_false(reader_read(&reader, 3, &byte, 1, &error));
	assert_int_equal(error.code, ERROR_IO);
	assert_int_equal(watch.failures, 1);
	assert_string_equal(watch.last.message, "a bad block");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_watch_counts_what_could_not_be_read),
		cmocka_unit_test(test_plain_words),
		cmocka_unit_test(checked_sums_and_products_never_wrap),
		cmocka_unit_test(ranges_at_the_edges),
		cmocka_unit_test(numbers_are_read_in_their_byte_order),
		cmocka_unit_test(lines_end_as_files_end_them),
		cmocka_unit_test(find_sees_the_last_place),
		cmocka_unit_test(reader_refuses_what_lies_outside),
		cmocka_unit_test(sequence_pads_all_but_the_last),
		cmocka_unit_test(arena_keeps_what_it_gave),
		cmocka_unit_test(command_line_words),
		cmocka_unit_test(clean_text_is_printable_and_stays_as_it_is),
		cmocka_unit_test(text_is_cut_between_letters),
		cmocka_unit_test(words_are_added_once),
		cmocka_unit_test(versions_in_order),
		cmocka_unit_test(globs_as_fnmatch),
		cmocka_unit_test(numbers_must_be_whole),
		cmocka_unit_test(budgets_run_out_once),
		cmocka_unit_test(paths_as_text),
		cmocka_unit_test(a_checksum_leaves_itself_out),
		cmocka_unit_test(errors_keep_their_code_and_gain_context),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
