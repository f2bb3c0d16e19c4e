// The keys that say how a rule is judged, one row a key.
#pragma once

#include "policy/ini.h"
#include "policy/predicate.h"

/* What a section is being made into. */
struct build {
	const struct document *document;
	struct section *section;
	struct arena *arena;
	struct rule *rule;
	struct predicate *predicate;
	struct error *error;
};

/* One key: for which predicates it means something, and how its value is taken. */
struct key {
	const char *name;
	unsigned kinds; /* bits: 1 << enum predicate_kind */
	bool (*take)(struct build *build, const struct setting *setting);
};

/* In the order in which they are taken; ends with a NULL name. */
extern const struct key predicate_keys[];

#define COMPLAIN(build, setting, ...)                                                                        \
	document_error((build)->document, (setting)->line, (build)->error, __VA_ARGS__)

/* Takes the next word off *text, up to a blank or one of `stops`; "" at the end. */
const char *policy_word(const char **text, const char *stops, struct arena *arena);

/* keys_ran.c */
bool take_ran(struct build *build, const struct setting *setting);
bool take_ran_pass(struct build *build, const struct setting *setting);
bool take_symptom(struct build *build, const struct setting *setting);
