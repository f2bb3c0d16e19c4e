#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec/formats.h"

#define INPUT_SIZE  ((size_t)64 << 10)
/* What is read to its end anyway goes in fewer and longer steps: each costs a copy of the window. */
#define FEED_SIZE   ((size_t)128 << 10)
#define LOAD_CHUNK  ((size_t)64 << 10)
#define NOTHING_NEW ((size_t)16)

const struct codec *const codecs[] = {
	&codec_gzip,  &codec_xz,   &codec_zstd, &codec_lz4, &codec_lz4_frame,
	&codec_bzip2, &codec_lzma, &codec_lzo,  NULL,
};

const struct codec *codec_of(struct span head)
{
	for (const struct codec *const *codec = codecs; *codec; codec++)
		if ((*codec)->matches(head))
			return *codec;
	return NULL;
}

const struct codec *codec_detect(const struct reader *in, uint64_t offset)
{
	uint8_t head[CODEC_HEAD];
	uint64_t left = offset < in->size ? in->size - offset : 0;
	size_t size = left < sizeof(head) ? (size_t)left : sizeof(head);
	struct error ignored = { 0 };
	if (!reader_read(in, offset, head, size, &ignored))
		return NULL;
	return codec_of(span_of(head, size));
}

bool codec_not_built(const struct decoder *decoder, const char *library, struct error *error)
{
	return error_set(error, ERROR_UNSUPPORTED,
	                 "%s data: this build has no %s, install it and build again", decoder->codec->name,
	                 library);
}

static bool begin(struct decoder *out, struct decoder decoder, struct error *error)
{
	if (!decoder.codec->open(&decoder, error))
		return false;
	decoder.buffer = xmalloc(decoder.capacity);
	*out = decoder;
	return true;
}

bool decoder_open(struct decoder *out, const struct codec *codec, const struct reader *in, uint64_t offset,
                  struct budget *budget, struct error *error)
{
	struct decoder decoder = {
		.codec = codec, .in = in, .budget = budget, .next = offset, .capacity = INPUT_SIZE
	};
	if (offset > in->size)
		return error_set(error, ERROR_TRUNCATED,
		                 "%s data at offset %" PRIu64 " lie behind the end at %" PRIu64, codec->name,
		                 offset, in->size);
	return begin(out, decoder, error);
}

bool decoder_open_feed(struct decoder *out, const struct codec *codec, feed_fn *feed, void *state,
                       struct budget *budget, struct error *error)
{
	struct decoder decoder = {
		.codec = codec, .feed = feed, .feed_state = state, .budget = budget, .capacity = FEED_SIZE
	};
	return begin(out, decoder, error);
}

void decoder_close(struct decoder *decoder)
{
	if (decoder->codec && decoder->codec->close)
		decoder->codec->close(decoder);
	free(decoder->buffer);
	*decoder = (struct decoder){ 0 };
}

void decoder_use(struct decoder *decoder, size_t count)
{
	decoder->input = span_from(decoder->input, count);
}

void decoder_found_zeros(struct decoder *decoder, struct span zeros)
{
	struct span *known = &decoder->zeros;
	if (known->size > 0 && known->data + known->size == zeros.data)
		known->size += zeros.size;
	else
		*known = zeros;
}

struct span decoder_zeros(const struct decoder *decoder)
{
	return decoder->zeros;
}

uint64_t decoder_offset(const struct decoder *decoder)
{
	return decoder->next - decoder->input.size;
}

static bool load(struct decoder *decoder, uint8_t *into, size_t room, size_t *got, struct error *error)
{
	if (decoder->feed)
		return decoder->feed(decoder->feed_state, into, room, got, error);
	uint64_t left = decoder->in->size - decoder->next;
	*got = left < room ? (size_t)left : room;
	return reader_read(decoder->in, decoder->next, into, *got, error);
}

/* Loads the next piece of input behind what is left of the last; at the end of the input none, which is no
 * error. */
static bool refill(struct decoder *decoder, struct error *error)
{
	size_t kept = decoder->input.size, got;
	if (kept > 0)
		memmove(decoder->buffer, decoder->input.data, kept);
	decoder->input = span_of(decoder->buffer, kept);
	if (!load(decoder, decoder->buffer + kept, decoder->capacity - kept, &got, error) ||
	    /* What goes in costs as what comes out: there are data without end that give nothing. */
	    !budget_inflate(decoder->budget, got, decoder->codec->name, error))
		return false;
	decoder->next += got;
	decoder->input.size += got;
	return true;
}

