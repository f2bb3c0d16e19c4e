// What the runs say of one rule: the proofs that its Ran= names, and the guest's own view.
#include "policy/join.h"

#include <string.h>

#include "base/text.h"
#include "policy/predicate.h"

/*
 * How far a system has to have come before "the opposite was seen" says something of it: what fails earlier
 * takes all of these along.
 */
static enum run_phase phase_of(enum proof_id id)
{
	switch (id) {
	case PROOF_NET_DRIVEN: /* its driver may be on the root file system */
	case PROOF_NET_CHECKSUM:
	case PROOF_NET_TSO4:
	case PROOF_NET_GRO4:
	case PROOF_LOGIN:
		return RUN_INIT;
	default:
		return RUN_KERNEL;
	}
}

/* Any machine with a console shows these; the others are of the page's devices. */
static bool is_of_devices(enum proof_id id)
{
	return id != PROOF_CONSOLE && id != PROOF_LOGIN;
}

static bool has_come_to(const struct run *run, enum run_phase phase)
{
	for (unsigned at = phase; at < RUN_PHASES; at++)
		if (run->steps[at].reached)
			return true;
	return false;
}

bool run_counts(const struct run *run)
{
	return run->end == RUN_CAME_UP || run->end == RUN_FAILED || run->end == RUN_HUNG;
}

/* The consoles of a kernel that has no command line are its user's to name: those that slipway would, too. */
static bool is_harmless(const struct join *join, struct span word)
{
	static const char *const louder[] = { "debug",
		                              "ignore_loglevel",
		                              "initcall_debug",
		                              "log_buf_len",
		                              "printk.devkmsg",
		                              "printk.time",
		                              "rd.debug",
		                              "rd.udev.log_level",
		                              "systemd.log_level",
		                              "systemd.show_status",
		                              "udev.log_level" };
	const char *text = arena_string(join->arena, word);
	size_t name = strcspn(text, "=");
	for (size_t i = 0; i < ARRAY_SIZE(louder); i++)
		if (strlen(louder[i]) == name && strncmp(louder[i], text, name) == 0)
			return true;
	return join->facts->kind == INPUT_KERNEL &&
	       (str_starts(text, "console=ttyS0") || str_starts(text, "console=ttyAMA0"));
}

bool run_is_altered(const struct join *join, const struct run *run)
{
	const char *at = run->appended ? run->appended : "";
	for (at += strspn(at, " \t\n"); *at; at += strspn(at, " \t\n")) {
		size_t length = strcspn(at, " \t\n");
		if (!is_harmless(join, span_of(at, length)))
			return true;
		at += length;
	}
	return false;
}

const char *ran_where(const struct join *join, const struct run *run)
{
	if (join->run_count < 2 || !run->firmware)
		return "";
	if (str_equal(run->firmware, "none"))
		return "with the kernel loaded directly";
	return arena_printf(join->arena, "with %s", run->firmware);
}

struct place ran_place(const struct join *join, const struct run *run, const struct place *place)
{
	struct place out = *place;
	if (join->run_count > 1 && place->path)
		out.path = arena_printf(join->arena, "%s/%s", run_folder(run->firmware), place->path);
	return out;
}

/* Is `item` one of a list "a, with BIOS; b"? Where it ends; 0: it is not. */
static size_t end_in(const char *list, const char *item, const char *behind)
{
	for (const char *at = list; (at = strstr(at, item)); at++) {
		const char *end = at + strlen(item);
		if ((at == list || (at - list > 1 && at[-1] == ' ' && at[-2] == ';')) &&
		    str_starts(end, behind) && (*behind || !*end || *end == ';'))
			return (size_t)(end - list);
	}
	return 0;
}

/* Another run showed what one before it did: "it was read, with BIOS and with UEFI" */
static bool add_where(const struct join *join, const char *reason, const char *where, struct ran *out)
{
	size_t end = *where ? end_in(out->reason, reason, ", with ") : 0;
	if (end == 0)
		return false;
	end += strcspn(out->reason + end, ";");
	const char *rest = out->reason + end;
	if (!str_ends(arena_string(join->arena, span_of(out->reason, end)), where))
		out->reason = arena_printf(join->arena, "%.*s and %s%s", (int)end, out->reason, where, rest);
	return true;
}

