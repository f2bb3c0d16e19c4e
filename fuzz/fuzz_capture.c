// What a guest sends of itself: a tar of its /proc and /sys, which may be packed, read as a running machine,
// sent to the parent and judged there with what ran.
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "facts/wire.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const struct facts *facts)
{
	(void)context;
	(void)facts;
}

static void gather(const uint8_t *data, size_t size, const struct questions *questions, struct text *message)
{
	int file = memfd_create("input", 0), scratch = memfd_create("scratch", 0);
	if (file < 0 || scratch < 0 || write(file, data, size) != (ssize_t)size)
		abort();
	struct arena arena = { 0 };
	struct facts facts = { 0 };
	struct input input = input_of_file("capture", file);
	input.source = SOURCE_CAPTURE;
	input.scratch = scratch;
	input.scratch_most = 4 << 20;
	facts_gather(&input, questions, ignore, NULL, &arena, &facts);
	wire_encode(&facts, message);
	arena_free(&arena);
	close(file);
	close(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy policy;
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct questions questions = { 0 };
	struct facts facts = { 0 };
	struct judgement judgement;
	struct text message CLEANUP(text_free) = { 0 };
	if (policy.rules.count == 0 && !policy_builtin(&policy, &error))
		abort();
	policy_questions(&policy, &arena, &questions);
	gather(data, size, &questions, &message);
	if (!wire_decode(span_of(message.data, message.size), &arena, &facts, &error))
		abort();
	if (facts.examined != EXAMINED_FULL && !facts.reason)
		abort();
	policy_judge(&policy, &facts, &arena, &judgement);
	for (size_t i = 0; i < judgement.findings.count; i++)
		if (!judgement.findings.items[i].reason)
			abort();
	arena_free(&arena);
	return 0;
}
