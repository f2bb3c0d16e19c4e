// What was found, by the names of rules.
#pragma once

#include "base/text.h"
#include "policy/policy.h"

static inline const struct finding *find_finding(const struct judgement *judgement, const char *id)
{
	for (size_t i = 0; i < judgement->findings.count; i++)
		if (str_equal(judgement->findings.items[i].rule->id, id))
			return &judgement->findings.items[i];
	fail_msg("no rule %s", id);
	return NULL;
}