bool decoder_at_end(const struct decoder *decoder)
{
	return decoder->input.size == 0;
}

bool decoder_next(struct decoder *decoder, bool *more, struct error *error)
{
	*more = false;
	do {
		if (decoder->input.size < CODEC_HEAD && !refill(decoder, error))
			return false;
		size_t zeros = 0;
		while (zeros < decoder->input.size && decoder->input.data[zeros] == 0)
			zeros++;
		decoder_use(decoder, zeros);
		if (zeros == 0 && decoder->input.size == 0)
			return true;
	} while (decoder->input.size == 0);
	if (decoder->input.size < CODEC_HEAD && !refill(decoder, error))
		return false;
	if (!decoder->codec->matches(decoder->input))
		return true;
	decoder->codec->close(decoder);
	decoder->state = NULL;
	if (!decoder->codec->open(decoder, error)) {
		decoder->codec = NULL; /* nothing of it is left to close */
		return false;
	}
	decoder->finished = false;
	*more = true;
	return true;
}

/* One step of the format, paid for; a step that neither takes nor gives anything ends the data. */
static bool step(struct decoder *decoder, uint8_t *buffer, size_t capacity, size_t *got, unsigned *idle,
                 struct error *error)
{
	const char *name = decoder->codec->name;
	if (decoder->input.size == 0 && !refill(decoder, error))
		return false;
	uint64_t before = decoder_offset(decoder);
	bool at_end = decoder->input.size == 0;
	*got = 0;
	if (!decoder->codec->step(decoder, buffer, capacity, got, error))
		return false;
	if (*got > 0)
		return budget_inflate(decoder->budget, *got, name, error);
	if (decoder->finished || decoder_offset(decoder) != before)
		return true;
	if (at_end)
		return error_set(error, ERROR_TRUNCATED, "%s data end too early, at offset %" PRIu64, name,
		                 before);
	if (++*idle > NOTHING_NEW)
		return error_set(error, ERROR_CORRUPT, "%s data lead nowhere at offset %" PRIu64, name,
		                 before);
	return true;
}

bool decoder_read(struct decoder *decoder, void *buffer, size_t capacity, size_t *got, struct error *error)
{
	size_t filled = 0;
	unsigned idle = 0;
	decoder->zeros = (struct span){ 0 };
	while (filled < capacity && !decoder->finished) {
		size_t more;
		if (!step(decoder, (uint8_t *)buffer + filled, capacity - filled, &more, &idle, error))
			return false;
		filled += more;
		if (more > 0)
			idle = 0;
	}
	*got = filled;
	return true;
}

/* Bytes as they grow, of which at most `most` are kept. */
struct loaded {
	uint8_t *bytes; /* owned */
	size_t size, capacity, most;
};

/* One member behind what is loaded already. */
static bool load_member(struct decoder *decoder, struct loaded *loaded, struct error *error)
{
	while (!decoder->finished) {
		if (loaded->capacity - loaded->size < LOAD_CHUNK) {
			loaded->capacity = loaded->capacity ? loaded->capacity * 2 : LOAD_CHUNK;
			loaded->bytes = xrealloc(loaded->bytes, loaded->capacity);
		}
		size_t got;
		if (!decoder_read(decoder, loaded->bytes + loaded->size, LOAD_CHUNK, &got, error))
			return false;
		loaded->size += got;
		if (loaded->size > loaded->most)
			return error_set(error, ERROR_LIMIT,
			                 "%s data give more than the %zu bytes that are read",
			                 decoder->codec->name, loaded->most);
	}
	return true;
}

bool codec_load(const struct reader *in, uint64_t offset, size_t most, struct budget *budget,
                struct arena *arena, struct span *out, struct error *error)
{
	const struct codec *codec = codec_detect(in, offset);
	if (!codec)
		return error_set(error, ERROR_CORRUPT, "no compressed data that we know at offset %" PRIu64,
		                 offset);
	struct loaded loaded = { .most = most };
	bool sound = true;
	do {
		struct decoder decoder;
		sound = decoder_open(&decoder, codec, in, offset, budget, error);
		if (!sound)
			break;
		sound = load_member(&decoder, &loaded, error);
		offset = decoder_offset(&decoder);
		decoder_close(&decoder);
	} while (sound && codec_detect(in, offset) == codec);
	if (sound) {
		uint8_t *bytes = arena_alloc(arena, loaded.size + 1);
		if (loaded.size)
			memcpy(bytes, loaded.bytes, loaded.size);
		*out = span_of(bytes, loaded.size);
	}
	free(loaded.bytes);
	return sound;
}
