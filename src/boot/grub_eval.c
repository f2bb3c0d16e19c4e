#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "boot/grub_machine.h"

bool grub_spend(struct grub_machine *machine, uint64_t work)
{
	if (machine->flow == GRUB_FLOW_FAIL)
		return false;
	machine->work += work;
	bool left = machine->work <= GRUB_WORK_MAX ||
	            error_set(machine->error, ERROR_LIMIT,
	                      "the GRUB configuration runs more than %d commands", GRUB_WORK_MAX);
	if (left && budget_step(machine->budget, 1 + work, "a GRUB configuration", machine->error))
		return true;
	machine->flow = GRUB_FLOW_FAIL;
	return false;
}

/* Runs a list that may or may not be run at boot, and marks all that it touches. */
static void run_maybe(struct grub_machine *machine, const struct grub_node *list, const char *reason)
{
	const char *saved = machine->maybe;
	machine->maybe = saved ? saved : reason;
	grub_run_list(machine, list);
	machine->maybe = saved ? saved : machine->tainted;
}

static void run_if(struct grub_machine *machine, const struct grub_node *node)
{
	for (size_t i = 0; i < node->arms.count; i++) {
		const struct grub_arm *arm = &node->arms.items[i];
		if (arm->condition)
			grub_run_list(machine, arm->condition);
		if (machine->flow != GRUB_FLOW_ON)
			return;
		if (arm->condition && machine->status_unknown) {
			const char *reason = machine->status_unknown;
			for (; i < node->arms.count && machine->flow == GRUB_FLOW_ON; i++)
				run_maybe(machine, node->arms.items[i].body, reason);
			if (machine->flow == GRUB_FLOW_ON)
				grub_finish_unknown(machine, reason);
			return;
		}
		if (!arm->condition || machine->status == 0) {
			grub_run_list(machine, arm->body);
			return;
		}
	}
	grub_finish(machine, true);
}

/* After a loop's body: does the loop go on? */
static bool loop_goes_on(struct grub_machine *machine)
{
	if (machine->flow != GRUB_FLOW_BREAK && machine->flow != GRUB_FLOW_CONTINUE)
		return machine->flow == GRUB_FLOW_ON;
	if (machine->breaks > 1) {
		machine->breaks--;
		return false;
	}
	bool again = machine->flow == GRUB_FLOW_CONTINUE;
	machine->flow = GRUB_FLOW_ON;
	return again;
}

static void run_while(struct grub_machine *machine, const struct grub_node *node)
{
	const struct grub_arm *arm = &node->arms.items[0];
	machine->loops++;
	while (grub_spend(machine, 1)) {
		grub_run_list(machine, arm->condition);
		if (machine->flow != GRUB_FLOW_ON && !loop_goes_on(machine))
			break;
		if (machine->status_unknown) {
			run_maybe(machine, arm->body, machine->status_unknown);
			break;
		}
		if ((machine->status == 0) != (node->type == GRUB_NODE_WHILE))
			break;
		grub_run_list(machine, arm->body);
		if (!loop_goes_on(machine))
			break;
	}
	machine->loops--;
}

static void run_for(struct grub_machine *machine, const struct grub_node *node)
{
	struct grub_arguments values = { 0 };
	grub_expand(machine, node->words.items, node->words.count, &values);
	machine->loops++;
	for (size_t i = 0; i < values.list.count && grub_spend(machine, 1); i++) {
		const struct grub_argument *value = &values.list.items[i];
		grub_set(machine, node->name, value->text, value->unknown);
		if (value->unknown)
			run_maybe(machine, node->arms.items[0].body, value->unknown);
		else
			grub_run_list(machine, node->arms.items[0].body);
		if (!loop_goes_on(machine))
			break;
	}
	machine->loops--;
}

static struct grub_function *find_function(struct grub_machine *machine, const char *name)
{
	for (size_t i = 0; i < machine->functions.count; i++)
		if (str_equal(machine->functions.items[i].name, name))
			return &machine->functions.items[i];
	return NULL;
}

static void define_function(struct grub_machine *machine, const struct grub_node *node)
{
	struct grub_function *function = find_function(machine, node->name);
	if (!function && machine->functions.count >= GRUB_FUNCTIONS_MAX) {
		(void)error_set(machine->error, ERROR_LIMIT,
		                "the GRUB configuration defines more than %d functions", GRUB_FUNCTIONS_MAX);
		machine->flow = GRUB_FLOW_FAIL;
		return;
	}
	if (!function)
		function = LIST_ADD(machine->arena, &machine->functions);
	*function = (struct grub_function){
		.name = node->name,
		.body = node->arms.items[0].body,
		.source = machine->source,
		.maybe = machine->maybe,
	};
}

