// Ran=, RanPass= and Symptom=: what a boot on the reference machine says of a rule.
#include "policy/keys.h"

#include <string.h>

#include "base/text.h"

static bool take_proofs(struct build *build, const struct setting *setting, bool fails)
{
	struct predicate *predicate = build->predicate;
	const char *rest = setting->value, *word;
	if (predicate->ran.count > 0)
		return COMPLAIN(build, setting, "[%.80s] has both Ran= and RanPass=; keep one",
		                build->section->name);
	while (*(word = policy_word(&rest, ",", build->arena))) {
		enum proof_id proof = proof_find(word);
		if (proof == PROOF_COUNT)
			return COMPLAIN(build, setting,
			                "there is no proof \"%.40s\"; slipway-policy(5) lists them", word);
		*LIST_ADD(build->arena, &predicate->ran) = proof;
	}
	if (predicate->ran.count == 0)
		return COMPLAIN(build, setting, "%s= names no proof; write one, as in scsi-driven",
		                setting->key);
	predicate->ran_fails = fails;
	return true;
}

bool take_ran(struct build *build, const struct setting *setting)
{
	return take_proofs(build, setting, true);
}

bool take_ran_pass(struct build *build, const struct setting *setting)
{
	return take_proofs(build, setting, false);
}

/* Which symptoms there are is known to the machine alone: here they are words. */
bool take_symptom(struct build *build, const struct setting *setting)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	const char *rest = setting->value, *word;
	while (*(word = policy_word(&rest, ",", build->arena))) {
		if (strspn(word, letters) != strlen(word))
			return COMPLAIN(build, setting,
			                "\"%.40s\" is no symptom; write one, as in kernel-panic", word);
		*LIST_ADD(build->arena, &build->predicate->symptoms) = word;
	}
	if (build->predicate->symptoms.count == 0)
		return COMPLAIN(build, setting, "Symptom= names none; write one, as in kernel-panic");
	return true;
}
