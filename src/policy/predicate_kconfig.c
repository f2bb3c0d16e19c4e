// Kconfig=: options of the kernel, through all that became of them: renamed, merged, removed, met by
// something stronger, defeated by the command line, built as a module that something must load in time.
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policy/command_line.h"
#include "policy/fix.h"
#include "policy/judge.h"
#include "policy/symbol.h"

/* A rule's judgement of one kernel while it grows. */
struct work {
	const struct context *context;
	const struct rule *rule;
	const struct predicate *predicate;
	struct outcome *outcome;
	enum verdict verdict;
	struct text good, bad, unsure; /* clauses of the reason */
	struct text found;             /* of several symbols */
	struct text changes;           /* arguments of scripts/config */
	bool modular;                  /* a symbol is =m */
	unsigned judged;               /* options that this kernel has */
	const char *single;            /* found value of a rule with one option */
};

static bool older_than(const struct context *context, const char *version)
{
	return version && context->release && version_compare(context->release, version) < 0;
}

static bool reached(const struct context *context, const char *version)
{
	return version && context->release && version_compare(context->release, version) >= 0;
}

static void add_clause(struct text *text, const char *clause)
{
	if (text->size > 0)
		text_add(text, ", ");
	text_add(text, clause);
}

/* The symbol that stands for the option in this kernel. */
static const struct renaming *renaming_of(const struct work *work)
{
	const struct predicate *predicate = work->predicate;
	for (size_t i = predicate->since.count; i-- > 0;) {
		const struct renaming *renaming = &predicate->since.items[i];
		if (reached(work->context, renaming->version))
			return renaming;
		/* No version: the newest name that has a line. */
		if (!work->context->release &&
		    kernel_config_get(&work->context->kernel->config, renaming->symbol))
			return renaming;
	}
	return NULL;
}

static bool wants(const struct option *option, const char *value)
{
	return option->want.compare == COMPARE_EQUAL && str_equal(option->want.value, value);
}

/* The argument of scripts/config that would meet the option; `hidden`: what it depends on is missing. */
static void add_change(struct work *work, const struct option *option, const char *symbol, bool hidden)
{
	if (hidden)
		fix_add_menus(&work->changes, symbol);
	if (wants(option, "y")) {
		fix_add_enable(&work->changes, symbol);
		return;
	}
	if (work->changes.size > 0)
		text_add_char(&work->changes, ' ');
	if (wants(option, "m"))
		text_printf(&work->changes, "--module %s", symbol);
	else if (wants(option, "n"))
		text_printf(&work->changes, "--disable %s", symbol);
	else
		text_printf(&work->changes, "--set-val %s %s", symbol, option->want.value);
}

static void worsen(struct work *work, enum verdict verdict)
{
	work->verdict = verdict_worse(work->verdict, verdict);
}

/* What replaces the option's value at run time; false when nothing does. */
static bool overridden(struct work *work, const struct option *option, const char **value)
{
	const struct override *override = &work->predicate->override;
	if (!override->symbol || !str_equal(override->symbol, option->symbol))
		return false;
	if (override->parameter) {
		*value = command_line_last(work->context, override->name);
		if (*value)
			outcome_evidence(work->context, work->outcome, &work->context->command_line_place);
		return *value != NULL;
	}
	const struct sysctl *sysctl = sysctl_find(work->context->kernel, override->name);
	if (!sysctl || !sysctl->value ||
	    (sysctl->source != SYSCTL_FILE && sysctl->source != SYSCTL_COMMAND_LINE &&
	     sysctl->source != SYSCTL_RUNNING))
		return false;
	*value = sysctl->value;
	outcome_evidence(work->context, work->outcome, &sysctl->place);
	return true;
}

static void add_found(struct work *work, const char *symbol, const char *found)
{
	work->single = found;
	if (work->found.size > 0)
		text_add(&work->found, ", ");
	text_printf(&work->found, "%s=%s", symbol, found);
}

