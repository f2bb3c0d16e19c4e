// One message: magic "SLF1", u32 length of what follows, then struct facts field by field in the schema's
// order. All numbers little-endian.
//
//   bool, enum   u8
//   number       u64
//   string       u32 length, bytes; length 0xffffffff stands for NULL
//   record       its fields
//   list         u32 count, then so many records
#include "facts/wire.h"

#include <string.h>

#include "base/checked.h"
#include "facts/schema.h"

#define MAGIC       "SLF1"
#define HEADER_SIZE 8
#define NO_STRING   UINT32_MAX

static void put(struct text *out, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		text_add_char(out, (char)(uint8_t)(value >> (8 * i)));
}

/* Replaces the four bytes at `at`: a length is known only once its content stands. */
static void patch_u32(struct text *out, size_t at, size_t value)
{
	for (unsigned i = 0; i < 4; i++)
		out->data[at + i] = (char)(uint8_t)(value >> (8 * i));
}

static void encode_string(struct text *out, const char *string)
{
	if (!string) {
		put(out, NO_STRING, 4);
		return;
	}
	size_t at = out->size;
	put(out, 0, 4);
	text_add_clean(out, span_text(string));
	patch_u32(out, at, out->size - at - 4);
}

static void encode_record(struct text *out, const struct record *record, const void *data);

static void encode_field(struct text *out, const struct field *field, const uint8_t *at)
{
	struct record_list list;
	const char *string;
	uint64_t number;
	unsigned value;
	bool flag;

	switch (field->type) {
	case FIELD_BOOL:
		memcpy(&flag, at, sizeof(flag));
		put(out, flag, 1);
		break;
	case FIELD_ENUM:
		memcpy(&value, at, sizeof(value));
		put(out, value, 1);
		break;
	case FIELD_U64:
		memcpy(&number, at, sizeof(number));
		put(out, number, 8);
		break;
	case FIELD_STRING:
		memcpy(&string, at, sizeof(string));
		encode_string(out, string);
		break;
	case FIELD_RECORD:
		encode_record(out, field->record, at);
		break;
	case FIELD_LIST:
		memcpy(&list, at, sizeof(list));
		put(out, list.count, 4);
		for (size_t i = 0; i < list.count; i++)
			encode_record(out, field->record,
			              (const uint8_t *)list.items + i * field->record->size);
		break;
	}
}

/* The schema nests a fixed number of records: no record contains itself. */
static void encode_record(struct text *out, const struct record *record, const void *data)
{
	for (const struct field *field = record->fields; field->name; field++)
		encode_field(out, field, (const uint8_t *)data + field->offset);
}

void wire_encode(const struct facts *facts, struct text *out)
{
	text_add(out, MAGIC);
	size_t at = out->size;
	put(out, 0, 4);
	encode_record(out, &facts_record, facts);
	patch_u32(out, at, out->size - at - 4);
}

struct decoder_state {
	struct span rest;
	struct arena *arena;
	struct error *error;
};

static bool take(struct decoder_state *state, size_t width, struct span *out)
{
	if (!span_slice(state->rest, 0, width, out))
		return error_set(state->error, ERROR_CORRUPT, "the worker's message ends inside a field");
	state->rest = span_from(state->rest, width);
	return true;
}

static bool take_number(struct decoder_state *state, size_t width, uint64_t *out)
{
	struct span bytes;
	if (!take(state, width, &bytes))
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)bytes.data[i] << (8 * i);
	*out = value;
	return true;
}

static bool decode_string(struct decoder_state *state, const char **out)
{
	uint64_t length;
	struct span bytes;
	if (!take_number(state, 4, &length))
		return false;
	if (length == NO_STRING) {
		*out = NULL;
		return true;
	}
	if (!take(state, (size_t)length, &bytes))
		return false;
	/* Whatever a worker sends, only printable text comes out here; clean text is its own clean form. */
	struct text CLEANUP(text_free) clean = { 0 };
	text_add_clean(&clean, bytes);
	if (clean.size != bytes.size)
		return error_set(state->error, ERROR_CORRUPT, "the worker sent text that is not printable");
	*out = arena_string(state->arena, bytes);
	return true;
}

static bool decode_enum(struct decoder_state *state, const struct field *field, unsigned *out)
{
	uint64_t value, count = 0;
	while (field->names[count])
		count++;
	if (!take_number(state, 1, &value))
		return false;
	if (value >= count)
		return error_set(state->error, ERROR_CORRUPT, "the worker sent %s number %u of %u",
		                 field->name, (unsigned)value, (unsigned)count);
	*out = (unsigned)value;
	return true;
}

