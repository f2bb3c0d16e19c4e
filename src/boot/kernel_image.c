#include "boot/kernel_image.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "boot/kernel_stream.h"
#include "codec/codec.h"

/* Covers the x86 setup header and the arm64, zboot, ELF and PE headers. */
#define HEAD_SIZE ((size_t)1024)
/* The kernel keeps its version text within this. */
#define BANNER_MAX ((size_t)512)
/* What is unpacked in search of a version, where no header tells it. */
#define SCAN_MOST (UINT64_C(256) << 20)

struct format {
	/* Does the head look like this format? */
	bool (*matches)(struct span head);
	/* Fills all but `version` and `banner` where those must be searched for. */
	bool (*read)(const struct reader *file, struct span head, struct arena *arena,
	             struct kernel_image *image, struct error *error);
};

/* Is the PE header there that a firmware starts? *machine is its COFF machine. */
static bool pe_machine(struct span head, uint16_t *machine)
{
	uint32_t offset;
	return span_has(head, 0, "MZ", 2) && get_le32(head, 0x3c, &offset) &&
	       span_has(head, offset, "PE\0\0", 4) && get_le16(head, (size_t)offset + 4, machine);
}

static const char *pe_arch(uint16_t machine)
{
	switch (machine) {
	case 0x014c:
		return "i386";
	case 0x8664:
		return "x86_64";
	case 0xaa64:
		return "arm64";
	default:
		return NULL;
	}
}

/* Text up to a NUL or the end of the line is the banner; up to the first blank, the release. */
static bool take_banner(struct span text, struct arena *arena, struct kernel_image *image)
{
	size_t length = 0;
	while (length < text.size && length < BANNER_MAX && text.data[length] != '\0' &&
	       text.data[length] != '\n')
		length++;
	struct span banner = span_trim(span_of(text.data, length));
	size_t release = 0;
	while (release < banner.size && banner.data[release] != ' ')
		release++;
	if (release == 0 || banner.data[0] < '0' || banner.data[0] > '9')
		return false;
	image->banner = arena_string(arena, banner);
	image->version = arena_string(arena, span_of(banner.data, release));
	return true;
}

/* Names the payload's compression, and fails when the file ends before it does. */
static bool check_payload(const struct reader *file, struct kernel_image *image, struct error *error)
{
	struct reader payload;
	if (!reader_slice(file, image->payload_offset, image->payload_size, &payload, error))
		return error_wrap(error, "the kernel file is cut off, its payload");
	uint8_t magic[4] = { 0 };
	const struct codec *codec = codec_detect(&payload, 0);
	if (payload.size >= sizeof(magic) && !reader_read(&payload, 0, magic, sizeof(magic), error))
		return false;
	if (codec)
		image->compression = codec->name;
	else
		image->compression = memcmp(magic, "\177ELF", sizeof(magic)) == 0 ? "none" : "unknown";
	return true;
}

/*
 * x86, Documentation/arch/x86/boot.rst. The setup code's header:
 *   0x1f1  u8    setup_sects: sectors of setup code behind the first; 0 means 4
 *   0x202  "HdrS"
 *   0x206  le16  boot protocol version
 *   0x20e  le16  kernel_version: of the version text, less 0x200; 0 for none
 *   0x236  le16  xloadflags (2.12 on); bit 0: a 64-bit kernel
 *   0x248  le32  payload_offset (2.08 on), from the protected-mode code's begin
 *   0x24c  le32  payload_length
 */
#define PROTOCOL_PAYLOAD    0x0208
#define PROTOCOL_XLOADFLAGS 0x020c
#define XLF_KERNEL_64       0x0001

static bool bzimage_matches(struct span head)
{
	return span_has(head, 0x202, "HdrS", 4);
}

/* The version text; a kernel without one stays without a version. */
static bool bzimage_version(const struct reader *file, uint64_t offset, struct arena *arena,
                            struct kernel_image *image, struct error *error)
{
	uint8_t text[BANNER_MAX];
	uint64_t left = offset < file->size ? file->size - offset : 0;
	size_t size = left < sizeof(text) ? (size_t)left : sizeof(text);
	if (!reader_read(file, size ? offset : 0, text, size, error))
		return false;
	(void)take_banner(span_of(text, size), arena, image);
	return true;
}

