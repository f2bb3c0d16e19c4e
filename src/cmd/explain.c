// slipway explain: the policy, for people.

#include "cmd/command.h"

#include "cmd/screen.h"
#include "report/layout.h"

/* Of the list: most ids fit; behind a longer one the line goes on where it ends. */
#define ID_COLUMNS    34
#define LEVEL_COLUMNS 13

static void print_paragraph(const struct layout *layout, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	layout_blanks(layout, 2);
	layout_padded(layout, STYLE_DIM, label, 9);
	layout_wrapped(layout, 11, 11, text);
}

static void print_rule(const struct layout *layout, const struct rule *rule, struct arena *arena)
{
	layout_styled(layout, STYLE_BOLD, rule->id);
	fputc('\n', layout->out);
	print_paragraph(layout, "asks", rule->title);
	print_paragraph(layout, "level", level_names[rule->level]);
	print_paragraph(layout, "section", rule->section);
	print_paragraph(layout, "boot", policy_boot_effect(rule, arena));
	print_paragraph(layout, "wanted", rule->wanted);
	print_paragraph(layout, "why", rule->why);
	print_paragraph(layout, "history", rule->history);
	const char *advice = policy_advice(rule, arena);
	layout_blanks(layout, 2);
	layout_padded(layout, STYLE_DIM, "to meet", 9);
	layout_unbroken(layout, 11, advice ? advice : "'slipway check' says what an image that fails needs");
}

static void print_list(const struct layout *layout, const struct policy *policy)
{
	for (size_t i = 0; i < policy->rules.count; i++) {
		const struct rule *rule = &policy->rules.items[i];
		unsigned id = layout_columns(rule->id) + 2;
		unsigned column = id > ID_COLUMNS ? id : ID_COLUMNS;
		layout_padded(layout, STYLE_BOLD, rule->id, column);
		layout_padded(layout, STYLE_DIM, level_names[rule->level], LEVEL_COLUMNS);
		layout_wrapped(layout, column + LEVEL_COLUMNS, ID_COLUMNS + LEVEL_COLUMNS,
		               rule->title ? rule->title : "");
	}
}

static void complain_unknown(const struct policy *policy, const char *id)
{
	struct arena arena = { 0 };
	const char **names = arena_alloc_array(&arena, policy->rules.count + 1, sizeof(*names));
	for (size_t i = 0; i < policy->rules.count; i++)
		names[i] = policy->rules.items[i].id;
	const char *near = nearest_name(id, names, policy->rules.count);
	if (near)
		complain("there is no requirement '%s': did you mean %s? 'slipway explain' lists all", id,
		         near);
	else
		complain("there is no requirement '%s': 'slipway explain' lists all", id);
	arena_free(&arena);
}

enum status command_explain(const struct options *options)
{
	struct policy policy;
	if (!load_policy(options, &policy))
		return options->policy ? STATUS_USAGE : STATUS_BUG;
	struct report_options screen = screen_options(options);
	struct layout layout = { stdout, screen.width, screen.colour };
	enum status status = STATUS_CONFORMS;
	if (options->operand_count == 0)
		print_list(&layout, &policy);
	struct arena arena = { 0 };
	bool printed = false;
	for (size_t i = 0; i < options->operand_count; i++) {
		const struct rule *rule = policy_rule(&policy, options->operands[i]);
		if (!rule) {
			complain_unknown(&policy, options->operands[i]);
			status = STATUS_USAGE;
			continue;
		}
		if (printed)
			fputc('\n', stdout);
		print_rule(&layout, rule, &arena);
		printed = true;
	}
	arena_free(&arena);
	policy_free(&policy);
	return status;
}
