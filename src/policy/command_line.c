#include "policy/command_line.h"

#include <string.h>

#include "base/text.h"
#include "policy/symbol.h"

static bool is_set(const struct context *context, const char *symbol)
{
	const struct config_symbol *found = kernel_config_get(&context->kernel->config, symbol);
	return found && str_equal(found->value, "y");
}

/*
 * CONFIG_CMDLINE: x86 puts it in front (CMDLINE_OVERRIDE: it is all there is); arm64 uses it when the loader
 * gives none, behind the loader's with CMDLINE_EXTEND, alone with CMDLINE_FORCE.
 */
void command_line_find(struct context *context)
{
	const char *given = context->entry ? context->entry->command_line : NULL;
	context->command_line = given;
	if (context->entry)
		context->command_line_place = context->entry->place;
	if (!context->kernel)
		return;
	const struct config_symbol *builtin = kernel_config_get(&context->kernel->config, "CMDLINE");
	bool arm = str_equal(context->arch, "arm64");
	if (!builtin || !*builtin->value || (!arm && !is_set(context, "CMDLINE_BOOL")))
		return;
	struct place place = context->kernel->config.place;
	place.line = builtin->line;
	place.text = builtin->text;
	if (is_set(context, arm ? "CMDLINE_FORCE" : "CMDLINE_OVERRIDE") || (arm && given && !*given)) {
		context->command_line = builtin->value;
		context->command_line_place = place;
	} else if (given && !arm) {
		context->command_line = arena_printf(context->arena, "%s %s", builtin->value, given);
	} else if (given && is_set(context, "CMDLINE_EXTEND")) {
		context->command_line = arena_printf(context->arena, "%s %s", given, builtin->value);
	}
}

/* Length of the word at the front: the kernel keeps blanks inside double quotes together. */
static size_t word_length(const char *text)
{
	size_t length = 0;
	bool quoted = false;
	while (text[length] && (quoted || !strchr(" \t\n", text[length]))) {
		if (text[length] == '"')
			quoted = !quoted;
		length++;
	}
	return length;
}

/* Without its quotes. */
static const char *unquoted(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);
	size_t used = 0;
	for (size_t i = 0; i < length; i++)
		if (text[i] != '"')
			copy[used++] = text[i];
	return copy;
}

/* To the kernel '-' and '_' are the same in a parameter's name. */
static bool same_name(const char *word, const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((word[i] == '-' ? '_' : word[i]) != (name[i] == '-' ? '_' : name[i]))
			return false;
	return true;
}

const char *command_line_value(const struct context *context, const char *name, size_t n)
{
	const char *at = context->command_line ? context->command_line : "";
	size_t wanted = strlen(name);
	for (at += strspn(at, " \t\n"); *at; at += strspn(at, " \t\n")) {
		size_t length = word_length(at);
		const char *word = at + (*at == '"'), *end = at + length;
		at = end;
		/* What stands behind "--" is for init. */
		if (length == 2 && strncmp(word, "--", 2) == 0)
			return NULL;
		if ((size_t)(end - word) < wanted || !same_name(word, name, wanted))
			continue;
		const char *behind = word + wanted;
		if (behind < end && *behind != '=' && *behind != '"')
			continue;
		if (n-- > 0)
			continue;
		if (behind < end && *behind == '=')
			behind++;
		return unquoted(context->arena, behind, (size_t)(end - behind));
	}
	return NULL;
}

const char *command_line_last(const struct context *context, const char *name)
{
	const char *last = NULL, *value;
	for (size_t n = 0; (value = command_line_value(context, name, n)); n++)
		last = value;
	return last;
}

bool list_has(const char *list, const char *word)
{
	size_t length = strlen(word);
	while (*list) {
		size_t item = strcspn(list, ",");
		if (item == length && strncmp(list, word, length) == 0)
			return true;
		list += item + (list[item] == ',');
	}
	return false;
}

static bool defeats(const struct context *context, const struct defeat *defeat)
{
	if (!defeat->value)
		return command_line_value(context, defeat->parameter, 0) != NULL;
	if (!defeat->any_occurrence) {
		const char *last = command_line_last(context, defeat->parameter);
		return last && list_has(last, defeat->value);
	}
	const char *value;
	for (size_t n = 0; (value = command_line_value(context, defeat->parameter, n)); n++)
		if (list_has(value, defeat->value))
			return true;
	return false;
}

const char *command_line_defeat(const struct context *context, const struct predicate *predicate)
{
	for (size_t i = 0; i < predicate->defeats.count; i++) {
		const struct defeat *defeat = &predicate->defeats.items[i];
		if (!defeats(context, defeat))
			continue;
		return defeat->value ? arena_printf(context->arena, "%s=%s", defeat->parameter, defeat->value)
		                     : defeat->parameter;
	}
	return NULL;
}
