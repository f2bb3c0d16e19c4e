// A machine's /sys and /proc, in the form of memory_parse(): read, and judged by the built-in policy as one
// of the platform's.
#include "../tests/unit/memory_fs.h"
#include "live/machine.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy policy;
	static char offloads[] = "ens4 tx-checksum-ip-generic -rx-gro\n";
	const struct machine_answers answers = { .offloads = offloads };
	struct memory_fs files = { 0 };
	struct arena arena = { 0 };
	struct budget budget = budget_default();
	struct error error = { 0 };
	struct facts facts = { .kind = INPUT_LIVE, .examined = EXAMINED_FULL };
	struct judgement judgement;
	if (policy.rules.count == 0 && !policy_builtin(&policy, &error))
		__builtin_trap();
	memory_parse(&files, span_of(data, size));
	struct tree tree = memory_tree(&files);
	hardware_read(&tree, &answers, &budget, &arena, &facts.hardware);
	facts.hardware.platform = ANSWER_YES;
	struct kernel *kernel = LIST_ADD(&arena, &facts.kernels);
	kernel->arch = "x86_64";
	kernel->judged = true;
	policy_judge(&policy, &facts, &arena, &judgement);
	for (size_t i = 0; i < judgement.findings.count; i++)
		if (!judgement.findings.items[i].reason || !judgement.findings.items[i].wanted)
			__builtin_trap();
	arena_free(&arena);
	memory_free(&files);
	return 0;
}
