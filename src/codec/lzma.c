// lzma, the ".lzma" or LZMA_Alone format, by liblzma. It has no magic: the header is
//   0  u8    properties: (pb * 5 + lp) * 9 + lc; 0x5d (lc 3, lp 0, pb 2) is all that the kernel takes
//   1  le32  dictionary size
//   5  le64  size of the content, or all ones when an end marker tells
#include "codec/liblzma.h"

/* Larger than any kernel or initramfs, smaller than any text that looks like a header. */
#define CONTENT_MOST (UINT64_C(1) << 38)

/* Do encoders write this dictionary size: 2^n or 2^n + 2^(n-1)? */
static bool is_dictionary_size(uint32_t size)
{
	uint32_t rest = size & (size - 1); /* without its lowest bit */
	return size >= 4096 && (rest == 0 || ((rest & (rest - 1)) == 0 && rest == (size ^ rest) << 1));
}

static bool lzma_matches(struct span head)
{
	uint32_t dictionary;
	uint64_t content;
	return span_has(head, 0, "\x5d\x00", 2) && get_le32(head, 1, &dictionary) &&
	       get_le64(head, 5, &content) && is_dictionary_size(dictionary) &&
	       (content == UINT64_MAX || content < CONTENT_MOST);
}

static bool lzma_open(struct decoder *decoder, struct error *error)
{
#ifdef HAVE_LIBLZMA
	lzma_stream stream = LZMA_STREAM_INIT;
	return liblzma_open(decoder, &stream, lzma_alone_decoder(&stream, CODEC_LZMA_MEMORY), error);
#else
	return codec_not_built(decoder, "liblzma", error);
#endif
}

const struct codec codec_lzma = {
	.name = "lzma",
	.matches = lzma_matches,
	.open = lzma_open,
	.step = liblzma_step,
	.close = liblzma_close,
};
