// The words of GRUB's menu script: conditions, loops, other files, and what cannot be followed.

#include "grub_bench.h"

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
		cmocka_unit_test(conditions),           cmocka_unit_test(words),
		cmocka_unit_test(functions_and_loops),  cmocka_unit_test(other_files),
		cmocka_unit_test(missing_file),         cmocka_unit_test(what_cannot_be_followed),
		cmocka_unit_test(unreadable_partition), cmocka_unit_test(hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
