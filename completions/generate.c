// Prints the completions of one shell, from the option table. A program of the build: it is not installed.

#include <string.h>

#include "cmd/options.h"

static bool belongs(const struct option_row *row, const struct command *command)
{
	return row->commands >> command->id & 1;
}

static bool takes_inputs(const struct command *command)
{
	return command->id == COMMAND_CHECK || command->id == COMMAND_INSPECT;
}

/* Files alone: the running machine is none of its inputs. */
static bool takes_files(const struct command *command)
{
	return command->id == COMMAND_MACHINE || command->id == COMMAND_BOOT;
}

/* Is the option's value a file, or a directory? */
static bool takes_file(const struct option_row *row)
{
	return row->id == OPTION_POLICY || row->id == OPTION_KERNEL_FILE || row->id == OPTION_INITRD ||
	       row->id == OPTION_KEEP_LOGS;
}

/* What may stand behind a command, where that is no file. */
static const char *operand_words(const struct command *command, const char *ids, const char *names)
{
	return command->id == COMMAND_EXPLAIN ? ids : command->id == COMMAND_HELP ? names : "";
}

static void add_command_names(struct text *text, const char *between)
{
	for (const struct command *command = commands + 1; command->name; command++)
		text_printf(text, "%s%s", command == commands + 1 ? "" : between, command->name);
}

static void bash_values(const struct command *command)
{
	for (const struct option_row *row = option_rows; row->name; row++) {
		if (!belongs(row, command) || !row->choices)
			continue;
		printf("\t'%s --%s'", command->name, row->name);
		if (row->letter)
			printf(" | '%s -%c'", command->name, row->letter);
		printf(") words='%s' ;;\n", row->choices);
	}
}

static void bash_options(const struct command *command)
{
	printf("\t\t%s) words='", *command->name ? command->name : "*");
	const char *before = "";
	for (const struct option_row *row = option_rows; row->name; row++) {
		if (!belongs(row, command))
			continue;
		printf("%s--%s", before, row->name);
		before = " ";
	}
	puts("' ;;");
}

static void generate_bash(void)
{
	struct text names CLEANUP(text_free) = { 0 };
	add_command_names(&names, " ");
	puts("# bash completion of slipway, generated from its option table\n"
	     "_slipway()\n"
	     "{\n"
	     "\tlocal current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" words=\n"
	     "\tCOMPREPLY=()\n"
	     "\t# \"--format=json\" comes as three words.\n"
	     "\tif [[ $current == '=' ]]; then\n"
	     "\t\tcurrent=\n"
	     "\telif [[ $previous == '=' ]]; then\n"
	     "\t\tprevious=\"${COMP_WORDS[COMP_CWORD-2]}\"\n"
	     "\tfi\n"
	     "\tcase \"${COMP_WORDS[1]} $previous\" in");
	for (const struct command *command = commands + 1; command->name; command++)
		bash_values(command);
	puts("\tesac\n"
	     "\tif [[ -z $words && $current == -* ]]; then\n"
	     "\t\tcase \"${COMP_WORDS[1]}\" in");
	for (const struct command *command = commands + 1; command->name; command++)
		bash_options(command);
	bash_options(commands);
	printf("\t\tesac\n"
	       "\telif [[ -z $words && $COMP_CWORD == 1 ]]; then\n"
	       "\t\twords='%s'\n"
	       "\telif [[ -z $words && ${COMP_WORDS[1]} == help ]]; then\n"
	       "\t\twords='%s'\n"
	       "\telif [[ -z $words && ${COMP_WORDS[1]} == explain && $previous != @(-p|--policy) ]]; then\n"
	       "\t\twords=\"$(slipway explain --color=never 2>/dev/null | cut -d' ' -f1)\"\n"
	       "\telif [[ -z $words && ${COMP_WORDS[1]} == @(check|inspect) && $previous != @(-p|--policy) "
	       "&&\n"
	       "\t\t-n $current && live == \"$current\"* ]]; then\n"
	       "\t\tmapfile -t COMPREPLY < <(echo live; compgen -f -- \"$current\")\n"
	       "\tfi\n",
	       text_get(&names), text_get(&names));
	puts("\t# Nothing of ours: bash completes file names.\n"
	     "\t[[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
	     "}\n"
	     "complete -o bashdefault -o default -F _slipway slipway");
}

