// The menu of Boot Loader Specification entries that GRUB shows, and the one that boots.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/bls.h"
#include "grub_disk.h"
#include "tools.h"

#define MACHINE "3d5c1e6f4b2a49c8a1f0d9e8c7b6a594"

static void files(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct bls_keys keys;
	const char *text =
		"# made by a tool\ntitle\t Fedora Linux\n  linux /vmlinuz\ninitrd /a.img\r\ninitrd  /b.img\n"
		"\noptions \"ro quiet\"\nempty\n";
	bls_parse(span_text(text), BLS_SYSTEMD, &arena, &keys);
	assert_string_equal(bls_get(&keys, "title", 0)->value, "Fedora Linux");
	assert_int_equal(bls_get(&keys, "title", 0)->line, 2);
	assert_string_equal(bls_get(&keys, "linux", 0)->value, "/vmlinuz");
	assert_string_equal(bls_get(&keys, "initrd", 1)->value, "/b.img");
	assert_null(bls_get(&keys, "initrd", 2));
	assert_string_equal(bls_last(&keys, "initrd")->value, "/b.img");
	assert_string_equal(bls_get(&keys, "options", 0)->value, "ro quiet");
	assert_null(bls_get(&keys, "empty", 0));

	/* To GRUB, the first blank ends the key, and a line without a value the file. */
	bls_parse(span_text(text), BLS_GRUB, &arena, &keys);
	assert_null(bls_get(&keys, "title", 0));
	assert_string_equal(bls_get(&keys, "linux", 0)->value, "/vmlinuz");
	assert_null(bls_get(&keys, "options", 0));
	arena_free(&arena);
}

struct run {
	struct fake_disk disk;
	struct arena arena;
	struct boot boot;
	struct error error;
	char block[1024];
};

/* A file of /loader/entries as kernel-install and grubby leave it; `options` NULL: no such line. */
static void add_entry(struct run *run, const char *folder, const char *version, const char *options)
{
	const char *text =
		arena_printf(&run->arena,
	                     "title Linux (%s)\nversion %s\nlinux /vmlinuz-%s\ninitrd /initramfs-%s.img "
	                     "$tuned_initrd\n%s%s%s"
	                     "grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class fedora\n",
	                     version, version, version, version, options ? "options " : "",
	                     options ? options : "", options ? "\n" : "");
	fake_add(&run->disk, 2, arena_printf(&run->arena, "%s/" MACHINE "-%s.conf", folder, version), text);
	fake_add(&run->disk, 2, arena_printf(&run->arena, "/vmlinuz-%s", version), "kernel");
	fake_add(&run->disk, 2, arena_printf(&run->arena, "/initramfs-%s.img", version), "initramfs");
}

static struct run *new_run(void)
{
	struct run *run = calloc(1, sizeof(*run));
	assert_non_null(run);
	return run;
}

static void add_grubenv(struct run *run, const char *lines)
{
	int used = snprintf(run->block, sizeof(run->block), "# GRUB Environment Block\n%s", lines);
	memset(run->block + used, '#', sizeof(run->block) - (size_t)used);
	fake_add_span(&run->disk, 2, "/grub2/grubenv", span_of(run->block, sizeof(run->block)));
}

static void start(struct run *run, const char *platform)
{
	struct grub_disk disk = fake_interface(&run->disk);
	struct grub_start from = { .platform = platform,
		                   .cpu = "x86_64",
		                   .prefix = "/grub2",
		                   .config = "/grub2/grub.cfg",
		                   .partition = 2 };
	struct budget budget = budget_default();
	assert_true(grub_run(&disk, &from, &budget, &run->arena, &run->boot, &run->error));
}

/* With what GRUB's image says of the command. */
static void start_version(struct run *run, const char *platform, const char *script, enum answer blscfg,
                          bool on_esp)
{
	struct grub_disk disk = fake_interface(&run->disk);
	struct grub_start from = { .platform = platform,
		                   .cpu = "x86_64",
		                   .prefix = "/grub2",
		                   .config = "/grub2/grub.cfg",
		                   .partition = 2,
		                   .cmd_partition = 1,
		                   .blscfg = blscfg,
		                   .bls_on_esp = on_esp };
	struct budget budget = budget_default();
	fake_add(&run->disk, 2, "/grub2/grub.cfg", script);
	assert_true(grub_run(&disk, &from, &budget, &run->arena, &run->boot, &run->error));
}

