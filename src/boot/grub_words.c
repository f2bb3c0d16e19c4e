#include <string.h>

#include "base/text.h"
#include "boot/grub_machine.h"

/* The arguments that a command's words become, while they grow. */
struct expansion {
	struct grub_machine *machine;
	struct grub_arguments *out;
	struct text current;
	bool open;           /* `current` is an argument, even if it is empty */
	const char *unknown; /* of the current argument */
	/* The variable that the current argument ends with, and the offset of its value: */
	const struct grub_value *value;
	size_t value_at;
};

static void finish(struct expansion *expansion)
{
	if (expansion->open) {
		*LIST_ADD(expansion->machine->arena, &expansion->out->list) = (struct grub_argument){
			.text = arena_strdup(expansion->machine->arena, text_get(&expansion->current)),
			.unknown = expansion->unknown,
			.value = expansion->value,
			.value_at = expansion->value_at,
		};
		(void)grub_spend(expansion->machine, expansion->current.size / 64);
	}
	text_clear(&expansion->current);
	expansion->open = false;
	expansion->unknown = NULL;
	expansion->value = NULL;
}

static void append(struct expansion *expansion, struct span text)
{
	if (expansion->current.size + text.size > GRUB_VALUE_MAX) {
		expansion->unknown =
			grub_reason(expansion->machine, "a word is longer than %d bytes", GRUB_VALUE_MAX);
		return;
	}
	text_add_span(&expansion->current, text);
	expansion->open = true;
	if (text.size > 0)
		expansion->value = NULL;
}

/* The value of a variable without quotes: blanks in it part arguments. */
static void append_split(struct expansion *expansion, const char *text, const char *unknown)
{
	while (*text) {
		size_t length = strcspn(text, " \t");
		if (length > 0)
			append(expansion, span_of(text, length));
		if (unknown)
			expansion->unknown = unknown;
		text += length;
		if (*text)
			finish(expansion);
		text += strspn(text, " \t");
	}
	/* What is not known is not known to be empty either. */
	if (unknown) {
		expansion->open = true;
		expansion->unknown = unknown;
	}
}

static void append_value(struct expansion *expansion, const struct grub_value *value, bool quoted)
{
	if (quoted) {
		append(expansion, span_text(value->text));
		if (value->unknown)
			expansion->unknown = value->unknown;
	} else {
		append_split(expansion, value->text, value->unknown);
	}
}

/* $1, $#, $*, $@: the arguments of the function or menu entry that runs. */
static void append_parameters(struct expansion *expansion, const char *name, bool quoted)
{
	const struct grub_arguments *parameters = &expansion->machine->parameters;
	uint64_t number = 0;
	if (str_equal(name, "#")) {
		char digits[24];
		size_t length = 0;
		uint64_t count = parameters->list.count;
		do {
			digits[sizeof(digits) - ++length] = (char)('0' + count % 10);
			count /= 10;
		} while (count > 0);
		append(expansion, span_of(digits + sizeof(digits) - length, length));
		return;
	}
	bool all = str_equal(name, "*") || str_equal(name, "@");
	if (!all && (!str_to_u64(name, &number) || number == 0))
		return;
	for (size_t i = 0; i < parameters->list.count; i++) {
		const struct grub_argument *parameter = &parameters->list.items[i];
		if (!all && i + 1 != number)
			continue;
		if (all && i > 0 && quoted && str_equal(name, "*"))
			append(expansion, span_text(" "));
		else if (all && i > 0)
			finish(expansion);
		append_value(expansion,
		             &(struct grub_value){ .text = parameter->text, .unknown = parameter->unknown },
		             quoted);
	}
}

/* Variables that depend on the machine that GRUB runs on, not on the disk. */
static bool is_of_the_machine(const char *name)
{
	static const char *const names[] = { "lockdown", "shim_lock", "check_signatures", "efi_suspend" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_equal(name, names[i]))
			return true;
	return str_starts(name, "feature_");
}

static void append_variable(struct expansion *expansion, const char *name, bool quoted)
{
	struct grub_machine *machine = expansion->machine;
	if (str_equal(name, "?")) {
		struct grub_value status = { .text = machine->status ? "1" : "0",
			                     .unknown = machine->status_unknown };
		append_value(expansion, &status, quoted);
		return;
	}
	if (strchr("#*@0123456789", name[0])) {
		append_parameters(expansion, name, quoted);
		return;
	}
	const struct grub_value *value = grub_environment_get(&machine->environment, name);
	if (value) {
		size_t at = expansion->current.size;
		append_value(expansion, value, quoted);
		if (quoted || !strpbrk(value->text, " \t")) {
			expansion->value = value;
			expansion->value_at = at;
		}
	} else if (is_of_the_machine(name)) {
		const char *reason = grub_reason(machine, "the value of $%s is not known here", name);
		append_value(expansion, &(struct grub_value){ .text = "", .unknown = reason }, quoted);
	}
}

/* GRUB's regexp module, where loaded, turns patterns of paths into the names of files. */
static bool is_pattern(const struct grub_part *part)
{
	return part->type == GRUB_PART_TEXT && strchr(part->text, '*') && strchr("/(", part->text[0]);
}

void grub_expand(struct grub_machine *machine, const struct grub_word *words, size_t count,
                 struct grub_arguments *out)
{
	struct expansion expansion = { .machine = machine, .out = out };
	for (size_t i = 0; i < count && machine->flow == GRUB_FLOW_ON; i++) {
		for (size_t j = 0; j < words[i].parts.count; j++) {
			const struct grub_part *part = &words[i].parts.items[j];
			bool quoted =
				part->type == GRUB_PART_QUOTED || part->type == GRUB_PART_QUOTED_VARIABLE;
			if (part->type == GRUB_PART_VARIABLE || part->type == GRUB_PART_QUOTED_VARIABLE)
				append_variable(&expansion, part->text, quoted);
			else
				append(&expansion, span_text(part->text));
			if (is_pattern(part))
				expansion.unknown =
					grub_reason(machine, "cannot follow the pattern `%s`", part->text);
			expansion.open |= quoted;
		}
		finish(&expansion);
	}
	text_free(&expansion.current);
}
