// The bytes of a cpio archive as a stream, wherever they come from: a file, where contents are skipped
// without being read, or a decoder, where they must be unpacked to be passed over.
#pragma once

#include "base/budget.h"
#include "base/reader.h"
#include "codec/codec.h"

/* The most that can be asked of archive_fill(). */
#define ARCHIVE_AHEAD ((size_t)8 << 10)

struct archive {
	const struct reader *file; /* borrowed */
	struct decoder *decoder;   /* borrowed; NULL: the file itself is the archive */
	uint64_t position;         /* of the next byte: in the file, or in what the decoder gives */
	uint8_t *buffer;           /* owned */
	size_t begin, end;         /* what of the buffer is loaded and not yet passed */
	bool ended;                /* nothing follows the buffer */
};

/* Starts at `position` of the file, or at the first byte of the decoder. archive_close() is owed. */
void archive_open(struct archive *out, const struct reader *file, struct decoder *decoder, uint64_t position);
void archive_close(struct archive *archive);

/* Loads until `want` bytes lie ahead or the archive ends. */
NODISCARD bool archive_fill(struct archive *archive, size_t want, struct error *error);
/* What is loaded; valid until the next call. */
struct span archive_ahead(const struct archive *archive);
NODISCARD bool archive_skip(struct archive *archive, uint64_t count, struct error *error);
/* Passes zeros; afterwards a byte lies ahead, or the archive has ended. */
NODISCARD bool archive_skip_zeros(struct archive *archive, struct budget *budget, struct error *error);

/* How to speak of `position` in a message. */
const char *archive_where(const struct archive *archive);
