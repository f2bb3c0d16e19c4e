// The GRUB script evaluator: the language, the menu, and what happens where it cannot be followed.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
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
static struct run *new_run(void)
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

static void set_env(struct run *run, const char *lines)
{
	int used = snprintf(run->block, sizeof(run->block), "# GRUB Environment Block\n%s", lines);
	memset(run->block + used, '#', sizeof(run->block) - (size_t)used);
	fake_add_span(&run->disk, 2, "/boot/grub/grubenv", span_of(run->block, sizeof(run->block)));
}

static void start(struct run *run, const char *platform)
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

static struct run *run_script(const char *script)
{
	struct run *run = new_run();
	fake_add(&run->disk, 2, "/boot/grub/grub.cfg", script);
	start(run, "pc");
	return run;
}

static struct run *run_script_with_env(const char *script, const char *env)
{
	struct run *run = new_run();
	set_env(run, env);
	fake_add(&run->disk, 2, "/boot/grub/grub.cfg", script);
	start(run, "pc");
	return run;
}

static void end(struct run *run)
{
	arena_free(&run->arena);
	free(run);
}

static const struct boot_entry *default_of(const struct run *run)
{
	if (run->boot.default_known != ANSWER_YES)
		print_message("default: %s\n", run->boot.default_reason);
	assert_int_equal(run->boot.default_known, ANSWER_YES);
	assert_true(run->boot.default_index < run->boot.entries.count);
	return &run->boot.entries.items[run->boot.default_index];
}

static void default_is(struct run *run, const char *title, const char *reason)
{
	assert_string_equal(default_of(run)->title, title);
	if (reason)
		assert_string_equal(run->boot.default_reason, reason);
	end(run);
}

static void default_unknown(struct run *run, const char *part_of_reason)
{
	assert_int_equal(run->boot.default_known, ANSWER_UNKNOWN);
	assert_non_null(run->boot.default_reason);
	if (!strstr(run->boot.default_reason, part_of_reason))
		fail_msg("\"%s\" does not name \"%s\"", run->boot.default_reason, part_of_reason);
	end(run);
}

/* A condition decides which of two entries comes first. */
static void holds(const char *condition, bool expected)
{
	char script[2048];
	snprintf(script, sizeof(script),
	         "set empty=\nset word=abc\nset number=7\nset two='a b'\n"
	         "if %s; then menuentry yes { linux /boot/vmlinuz-1\n }\nfi\nmenuentry no { true\n }\n",
	         condition);
	struct run *run = run_script(script);
	if (!str_equal(default_of(run)->title, expected ? "yes" : "no"))
		fail_msg("%s is not %s", condition, expected ? "true" : "false");
	end(run);
}

static void conditions(void **state)
{
	(void)state;
	holds("[ \"$word\" = abc ]", true);
	holds("[ x$word == xabc ]", true);
	holds("[ $word != abc ]", false);
	holds("test $word = abc", true);
	holds("[ -n \"$word\" ]", true);
	holds("[ -z \"$word\" ]", false);
	holds("[ \"$empty\" ]", false);
	holds("[ \"${word}\" ]", true);
	holds("[ -n $empty ]", true); /* one word: the text "-n" */
	holds("[ ! -n \"$word\" ]", false);
	holds("! false", true);
	holds("[ \"$word\" = abc -a \"$number\" = 7 ]", true);
	holds("[ \"$word\" = x -o \"$number\" = 7 ]", true);
	holds("[ \"$word\" = x -o \"$number\" = 8 ]", false);
	holds("[ \"$word\" = abc -o \"$number\" = 8 -a -z x ]", true);
	holds("[ ( $word = x -o $word = abc ) -a ! ( $number = 8 ) ]", true);
	holds("[ $number -eq 0x7 ]", true);
	holds("[ $number -lt 10 ]", true);
	holds("[ $number -ge 8 ]", false);
	holds("[ -1 -lt 0 ]", true);
	holds("[ -f /boot/vmlinuz-1 ]", true);
	holds("[ -f (hd0,gpt1)/vmlinuz-3 ]", true);
	holds("[ -f (hd0,1)/vmlinuz-3 ]", true);
	holds("[ -f (hd0,msdos1)/vmlinuz-3 ]", false);
	holds("[ -e /boot/nothing ]", false);
	holds("[ -d /boot/grub ]", true);
	holds("[ -s $prefix/grub.cfg ]", true);
	holds("[ -d /boot/vmlinuz-1 ]", false);
	holds("false; true", true);
	holds("search --no-floppy --fs-uuid --set=root boot-uuid", true);
	holds("search --no-floppy --fs-uuid --set=root no-such-uuid", false);
	holds("[ \"$grub_platform\" = pc ]", true);
	holds("[ x$feature_timeout_style = xy ]", true);
	holds("[ \"$two\" = 'a b' ]", true);
	holds("[ x\"${unset_variable}\" = x ]", true);
	holds("false; [ $? = 1 ]", true);
}

