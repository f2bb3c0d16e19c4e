// Initramfs files in the shapes that distributions and people make.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "boot/initramfs.h"
#include "tools.h"

#define REGULAR   0100644
#define DIRECTORY 0040755

static void align(struct text *archive, size_t unit)
{
	while (archive->size % unit != 0)
		text_add_char(archive, '\0');
}

static void add_with(struct text *archive, const char *magic, const char *name, uint32_t mode,
                     const char *content)
{
	text_printf(archive, "%s%08X%08x%08X%08X%08X%08X%08x%08X%08X%08X%08X%08X%08X", magic, 1U, mode, 0U,
	            0U, 1U, 0U, (unsigned)strlen(content), 8U, 1U, 0U, 0U, (unsigned)strlen(name) + 1, 0U);
	text_add(archive, name);
	text_add_char(archive, '\0');
	align(archive, 4);
	text_add(archive, content);
	align(archive, 4);
}

static void add(struct text *archive, const char *name, uint32_t mode, const char *content)
{
	add_with(archive, "070701", name, mode, content);
}

static void end(struct text *archive)
{
	add(archive, "TRAILER!!!", 0, "");
}

static struct span bytes_of(const struct text *text)
{
	return span_of(text->data, text->size);
}

/* An archive with one file, padded as cpio does. */
static struct span archive_of(const char *name, struct arena *arena)
{
	struct text archive = { 0 };
	add(&archive, name, REGULAR, "content");
	end(&archive);
	align(&archive, 512);
	struct span copy = joined(bytes_of(&archive), (struct span){ 0 }, arena);
	text_free(&archive);
	return copy;
}

/* What a walk saw: "name name", and where it is to stop. */
struct seen {
	struct text names;
	const char *last; /* NULL: see all */
};

static bool see(void *context, const struct cpio_entry *entry)
{
	struct seen *seen = context;
	if (seen->names.size)
		text_add_char(&seen->names, ' ');
	text_add(&seen->names, entry->name);
	return !str_equal(entry->name, seen->last);
}

/* Walks, and compares the names and the segments ("0:none 512:gzip") with what is wanted. */
static void assert_walk(struct span file, const char *names, const char *segments, enum error_code code)
{
	struct arena arena = { 0 };
	struct budget budget = budget_default();
	struct error error = { 0 };
	struct seen seen = { 0 };
	struct initramfs initramfs;
	struct reader reader = reader_of_span(&file);
	bool sound = initramfs_walk(&reader, &budget, &arena, see, &seen, &initramfs, &error);
	assert_string_equal(text_get(&seen.names), names);
	struct text text = { 0 };
	for (size_t i = 0; i < initramfs.segments.count; i++)
		text_printf(&text, "%s%llu:%s", i ? " " : "",
		            (unsigned long long)initramfs.segments.items[i].offset,
		            initramfs.segments.items[i].compression);
	assert_string_equal(text_get(&text), segments);
	assert_int_equal(error.code, code);
	assert_int_equal(sound, code == ERROR_NONE);
	assert_int_equal(initramfs.whole, sound);
	text_free(&text);
	text_free(&seen.names);
	arena_free(&arena);
}

static const struct {
	const char *name;
	const char *const *command;
} compressions[] = {
	{ "gzip", COMMAND("gzip", "-n") },          { "xz", COMMAND("xz", "--check=crc32") },
	{ "lzma", COMMAND("xz", "--format=lzma") }, { "zstd", COMMAND("zstd", "-q") },
	{ "lz4", COMMAND("lz4", "-l", "-", "-") },  { "bzip2", COMMAND("bzip2") },
};

static void reads_one_plain_archive(void **state)
{
	(void)state;
	struct text archive = { 0 };
	add(&archive, ".", DIRECTORY, "");
	add(&archive, "./usr", DIRECTORY, "");
	add(&archive, "/init", 0100755, "#!/bin/sh\n");
	add_with(&archive, "070702", "a", REGULAR, "x");
	end(&archive);
	assert_walk(bytes_of(&archive), ". usr init a", "0:none", ERROR_NONE);
	align(&archive, 512);
	assert_walk(bytes_of(&archive), ". usr init a", "0:none", ERROR_NONE);
	text_free(&archive);
}