void grub_run_body(struct grub_machine *machine, const struct grub_node *body,
                   const struct grub_source *source, const struct grub_arguments *parameters)
{
	struct grub_arguments outer_parameters = machine->parameters;
	const struct grub_source *outer_source = machine->source;
	unsigned outer_loops = machine->loops;
	if (machine->depth >= GRUB_DEPTH_MAX) {
		(void)error_set(
			machine->error, ERROR_LIMIT,
			"functions and files of the GRUB configuration call each other more than %d deep",
			GRUB_DEPTH_MAX);
		machine->flow = GRUB_FLOW_FAIL;
		return;
	}
	machine->depth++;
	machine->parameters = *parameters;
	machine->source = source;
	machine->loops = 0;
	grub_run_list(machine, body);
	machine->depth--;
	machine->parameters = outer_parameters;
	machine->source = outer_source;
	machine->loops = outer_loops;
	if (machine->flow == GRUB_FLOW_RETURN)
		machine->flow = GRUB_FLOW_ON;
}

static void call_function(struct grub_machine *machine, const struct grub_function *function,
                          const struct grub_arguments *arguments)
{
	struct grub_arguments parameters = { 0 };
	for (size_t i = 1; i < arguments->list.count; i++)
		*LIST_ADD(machine->arena, &parameters.list) = arguments->list.items[i];
	const char *saved = machine->maybe;
	if (!machine->maybe)
		machine->maybe = function->maybe;
	const struct grub_function called = *function;
	grub_run_body(machine, called.body, called.source, &parameters);
	machine->maybe = saved ? saved : machine->tainted;
	if (called.maybe)
		grub_finish_unknown(machine, called.maybe);
}

/* An unknown command sets at most what it is told to: --set=NAME, --set=1:NAME, or the word behind --set. */
static void run_unknown(struct grub_machine *machine, const struct grub_arguments *arguments)
{
	const char *reason = grub_reason(machine, "cannot follow `%s`", arguments->list.items[0].text);
	for (size_t i = 1; i < arguments->list.count; i++) {
		const char *word = arguments->list.items[i].text;
		const char *name = NULL;
		if (str_starts(word, "--set="))
			name = word + strlen("--set=");
		else if ((str_equal(word, "--set") || str_equal(word, "-s")) && i + 1 < arguments->list.count)
			name = arguments->list.items[i + 1].text;
		if (name && strchr(name, ':'))
			name = strchr(name, ':') + 1;
		if (name && *name)
			grub_set(machine, name, "", reason);
	}
	grub_finish_unknown(machine, reason);
}

static void run_words(struct grub_machine *machine, const struct grub_arguments *arguments,
                      const struct grub_node *node)
{
	const struct grub_argument *first = &arguments->list.items[0];
	if (first->unknown) {
		/* It could be any command: `linux`, `set default=`, `configfile`. */
		machine->tainted = machine->tainted ? machine->tainted : first->unknown;
		machine->broken = machine->broken ? machine->broken : first->unknown;
		machine->maybe = machine->maybe ? machine->maybe : machine->tainted;
		if (machine->load)
			machine->load->unknown = first->unknown;
		grub_finish_unknown(machine, first->unknown);
		return;
	}
	grub_command_fn *command = grub_command_find(first->text);
	const struct grub_function *function = find_function(machine, first->text);
	const char *equals = strchr(first->text, '=');
	if (command)
		command(machine, arguments, node);
	else if (function)
		call_function(machine, function, arguments);
	else if (equals)
		grub_assign(machine, first, (size_t)(equals - first->text));
	else
		run_unknown(machine, arguments);
}

static void run_command(struct grub_machine *machine, const struct grub_node *node)
{
	struct grub_arguments arguments = { 0 };
	grub_expand(machine, node->words.items, node->words.count, &arguments);
	bool inverted = arguments.list.count > 1 && str_equal(arguments.list.items[0].text, "!");
	if (inverted) {
		arguments.list.items++;
		arguments.list.count--;
	}
	if (machine->flow != GRUB_FLOW_ON || arguments.list.count == 0)
		return;
	run_words(machine, &arguments, node);
	if (inverted && !machine->status_unknown)
		machine->status = !machine->status;
}

void grub_run_list(struct grub_machine *machine, const struct grub_node *list)
{
	for (; list && machine->flow == GRUB_FLOW_ON && grub_spend(machine, 1); list = list->next) {
		machine->line = list->line;
		switch (list->type) {
		case GRUB_NODE_COMMAND:
			run_command(machine, list);
			break;
		case GRUB_NODE_IF:
			run_if(machine, list);
			break;
		case GRUB_NODE_WHILE:
		case GRUB_NODE_UNTIL:
			run_while(machine, list);
			break;
		case GRUB_NODE_FOR:
			run_for(machine, list);
			break;
		case GRUB_NODE_FUNCTION:
			define_function(machine, list);
			break;
		}
	}
}
