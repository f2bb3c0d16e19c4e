// A part of a system by itself: a kernel, alone or in a unified kernel image, or the configuration of one.
// What is not in the file is not looked for elsewhere.
#include "boot/kernel_image.h"
#include "boot/uki.h"
#include "codec/codec.h"
#include "facts/gatherer.h"

/* A distribution's configuration has 0.3 MiB. */
#define CONFIG_SIZE_MAX ((size_t)8 << 20)
/* What is looked at to tell a configuration. Its header and the comments of a fragment are shorter. */
#define CONFIG_HEAD ((size_t)64 << 10)
#define CHUNK_SIZE  ((size_t)4 << 10)
/* What may be unpacked to tell what is inside. */
#define PEEK_MOST (UINT64_C(4) << 20)

/* The kernel that stands for the input. */
static struct kernel *add_part(struct gatherer *gatherer)
{
	struct kernel *kernel = LIST_ADD(gatherer->arena, &gatherer->facts->kernels);
	kernel->place.path = arena_strdup(gatherer->arena, gatherer->input->name);
	kernel->judged = true;
	return kernel;
}

/* A file that looked like a part and turns out not to be a sound one. */
static void refuse(struct gatherer *gatherer, enum input_kind kind, const char *reason)
{
	gatherer->facts->kind = kind;
	gatherer->facts->examined = EXAMINED_NONE;
	gatherer->facts->reason = reason;
	gatherer->facts->kernels.count = 0;
}

/* Says that the kernel has no configuration, where it has none. */
static void conclude_kernel(struct gatherer *gatherer, const struct kernel *kernel)
{
	if (kernel->config.source)
		gatherer->facts->examined = EXAMINED_FULL;
	else
		gather_note_gap(gatherer, "configuration-missing", NULL,
		                "the kernel's configuration is not known: %s", kernel->config.reason);
}

static void gather_kernel_part(struct gatherer *gatherer, const struct reader *bytes)
{
	struct facts *facts = gatherer->facts;
	struct kernel *kernel = add_part(gatherer);
	gather_read_kernel(gatherer, bytes, kernel);
	if (kernel->sound != ANSWER_YES) {
		refuse(gatherer, INPUT_KERNEL, kernel->reason);
		return;
	}
	if (str_equal(kernel->format, "vmlinux") && !kernel->version) {
		refuse(gatherer, INPUT_UNKNOWN,
		       "it is an ELF file and no kernel: it does not contain \"Linux version\"");
		return;
	}
	facts->kind = INPUT_KERNEL;
	facts->examined = EXAMINED_PARTIAL;
	gather_checkpoint(gatherer);
	struct names symbols = gather_wanted_symbols(gatherer);
	kernel_config_find(NULL, kernel->version, bytes, &kernel->place, &symbols, &gatherer->budget,
	                   gatherer->arena, &kernel->config);
	conclude_kernel(gatherer, kernel);
}

static void gather_config_part(struct gatherer *gatherer, struct span text)
{
	struct facts *facts = gatherer->facts;
	struct kernel *kernel = add_part(gatherer);
	struct names symbols = gather_wanted_symbols(gatherer);
	facts->kind = INPUT_CONFIG;
	facts->examined = EXAMINED_FULL;
	kernel_config_parse(text, &symbols, gatherer->arena, &kernel->config);
	kernel->config.source = kernel->place.path;
	kernel->config.place = kernel->place;
	kernel->version = kernel->config.version;
	if (kernel->config.reason)
		gather_note_gap(gatherer, "configuration-cut", NULL, "%s", kernel->config.reason);
	if (facts->reason)
		facts->examined = EXAMINED_PARTIAL;
}

/* The beginning of what is packed, as far as it can be unpacked. */
static size_t peek_packed(const struct reader *bytes, const struct codec *codec, uint8_t *buffer)
{
	struct error error = { 0 };
	struct decoder decoder;
	struct budget budget = { .inflated_left = PEEK_MOST };
	size_t size = 0, got = CHUNK_SIZE;
	if (!decoder_open(&decoder, codec, bytes, 0, &budget, &error))
		return 0;
	while (got == CHUNK_SIZE && size < CONFIG_HEAD &&
	       decoder_read(&decoder, buffer + size, CHUNK_SIZE, &got, &error))
		size += got;
	decoder_close(&decoder);
	return size;
}

/* The beginning of a text; empty when nothing can be read. */
static struct span peek(struct gatherer *gatherer, const struct reader *bytes, const struct codec *codec)
{
	struct error error = { 0 };
	uint8_t *buffer = arena_alloc(gatherer->arena, CONFIG_HEAD);
	size_t size = bytes->size < CONFIG_HEAD ? (size_t)bytes->size : CONFIG_HEAD;
	if (codec)
		size = peek_packed(bytes, codec, buffer);
	else if (!reader_read(bytes, 0, buffer, size, &error))
		size = 0;
	return span_of(buffer, size);
}

