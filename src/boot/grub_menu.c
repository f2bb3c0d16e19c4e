#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "boot/grub_machine.h"

struct grub_menu_entry *grub_add_entry(struct grub_machine *machine)
{
	if (machine->menu->entries.count >= GRUB_ENTRIES_MAX) {
		(void)error_set(machine->error, ERROR_LIMIT, "the GRUB menu has more than %d entries",
		                GRUB_ENTRIES_MAX);
		machine->flow = GRUB_FLOW_FAIL;
		return NULL;
	}
	return LIST_ADD(machine->arena, &machine->menu->entries);
}

void grub_add_opaque(struct grub_machine *machine, const char *reason)
{
	struct grub_menu_entry *entry = machine->menu ? grub_add_entry(machine) : NULL;
	if (entry)
		*entry = (struct grub_menu_entry){ .title = "", .opaque = true, .maybe = reason };
}

/* Options of menuentry: those that take a word, as "--id=X" or "--id X", and one that takes none. */
static bool take_option(const struct grub_arguments *arguments, size_t *at, struct grub_menu_entry *entry)
{
	static const char *const with_value[] = { "--id", "--class", "--users", "--hotkey", "--source" };
	const struct grub_argument *argument = &arguments->list.items[*at];
	if (str_equal(argument->text, "--unrestricted")) {
		entry->restricted = false;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(with_value); i++) {
		size_t length = strlen(with_value[i]);
		const char *value = NULL;
		if (!str_starts(argument->text, with_value[i]))
			continue;
		if (argument->text[length] == '=')
			value = argument->text + length + 1;
		else if (!argument->text[length] && *at + 1 < arguments->list.count)
			value = arguments->list.items[++*at].text;
		else
			continue;
		if (i == 0) {
			entry->id = value;
			if (arguments->list.items[*at].unknown)
				entry->maybe = arguments->list.items[*at].unknown;
		}
		return true;
	}
	return false;
}

void grub_do_menuentry(struct grub_machine *machine, const struct grub_arguments *arguments,
                       const struct grub_node *node)
{
	struct grub_menu_entry entry = {
		.restricted = true,
		.submenu = str_equal(arguments->list.items[0].text, "submenu"),
		.maybe = machine->maybe,
		.body = node->block,
		.source = machine->source,
		.line = node->line,
	};
	for (size_t i = 1; i < arguments->list.count; i++)
		if (!take_option(arguments, &i, &entry))
			*LIST_ADD(machine->arena, &entry.parameters.list) = arguments->list.items[i];
	if (entry.parameters.list.count == 0 || !entry.body) {
		grub_finish(machine, false);
		return;
	}
	entry.title = entry.parameters.list.items[0].text;
	if (entry.parameters.list.items[0].unknown)
		entry.maybe = entry.parameters.list.items[0].unknown;
	struct grub_menu_entry *added = grub_add_entry(machine);
	if (!added)
		return;
	*added = entry;
	grub_finish(machine, true);
}

/* The default entry of one menu. */
struct choice {
	enum answer known;
	size_t index;
	const char *reason;
};

/* Is `spec` up to its first single '>' this name? "a>>b" means the name "a>b". */
static bool names(const char *spec, const char *name)
{
	for (;; spec++, name++) {
		if (*spec == '>' && spec[1] != '>')
			return *name == 0;
		if (*spec == '>')
			spec++;
		if (*spec != *name)
			return false;
		if (*name == 0)
			return true;
	}
}

static bool find_named(const struct grub_menu *menu, const char *spec, size_t *index)
{
	for (size_t i = 0; i < menu->entries.count; i++) {
		const struct grub_menu_entry *entry = &menu->entries.items[i];
		if (entry->opaque || (!names(spec, entry->title) && (!entry->id || !names(spec, entry->id))))
			continue;
		*index = i;
		return true;
	}
	return false;
}

/* Why the entry at `index` may not be the one that GRUB counts to; NULL. */
static const char *doubt_before(const struct grub_menu *menu, size_t index, bool opaque_only)
{
	for (size_t i = 0; i < menu->entries.count && i <= index; i++)
		if (menu->entries.items[i].maybe &&
		    (!opaque_only || menu->entries.items[i].opaque || i == index))
			return menu->entries.items[i].maybe;
	return NULL;
}

/*
 * A number is an index, everything else a title or an id; what names nothing is the first entry. Of a value
 * that only begins with a number, GRUB takes the number, but Fedora's GRUB asks for ids and titles first.
 */
static struct choice choose_by_value(struct grub_machine *machine, const char *value)
{
	const struct grub_menu *menu = machine->menu;
	const char *end;
	long number = grub_number(value, &end);
	size_t count = menu->entries.count, named = 0;
	bool numeric = end != value, exact = numeric && (*end == 0 || *end == '>');
	bool found = find_named(menu, value, &named);
	size_t counted = number >= 0 && (size_t)number < count ? (size_t)number : 0;
	const char *hidden = doubt_before(menu, count, false);

