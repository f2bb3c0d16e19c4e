// One allowance of work for a whole input, shared by every reader of it. A crafted image can make any
// single structure look reasonable; it cannot make the sum of them fit.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct budget {
	uint64_t inflated_left; /* bytes that decompressors may still take or produce */
	uint64_t steps_left;    /* entries, nodes, blocks, tokens that walks may still visit */
};

/* The allowance of one input: 4 GiB inflated, 20 million steps. */
struct budget budget_default(void);

/* Takes from the budget; false with ERROR_LIMIT, naming `what`, when it is used up. */
NODISCARD bool budget_inflate(struct budget *budget, uint64_t bytes, const char *what, struct error *error);
NODISCARD bool budget_step(struct budget *budget, uint64_t steps, const char *what, struct error *error);
