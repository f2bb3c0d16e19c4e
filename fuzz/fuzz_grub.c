// GRUB's configuration, over a disk of fake files. The input is grub.cfg; lines "=== PATH" begin further
// files of the same partition.
#include "../tests/unit/grub_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { .limit = (size_t)256 << 20 };
	struct fake_disk fake = { 0 };
	struct budget budget = { .inflated_left = 0, .steps_left = 100000 };
	struct boot boot = { 0 };
	struct error error = { 0 };
	const struct grub_start start = { .platform = "efi",
		                          .cpu = "x86_64",
		                          .prefix = "/boot/grub",
		                          .config = "/boot/grub/grub.cfg",
		                          .partition = 2 };
	if (size > 65536)
		return 0;
	fake_add_files(&fake, "/boot/grub/grub.cfg", span_of(data, size), &arena);
	struct grub_disk disk = fake_interface(&fake);
	bool finished = grub_run(&disk, &start, &budget, &arena, &boot, &error);
	/* A known default is an entry; what did not come to its end knows none. */
	if (boot.default_known == ANSWER_YES && (!finished || boot.default_index >= boot.entries.count))
		__builtin_trap();
	if (boot.default_known != ANSWER_YES && finished && !boot.default_reason)
		__builtin_trap();
	arena_free(&arena);
	return 0;
}
