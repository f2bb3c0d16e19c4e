#include <string.h>

#include "base/text.h"
#include "boot/grub_machine.h"

/* Marks what the running entry loads as uncertain. */
static void doubt(struct grub_machine *machine, const char *reason)
{
	if (reason && !machine->load->unknown)
		machine->load->unknown = reason;
}

/* "//vmlinuz", as grub-mkconfig writes it for a /boot of its own, is "/vmlinuz". */
static const char *without_double_slashes(struct grub_machine *machine, const char *path)
{
	struct text plain CLEANUP(text_free) = { 0 };
	for (; *path; path++)
		if (path[0] != '/' || path[1] != '/')
			text_add_char(&plain, *path);
	return arena_strdup(machine->arena, text_get(&plain));
}

static struct boot_file find_file(struct grub_machine *machine, const struct grub_argument *argument)
{
	struct boot_file file = { .path = arena_strdup(machine->arena, argument->text) };
	struct grub_path path = grub_resolve(machine, file.path);
	file.path = path.path = without_double_slashes(machine, path.path);
	file.partition = path.partition;
	file.found = path.known;
	if (argument->unknown) {
		file.found = ANSWER_UNKNOWN;
		doubt(machine, argument->unknown);
		return file;
	}
	if (path.known == ANSWER_UNKNOWN)
		doubt(machine, path.unknown);
	if (path.known != ANSWER_YES)
		return file;
	enum grub_file_kind kind;
	file.found = machine->disk->look(machine->disk->context, path.partition, path.path, &kind);
	if (file.found == ANSWER_YES && kind != GRUB_FILE_REGULAR)
		file.found = ANSWER_NO;
	return file;
}

/* As GRUB hands the words to the kernel: those with blanks in quotes, quotes and backslashes escaped. */
static const char *command_line_of(struct grub_machine *machine, const struct grub_arguments *arguments)
{
	struct text line CLEANUP(text_free) = { 0 };
	for (size_t i = 2; i < arguments->list.count; i++) {
		const char *word = arguments->list.items[i].text;
		bool blanks = strchr(word, ' ') != NULL;
		text_add(&line, i > 2 ? " " : "");
		text_add(&line, blanks ? "\"" : "");
		for (; *word; word++) {
			if (strchr("\\'\"", *word))
				text_add_char(&line, '\\');
			text_add_char(&line, *word);
		}
		text_add(&line, blanks ? "\"" : "");
		doubt(machine, arguments->list.items[i].unknown);
	}
	(void)grub_spend(machine, line.size / 64);
	return arena_strdup(machine->arena, text_get(&line));
}

/* A file from the disk that is not there is not loaded: the commands say so, and what was loaded stays. */
static void finish_load(struct grub_machine *machine, enum answer found)
{
	if (found == ANSWER_UNKNOWN)
		grub_finish_unknown(machine,
		                    machine->load->unknown
		                            ? machine->load->unknown
		                            : grub_reason(machine, "cannot tell whether the file is there"));
	else
		grub_finish(machine, found == ANSWER_YES);
}

void grub_do_linux(struct grub_machine *machine, const struct grub_arguments *arguments,
                   const struct grub_node *node)
{
	(void)node;
	if (!machine->load || arguments->list.count < 2) {
		grub_finish(machine, false);
		return;
	}
	*machine->load = (struct grub_load){ .command = arguments->list.items[0].text };
	doubt(machine, machine->maybe);
	machine->load->kernel = find_file(machine, &arguments->list.items[1]);
	machine->load->command_line = command_line_of(machine, arguments);
	machine->load->place = grub_place(machine, machine->source, machine->line);
	finish_load(machine, machine->load->kernel.found);
}

void grub_do_initrd(struct grub_machine *machine, const struct grub_arguments *arguments,
                    const struct grub_node *node)
{
	(void)node;
	/* "You need to load the kernel first": GRUB refuses. */
	if (!machine->load || !machine->load->kernel.path || machine->load->kernel.found == ANSWER_NO ||
	    arguments->list.count < 2) {
		grub_finish(machine, false);
		return;
	}
	doubt(machine, machine->maybe);
	machine->load->initrds.count = 0;
	enum answer all = ANSWER_YES;
	for (size_t i = 1; i < arguments->list.count; i++) {
		struct grub_argument argument = arguments->list.items[i];
		/* "newc:NAME:FILE" packs a file under a name of its own. */
		const char *colon = str_starts(argument.text, "newc:")
		                            ? strchr(argument.text + strlen("newc:"), ':')
		                            : NULL;
		if (colon)
			argument.text = colon + 1;
		struct boot_file file = find_file(machine, &argument);
		if (all != ANSWER_NO && file.found != ANSWER_YES)
			all = file.found;
		*LIST_ADD(machine->arena, &machine->load->initrds) = file;
	}
	finish_load(machine, all);
}

void grub_do_other_loader(struct grub_machine *machine, const struct grub_arguments *arguments,
                          const struct grub_node *node)
{
	(void)node;
	if (machine->load) {
		*machine->load = (struct grub_load){ .command = arguments->list.items[0].text };
		doubt(machine, machine->maybe);
		machine->load->place = grub_place(machine, machine->source, machine->line);
	}
	grub_finish_unknown(machine,
	                    grub_reason(machine, "cannot follow `%s`", arguments->list.items[0].text));
}