static void start_golden(struct run *run, const char *name, const char *platform)
{
	const char *path = arena_printf(&run->arena, "%s/tests/golden/grub/%s.cfg", SOURCE_ROOT, name);
	fake_add_span(&run->disk, 2, "/grub2/grub.cfg",
	              tool_filter(COMMAND("cat", path), (struct span){ 0 }, &run->arena));
	start(run, platform);
}

static void start_script(struct run *run, const char *script)
{
	fake_add(&run->disk, 2, "/grub2/grub.cfg", script);
	start(run, "efi");
}

static void end(struct run *run)
{
	arena_free(&run->arena);
	free(run);
}

static const struct boot_entry *default_is(struct run *run, const char *id, const char *command_line)
{
	if (run->boot.default_known != ANSWER_YES)
		fail_msg("%s", run->boot.default_reason);
	const struct boot_entry *entry = &run->boot.entries.items[run->boot.default_index];
	assert_string_equal(entry->id, id);
	assert_string_equal(entry->command_line, command_line);
	assert_int_equal(entry->kernel.found, ANSWER_YES);
	return entry;
}

/* RHEL 8: the entries name variables, and grubenv has their values. */
static void rhel_8(void **state)
{
	(void)state;
	struct run *run = new_run();
	add_grubenv(run, "saved_entry=" MACHINE "-4.18.0-425.el8.x86_64\n"
	                 "kernelopts=root=UUID=root-uuid ro console=ttyS0,38400n8d \nboot_success=0\n");
	add_entry(run, "/loader/entries", "4.18.0-425.el8.x86_64", "$kernelopts $tuned_params");
	add_entry(run, "/loader/entries", "4.18.0-553.el8.x86_64", "$kernelopts $tuned_params");
	start_golden(run, "rhel-8", "pc");
	const struct boot_entry *entry = default_is(run, MACHINE "-4.18.0-425.el8.x86_64",
	                                            "root=UUID=root-uuid ro console=ttyS0,38400n8d");
	assert_string_equal(entry->title, "Linux (4.18.0-425.el8.x86_64)");
	assert_string_equal(entry->kernel.path, "/vmlinuz-4.18.0-425.el8.x86_64");
	assert_int_equal(entry->initrds.count, 1);
	assert_string_equal(entry->initrds.items[0].path, "/initramfs-4.18.0-425.el8.x86_64.img");
	assert_string_equal(entry->place.path, "/loader/entries/" MACHINE "-4.18.0-425.el8.x86_64.conf");
	assert_int_equal(entry->place.line, 5);
	assert_string_equal(entry->place.text, "options $kernelopts $tuned_params");
	assert_int_equal(run->boot.entries.count, 2);
	assert_string_equal(run->boot.entries.items[0].id, MACHINE "-4.18.0-553.el8.x86_64");
	assert_string_equal(run->boot.default_reason, "saved_entry of grubenv");
	assert_string_equal(run->boot.timeout, "0");
	assert_int_equal(run->boot.problems.count, 0);
	end(run);
}

/* Without kernelopts in grubenv, grub.cfg's own; without a saved entry, the newest. */
static void rhel_8_without_grubenv(void **state)
{
	(void)state;
	struct run *run = new_run();
	add_entry(run, "/loader/entries", "4.18.0-425.el8.x86_64", "$kernelopts $tuned_params");
	add_entry(run, "/loader/entries", "4.18.0-553.el8.x86_64", "$kernelopts $tuned_params");
	start_golden(run, "rhel-8", "pc");
	default_is(run, MACHINE "-4.18.0-553.el8.x86_64", "root=UUID=root-uuid ro console=ttyS0,115200");
	end(run);
}