static void judge_override(struct work *work, const struct option *option, const char *value)
{
	const char *name = work->predicate->override.name;
	bool met = want_met(&option->want, value);
	const char *clause = arena_printf(work->context->arena, "%s=%s takes the place of CONFIG_%s%s%s",
	                                  name, value, option->symbol, met ? "" : ", wanted ",
	                                  met ? "" : want_text(&option->want, work->context->arena));
	add_found(work, option->symbol, value);
	add_clause(met ? &work->good : &work->bad, clause);
	worsen(work, met ? VERDICT_PASS : VERDICT_FAIL);
	if (met)
		work->outcome->finding.by_equivalent = true;
	else if (work->predicate->override.parameter)
		work->outcome->finding.fix = fix_command_line(work->context, name, NULL);
	else
		work->outcome->finding.fix = fix_sysctl(
			work->context, sysctl_find(work->context->kernel, name), option->want.value);
}

/* One symbol that this kernel should have. */
static void judge_option(struct work *work, const struct option *option)
{
	const struct context *context = work->context;
	const struct renaming *renaming = renaming_of(work);
	const char *symbol = renaming ? renaming->symbol : option->symbol, *value;
	struct symbol_reading reading = symbol_read(context, symbol, option->module);
	outcome_evidence(context, work->outcome, &reading.place);
	if (overridden(work, option, &value)) {
		judge_override(work, option, value);
		return;
	}
	add_found(work, symbol, symbol_found(&reading));
	const char *clause = symbol_text(symbol, &reading, context->arena);
	if (!reading.known) {
		worsen(work, VERDICT_UNKNOWN);
		/* What is the same of all symbols is said once. */
		if (!strstr(text_get(&work->unsure), clause))
			add_clause(&work->unsure, clause);
		return;
	}
	if (renaming)
		clause = arena_printf(context->arena, "%s, which stands for CONFIG_%s since %s", clause,
		                      option->symbol, renaming->version);
	if (want_met(&option->want, reading.value)) {
		worsen(work, VERDICT_PASS);
		add_clause(&work->good, clause);
		work->outcome->finding.by_equivalent |= renaming != NULL;
		return;
	}
	if (wants(option, "y") && str_equal(reading.value, "m") && option->module) {
		worsen(work, VERDICT_PASS);
		add_clause(&work->good, clause);
		work->modular = true;
		return;
	}
	worsen(work, VERDICT_FAIL);
	if (!wants(option, "y") && !wants(option, "n"))
		clause = arena_printf(context->arena, "%s, wanted %s", clause,
		                      want_text(&option->want, context->arena));
	add_clause(&work->bad, clause);
	add_change(work, option, symbol, !reading.present && !reading.reason);
}

/* An option that this kernel is too old or too new for. False: it has it. */
static bool outside(struct work *work, const struct option *option)
{
	const struct context *context = work->context;
	bool older = older_than(context, option->added);
	/* What is said of the version rests on the kernel itself, or on its configuration's header. */
	if (older || reached(context, option->removed))
		outcome_evidence(context, work->outcome,
		                 context->kernel->version && context->kernel->place.path
		                         ? &context->kernel->place
		                         : &context->kernel->config.place);
	if (older) {
		add_clause(&work->good,
		           arena_printf(context->arena, "Linux %s has no CONFIG_%s, which is new in %s",
		                        context->release, option->symbol, option->added));
		return true;
	}
	if (!reached(context, option->removed))
		return false;
	add_clause(&work->good, arena_printf(context->arena, "CONFIG_%s was removed in Linux %s",
	                                     option->symbol, option->removed));
	if (wants(option, "n")) {
		work->judged++;
		work->single = "absent";
		worsen(work, VERDICT_PASS);
	}
	return true;
}

