// Does it boot, now that it was tried? And where does what ran contradict what was read?
#include <string.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/join.h"
#include "policy/predicate.h"

#define NOT_BOOTED "it was not booted on the reference machine"

/* Before a boot: nothing to compare with. */
void check_as_predicted(const struct context *context, struct outcome *outcome)
{
	outcome_set(context, outcome, VERDICT_NOT_APPLICABLE, NOT_BOOTED);
}

/* A machine that stays silent may be up all the same: what is known then is that nobody sees it. */
static bool is_silent(const struct run *run)
{
	for (size_t i = 0; i < run->symptoms.count; i++)
		if (!str_equal(run->symptoms.items[i].name, "no-console"))
			return false;
	return run->symptoms.count > 0;
}

enum answer run_came_up(const struct join *join, const struct run *run)
{
	bool disk = join->facts->kind == INPUT_DISK;
	/* Of another machine than the page's, what it could not do says nothing; nor does what it could. */
	if (!run_counts(run) || !run->is_reference)
		return ANSWER_UNKNOWN;
	if (run->end == RUN_CAME_UP || run->steps[RUN_LOGIN].reached) {
		if (disk && str_equal(run->firmware, "none"))
			return ANSWER_UNKNOWN;
		/* Its init runs and is quiet: it may wait for something as well. */
		if (!run->steps[RUN_LOGIN].reached && !run->answers)
			return ANSWER_UNKNOWN;
		/* One that was up when the console named a failure has not stayed so. */
		if (run->end != RUN_FAILED || run->symptoms.count == 0)
			return ANSWER_YES;
		return run_is_altered(join, run) ? ANSWER_UNKNOWN : ANSWER_NO;
	}
	return is_silent(run) || run_is_altered(join, run) ? ANSWER_UNKNOWN : ANSWER_NO;
}

bool run_has_no_way_in(const struct join *join, const struct run *run)
{
	const struct boot *boot = &join->facts->boot;
	bool uefi = str_equal(run->firmware, "UEFI"), any = false;
	if (!uefi && !str_equal(run->firmware, "BIOS"))
		return false;
	for (size_t i = 0; i < boot->paths.count; i++) {
		const struct boot_path *path = &boot->paths.items[i];
		if (!str_equal(path->firmware, uefi ? "uefi" : "bios"))
			continue;
		if (path->works != ANSWER_NO)
			return false;
		any = true;
	}
	return any;
}

enum answer runs_came_up(const struct join *join)
{
	bool up = false, down = false, unwanted = false, open = false;
	for (size_t i = 0; i < join->run_count; i++) {
		enum answer one = run_came_up(join, &join->runs[i]);
		up = up || one == ANSWER_YES;
		open = open || one == ANSWER_UNKNOWN;
		if (one == ANSWER_NO && run_has_no_way_in(join, &join->runs[i]))
			unwanted = true;
		else
			down = down || one == ANSWER_NO;
	}
	return down || (unwanted && !up && !open) ? ANSWER_NO : up ? ANSWER_YES : ANSWER_UNKNOWN;
}

/* Is it a rule whose failure explains what a run that did not come up showed? */
static bool explains_any(const struct join *join, const struct rule *rule)
{
	for (size_t i = 0; i < join->run_count; i++) {
		const struct run *run = &join->runs[i];
		for (size_t s = 0; run_came_up(join, run) == ANSWER_NO && s < run->symptoms.count; s++)
			if (policy_explains(rule, run->symptoms.items[s].name))
				return true;
	}
	return false;
}

/* What failed explains it better than what is not known; without either, that it came otherwise. */
static void find_causes(const struct join *join)
{
	struct judgement *judgement = join->judgement;
	static const enum verdict order[] = { VERDICT_FAIL, VERDICT_UNKNOWN };
	memset(&judgement->boots_because, 0, sizeof(judgement->boots_because));
	for (int by_symptom = 1; by_symptom >= 0; by_symptom--) {
		for (size_t o = 0; o < ARRAY_SIZE(order) && judgement->boots_because.count == 0; o++) {
			for (size_t i = 0; i < judgement->findings.count; i++) {
				const struct finding *finding = &judgement->findings.items[i];
				bool fits = by_symptom ? explains_any(join, finding->rule)
				                       : finding->rule->decides_boot;
				if (fits && finding->verdict == order[o])
					*LIST_ADD(join->arena, &judgement->boots_because) = finding->rule;
			}
		}
	}
}

static const struct finding *finding_of(const struct judgement *judgement, const struct rule *rule)
{
	for (size_t i = 0; i < judgement->findings.count; i++)
		if (judgement->findings.items[i].rule == rule)
			return &judgement->findings.items[i];
	return NULL;
}

/*
 * A kernel that was loaded directly decides nothing of the boot as a whole, but a part of it: what was read
 * to stop the boot, and was seen to be met, stops it no longer.
 */