/* Text inside a single-quoted word of zsh, where "[", "]" and ":" mean something to _arguments. */
static void print_zsh_text(const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void zsh_option(const struct option_row *row)
{
	if (row->letter)
		printf("\t\t\t'(-%c --%s)'{-%c%s,--%s%s}'[", row->letter, row->name, row->letter,
		       row->argument ? "+" : "", row->name, row->argument ? "=" : "");
	else
		printf("\t\t\t'--%s%s[", row->name, row->argument ? "=" : "");
	print_zsh_text(row->help);
	putchar(']');
	if (row->choices)
		printf(":%s:(%s)", row->argument, row->choices);
	else if (takes_file(row))
		printf(":%s:_files", row->argument);
	else if (row->argument)
		printf(":%s: ", row->argument);
	puts("' \\");
}

static void generate_zsh(void)
{
	puts("#compdef slipway\n"
	     "# zsh completion of slipway, generated from its option table\n"
	     "_slipway()\n"
	     "{\n"
	     "\tlocal -a names ids\n"
	     "\tif (( CURRENT == 2 )); then\n"
	     "\t\tnames=(");
	for (const struct command *command = commands + 1; command->name; command++) {
		printf("\t\t\t'%s:", command->name);
		print_zsh_text(command->summary);
		puts("'");
	}
	puts("\t\t)\n"
	     "\t\t_describe command names\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tshift words\n"
	     "\t(( CURRENT-- ))\n"
	     "\tcase $words[1] in");
	for (const struct command *command = commands + 1; command->name; command++) {
		struct text names CLEANUP(text_free) = { 0 };
		add_command_names(&names, " ");
		if (command->id == COMMAND_EXPLAIN)
			printf("\texplain)\n\t\tids=(${(f)\"$(slipway explain --color=never 2>/dev/null | "
			       "cut -d' ' "
			       "-f1)\"})\n");
		else
			printf("\t%s)\n", command->name);
		puts("\t\t_arguments \\");
		for (const struct option_row *row = option_rows; row->name; row++)
			if (belongs(row, command))
				zsh_option(row);
		if (takes_inputs(command))
			puts("\t\t\t'*:input:_alternative \"machine:the running machine:(live)\" "
			     "\"files:file:_files\"' ;;");
		else if (takes_files(command))
			puts("\t\t\t'*:input:_files' ;;");
		else
			printf("\t\t\t'*:argument:(%s)' ;;\n",
			       operand_words(command, "'\"$ids\"'", text_get(&names)));
	}
	puts("\tesac\n"
	     "}\n"
	     "_slipway \"$@\"");
}

static void fish_option(const struct command *command, const struct option_row *row)
{
	printf("complete -c slipway -n '%s%s'",
	       *command->name ? "__fish_seen_subcommand_from " : "__fish_use_subcommand", command->name);
	if (row->letter)
		printf(" -s %c", row->letter);
	printf(" -l %s", row->name);
	if (row->choices)
		printf(" -x -a '%s'", row->choices);
	else if (row->argument)
		fputs(takes_file(row) ? " -r -F" : " -x", stdout);
	printf(" -d '%s'\n", row->help);
}

static void generate_fish(void)
{
	struct text names CLEANUP(text_free) = { 0 };
	add_command_names(&names, " ");
	puts("# fish completion of slipway, generated from its option table\n"
	     "complete -c slipway -f");
	for (const struct command *command = commands; command->name; command++) {
		const char *words = operand_words(
			command, "(slipway explain --color=never 2>/dev/null | string split -f1 \" \")",
			text_get(&names));
		if (*command->name)
			printf("complete -c slipway -n __fish_use_subcommand -a %s -d '%s'\n", command->name,
			       command->summary);
		for (const struct option_row *row = option_rows; row->name; row++)
			if (belongs(row, command))
				fish_option(command, row);
		if (takes_inputs(command))
			printf("complete -c slipway -n '__fish_seen_subcommand_from %s' -F -a live "
			       "-d 'the running machine'\n",
			       command->name);
		else if (takes_files(command))
			printf("complete -c slipway -n '__fish_seen_subcommand_from %s' -F\n", command->name);
		else if (*words)
			printf("complete -c slipway -n '__fish_seen_subcommand_from %s' -a '%s'\n",
			       command->name, words);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *shell;
		void (*generate)(void);
	} shells[] = { { "bash", generate_bash }, { "zsh", generate_zsh }, { "fish", generate_fish } };
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(shells); i++) {
		if (str_equal(argv[1], shells[i].shell)) {
			shells[i].generate();
			return 0;
		}
	}
	fputs("usage: generate-completions bash|zsh|fish\n", stderr);
	return 3;
}