	/* Only that GRUB has the command, and its entries' ids often begin with a digit. */
	bool by_name = found && (!numeric || machine->blscfg);
	if (numeric && !by_name && (found || !exact) && (found ? named : 0) != counted)
		return (struct choice){
			.reason = arena_printf(
				machine->arena,
				"default \"%s\" is an index for some versions of GRUB and a name "
				"for others",
				value)
		};
	struct choice choice = { .known = ANSWER_YES, .index = by_name || !numeric ? named : counted };
	const char *doubt = doubt_before(menu, choice.index, by_name);
	if (!found && (!numeric || (size_t)number >= count)) {
		choice.reason = arena_printf(machine->arena,
		                             "default \"%s\" names no entry, so GRUB takes the first", value);
		doubt = hidden;
	}
	if (doubt)
		choice = (struct choice){ .reason = doubt };
	return choice;
}

static struct choice choose(struct grub_machine *machine)
{
	const struct grub_value *value = grub_environment_get(&machine->environment, "default");
	struct choice choice = { .known = ANSWER_UNKNOWN };
	if (machine->broken) {
		choice.reason = machine->broken;
	} else if (value && value->unknown) {
		choice.reason = value->unknown;
	} else if (!value || !value->text[0]) {
		choice.reason = doubt_before(machine->menu, 0, false);
		choice.known = choice.reason ? ANSWER_UNKNOWN : ANSWER_YES;
		if (!choice.reason)
			choice.reason = "no default is set, so GRUB takes the first entry";
	} else {
		choice = choose_by_value(machine, value->text);
		if (!choice.reason && value->origin)
			choice.reason = value->origin;
		else if (!choice.reason)
			choice.reason = arena_printf(machine->arena, "set default=%s", value->text);
	}
	return choice;
}

static void run_entries(struct grub_machine *machine, const char *above, bool is_default);

/* What is left for a submenu of "1>2>name": behind the first single '>'. */
static const char *default_below(const char *value)
{
	for (; *value; value++) {
		if (value[0] == '>' && value[1] == '>')
			value++;
		else if (value[0] == '>')
			return value[1] ? value + 1 : NULL;
	}
	return NULL;
}

/* The state in which GRUB runs an entry: `chosen` and `default` as its menu sets them. */
static struct grub_machine enter(struct grub_machine *machine, const struct grub_menu_entry *entry,
                                 const char *path)
{
	struct grub_machine inner = *machine;
	const struct grub_value *value = grub_environment_get(&machine->environment, "default");
	inner.environment = grub_environment_copy(&machine->environment, entry->submenu, machine->arena);
	inner.menu = arena_alloc(machine->arena, sizeof(*inner.menu));
	inner.maybe = inner.tainted = NULL;
	inner.flow = GRUB_FLOW_ON;
	inner.line = entry->line;
	inner.source = entry->source;
	grub_set(&inner, "chosen", path, NULL);
	grub_environment_export(&inner.environment, "chosen", machine->arena);
	const char *below = value ? default_below(value->text) : NULL;
	if (below)
		grub_set(&inner, "default", below, value->unknown);
	else
		grub_environment_unset(&inner.environment, "default");
	return inner;
}

/* GRUB's `chosen`: ids (or titles), with every '>' in them doubled. */
static const char *join_names(struct grub_machine *machine, const char *above, const char *name)
{
	struct text joined CLEANUP(text_free) = { 0 };
	text_add(&joined, above);
	text_add(&joined, *above ? ">" : "");
	for (; *name; name++) {
		text_add_char(&joined, *name);
		if (*name == '>')
			text_add_char(&joined, '>');
	}
	return arena_strdup(machine->arena, text_get(&joined));
}

static void list_entry(struct grub_machine *machine, const struct grub_menu_entry *entry, const char *title,
                       const struct grub_load *load, bool is_default)
{
	struct boot *out = machine->out;
	struct boot_entry *listed = LIST_ADD(machine->arena, &out->entries);
	listed->id = entry->id;
	listed->title = title;
	listed->kernel = load->kernel;
	for (size_t i = 0; i < load->initrds.count; i++)
		*LIST_ADD(machine->arena, &listed->initrds) = load->initrds.items[i];
	listed->command_line = load->command_line;
	listed->place = load->place.path ? load->place : grub_place(machine, entry->source, entry->line);
	if (load->unknown) {
		listed->kernel.found = ANSWER_UNKNOWN;
		grub_problem(machine, "grub-unknown", load->unknown, listed->place);
	}
	if (!is_default)
		return;
	out->default_index = out->entries.count - 1;
	out->default_known = load->unknown ? ANSWER_UNKNOWN : ANSWER_YES;
	if (load->unknown)
		out->default_reason = load->unknown;
	const struct grub_value *users = grub_environment_get(&machine->environment, "superusers");
	if (users && users->text[0] && entry->restricted)
		grub_problem(machine, "grub-password",
		             "GRUB asks for a password before it boots the default entry: add --unrestricted "
		             "to it or unset superusers",
		             grub_place(machine, entry->source, entry->line));
}