static bool decode_record(struct decoder_state *state, const struct record *record, void *data);

/* The fewest bytes that a record can take on the wire. */
static size_t minimum_size(const struct record *record)
{
	size_t size = 0;
	for (const struct field *field = record->fields; field->name; field++)
		size += field->type == FIELD_RECORD                              ? minimum_size(field->record)
		        : field->type == FIELD_U64                               ? 8
		        : field->type == FIELD_BOOL || field->type == FIELD_ENUM ? 1
		                                                                 : 4;
	return size;
}

static bool decode_list(struct decoder_state *state, const struct record *record, void *at)
{
	uint64_t count;
	if (!take_number(state, 4, &count))
		return false;
	/* No count can ask for much more memory than was sent. */
	if (count > state->rest.size / minimum_size(record))
		return error_set(state->error, ERROR_CORRUPT, "the worker promised more than it sent");
	struct record_list list = { .count = (size_t)count, .capacity = (size_t)count };
	if (count > 0)
		list.items = arena_alloc_array(state->arena, (size_t)count, record->size);
	for (size_t i = 0; i < list.count; i++)
		if (!decode_record(state, record, (uint8_t *)list.items + i * record->size))
			return false;
	memcpy(at, &list, sizeof(list));
	return true;
}

static bool decode_field(struct decoder_state *state, const struct field *field, uint8_t *at)
{
	uint64_t number;
	const char *string;
	unsigned value;
	bool flag;

	switch (field->type) {
	case FIELD_BOOL:
		if (!take_number(state, 1, &number))
			return false;
		flag = number != 0;
		memcpy(at, &flag, sizeof(flag));
		return true;
	case FIELD_ENUM:
		if (!decode_enum(state, field, &value))
			return false;
		memcpy(at, &value, sizeof(value));
		return true;
	case FIELD_U64:
		if (!take_number(state, 8, &number))
			return false;
		memcpy(at, &number, sizeof(number));
		return true;
	case FIELD_STRING:
		if (!decode_string(state, &string))
			return false;
		memcpy(at, &string, sizeof(string));
		return true;
	case FIELD_RECORD:
		return decode_record(state, field->record, at);
	case FIELD_LIST:
		return decode_list(state, field->record, at);
	}
	return error_set(state->error, ERROR_CORRUPT, "the schema has a field of no type");
}

static bool decode_record(struct decoder_state *state, const struct record *record, void *data)
{
	for (const struct field *field = record->fields; field->name; field++)
		if (!decode_field(state, field, (uint8_t *)data + field->offset))
			return false;
	return true;
}

/* Rules that types alone cannot say. */
static bool consistent(const struct facts *facts, struct error *error)
{
	if (facts->boot.default_known == ANSWER_YES && facts->boot.default_index >= facts->boot.entries.count)
		return error_set(error, ERROR_CORRUPT,
		                 "the worker names a default entry that it did not send");
	for (size_t i = 0; i < facts->kernels.count; i++)
		if (facts->kernels.items[i].entry > facts->boot.entries.count)
			return error_set(error, ERROR_CORRUPT,
			                 "the worker names a boot entry that it did not send");
	return true;
}

/* Finds the last whole message; false when there is none. */
static bool last_message(struct span stream, struct span *out)
{
	bool found = false;
	uint32_t length;
	while (span_has(stream, 0, MAGIC, 4) && get_le32(stream, 4, &length)) {
		if (!span_slice(stream, HEADER_SIZE, length, out))
			break;
		found = true;
		stream = span_from(stream, HEADER_SIZE + (size_t)length);
	}
	return found;
}

bool wire_decode(struct span stream, struct arena *arena, struct facts *out, struct error *error)
{
	struct span message;
	if (!last_message(stream, &message))
		return error_set(error, ERROR_TRUNCATED, "the worker sent no whole message");
	struct decoder_state state = { .rest = message, .arena = arena, .error = error };
	struct facts facts = { 0 };
	if (!decode_record(&state, &facts_record, &facts))
		return false;
	if (state.rest.size > 0)
		return error_set(error, ERROR_CORRUPT, "the worker's message has bytes behind its end");
	if (!consistent(&facts, error))
		return false;
	*out = facts;
	return true;
}