static void reads_one_compressed_archive(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
		struct span file = tool_filter(compressions[i].command, archive_of("init", &arena), &arena);
		struct text segments = { 0 };
		text_printf(&segments, "0:%s", compressions[i].name);
		assert_walk(file, "init", text_get(&segments), ERROR_NONE);
		text_free(&segments);
	}
	arena_free(&arena);
}

static void reads_plain_then_padding_then_every_compression(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct text zeros = { 0 };
	while (zeros.size < 9000)
		text_add_char(&zeros, '\0');
	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
		struct text segments = { 0 };
		struct span packed = tool_filter(compressions[i].command, archive_of("init", &arena), &arena);
		struct span early = joined(archive_of("microcode", &arena), bytes_of(&zeros), &arena);
		struct span file = joined(early, packed, &arena);
		text_printf(&segments, "0:none %zu:%s", early.size, compressions[i].name);
		assert_walk(file, "microcode init", text_get(&segments), ERROR_NONE);

		/* and padding behind it, and another early one before */
		file = joined(joined(archive_of("first", &arena), file, &arena), bytes_of(&zeros), &arena);
		text_clear(&segments);
		text_printf(&segments, "0:none 512:none %zu:%s", early.size + 512, compressions[i].name);
		assert_walk(file, "first microcode init", text_get(&segments), ERROR_NONE);
		text_free(&segments);
	}
	text_free(&zeros);
	arena_free(&arena);
}

static void reads_compressed_archives_behind_each_other(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span file = { 0 };
	struct text segments = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
		text_printf(&segments, "%s%zu:%s", i ? " " : "", file.size, compressions[i].name);
		file = joined(file, tool_filter(compressions[i].command, archive_of("x", &arena), &arena),
		              &arena);
	}
	assert_walk(file, "x x x x x x", text_get(&segments), ERROR_NONE);
	text_free(&segments);
	arena_free(&arena);
}

static void reads_several_archives_inside_one_member(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span inner = joined(archive_of("one", &arena), archive_of("two", &arena), &arena);
	assert_walk(tool_filter(COMMAND("zstd"), inner, &arena), "one two", "0:zstd", ERROR_NONE);
	inner = joined(inner, span_text("junk"), &arena);
	assert_walk(tool_filter(COMMAND("zstd"), inner, &arena), "one two", "0:zstd", ERROR_CORRUPT);
	arena_free(&arena);
}

static void an_archive_may_end_without_a_trailer(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct text archive = { 0 };
	add(&archive, "a", REGULAR, "1234567");
	add(&archive, "bc", REGULAR, "");
	assert_walk(bytes_of(&archive), "a bc", "0:none", ERROR_NONE);
	assert_walk(span_of(archive.data, archive.size - 1), "a bc", "0:none", ERROR_TRUNCATED);
	struct span packed = tool_filter(COMMAND("gzip"), bytes_of(&archive), &arena);
	assert_walk(packed, "a bc", "0:gzip", ERROR_NONE);
	/* the last padding may be missing as well */
	text_clear(&archive);
	add(&archive, "a", REGULAR, "1234567");
	assert_walk(span_of(archive.data, archive.size - 1), "a", "0:none", ERROR_NONE);
	text_free(&archive);
	arena_free(&arena);
}

static void tells_junk_but_keeps_what_was_seen(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span good = archive_of("init", &arena);
	assert_walk(joined(good, span_text("junk"), &arena), "init", "0:none", ERROR_CORRUPT);
	assert_walk(joined(good,
	                   span_text("0707 and no header, but as long as a header needs to be: 110 bytes or "
	                             "more are what it takes, so here are some"),
	                   &arena),
	            "init", "0:none 512:none", ERROR_CORRUPT);
	/* cpio's old format */
	assert_walk(
		joined(good,
	               span_text("070707000000000000000000000000000000000000000000000000000000000000000000"
	                         "00000000000000000000000000000000000000000000000000000000"),
	               &arena),
		"init", "0:none 512:none", ERROR_CORRUPT);
	struct span packed = tool_filter(COMMAND("gzip"), good, &arena);
	assert_walk(joined(packed, span_text("junk"), &arena), "init", "0:gzip", ERROR_CORRUPT);
	/* the kernel's "broken padding": not at a multiple of 4 */
	struct span padded = joined(good, span_of("\0", 1), &arena);
	assert_walk(joined(padded, packed, &arena), "init", "0:none", ERROR_CORRUPT);
	assert_walk(joined(padded, good, &arena), "init", "0:none", ERROR_CORRUPT);
	arena_free(&arena);
}

