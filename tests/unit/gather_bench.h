// Inputs in the making, and the facts that are gathered of them.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "facts/facts.h"
#include "images.h"
#include "live/machine.h"

struct bench {
	struct arena arena;
	struct questions questions;
	struct facts facts;
	unsigned checkpoints;
};

static inline void count(void *context, const struct facts *facts)
{
	struct bench *bench = context;
	assert_ptr_equal(facts, &bench->facts);
	bench->checkpoints++;
}

static inline void gather_bytes(struct bench *bench, struct span bytes)
{
	FILE *file = tool_file(bytes);
	struct input input = input_of_file("disk.raw", fileno(file));
	facts_gather(&input, &bench->questions, count, bench, &bench->arena, &bench->facts);
	fclose(file);
}

static inline const struct kernel *kernel_of(const struct bench *bench, const char *version)
{
	for (size_t i = 0; i < bench->facts.kernels.count; i++)
		if (str_equal(bench->facts.kernels.items[i].version, version))
			return &bench->facts.kernels.items[i];
	fail_msg("no kernel %s", version);
	return NULL;
}

static char release[] = "6.5.0", hardware[] = "aarch64";
static const struct machine_answers answers = { .release = release, .hardware = hardware };
