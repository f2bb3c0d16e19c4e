// Policy text of a user: parsed, asked for its questions, and judged against nothing.
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy policy;
	struct error error;
	if (!policy_parse(span_of(data, size), "fuzz.conf", &policy, &error))
		return 0;
	struct arena arena = { 0 };
	struct questions questions;
	policy_questions(&policy, &arena, &questions);
	const struct facts kinds[] = { { .kind = INPUT_DISK, .examined = EXAMINED_FULL },
		                       { .kind = INPUT_CONFIG, .examined = EXAMINED_PARTIAL } };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct facts facts = kinds[i];
		struct kernel *kernel = LIST_ADD(&arena, &facts.kernels);
		kernel->judged = true;
		kernel->arch = "x86_64";
		kernel->version = "6.1.0";
		kernel->config.complete = ANSWER_YES;
		struct judgement judgement;
		policy_judge(&policy, &facts, &arena, &judgement);
	}
	arena_free(&arena);
	policy_free(&policy);
	return 0;
}
