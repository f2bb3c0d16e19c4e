// Facts in, findings out: every rule once, in the policy's order, over all kernels that are judged.
#include "policy/judge.h"

#include <string.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/command_line.h"
#include "policy/fix.h"
#include "policy/predicate.h"

const char *const context_symbols[] = {
	"X86_64",           "X86_32",        "ARM64",          "CMDLINE_BOOL",     "CMDLINE",
	"CMDLINE_OVERRIDE", "CMDLINE_FORCE", "CMDLINE_EXTEND", "INITRAMFS_SOURCE", NULL,
};

static const char *arch_of(const struct kernel *kernel)
{
	static const struct {
		const char *symbol, *arch;
	} arches[] = { { "X86_64", "x86_64" }, { "X86_32", "i386" }, { "ARM64", "arm64" } };
	/* The configuration's header says "x86" for both widths. */
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		const struct config_symbol *symbol = kernel_config_get(&kernel->config, arches[i].symbol);
		if (symbol && str_equal(symbol->value, "y"))
			return arches[i].arch;
	}
	return kernel->arch;
}

/* Could some of the menu not be read, so that there may be entries that nobody has seen? */
static bool menu_is_torn(const struct boot *boot)
{
	for (size_t i = 0; i < boot->problems.count; i++)
		if (str_equal(boot->problems.items[i].code, BOOT_MENU_UNREAD))
			return true;
	return false;
}

/* The entry that boots the kernel; with no kernel to judge, the default one. NULL where that is not known. */
static const struct boot_entry *entry_of(const struct facts *facts, const struct kernel *kernel)
{
	const struct boot *boot = &facts->boot;
	if (kernel && boot->default_known != ANSWER_YES && (kernel->disputed || menu_is_torn(boot)))
		return NULL;
	if (kernel && kernel->entry > 0 && kernel->entry <= boot->entries.count)
		return &boot->entries.items[kernel->entry - 1];
	if (!kernel && boot->default_known == ANSWER_YES && boot->default_index < boot->entries.count)
		return &boot->entries.items[boot->default_index];
	return NULL;
}

static struct context context_of(const struct facts *facts, const struct kernel *kernel, struct arena *arena)
{
	struct context context = {
		.facts = facts,
		.kernel = kernel,
		.entry = entry_of(facts, kernel),
		.family = fix_family(&facts->os),
		.arena = arena,
	};
	if (kernel) {
		context.release = kernel->version ? kernel->version : kernel->config.version;
		context.arch = arch_of(kernel);
	}
	command_line_find(&context);
	return context;
}

/* Rules of the disk are not asked of a kernel, those of the running system not of a configuration. */
static bool is_asked_of_input(const struct context *context, const struct rule *rule, struct outcome *outcome)
{
	const struct predicate *predicate = rule->predicate;
	enum input_kind kind = context->facts->kind;
	const char *reason = NULL;
	bool of_root = predicate->kind == PREDICATE_SYSCTL || predicate->kind == PREDICATE_OBSERVE ||
	               (predicate->check && predicate->check->of_root);
	if (kind == INPUT_LIVE && predicate->not_live)
		reason = predicate->not_live;
	else if (predicate->check && predicate->check->of_disk && kind != INPUT_DISK)
		reason = "no disk in this input";
	else if (predicate->check && kind != INPUT_DISK && !context->entry)
		reason = "no boot menu in this input";
	else if (of_root && !has_root_files(context->facts))
		reason = "no root file system in this input";
	if (reason)
		outcome_set(context, outcome, VERDICT_NOT_APPLICABLE, "%s", reason);
	return !reason;
}

static bool is_among(const struct arches *arches, const char *arch)
{
	for (size_t i = 0; i < arches->count; i++)
		if (str_equal(arches->items[i], arch))
			return true;
	return arches->count == 0;
}

