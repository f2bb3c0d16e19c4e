// The parts of a judgement, one function a predicate.
#pragma once

#include "policy/outcome.h"

/* Configuration symbols that every judgement needs: the architecture and the compiled-in command line. */
extern const char *const context_symbols[];

void judge_kconfig(const struct context *context, const struct rule *rule, struct outcome *outcome);
void judge_sysctl(const struct context *context, const struct rule *rule, struct outcome *outcome);
void judge_observe(const struct context *context, const struct rule *rule, struct outcome *outcome);

/* Of the running machine: puts what is really there in the place of what the rule's predicate says of it. */
void judge_live(const struct context *context, const struct rule *rule, struct outcome *outcome);

/* Behind the reason of a pass that ProvedBy=boot marks, while nothing has been booted. */
#define PROVED_BY_BOOT "; a boot on the reference machine proves it"

/* NULL: the key was not asked for. */
const struct sysctl *sysctl_find(const struct kernel *kernel, const char *key);

/* Judges one rule or feature over all judged kernels and keeps the worst. */
void judge_rule(const struct facts *facts, const struct rule *rule, struct arena *arena,
                struct outcome *outcome);

/* Fills judgement->features and features_note. */
void judge_features(const struct policy *policy, const struct facts *facts, struct arena *arena,
                    struct judgement *out);
