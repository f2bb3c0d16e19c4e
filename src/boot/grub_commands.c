#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "boot/grub_machine.h"

void grub_finish(struct grub_machine *machine, bool success)
{
	machine->status = !success;
	machine->status_unknown = NULL;
}

void grub_finish_unknown(struct grub_machine *machine, const char *reason)
{
	machine->status = 0;
	machine->status_unknown = reason;
}

static struct grub_value value_here(const struct grub_machine *machine, const char *text, const char *unknown)
{
	struct grub_value value = { .text = text, .unknown = unknown ? unknown : machine->maybe };
	if (machine->source) {
		value.source = machine->source;
		value.place.path = machine->source->path;
		value.place.partition = machine->source->partition;
		value.place.line = machine->line;
	}
	return value;
}

/* GRUB takes the parentheses off a device that `root` is set to. */
static const char *without_parentheses(struct grub_machine *machine, const char *device)
{
	size_t length = strlen(device);
	if (length < 2 || device[0] != '(' || device[length - 1] != ')')
		return device;
	return arena_string(machine->arena, span_of(device + 1, length - 2));
}

static void store(struct grub_machine *machine, const char *name, struct grub_value value)
{
	if (str_equal(name, "root"))
		value.text = without_parentheses(machine, value.text);
	if (!grub_environment_set(&machine->environment, name, value, machine->arena) && !machine->broken)
		machine->broken = grub_reason(machine, "more than %d variables", GRUB_VARIABLES_MAX);
}

void grub_set(struct grub_machine *machine, const char *name, const char *text, const char *unknown)
{
	store(machine, name, value_here(machine, arena_strdup(machine->arena, text), unknown));
}

void grub_assign(struct grub_machine *machine, const struct grub_argument *argument, size_t equals)
{
	const char *name = arena_string(machine->arena, span_of(argument->text, equals));
	struct grub_value value = value_here(machine, argument->text + equals + 1, argument->unknown);
	const struct grub_value *from = argument->value_at == equals + 1 ? argument->value : NULL;
	if (from && from->origin && value.text[0]) {
		value.origin = from->origin;
		value.place = from->place;
		value.source = from->source;
	}
	store(machine, name, value);
	grub_finish(machine, true);
}

static void do_nothing(struct grub_machine *machine, const struct grub_arguments *arguments,
                       const struct grub_node *node)
{
	(void)arguments;
	(void)node;
	grub_finish(machine, true);
}

static void do_false(struct grub_machine *machine, const struct grub_arguments *arguments,
                     const struct grub_node *node)
{
	(void)arguments;
	(void)node;
	grub_finish(machine, false);
}

static void do_test(struct grub_machine *machine, const struct grub_arguments *arguments,
                    const struct grub_node *node)
{
	(void)node;
	size_t count = arguments->list.count - 1;
	if (count > 0 && str_equal(arguments->list.items[count].text, "]"))
		count--;
	const char *unknown;
	enum answer answer = grub_test(machine, arguments->list.items + 1, count, &unknown);
	if (machine->flow != GRUB_FLOW_ON)
		return;
	if (answer == ANSWER_UNKNOWN)
		grub_finish_unknown(machine, unknown);
	else
		grub_finish(machine, answer == ANSWER_YES);
}

static void do_set(struct grub_machine *machine, const struct grub_arguments *arguments,
                   const struct grub_node *node)
{
	(void)node;
	const char *equals = arguments->list.count > 1 ? strchr(arguments->list.items[1].text, '=') : NULL;
	if (equals)
		grub_assign(machine, &arguments->list.items[1],
		            (size_t)(equals - arguments->list.items[1].text));
	grub_finish(machine, equals || arguments->list.count == 1);
}

static void do_unset(struct grub_machine *machine, const struct grub_arguments *arguments,
                     const struct grub_node *node)
{
	(void)node;
	for (size_t i = 1; i < arguments->list.count; i++) {
		if (machine->maybe)
			grub_set(machine, arguments->list.items[i].text, "", machine->maybe);
		else
			grub_environment_unset(&machine->environment, arguments->list.items[i].text);
	}
	grub_finish(machine, true);
}

static void do_export(struct grub_machine *machine, const struct grub_arguments *arguments,
                      const struct grub_node *node)
{
	(void)node;
	for (size_t i = 1; i < arguments->list.count; i++)
		grub_environment_export(&machine->environment, arguments->list.items[i].text, machine->arena);
	grub_finish(machine, true);
}

/* Fedora's commands to count boots. */
static void do_count(struct grub_machine *machine, const struct grub_arguments *arguments,
                     const struct grub_node *node)
{
	(void)node;
	if (arguments->list.count != 2) {
		grub_finish(machine, false);
		return;
	}
	const char *name = arguments->list.items[1].text, *end;
	const struct grub_value *value = grub_environment_get(&machine->environment, name);
	long number = value ? grub_number(value->text, &end) : 0;
	number += str_equal(arguments->list.items[0].text, "increment") ? 1 : -1;
	if (value)
		grub_set(machine, name, arena_printf(machine->arena, "%ld", number), value->unknown);
	grub_finish(machine, value != NULL);
}

/* Leaves the straight way, or makes what follows uncertain where that itself is. */
static void change_flow(struct grub_machine *machine, enum grub_flow flow)
{
	if (machine->maybe)
		machine->tainted = machine->maybe;
	else
		machine->flow = flow;
}

