// Any bytes as a kernel file: its header, its payload, and the configuration inside.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/kernel_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_of(data, size);
	struct reader reader = reader_of_span(&input);
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct kernel_image image;
	struct budget budget = { .inflated_left = 1 << 22 };
	if (kernel_image_read(&reader, &budget, &arena, &image, &error)) {
		struct span config;
		if (!image.format || !image.compression ||
		    (image.version && !strstr(image.banner, image.version)))
			abort();
		if (kernel_image_config(&reader, &image, &budget, &arena, &config, &error) &&
		    config.data[config.size] != 0)
			abort();
	}
	arena_free(&arena);
	return 0;
}
