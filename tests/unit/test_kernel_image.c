// Kernel files, made as a kernel's build makes them, with the real compressors.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "boot/kernel_image.h"
#include "tools.h"

#define BANNER     "6.1.0-13-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.1.55-1"
#define CONFIG     "#\n# Linux/x86 6.1.55 Kernel Configuration\n#\nCONFIG_SCSI_VIRTIO=m\n"
#define SETUP_SIZE ((size_t)5 * 512)
#define PE_OFFSET  0x40

static void put_le16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put_le32(uint8_t *at, uint32_t value)
{
	put_le16(at, value & 0xffff);
	put_le16(at + 2, value >> 16);
}

static void put_pe(uint8_t *bytes, uint32_t machine)
{
	memcpy(bytes, "MZ", 2);
	put_le32(bytes + 0x3c, PE_OFFSET);
	memcpy(bytes + PE_OFFSET, "PE\0\0", 4);
	put_le16(bytes + PE_OFFSET + 4, machine);
}

/* A 64-bit bzImage of protocol 2.15 with four setup sectors and `gap` bytes of code before the payload. */
static struct span make_bzimage(struct span payload, size_t gap, struct arena *arena)
{
	size_t size = SETUP_SIZE + gap + payload.size;
	uint8_t *bytes = arena_alloc(arena, size);
	put_pe(bytes, 0x8664);
	bytes[0x1f1] = 4;
	put_le16(bytes + 0x1fe, 0xaa55);
	memcpy(bytes + 0x202, "HdrS", 4);
	put_le16(bytes + 0x206, 0x020f);
	put_le16(bytes + 0x20e, 0x400);
	put_le16(bytes + 0x236, 0x7f);
	put_le32(bytes + 0x248, (uint32_t)gap);
	put_le32(bytes + 0x24c, (uint32_t)payload.size);
	memcpy(bytes + 0x600, BANNER, sizeof(BANNER));
	memcpy(bytes + SETUP_SIZE + gap, payload.data, payload.size);
	return span_of(bytes, size);
}

/* An ELF-like kernel with `before` bytes of code, then what is between, then as much code again. */
static struct span make_vmlinux(size_t before, struct span between, struct arena *arena)
{
	uint8_t *code = arena_alloc(arena, before);
	uint32_t noise = 7;
	for (size_t i = 0; i < before; i++) {
		noise = noise * 1664525 + 1013904223;
		code[i] = (uint8_t)(noise >> 28);
	}
	memcpy(code, "\177ELF\2\1", 6);
	put_le16(code + 18, 62);
	struct span half = span_of(code, before);
	return joined(joined(half, between, arena), half, arena);
}

static struct span ikconfig(const char *config, struct arena *arena)
{
	struct span member = tool_filter(COMMAND("gzip", "-9", "-n"), span_text(config), arena);
	return joined(joined(span_text("IKCFG_ST"), member, arena), span_text("IKCFG_ED"), arena);
}

static struct kernel_image read_image(struct span file, struct arena *arena)
{
	struct reader reader = reader_of_span(&file);
	struct budget budget = budget_default();
	struct kernel_image image;
	struct error error = { 0 };
	if (!kernel_image_read(&reader, &budget, arena, &image, &error))
		fail_msg("%s", error.message);
	return image;
}

/* The configuration; NULL with the error. */
static const char *read_config(struct span file, struct arena *arena, struct error *error)
{
	struct reader reader = reader_of_span(&file);
	struct kernel_image image = read_image(file, arena);
	struct budget budget = budget_default();
	struct span config;
	if (!kernel_image_config(&reader, &image, &budget, arena, &config, error))
		return NULL;
	assert_int_equal(strlen((const char *)config.data), config.size);
	return (const char *)config.data;
}

struct build {
	const char *name;
	const char *const *command;
	bool appends_size; /* as scripts/Makefile.lib does behind all but gzip */
};

/* The commands of scripts/Makefile.lib and scripts/xz_wrap.sh, some at lower levels. */
static const struct build builds[] = {
	{ "gzip", COMMAND("gzip", "-n", "-f", "-9"), false },
	{ "bzip2", COMMAND("bzip2", "-9"), true },
	{ "lzma", COMMAND("xz", "--format=lzma", "-2"), true },
	{ "xz", COMMAND("xz", "--check=crc32", "--x86", "--lzma2=preset=2,dict=32MiB"), true },
	{ "lz4", COMMAND("lz4", "-l", "-9", "-", "-"), true },
	{ "zstd", COMMAND("zstd", "-9"), true },
	{ "zstd", COMMAND("zstd", "--ultra", "-22"), true },
};

static struct span build_payload(const struct build *build, struct span vmlinux, struct arena *arena)
{
	struct span packed = tool_filter(build->command, vmlinux, arena);
	if (!build->appends_size)
		return packed;
	uint8_t *size = arena_alloc(arena, 4);
	put_le32(size, (uint32_t)vmlinux.size);
	return joined(packed, span_of(size, 4), arena);
}