static void run_entry(struct grub_machine *machine, const struct grub_menu_entry *entry, const char *above,
                      bool is_default)
{
	const char *path = join_names(machine, above, entry->title);
	struct grub_machine inner = enter(machine, entry, path);
	struct grub_load load = { 0 };
	inner.load = entry->submenu ? NULL : &load;
	grub_run_body(&inner, entry->body, entry->source, &entry->parameters);
	if (inner.flow != GRUB_FLOW_FAIL) {
		inner.flow = GRUB_FLOW_ON;
		inner.depth++;
		inner.source = entry->source;
		inner.line = entry->line;
		if (inner.depth >= GRUB_DEPTH_MAX) {
			(void)error_set(machine->error, ERROR_LIMIT,
			                "submenus of GRUB are nested more than %d deep", GRUB_DEPTH_MAX);
			inner.flow = GRUB_FLOW_FAIL;
		} else if (inner.menu->entries.count > 0 && !load.command) {
			run_entries(&inner, path, is_default);
		} else if (!entry->submenu) {
			machine->work = inner.work;
			list_entry(machine, entry, path, &load, is_default);
			inner.work = machine->work;
		} else if (is_default) {
			machine->out->default_known = ANSWER_NO;
			machine->out->default_reason = "the default entry is a submenu without entries";
		}
	}
	machine->work = inner.work;
	if (inner.flow == GRUB_FLOW_FAIL)
		machine->flow = GRUB_FLOW_FAIL;
}

static void run_entries(struct grub_machine *machine, const char *above, bool is_default)
{
	struct choice choice = { 0 };
	struct boot *out = machine->out;
	if (is_default) {
		choice = choose(machine);
		out->default_known = choice.known;
		/* Deeper down, the choice of the top is the reason, unless there the way is lost. */
		if (!*above || choice.known != ANSWER_YES)
			out->default_reason = choice.reason;
		if (choice.known == ANSWER_UNKNOWN)
			grub_problem(machine, "grub-unknown", choice.reason, out->default_place);
	}
	for (size_t i = 0; i < machine->menu->entries.count && machine->flow != GRUB_FLOW_FAIL; i++) {
		const struct grub_menu_entry entry = machine->menu->entries.items[i];
		if (entry.opaque || out->entries.count >= GRUB_ENTRIES_MAX)
			continue;
		run_entry(machine, &entry, above,
		          is_default && choice.known == ANSWER_YES && choice.index == i);
	}
}

static struct place value_place(struct grub_machine *machine, const struct grub_value *value)
{
	if (value->source)
		return grub_place(machine, value->source, value->place.line);
	return value->place;
}

/* GRUB waits for ever ("-1") when `timeout` is not set or no number. */
static void find_timeout(struct grub_machine *machine)
{
	const struct grub_value *value = grub_environment_get(&machine->environment, "timeout");
	const char *end;
	/* What could not be read may have set it; and without a menu nothing waits. */
	bool known = !machine->broken && machine->menu->entries.count > 0;
	machine->out->timeout = known ? "-1" : NULL;
	if (!value)
		return;
	long seconds = grub_number(value->text, &end);
	if (value->unknown)
		machine->out->timeout = NULL;
	else if (known && end != value->text)
		machine->out->timeout = arena_printf(machine->arena, "%ld", seconds);
	machine->out->timeout_place = value_place(machine, value);
}

/* When the default entry cannot load, GRUB goes on with those that `fallback` lists. */
static void check_fallback(struct grub_machine *machine)
{
	struct boot *out = machine->out;
	const struct grub_value *fallback = grub_environment_get(&machine->environment, "fallback");
	if (!fallback || !fallback->text[0] || out->default_known != ANSWER_YES)
		return;
	const struct boot_entry *entry = &out->entries.items[out->default_index];
	if (entry->kernel.path && entry->kernel.found == ANSWER_YES)
		return;
	out->default_known = ANSWER_UNKNOWN;
	out->default_reason =
		"the default entry loads no kernel that exists, and GRUB goes on with `fallback`";
}

void grub_menu_run(struct grub_machine *machine)
{
	struct boot *out = machine->out;
	const struct grub_value *value = grub_environment_get(&machine->environment, "default");
	if (value)
		out->default_place = value_place(machine, value);
	find_timeout(machine);
	if (machine->menu->entries.count == 0) {
		out->default_known = machine->broken ? ANSWER_UNKNOWN : ANSWER_NO;
		out->default_reason = machine->broken      ? machine->broken
		                      : machine->no_blscfg ? machine->no_blscfg
		                                           : "the GRUB configuration has no menu entries";
		return;
	}
	run_entries(machine, "", true);
	if (machine->flow != GRUB_FLOW_FAIL)
		check_fallback(machine);
}
