// The requirements as data, and their judgement: facts in, findings out. The policy never sees a byte of an
// image.
#pragma once

#include "base/text.h"
#include "facts/facts.h"
#include "facts/run.h"

enum level {
	LEVEL_REQUIRED,
	LEVEL_RECOMMENDED,
	LEVEL_ADVICE,
};

enum verdict {
	VERDICT_UNKNOWN = 0, /* where every judgement starts */
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_NOT_APPLICABLE,
	VERDICT_WAIVED,
};

extern const char *const level_names[];   /* "required", "recommended", "advice" */
extern const char *const verdict_names[]; /* "unknown", "pass", "fail", "n/a", "waived" */

/* One requirement. Strings are owned by the policy. */
struct rule {
	const char *id;      /* "kernel.virtio-scsi" */
	const char *section; /* "kernel": the id up to its first dot */
	enum level level;
	bool decides_boot;           /* a system that fails it does not boot */
	const char *title;           /* what the page asks, one line */
	const char *wanted;          /* for reports: "y", "1 or 2" */
	const char *why;             /* why it matters */
	const char *history;         /* of the option; NULL */
	const char *fix;             /* default command or edit; NULL */
	struct predicate *predicate; /* how it is judged; opaque outside policy/ */
	unsigned line;               /* in the policy file */
};

struct policy {
	const char *name;     /* "gce" */
	const char *revision; /* "2026-11" */
	LIST(struct rule) rules;
	LIST(struct rule)
	features; /* [feature.NAME]: what an image may be declared with; they have no level */
	struct arena arena;
};

/*
 * Parses policy text (INI, see slipway-policy(5)). An error names the line and what to write instead.
 * policy_free() is owed on success only.
 */
NODISCARD bool policy_parse(struct span text, const char *name, struct policy *out, struct error *error);
/* The policy that is built into the program: policy/gce.conf. */
NODISCARD bool policy_builtin(struct policy *out, struct error *error);
void policy_free(struct policy *policy);
const struct rule *policy_rule(const struct policy *policy, const char *id);

/* How any system meets a rule, lines with '\n' between; NULL: that depends on the image alone. */
const char *policy_advice(const struct rule *rule, struct arena *arena);

/* What a failure does to the boot, as one sentence; NULL: nothing that is known. */
const char *policy_boot_effect(const struct rule *rule, struct arena *arena);

/* What facts the rules will ask for; names are borrowed from the policy and allocated in the arena. */
void policy_questions(const struct policy *policy, struct arena *arena, struct questions *out);

struct finding {
	const struct rule *rule;
	enum verdict verdict;
	bool by_equivalent; /* met by another symbol or a stronger value */
	const char *how;    /* "read": from the image; "ran": on the reference machine; "live" */
	const char *found;  /* what is there: "m", "0", "absent"; "" when nothing is known */
	const char *wanted;
	const char *reason; /* one sentence, no full stop */
	const char *why;    /* why this failure matters; NULL: what the rule says */
	const char *fix;    /* a command or edit for this image; NULL unless it failed */
	LIST(struct place) evidence;
};

struct judgement {
	LIST(struct finding) findings; /* every rule once, in the policy's order */
	uint64_t counts[5];            /* by enum verdict */
	enum answer boots;
	enum answer came_up; /* on the reference machine; unknown: it was not booted there, or that decided
	                        nothing */
	LIST(const struct rule *) boots_because; /* the failed or unknown rules that decide it */
	LIST(const char *) features;             /* guest OS features with evidence: "UEFI_COMPATIBLE", ... */
	const char *features_note;               /* what cannot be proved offline, one sentence */
};

/* Judges one input. Strings live in `arena` or are borrowed from facts and policy. */
void policy_judge(const struct policy *policy, const struct facts *facts, struct arena *arena,
                  struct judgement *out);

/*
 * Puts what ran beside what was read: `judgement` is that of policy_judge() on the same facts, and becomes
 * that of both. A finding that a run decides is "ran", with the evidence of both; what no run decided stays
 * as it was read. Strings live in `arena` or are borrowed from facts, runs and policy.
 */
void policy_join(const struct policy *policy, const struct facts *facts, const struct run *runs,
                 size_t run_count, struct arena *arena, struct judgement *judgement);

/* Does a failure of this rule explain the symptom of that name? */
bool policy_explains(const struct rule *rule, const char *symptom);

/* Has the judgement a failure at this level or a graver one? An image that did not come up has failed. */
bool judgement_fails_at(const struct judgement *judgement, enum level level);
