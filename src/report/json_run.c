// How an input ran on the reference machine, for a program: the member "run" of schema/report.schema.json.

#include "report/json.h"
#include "report/phrase.h"

/* Milliseconds are as much as is meant; null below 0, which is not known. */
static json_t *json_seconds(double seconds)
{
	if (seconds < 0)
		return json_null();
	return json_real((double)(long long)(seconds * 1000 + 0.5) / 1000);
}

static json_t *texts_json(const char *const *items, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		json_append(array, json_text(items[i]));
	return array;
}

static json_t *phases_json(const struct run *run)
{
	json_t *array = json_array();
	for (size_t i = 0; i < RUN_PHASES; i++) {
		const struct run_step *step = &run->steps[i];
		json_t *phase = json_object();
		json_add(phase, "phase", json_text(run_phase_names[i]));
		json_add(phase, "reached", json_boolean(step->reached));
		json_add(phase, "seconds", step->reached ? json_seconds(step->seconds) : json_null());
		json_add(phase, "cpu_seconds", step->reached ? json_seconds(step->cpu_seconds) : json_null());
		json_add(phase, "evidence", place_or_null(&step->place, NULL));
		json_append(array, phase);
	}
	return array;
}

static json_t *symptoms_json(const struct run *run, const struct judgement *judgement)
{
	json_t *array = json_array();
	for (size_t i = 0; i < run->symptoms.count; i++) {
		const struct symptom *symptom = &run->symptoms.items[i];
		json_t *object = json_object(), *rules = json_array();
		json_add(object, "name", json_text(symptom->name));
		json_add(object, "message", json_text(symptom->message));
		json_add(object, "evidence", place_or_null(&symptom->place, NULL));
		const struct finding *finding = NULL;
		while ((finding = phrase_explains(judgement, symptom, finding)))
			json_append(rules, json_text(finding->rule->id));
		json_add(object, "explained_by", rules);
		json_append(array, object);
	}
	return array;
}

static json_t *proofs_json(const struct run *run)
{
	json_t *array = json_array();
	for (size_t i = 0; i < PROOF_COUNT; i++) {
		const struct proof *proof = &run->proofs[i];
		json_t *object = json_object(), *evidence = json_array();
		json_add(object, "name", json_text(proof_names[i]));
		json_add(object, "shown", json_answer(proof->shown));
		json_add(object, "found", json_text(proof->found));
		json_add(object, "reason", json_text(proof->reason));
		for (size_t p = 0; p < proof->evidence.count; p++)
			if (!place_is_empty(&proof->evidence.items[p]))
				json_append(evidence, json_place(&proof->evidence.items[p], NULL));
		json_add(object, "evidence", evidence);
		json_append(array, object);
	}
	return array;
}

static json_t *inside_json(const struct run *run, const struct report_options *options)
{
	if (!run->inside)
		return json_null();
	const struct report_input inside = { .name = "inside", .facts = run->inside, .seconds = -1 };
	return json_inspected(&inside, options);
}

json_t *json_runs(const struct report_input *input, const struct report_options *options)
{
	json_t *array = json_array();
	for (size_t i = 0; i < input->run_count; i++) {
		const struct run *run = &input->runs[i];
		json_t *object = json_object();
		json_add(object, "firmware", json_text(run->firmware ? run->firmware : "none"));
		json_add(object, "machine", json_text(run->machine ? run->machine : ""));
		json_add(object, "appended", json_text(run->appended));
		json_add(object, "is_reference", json_boolean(run->is_reference));
		json_add(object, "limits", texts_json(run->limits.items, run->limits.count));
		json_add(object, "end", json_text(run_end_names[run->end]));
		json_add(object, "ended", json_text(run->ended ? run->ended : ""));
		json_add(object, "seconds", json_seconds(run->seconds < 0 ? 0 : run->seconds));
		json_add(object, "cpu_seconds", json_seconds(run->cpu_seconds < 0 ? 0 : run->cpu_seconds));
		json_add(object, "phases", phases_json(run));
		json_add(object, "symptoms", symptoms_json(run, input->judgement));
		json_add(object, "last_lines", texts_json(run->last_lines.items, run->last_lines.count));
		json_add(object, "proofs", proofs_json(run));
		json_add(object, "inside", inside_json(run, options));
		json_add(object, "inside_reason", json_text(run->inside_reason));
		json_add(object, "logs", json_text(run->logs));
		json_append(array, object);
	}
	return array;
}