/* Fedora: the whole command line in the entry; menu_auto_hide hides the menu behind a successful boot. */
static void fedora(void **state)
{
	(void)state;
	struct run *run = new_run();
	add_grubenv(run, "saved_entry=" MACHINE "-6.11.4-301.fc41.x86_64\nmenu_auto_hide=1\nboot_success=1\n"
	                 "boot_indeterminate=0\n");
	add_entry(run, "/loader/entries", "0-rescue", "root=UUID=root-uuid ro");
	add_entry(run, "/loader/entries", "6.11.4-301.fc41.x86_64", "root=UUID=root-uuid ro rhgb quiet");
	add_entry(run, "/loader/entries", "6.12.1-200.fc41.x86_64", "root=UUID=root-uuid ro rhgb quiet");
	start_golden(run, "fedora-41", "efi");
	default_is(run, MACHINE "-6.11.4-301.fc41.x86_64", "root=UUID=root-uuid ro rhgb quiet");
	assert_string_equal(run->boot.timeout, "1");
	static const char *const ids[] = { MACHINE "-6.12.1-200.fc41.x86_64",
		                           MACHINE "-6.11.4-301.fc41.x86_64", MACHINE "-0-rescue" };
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_string_equal(run->boot.entries.items[i].id, ids[i]);
	end(run);
}

/* /boot on the root file system, and default as a number or a title. */
static void in_root_file_system(void **state)
{
	(void)state;
	static const char *const saved[] = { "1", "Linux (6.1.1-1.amzn2023.x86_64)" };
	for (size_t i = 0; i < ARRAY_SIZE(saved); i++) {
		struct run *run = new_run();
		add_grubenv(run, arena_printf(&run->arena, "saved_entry=%s\n", saved[i]));
		add_entry(run, "/boot/loader/entries", "6.1.1-1.amzn2023.x86_64", "ro");
		add_entry(run, "/boot/loader/entries", "6.1.10-1.amzn2023.x86_64", "ro");
		start_golden(run, "rhel-8", "pc");
		default_is(run, MACHINE "-6.1.1-1.amzn2023.x86_64", "ro");
		end(run);
	}
}

static void options_elsewhere(void **state)
{
	(void)state;
	struct run *run = new_run();
	add_entry(run, "/loader/entries", "1", NULL);
	start_script(run, "set default_kernelopts=\"ro $extra\"\nblscfg\n");
	default_is(run, MACHINE "-1", "ro");
	end(run);

	/* A variable whose value is not known makes the entry unknown, and not the menu. */
	run = new_run();
	add_entry(run, "/loader/entries", "1", "ro $mystery");
	start_script(run, "cat --set=mystery /x\nblscfg\n");
	assert_int_equal(run->boot.default_known, ANSWER_UNKNOWN);
	assert_int_equal(run->boot.entries.count, 1);
	end(run);
}

/* GRUB drops a character that stands alone before a variable or the end. */
static void lone_characters(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "$kernelopts 3", "ro quiet" },
		{ "$kernelopts single", "ro quiet single" },
		{ "x$kernelopts", "ro quiet" },
		{ "$kernelopts 3 $tuned_params", "ro quiet 3" },
		{ "$k", "from default" },
		{ "1 $k x", "1 short" },
		{ "$none$kernelopts", "from default" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run *run = new_run();
		add_entry(run, "/loader/entries", "1", cases[i][0]);
		start_script(run, "set kernelopts=\"ro quiet\"\nset k=short\n"
		                  "set default_kernelopts=\"from default\"\nblscfg\n");
		default_is(run, MACHINE "-1", cases[i][1]);
		end(run);
	}
}

/* A small file that would become a command line of 300 MB. */
static void endless_options(void **state)
{
	(void)state;
	struct run *run = new_run();
	struct text options = { 0 }, script = { 0 };
	text_add(&script, "set long=");
	for (size_t i = 0; i < 16000; i++)
		text_add_char(&script, 'a');
	text_add(&script, "\nblscfg\n");
	for (size_t i = 0; i < 10000; i++)
		text_add(&options, "$long ");
	add_entry(run, "/loader/entries", "1", text_get(&options));
	fake_add(&run->disk, 2, "/grub2/grub.cfg", text_get(&script));
	struct grub_disk disk = fake_interface(&run->disk);
	struct grub_start from = { .platform = "efi", .config = "/grub2/grub.cfg", .partition = 2 };
	from.cpu = "x86_64";
	from.prefix = "/grub2";
	struct budget budget = budget_default();
	assert_false(grub_run(&disk, &from, &budget, &run->arena, &run->boot, &run->error));
	assert_int_equal(run->error.code, ERROR_LIMIT);
	assert_int_equal(run->boot.default_known, ANSWER_UNKNOWN);
	text_free(&options);
	text_free(&script);
	end(run);
}

