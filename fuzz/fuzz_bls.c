// Boot Loader Specification entries, as GRUB's blscfg reads them: the input is grub.cfg with lines "=== PATH"
// for further files, as in fuzz_grub; entries lie in /loader/entries. Each file is read as systemd-boot does,
// too.
#include <stdlib.h>

#include "../tests/unit/grub_disk.h"
#include "boot/bls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An order: what is newer one way is older the other. */
static void compare(const char *a, const char *b)
{
	if (bls_compare_ids(a, b) != -bls_compare_ids(b, a) ||
	    bls_compare_versions(a, b) != -bls_compare_versions(b, a))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { .limit = (size_t)256 << 20 };
	struct fake_disk fake = { 0 };
	struct budget budget = { .inflated_left = 0, .steps_left = 100000 };
	struct boot boot = { 0 };
	struct error error = { 0 };
	struct bls_keys keys;
	const struct grub_start start = { .platform = "efi",
		                          .cpu = "x86_64",
		                          .prefix = "/grub2",
		                          .config = "/grub2/grub.cfg",
		                          .partition = 2 };
	if (size > 65536)
		return 0;
	fake_add_files(&fake, "/grub2/grub.cfg", span_of(data, size), &arena);
	for (size_t i = 0; i < fake.count; i++) {
		bls_parse(fake.files[i].content, BLS_SYSTEMD, &arena, &keys);
		for (size_t j = 1; j < keys.list.count && j < 50; j++)
			compare(keys.list.items[j - 1].value, keys.list.items[j].value);
	}
	struct grub_disk disk = fake_interface(&fake);
	bool finished = grub_run(&disk, &start, &budget, &arena, &boot, &error);
	if (boot.default_known == ANSWER_YES && (!finished || boot.default_index >= boot.entries.count))
		abort();
	arena_free(&arena);
	return 0;
}
