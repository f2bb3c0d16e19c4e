// What ran, put beside what was read. A run decides where it showed something; all else stays as it was read.
#include "policy/join.h"

#include <string.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/judge.h"
#include "policy/outcome.h"
#include "policy/predicate.h"

bool policy_explains(const struct rule *rule, const char *symptom)
{
	const struct predicate *predicate = rule->predicate;
	for (size_t i = 0; predicate && i < predicate->symptoms.count; i++)
		if (str_equal(predicate->symptoms.items[i], symptom))
			return true;
	return false;
}

void add_evidence(struct arena *arena, struct finding *finding, const struct place *place)
{
	struct context context = { .arena = arena };
	struct outcome outcome = { .finding = *finding };
	outcome_evidence(&context, &outcome, place);
	*finding = outcome.finding;
}

/* The reason as read, without the hint that a boot would prove it. */
static const char *read_reason(const struct join *join, const struct finding *finding)
{
	const char *reason = finding->reason;
	if (!str_ends(reason, PROVED_BY_BOOT))
		return reason;
	return arena_string(join->arena, span_of(reason, strlen(reason) - strlen(PROVED_BY_BOOT)));
}

static const char *both_reasons(const struct join *join, const char *seen, const struct finding *finding)
{
	const char *reason = read_reason(join, finding);
	/* All runs of an input are on one machine. */
	const char *where =
		join->runs[0].is_reference ? "the reference machine" : "a machine that is not the page's";
	return arena_printf(join->arena, "seen on %s: %s%s%s", where, seen, *reason ? "; read: " : "",
	                    reason);
}

/* What was seen first, and what was read behind it. */
static void put_evidence(const struct join *join, const struct place *places, size_t count,
                         struct finding *finding)
{
	struct finding both = *finding;
	memset(&both.evidence, 0, sizeof(both.evidence));
	for (size_t i = 0; i < count; i++)
		add_evidence(join->arena, &both, &places[i]);
	for (size_t i = 0; i < finding->evidence.count; i++)
		add_evidence(join->arena, &both, &finding->evidence.items[i]);
	*finding = both;
}

static void decide(const struct join *join, const struct ran *ran, struct finding *finding)
{
	bool passes = ran->shown == ANSWER_YES, was_met = finding->verdict == VERDICT_PASS;
	finding->reason = both_reasons(join, ran->reason, finding);
	finding->verdict = passes ? VERDICT_PASS : VERDICT_FAIL;
	finding->how = "ran";
	if (ran->found && *ran->found) {
		finding->found = ran->found;
		finding->wanted = ran->wanted ? ran->wanted : finding->wanted;
		finding->by_equivalent = ran->by_equivalent;
	} else if (passes && !was_met) {
		finding->found = ran->reason; /* what was read was found wanting */
	}
	finding->fix = passes ? NULL : finding->fix ? finding->fix : ran->fix;
	put_evidence(join, ran->evidence.items, ran->evidence.count, finding);
}

static void join_finding(const struct join *join, size_t n)
{
	struct finding *finding = &join->judgement->findings.items[n];
	struct ran ran;
	/* What is not asked of this architecture, or of this kind of input, no run answers. */
	if (finding->verdict == VERDICT_NOT_APPLICABLE || finding->verdict == VERDICT_WAIVED)
		return;
	ran_find(join, n, &ran);
	if (ran.shown != ANSWER_UNKNOWN) {
		decide(join, &ran, finding);
		return;
	}
	if (*ran.reason)
		finding->reason = arena_printf(join->arena, "%s; not decided on the reference machine: %s",
		                               read_reason(join, finding), ran.reason);
}

static bool any_fails(const struct join *join, const struct symptom *symptom)
{
	for (size_t i = 0; i < join->judgement->findings.count; i++) {
		const struct finding *finding = &join->judgement->findings.items[i];
		if (finding->verdict == VERDICT_FAIL && policy_explains(finding->rule, symptom->name))
			return true;
	}
	return false;
}

static bool is_of_way_in(const struct rule *rule)
{
	return rule->predicate->kind == PREDICATE_CHECK && rule->predicate->check == check_find("boot-path");
}

/*
 * A symptom makes sure of the failure that explains it. Where nothing that was read does, one of the rules
 * that could must have been read wrong, or too little: they are not known to be met any longer. Of a firmware
 * that was read to find no way in only that can be the cause.
 */