static bool bzimage_read(const struct reader *file, struct span head, struct arena *arena,
                         struct kernel_image *image, struct error *error)
{
	uint8_t setup_sectors;
	uint16_t protocol, version, flags, machine;
	uint32_t payload_offset, payload_size;
	if (!get_u8(head, 0x1f1, &setup_sectors) || !get_le16(head, 0x206, &protocol) ||
	    !get_le16(head, 0x20e, &version) || !get_le16(head, 0x236, &flags) ||
	    !get_le32(head, 0x248, &payload_offset) || !get_le32(head, 0x24c, &payload_size))
		return error_set(error, ERROR_TRUNCATED, "the kernel file ends inside its setup header");
	image->format = "bzImage";
	image->efi_stub = pe_machine(head, &machine);
	if (protocol >= PROTOCOL_XLOADFLAGS)
		image->arch = flags & XLF_KERNEL_64 ? "x86_64" : "i386";
	if (version && !bzimage_version(file, UINT64_C(0x200) + version, arena, image, error))
		return false;
	if (protocol < PROTOCOL_PAYLOAD) {
		image->compression = "unknown";
		return true;
	}
	image->payload_offset = (UINT64_C(1) + (setup_sectors ? setup_sectors : 4)) * 512 + payload_offset;
	image->payload_size = payload_size;
	return check_payload(file, image, error);
}

/*
 * EFI zboot, drivers/firmware/efi/libstub/zboot-header.S: a PE program that unpacks an Image.
 *   0  "MZ"   4  "zimg"   8  le32 payload offset   12  le32 payload size   24  name of the compression
 */
static bool zboot_matches(struct span head)
{
	return span_has(head, 0, "MZ", 2) && span_has(head, 4, "zimg", 4);
}

static bool zboot_read(const struct reader *file, struct span head, struct arena *arena,
                       struct kernel_image *image, struct error *error)
{
	(void)arena;
	uint32_t offset, size;
	uint16_t machine;
	if (!get_le32(head, 8, &offset) || !get_le32(head, 12, &size))
		return error_set(error, ERROR_TRUNCATED, "the kernel file ends inside its zboot header");
	image->format = "zboot";
	image->efi_stub = pe_machine(head, &machine);
	image->arch = image->efi_stub ? pe_arch(machine) : NULL;
	image->payload_offset = offset;
	image->payload_size = size;
	return check_payload(file, image, error);
}

/* arm64, Documentation/arch/arm64/booting.rst: the magic at 56; code0 is "MZ" when it is an EFI program too.
 */
static bool arm64_matches(struct span head)
{
	return span_has(head, 56, "ARM\x64", 4);
}

static bool arm64_read(const struct reader *file, struct span head, struct arena *arena,
                       struct kernel_image *image, struct error *error)
{
	(void)arena;
	(void)error;
	uint16_t machine;
	image->format = "Image";
	image->arch = "arm64";
	image->efi_stub = pe_machine(head, &machine);
	image->compression = "none";
	image->payload_size = file->size;
	return true;
}

static bool elf_matches(struct span head)
{
	return span_has(head, 0, "\177ELF", 4);
}

/* vmlinux: ELF, little endian; e_machine at 18. */
static bool elf_read(const struct reader *file, struct span head, struct arena *arena,
                     struct kernel_image *image, struct error *error)
{
	(void)arena;
	uint16_t machine;
	uint8_t order;
	if (!get_u8(head, 5, &order) || !get_le16(head, 18, &machine))
		return error_set(error, ERROR_TRUNCATED, "the kernel file ends inside its ELF header");
	image->format = "vmlinux";
	if (order == 1)
		image->arch = machine == 62    ? "x86_64"
		              : machine == 3   ? "i386"
		              : machine == 183 ? "arm64"
		                               : NULL;
	image->compression = "none";
	image->payload_size = file->size;
	return true;
}

static const struct format formats[] = {
	{ bzimage_matches, bzimage_read },
	{ zboot_matches, zboot_read },
	{ arm64_matches, arm64_read },
	{ elf_matches, elf_read },
};

