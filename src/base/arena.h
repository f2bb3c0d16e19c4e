// Memory that lives and dies together: all that one input's facts need.
//
// Nothing in an arena is freed by itself. Allocation never returns NULL: a process whose arena is
// used up stops at once with EXIT_OUT_OF_MEMORY, which the parent of a worker reports as "not fully
// examined". That keeps hundreds of never-tested failure paths out of the readers.
#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "base/span.h"

/* Exit status of a process that hit its memory limit; the sandbox recognises it. */
#define EXIT_OUT_OF_MEMORY 77

struct arena {
	struct arena_block *blocks; /* newest first, owned */
	size_t used;                /* bytes handed out */
	size_t limit;               /* most bytes to hand out; 0 for no limit */
};

/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
/* A copy with a terminator; stops at the first NUL. */
char *arena_string(struct arena *arena, struct span text);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF(2, 3);
void arena_free(struct arena *arena);

/* malloc and realloc that stop the process instead of returning NULL. */
void *xmalloc(size_t size);
void *xrealloc(void *memory, size_t size);

/*
 * A growing array in an arena. `LIST(struct partition) partitions;` declares one with the members
 * items, count and capacity; LIST_ADD gives a pointer to a new zeroed element (moved by the next add).
 */
#define LIST(type)                                                                                           \
	struct {                                                                                             \
		type *items;                                                                                 \
		size_t count;                                                                                \
		size_t capacity;                                                                             \
	}

#define LIST_ADD(arena, list)                                                                                \
	((list)->items = list_reserve((arena), (list)->items, (list)->count, &(list)->capacity,              \
	                              sizeof(*(list)->items)),                                               \
	 &(list)->items[(list)->count++])

void *list_reserve(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size);
