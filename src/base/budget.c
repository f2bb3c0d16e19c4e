#include "base/budget.h"

#include <inttypes.h>

struct budget budget_default(void)
{
	return (struct budget){
		.inflated_left = UINT64_C(4) << 30,
		.steps_left = 20 * 1000 * 1000,
	};
}

static bool take(uint64_t *left, uint64_t amount, const char *what, const char *unit, struct error *error)
{
	if (amount > *left) {
		*left = 0;
		return error_set(error, ERROR_LIMIT, "%s asks for more %s than an input may use", what, unit);
	}
	*left -= amount;
	return true;
}

bool budget_inflate(struct budget *budget, uint64_t bytes, const char *what, struct error *error)
{
	return take(&budget->inflated_left, bytes, what, "decompressed bytes", error);
}

bool budget_step(struct budget *budget, uint64_t steps, const char *what, struct error *error)
{
	return take(&budget->steps_left, steps, what, "steps", error);
}