static void words(void **state)
{
	(void)state;
	struct run *run =
		run_script("set a=1 # comment\n"
	                   "set b='two words'\n"
	                   "menuentry \"T \\\"$a\\\" \\$b ${b}\" 'x' --id my-id {\n"
	                   "  linux /boot/vmlinuz-1 \\\n    root=UUID=root-uuid a\\ b \"$b\" $b x#y "
	                   "'q\"' $missing \"\"\n"
	                   "  initrd /boot/initrd-1 newc:n:/boot/initrd-2\n"
	                   "}\n");
	const struct boot_entry *entry = default_of(run);
	assert_string_equal(entry->title, "T \"1\" $b two words");
	assert_string_equal(entry->id, "my-id");
	assert_string_equal(entry->command_line,
	                    "root=UUID=root-uuid \"a b\" \"two words\" two words x#y q\\\" ");
	assert_string_equal(entry->kernel.path, "/boot/vmlinuz-1");
	assert_int_equal(entry->kernel.partition, 2);
	assert_int_equal(entry->kernel.found, ANSWER_YES);
	assert_int_equal(entry->initrds.count, 2);
	assert_string_equal(entry->initrds.items[1].path, "/boot/initrd-2");
	assert_int_equal(entry->initrds.items[1].found, ANSWER_YES);
	assert_int_equal(entry->place.line, 4);
	assert_string_equal(entry->place.path, "/boot/grub/grub.cfg");
	assert_true(str_starts(entry->place.text, "linux /boot/vmlinuz-1"));
	end(run);
}

static const char *const two_entries =
	"menuentry 'One' --id one { linux /boot/vmlinuz-1 root=UUID=root-uuid\n initrd /boot/initrd-1\n }\n"
	"submenu 'Old > ones' --id old {\n"
	"  menuentry 'Two' --id two { linux /boot/vmlinuz-2\n }\n"
	"  menuentry 'Three' --id three { search --set=root --fs-uuid boot-uuid\n linux //vmlinuz-3\n }\n"
	"}\n"
	"menuentry 'Last' --id last { linux /boot/missing\n }\n";

static struct run *with_default(const char *value)
{
	char script[2048];
	snprintf(script, sizeof(script), "set default='%s'\n%s", value, two_entries);
	return run_script(script);
}

static void defaults(void **state)
{
	(void)state;
	default_is(with_default("0"), "One", "set default=0");
	default_is(run_script(two_entries), "One", "no default is set, so GRUB takes the first entry");
	default_is(with_default("2"), "Last", "set default=2");
	default_is(with_default("1"), "Old >> ones>Two", "set default=1");
	default_is(with_default("1>1"), "Old >> ones>Three", "set default=1>1");
	default_is(with_default("1>three"), "Old >> ones>Three", NULL);
	default_is(with_default("old>Three"), "Old >> ones>Three", NULL);
	default_is(with_default("Old >> ones>Three"), "Old >> ones>Three", NULL);
	default_is(with_default("last"), "Last", NULL);
	default_is(with_default("Last"), "Last", NULL);
	default_is(with_default("0x2"), "Last", NULL);
	default_is(with_default("gone"), "One", "default \"gone\" names no entry, so GRUB takes the first");
	default_is(with_default("9"), "One", "default \"9\" names no entry, so GRUB takes the first");
	default_is(with_default("-1"), "One", NULL);
	default_is(with_default("1>9"), "Old >> ones>Two", NULL);
	default_unknown(with_default("2 kernels"), "index for some versions");
}