static void join_symptom(const struct join *join, const struct run *run, const struct symptom *symptom)
{
	bool explained = any_fails(join, symptom), foreseen = run_has_no_way_in(join, run);
	/* That nobody hears it has a cause, however the boot ended. */
	bool is_unseen = str_equal(symptom->name, "no-console");
	const char *where = ran_where(join, run);
	const char *seen = arena_printf(join->arena, "%s%s%s", symptom->message, *where ? ", " : "", where);
	for (size_t i = 0; i < join->judgement->findings.count; i++) {
		struct finding *finding = &join->judgement->findings.items[i];
		/* What the proofs did not decide, this does. */
		const struct finding *read = &join->read[i];
		bool was_met = finding->verdict == VERDICT_PASS && str_equal(finding->how, "read");
		if (!policy_explains(finding->rule, symptom->name) ||
		    (foreseen && !is_of_way_in(finding->rule)))
			continue;
		if (finding->verdict == VERDICT_FAIL && str_equal(finding->how, "read")) {
			finding->reason = both_reasons(join, seen, read);
			finding->how = "ran";
		} else if (!explained && (run->end != RUN_CAME_UP || is_unseen) &&
		           (was_met || finding->verdict == VERDICT_UNKNOWN)) {
			if (was_met)
				finding->reason = both_reasons(
					join,
					arena_printf(join->arena, "%s, which has its cause here%s", seen,
				                     foreseen ? "" : " or elsewhere"),
					read);
			finding->verdict = VERDICT_UNKNOWN;
		} else {
			continue;
		}
		struct place place = ran_place(join, run, &symptom->place);
		put_evidence(join, &place, 1, finding);
	}
}

static void join_symptoms(const struct join *join)
{
	for (size_t i = 0; i < join->run_count; i++) {
		const struct run *run = &join->runs[i];
		/* What is the machine's own doing, or its user's, is none of the image's. */
		if (!run_counts(run) || !run->is_reference || run_is_altered(join, run))
			continue;
		/* Nor does it count that a firmware found nothing, as was read, where another one may. */
		if (run_has_no_way_in(join, run) && runs_came_up(join) != ANSWER_NO)
			continue;
		for (size_t s = 0; s < run->symptoms.count; s++)
			join_symptom(join, run, &run->symptoms.items[s]);
	}
}

/* A UEFI firmware that did not get it up speaks against declaring that one does. */
static void join_features(const struct join *join)
{
	struct judgement *judgement = join->judgement;
	size_t kept = 0;
	bool failed = false;
	for (size_t i = 0; i < join->run_count; i++)
		failed = failed || (str_equal(join->runs[i].firmware, "UEFI") &&
		                    run_came_up(join, &join->runs[i]) == ANSWER_NO);
	for (size_t i = 0; i < judgement->features.count; i++)
		if (!failed || !str_equal(judgement->features.items[i], "UEFI_COMPATIBLE"))
			judgement->features.items[kept++] = judgement->features.items[i];
	judgement->features.count = kept;
}

static const struct judgement **judge_insides(const struct policy *policy, const struct run *runs,
                                              size_t count, struct arena *arena)
{
	const struct judgement **insides = arena_alloc_array(arena, count, sizeof(const struct judgement *));
	for (size_t i = 0; i < count; i++) {
		if (!runs[i].inside || runs[i].inside->examined == EXAMINED_NONE)
			continue;
		struct judgement *inside = arena_alloc(arena, sizeof(*inside));
		policy_judge(policy, runs[i].inside, arena, inside);
		insides[i] = inside;
	}
	return insides;
}

static void recount(struct judgement *judgement)
{
	memset(judgement->counts, 0, sizeof(judgement->counts));
	for (size_t i = 0; i < judgement->findings.count; i++)
		judgement->counts[judgement->findings.items[i].verdict]++;
}

void policy_join(const struct policy *policy, const struct facts *facts, const struct run *runs,
                 size_t run_count, struct arena *arena, struct judgement *judgement)
{
	size_t count = judgement->findings.count;
	struct finding *read = arena_alloc_array(arena, count, sizeof(*read));
	if (count > 0)
		memcpy(read, judgement->findings.items, count * sizeof(*read));
	struct join join = {
		.facts = facts,
		.runs = runs,
		.run_count = run_count,
		.insides = judge_insides(policy, runs, run_count, arena),
		.arena = arena,
		.judgement = judgement,
		.read = read,
		.read_boots = judgement->boots,
	};
	for (size_t i = 0; i < count; i++)
		join_finding(&join, i);
	join_symptoms(&join);
	join_boots(&join);
	join_features(&join);
	for (size_t i = 0; i < count; i++) {
		const struct predicate *predicate = judgement->findings.items[i].rule->predicate;
		if (predicate->kind == PREDICATE_CHECK && predicate->check == check_find("as-predicted"))
			join_contradictions(&join, &judgement->findings.items[i]);
	}
	recount(judgement);
}