static void refuses_what_the_kernel_cannot_unpack(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span good = archive_of("init", &arena);
	assert_walk(tool_filter(COMMAND("lz4"), good, &arena), "", "", ERROR_UNSUPPORTED);
	assert_walk(tool_filter(COMMAND("xz"), good, &arena), "", "", ERROR_UNSUPPORTED);
	assert_walk(tool_filter(COMMAND("xz", "--check=sha256"), good, &arena), "", "", ERROR_UNSUPPORTED);
	assert_walk(tool_filter(COMMAND("xz", "--check=none"), good, &arena), "init", "0:xz", ERROR_NONE);
	assert_walk(span_of("\x89LZO\0\r\n\x1a\n\x10\x40\x20\xa0\x09\x40\x01", 16), "", "",
	            ERROR_UNSUPPORTED);
	assert_walk(span_text(""), "", "", ERROR_CORRUPT);
	assert_walk(span_of("\0\0\0\0\0\0\0\0", 8), "", "", ERROR_CORRUPT);
	assert_walk(span_text("#!/bin/sh\n"), "", "", ERROR_CORRUPT);
	arena_free(&arena);
}

static void every_truncation_is_an_error(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct text archive = { 0 };
	add(&archive, "usr", DIRECTORY, "");
	add(&archive, "init", REGULAR, "content of init");
	size_t boundary = archive.size;
	end(&archive);
	const struct {
		struct span file;
		bool plain;
	} files[] = {
		{ bytes_of(&archive), true },
		{ tool_filter(COMMAND("gzip"), bytes_of(&archive), &arena), false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		for (size_t size = 1; size < files[i].file.size; size++) {
			/* whole entries, the last one's padding aside, are an archive */
			if (files[i].plain && (size == 116 || size == boundary || size == boundary - 1 ||
			                       size >= archive.size - 3))
				continue;
			struct span part = span_of(files[i].file.data, size);
			struct reader reader = reader_of_span(&part);
			struct budget budget = budget_default();
			struct error error = { 0 };
			struct seen seen = { 0 };
			struct initramfs initramfs;
			assert_false(
				initramfs_walk(&reader, &budget, &arena, see, &seen, &initramfs, &error));
			text_free(&seen.names);
		}
	}
	text_free(&archive);
	arena_free(&arena);
}

static void names_and_sizes_are_held_to_their_bounds(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct text archive = { 0 };
	char *name = arena_alloc(&arena, 5001);
	memset(name, 'n', 4095);
	add(&archive, name, REGULAR, "longest");
	memset(name, 'n', 5000);
	add(&archive, name, REGULAR, "passed over");
	add(&archive, "", REGULAR, "no name");
	add(&archive, "last", REGULAR, "");
	end(&archive);
	struct text wanted = { 0 };
	text_add_span(&wanted, span_of(name, 4095));
	text_add(&wanted, " last");
	assert_walk(bytes_of(&archive), text_get(&wanted), "0:none", ERROR_NONE);
	text_free(&wanted);

	/* a content, and a name, of 4 GiB */
	text_clear(&archive);
	add(&archive, "huge", REGULAR, "");
	memcpy(archive.data + 54, "FFFFFFFF", 8);
	assert_walk(bytes_of(&archive), "huge", "0:none", ERROR_TRUNCATED);
	struct span packed = tool_filter(COMMAND("zstd"), bytes_of(&archive), &arena);
	assert_walk(packed, "huge", "0:zstd", ERROR_TRUNCATED);
	memcpy(archive.data + 94, "FFFFFFFF", 8);
	assert_walk(bytes_of(&archive), "", "0:none", ERROR_TRUNCATED);
	memcpy(archive.data + 94, "0000000g", 8);
	assert_walk(bytes_of(&archive), "", "0:none", ERROR_CORRUPT);
	text_free(&archive);
	arena_free(&arena);
}

struct counted {
	struct span content;
	uint64_t read;
};

static bool count_read(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	struct counted *counted = state;
	(void)error;
	counted->read += length;
	memcpy(buffer, counted->content.data + offset, length);
	return true;
}

static void contents_of_a_plain_archive_are_not_read(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct text archive = { 0 };
	char *content = arena_alloc(&arena, 1000001);
	memset(content, 'c', 1000000);
	for (int i = 0; i < 8; i++)
		add(&archive, "module.ko", REGULAR, content);
	end(&archive);
	struct counted counted = { .content = bytes_of(&archive) };
	struct reader reader = { .read = count_read, .state = &counted, .size = archive.size };
	struct budget budget = budget_default();
	struct error error = { 0 };
	struct seen seen = { 0 };
	struct initramfs initramfs;
	assert_true(initramfs_walk(&reader, &budget, &arena, see, &seen, &initramfs, &error));
	assert_int_equal(initramfs.segments.items[0].entries, 8);
	assert_true(counted.read < 9 * 8192);
	text_free(&seen.names);
	text_free(&archive);
	arena_free(&arena);
}

static void stops_when_the_caller_has_seen_enough(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span packed = tool_filter(COMMAND("gzip"), archive_of("three", &arena), &arena);
	struct span file =
		joined(joined(archive_of("one", &arena), archive_of("two", &arena), &arena), packed, &arena);
	struct reader reader = reader_of_span(&file);
	const char *const lasts[] = { "one", "two", "three" };
	for (size_t i = 0; i < ARRAY_SIZE(lasts); i++) {
		struct budget budget = budget_default();
		struct error error = { 0 };
		struct seen seen = { .last = lasts[i] };
		struct initramfs initramfs;
		assert_true(initramfs_walk(&reader, &budget, &arena, see, &seen, &initramfs, &error));
		assert_false(initramfs.whole);
		assert_true(str_ends(text_get(&seen.names), lasts[i]));
		assert_int_equal(initramfs.segments.count, i + 1);
		text_free(&seen.names);
	}
	arena_free(&arena);
}

static void the_walk_is_paid_for(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span plain = joined(archive_of("one", &arena), archive_of("two", &arena), &arena);
	struct span packed = tool_filter(COMMAND("gzip"), plain, &arena);
	const struct {
		struct span file;
		struct budget budget;
	} cases[] = {
		{ plain, { .steps_left = 2 } },
		{ packed, { .steps_left = 100, .inflated_left = 600 } },
		{ packed, { .steps_left = 2, .inflated_left = 6000 } },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reader reader = reader_of_span(&cases[i].file);
		struct budget budget = cases[i].budget;
		struct error error = { 0 };
		struct seen seen = { 0 };
		struct initramfs initramfs;
		assert_false(initramfs_walk(&reader, &budget, &arena, see, &seen, &initramfs, &error));
		assert_int_equal(error.code, ERROR_LIMIT);
		text_free(&seen.names);
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_one_plain_archive),
		cmocka_unit_test(reads_one_compressed_archive),
		cmocka_unit_test(reads_plain_then_padding_then_every_compression),
		cmocka_unit_test(reads_compressed_archives_behind_each_other),
		cmocka_unit_test(reads_several_archives_inside_one_member),
		cmocka_unit_test(an_archive_may_end_without_a_trailer),
		cmocka_unit_test(tells_junk_but_keeps_what_was_seen),
		cmocka_unit_test(refuses_what_the_kernel_cannot_unpack),
		cmocka_unit_test(every_truncation_is_an_error),
		cmocka_unit_test(names_and_sizes_are_held_to_their_bounds),
		cmocka_unit_test(contents_of_a_plain_archive_are_not_read),
		cmocka_unit_test(stops_when_the_caller_has_seen_enough),
		cmocka_unit_test(the_walk_is_paid_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