static void entries(void **state)
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

static void no_entries(void **state)
{
	(void)state;
	struct run *run = run_script("set timeout=5\nset default=0\n");
	assert_true(run->finished);
	assert_int_equal(run->boot.default_known, ANSWER_NO);
	end(run);
	run = run_script("submenu a { true\n }\n");
	assert_int_equal(run->boot.default_known, ANSWER_NO);
	end(run);
}

static const char *const saved_default = "if [ -s $prefix/grubenv ]; then\n  load_env\nfi\n"
					 "if [ \"${next_entry}\" ] ; then\n"
					 "   set default=\"${next_entry}\"\n   set next_entry=\n"
					 "   save_env next_entry\n   set boot_once=true\n"
					 "else\n   set default=\"${saved_entry}\"\nfi\n"
					 "menuentry 'One' --id one { linux /boot/vmlinuz-1\n }\n"
					 "menuentry 'Two' --id two { linux /boot/vmlinuz-2\n }\n";

static void environment_block(void **state)
{
	(void)state;
	struct run *run = run_script_with_env(saved_default, "saved_entry=two\n");
	assert_string_equal(run->boot.default_place.path, "/boot/grub/grubenv");
	assert_int_equal(run->boot.default_place.line, 2);
	assert_string_equal(run->boot.default_place.text, "saved_entry=two");
	default_is(run, "Two", "saved_entry of grubenv");
	default_is(run_script_with_env(saved_default, "saved_entry=one\nnext_entry=two\n"), "Two",
	           "next_entry of grubenv");
	default_is(run_script_with_env(saved_default, "other=two\n"), "One",
	           "no default is set, so GRUB takes the first entry");
	default_is(run_script_with_env(saved_default, "saved_entry=gone\n"), "One", NULL);
	default_is(run_script(saved_default), "One", NULL);
}

static void damaged_environment_block(void **state)
{
	(void)state;
	struct run *run = new_run();
	fake_add(&run->disk, 2, "/boot/grub/grubenv", "garbage");
	fake_add(&run->disk, 2, "/boot/grub/grub.cfg", saved_default);
	start(run, "pc");
	assert_int_equal(run->boot.problems.count, 1);
	assert_string_equal(run->boot.problems.items[0].code, "grub-env");
	default_is(run, "One", NULL);
}

/* `set root=(hd0,gpt2)`, as people write it, is the same as without the parentheses. */
static void root_in_parentheses(void **state)
{
	(void)state;
	struct run *run = run_script("set root=(hd0,gpt2)\nmenuentry a { linux ($root)/boot/vmlinuz-1\n }\n"
	                             "menuentry b { linux /boot/vmlinuz-1\n }\n");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(run->boot.entries.items[i].kernel.partition, 2);
		assert_int_equal(run->boot.entries.items[i].kernel.found, ANSWER_YES);
	}
	end(run);
}

static void timeouts(void **state)
{
	(void)state;
	struct run *run = run_script("set timeout=5\nmenuentry a { linux /boot/vmlinuz-1\n }\n");
	assert_string_equal(run->boot.timeout, "5");
	assert_int_equal(run->boot.timeout_place.line, 1);
	end(run);
	run = run_script("menuentry a { linux /boot/vmlinuz-1\n }\n");
	assert_string_equal(run->boot.timeout, "-1");
	end(run);
	run = run_script("true\n");
	assert_null(run->boot.timeout);
	end(run);
	run = run_script("configfile (hd1)/grub.cfg\nmenuentry a { linux /boot/vmlinuz-1\n }\n");
	assert_null(run->boot.timeout);
	end(run);
	run = run_script("regexp --set 1:timeout x y\nmenuentry a { linux /boot/vmlinuz-1\n }\n");
	assert_null(run->boot.timeout);
	end(run);
}

