// Guest OS features: what an image may be declared with when it is created, each with its evidence.
#include "policy/checks.h"
#include "policy/judge.h"
#include "policy/predicate.h"

void judge_features(const struct policy *policy, const struct facts *facts, struct arena *arena,
                    struct judgement *out)
{
	for (size_t i = 0; i < policy->features.count; i++) {
		struct outcome outcome;
		judge_rule(facts, &policy->features.items[i], arena, &outcome);
		if (outcome.finding.verdict == VERDICT_PASS)
			*LIST_ADD(arena, &out->features) =
				policy->features.items[i].id + sizeof("feature.") - 1;
	}
	out->features_note = "MULTI_IP_SUBNET cannot be proved from an image: declare it if the guest is "
			     "configured for it";
}