/* A configuration, packed or not; false when it is none. */
static bool try_config(struct gatherer *gatherer, const struct reader *bytes)
{
	struct error error = { 0 };
	const char *other;
	const struct codec *codec = codec_detect(bytes, 0);
	struct span text = peek(gatherer, bytes, codec);
	if (!kernel_config_matches(text, gatherer->arena, &other))
		return false;
	if (other) {
		refuse(gatherer, INPUT_UNKNOWN,
		       arena_printf(gatherer->arena, "it is a \"%s\", and not that of a kernel", other));
		return true;
	}
	bool loaded = codec ? codec_load(bytes, 0, CONFIG_SIZE_MAX, &gatherer->budget, gatherer->arena, &text,
	                                 &error)
	                    : reader_load(bytes, CONFIG_SIZE_MAX, gatherer->arena, &text, &error);
	if (loaded)
		gather_config_part(gatherer, text);
	else
		refuse(gatherer, INPUT_CONFIG, arena_strdup(gatherer->arena, error.message));
	return true;
}

/* The kernel, its initramfs and its command line, as the first profile of the image boots them. */
static void gather_uki_part(struct gatherer *gatherer, const struct reader *bytes, const struct uki *uki)
{
	struct facts *facts = gatherer->facts;
	struct error error = { 0 };
	const struct uki_profile *profile = &uki->profiles.items[0];
	const struct pe_section *const parts[] = { &profile->ucode, &profile->initrd };
	struct reader_sequence sequence = { .unit = 4 }; /* the stub aligns each so */
	struct reader image, initramfs;
	struct kernel *kernel = add_part(gatherer);
	if (!reader_slice(bytes, profile->linux.offset, profile->linux.size, &image, &error)) {
		refuse(gatherer, INPUT_KERNEL, arena_strdup(gatherer->arena, error.message));
		return;
	}
	gather_read_kernel(gatherer, &image, kernel);
	if (kernel->sound != ANSWER_YES) {
		refuse(gatherer, INPUT_KERNEL, kernel->reason);
		return;
	}
	facts->kind = INPUT_KERNEL;
	facts->examined = EXAMINED_PARTIAL;
	facts->container = "unified kernel image";
	uki_fill_entry(profile, kernel->place.path, 0, gatherer->arena,
	               LIST_ADD(gatherer->arena, &facts->boot.entries));
	facts->boot.loader = "uki";
	facts->boot.default_known = ANSWER_YES;
	kernel->entry = 1;
	kernel->booted = true;
	if (!kernel->version)
		kernel->version = profile->version;
	gather_checkpoint(gatherer);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i]->size > 0 && reader_slice(bytes, parts[i]->offset, parts[i]->size,
		                                       &sequence.parts[sequence.count], &error))
			sequence.count++;
	bool carries = sequence.count > 0 && reader_of_sequence(&sequence, &initramfs, &error);
	if (carries)
		kernel->initramfs = (struct place){ .path = kernel->place.path, .text = ".initrd" };
	struct names symbols = gather_wanted_symbols(gatherer);
	struct module_question modules = {
		.wanted = gatherer->questions->modules,
		.early = gatherer->questions->early_modules,
		.everything = gatherer->questions->everything,
	};
	kernel_config_find(NULL, kernel->version, &image, &kernel->place, &symbols, &gatherer->budget,
	                   gatherer->arena, &kernel->config);
	kernel_modules_find(NULL, &modules, carries ? &initramfs : NULL, &gatherer->budget, gatherer->arena,
	                    kernel);
	conclude_kernel(gatherer, kernel);
}

/* An EFI program: a kernel in one, or no part of a system. False when it is none. */
static bool try_program(struct gatherer *gatherer, const struct reader *bytes, bool is_kernel)
{
	struct error error = { 0 };
	struct pe pe;
	struct uki uki;
	if (!pe_read(bytes, gatherer->arena, &pe, &error))
		return false;
	if (!pe_section(&pe, ".linux")) {
		if (!is_kernel)
			refuse(gatherer, INPUT_UNKNOWN, "it is an EFI program, and no kernel in one");
		return !is_kernel;
	}
	if (uki_read(bytes, gatherer->arena, &uki, &error))
		gather_uki_part(gatherer, bytes, &uki);
	else
		refuse(gatherer, INPUT_KERNEL,
		       arena_printf(gatherer->arena, "the unified kernel image is damaged: %s",
		                    error.message));
	return true;
}

bool gather_part(struct gatherer *gatherer, const struct reader *bytes)
{
	struct budget budget = { .inflated_left = PEEK_MOST };
	bool is_kernel = kernel_image_matches(bytes, &budget);
	if (try_program(gatherer, bytes, is_kernel))
		return true;
	if (!is_kernel)
		return try_config(gatherer, bytes);
	gather_kernel_part(gatherer, bytes);
	return true;
}
