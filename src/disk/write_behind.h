// Writing behind a decoder: while it works on the next chunk of a disk, the last ones go to the scratch file.
//
// Why a thread: decoding is all computing, writing all copying into the page cache, a tenth of the time and
// more; and a regular file has no asynchronous write that a filter of system calls could look at (io_uring).
// The thread does nothing but spool_add() on chunks that are handed to it: it never allocates (its C library
// would map an arena for it, out of the address space that the worker is limited to), and no other module
// runs in it.
//
// It starts when there is enough to write to be worth it. Before, and where none can be had or there is one
// processor for both, the one who decodes writes.
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "disk/spool.h"

/* Fits into a processor's second cache together with the decoder's window: what is written is still there. */
#define WRITE_BEHIND_CHUNK  ((size_t)512 << 10)
#define WRITE_BEHIND_CHUNKS 4

struct handed_chunk {
	uint8_t *bytes; /* owned: [WRITE_BEHIND_CHUNK]; NULL until it is needed */
	uint64_t offset;
	size_t size; /* 0 in a full one: the last */
	struct span zeros;
};

/*
 * A ring of chunks. The decoder's side has the one at `next` and those behind it that are free, the thread
 * has the full ones; the semaphores count, and hand them over.
 */
struct write_behind {
	struct spool *spool; /* borrowed; the thread's, as long as it runs */
	struct handed_chunk ring[WRITE_BEHIND_CHUNKS];
	size_t next;
	bool has_next; /* the one at `next` is the decoder's already */
	sem_t free, full;
	pthread_t thread;
	bool threaded; /* a thread runs */
	bool alone;    /* none will: there is one processor, or none can be had */
	atomic_bool failed;
	struct error failure; /* whoever writes fills it, before `failed` */
};

/* Ends with write_behind_close(), whatever fails. */
void write_behind_open(struct write_behind *behind, struct spool *spool);

/* Room for the next WRITE_BEHIND_CHUNK bytes, borrowed until they are added; waits until there is some. */
uint8_t *write_behind_room(struct write_behind *behind);

/*
 * Hands over the first `size` bytes of that chunk, which belong at `offset`; `zeros` as in spool_add(). False
 * when this or an earlier one could not be written: write_behind_close() says why.
 */
NODISCARD bool write_behind_add(struct write_behind *behind, uint64_t offset, size_t size, struct span zeros);

/* Waits until all is written, and frees everything. False: *error has what spool_add() said first. */
NODISCARD bool write_behind_close(struct write_behind *behind, struct error *error);
