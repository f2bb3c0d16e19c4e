// Sysctl=: the value that a key ends up with once the image has booted.
#include "base/text.h"
#include "policy/fix.h"
#include "policy/judge.h"

const struct sysctl *sysctl_find(const struct kernel *kernel, const char *key)
{
	for (size_t i = 0; i < kernel->sysctls.count; i++)
		if (str_equal(kernel->sysctls.items[i].key, key))
			return &kernel->sysctls.items[i];
	return NULL;
}

static bool met(const struct predicate *predicate, const char *value, bool *by_equivalent)
{
	*by_equivalent = false;
	if (want_met(&predicate->want, value)) {
		int64_t number;
		*by_equivalent = predicate->want.compare == COMPARE_AT_LEAST && number_read(value, &number) &&
		                 number != predicate->want.number;
		return true;
	}
	for (size_t i = 0; i < predicate->accept.count; i++)
		if (want_met(&predicate->accept.items[i], value)) {
			*by_equivalent = true;
			return true;
		}
	return false;
}

static const char *source_text(const struct context *context, const struct sysctl *sysctl)
{
	if (sysctl->source == SYSCTL_KERNEL_DEFAULT)
		return "the kernel's default, which nothing changes";
	if (sysctl->source == SYSCTL_COMMAND_LINE)
		return "set on the kernel's command line";
	return sysctl->place.path ? arena_printf(context->arena, "set by %s", sysctl->place.path)
	                          : "set by a file";
}

static void judge_value(const struct context *context, const struct rule *rule, const struct sysctl *sysctl,
                        struct outcome *outcome)
{
	const struct predicate *predicate = rule->predicate;
	struct finding *finding = &outcome->finding;
	bool differs =
		sysctl->effective && *sysctl->effective && !str_equal(sysctl->effective, sysctl->value);
	bool by_equivalent, ignored;
	bool pass = met(predicate, sysctl->value, &by_equivalent);
	bool effective_fails =
		pass && differs && predicate->effective && !met(predicate, sysctl->effective, &ignored);
	finding->by_equivalent = pass && by_equivalent && !effective_fails;
	outcome_set(context, outcome, pass && !effective_fails ? VERDICT_PASS : VERDICT_FAIL, "%s",
	            sysctl->value);
	if (!pass)
		outcome_remark(context, outcome, ", wanted %s", rule->wanted);
	outcome_remark(context, outcome, ": %s", source_text(context, sysctl));
	for (size_t i = 0; i < predicate->notes.count; i++)
		if (str_equal(predicate->notes.items[i].name, sysctl->value))
			outcome_remark(context, outcome, "; %s", predicate->notes.items[i].text);
	if (differs) {
		outcome_remark(context, outcome, "; an interface ends up with %s", sysctl->effective);
		if (sysctl->reason && *sysctl->reason)
			outcome_remark(context, outcome, " (%s)", sysctl->reason);
		outcome_evidence(context, outcome, &sysctl->effective_place);
	}
	if (finding->verdict != VERDICT_FAIL)
		return;
	finding->fix = fix_from_policy(context, rule, NULL);
	if (!finding->fix)
		finding->fix = fix_sysctl(context, sysctl, predicate->want.value);
}

void judge_sysctl(const struct context *context, const struct rule *rule, struct outcome *outcome)
{
	const struct predicate *predicate = rule->predicate;
	const struct sysctl *sysctl = sysctl_find(context->kernel, predicate->key);
	if (!sysctl || sysctl->source == SYSCTL_UNKNOWN ||
	    (sysctl->source != SYSCTL_ABSENT && !sysctl->value)) {
		const char *reason = sysctl && sysctl->reason && *sysctl->reason
		                             ? sysctl->reason
		                             : "its value at boot is not known";
		outcome_set(context, outcome, VERDICT_UNKNOWN, "%s: %s", predicate->key, reason);
		if (sysctl)
			outcome_evidence(context, outcome, &sysctl->place);
		return;
	}
	outcome_evidence(context, outcome, &sysctl->place);
	if (sysctl->source == SYSCTL_ABSENT) {
		outcome->finding.found = "absent";
		outcome_set(context, outcome, VERDICT_FAIL, "this kernel has no key %s", predicate->key);
		if (sysctl->reason && *sysctl->reason)
			outcome_remark(context, outcome, ": %s", sysctl->reason);
		outcome->finding.fix = fix_from_policy(context, rule, "absent");
		return;
	}
	outcome->finding.found = sysctl->value;
	int64_t number;
	if (predicate->want.numeric && !number_read(sysctl->value, &number)) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "\"%s\" is no number: the kernel refuses it, and what it keeps is not known",
		            sysctl->value);
		return;
	}
	judge_value(context, rule, sysctl, outcome);
}
