// What the rules will ask for, each name once, in the policy's order.
#include "policy/checks.h"
#include "policy/judge.h"
#include "policy/predicate.h"
#include "policy/symbol.h"

struct asking {
	struct arena *arena;
	LIST(const char *) symbols;
	LIST(const char *) modules;
	LIST(const char *) early_modules;
	LIST(const char *) sysctls;
};

#define ASK(asking, list, name)                                                                              \
	do {                                                                                                 \
		const char *asked_name = (name);                                                             \
		bool asked_before = asked_name == NULL;                                                      \
		for (size_t asked = 0; asked < (asking)->list.count && !asked_before; asked++)               \
			asked_before = str_equal((asking)->list.items[asked], asked_name);                   \
		if (!asked_before)                                                                           \
			*LIST_ADD((asking)->arena, &(asking)->list) = asked_name;                            \
	} while (0)

static void ask_predicate(struct asking *asking, const struct predicate *predicate)
{
	for (size_t i = 0; i < predicate->options.count; i++) {
		ASK(asking, symbols, predicate->options.items[i].symbol);
		ASK(asking, modules, symbol_witness(predicate->options.items[i].symbol));
	}
	for (size_t i = 0; i < predicate->since.count; i++)
		ASK(asking, symbols, predicate->since.items[i].symbol);
	for (size_t i = 0; i < predicate->stronger.count; i++)
		ASK(asking, symbols, predicate->stronger.items[i].symbol);
	for (size_t i = 0; i < predicate->modules.count; i++) {
		ASK(asking, modules, predicate->modules.items[i]);
		if (predicate->module_from != MODULE_FROM_ROOT)
			ASK(asking, early_modules, predicate->modules.items[i]);
	}
	ASK(asking, symbols, predicate->only_with);
	if (predicate->lsm)
		ASK(asking, symbols, "LSM");
	if (predicate->override.symbol && !predicate->override.parameter)
		ASK(asking, sysctls, predicate->override.name);
	if (predicate->kind == PREDICATE_SYSCTL)
		ASK(asking, sysctls, predicate->key);
	if (!predicate->check)
		return;
	for (size_t i = 0; predicate->check->symbols && predicate->check->symbols[i]; i++)
		ASK(asking, symbols, predicate->check->symbols[i]);
	for (size_t i = 0; predicate->check->modules && predicate->check->modules[i]; i++) {
		ASK(asking, modules, predicate->check->modules[i]);
		ASK(asking, early_modules, predicate->check->modules[i]);
	}
}

void policy_questions(const struct policy *policy, struct arena *arena, struct questions *out)
{
	struct asking asking = { .arena = arena };
	for (size_t i = 0; i < policy->rules.count; i++)
		ask_predicate(&asking, policy->rules.items[i].predicate);
	for (size_t i = 0; i < policy->features.count; i++)
		ask_predicate(&asking, policy->features.items[i].predicate);
	for (size_t i = 0; context_symbols[i]; i++)
		ASK(&asking, symbols, context_symbols[i]);
	*out = (struct questions){
		.symbols = { asking.symbols.items, asking.symbols.count },
		.modules = { asking.modules.items, asking.modules.count },
		.early_modules = { asking.early_modules.items, asking.early_modules.count },
		.sysctls = { asking.sysctls.items, asking.sysctls.count },
	};
}
