// Every format, as the real tools write it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/codec.h"
#include "tools.h"

struct sample {
	const char *name; /* the codec that must know it */
	const char *const *command;
	bool checked; /* carries a checksum of its content */
};

static const struct sample samples[] = {
	{ "gzip", COMMAND("gzip", "-n"), true },
	{ "gzip", COMMAND("gzip", "-9"), true },
	{ "xz", COMMAND("xz", "--check=crc32"), true },
	{ "xz", COMMAND("xz", "--check=crc32", "--x86", "--lzma2=dict=1MiB"), true },
	{ "xz", COMMAND("xz", "-0"), true },
	{ "lzma", COMMAND("xz", "--format=lzma", "-0"), false },
	{ "lzma", COMMAND("xz", "--format=lzma", "-2"), false },
	{ "zstd", COMMAND("zstd", "-1"), true },
	{ "zstd", COMMAND("zstd", "--no-check", "-19"), false },
	{ "zstd", COMMAND("zstd", "-9"), true },
	{ "lz4", COMMAND("lz4", "-l", "-1"), false },
	{ "lz4", COMMAND("lz4", "-l", "-9"), false },
	{ "lz4-frame", COMMAND("lz4"), true },
	{ "bzip2", COMMAND("bzip2", "-1"), true },
	{ "bzip2", COMMAND("bzip2", "-9"), true },
};

#define CONTENT_SIZE ((size_t)300000)

/* Text with some order and some noise, the same in every run. */
static struct span content_of(size_t size, struct arena *arena)
{
	uint8_t *bytes = arena_alloc(arena, size + 1);
	uint32_t noise = 1;
	for (size_t i = 0; i < size; i++) {
		noise = noise * 1664525 + 1013904223;
		bytes[i] = (i / 64) % 3 ? (uint8_t)('a' + (noise >> 24) % 26) : (uint8_t)(i / 4096);
	}
	return span_of(bytes, size);
}

static void assert_same(struct span got, struct span wanted)
{
	assert_int_equal(got.size, wanted.size);
	if (wanted.size)
		assert_memory_equal(got.data, wanted.data, wanted.size);
}

/* Decodes the member at `offset` in pieces of `piece` bytes; *end is the offset behind it. */
static bool decode(struct span file, uint64_t offset, size_t piece, struct budget *budget,
                   struct arena *arena, struct span *out, uint64_t *end, struct error *error)
{
	struct reader reader = reader_of_span(&file);
	const struct codec *codec = codec_detect(&reader, offset);
	struct decoder decoder;
	assert_non_null(codec);
	if (!decoder_open(&decoder, codec, &reader, offset, budget, error))
		return false;
	LIST(uint8_t) bytes = { 0 };
	bool sound = true;
	for (size_t got = piece; sound && got == piece;) {
		uint8_t buffer[8192];
		sound = decoder_read(&decoder, buffer, piece, &got, error);
		for (size_t i = 0; sound && i < got; i++)
			*LIST_ADD(arena, &bytes) = buffer[i];
	}
	if (sound) {
		size_t got = 1;
		uint8_t byte;
		assert_true(decoder_read(&decoder, &byte, 1, &got, error));
		assert_int_equal(got, 0);
	}
	*end = decoder_offset(&decoder);
	*out = span_of(bytes.items, bytes.count);
	decoder_close(&decoder);
	return sound;
}

static void decodes_what_the_tools_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct arena arena = { 0 };
		struct span content = content_of(CONTENT_SIZE, &arena);
		struct span packed = tool_filter(samples[i].command, content, &arena);
		struct reader reader = reader_of_span(&packed);
		assert_string_equal(codec_detect(&reader, 0)->name, samples[i].name);
		const size_t pieces[] = { 8192, 4096, 4095, 7 };
		for (size_t p = 0; p < ARRAY_SIZE(pieces); p++) {
			struct budget budget = budget_default();
			struct error error = { 0 };
			struct span out;
			uint64_t end;
			assert_true(decode(packed, 0, pieces[p], &budget, &arena, &out, &end, &error));
			assert_same(out, content);
			assert_int_equal(end, packed.size);
			/* What goes in is paid for, too; a little more of it may be read than is used. */
			uint64_t spent = budget_default().inflated_left - budget.inflated_left;
			assert_true(spent >= CONTENT_SIZE + packed.size);
			assert_true(spent <= CONTENT_SIZE + 2 * packed.size);
		}
		arena_free(&arena);
	}
}