static void reads_the_header_of_a_bzimage(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span vmlinux = make_vmlinux(5000, span_text(""), &arena);
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		struct span payload = build_payload(&builds[i], vmlinux, &arena);
		struct kernel_image image = read_image(make_bzimage(payload, 700, &arena), &arena);
		assert_string_equal(image.format, "bzImage");
		assert_string_equal(image.arch, "x86_64");
		assert_string_equal(image.version, "6.1.0-13-amd64");
		assert_string_equal(image.banner, BANNER);
		assert_true(image.efi_stub);
		assert_string_equal(image.compression, builds[i].name);
		assert_int_equal(image.payload_offset, SETUP_SIZE + 700);
		assert_int_equal(image.payload_size, payload.size);
	}
	arena_free(&arena);
}

static void finds_the_configuration_in_every_compression(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		struct arena arena = { 0 };
		struct error error = { 0 };
		struct span vmlinux = make_vmlinux(150000, ikconfig(CONFIG, &arena), &arena);
		struct span file = make_bzimage(build_payload(&builds[i], vmlinux, &arena), 64, &arena);
		const char *config = read_config(file, &arena, &error);
		assert_non_null(config);
		assert_string_equal(config, CONFIG);
		arena_free(&arena);
	}
}

static void says_when_there_is_no_configuration(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		struct arena arena = { 0 };
		struct error error = { 0 };
		struct span vmlinux = make_vmlinux(100000, span_text("IKCFG_S"), &arena);
		struct span file = make_bzimage(build_payload(&builds[i], vmlinux, &arena), 64, &arena);
		assert_null(read_config(file, &arena, &error));
		assert_int_equal(error.code, ERROR_NOT_FOUND);
		arena_free(&arena);
	}
}

static void finds_the_markers_across_every_border(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span config = ikconfig(CONFIG, &arena);
	for (size_t before = 65536 - 12; before < 65536 + 4; before++) {
		struct error error = { 0 };
		struct span file = make_vmlinux(before, config, &arena);
		assert_string_equal(read_config(file, &arena, &error), CONFIG);
		file = make_vmlinux(before - config.size + 8, config, &arena);
		assert_string_equal(read_config(file, &arena, &error), CONFIG);
	}
	arena_free(&arena);
}

static void is_not_led_astray_by_a_marker_alone(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct span between = joined(span_text("IKCFG_ST IKCFG_ED IKCFG_IKCFG_STIKCFG_ST"),
	                             ikconfig(CONFIG, &arena), &arena);
	assert_string_equal(read_config(make_vmlinux(1000, between, &arena), &arena, &error), CONFIG);

	struct span open = span_text("IKCFG_ST\x1f\x8b\x08 and no end");
	assert_null(read_config(make_vmlinux(1000, open, &arena), &arena, &error));
	assert_int_equal(error.code, ERROR_CORRUPT);
	assert_null(read_config(make_vmlinux(3 << 20, open, &arena), &arena, &error));
	assert_int_equal(error.code, ERROR_CORRUPT);

	struct span damaged = span_text("IKCFG_ST\x1f\x8b\x08 no gzip at all IKCFG_ED");
	assert_null(read_config(make_vmlinux(1000, damaged, &arena), &arena, &error));
	assert_int_equal(error.code, ERROR_CORRUPT);
	arena_free(&arena);
}

static void the_search_is_paid_for(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span vmlinux = make_vmlinux(100000, ikconfig(CONFIG, &arena), &arena);
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		struct span file = make_bzimage(build_payload(&builds[i], vmlinux, &arena), 64, &arena);
		struct reader reader = reader_of_span(&file);
		struct kernel_image image = read_image(file, &arena);
		struct budget budget = { .inflated_left = 100000 };
		struct error error = { 0 };
		struct span config;
		assert_false(kernel_image_config(&reader, &image, &budget, &arena, &config, &error));
		assert_int_equal(error.code, ERROR_LIMIT);
	}
	arena_free(&arena);
}

