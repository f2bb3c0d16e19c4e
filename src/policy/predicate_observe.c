// Observe=: something seen in the image, or seen to be missing.
#include "base/text.h"
#include "policy/fix.h"
#include "policy/judge.h"

static const struct observation *find(const struct facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->observations.items.count; i++)
		if (str_equal(facts->observations.items.items[i].name, name))
			return &facts->observations.items.items[i];
	return NULL;
}

/* "present" and "absent" ask for the state, anything else for the value. */
static enum verdict verdict_of(const struct want *want, const struct observation *seen)
{
	if (seen->state == ANSWER_UNKNOWN)
		return VERDICT_UNKNOWN;
	bool there = seen->state == ANSWER_YES;
	if (str_equal(want->value, "present"))
		return there ? VERDICT_PASS : VERDICT_FAIL;
	if (str_equal(want->value, "absent"))
		return there ? VERDICT_FAIL : VERDICT_PASS;
	if (!there)
		return VERDICT_FAIL;
	if (!seen->value)
		return VERDICT_UNKNOWN;
	return want_met(want, seen->value) ? VERDICT_PASS : VERDICT_FAIL;
}

void judge_observe(const struct context *context, const struct rule *rule, struct outcome *outcome)
{
	const struct predicate *predicate = rule->predicate;
	const struct observation *seen = find(context->facts, predicate->key);
	if (!seen) {
		const char *reason = context->facts->reason;
		outcome_set(context, outcome, VERDICT_UNKNOWN, "%s",
		            reason ? reason : "the guest's settings were not looked at");
		return;
	}
	enum verdict verdict = verdict_of(&predicate->want, seen);
	for (size_t i = 0; i < predicate->accept.count && verdict == VERDICT_FAIL; i++) {
		verdict = verdict_of(&predicate->accept.items[i], seen);
		outcome->finding.by_equivalent = verdict == VERDICT_PASS;
	}
	outcome->finding.found = seen->state == ANSWER_UNKNOWN ? ""
	                         : seen->value                 ? seen->value
	                         : seen->state == ANSWER_YES   ? "present"
	                                                       : "absent";
	/* Where a value is asked, the reason alone ("/etc/localtime names it") does not say which. */
	bool says_value = seen->value && seen->state == ANSWER_YES &&
	                  !str_equal(predicate->want.value, "present") &&
	                  !str_equal(predicate->want.value, "absent");
	const char *reason = seen->reason ? seen->reason : outcome->finding.found;
	if (says_value)
		outcome_set(context, outcome, verdict, "%s: %s", seen->value, reason);
	else
		outcome_set(context, outcome, verdict, "%s", reason);
	for (size_t i = 0; i < seen->places.count; i++)
		outcome_evidence(context, outcome, &seen->places.items[i]);
	if (verdict != VERDICT_FAIL)
		return;
	if (seen->by)
		outcome->finding.fix = fix_from_policy(context, rule, seen->by);
	if (!outcome->finding.fix)
		outcome->finding.fix = fix_from_policy(context, rule, NULL);
}
