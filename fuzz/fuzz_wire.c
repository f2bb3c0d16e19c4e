// The facts as a taken-over worker could send them: the parent must refuse or accept, never stumble.
#include "facts/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct facts facts;
	struct text again = { 0 };
	/* What was accepted can be sent on. */
	if (wire_decode(span_of(data, size), &arena, &facts, &error))
		wire_encode(&facts, &again);
	text_free(&again);
	arena_free(&arena);
	return 0;
}