static void do_break(struct grub_machine *machine, const struct grub_arguments *arguments,
                     const struct grub_node *node)
{
	(void)node;
	uint64_t count = 1;
	if (arguments->list.count > 1 && (!str_to_u64(arguments->list.items[1].text, &count) || count == 0)) {
		grub_finish(machine, false);
		return;
	}
	grub_finish(machine, true);
	machine->breaks = count < machine->loops ? count : machine->loops;
	if (machine->breaks > 0)
		change_flow(machine, str_equal(arguments->list.items[0].text, "break") ? GRUB_FLOW_BREAK
		                                                                       : GRUB_FLOW_CONTINUE);
}

static void do_return(struct grub_machine *machine, const struct grub_arguments *arguments,
                      const struct grub_node *node)
{
	(void)node;
	if (arguments->list.count > 1) {
		const char *end;
		grub_finish(machine, grub_number(arguments->list.items[1].text, &end) == 0);
		if (arguments->list.items[1].unknown)
			grub_finish_unknown(machine, arguments->list.items[1].unknown);
	}
	change_flow(machine, GRUB_FLOW_RETURN);
}

static void do_stop(struct grub_machine *machine, const struct grub_arguments *arguments,
                    const struct grub_node *node)
{
	(void)arguments;
	(void)node;
	change_flow(machine, GRUB_FLOW_STOP);
}

static void do_shift(struct grub_machine *machine, const struct grub_arguments *arguments,
                     const struct grub_node *node)
{
	(void)node;
	uint64_t count = 1;
	bool sound = arguments->list.count == 1 || str_to_u64(arguments->list.items[1].text, &count);
	sound = sound && count <= machine->parameters.list.count;
	if (sound && count > 0) {
		machine->parameters.list.items += count;
		machine->parameters.list.count -= count;
		machine->parameters.list.capacity -= count;
	}
	grub_finish(machine, sound);
}

static void do_setparams(struct grub_machine *machine, const struct grub_arguments *arguments,
                         const struct grub_node *node)
{
	(void)node;
	machine->parameters = (struct grub_arguments){ 0 };
	for (size_t i = 1; i < arguments->list.count; i++)
		*LIST_ADD(machine->arena, &machine->parameters.list) = arguments->list.items[i];
	grub_finish(machine, true);
}

/* Fills the menu from files of another format, or from what `eval` is given: not read here. */
static void do_unreadable(struct grub_machine *machine, const struct grub_arguments *arguments,
                          const struct grub_node *node)
{
	(void)node;
	const char *name = arguments->list.items[0].text;
	const char *reason = grub_reason(machine, "cannot follow `%s`", name);
	grub_add_opaque(machine, reason);
	if (machine->load)
		machine->load->unknown = reason;
	if (str_equal(name, "eval"))
		machine->broken = reason;
	grub_finish_unknown(machine, reason);
}

grub_command_fn *grub_command_find(const char *name)
{
	static const struct {
		const char *name;
		grub_command_fn *run;
	} commands[] = {
		{ "[", do_test },
		{ "test", do_test },
		{ "true", do_nothing },
		{ "false", do_false },
		{ "set", do_set },
		{ "unset", do_unset },
		{ "export", do_export },
		{ "increment", do_count },
		{ "decrement", do_count },
		{ "break", do_break },
		{ "continue", do_break },
		{ "return", do_return },
		{ "shift", do_shift },
		{ "setparams", do_setparams },
		{ "boot", do_stop },
		{ "exit", do_stop },
		{ "halt", do_stop },
		{ "reboot", do_stop },
		{ "normal_exit", do_stop },
		{ "load_env", grub_do_load_env },
		{ "save_env", do_nothing },
		{ "search", grub_do_search },
		{ "btrfs-mount-subvol", grub_do_btrfs_mount },
		{ "search.file", grub_do_search },
		{ "search.fs_uuid", grub_do_search },
		{ "search.fs_label", grub_do_search },
		{ "source", grub_do_source },
		{ ".", grub_do_source },
		{ "configfile", grub_do_configfile },
		{ "normal", grub_do_configfile },
		{ "menuentry", grub_do_menuentry },
		{ "submenu", grub_do_menuentry },
		{ "linux", grub_do_linux },
		{ "linux16", grub_do_linux },
		{ "linuxefi", grub_do_linux },
		{ "initrd", grub_do_initrd },
		{ "initrd16", grub_do_initrd },
		{ "initrdefi", grub_do_initrd },
		{ "chainloader", grub_do_other_loader },
		{ "multiboot", grub_do_other_loader },
		{ "multiboot2", grub_do_other_loader },
		{ "xen_hypervisor", grub_do_other_loader },
		{ "kfreebsd", grub_do_other_loader },
		{ "blscfg", grub_do_blscfg },
		{ "bls_import", grub_do_blscfg },
		{ "eval", do_unreadable },
		{ "legacy_configfile", do_unreadable },
		{ "syslinux_configfile", do_unreadable },
		{ "uki", do_unreadable },
		{ "extract_entries_configfile", do_unreadable },
		{ "extract_entries_source", do_unreadable },
		{ "echo", do_nothing },
		{ "password", do_nothing },
		{ "password_pbkdf2", do_nothing },
	};
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (str_equal(name, commands[i].name))
			return commands[i].run;
	return NULL;
}
