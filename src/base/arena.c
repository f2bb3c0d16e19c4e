#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"

#define BLOCK_SIZE ((size_t)64 << 10)
#define ALIGNMENT  _Alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) uint8_t bytes[];
};

NORETURN static void out_of_memory(void)
{
	static const char message[] = "slipway: out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, message, sizeof(message) - 1);
	(void)ignored;
	_exit(EXIT_OUT_OF_MEMORY);
}

void *xmalloc(size_t size)
{
	void *memory = malloc(size ? size : 1);
	if (!memory)
		out_of_memory();
	return memory;
}

void *xrealloc(void *memory, size_t size)
{
	void *moved = realloc(memory, size ? size : 1);
	if (!moved)
		out_of_memory();
	return moved;
}

static struct arena_block *add_block(struct arena *arena, size_t need)
{
	size_t size = need > BLOCK_SIZE ? need : BLOCK_SIZE;
	size_t whole;
	if (__builtin_add_overflow(size, sizeof(struct arena_block), &whole))
		out_of_memory();
	struct arena_block *block = calloc(1, whole);
	if (!block)
		out_of_memory();
	block->size = size;
	/* A block of its own for a large request goes behind the current one, which keeps its room. */
	if (arena->blocks && need > BLOCK_SIZE / 4) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t need;
	if (__builtin_add_overflow(size, ALIGNMENT - 1, &need))
		out_of_memory();
	need &= ~(size_t)(ALIGNMENT - 1);
	if (need == 0)
		need = ALIGNMENT;
	if (arena->limit && (arena->used > arena->limit || need > arena->limit - arena->used))
		out_of_memory();

	struct arena_block *block = arena->blocks;
	if (!block || block->size - block->used < need)
		block = add_block(arena, need);
	void *memory = block->bytes + block->used;
	block->used += need;
	arena->used += need;
	return memory;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t whole;
	if (!mul_size(count, size, &whole))
		out_of_memory();
	return arena_alloc(arena, whole);
}

char *arena_string(struct arena *arena, struct span text)
{
	const uint8_t *end = text.size ? memchr(text.data, 0, text.size) : NULL;
	size_t length = end ? (size_t)(end - text.data) : text.size;
	char *copy = arena_alloc(arena, length + 1);
	if (length)
		memcpy(copy, text.data, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_string(arena, span_text(text)) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		out_of_memory();
	char *text = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;
		free(arena->blocks);
		arena->blocks = next;
	}
	arena->used = 0;
}

void *list_reserve(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	size_t larger = *capacity ? *capacity * 2 : 8;
	void *moved = arena_alloc_array(arena, larger, size);
	if (count)
		memcpy(moved, items, count * size);
	*capacity = larger;
	return moved;
}
