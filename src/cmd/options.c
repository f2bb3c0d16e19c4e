#include "cmd/options.h"

#include <getopt.h>
#include <string.h>

#define CHECK       (1u << COMMAND_CHECK)
#define INSPECT     (1u << COMMAND_INSPECT)
#define BOOT        (1u << COMMAND_BOOT)
#define MACHINE     (1u << COMMAND_MACHINE)
#define EXPLAIN     (1u << COMMAND_EXPLAIN)
#define NONE        (1u << COMMAND_NONE)
#define EVERY       (NONE | CHECK | INSPECT | BOOT | MACHINE | EXPLAIN | 1u << COMMAND_HELP | 1u << COMMAND_VERSION)
#define HOW_TO_BOOT (CHECK | BOOT | OPTION_OF_BOOT)

#define OPTIONS_MAX   24
#define PATIENCE_MOST 86400u

const struct command commands[] = {
	{ COMMAND_NONE, "", "COMMAND [OPTION...] [ARGUMENT...]",
	  "a command: check, inspect, boot, machine or explain", 0,
	  "Tell whether Linux images meet the requirements of Compute Engine.", NULL },
	{ COMMAND_CHECK, "check", "[OPTION...] [INPUT...]", NULL, SIZE_MAX,
	  "check images against the requirements, and whether they would boot",
	  "An INPUT is a disk image, packed or not, a block device, a root directory, a kernel, or the\n"
	  "configuration of one; its content tells. \"-\" is the standard input; \"live\", or none at all,\n"
	  "the running machine. Nothing is mounted or run, no input is written to, and no privileges are\n"
	  "needed. Each failure names the file, the line, and a fix.\n"
	  "\n"
	  "Exit status: 0 all conform; 1 failures at the --fail-on level or a graver one; 2 an input\n"
	  "could not be fully examined; 3 wrong usage; 70 a bug in slipway; 75 try again." },
	{ COMMAND_INSPECT, "inspect", "[OPTION...] [INPUT]", NULL, 1,
	  "show what is in an image: partitions, boot path, kernels, sysctls",
	  "Shows the facts that the rules are judged by, each with the file and line it comes from.\n"
	  "Without an INPUT, those of the running machine." },
	{ COMMAND_BOOT, "boot", "[OPTION...] INPUT", "a disk image or a kernel", 1,
	  "boot an image on the reference machine, and see its devices driven",
	  "Starts a disk image of any kind, or a kernel, in QEMU with the hardware that the platform lists,\n"
	  "proves from outside that its kernel drives each device, and reports the requirements with what\n"
	  "was seen beside what was read. The image is not written to, and the guest reaches no network.\n"
	  "Without KVM it takes a minute or two. --inside loads the image's kernel directly and asks the\n"
	  "guest for its own view, its sysctls above all; a kernel alone is always asked for it.\n"
	  "\n"
	  "Exit status: as that of check; 1 also where it did not come up; 2 also where it cannot be\n"
	  "booted here, for want of QEMU say; 75 where the machine failed; 130 interrupted." },
	{ COMMAND_MACHINE, "machine", "[OPTION...] [INPUT]", NULL, 1,
	  "print the command that starts an image on the reference machine",
	  "The reference machine is QEMU with the hardware that the platform lists. An INPUT is a raw disk\n"
	  "image, which is not written to: writes go to an overlay. Without one, the command is for a\n"
	  "disk.raw. --exec runs it; what the guest wrote is gone when it ends." },
	{ COMMAND_EXPLAIN, "explain", "[OPTION...] [ID...]", NULL, SIZE_MAX,
	  "explain a requirement: what it asks, why, and how to meet it",
	  "Without an ID, lists all requirements." },
	{ COMMAND_HELP, "help", "[COMMAND]", NULL, 1, "show the help of a command", NULL },
	{ COMMAND_VERSION, "version", "", NULL, 0, "show the version", NULL },
	{ 0 },
};

