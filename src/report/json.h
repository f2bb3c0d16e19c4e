// The small pieces that all JSON views share; private to report/.
#pragma once

#include <jansson.h>

#include "report/report.h"

/* A string, or null for NULL. What is no UTF-8 (a file name on the command line) is made printable. */
json_t *json_text(const char *text);

/* A number; what does not fit JSON libraries' 63 bits is cut to the largest that does. */
json_t *json_number(uint64_t number);

/* true, false, or null for "not known". */
json_t *json_answer(enum answer answer);

/* The words of a blank-separated list. */
json_t *json_words(const char *words);

/*
 * One piece of evidence: partition, path, line, text; "offset" where there is one and no path, "volume" where
 * it lies in a logical volume. No facts are needed for a place of the running machine.
 */
json_t *json_place(const struct place *place, const struct facts *facts);

/*
 * Where something lies: the member `key` is the number of the partition, null for none; for a logical volume
 * that of the partition that it begins in, and the member `volume_key` is its name.
 */
void json_add_partition(json_t *object, const char *key, const char *volume_key, uint64_t number,
                        const struct facts *facts);

/* The same, or null for a place that says nothing. */
json_t *place_or_null(const struct place *place, const struct facts *facts);

/* "hardware" of a running machine. */
json_t *json_hardware(const struct hardware *hardware);

/* "run": how an input ran on the reference machine. */
json_t *json_runs(const struct report_input *input, const struct report_options *options);

/* What inspect prints, as one object. */
json_t *json_inspected(const struct report_input *input, const struct report_options *options);

/* Of an input: "input", "kind", "examined", "reason" are added to `object`. */
void json_add_input(json_t *object, const char *name, const struct facts *facts);

/* Sets a member and takes the value; never fails (memory is the only reason, and it stops the process). */
void json_add(json_t *object, const char *key, json_t *value);
void json_append(json_t *array, json_t *value);

/* Prints and frees. */
void json_print(FILE *out, json_t *value);
