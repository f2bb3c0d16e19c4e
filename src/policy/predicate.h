// How one rule is judged: what its keys say, ready for evaluation. The keys are described in
// slipway-policy(5).
#pragma once

#include "facts/run.h"
#include "policy/policy.h"
#include "policy/want.h"

struct check;
struct live_check;

/* One word of Live=: "revision=03". */
struct live_argument {
	const char *key;
	const char *value;
};

/* One configuration symbol and what it should be: "SERIAL_8250_NR_UARTS>=4". */
struct option {
	const char *symbol; /* without CONFIG_ */
	struct want want;
	const char *module;  /* that =m builds; NULL: it cannot be a module */
	const char *added;   /* first kernel that has it; NULL: all do */
	const char *removed; /* first kernel without it; NULL: none */
};

/* From this kernel on, another symbol stands for the rule's own. */
struct renaming {
	const char *version;
	const char *symbol;
};

/* A text for one case: a family of distributions, a value. */
struct variant {
	const char *name;
	const char *text;
};

/* A word of the kernel command line: "norandmaps", "rodata=off", "pci+=nomsi". */
struct defeat {
	const char *parameter;
	const char *value;   /* one of the comma-separated values; NULL: the bare word */
	bool any_occurrence; /* occurrences add up; else the last one counts */
};

/* What replaces an option's compiled-in value while the system runs. */
struct override {
	const char *symbol; /* NULL: nothing does */
	bool parameter;     /* of the kernel command line; else a sysctl */
	const char *name;
};

enum predicate_kind {
	PREDICATE_KCONFIG,
	PREDICATE_SYSCTL,
	PREDICATE_OBSERVE,
	PREDICATE_CHECK,
};

/* Where a driver built as a module must be found. */
enum module_source {
	MODULE_FROM_INITRAMFS, /* it is needed before the root file system is there */
	MODULE_FROM_ROOT,
};

/* What a rule on a sysctl makes of the value that network interfaces end up with. */
enum effective {
	EFFECTIVE_NOTE,  /* the reason says it where it differs */
	EFFECTIVE_JUDGE, /* it has to meet the rule, too */
	EFFECTIVE_ONLY,  /* it is judged in the key's place */
};

/* Architectures; none stands for all of them. */
struct arches {
	const char **items;
	size_t count;
	size_t capacity;
};

struct predicate {
	enum predicate_kind kind;
	struct arches arches;      /* on which it is asked */
	struct arches stops_on;    /* on which a failure is known to stop the boot */
	const char *elsewhere;     /* why it is not asked on others; NULL */
	bool proved_by_boot;       /* reasons say that a boot proves it */
	const char *wanted;        /* what reports call the wanted value */
	LIST(struct variant) fixes;
	LIST(struct variant) notes; /* remarks on single values */

	/* Kconfig= */
	LIST(struct option) options; /* all must be met */
	LIST(struct renaming) since; /* ascending; for rules with one option */
	LIST(struct option) stronger;
	LIST(const char *) modules; /* that a modular driver needs, its own first */
	enum module_source module_from;
	const char *only_with; /* not asked of kernels without this symbol; NULL */
	const char *lsm;       /* security module that must be switched on as well; NULL */
	LIST(struct defeat) defeats;
	struct override override;

	/* Sysctl= and Observe= */
	const char *key;
	struct want want;
	LIST(struct want) accept; /* meet it as well */
	enum effective effective;

	/* Check= */
	const struct check *check;

	/* Live= */
	const struct live_check *live; /* NULL: the running machine is judged like an image */
	LIST(struct live_argument) live_arguments;
	const char *not_live; /* why it is not asked of a running machine; NULL */

	/* Ran=, RanPass=, Symptom= */
	LIST(enum proof_id) ran;     /* all of them shown: it passes; NULL: a boot decides nothing */
	bool ran_fails;              /* the opposite shown is a failure of this rule, and not of some other */
	LIST(const char *) symptoms; /* of a failed boot, that a failure of this rule explains */
};
