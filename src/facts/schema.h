// The shape of the facts as data: one table of fields for each record. The wire format and its validation are
// driven by it, so that a new fact travels with one row here. What `inspect` shows is written in report/.
#pragma once

#include <stddef.h>

/* How every LIST(...) lies in memory, whatever its items are. */
struct record_list {
	void *items;
	size_t count;
	size_t capacity;
};

enum field_type {
	FIELD_BOOL,   /* bool */
	FIELD_U64,    /* uint64_t */
	FIELD_STRING, /* const char *, may be NULL */
	FIELD_ENUM,   /* an enum whose values are 0 .. the number of names - 1 */
	FIELD_RECORD, /* a struct inside the struct */
	FIELD_LIST,   /* a LIST(...) of records */
};

struct field {
	const char *name; /* as in JSON */
	enum field_type type;
	size_t offset;
	const struct record *record; /* FIELD_RECORD, FIELD_LIST */
	const char *const *names;    /* FIELD_ENUM: the JSON values, NULL at the end */
};

struct record {
	const char *name;
	size_t size;
	const struct field *fields; /* ends with name NULL */
};

extern const struct record facts_record; /* struct facts */
extern const struct record boot_record;  /* struct boot */
extern const struct record place_record; /* struct place */

/* Names of the enum values, as in reports. */
extern const char *const input_kind_names[];
extern const char *const examined_names[];
