// Sysctl=: the value that a key ends up with once the image has booted.
#include <string.h>

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

/* Where the value comes from, and what the prediction remarks on it: a refused line, a file nobody reads. */
static const char *source_text(const struct context *context, const struct sysctl *sysctl)
{
	static const char by_default[] = "kernel default";
	const char *remark = sysctl->reason ? sysctl->reason : "";
	if (sysctl->source == SYSCTL_KERNEL_DEFAULT) {
		remark += str_starts(remark, by_default) ? strlen(by_default) : 0;
		return arena_printf(context->arena, "the kernel's default%s",
		                    *remark ? remark : ", which nothing changes");
	}
	if (sysctl->source == SYSCTL_RUNNING)
		return *remark ? arena_printf(context->arena, "as it stands; %s", remark) : "as it stands";
	const char *source = sysctl->source == SYSCTL_COMMAND_LINE ? "set on the kernel's command line"
	                     : sysctl->place.path
	                             ? arena_printf(context->arena, "set by %s", sysctl->place.path)
	                             : "set by a file";
	return *remark ? arena_printf(context->arena, "%s; %s", source, remark) : source;
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
	bool effective_fails = pass && differs && predicate->effective == EFFECTIVE_JUDGE &&
	                       !met(predicate, sysctl->effective, &ignored);
	finding->by_equivalent = pass && by_equivalent && !effective_fails;
	outcome_set(context, outcome, pass && !effective_fails ? VERDICT_PASS : VERDICT_FAIL, "%s",
	            sysctl->value);
	if (!pass)
		outcome_remark(context, outcome, ", wanted %s", rule->wanted);
	outcome_remark(context, outcome, ": %s", source_text(context, sysctl));
	for (size_t i = 0; i < predicate->notes.count; i++)
		if (str_equal(predicate->notes.items[i].name, sysctl->value))
			outcome_remark(context, outcome, "; %s", predicate->notes.items[i].text);
	if (differs)
		outcome_evidence(context, outcome, &sysctl->effective_place);
	if (finding->verdict != VERDICT_FAIL)
		return;
	finding->fix = fix_from_policy(context, rule, NULL);
	if (!finding->fix)
		finding->fix = fix_sysctl(context, sysctl, predicate->want.value);
}

/* What an interface ends up with, whichever key brings it about. */
static void judge_effective(const struct context *context, const struct rule *rule,
                            const struct sysctl *sysctl, struct outcome *outcome)
{
	const struct predicate *predicate = rule->predicate;
	const char *value = sysctl->effective;
	bool by_equivalent;
	if (!value || !*value) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "what an interface ends up with is not known");
		return;
	}
	bool pass = met(predicate, value, &by_equivalent);
	outcome_evidence(context, outcome, &sysctl->effective_place);
	outcome->finding.found = value;
	outcome->finding.by_equivalent = pass && by_equivalent;
	outcome_set(context, outcome, pass ? VERDICT_PASS : VERDICT_FAIL, "an interface ends up with %s",
	            value);
	if (!pass)
		outcome_remark(context, outcome, ", wanted %s", rule->wanted);
	outcome_remark(context, outcome, ": %s%s",
	               sysctl->source == SYSCTL_RUNNING ? "as it stands in "
	               : sysctl->effective_place.path   ? "set by "
	                                                : "the kernel's default, which nothing changes",
	               sysctl->effective_place.path ? sysctl->effective_place.path : "");
	for (size_t i = 0; i < predicate->notes.count; i++)
		if (str_equal(predicate->notes.items[i].name, value))
			outcome_remark(context, outcome, "; %s", predicate->notes.items[i].text);
	if (!pass)
		outcome->finding.fix = fix_effective(context, sysctl, predicate->want.value);
}

/* "net.ipv4.conf.ens4.rp_filter" for "net.ipv4.conf.all.rp_filter"; not the key itself, nor that of
 * "default". */
static bool is_of_interface(const struct sysctl *row, const char *key)
{
	static const char prefix[] = "net.ipv4.conf.";
	return row->source == SYSCTL_RUNNING && str_starts(key, prefix) && str_starts(row->key, prefix) &&
	       str_ends(row->key, strrchr(key, '.')) && !str_equal(row->key, key) &&
	       !str_starts(row->key, "net.ipv4.conf.default.");
}

/*
 * The running kernel tells of each interface. The first of them that does not meet the rule stands for all,
 * else the first there is.
 */
static void take_interfaces(const struct context *context, const struct predicate *predicate,
                            struct sysctl *running)
{
	const struct sysctl *chosen = NULL;
	for (size_t i = 0; i < context->kernel->sysctls.count; i++) {
		const struct sysctl *row = &context->kernel->sysctls.items[i];
		bool ignored;
		if (!is_of_interface(row, running->key))
			continue;
		if (!chosen)
			chosen = row;
		if (!row->effective || !met(predicate, row->effective, &ignored)) {
			chosen = row;
			break;
		}
	}
	running->effective = chosen ? chosen->effective : NULL;
	if (!chosen)
		return;
	running->effective_place = chosen->effective_place;
	running->boot_place = chosen->boot_place;
	running->reason = chosen->reason;
}

/* With no kernel to judge, what the files say. */
static const struct sysctl *find_at_boot(const struct context *context, const char *key)
{
	if (context->kernel)
		return sysctl_find(context->kernel, key);
	for (size_t i = 0; i < context->facts->sysctls.count; i++)
		if (str_equal(context->facts->sysctls.items[i].key, key))
			return &context->facts->sysctls.items[i];
	return NULL;
}

void judge_sysctl(const struct context *context, const struct rule *rule, struct outcome *outcome)
{
	const struct predicate *predicate = rule->predicate;
	const struct sysctl *sysctl = find_at_boot(context, predicate->key);
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
	struct sysctl running = *sysctl;
	if (sysctl->source == SYSCTL_RUNNING && predicate->effective != EFFECTIVE_NOTE) {
		take_interfaces(context, predicate, &running);
		sysctl = &running;
	}
	if (context->facts->kind == INPUT_LIVE)
		outcome->finding.how = "live";
	if (predicate->effective == EFFECTIVE_ONLY && sysctl->source != SYSCTL_ABSENT) {
		judge_effective(context, rule, sysctl, outcome);
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
