#include "disk/write_behind.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "base/arena.h"

/* To write less takes no longer than to start a thread and to wake it. */
#define WORTH_A_THREAD (UINT64_C(4) << 20)
/* Address space: more than any C library asks for, and of memory only what is touched. */
#define STACK_SIZE ((size_t)256 << 10)

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0 && errno == EINTR)
		;
}

static void write_chunk(struct write_behind *behind, const struct handed_chunk *chunk)
{
	if (!behind->failed && !spool_add(behind->spool, chunk->offset, span_of(chunk->bytes, chunk->size),
	                                  chunk->zeros, &behind->failure))
		behind->failed = true;
}

static void *write_full_chunks(void *context)
{
	struct write_behind *behind = context;
	for (size_t i = 0;; i = (i + 1) % WRITE_BEHIND_CHUNKS) {
		wait_for(&behind->full);
		if (behind->ring[i].size == 0)
			return NULL;
		write_chunk(behind, &behind->ring[i]);
		sem_post(&behind->free);
	}
}

static bool start_thread(struct write_behind *behind)
{
	pthread_attr_t attributes;
	if (pthread_attr_init(&attributes) != 0)
		return false;
	bool started = pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0 &&
	               pthread_create(&behind->thread, &attributes, write_full_chunks, behind) == 0;
	pthread_attr_destroy(&attributes);
	return started;
}

static bool has_one_processor(void)
{
	cpu_set_t allowed;
	return sched_getaffinity(0, sizeof(allowed), &allowed) == 0 && CPU_COUNT(&allowed) == 1;
}

void write_behind_open(struct write_behind *behind, struct spool *spool)
{
	*behind = (struct write_behind){ .spool = spool, .alone = has_one_processor() };
	/* They fail for values alone that these are not. */
	(void)sem_init(&behind->free, 0, WRITE_BEHIND_CHUNKS);
	(void)sem_init(&behind->full, 0, 0);
}

uint8_t *write_behind_room(struct write_behind *behind)
{
	struct handed_chunk *chunk = &behind->ring[behind->next];
	if (behind->threaded && !behind->has_next)
		wait_for(&behind->free);
	behind->has_next = true;
	if (!chunk->bytes)
		chunk->bytes = xmalloc(WRITE_BEHIND_CHUNK);
	return chunk->bytes;
}

/* The chunk at `next`, which is filled, to the thread. */
static void hand_over(struct write_behind *behind)
{
	behind->next = (behind->next + 1) % WRITE_BEHIND_CHUNKS;
	behind->has_next = false;
	sem_post(&behind->full);
}

bool write_behind_add(struct write_behind *behind, uint64_t offset, size_t size, struct span zeros)
{
	struct handed_chunk *chunk = &behind->ring[behind->next];
	/* Waking the thread takes time, and most of a disk is zeros. */
	bool known = zeros.data == chunk->bytes && zeros.size >= size;
	if (size == 0 || known || span_is_zero(span_of(chunk->bytes, size)))
		return !behind->failed;
	chunk->offset = offset;
	chunk->size = size;
	chunk->zeros = zeros;
	if (behind->threaded) {
		hand_over(behind);
		return !behind->failed;
	}
	write_chunk(behind, chunk);
	behind->has_next = false;
	if (!behind->alone && behind->spool->written >= WORTH_A_THREAD) {
		behind->threaded = start_thread(behind);
		behind->alone = !behind->threaded;
	}
	return !behind->failed;
}

bool write_behind_close(struct write_behind *behind, struct error *error)
{
	if (behind->threaded) {
		write_behind_room(behind);
		behind->ring[behind->next].size = 0;
		hand_over(behind);
		pthread_join(behind->thread, NULL);
	}
	for (size_t i = 0; i < WRITE_BEHIND_CHUNKS; i++)
		free(behind->ring[i].bytes);
	sem_destroy(&behind->full);
	sem_destroy(&behind->free);
	if (behind->failed)
		*error = behind->failure;
	return !behind->failed;
}
