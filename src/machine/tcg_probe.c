#include "machine/tcg_probe.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "machine/qemu_ask.h"

/* A quarter of a second; whoever is as slow as this will not boot in any time. */
#define PATIENCE 20.0

/* A firmware ends with the first instruction of the processor, 16 bytes before its end. */
#define ROM_SIZE  65536u
#define ROM_CODE  0xfe00u
#define ROM_RESET 0xfff0u

/*
 * Flags are worked out when they are asked for. popf leaves them as they are; the sum behind it does not say
 * so until it must, and puts its operand where they were kept. An emulation of cmpxchg16b that asks for them
 * and forgets to say so before takes that for the flags. The machine is switched off where they are right,
 * and reset where they are not.
 */
/* clang-format off */
static const uint8_t code[] = {
	0x2e, 0x66, 0x0f, 0x01, 0x16, 0xf8, /* lgdt of what stands behind the code; 16 bits */
	0xfe, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, /* CR0.PE */
	0x66, 0xea, 0x17, 0xfe, 0x0f, 0x00, 0x08, 0x00, /* jump to what follows, 32 bits */
	0xb8, 0x10, 0x00, 0x00, 0x00, 0x8e, 0xd8, 0x8e, 0xd0, /* data segments */
	0xc7, 0x05, 0x00, 0x10, 0x00, 0x00, 0x03, 0x20, 0x00, 0x00, /* a page table of each level, which map the first 2 MiB as they are */
	0xc7, 0x05, 0x00, 0x20, 0x00, 0x00, 0x03, 0x30, 0x00, 0x00,
	0xc7, 0x05, 0x00, 0x30, 0x00, 0x00, 0x83, 0x00, 0x00, 0x00,
	0xb8, 0x00, 0x10, 0x00, 0x00, 0x0f, 0x22, 0xd8, /* CR3 */
	0x0f, 0x20, 0xe0, 0x0c, 0x20, 0x0f, 0x22, 0xe0, /* CR4.PAE */
	0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x32, 0x80, 0xcc, 0x01, 0x0f, 0x30, /* EFER.LME */
	0x0f, 0x20, 0xc0, 0x0d, 0x00, 0x00, 0x00, 0x80, 0x0f, 0x22, 0xc0, /* CR0.PG */
	0xea, 0x6c, 0xfe, 0x0f, 0x00, 0x18, 0x00, /* jump to what follows, 64 bits */
	0xbc, 0x00, 0x80, 0x00, 0x00, /* a stack */
	0xbf, 0x00, 0x50, 0x00, 0x00, /* rdi: memory that holds zero */
	0xb8, 0x00, 0x00, 0x00, 0x00, 0xba, 0x00, 0x00, 0x00, 0x00, /* rax and rdx: as it is there */
	0xbd, 0x00, 0x00, 0x00, 0x00, /* rbp: 0 */
	0xbe, 0xe2, 0x1a, 0x96, 0x01, /* rsi: what are no flags */
	0x6a, 0x02, 0x9d, /* flags are what popf had; a jump ends the block */
	0xeb, 0x00,
	0x48, 0x01, 0xf5, /* add rbp, rsi: flags that are not worked out yet */
	0x48, 0x0f, 0xc7, 0x0f, /* cmpxchg16b [rdi] */
	0x9c, 0x58, /* what are the flags now? */
	0x25, 0x2a, 0xf7, 0xff, 0xff, /* but for those of arithmetic */
	0x83, 0xf8, 0x02, 0x75, 0x2d, /* reset unless the bit that is always set */
	0xba, 0xf8, 0x0c, 0x00, 0x00, 0xb8, 0x40, 0x0b, 0x00, 0x80, 0xef, /* the ports of PIIX4's power management: at 0x600 */
	0xb2, 0xfc, 0xb8, 0x01, 0x06, 0x00, 0x00, 0xef,
	0xb2, 0xf8, 0xb8, 0x80, 0x0b, 0x00, 0x80, 0xef, /* on */
	0xb2, 0xfc, 0xb0, 0x01, 0xee,
	0xba, 0x04, 0x06, 0x00, 0x00, 0xb8, 0x00, 0x20, 0x00, 0x00, 0x66, 0xef, 0xf4, /* switched off */
	0xb0, 0xfe, 0xe6, 0x64, 0xf4, /* reset */
	0x0f, 0x1f, 0x40, 0x00, /* room up to a multiple of 8 */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* segments: none, code and data of 32 bits, code of 64 bits */
	0xff, 0xff, 0x00, 0x00, 0x00, 0x9b, 0xcf, 0x00,
	0xff, 0xff, 0x00, 0x00, 0x00, 0x93, 0xcf, 0x00,
	0xff, 0xff, 0x00, 0x00, 0x00, 0x9b, 0xaf, 0x00,
	0x1f, 0x00, 0xd8, 0xfe, 0x0f, 0x00, /* their limit and place */
};
/* clang-format on */

