#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "boot/grub_machine.h"

/* GRUB reads its configuration without carriage returns. */
static struct span without_returns(struct span text, struct arena *arena)
{
	if (text.size == 0 || !memchr(text.data, '\r', text.size))
		return text;
	uint8_t *copy = arena_alloc(arena, text.size);
	size_t size = 0;
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] != '\r')
			copy[size++] = text.data[i];
	return span_of(copy, size);
}

/* Makes everything from here on uncertain: a statement that is not understood may have done anything. */
static void break_down(struct grub_machine *machine, const struct error *error)
{
	const char *reason = arena_printf(machine->arena, "%s: %s", machine->source->path, error->message);
	if (!machine->broken)
		machine->broken = reason;
	machine->tainted = machine->tainted ? machine->tainted : reason;
	machine->maybe = machine->maybe ? machine->maybe : reason;
	grub_problem(
		machine, "grub-syntax", reason,
		(struct place){ .partition = machine->source->partition, .path = machine->source->path });
	grub_add_opaque(machine, reason);
}

void grub_run_text(struct grub_machine *machine, const struct grub_source *source)
{
	struct grub_parser parser = grub_parser_of(source->text, machine->budget, machine->arena);
	machine->source = source;
	while (machine->flow == GRUB_FLOW_ON) {
		const struct grub_node *statement = NULL;
		struct error error = { 0 };
		if (grub_parser_next(&parser, &statement, &error)) {
			if (!statement)
				return;
			grub_run_list(machine, statement);
		} else if (error.code == ERROR_CORRUPT) {
			break_down(machine, &error);
			if (!grub_spend(machine, 1))
				return;
		} else {
			*machine->error = error;
			machine->flow = GRUB_FLOW_FAIL;
		}
	}
}

/* config_file and config_directory name the file that is being read. */
static void name_config(struct grub_machine *machine, uint64_t partition, const char *path)
{
	const char *device = grub_device_name(machine, partition);
	const char *slash = strrchr(path, '/');
	const char *folder = arena_string(machine->arena, span_of(path, slash ? (size_t)(slash - path) : 0));
	grub_set(machine, "config_file", arena_printf(machine->arena, "(%s)%s", device, path), NULL);
	grub_set(machine, "config_directory", arena_printf(machine->arena, "(%s)%s", device, folder), NULL);
	grub_environment_export(&machine->environment, "config_file", machine->arena);
	grub_environment_export(&machine->environment, "config_directory", machine->arena);
}

bool grub_run_file(struct grub_machine *machine, uint64_t partition, const char *path)
{
	const struct grub_source *outer = machine->source;
	uint64_t line = machine->line;
	struct grub_source *source = arena_alloc(machine->arena, sizeof(*source));
	source->path = arena_strdup(machine->arena, path);
	source->partition = partition;
	source->cursor = arena_alloc(machine->arena, sizeof(*source->cursor));
	if (machine->depth >= GRUB_DEPTH_MAX) {
		(void)error_set(machine->error, ERROR_LIMIT,
		                "configuration files of GRUB include each other more than %d deep",
		                GRUB_DEPTH_MAX);
		machine->flow = GRUB_FLOW_FAIL;
		return false;
	}
	if (!machine->disk->load(machine->disk->context, partition, path, GRUB_CONFIG_MAX, machine->arena,
	                         &source->text, machine->error))
		return false;
	if (!grub_spend(machine, 1 + source->text.size / 1024))
		return false;
	source->text = without_returns(source->text, machine->arena);
	machine->depth++;
	name_config(machine, partition, source->path);
	grub_run_text(machine, source);
	machine->depth--;
	machine->source = outer;
	machine->line = line;
	if (outer)
		name_config(machine, outer->partition, outer->path);
	if (machine->flow == GRUB_FLOW_RETURN)
		machine->flow = GRUB_FLOW_ON;
	return machine->flow != GRUB_FLOW_FAIL;
}

/* A configuration file that should be there and cannot be followed. */
static void lose_file(struct grub_machine *machine, const char *reason)
{
	grub_problem(machine, "grub-config-file", reason,
	             grub_place(machine, machine->source, machine->line));
	grub_add_opaque(machine, reason);
	if (!machine->broken)
		machine->broken = reason;
	if (machine->load)
		machine->load->unknown = reason;
	grub_finish_unknown(machine, reason);
}

/* The file that a command names, when it can be read; reports why not. */
static bool named_file(struct grub_machine *machine, const struct grub_arguments *arguments,
                       struct grub_path *path)
{
	static const struct grub_argument nothing = { .text = "" };
	const struct grub_argument *name = arguments->list.count > 1 ? &arguments->list.items[1] : &nothing;
	enum grub_file_kind kind;
	const char *command = arguments->list.items[0].text;
	*path = grub_resolve(machine, name->text);
	if (name->unknown) {
		lose_file(machine, name->unknown);
		return false;
	}
	if (grub_look(machine, name->text, &kind) != ANSWER_YES) {
		lose_file(machine,
		          grub_reason(machine, "cannot read `%s`, which `%s` names", name->text, command));
		return false;
	}
	if (kind == GRUB_FILE_ABSENT || kind == GRUB_FILE_DIRECTORY) {
		grub_problem(
			machine, "grub-config-file",
			grub_reason(machine, "`%s` names `%s`, which does not exist", command, name->text),
			grub_place(machine, machine->source, machine->line));
		grub_finish(machine, false);
		return false;
	}
	return true;
}

void grub_do_source(struct grub_machine *machine, const struct grub_arguments *arguments,
                    const struct grub_node *node)
{
	(void)node;
	struct grub_path path;
	if (!named_file(machine, arguments, &path))
		return;
	if (grub_run_file(machine, path.partition, path.path))
		grub_finish(machine, true);
	else if (machine->flow != GRUB_FLOW_FAIL)
		lose_file(machine, arena_strdup(machine->arena, machine->error->message));
}

/* Reads the file into a menu and an environment of its own, and shows that menu if it has entries. */
void grub_do_configfile(struct grub_machine *machine, const struct grub_arguments *arguments,
                        const struct grub_node *node)
{
	(void)node;
	struct grub_path path;
	if (str_equal(arguments->list.items[0].text, "normal") && arguments->list.count == 1) {
		lose_file(machine, grub_reason(machine, "cannot follow `normal` without a file"));
		return;
	}
	if (!named_file(machine, arguments, &path))
		return;
	if (machine->maybe) {
		lose_file(machine, machine->maybe);
		return;
	}
	struct grub_environment outer_environment = machine->environment;
	struct grub_menu *outer_menu = machine->menu;
	machine->environment = grub_environment_copy(&outer_environment, true, machine->arena);
	machine->menu = arena_alloc(machine->arena, sizeof(*machine->menu));
	bool read = grub_run_file(machine, path.partition, path.path);
	if (machine->flow == GRUB_FLOW_FAIL)
		return;
	if (machine->menu->entries.count > 0) {
		if (machine->flow == GRUB_FLOW_ON)
			machine->shown = path;
		machine->flow = GRUB_FLOW_STOP;
		return;
	}
	machine->environment = outer_environment;
	machine->menu = outer_menu;
	if (read)
		grub_finish(machine, true);
	else
		lose_file(machine, arena_strdup(machine->arena, machine->error->message));
}
