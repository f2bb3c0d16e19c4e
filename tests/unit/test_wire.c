#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "facts/schema.h"
#include "facts/wire.h"

static void fill_record(struct arena *arena, const struct record *record, void *data, unsigned *counter);

static void fill_field(struct arena *arena, const struct field *field, uint8_t *at, unsigned *counter)
{
	unsigned number = ++*counter;
	uint64_t wide = number;
	const char *string = number % 5 ? arena_printf(arena, "%s %u", field->name, number) : NULL;
	bool flag = number % 2;
	unsigned value = number % 2;
	struct record_list list = { .count = 2, .capacity = 2 };
	switch (field->type) {
	case FIELD_BOOL:
		memcpy(at, &flag, sizeof(flag));
		break;
	case FIELD_U64:
		memcpy(at, &wide, sizeof(wide));
		break;
	case FIELD_STRING:
		memcpy(at, &string, sizeof(string));
		break;
	case FIELD_ENUM:
		memcpy(at, &value, sizeof(value));
		break;
	case FIELD_RECORD:
		fill_record(arena, field->record, at, counter);
		break;
	case FIELD_LIST:
		list.items = arena_alloc_array(arena, list.count, field->record->size);
		for (size_t i = 0; i < list.count; i++)
			fill_record(arena, field->record, (uint8_t *)list.items + i * field->record->size,
			            counter);
		memcpy(at, &list, sizeof(list));
		break;
	}
}

/* A different value in every field of every record. */
static void fill_record(struct arena *arena, const struct record *record, void *data, unsigned *counter)
{
	for (const struct field *field = record->fields; field->name; field++)
		fill_field(arena, field, (uint8_t *)data + field->offset, counter);
}

static struct facts sample(struct arena *arena)
{
	struct facts facts = { 0 };
	unsigned counter = 0;
	fill_record(arena, &facts_record, &facts, &counter);
	facts.boot.default_index = 1;
	facts.kernels.items[0].entry = 0;
	facts.kernels.items[1].entry = 2;
	return facts;
}

static void every_field_survives(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct facts facts = sample(&arena), back;
	struct text CLEANUP(text_free) first = { 0 }, second = { 0 };
	wire_encode(&facts, &first);
	assert_true(wire_decode(span_of(first.data, first.size), &arena, &back, &error));
	wire_encode(&back, &second);
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.data, second.data, first.size);
	/* Some strings of the sample are NULL, and which depends on the number of fields in front. */
	assert_true(str_equal(back.kernels.items[1].sysctls.items[1].key,
	                      facts.kernels.items[1].sysctls.items[1].key));
	assert_int_equal(back.table.partitions.items[1].size, facts.table.partitions.items[1].size);
	arena_free(&arena);
}

static void the_last_whole_message_counts(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct facts facts = sample(&arena), back;
	struct text CLEANUP(text_free) stream = { 0 };
	facts.size = 1;
	wire_encode(&facts, &stream);
	facts.size = 2;
	wire_encode(&facts, &stream);
	size_t whole = stream.size;
	facts.size = 3;
	wire_encode(&facts, &stream);
	assert_true(wire_decode(span_of(stream.data, stream.size - 1), &arena, &back, &error));
	assert_int_equal(back.size, 2);
	assert_true(wire_decode(span_of(stream.data, whole), &arena, &back, &error));
	assert_int_equal(back.size, 2);
	assert_false(wire_decode(span_of(stream.data, 20), &arena, &back, &error));
	assert_int_equal(error.code, ERROR_TRUNCATED);
	arena_free(&arena);
}

static void text_leaves_the_worker_printable(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct facts facts = { .container = "raw\x1b[2J", .reason = "\xff" }, back;
	struct text CLEANUP(text_free) stream = { 0 };
	wire_encode(&facts, &stream);
	assert_true(wire_decode(span_of(stream.data, stream.size), &arena, &back, &error));
	assert_string_equal(back.container, "raw\\x1b[2J");
	assert_string_equal(back.reason, "\\xff");
	/* A worker that was taken over does not clean its text: the parent sees through that. */
	char *escape = memmem(stream.data, stream.size, "\\x1b", 4);
	assert_non_null(escape);
	escape[0] = '\x1b';
	assert_false(wire_decode(span_of(stream.data, stream.size), &arena, &back, &error));
	assert_int_equal(error.code, ERROR_CORRUPT);
	arena_free(&arena);
}

static void no_single_byte_can_break_the_parent(void **state)
{
	(void)state;
	struct arena facts_arena = { 0 };
	struct facts facts = { 0 };
	facts.container = "raw";
	LIST_ADD(&facts_arena, &facts.kernels)->version = "6.1";
	LIST_ADD(&facts_arena, &facts.boot.entries)->title = "a";
	struct text CLEANUP(text_free) stream = { 0 };
	wire_encode(&facts, &stream);
	unsigned refused = 0;
	for (size_t at = 0; at < stream.size; at++)
		for (unsigned value = 0; value < 256; value += 51) {
			struct arena arena = { 0 };
			struct error error = { 0 };
			struct facts back;
			char kept = stream.data[at];
			stream.data[at] = (char)value;
			if (!wire_decode(span_of(stream.data, stream.size), &arena, &back, &error))
				refused++;
			stream.data[at] = kept;
			arena_free(&arena);
		}
	assert_true(refused > stream.size);
	arena_free(&facts_arena);
}

static void references_must_exist(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct facts facts = { .boot = { .default_known = ANSWER_YES, .default_index = 1 } }, back;
	LIST_ADD(&arena, &facts.boot.entries)->title = "only";
	struct text CLEANUP(text_free) stream = { 0 };
	wire_encode(&facts, &stream);
	assert_false(wire_decode(span_of(stream.data, stream.size), &arena, &back, &error));
	assert_int_equal(error.code, ERROR_CORRUPT);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_survives),
		cmocka_unit_test(the_last_whole_message_counts),
		cmocka_unit_test(text_leaves_the_worker_printable),
		cmocka_unit_test(no_single_byte_can_break_the_parent),
		cmocka_unit_test(references_must_exist),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