static const uint8_t first[] = { 0xea, 0x00, 0xfe, 0x00, 0xf0 }; /* jmp f000:fe00 */

static int make_rom(void)
{
	uint8_t rom[ROM_SIZE];
	memset(rom, 0xf4, sizeof(rom));
	memcpy(rom + ROM_CODE, code, sizeof(code));
	memcpy(rom + ROM_RESET, first, sizeof(first));
	int file = memfd_create("rom", MFD_CLOEXEC);
	if (file >= 0 && write(file, rom, sizeof(rom)) == (ssize_t)sizeof(rom))
		return file;
	if (file >= 0)
		close(file);
	return -1;
}

static void words_for(const char *program, int rom, int qmp, struct arena *arena, struct machine_words *out)
{
	const char *const words[] = { program,
		                      "-nodefaults",
		                      "-no-user-config",
		                      "-machine",
		                      "pc",
		                      "-accel",
		                      "tcg",
		                      "-cpu",
		                      "max",
		                      "-m",
		                      "16",
		                      "-display",
		                      "none",
		                      "-no-reboot",
		                      "-S",
		                      "-bios",
		                      arena_printf(arena, "/proc/self/fd/%d", rom),
		                      "-chardev",
		                      arena_printf(arena, "socket,id=qmp,fd=%d", qmp),
		                      "-mon",
		                      "chardev=qmp,mode=control" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		*LIST_ADD(arena, &out->items) = words[i];
}

/* {"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}} */
static enum answer judge(struct span said)
{
	struct span line;
	enum answer answer = ANSWER_UNKNOWN;
	while (span_next_line(&said, &line)) {
		json_t *object = json_loadb((const char *)line.data, line.size, 0, NULL);
		const char *event = json_string_value(json_object_get(object, "event"));
		const char *reason =
			json_string_value(json_object_get(json_object_get(object, "data"), "reason"));
		if (event && reason && str_equal(event, "SHUTDOWN"))
			answer = str_equal(reason, "guest-shutdown") ? ANSWER_YES
			         : str_equal(reason, "guest-reset")  ? ANSWER_NO
			                                             : ANSWER_UNKNOWN;
		json_decref(object);
	}
	return answer;
}

enum answer tcg_probe(const char *program, struct arena *arena)
{
	static const char start[] = "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"cont\"}\n";
	int ends[2], rom = make_rom();
	enum answer answer = ANSWER_UNKNOWN;
	if (rom >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
		struct machine_words words = { 0 };
		struct machine_wiring wiring = machine_wiring_none();
		struct machine_process process;
		struct text said CLEANUP(text_free) = { 0 };
		struct error error;
		bool timely;
		wiring.kernel.descriptor = rom;
		words_for(program, rom, ends[1], arena, &words);
		if (qemu_hear(&words, &wiring, ends, start, PATIENCE, &process, &said, &timely, &error)) {
			answer = judge(span_of(said.data, said.size));
			process_stop(&process);
		}
	}
	if (rom >= 0)
		close(rom);
	return answer;
}