static void ends_exactly_where_the_member_ends(void **state)
{
	(void)state;
	static const char *const behind[] = { "\0\0\0\0\0\0\0\0", "070701000000", "\x28\xb5\x2f\xfd\0\0\0\0",
		                              "\0\0\0" };
	static const size_t sizes[] = { 8, 12, 8, 3 };
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct arena arena = { 0 };
		struct span content = content_of(70000, &arena);
		struct span packed = tool_filter(samples[i].command, content, &arena);
		for (size_t b = 0; b < ARRAY_SIZE(behind); b++) {
			struct span file = joined(span_text("1234567"), packed, &arena);
			file = joined(file, span_of(behind[b], sizes[b]), &arena);
			struct budget budget = budget_default();
			struct error error = { 0 };
			struct span out;
			uint64_t end;
			assert_true(decode(file, 7, 4096, &budget, &arena, &out, &end, &error));
			assert_same(out, content);
			assert_int_equal(end, 7 + packed.size);
		}
		arena_free(&arena);
	}
}

/* A disk's worth of each: data, zeros that begin and end anywhere, data. */
static struct span content_with_zeros(size_t before, size_t zeros, size_t behind, struct arena *arena)
{
	struct span content = content_of(before + zeros + behind, arena);
	memset((uint8_t *)(uintptr_t)content.data + before, 0, zeros);
	return content;
}

#define ROOM ((size_t)256 << 10)

/* Reads a whole gzip file, and wants what the decoder names as zeros to be some; gives how many those were.
 */
static bool read_named_zeros(struct span file, struct span content, size_t *named, struct error *error)
{
	static uint8_t room[ROOM];
	struct budget budget = budget_default();
	struct reader reader = reader_of_span(&file);
	struct decoder decoder;
	size_t offset = 0;
	*named = 0;
	assert_true(decoder_open(&decoder, codec_detect(&reader, 0), &reader, 0, &budget, error));
	bool sound = true;
	for (size_t got = ROOM; sound && got == ROOM; offset += got) {
		sound = decoder_read(&decoder, room, ROOM, &got, error);
		if (!sound)
			break;
		struct span zeros = decoder_zeros(&decoder);
		assert_same(span_of(room, got), span_of(content.data + offset, got));
		assert_true(span_is_zero(zeros));
		assert_true(zeros.size == 0 || (zeros.data >= room && zeros.data + zeros.size <= room + got));
		*named += zeros.size;
	}
	decoder_close(&decoder);
	if (sound)
		assert_int_equal(offset, content.size);
	return sound;
}

static void zeros_are_checked_and_named(void **state)
{
	(void)state;
	static const size_t sizes[][3] = {
		{ 5, 3000001, 70000 }, { 0, 1 << 20, 0 }, { 70001, 1 << 20, 1 }, { 300000, 100, 300000 }
	};
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct arena arena = { 0 };
		struct error error = { 0 };
		struct span content = content_with_zeros(sizes[i][0], sizes[i][1], sizes[i][2], &arena);
		struct span packed = tool_filter(samples[0].command, content, &arena);
		size_t named;
		assert_true(read_named_zeros(packed, content, &named, &error));
#ifdef HAVE_ISAL
		assert_true(sizes[i][1] < ROOM || named > sizes[i][1] / 2);
#endif
		/* Each byte of the checksum and of the length counts. */
		for (size_t back = 1; back <= 8; back++) {
			uint8_t *last = (uint8_t *)(uintptr_t)packed.data + packed.size - back;
			*last ^= 0x10;
			assert_false(read_named_zeros(packed, content, &named, &error));
			assert_int_equal(error.code, ERROR_CORRUPT);
			*last ^= 0x10;
			struct span cut = span_of(packed.data, packed.size - back);
			assert_false(read_named_zeros(cut, content, &named, &error));
			assert_int_equal(error.code, ERROR_TRUNCATED);
		}
		arena_free(&arena);
	}
}