/* "blscfg default" puts one entry in front, "non-default" the rest; a word that is an id lists that one. */
static void asked_for(void **state)
{
	(void)state;
	struct run *run = new_run();
	add_entry(run, "/loader/entries", "1", "ro");
	add_entry(run, "/loader/entries", "2", "ro");
	start_script(run, "set default=" MACHINE
	                  "-1\nblscfg default\nmenuentry other { true\n }\nblscfg non-default\n");
	default_is(run, MACHINE "-1", "ro");
	assert_int_equal(run->boot.default_index, 0);
	assert_string_equal(run->boot.entries.items[2].id, MACHINE "-2");
	end(run);

	run = new_run();
	add_entry(run, "/loader/entries", "1", "ro");
	add_entry(run, "/loader/entries", "2", "ro");
	start_script(run, "blscfg " MACHINE "-1\nblscfg\n");
	assert_string_equal(run->boot.entries.items[0].id, MACHINE "-1");
	assert_int_equal(run->boot.entries.count, 2);
	end(run);
}

static void counted_name(void **state)
{
	(void)state;
	struct run *run = new_run();
	add_entry(run, "/loader/entries", "6.1+3-0", "ro");
	start_script(run, "blscfg\n");
	default_is(run, MACHINE "-6.1+3-0", "ro");
	end(run);
}

/* A password is asked for where grub_users has a value. */
static void password(void **state)
{
	(void)state;
	for (int asked = 0; asked < 2; asked++) {
		struct run *run = new_run();
		add_entry(run, "/loader/entries", "1", "ro");
		start_script(run, asked ? "set superusers=root\nset grub_users=root\nblscfg\n"
		                        : "set superusers=root\nblscfg\n");
		assert_int_equal(run->boot.problems.count, asked);
		end(run);
	}
}

static void cannot_be_read(void **state)
{
	(void)state;
	struct run *run = new_run();
	start_script(run, "set root=lvm/x-y\nblscfg\n");
	assert_int_equal(run->boot.default_known, ANSWER_UNKNOWN);
	end(run);

	run = new_run();
	start_script(run, "blscfg\n");
	assert_int_equal(run->boot.default_known, ANSWER_NO);
	assert_string_equal(run->boot.problems.items[0].code, "bls-no-entries");
	end(run);

	/* Lines that make no commands: nothing is known of what is behind them. */
	run = new_run();
	add_entry(run, "/loader/entries", "1", "ro 'open");
	start_script(run, "blscfg\n");
	assert_int_equal(run->boot.default_known, ANSWER_UNKNOWN);
	end(run);
}

/* A GRUB that is not Fedora's: the menu is empty, unless the module lies where it is looked for. */
static void no_command(void **state)
{
	(void)state;
	for (int there = 0; there < 2; there++) {
		struct run *run = new_run();
		add_entry(run, "/loader/entries", "1", "ro");
		if (there)
			fake_add(&run->disk, 2, "/grub2/x86_64-efi/blscfg.mod", "module");
		start_version(run, "efi", "insmod blscfg\nblscfg\n", ANSWER_NO, false);
		assert_int_equal(run->boot.default_known, there ? ANSWER_YES : ANSWER_NO);
		assert_non_null(
			strstr(run->boot.default_reason, there ? "no default" : "has no command `blscfg`"));
		end(run);
	}
}