/* Puts one thing seen behind the others. The worst counts: a NO, then a YES; what is not known adds nothing.
 */
static void take(const struct join *join, const struct run *run, enum answer shown, const char *reason,
                 struct ran *out)
{
	const char *where = ran_where(join, run);
	const char *said = reason ? reason : "", *text = said;
	if (*where)
		text = arena_printf(join->arena, "%s, %s", said, where);
	/* What was seen replaces what was not, and a failure everything. */
	bool graver = shown == ANSWER_NO ? out->shown != ANSWER_NO
	                                 : shown == ANSWER_YES && out->shown == ANSWER_UNKNOWN;
	if (graver)
		out->reason = text;
	else if (shown == out->shown && !add_where(join, said, where, out) && !strstr(out->reason, text))
		out->reason = *out->reason ? arena_printf(join->arena, "%s; %s", out->reason, text) : text;
	if (graver)
		out->shown = shown;
}

static void add_found(const struct join *join, const char *found, struct ran *out)
{
	if (!found || !*found || (out->found && end_in(out->found, found, "") > 0))
		return;
	out->found = out->found ? arena_printf(join->arena, "%s; %s", out->found, found) : found;
}

/* What a proof says of the page's machine. */
static enum answer shown_of(const struct run *run, enum proof_id id)
{
	return !run->is_reference && is_of_devices(id) ? ANSWER_UNKNOWN : run->proofs[id].shown;
}

/* All proofs of the rule in one run: one NO is a NO, and all have to be YES. */
static enum answer all_proofs(const struct run *run, const struct predicate *predicate)
{
	enum answer all = ANSWER_YES;
	for (size_t i = 0; i < predicate->ran.count; i++) {
		enum proof_id id = predicate->ran.items[i];
		enum answer shown = shown_of(run, id);
		if (shown == ANSWER_NO && !has_come_to(run, phase_of(id)))
			shown = ANSWER_UNKNOWN;
		if (id == PROOF_LOGIN && shown == ANSWER_NO && run->end != RUN_CAME_UP)
			shown = ANSWER_UNKNOWN;
		if (shown == ANSWER_NO)
			return ANSWER_NO;
		if (shown == ANSWER_UNKNOWN)
			all = ANSWER_UNKNOWN;
	}
	return all;
}

static const char *why_unknown(const struct run *run, enum proof_id id)
{
	const struct proof *proof = &run->proofs[id];
	if (!run->is_reference && is_of_devices(id))
		return "the machine that it was booted on is not the page's";
	if (proof->shown == ANSWER_NO)
		return "it did not come that far";
	return proof->reason ? proof->reason : "nothing was seen that decides it";
}

/* Firmware has its part in getting the system up: a kernel that was loaded without it shows nothing of that.
 */
static bool is_of_firmware(const struct rule *rule)
{
	return str_equal(rule->section, "image");
}

static void ask_proofs(const struct join *join, const struct run *run, const struct rule *rule,
                       struct ran *out)
{
	const struct predicate *predicate = rule->predicate;
	if (predicate->ran.count == 0 || (str_equal(run->firmware, "none") && is_of_firmware(rule)))
		return;
	enum answer all = all_proofs(run, predicate);
	for (size_t i = 0; i < predicate->ran.count; i++) {
		enum proof_id id = predicate->ran.items[i];
		const struct proof *proof = &run->proofs[id];
		/* Of several only those that decide are said: the one that failed, or all that were seen. */
		if (all != ANSWER_YES && shown_of(run, id) == ANSWER_YES)
			continue;
		if (all == ANSWER_NO && shown_of(run, id) != ANSWER_NO)
			continue;
		/* More than this rule may be at fault: the requirement that is is found by its symptom. */
		enum answer says = all == ANSWER_NO && !predicate->ran_fails ? ANSWER_UNKNOWN : all;
		take(join, run, says, all == ANSWER_UNKNOWN ? why_unknown(run, id) : proof->reason, out);
		if (says == ANSWER_UNKNOWN)
			continue;
		/* A check wants something of its own, which the words for a device do not answer. */
		if (predicate->kind == PREDICATE_KCONFIG) {
			add_found(join, proof->found, out);
			out->wanted = "at work on the machine";
		}
		for (size_t p = 0; p < proof->evidence.count; p++)
			*LIST_ADD(join->arena, &out->evidence) =
				ran_place(join, run, &proof->evidence.items[p]);
	}
}