static void decodes_nothing_from_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct arena arena = { 0 };
		struct span packed = tool_filter(samples[i].command, (struct span){ 0 }, &arena);
		struct budget budget = budget_default();
		struct error error = { 0 };
		struct span out;
		uint64_t end;
		assert_true(decode(packed, 0, 4096, &budget, &arena, &out, &end, &error));
		assert_int_equal(out.size, 0);
		assert_int_equal(end, packed.size);
		arena_free(&arena);
	}
}

static void truncation_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct arena arena = { 0 };
		struct span packed = tool_filter(samples[i].command, content_of(70000, &arena), &arena);
		const size_t sizes[] = { CODEC_HEAD, packed.size / 2, packed.size - 5, packed.size - 1 };
		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
			struct budget budget = budget_default();
			struct error error = { 0 };
			struct span out;
			uint64_t end;
			assert_false(decode(span_of(packed.data, sizes[s]), 0, 4096, &budget, &arena, &out,
			                    &end, &error));
			assert_int_equal(error.code, ERROR_TRUNCATED);
		}
		arena_free(&arena);
	}
}

static void damage_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct arena arena = { 0 };
		struct span packed = tool_filter(samples[i].command, content_of(70000, &arena), &arena);
		for (size_t at = 64; at + 64 < packed.size; at += packed.size / 16) {
			uint8_t *damaged = arena_alloc(&arena, packed.size);
			memcpy(damaged, packed.data, packed.size);
			for (size_t k = 0; k < 8; k++)
				damaged[at + k] ^= 0x5a;
			struct budget budget = budget_default();
			struct error error = { 0 };
			struct span out;
			uint64_t end;
			bool sound = decode(span_of(damaged, packed.size), 0, 4096, &budget, &arena, &out,
			                    &end, &error);
			if (samples[i].checked)
				assert_false(sound);
			if (!sound)
				assert_true(error.message[0] != '\0');
		}
		arena_free(&arena);
	}
}

static void a_bomb_is_stopped(void **state)
{
	(void)state;
	const size_t size = 9 << 20; /* two blocks, for lz4 */
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct arena arena = { 0 };
		struct span zeros = span_of(arena_alloc(&arena, size), size);
		struct span packed = tool_filter(samples[i].command, zeros, &arena);
		struct reader reader = reader_of_span(&packed);
		struct budget budget = { .inflated_left = 1 << 20 };
		struct error error = { 0 };
		struct span out;
		assert_false(codec_load(&reader, 0, size, &budget, &arena, &out, &error));
		assert_int_equal(error.code, ERROR_LIMIT);
		assert_int_equal(budget.inflated_left, 0);

		budget = budget_default();
		assert_false(codec_load(&reader, 0, 1 << 20, &budget, &arena, &out, &error));
		assert_int_equal(error.code, ERROR_LIMIT);
		assert_true(budget.inflated_left > budget_default().inflated_left - (2 << 20));

		/* and with enough of both it is read */
		assert_true(codec_load(&reader, 0, size, &budget, &arena, &out, &error));
		assert_same(out, zeros);
		arena_free(&arena);
	}
}

