// A menu script of GRUB in memory, and the entry that it boots.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "grub_disk.h"
#include "tools.h"

struct run {
	struct fake_disk disk;
	struct arena arena;
	struct boot boot;
	struct error error;
	bool finished;
	char block[1024];
};

/* A disk with two kernels in partition 2, where GRUB and its configuration live too. */
static inline struct run *new_run(void)
{
	struct run *run = calloc(1, sizeof(*run));
	assert_non_null(run);
	fake_add(&run->disk, 2, "/boot/vmlinuz-1", "kernel");
	fake_add(&run->disk, 2, "/boot/initrd-1", "initrd");
	fake_add(&run->disk, 2, "/boot/vmlinuz-2", "kernel");
	fake_add(&run->disk, 2, "/boot/initrd-2", "initrd");
	fake_add(&run->disk, 1, "/vmlinuz-3", "kernel");
	return run;
}

static inline void start(struct run *run, const char *platform)
{
	struct grub_disk disk = fake_interface(&run->disk);
	struct grub_start from = { .platform = platform,
		                   .cpu = "x86_64",
		                   .prefix = "/boot/grub",
		                   .config = "/boot/grub/grub.cfg",
		                   .partition = 2 };
	struct budget budget = budget_default();
	run->finished = grub_run(&disk, &from, &budget, &run->arena, &run->boot, &run->error);
}

static inline struct run *run_script(const char *script)
{
	struct run *run = new_run();
	fake_add(&run->disk, 2, "/boot/grub/grub.cfg", script);
	start(run, "pc");
	return run;
}

static inline void end(struct run *run)
{
	arena_free(&run->arena);
	free(run);
}

static inline const struct boot_entry *default_of(const struct run *run)
{
	if (run->boot.default_known != ANSWER_YES)
		print_message("default: %s\n", run->boot.default_reason);
	assert_int_equal(run->boot.default_known, ANSWER_YES);
	assert_true(run->boot.default_index < run->boot.entries.count);
	return &run->boot.entries.items[run->boot.default_index];
}

static inline void default_is(struct run *run, const char *title, const char *reason)
{
	assert_string_equal(default_of(run)->title, title);
	if (reason)
		assert_string_equal(run->boot.default_reason, reason);
	end(run);
}

static inline void default_unknown(struct run *run, const char *part_of_reason)
{
	assert_int_equal(run->boot.default_known, ANSWER_UNKNOWN);
	assert_non_null(run->boot.default_reason);
	if (!strstr(run->boot.default_reason, part_of_reason))
		fail_msg("\"%s\" does not name \"%s\"", run->boot.default_reason, part_of_reason);
	end(run);
}

static const char *const two_entries =
	"menuentry 'One' --id one { linux /boot/vmlinuz-1 root=UUID=root-uuid\n initrd /boot/initrd-1\n }\n"
	"submenu 'Old > ones' --id old {\n"
	"  menuentry 'Two' --id two { linux /boot/vmlinuz-2\n }\n"
	"  menuentry 'Three' --id three { search --set=root --fs-uuid boot-uuid\n linux //vmlinuz-3\n }\n"
	"}\n"
	"menuentry 'Last' --id last { linux /boot/missing\n }\n";

static inline struct run *with_default(const char *value)
{
	char script[2048];
	snprintf(script, sizeof(script), "set default='%s'\n%s", value, two_entries);
	return run_script(script);
}

static inline void entries(void **state)
{
	(void)state;
	struct run *run = with_default("1>1");
	assert_int_equal(run->boot.entries.count, 4);
	const struct boot_entry *entry = default_of(run);
	assert_string_equal(entry->kernel.path, "/vmlinuz-3");
	assert_int_equal(entry->kernel.partition, 1);
	assert_string_equal(entry->command_line, "");
	assert_int_equal(run->boot.entries.items[3].kernel.found, ANSWER_NO);
	assert_int_equal(run->boot.default_place.line, 1);
	assert_string_equal(run->boot.default_place.text, "set default='1>1'");
	end(run);
}