const struct option_row option_rows[] = {
	{ OPTION_FORMAT, "format", 'f', "FORMAT", "text json", "how to report: text (default) or json",
	  CHECK | INSPECT | BOOT },
	{ OPTION_FAIL_ON, "fail-on", 0, "LEVEL", "required recommended advice",
	  "fail on this level and graver: required (default), recommended, advice", CHECK | BOOT },
	{ OPTION_POLICY, "policy", 'p', "FILE", NULL, "use the rules of FILE, see slipway-policy(5)",
	  CHECK | INSPECT | BOOT | EXPLAIN },
	{ OPTION_KERNEL, "kernel", 'k', "VERSION", NULL, "look at this kernel, not the one booted by default",
	  CHECK | INSPECT },
	{ OPTION_ALL_KERNELS, "all-kernels", 'a', NULL, NULL, "look at every kernel of the image",
	  CHECK | INSPECT },
	{ OPTION_COLOR, "color", 0, "WHEN", "auto always never", "use colour: auto (default), always, never",
	  CHECK | INSPECT | BOOT | EXPLAIN },
	{ OPTION_BOOT, "boot", 0, NULL, NULL, "boot it on the reference machine as well", CHECK },
	{ OPTION_FIRMWARE, "firmware", 0, "FIRMWARE", "bios uefi both",
	  "by bios, uefi or both (default: what the image boots by, bios first)", HOW_TO_BOOT },
	{ OPTION_FIRMWARE, "firmware", 0, "FIRMWARE", "bios uefi",
	  "start by bios or uefi (default: what the image boots by, bios first)", MACHINE },
	{ OPTION_INSIDE, "inside", 0, NULL, NULL,
	  "load its kernel directly, and ask the guest for its own view", HOW_TO_BOOT },
	{ OPTION_KERNEL_FILE, "kernel", 0, "FILE", NULL, "boot this kernel by itself", BOOT },
	{ OPTION_INITRD, "initrd", 0, "FILE", NULL, "with a kernel: its initramfs", BOOT },
	{ OPTION_APPEND, "append", 0, "WORDS", NULL,
	  "add WORDS to the command line of a kernel, or with --inside", HOW_TO_BOOT },
	{ OPTION_CONSOLE, "console", 0, NULL, NULL, "show the console of the guest, on the standard error",
	  HOW_TO_BOOT },
	{ OPTION_KEEP_LOGS, "keep-logs", 0, "DIR", NULL, "keep console.log, qmp.log and frames.pcap in DIR",
	  HOW_TO_BOOT },
	{ OPTION_PATIENCE, "patience", 0, "SECONDS", NULL,
	  "time without progress after which a boot counts as hung", HOW_TO_BOOT },
	{ OPTION_NO_PROOFS, "no-proofs", 0, NULL, NULL, "boot, and ask nothing of the devices", HOW_TO_BOOT },
	{ OPTION_EXEC, "exec", 0, NULL, NULL, "run the machine, its console on the terminal", MACHINE },
	{ OPTION_QUIET, "quiet", 'q', NULL, NULL, "only the last line of each input", CHECK | BOOT },
	{ OPTION_VERBOSE, "verbose", 'v', NULL, NULL, "show what passes too, with its evidence",
	  CHECK | BOOT },
	{ OPTION_HELP, "help", 'h', NULL, NULL, "show this help", EVERY },
	{ OPTION_VERSION, "version", 'V', NULL, NULL, "show the version", NONE },
	{ 0 },
};

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (*command->name && str_equal(command->name, name))
			return command;
	return NULL;
}

static bool belongs_to(const struct option_row *row, const struct command *command)
{
	return row->commands >> command->id & 1;
}

/* What getopt_long() means; one name may stand in several rows, for several commands. */
static const struct option_row *row_of(int id, const struct command *command)
{
	const struct option_row *other = NULL;
	for (const struct option_row *row = option_rows; row->name; row++) {
		if ((int)row->id != id && (!row->letter || row->letter != id))
			continue;
		if (belongs_to(row, command))
			return row;
		other = row;
	}
	return other;
}

/* Position of a value among blank-separated choices; -1 when it is none of them. */
static int choice_index(const char *choices, const char *value)
{
	int index = 0;
	for (const char *at = choices; *at; index++) {
		size_t length = strcspn(at, " ");
		if (strlen(value) == length && strncmp(at, value, length) == 0)
			return index;
		at += length;
		at += strspn(at, " ");
	}
	return -1;
}

/* "text json" as "text or json". */
static void add_choices(struct text *text, const char *choices)
{
	for (const char *at = choices; *at;) {
		size_t length = strcspn(at, " ");
		const char *next = at + length + strspn(at + length, " ");
		if (at != choices)
			text_add(text, *next ? ", " : " or ");
		text_add_span(text, span_of(at, length));
		at = next;
	}
}

static bool set_choice(const struct option_row *row, const char *value, int *index, struct error *error)
{
	*index = choice_index(row->choices, value);
	if (*index >= 0)
		return true;
	struct text choices CLEANUP(text_free) = { 0 };
	add_choices(&choices, row->choices);
	return error_set(error, ERROR_USAGE, "--%s wants %s, not '%s'", row->name, text_get(&choices), value);
}

