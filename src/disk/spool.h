// A disk on its way into a file without a name: looked at for zeros as it is written, so that it takes the
// room of what it holds, and is read like a sparse file afterwards.
#pragma once

#include "base/error.h"
#include "base/span.h"

struct spool {
	int file;         /* borrowed; empty, written at any place */
	uint64_t written; /* bytes that are no holes */
	uint64_t most;    /* of those */
};

/*
 * The bytes that belong at `offset`; `zeros` is a part of them that is known to be zeros, or empty.
 * ERROR_LIMIT: there is no more room; ERROR_IO.
 */
NODISCARD bool spool_add(struct spool *spool, uint64_t offset, struct span bytes, struct span zeros,
                         struct error *error);

/* Nothing more comes: gives the file its size, which may end in a hole. */
NODISCARD bool spool_end(const struct spool *spool, uint64_t size, struct error *error);