static void functions_and_loops(void **state)
{
	(void)state;
	default_is(
		run_script(
			"function pick { if [ \"$1\" = two ]; then set default=$2; return 1; fi; true\n }\n"
			"pick one 0\nif pick two 1; then set default=0; fi\n"
			"menuentry a { true\n }\nmenuentry b { linux /boot/vmlinuz-1\n }\n"),
		"b", "set default=1");
	default_is(
		run_script("set n=\nfor x in a b c d; do if [ $x = c ]; then break; fi; set n=${n}x\ndone\n"
	                   "until [ $n = xxxx ]; do set n=${n}x; done\n"
	                   "if [ $n = xxxx ]; then set default=1; fi\n"
	                   "menuentry a { true\n }\nmenuentry b { true\n }\n"),
		"b", NULL);
	default_is(run_script("function f { shift; set default=$1; }\nf 0 1\n"
	                      "menuentry a { true\n }\nmenuentry b { true\n }\n"),
	           "b", NULL);
	default_is(run_script("if false; then set default=0; elif true; then set default=1; else "
	                      "set default=2; fi\nmenuentry a { true\n }\nmenuentry b { true\n }\n"),
	           "b", NULL);
}

static void other_files(void **state)
{
	(void)state;
	struct run *run = new_run();
	fake_add(&run->disk, 2, "/boot/grub/grub.cfg",
	         "set default=1\nset x=1\nset y=1\nexport y\nsource $config_directory/more.cfg\n"
	         "search.fs_uuid boot-uuid root hd0,gpt9\nset prefix=($root)'/grub'\n"
	         "configfile $prefix/grub.cfg\nmenuentry never { true\n }\n");
	fake_add(&run->disk, 2, "/boot/grub/more.cfg", "menuentry sourced { true\n }\n");
	fake_add(&run->disk, 1, "/grub/grub.cfg",
	         "menuentry inner$x$y$config_file { linux /vmlinuz-3\n }\nmenuentry second { true\n }\n");
	start(run, "efi");
	assert_int_equal(run->boot.entries.count, 2);
	assert_int_equal(run->boot.entries.items[0].kernel.partition, 1);
	assert_int_equal(run->boot.entries.items[0].place.partition, 1);
	assert_string_equal(run->boot.entries.items[0].place.path, "/grub/grub.cfg");
	default_is(run, "inner1(hd0,gpt1)/grub/grub.cfg", "no default is set, so GRUB takes the first entry");
}

static void missing_file(void **state)
{
	(void)state;
	struct run *run = run_script("configfile /boot/none.cfg\nmenuentry a { true\n }\n");
	assert_int_equal(run->boot.problems.count, 1);
	assert_string_equal(run->boot.problems.items[0].code, "grub-config-file");
	assert_int_equal(run->boot.problems.items[0].place.line, 1);
	default_is(run, "a", NULL);
}

static void what_cannot_be_followed(void **state)
{
	(void)state;
	/* A command that nothing depends on is passed over. */
	default_is(run_script("frobnicate\nmenuentry a { linux /boot/vmlinuz-1\n }\n"), "a", NULL);
	default_is(run_script("if loadfont unicode; then set gfxmode=auto; fi\n"
	                      "menuentry a { linux /boot/vmlinuz-1\n }\n"),
	           "a", NULL);
	default_unknown(run_script("true\nif frobnicate; then set default=1; fi\nmenuentry a { true\n }\n"
	                           "menuentry b { true\n }\n"),
	                "grub.cfg:2: cannot follow `frobnicate`");
	default_unknown(
		run_script("if frobnicate; then menuentry a { true\n }\nfi\nmenuentry b { true\n }\n"),
		"frobnicate");
	/* Behind the default, it does not matter. */
	default_is(run_script("menuentry a { true\n }\nif frobnicate; then menuentry b { true\n }\nfi\n"),
	           "a", NULL);
	default_is(run_script("set default=b\nif frobnicate; then menuentry a { true\n }\nfi\n"
	                      "menuentry b { true\n }\n"),
	           "b", NULL);
	default_unknown(run_script("if frobnicate; then exit; fi\nmenuentry a { true\n }\n"), "frobnicate");
	default_unknown(run_script("cat --set=default /x\nmenuentry a { true\n }\n"), "cannot follow `cat`");
	default_unknown(run_script("menuentry a { if frobnicate; then linux /boot/vmlinuz-1; fi\n }\n"),
	                "frobnicate");
	default_unknown(run_script("menuentry a { search --fs-uuid --set=root twice-uuid\n"
	                           "linux /boot/vmlinuz-1\n }\n"),
	                "twice-uuid");
	default_unknown(run_script("menuentry a { linux (lvm/vg-root)/boot/vmlinuz-1\n }\n"),
	                "device (lvm/vg-root)");
	default_unknown(run_script("menuentry a { true\n"), "syntax error");
	default_unknown(run_script("set default=0\nif true; menuentry b {\n fi\nmenuentry a { true\n }\n"),
	                "syntax error");
	default_unknown(run_script("set default=0\n$(date)\nmenuentry a { true\n }\n"), "syntax error");
	default_unknown(run_script("menuentry a { linux /boot/vmlinuz-1 $lockdown\n }\n"), "$lockdown");
}

