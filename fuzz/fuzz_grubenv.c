// GRUB's environment block.
#include <string.h>

#include "boot/grubenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct grubenv env = { 0 };
	struct error error = { 0 };
	if (grubenv_parse(span_of(data, size), &arena, &env, &error))
		for (size_t i = 0; i < env.entries.count; i++)
			if (!*env.entries.items[i].name || strlen(env.entries.items[i].value) > size)
				__builtin_trap();
	arena_free(&arena);
	return 0;
}