static void judge_options(struct work *work)
{
	for (size_t i = 0; i < work->predicate->options.count; i++) {
		const struct option *option = &work->predicate->options.items[i];
		if (outside(work, option))
			continue;
		work->judged++;
		judge_option(work, option);
	}
}

/* Something that does more than the rule's own option, or the same under another name. */
static bool met_by_stronger(struct work *work)
{
	struct arena *arena = work->context->arena;
	for (size_t i = 0; i < work->predicate->stronger.count; i++) {
		const struct option *option = &work->predicate->stronger.items[i];
		/* What an option that does not exist yet would switch off is always there. */
		if (older_than(work->context, option->added))
			continue;
		struct symbol_reading reading = symbol_read(work->context, option->symbol, NULL);
		if (!reading.known || !want_met(&option->want, reading.value))
			continue;
		outcome_evidence(work->context, work->outcome, &reading.place);
		work->outcome->finding.by_equivalent = true;
		work->verdict = VERDICT_PASS;
		work->judged = 1;
		work->single = arena_printf(arena, "%s=%s", option->symbol, reading.value);
		text_clear(&work->good);
		text_printf(&work->good, "%s meets it as well", symbol_text(option->symbol, &reading, arena));
		return true;
	}
	return false;
}

/* Sorts the needed modules into those that can be loaded in time, those that cannot, and the rest. */
struct module_tally {
	struct text there, missing, unsure;
};

static void tally_module(const struct work *work, const char *name, struct module_tally *tally)
{
	const struct kernel *kernel = work->context->kernel;
	const struct kernel_module *module = module_find(kernel, name);
	bool from_root = work->predicate->module_from == MODULE_FROM_ROOT;
	if (module && module->state == MODULE_BUILTIN)
		return;
	/* That it is carried does not show that a root file system, which is not here, has it as well. */
	bool unsure =
		!module || (from_root && !has_root_files(work->context->facts)) ||
		(module->state == MODULE_UNKNOWN && (from_root || module->in_initramfs == ANSWER_UNKNOWN));
	if (unsure) {
		text_add_words(&tally->unsure, name);
		return;
	}
	outcome_evidence(work->context, work->outcome, &module->place);
	if (module->state == MODULE_ABSENT)
		text_add_words(&tally->missing, name);
	else if (from_root || module->in_initramfs == ANSWER_YES)
		text_add_words(&tally->there, name);
	else if (module->in_initramfs == ANSWER_NO && kernel->initramfs_read != ANSWER_NO)
		text_add_words(&tally->missing, module->missing && *module->missing ? module->missing : name);
	else
		text_add_words(&tally->unsure, name);
}

/* Why nothing can be said of the initramfs; NULL when something can. */
static const char *initramfs_unknown(const struct context *context)
{
	const struct kernel *kernel = context->kernel;
	if (kernel_has_own_initramfs(kernel))
		return "the kernel has an initramfs of its own inside (CONFIG_INITRAMFS_SOURCE), which is "
		       "not read";
	if (kernel->initramfs.path && kernel->initramfs_read == ANSWER_NO)
		return kernel->initramfs_reason ? kernel->initramfs_reason : "the initramfs cannot be read";
	if (!kernel->initramfs.path && (!context->entry || context->facts->kind == INPUT_LIVE))
		return "which initramfs boots with this kernel is not known";
	return NULL;
}

