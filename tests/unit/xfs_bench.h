// A small xfs that mkfs.xfs made, to be changed by a test.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "images.h"

#define ID "01234567-89ab-cdef-0123-456789abcdef"

/* /file, /link, /dir with 200 names (one block and its index outside of it), /wide with more, /numbers. */
#define PROTO                                                                                                \
	"seq 20000 > numbers; : > e\n"                                                                       \
	"{ echo '/ 0 0 d--755 0 0'; echo 'numbers ---644 7 100000 numbers'\n"                                \
	"echo 'file -u-751 0 0 e'; echo 'link l--777 0 0 dir/name-7'\n"                                      \
	"echo 'dir d--755 0 0'; for i in $(seq 200); do echo \"name-$i ---644 0 0 e\"; done; echo '$'\n"     \
	"echo 'wide d--755 0 0'; for i in $(seq 900); do echo \"name-$i ---644 0 0 e\"; done; echo '$'\n"    \
	"echo '$'; } > proto; truncate -s 24M image\n"
#define MKFS "mkfs.xfs -q -f --unsupported -b size=1024 -p proto -L label -m uuid=" ID

#define V5_SCRIPT PROTO MKFS " image"
#define V4_SCRIPT PROTO MKFS ",crc=0 image"

/* What every test starts from is made once. */
static struct span made[2];
static struct arena making;

static inline void image_of(struct image *image, int version)
{
	struct span *sound = &made[version - 4];
	*image = (struct image){ 0 };
	if (!sound->data)
		*sound = image_script(version == 5 ? V5_SCRIPT : V4_SCRIPT, &making);
	image->bytes = joined(*sound, (struct span){ 0 }, &image->arena);
	image_identify(image);
	assert_true(image->known);
}

static inline void put_be(uint8_t *at, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

static inline uint64_t get_be(const uint8_t *at, size_t width)
{
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value = value << 8 | at[i];
	return value;
}

static inline void must_open(struct image *image)
{
	struct error error;
	if (!fs_open(&image->fs, &error))
		fail_msg("%s", error.message);
}

static inline int free_made(void **state)
{
	(void)state;
	arena_free(&making);
	return 0;
}
