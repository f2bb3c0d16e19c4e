#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cmd/options.h"

#define WORDS_MAX 12

/* Parses "slipway WORDS", which are blank-separated. */
static bool parse(const char *words, struct options *options, struct error *error)
{
	/* Operands point into these, so they outlive the call. */
	static char copy[256];
	static char *argv[WORDS_MAX + 2];
	char program[] = "slipway";
	int argc = 0;
	snprintf(copy, sizeof(copy), "%s", words);
	argv[argc++] = program;
	for (char *at = copy; *at && argc <= WORDS_MAX;) {
		argv[argc++] = at;
		at += strcspn(at, " ");
		if (*at)
			*at++ = 0;
	}
	argv[argc] = NULL;
	return options_parse(argc, argv, options, error);
}

static struct options accept(const char *words)
{
	struct options options;
	struct error error = { 0 };
	if (!parse(words, &options, &error))
		fail_msg("'%s' was refused: %s", words, error.message);
	return options;
}

static void refuse(const char *words, const char *message)
{
	struct options options;
	struct error error = { 0 };
	assert_false(parse(words, &options, &error));
	assert_int_equal(error.code, ERROR_USAGE);
	assert_string_equal(error.message, message);
	assert_non_null(options.command);
}

static void test_defaults(void **state)
{
	(void)state;
	struct options options = accept("check disk.raw");
	assert_int_equal(options.command->id, COMMAND_CHECK);
	assert_string_equal(options.format, "text");
	assert_int_equal(options.fail_on, LEVEL_REQUIRED);
	assert_int_equal(options.colour, COLOUR_AUTO);
	assert_null(options.policy);
	assert_null(options.kernel);
	assert_false(options.all_kernels || options.quiet || options.verbose || options.help);
	assert_int_equal(options.operand_count, 1);
	assert_string_equal(options.operands[0], "disk.raw");
}

static void test_every_option(void **state)
{
	(void)state;
	struct options options =
		accept("check -f json --fail-on=advice --policy my.conf --kernel=6.1.0 --color never -v a b");
	assert_string_equal(options.format, "json");
	assert_int_equal(options.fail_on, LEVEL_ADVICE);
	assert_string_equal(options.policy, "my.conf");
	assert_string_equal(options.kernel, "6.1.0");
	assert_int_equal(options.colour, COLOUR_NEVER);
	assert_true(options.verbose);
	assert_int_equal(options.operand_count, 2);
	assert_true(accept("check -qa x").quiet);
	assert_true(accept("check -qa x").all_kernels);
	assert_int_equal(accept("check --fail-on recommended x").fail_on, LEVEL_RECOMMENDED);
	assert_int_equal(accept("inspect --color=always x").colour, COLOUR_ALWAYS);
}

/* One name, two options: the command tells which. */
static void test_boot(void **state)
{
	(void)state;
	struct options options = accept(
		"boot --firmware both --inside --initrd=i --append=quiet --keep-logs l --patience 9 a");
	assert_string_equal(options.firmware, "both");
	assert_string_equal(options.initrd, "i");
	assert_string_equal(options.append, "quiet");
	assert_string_equal(options.logs, "l");
	assert_true(options.inside && options.patience == 9 && !options.console);
	assert_true(!options.no_proofs && accept("boot --no-proofs a").no_proofs);
	assert_true(accept("check --boot --inside --append=quiet --keep-logs=l --no-proofs a").inside);
	options = accept("boot --kernel=vmlinuz --console");
	assert_string_equal(options.kernel_file, "vmlinuz");
	assert_null(options.kernel);
	assert_true(options.console);
	options = accept("check --kernel=6.1 a");
	assert_string_equal(options.kernel, "6.1");
	assert_null(options.kernel_file);
	options = accept("check --boot --firmware=uefi a");
	assert_true(options.boot);
}

static void test_names_that_look_like_options(void **state)
{
	(void)state;
	struct options options = accept("check -q -- -disk.raw --format");
	assert_int_equal(options.operand_count, 2);
	assert_string_equal(options.operands[0], "-disk.raw");
	assert_string_equal(options.operands[1], "--format");
	/* Options may follow the inputs. */
	options = accept("check disk.raw --quiet");
	assert_true(options.quiet);
	assert_int_equal(options.operand_count, 1);
}

static void test_help_needs_no_operand(void **state)
{
	(void)state;
	assert_true(accept("--help").help);
	assert_int_equal(accept("--help").command->id, COMMAND_NONE);
	assert_true(accept("-V").version);
	assert_true(accept("check --help").help);
	assert_int_equal(accept("check -h").command->id, COMMAND_CHECK);
	assert_int_equal(accept("explain").operand_count, 0);
	assert_int_equal(accept("help check").operand_count, 1);
}

