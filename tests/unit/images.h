// File systems for tests, made by the real tools: a shell script writes the file "image".
#pragma once

#include "base/text.h"
#include "fs/fs.h"
#include "tools.h"

/* An image in memory and what fs_identify() says of it. */
struct image {
	struct arena arena;
	struct budget budget;
	struct span bytes; /* copied: a test may change them, through image_bytes() */
	struct reader reader;
	struct filesystem fs;
	bool known;
};

/* Runs a script in a folder of its own; the content of "image" there is the result. */
static inline struct span image_script(const char *script, struct arena *arena)
{
	struct text text = { 0 };
	text_printf(&text,
	            "set -eu; PATH=$PATH:/usr/sbin:/sbin; export TZ=UTC LC_ALL=C.UTF-8 MTOOLS_SKIP_CHECK=1\n"
	            "folder=$(mktemp -d); trap 'rm -rf \"$folder\"' EXIT; cd \"$folder\"; umask 022\n"
	            "{ %s\n} >/dev/null\ncat image\n",
	            script);
	struct span image = tool_filter(COMMAND("sh"), span_text(text.data), arena);
	text_free(&text);
	return image;
}

static inline void image_identify(struct image *image)
{
	image->budget = budget_default();
	image->reader = reader_of_span(&image->bytes);
	image->known = fs_identify(&image->reader, 7, &image->budget, &image->arena, &image->fs);
}

static inline void image_make(struct image *image, const char *script)
{
	*image = (struct image){ 0 };
	image->bytes = image_script(script, &image->arena);
	image_identify(image);
}

static inline uint8_t *image_bytes(struct image *image)
{
	return (uint8_t *)(uintptr_t)image->bytes.data;
}

static inline void image_free(struct image *image)
{
	fs_close(&image->fs);
	arena_free(&image->arena);
}

static inline const struct problem *image_problem(const struct image *image, const char *code)
{
	for (size_t i = 0; i < image->fs.problems.count; i++)
		if (str_equal(image->fs.problems.items[i].code, code))
			return &image->fs.problems.items[i];
	return NULL;
}