static void release_causes(const struct join *join)
{
	struct judgement *judgement = join->judgement;
	size_t kept = 0;
	if (judgement->boots_because.count == 0)
		return;
	for (size_t i = 0; i < judgement->boots_because.count; i++) {
		const struct finding *finding = finding_of(judgement, judgement->boots_because.items[i]);
		if (!finding || finding->verdict != VERDICT_PASS)
			judgement->boots_because.items[kept++] = judgement->boots_because.items[i];
	}
	judgement->boots_because.count = kept;
	if (kept > 0)
		return;
	for (size_t i = 0; i < judgement->findings.count; i++) {
		const struct finding *finding = &judgement->findings.items[i];
		if (finding->rule->decides_boot &&
		    (finding->verdict == VERDICT_UNKNOWN || finding->verdict == VERDICT_FAIL))
			*LIST_ADD(join->arena, &judgement->boots_because) = finding->rule;
	}
	bool all_met = judgement->boots_because.count == 0 && join->facts->kind == INPUT_DISK;
	judgement->boots = all_met ? ANSWER_YES : ANSWER_UNKNOWN;
}

void join_boots(const struct join *join)
{
	struct judgement *judgement = join->judgement;
	judgement->came_up = runs_came_up(join);
	/* A part of a system that comes up does so with parts of ours: only a whole disk boots. */
	if (judgement->came_up == ANSWER_YES && join->facts->kind == INPUT_DISK) {
		judgement->boots = ANSWER_YES;
		memset(&judgement->boots_because, 0, sizeof(judgement->boots_because));
	}
	if (judgement->came_up == ANSWER_NO) {
		judgement->boots = ANSWER_NO;
		find_causes(join);
	}
	if (judgement->came_up == ANSWER_UNKNOWN)
		release_causes(join);
}

/* The verdicts are opposite; or of a sysctl the values are not the same. */
static bool contradicts(const struct finding *read, const struct finding *both)
{
	if (!str_equal(both->how, "ran") || read->verdict == VERDICT_UNKNOWN)
		return false;
	if ((read->verdict == VERDICT_PASS && both->verdict == VERDICT_FAIL) ||
	    (read->verdict == VERDICT_FAIL && both->verdict == VERDICT_PASS))
		return true;
	return read->rule->predicate->kind == PREDICATE_SYSCTL && read->found && both->found &&
	       *read->found && *both->found && !str_equal(read->found, both->found);
}

static void add_cause(const struct join *join, const char **text, const char *more)
{
	*text = **text ? arena_printf(join->arena, "%s, %s", *text, more) : more;
}

/* Did one not come up of which reading did not say so of its firmware? */
static bool any_unforeseen(const struct join *join)
{
	for (size_t i = 0; i < join->run_count; i++)
		if (run_came_up(join, &join->runs[i]) == ANSWER_NO &&
		    !run_has_no_way_in(join, &join->runs[i]))
			return true;
	return false;
}

void join_contradictions(const struct join *join, struct finding *finding)
{
	const struct judgement *judgement = join->judgement;
	const char *which = "", *boot = "";
	bool any = false, altered = false;
	for (size_t i = 0; i < join->run_count; i++) {
		const struct run *run = &join->runs[i];
		bool counts = run_counts(run) && run->is_reference;
		any = any || (counts && !run_is_altered(join, run));
		altered = altered || (counts && run_is_altered(join, run));
	}
	if (!any) {
		finding->verdict = VERDICT_NOT_APPLICABLE;
		finding->reason = altered ? "it was booted with other words on its command line alone"
		                  : join->run_count == 0 ? NOT_BOOTED
		                  : !join->runs[0].is_reference
		                          ? "it was booted on a machine that is not the page's"
		                          : "no boot on the reference machine came to an end";
		return;
	}
	for (size_t i = 0; i < judgement->findings.count; i++) {
		const struct finding *both = &judgement->findings.items[i];
		if (!contradicts(&join->read[i], both))
			continue;
		add_cause(join, &which, both->rule->id);
		for (size_t p = 0; p < both->evidence.count; p++)
			add_evidence(join->arena, finding, &both->evidence.items[p]);
	}
	if (join->read_boots == ANSWER_YES && judgement->came_up == ANSWER_NO && any_unforeseen(join))
		boot = "by what was read it boots, and it did not come up";
	if (join->read_boots == ANSWER_NO && judgement->came_up == ANSWER_YES)
		boot = "by what was read it does not boot, and it came up";
	finding->how = "ran";
	finding->verdict = *which || *boot ? VERDICT_FAIL : VERDICT_PASS;
	finding->found = *which || *boot ? "differs" : "the same";
	finding->reason = finding->verdict == VERDICT_PASS
	                          ? "what was seen does not contradict what was read"
	                          : arena_printf(join->arena, "%s%s%s%s", boot, *boot && *which ? "; " : "",
	                                         *which ? "read and run contradict each other: " : "", which);
	finding->fix = finding->verdict == VERDICT_FAIL ? finding->rule->fix : NULL;
}