/* "only on arm64": the option, or the device, is of another architecture. */
static bool is_asked_of_arch(const struct context *context, const struct rule *rule, struct outcome *outcome)
{
	const struct predicate *predicate = rule->predicate;
	if (predicate->arches.count == 0)
		return true;
	if (!context->arch) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the kernel's architecture is not known");
		return false;
	}
	if (is_among(&predicate->arches, context->arch))
		return true;
	outcome_set(context, outcome, VERDICT_NOT_APPLICABLE, "%s, and this kernel is %s",
	            predicate->elsewhere ? predicate->elsewhere : "only other architectures have it",
	            context->arch);
	if (predicate->options.count == 0)
		return false;
	/* The driver itself comes first, what it is built on behind it. */
	const struct option *option = &predicate->options.items[0];
	const struct config_symbol *line = kernel_config_get(&context->kernel->config, option->symbol);
	if (line && option->module && !str_equal(line->value, "n"))
		outcome_remark(context, outcome, " (it has CONFIG_%s=%s all the same)", option->symbol,
		               line->value);
	return false;
}

static bool is_of_kernel(const struct predicate *predicate)
{
	return predicate->kind == PREDICATE_KCONFIG || predicate->kind == PREDICATE_SYSCTL ||
	       predicate->arches.count > 0 || (predicate->check && predicate->check->of_kernel);
}

static void judge_predicate(const struct context *context, const struct rule *rule, struct outcome *outcome)
{
	switch (rule->predicate->kind) {
	case PREDICATE_KCONFIG:
		judge_kconfig(context, rule, outcome);
		return;
	case PREDICATE_SYSCTL:
		judge_sysctl(context, rule, outcome);
		return;
	case PREDICATE_OBSERVE:
		judge_observe(context, rule, outcome);
		return;
	case PREDICATE_CHECK:
		rule->predicate->check->judge(context, outcome);
		if (outcome->finding.verdict == VERDICT_FAIL && !outcome->finding.fix)
			outcome->finding.fix = fix_from_policy(context, rule, NULL);
		return;
	}
}

static void judge_once(const struct context *context, const struct rule *rule, struct outcome *outcome)
{
	*outcome = (struct outcome){
		.finding = { .rule = rule, .how = "read", .found = "", .wanted = rule->wanted, .reason = "" }
	};
	if (context->facts->examined == EXAMINED_NONE) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "%s",
		            context->facts->reason ? context->facts->reason : "the input was not examined");
		return;
	}
	if (!is_asked_of_input(context, rule, outcome))
		return;
	bool of_files = rule->predicate->kind == PREDICATE_SYSCTL && context->facts->sysctls.count > 0;
	bool of_kernel = rule->predicate->kind == PREDICATE_KCONFIG ||
	                 rule->predicate->kind == PREDICATE_SYSCTL || rule->predicate->arches.count > 0;
	if (of_kernel && !of_files && !context->kernel) {
		if (context->facts->kind == INPUT_TREE && context->facts->examined == EXAMINED_FULL)
			outcome_set(context, outcome, VERDICT_NOT_APPLICABLE, "no kernel in this input");
		else
			outcome_no_kernel(context, outcome);
		return;
	}
	if (!is_asked_of_arch(context, rule, outcome))
		return;
	judge_predicate(context, rule, outcome);
	judge_live(context, rule, outcome);
	if (outcome->effect == BOOT_STOPS && !is_among(&rule->predicate->stops_on, context->arch))
		outcome->effect = BOOT_MAY_STOP;
	/* The devices of arm64's machines are none that QEMU has. */
	if (outcome->finding.verdict == VERDICT_PASS && rule->predicate->proved_by_boot &&
	    context->facts->kind != INPUT_LIVE && !str_equal(context->arch, "arm64"))
		outcome_remark(context, outcome, PROVED_BY_BOOT);
}

static size_t count_judged(const struct facts *facts)
{
	size_t count = 0;
	for (size_t i = 0; i < facts->kernels.count; i++)
		count += facts->kernels.items[i].judged;
	return count;
}