static void judge_carried(struct work *work, struct module_tally *tally)
{
	const struct context *context = work->context;
	const struct kernel *kernel = context->kernel;
	const char *unknown = initramfs_unknown(context);
	outcome_evidence(context, work->outcome, &kernel->initramfs);
	if (unknown) {
		worsen(work, VERDICT_UNKNOWN);
		add_clause(&work->unsure,
		           arena_printf(context->arena, "%s, and %s", text_get(&work->good), unknown));
		return;
	}
	if (!kernel->initramfs.path) {
		worsen(work, VERDICT_FAIL);
		add_clause(&work->bad,
		           arena_printf(context->arena, "%s, and the entry that boots it has no initramfs",
		                        text_get(&work->good)));
		work->outcome->modules = arena_strdup(context->arena, text_get(&tally->missing));
		return;
	}
	if (tally->missing.size > 0) {
		worsen(work, VERDICT_FAIL);
		add_clause(&work->bad, arena_printf(context->arena, "%s, and the initramfs does not carry %s",
		                                    text_get(&work->good), text_get(&tally->missing)));
		work->outcome->modules = arena_strdup(context->arena, text_get(&tally->missing));
	} else if (tally->unsure.size > 0) {
		worsen(work, VERDICT_UNKNOWN);
		add_clause(&work->unsure,
		           arena_printf(context->arena,
		                        "%s, and whether the initramfs carries %s is not known",
		                        text_get(&work->good), text_get(&tally->unsure)));
	} else {
		text_printf(&work->good, ", and the initramfs carries %s", text_get(&tally->there));
		work->outcome->finding.by_equivalent = true;
	}
}

static const char *plural(const struct text *words)
{
	return strchr(text_get(words), ' ') ? "s" : "";
}

static void judge_installed(struct work *work, struct module_tally *tally)
{
	struct arena *arena = work->context->arena;
	if (tally->missing.size > 0) {
		worsen(work, VERDICT_FAIL);
		add_clause(&work->bad, arena_printf(arena, "%s, and the root file system has no module%s %s",
		                                    text_get(&work->good), plural(&tally->missing),
		                                    text_get(&tally->missing)));
		work->outcome->finding.fix =
			arena_printf(arena, "install all modules of %s: make modules_install, then depmod %s",
		                     work->context->release ? work->context->release : "the kernel",
		                     fix_release(work->context));
	} else if (tally->unsure.size > 0) {
		worsen(work, VERDICT_UNKNOWN);
		add_clause(&work->unsure,
		           arena_printf(
				   arena, "%s, and whether the root file system has module%s %s is not known",
				   text_get(&work->good), plural(&tally->unsure), text_get(&tally->unsure)));
	} else {
		text_printf(&work->good, ", and the root file system has %s", text_get(&tally->there));
		work->outcome->finding.by_equivalent = true;
	}
}

static void judge_modules(struct work *work)
{
	struct module_tally tally = { 0 };
	for (size_t i = 0; i < work->predicate->modules.count; i++)
		tally_module(work, work->predicate->modules.items[i], &tally);
	if (work->predicate->module_from == MODULE_FROM_ROOT)
		judge_installed(work, &tally);
	else
		judge_carried(work, &tally);
	text_free(&tally.there);
	text_free(&tally.missing);
	text_free(&tally.unsure);
}

/* A security module that is built in runs only if it is listed; since 5.1, in CONFIG_LSM or lsm=. */
static void judge_lsm(struct work *work)
{
	const struct context *context = work->context;
	const char *lsm = work->predicate->lsm;
	if (!lsm)
		return;
	/* Vendors have taken the list into older kernels; where its line is, the list counts. */
	struct symbol_reading reading = symbol_read(context, "LSM", NULL);
	if (older_than(context, "5.1") && !reading.present)
		return;
	const char *given = command_line_last(context, "lsm");
	if (given) {
		outcome_evidence(context, work->outcome, &context->command_line_place);
		if (list_has(given, lsm))
			return;
		worsen(work, VERDICT_FAIL);
		add_clause(&work->bad,
		           arena_printf(context->arena,
		                        "%s, but lsm=%s on the command line leaves %s switched off",
		                        text_get(&work->good), given, lsm));
		work->outcome->finding.fix =
			fix_command_line(context, arena_printf(context->arena, "lsm=%s", given), NULL);
		return;
	}
	outcome_evidence(context, work->outcome, &reading.place);
	if (!reading.known || !reading.present) {
		worsen(work, VERDICT_UNKNOWN);
		add_clause(&work->unsure,
		           arena_printf(context->arena, "%s, and whether CONFIG_LSM lists %s is not known",
		                        text_get(&work->good), lsm));
	} else if (!list_has(reading.value, lsm)) {
		worsen(work, VERDICT_FAIL);
		add_clause(&work->bad,
		           arena_printf(context->arena, "%s, but CONFIG_LSM=\"%s\" leaves %s switched off",
		                        text_get(&work->good), reading.value, lsm));
		const char *list =
			*reading.value ? arena_printf(context->arena, "%s,%s", lsm, reading.value) : lsm;
		work->outcome->finding.fix =
			fix_command_line(context, NULL, arena_printf(context->arena, "lsm=%s", list));
	}
}