/* The sections of which the guest's own /proc and /sys say as much as the image's files, or more. */
static bool is_of_running_system(const struct rule *rule)
{
	return words_have("sysctl kernel security hardware", rule->section) ||
	       rule->predicate->kind == PREDICATE_SYSCTL;
}

/* A file that the image has as well shows nothing that was not read: only the kernel that runs does. */
static bool is_seen_running(const struct finding *finding)
{
	if (finding->rule->predicate->kind != PREDICATE_KCONFIG || str_equal(finding->how, "live"))
		return true;
	for (size_t i = 0; i < finding->evidence.count; i++)
		if (str_starts(finding->evidence.items[i].path ? finding->evidence.items[i].path : "",
		               "/proc/"))
			return true;
	return false;
}

/* The guest saw itself. Where it was judged by its kernel's options alone, those are of /proc/config.gz. */
static void ask_inside(const struct join *join, size_t run, size_t n, struct ran *out)
{
	const struct judgement *inside = join->insides[run];
	if (!inside)
		return;
	const struct finding *finding = &inside->findings.items[n];
	bool hardware = str_equal(finding->rule->section, "hardware");
	if (!is_of_running_system(finding->rule) || !is_seen_running(finding) ||
	    (hardware && !str_equal(finding->how, "live")) || (hardware && !join->runs[run].is_reference) ||
	    (finding->verdict != VERDICT_PASS && finding->verdict != VERDICT_FAIL))
		return;
	bool passes = finding->verdict == VERDICT_PASS;
	take(join, &join->runs[run], passes ? ANSWER_YES : ANSWER_NO,
	     arena_printf(join->arena, "the guest's own view: %s", finding->reason), out);
	/* What was asked of a device by another measure does not fit to the guest's own words for it. */
	if (!out->found) {
		out->found = finding->found;
		out->wanted = finding->wanted;
		out->by_equivalent = finding->by_equivalent;
	}
	out->fix = passes ? out->fix : finding->fix;
	for (size_t i = 0; i < finding->evidence.count; i++)
		*LIST_ADD(join->arena, &out->evidence) = finding->evidence.items[i];
}

/* ACPI and PNP are parts of the kernel itself; every driver may be a module. */
static bool takes_modules(const struct predicate *predicate)
{
	for (size_t i = 0; i < predicate->ran.count; i++)
		if (predicate->ran.items[i] != PROOF_ACPI && predicate->ran.items[i] != PROOF_PNP)
			return true;
	return false;
}

/*
 * A kernel by itself has none of its modules with it: that nothing drives a device is no failure of it, and
 * what was read of its configuration stands.
 */
static void spare_modules(const struct join *join, const struct rule *rule, struct ran *out)
{
	if (join->facts->kind == INPUT_DISK || out->shown != ANSWER_NO ||
	    !str_equal(rule->section, "hardware") || !takes_modules(rule->predicate))
		return;
	out->shown = ANSWER_UNKNOWN;
	out->reason = arena_printf(join->arena, "%s, where a kernel runs without its modules", out->reason);
}

void ran_find(const struct join *join, size_t n, struct ran *out)
{
	const struct rule *rule = join->judgement->findings.items[n].rule;
	struct ran altered = { .reason = "" };
	const char *appended = NULL;
	*out = (struct ran){ .reason = "" };
	for (size_t i = 0; i < join->run_count; i++) {
		const struct run *run = &join->runs[i];
		if (!run_counts(run))
			continue;
		bool is_altered = run_is_altered(join, run);
		appended = is_altered ? run->appended : appended;
		ask_proofs(join, run, rule, is_altered ? &altered : out);
		ask_inside(join, i, n, is_altered ? &altered : out);
	}
	spare_modules(join, rule, out);
	if (out->shown == ANSWER_UNKNOWN && altered.shown != ANSWER_UNKNOWN)
		out->reason =
			arena_printf(join->arena,
		                     "%s%s%s, with \"%s\" appended to the command line, which is nothing "
		                     "that was given to judge",
		                     out->reason, *out->reason ? "; " : "", altered.reason, appended);
}