static void reads_the_largest_window_of_a_kernel_and_no_larger(void **state)
{
	(void)state;
	const struct {
		const char *const *command;
		bool reads;
	} windows[] = {
		{ COMMAND("zstd", "-22", "--ultra"), true },
		{ COMMAND("zstd", "-3", "--long=28"), false },
		{ COMMAND("xz", "--lzma2=preset=0,dict=128MiB"), true },
		{ COMMAND("xz", "--lzma2=preset=0,dict=512MiB"), false },
		{ COMMAND("xz", "--format=lzma", "--lzma1=preset=0,dict=512MiB"), false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		struct arena arena = { 0 };
		struct span content = content_of(70000, &arena);
		struct span packed = tool_filter(windows[i].command, content, &arena);
		struct reader reader = reader_of_span(&packed);
		struct budget budget = budget_default();
		struct error error = { 0 };
		struct span out = { 0 };
		assert_int_equal(codec_load(&reader, 0, 1 << 20, &budget, &arena, &out, &error),
		                 windows[i].reads);
		if (windows[i].reads)
			assert_same(out, content);
		else
			assert_int_equal(error.code, ERROR_LIMIT);
		arena_free(&arena);
	}
}

static void loads_all_members(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct arena arena = { 0 };
		struct span first = content_of(50000, &arena), second = span_text("the second member\n");
		struct span file = joined(tool_filter(samples[i].command, first, &arena),
		                          tool_filter(samples[i].command, second, &arena), &arena);
		file = joined(file, span_text("and something else"), &arena);
		struct reader reader = reader_of_span(&file);
		struct budget budget = budget_default();
		struct error error = { 0 };
		struct span out;
		assert_true(codec_load(&reader, 0, 1 << 20, &budget, &arena, &out, &error));
		assert_same(out, joined(first, second, &arena));
		assert_int_equal(out.data[out.size], 0);
		arena_free(&arena);
	}
}

struct failing {
	struct span content;
	unsigned left; /* reads that still go well */
};

static bool fail_later(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	struct failing *failing = state;
	if (failing->left == 0)
		return error_set(error, ERROR_IO, "the disk is gone");
	failing->left--;
	memcpy(buffer, failing->content.data + offset, length);
	return true;
}

static void every_failing_read_is_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct arena arena = { 0 };
		struct span packed =
			tool_filter(samples[i].command, content_of(CONTENT_SIZE, &arena), &arena);
		unsigned reads = 0;
		for (bool sound = false; !sound; reads++) {
			struct failing failing = { .content = packed, .left = reads };
			struct reader reader = { .read = fail_later, .state = &failing, .size = packed.size };
			struct budget budget = budget_default();
			struct error error = { 0 };
			struct span out;
			sound = codec_load(&reader, 0, 1 << 20, &budget, &arena, &out, &error);
			/* The first read looks for the format: no read, no format. */
			if (!sound)
				assert_int_equal(error.code, reads ? ERROR_IO : ERROR_CORRUPT);
		}
		assert_true(reads > 3);
		arena_free(&arena);
	}
}

static void knows_what_is_none_of_its_formats(void **state)
{
	(void)state;
	static const char *const others[] = { "",
		                              "0",
		                              "070701",
		                              "MZ",
		                              "\x1f\x8b",
		                              "BZh9 is no bzip2",
		                              "\x5d\x00\x00\x00\x00 no lzma at all",
		                              "\xfd\067zXZ",
		                              "]\0" };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct span file = span_text(others[i]);
		struct reader reader = reader_of_span(&file);
		assert_null(codec_detect(&reader, 0));
		assert_null(codec_detect(&reader, 100));
	}
}

static void lzo_is_recognised_and_named(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span file = span_of("\x89LZO\0\r\n\x1a\n\x10\x40\x20\xa0\x09\x40\x01", 16);
	struct reader reader = reader_of_span(&file);
	assert_string_equal(codec_detect(&reader, 0)->name, "lzo");
	struct budget budget = budget_default();
	struct error error = { 0 };
	struct span out;
	assert_false(codec_load(&reader, 0, 100, &budget, &arena, &out, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	assert_non_null(strstr(error.message, "lzo"));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_the_tools_write),
		cmocka_unit_test(ends_exactly_where_the_member_ends),
		cmocka_unit_test(zeros_are_checked_and_named),
		cmocka_unit_test(decodes_nothing_from_nothing),
		cmocka_unit_test(truncation_is_an_error),
		cmocka_unit_test(damage_is_an_error),
		cmocka_unit_test(a_bomb_is_stopped),
		cmocka_unit_test(reads_the_largest_window_of_a_kernel_and_no_larger),
		cmocka_unit_test(loads_all_members),
		cmocka_unit_test(every_failing_read_is_reported),
		cmocka_unit_test(knows_what_is_none_of_its_formats),
		cmocka_unit_test(lzo_is_recognised_and_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