static bool set_option(struct options *out, const struct option_row *row, const char *value,
                       struct error *error)
{
	int choice = 0;
	if (row->choices && !set_choice(row, value, &choice, error))
		return false;
	if (row->argument && !*value)
		return error_set(error, ERROR_USAGE, "--%s wants a %s, not an empty word", row->name,
		                 row->argument);
	if (row->commands & OPTION_OF_BOOT)
		out->of_boot = row->name;
	switch (row->id) {
	case OPTION_FORMAT:
		out->format = value;
		break;
	case OPTION_FAIL_ON:
		out->fail_on = (enum level)choice;
		break;
	case OPTION_POLICY:
		out->policy = value;
		break;
	case OPTION_KERNEL:
		out->kernel = value;
		break;
	case OPTION_ALL_KERNELS:
		out->all_kernels = true;
		break;
	case OPTION_COLOR:
		out->colour = (enum colour)choice;
		break;
	case OPTION_BOOT:
		out->boot = true;
		break;
	case OPTION_FIRMWARE:
		out->firmware = value;
		break;
	case OPTION_NO_PROOFS:
		out->no_proofs = true;
		break;
	case OPTION_INSIDE:
		out->inside = true;
		break;
	case OPTION_KERNEL_FILE:
		out->kernel_file = value;
		break;
	case OPTION_INITRD:
		out->initrd = value;
		break;
	case OPTION_APPEND:
		out->append = value;
		break;
	case OPTION_CONSOLE:
		out->console = true;
		break;
	case OPTION_KEEP_LOGS:
		out->logs = value;
		break;
	case OPTION_PATIENCE:
		if (!str_to_u64(value, &out->patience) || out->patience == 0 || out->patience > PATIENCE_MOST)
			return error_set(error, ERROR_USAGE,
			                 "--patience wants seconds, from 1 to %u, not '%s'", PATIENCE_MOST,
			                 value);
		break;
	case OPTION_EXEC:
		out->execute = true;
		break;
	case OPTION_QUIET:
		out->quiet = true;
		break;
	case OPTION_VERBOSE:
		out->verbose = true;
		break;
	case OPTION_HELP:
		out->help = true;
		break;
	case OPTION_VERSION:
		out->version = true;
		break;
	}
	return true;
}

/* The tables that getopt_long() wants, for one command. */
struct getopt_tables {
	char letters[2 + 2 * OPTIONS_MAX + 1];
	struct option longs[OPTIONS_MAX + 1];
};

static void fill_tables(const struct command *command, struct getopt_tables *out)
{
	*out = (struct getopt_tables){ .letters = ":" };
	size_t letters = 1, longs = 0;
	for (const struct option_row *row = option_rows; row->name && longs < OPTIONS_MAX; row++) {
		if (!belongs_to(row, command))
			continue;
		out->longs[longs++] = (struct option){
			.name = row->name,
			.has_arg = row->argument ? required_argument : no_argument,
			.val = (int)row->id,
		};
		if (row->letter)
			out->letters[letters++] = row->letter;
		if (row->letter && row->argument)
			out->letters[letters++] = ':';
	}
}

static bool unknown_option(const struct command *command, const char *word, struct error *error)
{
	const char *names[OPTIONS_MAX];
	size_t count = 0;
	for (const struct option_row *row = option_rows; row->name && count < OPTIONS_MAX; row++)
		if (belongs_to(row, command))
			names[count++] = row->name;
	char bare[64];
	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(word + strspn(word, "-"), "="),
	         word + strspn(word, "-"));
	const char *near = str_starts(word, "--") ? nearest_name(bare, names, count) : NULL;
	if (near)
		return error_set(error, ERROR_USAGE, "there is no option '--%s': did you mean --%s?", bare,
		                 near);
	return error_set(error, ERROR_USAGE, "there is no option '%s%s'", str_starts(word, "--") ? "--" : "",
	                 str_starts(word, "--") ? bare : word);
}

/* What getopt_long() refused: `got` is its answer. */
static bool refused(const struct command *command, char **argv, int got, struct error *error)
{
	const struct option_row *row = optopt ? row_of(optopt, command) : NULL;
	if (got == ':' && row)
		return error_set(error, ERROR_USAGE, "--%s wants a value: --%s=%s", row->name, row->name,
		                 row->argument);
	/* Of a long option optopt is its id when it was given a value that it does not take. */
	if (row && optopt >= OPTION_FORMAT && belongs_to(row, command))
		return error_set(error, ERROR_USAGE, "--%s takes no value", row->name);
	if (optopt) {
		char letter[3] = { '-', (char)optopt, 0 };
		return unknown_option(command, letter, error);
	}
	return unknown_option(command, argv[optind - 1], error);
}