/* GRUB 2.14 has the command in a module of another name, and `uki` beside it. */
static void grub_2_14(void **state)
{
	(void)state;
	for (int uki = 0; uki < 2; uki++) {
		struct run *run = new_run();
		add_entry(run, "/loader/entries", "1", "ro");
		fake_add(&run->disk, 2, "/grub2/x86_64-efi/blsuki.mod", "module");
		start_version(run, "efi", uki ? "uki\nblscfg\n" : "blscfg\n", ANSWER_NO, false);
		assert_int_equal(run->boot.default_known, uki ? ANSWER_UNKNOWN : ANSWER_YES);
		end(run);
	}
	struct run *run = new_run();
	add_entry(run, "/loader/entries", "1", "ro");
	start_version(run, "efi", "blscfg --enable-fallback\n", ANSWER_YES, false);
	assert_int_equal(run->boot.default_known, ANSWER_UNKNOWN);
	end(run);
}

/* Newer versions of Fedora list what is on the ESP (partition 1 here) as well. */
static void esp_as_well(void **state)
{
	(void)state;
	static const struct {
		const char *path, *module; /* a file of the ESP; of the module, NULL: it is in the image */
		uint64_t partition;
		enum answer known;
	} cases[] = {
		{ "/EFI/fedora/grub.cfg", NULL, 1, ANSWER_YES },
		{ "/loader/entries/other.conf", NULL, 1, ANSWER_UNKNOWN },
		{ "/EFI/Linux/a.efi", NULL, 1, ANSWER_UNKNOWN },
		{ "/EFI/Linux/a.efi", NULL, 2, ANSWER_UNKNOWN },
		{ "/EFI/Linux/a.efi", "the module: scanning blslinuxdir: %s", 1, ANSWER_UNKNOWN },
		{ "/EFI/Linux/a.efi", "an older module", 1, ANSWER_YES },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run *run = new_run();
		add_entry(run, "/loader/entries", "1", "ro");
		fake_add(&run->disk, cases[i].partition, cases[i].path, "x");
		if (cases[i].module)
			fake_add(&run->disk, 2, "/grub2/x86_64-efi/blscfg.mod", cases[i].module);
		start_version(run, "efi", "set default=" MACHINE "-1\nblscfg\n",
		              cases[i].module ? ANSWER_NO : ANSWER_YES, !cases[i].module);
		if (run->boot.default_known != cases[i].known)
			fail_msg("%zu: %s", i, run->boot.default_reason);
		end(run);
	}
}

/* Fedora's grub.cfg on the ESP leads to the real one. */
static void stub_on_esp(void **state)
{
	(void)state;
	struct run *run = new_run();
	fake_add(&run->disk, 1, "/EFI/fedora/grub.cfg",
	         "search --no-floppy --root-dev-only --fs-uuid --set=dev root-uuid\nset prefix=($dev)/grub2\n"
	         "export $prefix\nconfigfile $prefix/grub.cfg\n");
	add_entry(run, "/loader/entries", "6.11.4-301.fc41.x86_64", "ro");
	const char *path = SOURCE_ROOT "/tests/golden/grub/fedora-41.cfg";
	fake_add_span(&run->disk, 2, "/grub2/grub.cfg",
	              tool_filter(COMMAND("cat", path), (struct span){ 0 }, &run->arena));
	struct grub_disk disk = fake_interface(&run->disk);
	struct grub_start from = { .platform = "efi",
		                   .cpu = "x86_64",
		                   .prefix = "/EFI/fedora",
		                   .config = "/EFI/fedora/grub.cfg",
		                   .partition = 1 };
	struct budget budget = budget_default();
	assert_true(grub_run(&disk, &from, &budget, &run->arena, &run->boot, &run->error));
	default_is(run, MACHINE "-6.11.4-301.fc41.x86_64", "ro");
	assert_string_equal(run->boot.config.path, "/grub2/grub.cfg");
	end(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(rhel_8),
		cmocka_unit_test(rhel_8_without_grubenv),
		cmocka_unit_test(fedora),
		cmocka_unit_test(in_root_file_system),
		cmocka_unit_test(options_elsewhere),
		cmocka_unit_test(lone_characters),
		cmocka_unit_test(endless_options),
		cmocka_unit_test(asked_for),
		cmocka_unit_test(counted_name),
		cmocka_unit_test(password),
		cmocka_unit_test(cannot_be_read),
		cmocka_unit_test(no_command),
		cmocka_unit_test(grub_2_14),
		cmocka_unit_test(esp_as_well),
		cmocka_unit_test(stub_on_esp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
