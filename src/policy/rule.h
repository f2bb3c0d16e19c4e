// One section of a policy file, made into a rule.
#pragma once

#include "policy/ini.h"
#include "policy/policy.h"

/* `level` false: a feature, which has none. Fills *rule from the section's settings. */
NODISCARD bool rule_build(const struct document *document, struct section *section, bool has_level,
                          struct arena *arena, struct rule *rule, struct error *error);
