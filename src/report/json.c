// `check` for a program. The names, the order of the rules and the values are a contract:
// schema/report.schema.json.

#include "report/json.h"

#include <stdlib.h>
#include <string.h>

#include "facts/schema.h"
#include "report/phrase.h"
#include "report/views.h"

json_t *json_text(const char *text)
{
	if (!text)
		return json_null();
	json_t *value = json_string(text);
	if (value)
		return value;
	struct text clean CLEANUP(text_free) = { 0 };
	phrase_name(&clean, text);
	return json_string(text_get(&clean));
}

json_t *json_number(uint64_t number)
{
	return json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number);
}

json_t *json_answer(enum answer answer)
{
	return answer == ANSWER_UNKNOWN ? json_null() : json_boolean(answer == ANSWER_YES);
}

json_t *json_words(const char *words)
{
	json_t *array = json_array();
	for (const char *at = words ? words : ""; *at;) {
		at += strspn(at, " ");
		size_t length = strcspn(at, " ");
		if (length > 0)
			json_append(array, json_stringn(at, length));
		at += length;
	}
	return array;
}

/*
 * jansson answers NULL, and fails on being given NULL, only when memory is out: every string is UTF-8 by
 * then. There is nothing left to report with.
 */
void json_add(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		exit(EXIT_OUT_OF_MEMORY);
}

void json_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		exit(EXIT_OUT_OF_MEMORY);
}

void json_add_partition(json_t *object, const char *key, const char *volume_key, uint64_t number,
                        const struct facts *facts)
{
	const struct partition *partition = facts ? volume_find(&facts->table, number) : NULL;
	const char *volume = partition ? partition->volume : NULL;
	uint64_t within = volume ? partition->within : number;
	json_add(object, key, within ? json_number(within) : json_null());
	if (volume)
		json_add(object, volume_key, json_text(volume));
}

json_t *json_place(const struct place *place, const struct facts *facts)
{
	json_t *object = json_object();
	json_add_partition(object, "partition", "volume", place->partition, facts);
	json_add(object, "path", json_text(place->path));
	json_add(object, "line", place->line ? json_number(place->line) : json_null());
	json_add(object, "text", json_text(place->text));
	if (!place->path && place->offset)
		json_add(object, "offset", json_number(place->offset));
	return object;
}

json_t *place_or_null(const struct place *place, const struct facts *facts)
{
	return place_is_empty(place) ? json_null() : json_place(place, facts);
}

void json_add_input(json_t *object, const char *name, const struct facts *facts)
{
	json_add(object, "input", json_text(name));
	json_add(object, "kind", json_text(input_kind_names[facts->kind]));
	json_add(object, "examined", json_text(examined_names[facts->examined]));
	json_add(object, "reason", facts->examined == EXAMINED_FULL ? json_null() : json_text(facts->reason));
}

void json_print(FILE *out, json_t *value)
{
	/* A failed write is seen by whoever closes `out`. */
	(void)json_dumpf(value, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(value);
}

static json_t *finding_json(const struct finding *finding, const struct facts *facts)
{
	const struct rule *rule = finding->rule;
	json_t *object = json_object();
	json_add(object, "id", json_text(rule->id));
	json_add(object, "section", json_text(rule->section));
	json_add(object, "level", json_text(level_names[rule->level]));
	json_add(object, "verdict", json_text(verdict_names[finding->verdict]));
	json_add(object, "by_equivalent", json_boolean(finding->by_equivalent));
	json_add(object, "how", json_text(finding->how ? finding->how : "read"));
	json_add(object, "found", json_text(finding->found ? finding->found : ""));
	json_add(object, "wanted", json_text(finding->wanted ? finding->wanted : ""));
	json_add(object, "reason", json_text(finding->reason ? finding->reason : ""));
	json_add(object, "fix", json_text(finding->fix));
	json_t *evidence = json_array();
	for (size_t i = 0; i < finding->evidence.count; i++)
		if (!place_is_empty(&finding->evidence.items[i]))
			json_append(evidence, json_place(&finding->evidence.items[i], facts));
	json_add(object, "evidence", evidence);
	return object;
}

static json_t *summary_json(const struct judgement *judgement)
{
	static const enum verdict order[] = {
		VERDICT_PASS, VERDICT_FAIL, VERDICT_NOT_APPLICABLE, VERDICT_UNKNOWN, VERDICT_WAIVED,
	};
	json_t *object = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		json_add(object, verdict_names[order[i]], json_number(judgement->counts[order[i]]));
	return object;
}

static json_t *input_json(const struct report_input *input, const struct report_options *options)
{
	static const char *const boots[] = {
		[ANSWER_UNKNOWN] = "unknown",
		[ANSWER_NO] = "no",
		[ANSWER_YES] = "yes",
	};
	const struct judgement *judgement = input->judgement;
	json_t *object = json_object();
	json_add_input(object, input->name, input->facts);
	json_add(object, "boots", json_text(boots[judgement->boots]));
	json_t *because = json_array();
	for (size_t i = 0; i < judgement->boots_because.count; i++)
		json_append(because, json_text(judgement->boots_because.items[i]->id));
	json_add(object, "boots_because", because);
	json_add(object, "conforms", json_boolean(input->conforms));
	json_add(object, "summary", summary_json(judgement));
	json_t *features = json_array();
	for (size_t i = 0; i < judgement->features.count; i++)
		json_append(features, json_text(judgement->features.items[i]));
	json_add(object, "features", features);
	json_t *findings = json_array();
	for (size_t i = 0; i < judgement->findings.count; i++)
		json_append(findings, finding_json(&judgement->findings.items[i], input->facts));
	json_add(object, "findings", findings);
	if (input->run_count > 0)
		json_add(object, "run", json_runs(input, options));
	return object;
}

void json_check(FILE *out, const struct policy *policy, const struct report_input *inputs, size_t count,
                const struct report_options *options)
{
	json_t *report = json_object();
	json_add(report, "schema", json_text("slipway-report/1"));
	json_add(report, "version", json_text(options->version));
	json_t *about = json_object();
	json_add(about, "name", json_text(policy->name));
	json_add(about, "revision", json_text(policy->revision));
	json_add(report, "policy", about);
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_append(list, input_json(&inputs[i], options));
	json_add(report, "inputs", list);
	json_print(out, report);
}
