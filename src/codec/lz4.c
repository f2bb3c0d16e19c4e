// lz4 as the kernel has it: the legacy frame of lz4_Frame_format.md, by our own loop over liblz4's block
// decoder.
//   0  le32  0x184c2102
//   then blocks, each  le32 size of the compressed block, and the block; all give 8 MiB but the last
// The frame does not say where it ends. It ends with the input, and before a size that cannot be one: zero
// (padding), the magic of the next frame, or more than 8 MiB can grow to (another archive).
#include <stdlib.h>
#include <string.h>

#include "codec/formats.h"

#define LEGACY_MAGIC "\x02\x21\x4c\x18"

static bool lz4_matches(struct span head)
{
	return span_has(head, 0, LEGACY_MAGIC, 4);
}

#ifdef HAVE_LZ4

#include <lz4.h>

#define BLOCK_SIZE     (8 << 20)
#define BLOCK_SIZE_MAX ((size_t)LZ4_COMPRESSBOUND(BLOCK_SIZE))
#define WORD           ((size_t)4)

struct legacy {
	bool begun;               /* the magic is behind us */
	uint8_t size_bytes[WORD]; /* of the next block, as far as it has come in */
	size_t block_size;        /* 0 while its size is still to be read */
	size_t gathered;          /* bytes of size_bytes or of packed */
	uint64_t boundary;        /* offset of the size: here the frame may end */
	uint8_t *packed;          /* one block, owned */
	uint8_t *content;         /* one block unpacked, owned */
	size_t content_size, content_given;
};

static bool lz4_open(struct decoder *decoder, struct error *error)
{
	(void)error;
	struct legacy *legacy = xmalloc(sizeof(*legacy));
	*legacy = (struct legacy){ .packed = xmalloc(BLOCK_SIZE_MAX), .content = xmalloc(BLOCK_SIZE) };
	decoder->state = legacy;
	return true;
}

/* Moves input to `into` until it holds `want` bytes; false while it does not. */
static bool gather(struct decoder *decoder, struct legacy *legacy, uint8_t *into, size_t want)
{
	size_t more = want - legacy->gathered;
	if (more > decoder->input.size)
		more = decoder->input.size;
	if (more > 0)
		memcpy(into + legacy->gathered, decoder->input.data, more);
	decoder_use(decoder, more);
	legacy->gathered += more;
	if (legacy->gathered < want)
		return false;
	legacy->gathered = 0;
	return true;
}

/* Ends the frame at its last boundary: what was taken of the next size is given back. */
static void end_frame(struct decoder *decoder, const struct legacy *legacy)
{
	decoder->next = legacy->boundary;
	decoder->input = (struct span){ 0 };
	decoder->finished = true;
}

/* The magic, or the size of the next block. */
static void take_word(struct decoder *decoder, struct legacy *legacy)
{
	if (legacy->gathered == 0)
		legacy->boundary = decoder_offset(decoder);
	bool at_end = decoder->input.size == 0;
	if (!gather(decoder, legacy, legacy->size_bytes, WORD)) {
		if (at_end && legacy->begun)
			end_frame(decoder, legacy);
		return;
	}
	struct span word = span_of(legacy->size_bytes, WORD);
	uint32_t size = 0;
	if (!get_le32(word, 0, &size))
		return;
	if (!legacy->begun)
		legacy->begun = true;
	else if (size == 0 || size > BLOCK_SIZE_MAX || lz4_matches(word))
		end_frame(decoder, legacy);
	else
		legacy->block_size = size;
}

static bool unpack_block(struct legacy *legacy, struct error *error)
{
	int got = LZ4_decompress_safe((const char *)legacy->packed, (char *)legacy->content,
	                              (int)legacy->block_size, BLOCK_SIZE);
	if (got < 0)
		return error_set(error, ERROR_CORRUPT, "lz4 data are damaged");
	legacy->content_size = (size_t)got;
	legacy->content_given = 0;
	legacy->block_size = 0;
	return true;
}

static bool lz4_step(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got,
                     struct error *error)
{
	struct legacy *legacy = decoder->state;
	if (legacy->content_given < legacy->content_size) {
		size_t size = legacy->content_size - legacy->content_given;
		*got = size < capacity ? size : capacity;
		memcpy(buffer, legacy->content + legacy->content_given, *got);
		legacy->content_given += *got;
	} else if (legacy->block_size == 0) {
		take_word(decoder, legacy);
	} else if (gather(decoder, legacy, legacy->packed, legacy->block_size)) {
		return unpack_block(legacy, error);
	}
	return true;
}

static void lz4_close(struct decoder *decoder)
{
	struct legacy *legacy = decoder->state;
	free(legacy->packed);
	free(legacy->content);
	free(legacy);
}

#else

static bool lz4_open(struct decoder *decoder, struct error *error)
{
	return codec_not_built(decoder, "liblz4", error);
}

#define lz4_step  NULL
#define lz4_close NULL

#endif

const struct codec codec_lz4 = {
	.name = "lz4",
	.matches = lz4_matches,
	.open = lz4_open,
	.step = lz4_step,
	.close = lz4_close,
};