static void unreadable_partition(void **state)
{
	(void)state;
	struct run *run = new_run();
	run->disk.unreadable = 1;
	fake_add(&run->disk, 2, "/boot/grub/grub.cfg",
	         "menuentry a { search --fs-uuid --set=root boot-uuid\nlinux /vmlinuz-3\n }\n"
	         "menuentry b { linux /boot/vmlinuz-1\n }\n");
	start(run, "pc");
	assert_int_equal(run->boot.default_known, ANSWER_YES);
	assert_int_equal(run->boot.entries.items[0].kernel.found, ANSWER_UNKNOWN);
	assert_int_equal(run->boot.entries.items[1].kernel.found, ANSWER_YES);
	end(run);
}

static void password(void **state)
{
	(void)state;
	struct run *run = run_script("set superusers=root\nexport superusers\npassword root x\n"
	                             "menuentry a { true\n }\nmenuentry b --unrestricted { true\n }\n");
	assert_int_equal(run->boot.problems.count, 1);
	assert_string_equal(run->boot.problems.items[0].code, "grub-password");
	end(run);
	run = run_script("set superusers=root\nset default=1\nmenuentry a { true\n }\n"
	                 "menuentry b --unrestricted { true\n }\n");
	assert_int_equal(run->boot.problems.count, 0);
	end(run);
}

static void fallback(void **state)
{
	(void)state;
	default_unknown(run_script("set fallback=1\nmenuentry a { linux /none\n }\nmenuentry b { true\n }\n"),
	                "fallback");
}

static void add_bls(struct run *run, const char *version)
{
	fake_add(&run->disk, 2, arena_printf(&run->arena, "/boot/vmlinuz-%s", version), "kernel");
	fake_add(&run->disk, 2,
	         arena_printf(&run->arena, "/boot/loader/entries/f00d-%s.el9.x86_64.conf", version),
	         arena_printf(&run->arena,
	                      "title Red Hat Enterprise Linux (%s)\nlinux /boot/vmlinuz-%s\n"
	                      "options root=UUID=root-uuid ro\n",
	                      version, version));
}

/* What real generators write: tests/golden/grub/. Their kernels exist in partition 2, but for Ubuntu's. */
static struct run *run_golden(const char *name, const char *env)
{
	struct run *run = new_run();
	const char *path = arena_printf(&run->arena, "%s/tests/golden/grub/%s.cfg", SOURCE_ROOT, name);
	struct span script = tool_filter(COMMAND("cat", path), (struct span){ 0 }, &run->arena);
	static const char *const versions[] = {
		"vmlinuz-5.10.0-32-cloud-amd64",      "vmlinuz-6.1.0-50-cloud-amd64",
		"vmlinuz-6.12.107+deb13-cloud-amd64", "vmlinuz-5.1.0-1-cloud-amd64",
		"vmlinuz-6.4.0-150600.21-default",    "vmlinuz-5.14.21-150400.22-default"
	};
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		fake_add(&run->disk, 2, arena_printf(&run->arena, "/boot/%s", versions[i]), "kernel");
	fake_add(&run->disk, 1, "/vmlinuz-6.8.0-1001-gcp", "kernel");
	add_bls(run, "5.14.0-427");
	add_bls(run, "5.14.0-503");
	if (env)
		set_env(run, env);
	fake_add_span(&run->disk, 2, "/boot/grub/grub.cfg", script);
	start(run, "efi");
	assert_true(run->finished);
	return run;
}