static void names_lzo(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct error error = { 0 };
	struct span payload = span_of("\x89LZO\0\r\n\x1a\n\x10\x40\x20\xa0\x09\x40\x01", 16);
	struct span file = make_bzimage(payload, 64, &arena);
	assert_string_equal(read_image(file, &arena).compression, "lzo");
	assert_null(read_config(file, &arena, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	assert_non_null(strstr(error.message, "lzo"));
	arena_free(&arena);
}

static void reads_old_and_32_bit_headers(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span vmlinux = make_vmlinux(5000, span_text(""), &arena);
	struct span payload = build_payload(&builds[0], vmlinux, &arena);
	uint8_t *bytes = (uint8_t *)(uintptr_t)make_bzimage(payload, 0, &arena).data;
	struct span file = span_of(bytes, SETUP_SIZE + payload.size);
	put_le16(bytes + 0x236, 0x7e);
	bytes[0x1f1] = 0; /* stands for four sectors */
	memcpy(bytes, "\xea\x05", 2);
	struct kernel_image image = read_image(file, &arena);
	assert_string_equal(image.arch, "i386");
	assert_int_equal(image.payload_offset, SETUP_SIZE);
	assert_false(image.efi_stub);

	/* 2.04: no field tells the payload, nor whether it is of 64 bits */
	put_le16(bytes + 0x206, 0x0204);
	put_le16(bytes + 0x20e, 0);
	image = read_image(file, &arena);
	assert_null(image.arch);
	assert_null(image.version);
	struct error error = { 0 };
	assert_null(read_config(file, &arena, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	arena_free(&arena);
}

static struct span make_arm64(struct arena *arena)
{
	struct span between =
		joined(span_text("Linux version %s\nLinux version 6.6.9-arm (gcc 12) #1 SMP Debian\n"),
	               ikconfig(CONFIG, arena), arena);
	struct span file = make_vmlinux(70000, between, arena);
	uint8_t *bytes = (uint8_t *)(uintptr_t)file.data;
	memset(bytes, 0, 64);
	memcpy(bytes + 56, "ARM\x64", 4);
	bytes[PE_OFFSET] = 0;
	put_pe(bytes, 0xaa64);
	return file;
}

static void assert_arm64(struct span file, const char *format, const char *compression, bool efi_stub,
                         struct arena *arena)
{
	struct error error = { 0 };
	struct kernel_image image = read_image(file, arena);
	assert_string_equal(image.format, format);
	assert_string_equal(image.arch, "arm64");
	assert_string_equal(image.compression, compression);
	assert_string_equal(image.version, "6.6.9-arm");
	assert_string_equal(image.banner, "6.6.9-arm (gcc 12) #1 SMP Debian");
	assert_int_equal(image.efi_stub, efi_stub);
	assert_string_equal(read_config(file, arena, &error), CONFIG);
}

static void reads_arm64_images(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span image = make_arm64(&arena);
	assert_arm64(image, "Image", "none", true, &arena);
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		struct span packed = tool_filter(builds[i].command, image, &arena);
		assert_arm64(packed, "Image", builds[i].name, false, &arena);

		uint8_t *head = arena_alloc(&arena, 512);
		put_pe(head, 0xaa64);
		memcpy(head + 4, "zimg", 4);
		put_le32(head + 8, 512);
		put_le32(head + 12, (uint32_t)packed.size);
		struct span file =
			joined(joined(span_of(head, 512), packed, &arena), span_text("what follows"), &arena);
		assert_arm64(file, "zboot", builds[i].name, true, &arena);
	}
	arena_free(&arena);
}

static void reads_a_plain_vmlinux(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span between = span_text("Linux version 5.4.1 (me@here) (gcc) #1 SMP\n");
	struct kernel_image image = read_image(make_vmlinux(100000, between, &arena), &arena);
	assert_string_equal(image.format, "vmlinux");
	assert_string_equal(image.arch, "x86_64");
	assert_string_equal(image.version, "5.4.1");
	assert_false(image.efi_stub);
	arena_free(&arena);
}

static void refuses_what_is_no_kernel_or_half_of_one(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct budget budget = budget_default();
	struct error error = { 0 };
	struct kernel_image image;
	struct span gzip = tool_filter(COMMAND("gzip"), span_text("no kernel"), &arena);
	const struct span others[] = { span_text(""), span_text("MZ"), span_text("#!/bin/sh\n"), gzip };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct reader reader = reader_of_span(&others[i]);
		assert_false(kernel_image_read(&reader, &budget, &arena, &image, &error));
		assert_int_equal(error.code, ERROR_CORRUPT);
	}
	struct span payload = build_payload(&builds[5], make_vmlinux(9000, span_text(""), &arena), &arena);
	struct span file = make_bzimage(payload, 64, &arena);
	for (size_t size = 0; size < file.size; size += 97) {
		struct span part = span_of(file.data, size);
		struct reader reader = reader_of_span(&part);
		assert_false(kernel_image_read(&reader, &budget, &arena, &image, &error));
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_header_of_a_bzimage),
		cmocka_unit_test(finds_the_configuration_in_every_compression),
		cmocka_unit_test(says_when_there_is_no_configuration),
		cmocka_unit_test(finds_the_markers_across_every_border),
		cmocka_unit_test(is_not_led_astray_by_a_marker_alone),
		cmocka_unit_test(the_search_is_paid_for),
		cmocka_unit_test(names_lzo),
		cmocka_unit_test(reads_old_and_32_bit_headers),
		cmocka_unit_test(reads_arm64_images),
		cmocka_unit_test(reads_a_plain_vmlinux),
		cmocka_unit_test(refuses_what_is_no_kernel_or_half_of_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