/* The first bytes of what is packed. */
static bool peek_compressed(const struct reader *file, const struct codec *codec, struct budget *budget,
                            uint8_t bytes[HEAD_SIZE], size_t *got, struct error *error)
{
	struct decoder decoder;
	if (!decoder_open(&decoder, codec, file, 0, budget, error))
		return false;
	bool sound = decoder_read(&decoder, bytes, HEAD_SIZE, got, error);
	decoder_close(&decoder);
	return sound;
}

/* Image.gz and its kin: an arm64 Image that is compressed as a whole. */
static bool read_compressed(const struct reader *file, const struct codec *codec, struct budget *budget,
                            struct kernel_image *image, struct error *error)
{
	uint8_t bytes[HEAD_SIZE];
	size_t got;
	if (!peek_compressed(file, codec, budget, bytes, &got, error))
		return false;
	struct span head = span_of(bytes, got);
	if (!arm64_matches(head))
		return error_set(error, ERROR_CORRUPT, "%s data, but no kernel inside", codec->name);
	if (!arm64_read(file, head, NULL, image, error))
		return false;
	image->compression = codec->name;
	/* The firmware sees the packed file, and that is no program. */
	image->efi_stub = false;
	return true;
}

/* Where no header has it: the text that the kernel prints first. A kernel without it keeps no version. */
static bool scan_version(const struct reader *file, struct budget *budget, struct arena *arena,
                         struct kernel_image *image, struct error *error)
{
	struct kernel_stream stream;
	struct error reason = { 0 };
	if (!kernel_stream_open(&stream, file, image, budget, &reason)) {
		/* A compression that we do not read hides the version; the header stands. */
		if (reason.code == ERROR_UNSUPPORTED)
			return true;
		*error = reason;
		return false;
	}
	bool sound;
	do {
		sound = kernel_stream_find(&stream, "Linux version ", &reason) &&
		        kernel_stream_fill(&stream, BANNER_MAX, &reason);
	} while (sound && !take_banner(kernel_stream_window(&stream), arena, image));
	kernel_stream_close(&stream);
	if (sound || reason.code == ERROR_NOT_FOUND || reason.code == ERROR_LIMIT)
		return true;
	*error = reason;
	return false;
}

static bool read_head(const struct reader *file, struct span head, struct budget *budget, struct arena *arena,
                      struct kernel_image *image, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].matches(head))
			return formats[i].read(file, head, arena, image, error);
	uint16_t machine;
	if (pe_machine(head, &machine))
		return error_set(error, ERROR_UNSUPPORTED,
		                 "an EFI program, and no kernel image that slipway reads");
	const struct codec *codec = codec_detect(file, 0);
	if (codec)
		return read_compressed(file, codec, budget, image, error);
	return error_set(error, ERROR_CORRUPT, "no kernel: neither bzImage, Image, zboot nor vmlinux");
}

bool kernel_image_matches(const struct reader *file, struct budget *budget)
{
	uint8_t bytes[HEAD_SIZE];
	struct error error = { 0 };
	size_t size = file->size < sizeof(bytes) ? (size_t)file->size : sizeof(bytes);
	if (!reader_read(file, 0, bytes, size, &error))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].matches(span_of(bytes, size)))
			return true;
	const struct codec *codec = codec_detect(file, 0);
	return codec && peek_compressed(file, codec, budget, bytes, &size, &error) &&
	       arm64_matches(span_of(bytes, size));
}

bool kernel_image_read(const struct reader *file, struct budget *shared, struct arena *arena,
                       struct kernel_image *out, struct error *error)
{
	uint8_t bytes[HEAD_SIZE];
	size_t size = file->size < sizeof(bytes) ? (size_t)file->size : sizeof(bytes);
	/* A part of the allowance, so that one kernel cannot use it up. */
	uint64_t most = shared->inflated_left < SCAN_MOST ? shared->inflated_left : SCAN_MOST;
	struct budget budget = { .inflated_left = most };
	struct kernel_image image = { 0 };
	bool sound = reader_read(file, 0, bytes, size, error) &&
	             read_head(file, span_of(bytes, size), &budget, arena, &image, error);
	if (sound && !image.version && image.payload_size && strcmp(image.format, "bzImage") != 0)
		sound = scan_version(file, &budget, arena, &image, error);
	shared->inflated_left -= most - budget.inflated_left;
	if (sound)
		*out = image;
	return sound;
}
