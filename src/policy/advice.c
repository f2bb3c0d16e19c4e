// How any system meets a rule, before an image has been looked at: for explain. What one image needs, with
// its own files and tools, is a finding's fix.

#include <string.h>

#include "base/text.h"
#include "policy/fix.h"
#include "policy/predicate.h"

static void add_line(struct text *text, const char *line)
{
	if (text->size > 0)
		text_add_char(text, '\n');
	text_add(text, line);
}

static void add_variants(struct text *text, const struct context *context, const struct rule *rule)
{
	const struct predicate *predicate = rule->predicate;
	for (size_t i = 0; i < predicate->fixes.count; i++) {
		const struct variant *variant = &predicate->fixes.items[i];
		/* A family of distributions, or a value that was found. */
		bool absent = str_equal(variant->name, "absent");
		add_line(text, absent ? "where it is absent" : variant->name);
		text_printf(text, ": %s", fix_from_policy(context, rule, variant->name));
	}
}

static const char *modules_of(const struct predicate *predicate, struct arena *arena)
{
	struct text names CLEANUP(text_free) = { 0 };
	for (size_t i = 0; i < predicate->modules.count; i++)
		text_printf(&names, "%s%s", i ? " " : "", predicate->modules.items[i]);
	return arena_strdup(arena, text_get(&names));
}

static void add_kconfig(struct text *text, const struct predicate *predicate, struct arena *arena)
{
	add_line(text, "a kernel with");
	for (size_t i = 0; i < predicate->options.count; i++) {
		const struct option *option = &predicate->options.items[i];
		text_printf(text, "%s CONFIG_%s%s%s", i ? "," : "", option->symbol,
		            option->want.compare == COMPARE_AT_LEAST ? ">=" : "=", option->want.value);
	}
	for (size_t i = 0; i < predicate->since.count; i++)
		text_printf(text, "; since Linux %s it is CONFIG_%s", predicate->since.items[i].version,
		            predicate->since.items[i].symbol);
	if (predicate->modules.count > 0)
		text_printf(text, "; as modules they count when %s: %s",
		            predicate->module_from == MODULE_FROM_INITRAMFS
		                    ? "the initramfs carries all of them"
		                    : "the root file system has all of them",
		            modules_of(predicate, arena));
}

const char *policy_advice(const struct rule *rule, struct arena *arena)
{
	const struct predicate *predicate = rule->predicate;
	struct context context = { .family = "", .arena = arena };
	struct text text CLEANUP(text_free) = { 0 };
	const char *fix = rule->fix ? fix_from_policy(&context, rule, NULL) : NULL;
	if (fix)
		add_line(&text, fix);
	else if (predicate->kind == PREDICATE_SYSCTL)
		add_line(&text, arena_printf(arena, "echo '%s = %s' >> /etc/sysctl.d/60-image.conf",
		                             predicate->key, predicate->want.value));
	else if (predicate->kind == PREDICATE_KCONFIG)
		add_kconfig(&text, predicate, arena);
	add_variants(&text, &context, rule);
	return text.size > 0 ? arena_strdup(arena, text_get(&text)) : NULL;
}

const char *policy_boot_effect(const struct rule *rule, struct arena *arena)
{
	const struct arches *arches = &rule->predicate->stops_on;
	const char *on = "";
	if (!rule->decides_boot)
		return NULL;
	for (size_t i = 0; i < arches->count; i++)
		on = arena_printf(arena, "%s%s%s", on, i == 0 ? " on " : " or ", arches->items[i]);
	return arena_printf(arena, "a system that fails it does not boot%s", on);
}