static void golden_is(const char *name, const char *env, const char *title, const char *kernel,
                      const char *part_of_command_line, size_t entries_expected)
{
	struct run *run = run_golden(name, env);
	const struct boot_entry *entry = default_of(run);
	assert_string_equal(entry->title, title);
	assert_string_equal(entry->kernel.path, kernel);
	assert_int_equal(entry->kernel.found, ANSWER_YES);
	if (!strstr(entry->command_line, part_of_command_line))
		fail_msg("%s: %s", name, entry->command_line);
	assert_int_equal(run->boot.entries.count, entries_expected);
	end(run);
}

static void golden(void **state)
{
	(void)state;
	golden_is("debian-11", NULL, "Debian GNU/Linux", "/boot/vmlinuz-5.10.0-32-cloud-amd64",
	          "root=UUID=" DEBIAN_UUID " ro console=ttyS0,38400n8d quiet", 5);
	golden_is("debian-12", NULL, "Debian GNU/Linux", "/boot/vmlinuz-6.1.0-50-cloud-amd64", "quiet", 5);
	/* The one more is "UEFI Firmware Settings". */
	golden_is("debian-13", NULL, "Debian GNU/Linux", "/boot/vmlinuz-6.12.107+deb13-cloud-amd64", "quiet",
	          6);
	golden_is("debian-12",
	          "saved_entry=gnulinux-advanced-" DEBIAN_UUID
	          ">gnulinux-5.1.0-1-cloud-amd64-recovery-" DEBIAN_UUID "\n",
	          "Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 5.1.0-1-cloud-amd64 "
	          "(recovery mode)",
	          "/boot/vmlinuz-5.1.0-1-cloud-amd64", "single", 5);
	golden_is("debian-12", "saved_entry=1>2\n",
	          "Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 5.1.0-1-cloud-amd64",
	          "/boot/vmlinuz-5.1.0-1-cloud-amd64", "quiet", 5);
	golden_is("debian-12", "saved_entry=0\nprev_saved_entry=1>2\n", "Debian GNU/Linux",
	          "/boot/vmlinuz-6.1.0-50-cloud-amd64", "quiet", 5);
	golden_is("ubuntu", NULL, "Ubuntu", "/vmlinuz-6.8.0-1001-gcp", "panic=-1", 2);
	golden_is("ubuntu", "initrdfail=1\n", "Ubuntu", "/vmlinuz-6.8.0-1001-gcp", "console=ttyS0,115200", 2);
	golden_is("suse", NULL, "SLES 15-SP6", "/boot/vmlinuz-6.4.0-150600.21-default",
	          "root=UUID=root-uuid console=ttyS0,115200 quiet", 2);
	golden_is(
		"suse",
		"saved_entry=gnulinux-advanced-root-uuid>SLES 15-SP6, with Linux 5.14.21-150400.22-default\n",
		"Advanced options for SLES 15-SP6>SLES 15-SP6, with Linux 5.14.21-150400.22-default",
		"/boot/vmlinuz-5.14.21-150400.22-default", "quiet", 2);
	golden_is("rhel-9", "saved_entry=f00d-5.14.0-427.el9.x86_64\n",
	          "Red Hat Enterprise Linux (5.14.0-427)", "/boot/vmlinuz-5.14.0-427",
	          "root=UUID=root-uuid ro", 2);
}

/* What openSUSE and SLES add to grub-mkconfig's text: snapshots in a submenu of another file, text mode
 * behind a key. */
