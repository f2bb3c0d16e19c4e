// Any bytes as any of the formats: whatever they are, the decoder stays inside its budget.
#include <stdint.h>
#include <stdlib.h>

#include "codec/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_of(data, size);
	struct reader reader = reader_of_span(&input);
	struct arena arena = { 0 };
	struct budget budget = { .inflated_left = 1 << 20 };
	struct error error = { 0 };
	struct span out;
	if (codec_load(&reader, 0, 1 << 19, &budget, &arena, &out, &error)) {
		if (out.size > 1 << 19 || out.data[out.size] != 0)
			abort();
	} else if (error.code == ERROR_NONE || error.message[0] == '\0') {
		abort();
	}
	arena_free(&arena);
	return 0;
}
