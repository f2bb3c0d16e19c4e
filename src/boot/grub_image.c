#include <string.h>

#include "base/text.h"
#include "boot/firmware.h"

#ifdef HAVE_LIBLZMA
#include <lzma.h>
#endif

/*
 * Modules behind GRUB's kernel (include/grub/kernel.h of its sources), little-endian:
 *   u32 magic "mimg", then for 64-bit images u32 padding, u64 offset, u64 size; else u32 offset, u32 size
 *   at `offset`: u32 type, u32 size (this header included), content; and so on
 */
#define MODULE_MAGIC  "mimg"
#define MODULE_ELF    0
#define MODULE_CONFIG 2
#define MODULE_PREFIX 3
#define MODULES_MAX   512

/* Is this the module `normal`, or one that needs it? grub-mkimage puts in what others need. */
static bool brings_normal(struct span module)
{
	return span_find(module, 0, "\0normal", 8) != SIZE_MAX ||
	       span_find(module, 0, "grub_normal_", 12) != SIZE_MAX;
}

static void take_module(uint32_t type, struct span content, struct arena *arena, struct grub_image *out)
{
	if (type == MODULE_ELF) {
		if (out->normal != ANSWER_YES)
			out->normal = brings_normal(content) ? ANSWER_YES : ANSWER_NO;
		if (out->blscfg != ANSWER_YES)
			out->blscfg = span_find(content, 0, "blscfg", 6) != SIZE_MAX ? ANSWER_YES : ANSWER_NO;
		if (span_find(content, 0, GRUB_BLS_ON_ESP, strlen(GRUB_BLS_ON_ESP)) != SIZE_MAX)
			out->bls_on_esp = true;
		return;
	}
	const char *text = arena_string(arena, content);
	if (type == MODULE_PREFIX && *text && !out->prefix)
		out->prefix = text;
	if (type == MODULE_CONFIG && *text && !out->config.size)
		out->config = span_text(text);
}

static void read_modules(struct span modules, uint64_t offset, struct arena *arena, struct grub_image *out)
{
	for (size_t i = 0; i < MODULES_MAX && offset < modules.size; i++) {
		uint32_t type, size;
		struct span content;
		if (!get_le32(modules, (size_t)offset, &type) ||
		    !get_le32(modules, (size_t)offset + 4, &size) || size < 8 ||
		    !span_slice(modules, (size_t)offset + 8, size - 8, &content))
			return;
		take_module(type, content, arena, out);
		offset += size;
	}
}

void grub_image_read(struct span modules, struct arena *arena, struct grub_image *out)
{
	uint64_t offset, size;
	struct span inside;
	if (!span_has(modules, 0, MODULE_MAGIC, 4) || !get_le64(modules, 8, &offset) ||
	    !get_le64(modules, 16, &size))
		return;
	if (size > modules.size)
		size = modules.size;
	if (span_slice(modules, 0, (size_t)size, &inside))
		read_modules(inside, offset, arena, out);
}

/*
 * The core image of a BIOS: diskboot.img (one sector), a decompressor with its numbers at fixed offsets (u32
 * at 8: size packed, at 12: size unpacked), and the packed kernel with its modules. Where the decompressor
 * ends is written nowhere: its size differs between versions, below MAX_DECOMPRESSOR_SIZE.
 */
#define DISKBOOT_SIZE    512
#define DECOMPRESSOR_MIN 1024
#define DECOMPRESSOR_MAX (9 * 1024)
#define UNPACKED_MAX     ((uint32_t)8 << 20)

#ifdef HAVE_LIBLZMA

/* GRUB packs with these parameters and without any header. */
static bool unpack(struct span packed, uint8_t *unpacked, size_t size)
{
	lzma_options_lzma options = { .dict_size = 1 << 16, .lc = 3, .lp = 0, .pb = 2 };
	const lzma_filter filters[] = {
		{ .id = LZMA_FILTER_LZMA1, .options = &options },
		{ .id = LZMA_VLI_UNKNOWN },
	};
	lzma_stream stream = LZMA_STREAM_INIT;
	stream.next_in = packed.data;
	stream.avail_in = packed.size;
	stream.next_out = unpacked;
	stream.avail_out = size;
	/* There is no end marker: a full buffer is the end. */
	lzma_ret status = lzma_raw_decoder(&stream, filters);
	while (status == LZMA_OK && stream.avail_out > 0)
		status = lzma_code(&stream, LZMA_RUN);
	lzma_end(&stream);
	return stream.avail_out == 0;
}

#else

static bool unpack(struct span packed, uint8_t *unpacked, size_t size)
{
	(void)packed;
	(void)unpacked;
	(void)size;
	return false;
}

#endif

/* The kernel's own code holds the magic number too: only a header whose numbers fit is one. */
static void find_modules(struct span kernel, struct arena *arena, struct grub_image *out)
{
	size_t at = 0;
	while ((at = span_find(kernel, at, MODULE_MAGIC, 4)) != SIZE_MAX) {
		uint32_t offset, size;
		struct span modules;
		if (get_le32(kernel, at + 4, &offset) && get_le32(kernel, at + 8, &size) && offset == 12 &&
		    span_slice(kernel, at, size, &modules)) {
			read_modules(modules, offset, arena, out);
			return;
		}
		at++;
	}
}

void grub_image_read_core(struct span core, struct budget *budget, struct arena *arena,
                          struct grub_image *out)
{
	uint32_t packed_size, size;
	struct span image = span_from(core, DISKBOOT_SIZE), packed;
	struct error error;
	if (!get_le32(image, 8, &packed_size) || !get_le32(image, 12, &size) || size == 0 ||
	    size > UNPACKED_MAX)
		return;
	uint8_t *unpacked = arena_alloc(arena, size);
	for (size_t at = DECOMPRESSOR_MIN; at < DECOMPRESSOR_MAX; at += 4) {
		/* The range coder's first byte is always zero. */
		if (!span_slice(image, at, packed_size, &packed) || packed_size == 0 || packed.data[0] != 0)
			continue;
		if (!budget_inflate(budget, size, "GRUB's core image", &error))
			return;
		if (!unpack(packed, unpacked, size))
			continue;
		find_modules(span_of(unpacked, size), arena, out);
		return;
	}
}