static void suse_extras(void **state)
{
	(void)state;
	static const char script[] =
		"set btrfs_relative_path=\"y\"\nexport btrfs_relative_path\n"
		"if [ -n \"$extra_cmdline\" ]; then\n  submenu \"Bootable snapshot #$snapshot_num\" {\n"
		"    menuentry \"If OK, run 'snapper rollback' and reboot.\" { true; }\n  }\nfi\n"
		"if [ \"${grub_platform}\" = \"efi\" ]; then\n  hiddenentry \"Text mode\" --hotkey \"t\" {\n"
		"    set textmode=true\n    terminal_output console\n  }\nfi\n"
		"menuentry 'openSUSE Leap 15.6' --class opensuse --unrestricted $menuentry_id_option "
		"'gnulinux-simple' {\n"
		"\tset linux_gfx_mode=auto\n\texport linux_gfx_mode\n\techo 'Loading Linux ...'\n"
		"\tlinux /boot/vmlinuz-1 root=UUID=root-uuid ${extra_cmdline} splash=silent\n"
		"\tinitrd /boot/initrd-1\n}\n"
		"if [ -f \"/.snapshots/grub-snapshot.cfg\" ]; then\n  source "
		"\"/.snapshots/grub-snapshot.cfg\"\nfi\n";
	struct run *run = new_run();
	fake_add(&run->disk, 2, "/boot/grub/grub.cfg", script);
	fake_add(&run->disk, 2, "/.snapshots/grub-snapshot.cfg",
	         "if [ -z \"$extra_cmdline\" ]; then\n  submenu \"Start bootloader from a read-only "
	         "snapshot\" {\n"
	         "    submenu \"x\" { configfile /none\n }\n    if [ x$snapshot_found != xtrue ]; then\n"
	         "      submenu \"Not Found\" { true; }\n    fi\n  }\nfi\n");
	start(run, "efi");
	assert_string_equal(default_of(run)->command_line, "root=UUID=root-uuid splash=silent");
	default_is(run, "openSUSE Leap 15.6", NULL);
}

/* Every limit stops the run with a reason, and soon. */
static void stopped(const char *script, const char *part_of_reason)
{
	struct run *run = run_script(script);
	assert_false(run->finished);
	assert_int_equal(run->error.code, ERROR_LIMIT);
	if (!strstr(run->error.message, part_of_reason))
		fail_msg("\"%s\" does not say \"%s\"", run->error.message, part_of_reason);
	assert_int_not_equal(run->boot.default_known, ANSWER_YES);
	end(run);
}

static void hostile(void **state)
{
	(void)state;
	stopped("while true; do true; done\n", "more than");
	stopped("function f { f; }\nf\n", "deep");
	stopped("source /boot/grub/grub.cfg\n", "deep");
	stopped("configfile /boot/grub/grub.cfg\n", "deep");
	stopped("function f { submenu x { f; }; }\nf\n", "deep");
	stopped("while true; do menuentry a { true\n }\ndone\n", "entries");
	stopped("if true; then if true; then if true; then if true; then if true; then if true; then "
	        "if true; then if true; then if true; then if true; then if true; then if true; then "
	        "if true; then if true; then if true; then if true; then if true; then if true; then "
	        "if true; then if true; then if true; then if true; then if true; then if true; then "
	        "if true; then if true; then if true; then if true; then if true; then if true; then "
	        "if true; then if true; then if true; then if true; then if true; then if true; then "
	        "if true; then if true; then if true; then if true; then if true; then if true; then ",
	        "nested");
	/* A word that grows without end becomes unknown, not larger. */
	default_unknown(
		run_script("set a=0123456789abcdef\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do\n"
	                   "set a=$a$a\ndone\nset default=$a\nmenuentry a { true\n }\n"),
		"longer than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(words),
		cmocka_unit_test(defaults),
		cmocka_unit_test(entries),
		cmocka_unit_test(no_entries),
		cmocka_unit_test(environment_block),
		cmocka_unit_test(damaged_environment_block),
		cmocka_unit_test(root_in_parentheses),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(functions_and_loops),
		cmocka_unit_test(other_files),
		cmocka_unit_test(missing_file),
		cmocka_unit_test(what_cannot_be_followed),
		cmocka_unit_test(unreadable_partition),
		cmocka_unit_test(password),
		cmocka_unit_test(fallback),
		cmocka_unit_test(golden),
		cmocka_unit_test(suse_extras),
		cmocka_unit_test(hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