/*
 * getopt_long() takes any unambiguous beginning of a name. A script that relies on one breaks on the day when
 * a second option begins so: only whole names are taken.
 */
static bool is_abbreviated(const struct option_row *row, char **argv, int got)
{
	if (got < OPTION_FORMAT)
		return false;
	const char *word = argv[optind - 1];
	if (row->argument && optarg == word)
		word = argv[optind - 2];
	size_t length = strcspn(word, "=");
	return length != strlen(row->name) + 2 || strncmp(word + 2, row->name, length - 2) != 0;
}

static bool parse_words(int argc, char **argv, struct options *out, struct error *error)
{
	struct getopt_tables tables;
	fill_tables(out->command, &tables);
	opterr = 0;
	optind = 0; /* starts afresh, for callers that parse twice */
	for (;;) {
		optopt = 0;
		int got = getopt_long(argc, argv, tables.letters, tables.longs, NULL);
		if (got == -1)
			break;
		if (got == '?' || got == ':')
			return refused(out->command, argv, got, error);
		const struct option_row *row = row_of(got, out->command);
		if (is_abbreviated(row, argv, got))
			return unknown_option(out->command,
			                      row->argument && optarg == argv[optind - 1] ? argv[optind - 2]
			                                                                  : argv[optind - 1],
			                      error);
		if (!set_option(out, row, optarg, error))
			return false;
	}
	out->operands = argv + optind;
	out->operand_count = (size_t)(argc - optind);
	return true;
}

static bool check_operands(const struct options *options, struct error *error)
{
	const struct command *command = options->command;
	if (options->help)
		return true;
	if (options->kernel_file && options->operand_count > 0)
		return error_set(error, ERROR_USAGE, "--kernel and '%s' are two inputs: boot one at a time",
		                 options->operands[0]);
	if (command->operand && options->operand_count == 0 && !options->version && !options->kernel_file)
		return error_set(error, ERROR_USAGE, "name %s", command->operand);
	if (options->operand_count > command->most)
		return error_set(error, ERROR_USAGE, "'%s' is one argument too many",
		                 options->operands[command->most]);
	if (options->kernel && options->all_kernels)
		return error_set(error, ERROR_USAGE, "--kernel and --all-kernels exclude each other");
	if (options->boot && (options->kernel || options->all_kernels))
		return error_set(error, ERROR_USAGE, "--boot boots the default entry: it excludes --%s",
		                 options->kernel ? "kernel" : "all-kernels");
	if (command->id == COMMAND_CHECK && options->of_boot && !options->boot)
		return error_set(error, ERROR_USAGE, "--%s goes with --boot", options->of_boot);
	if (options->logs && options->operand_count > 1)
		return error_set(error, ERROR_USAGE, "--keep-logs keeps the logs of one input: name one");
	if (options->quiet && options->verbose)
		return error_set(error, ERROR_USAGE, "--quiet and --verbose exclude each other");
	return true;
}

static bool unknown_command(const char *word, struct error *error)
{
	const char *names[8];
	size_t count = 0;
	for (const struct command *command = commands + 1; command->name && count < ARRAY_SIZE(names);
	     command++)
		names[count++] = command->name;
	const char *near = nearest_name(word, names, count);
	if (near)
		return error_set(error, ERROR_USAGE, "there is no command '%s': did you mean %s?", word,
		                 near);
	if (strpbrk(word, "./"))
		return error_set(error, ERROR_USAGE, "there is no command '%s': did you mean check %s?", word,
		                 word);
	return error_set(error, ERROR_USAGE, "there is no command '%s'", word);
}

bool options_parse(int argc, char **argv, struct options *out, struct error *error)
{
	*out = (struct options){ .command = commands, .format = "text", .fail_on = LEVEL_REQUIRED };
	if (argc >= 2 && argv[1][0] != '-') {
		out->command = command_find(argv[1]);
		if (!out->command) {
			out->command = commands;
			return unknown_command(argv[1], error);
		}
		argc--;
		argv++;
	}
	if (!parse_words(argc, argv, out, error) || !check_operands(out, error))
		return false;
	if (out->command->id != COMMAND_HELP || out->operand_count == 0 || command_find(out->operands[0]))
		return true;
	out->command = commands;
	return unknown_command(out->operands[0], error);
}