/* The graver verdict; among failures that of graver effect on the boot. */
static bool is_worse(const struct outcome *a, const struct outcome *b)
{
	if (a->finding.verdict != b->finding.verdict)
		return verdict_worse(a->finding.verdict, b->finding.verdict) == a->finding.verdict;
	return a->finding.verdict == VERDICT_FAIL && a->effect < b->effect;
}

void judge_rule(const struct facts *facts, const struct rule *rule, struct arena *arena,
                struct outcome *outcome)
{
	size_t judged = count_judged(facts);
	if (judged == 0) {
		struct context context = context_of(facts, NULL, arena);
		judge_once(&context, rule, outcome);
		return;
	}
	bool first = true;
	for (size_t i = 0; i < facts->kernels.count; i++) {
		const struct kernel *kernel = &facts->kernels.items[i];
		if (!kernel->judged)
			continue;
		struct context context = context_of(facts, kernel, arena);
		struct outcome one;
		judge_once(&context, rule, &one);
		if (judged > 1 && is_of_kernel(rule->predicate))
			one.finding.reason = arena_printf(
				arena, "Linux %s: %s",
				context.release ? context.release : "of unknown version", one.finding.reason);
		if (first || is_worse(&one, outcome))
			*outcome = one;
		first = false;
		if (!is_of_kernel(rule->predicate))
			return;
	}
}

/* Does the finding bear on whether the image boots, and how? */
static enum answer boots_with(const struct outcome *outcome)
{
	if (!outcome->finding.rule->decides_boot || outcome->effect == BOOT_GOES_ON)
		return ANSWER_YES;
	if (outcome->finding.verdict == VERDICT_UNKNOWN)
		return ANSWER_UNKNOWN;
	if (outcome->finding.verdict != VERDICT_FAIL)
		return ANSWER_YES;
	return outcome->effect == BOOT_STOPS ? ANSWER_NO : ANSWER_UNKNOWN;
}

/*
 * Only a disk can be known to boot; anything else can only be known not to. A machine of the platform has
 * booted, whatever the rules expect: that is what "yes" says of it, and no more.
 */
static enum answer boots_of(const struct facts *facts, const enum answer *answers, size_t count)
{
	if (facts->kind == INPUT_LIVE && facts->hardware.platform == ANSWER_YES)
		return ANSWER_YES;
	enum answer boots = facts->kind == INPUT_DISK && count > 0 ? ANSWER_YES : ANSWER_UNKNOWN;
	for (size_t i = 0; i < count; i++) {
		if (answers[i] == ANSWER_NO)
			return ANSWER_NO;
		if (answers[i] == ANSWER_UNKNOWN)
			boots = ANSWER_UNKNOWN;
	}
	return boots;
}

void policy_judge(const struct policy *policy, const struct facts *facts, struct arena *arena,
                  struct judgement *out)
{
	*out = (struct judgement){ 0 };
	size_t count = policy->rules.count;
	enum answer *answers = arena_alloc_array(arena, count, sizeof(*answers));
	bool deciding = false;
	for (size_t i = 0; i < count; i++) {
		struct outcome outcome;
		judge_rule(facts, &policy->rules.items[i], arena, &outcome);
		*LIST_ADD(arena, &out->findings) = outcome.finding;
		out->counts[outcome.finding.verdict]++;
		answers[i] = boots_with(&outcome);
		deciding = deciding || policy->rules.items[i].decides_boot;
	}
	/* A policy without such rules says nothing of the boot. */
	out->boots = boots_of(facts, answers, deciding ? count : 0);
	for (size_t i = 0; i < count; i++)
		if (answers[i] == out->boots && out->boots != ANSWER_YES)
			*LIST_ADD(arena, &out->boots_because) = &policy->rules.items[i];
	judge_features(policy, facts, arena, out);
}

bool judgement_fails_at(const struct judgement *judgement, enum level level)
{
	if (judgement->came_up == ANSWER_NO)
		return true;
	for (size_t i = 0; i < judgement->findings.count; i++) {
		const struct finding *finding = &judgement->findings.items[i];
		if (finding->verdict == VERDICT_FAIL && finding->rule->level <= level)
			return true;
	}
	return false;
}