static void test_refusals(void **state)
{
	(void)state;
	refuse("", "name a command: check, inspect, boot, machine or explain");
	refuse("boot", "name a disk image or a kernel");
	refuse("boot a b", "'b' is one argument too many");
	refuse("boot --kernel=vmlinuz disk.raw",
	       "--kernel and 'disk.raw' are two inputs: boot one at a time");
	refuse("boot --patience=0 a", "--patience wants seconds, from 1 to 86400, not '0'");
	refuse("boot --patience=1m a", "--patience wants seconds, from 1 to 86400, not '1m'");
	refuse("check --boot --kernel 6.1 a", "--boot boots the default entry: it excludes --kernel");
	refuse("check --firmware=bios a", "--firmware goes with --boot");
	refuse("check --keep-logs=l a", "--keep-logs goes with --boot");
	refuse("check --boot --keep-logs=l a b", "--keep-logs keeps the logs of one input: name one");
	refuse("check --boot --initrd=i a", "there is no option '--initrd'");
	refuse("machine --firmware=both a", "--firmware wants bios or uefi, not 'both'");
	refuse("boot -k 6.1 a", "there is no option '-k'");
	refuse("chek disk.raw", "there is no command 'chek': did you mean check?");
	refuse("frobnicate", "there is no command 'frobnicate'");
	refuse("disk.raw", "there is no command 'disk.raw': did you mean check disk.raw?");
	refuse("help chek", "there is no command 'chek': did you mean check?");
	refuse("--version x", "'x' is one argument too many");
	refuse("inspect a b", "'b' is one argument too many");
	refuse("version x", "'x' is one argument too many");
	refuse("check --formt=json x", "there is no option '--formt': did you mean --format?");
	refuse("check --frobnicate x", "there is no option '--frobnicate'");
	refuse("check -z x", "there is no option '-z'");
	refuse("check -qz x", "there is no option '-z'");
	refuse("inspect --fail-on=advice x", "there is no option '--fail-on'");
	refuse("inspect -q x", "there is no option '-q'");
	refuse("check --format=xml x", "--format wants text or json, not 'xml'");
	refuse("check -f jso x", "--format wants text or json, not 'jso'");
	refuse("check --fail-on=all x", "--fail-on wants required, recommended or advice, not 'all'");
	refuse("check --format= x", "--format wants text or json, not ''");
	refuse("check --policy= x", "--policy wants a FILE, not an empty word");
	refuse("check x --kernel", "--kernel wants a value: --kernel=VERSION");
	refuse("check x -k", "--kernel wants a value: --kernel=VERSION");
	refuse("check --quiet=yes x", "--quiet takes no value");
	refuse("check --kernel=6.1 --all-kernels x", "--kernel and --all-kernels exclude each other");
	refuse("check -q -v x", "--quiet and --verbose exclude each other");
}

/* A name cut short works until a second option begins so: scripts must not come to rely on it. */
static void test_abbreviations_are_refused(void **state)
{
	(void)state;
	refuse("check --verb x", "there is no option '--verb': did you mean --verbose?");
	refuse("check --form=json x", "there is no option '--form': did you mean --format?");
	refuse("check --form json x", "there is no option '--form': did you mean --format?");
	refuse("check --ver x", "there is no option '--ver': did you mean --verbose?");
}

static void test_nearest(void **state)
{
	(void)state;
	static const char *const names[] = { "kernel.virtio-scsi", "kernel.virtio-net", "boot.console" };
	assert_string_equal(nearest_name("kernel.virtio-scis", names, 3), "kernel.virtio-scsi");
	assert_string_equal(nearest_name("virtio-net", names, 3), "kernel.virtio-net");
	assert_string_equal(nearest_name("boot.consol", names, 3), "boot.console");
	assert_null(nearest_name("zzzz", names, 3));
	assert_null(nearest_name("", names, 3));
	char endless[400];
	memset(endless, 'a', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = 0;
	assert_null(nearest_name(endless, names, 3));
}

/* The table itself: letters and names are unique in a command, and each help line fits 80 columns behind its
 * option. */
static void test_table(void **state)
{
	(void)state;
	for (const struct option_row *row = option_rows; row->name; row++) {
		assert_true(row->commands != 0);
		assert_true(strlen(row->help) <= 71);
		for (const struct option_row *other = row + 1; other->name; other++) {
			if (!(row->commands & other->commands))
				continue;
			assert_string_not_equal(row->name, other->name);
			assert_int_not_equal(row->id, other->id);
			if (row->letter)
				assert_int_not_equal(row->letter, other->letter);
		}
	}
	for (const struct command *command = commands; command->name; command++) {
		char *help = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&help, &size);
		options_help(out, command);
		fclose(out);
		for (const struct option_row *row = option_rows; row->name; row++) {
			char word[32];
			snprintf(word, sizeof(word), " --%s", row->name);
			bool belongs = row->commands >> command->id & 1;
			assert_int_equal(strstr(help, word) != NULL && strstr(help, row->help) != NULL,
			                 belongs);
		}
		free(help);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_names_that_look_like_options),
		cmocka_unit_test(test_help_needs_no_operand),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_abbreviations_are_refused),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