static void judge_defeats(struct work *work)
{
	const struct context *context = work->context;
	const char *defeat = command_line_defeat(context, work->predicate);
	if (!defeat)
		return;
	outcome_evidence(context, work->outcome, &context->command_line_place);
	worsen(work, VERDICT_FAIL);
	add_clause(&work->bad, arena_printf(context->arena, "%s, but %s on the command line defeats it",
	                                    text_get(&work->good), defeat));
	work->outcome->finding.fix = fix_command_line(context, defeat, NULL);
}

static void conclude(struct work *work)
{
	const struct context *context = work->context;
	struct outcome *outcome = work->outcome;
	struct finding *finding = &outcome->finding;
	const struct text *reason = work->verdict == VERDICT_FAIL      ? &work->bad
	                            : work->verdict == VERDICT_UNKNOWN ? &work->unsure
	                                                               : &work->good;
	outcome_set(context, outcome, work->verdict, "%s", text_get(reason));
	if (work->judged == 1)
		finding->found = work->single;
	else
		finding->found = arena_strdup(context->arena, text_get(&work->found));
	if (work->verdict != VERDICT_PASS)
		finding->by_equivalent = false;
	if (work->verdict != VERDICT_FAIL || finding->fix)
		return;
	finding->fix = fix_from_policy(context, work->rule, NULL);
	if (!finding->fix && work->changes.size > 0)
		finding->fix = fix_rebuild(context, text_get(&work->changes));
	if (!finding->fix && outcome->modules && *outcome->modules)
		finding->fix = fix_initramfs(context, outcome->modules);
}

static bool asked_of(struct work *work)
{
	const char *only = work->predicate->only_with;
	if (!only)
		return true;
	struct symbol_reading reading = symbol_read(work->context, only, NULL);
	if (!reading.known || !str_equal(reading.value, "n"))
		return true;
	outcome_evidence(work->context, work->outcome, &reading.place);
	outcome_set(work->context, work->outcome, VERDICT_NOT_APPLICABLE, "%s",
	            symbol_text(only, &reading, work->context->arena));
	return false;
}

static void judge(struct work *work)
{
	judge_options(work);
	if (work->judged == 0) {
		outcome_set(work->context, work->outcome, VERDICT_NOT_APPLICABLE, "%s",
		            text_get(&work->good));
		return;
	}
	bool stronger = work->verdict != VERDICT_PASS && met_by_stronger(work);
	if (work->verdict == VERDICT_PASS && work->modular)
		judge_modules(work);
	if (work->verdict == VERDICT_PASS && !stronger)
		judge_lsm(work);
	if (work->verdict == VERDICT_PASS && !stronger)
		judge_defeats(work);
	conclude(work);
}

void judge_kconfig(const struct context *context, const struct rule *rule, struct outcome *outcome)
{
	struct work work = {
		.context = context,
		.rule = rule,
		.predicate = rule->predicate,
		.outcome = outcome,
		.verdict = VERDICT_NOT_APPLICABLE,
		.single = "",
	};
	if (asked_of(&work))
		judge(&work);
	text_free(&work.good);
	text_free(&work.bad);
	text_free(&work.unsure);
	text_free(&work.found);
	text_free(&work.changes);
}
