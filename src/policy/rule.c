// A section becomes a rule: what it has to have, and what it must not have, is said here.
#include "policy/rule.h"

#include <string.h>

#include "base/text.h"
#include "policy/keys.h"
#include "policy/symbol.h"

const char *const level_names[] = { "required", "recommended", "advice", NULL };
const char *const verdict_names[] = { "unknown", "pass", "fail", "n/a", "waived", NULL };

static const char *const kind_keys[] = { "Kconfig", "Sysctl", "Observe", "Check" };

static bool is_key(const char *name)
{
	for (size_t i = 0; predicate_keys[i].name; i++)
		if (str_equal(predicate_keys[i].name, name))
			return true;
	return str_equal(name, "Title") || str_equal(name, "Level") || str_equal(name, "Fix");
}

static bool find_kind(struct build *build)
{
	const char *found = NULL;
	for (size_t kind = 0; kind < ARRAY_SIZE(kind_keys); kind++) {
		const struct setting *setting = section_take(build->section, kind_keys[kind]);
		if (!setting)
			continue;
		if (found)
			return COMPLAIN(build, setting,
			                "[%.80s] has both %s= and %s=; keep one, or make two rules",
			                build->section->name, found, kind_keys[kind]);
		found = kind_keys[kind];
		build->predicate->kind = (enum predicate_kind)kind;
	}
	if (!found)
		return COMPLAIN(
			build, build->section,
			"[%.80s] does not say how it is judged; add Kconfig=, Sysctl=, Observe= or Check=",
			build->section->name);
	return true;
}

static bool take_keys(struct build *build)
{
	unsigned kind = 1u << build->predicate->kind;
	const struct want yes = { .value = "y" };
	if (build->predicate->kind == PREDICATE_KCONFIG)
		build->predicate->want = yes;
	for (size_t i = 0; predicate_keys[i].name; i++) {
		if (!(predicate_keys[i].kinds & kind))
			continue;
		const struct setting *setting = section_take(build->section, predicate_keys[i].name);
		if (setting && !predicate_keys[i].take(build, setting))
			return false;
	}
	if (build->predicate->kind != PREDICATE_KCONFIG && build->predicate->kind != PREDICATE_CHECK &&
	    !build->predicate->want.value)
		return COMPLAIN(build, build->section, "[%.80s] has no Want=; add the value that is asked",
		                build->section->name);
	return true;
}

static bool take_level(struct build *build, bool has_level)
{
	const struct setting *setting = has_level ? section_take(build->section, "Level") : NULL;
	if (!setting && has_level)
		return COMPLAIN(build, build->section,
		                "[%.80s] has no Level=; add required, recommended or advice",
		                build->section->name);
	for (size_t i = 0; setting && level_names[i]; i++)
		if (str_equal(level_names[i], setting->value)) {
			build->rule->level = (enum level)i;
			return true;
		}
	if (setting)
		return COMPLAIN(build, setting, "Level=%.40s is none; write required, recommended or advice",
		                setting->value);
	return true;
}

/* Fix=, Fix.debian= and Note.2= : keys with a case behind the dot. What is left then is no key. */
static bool take_the_rest(struct build *build)
{
	for (size_t i = 0; i < build->section->settings.count; i++) {
		struct setting *setting = &build->section->settings.items[i];
		if (setting->used)
			continue;
		bool fix = str_starts(setting->key, "Fix."), note = str_starts(setting->key, "Note.");
		const char *name = strchr(setting->key, '.');
		if ((fix || note) && name && name[1]) {
			const struct variant variant = { .name = name + 1, .text = setting->value };
			if (fix)
				*LIST_ADD(build->arena, &build->predicate->fixes) = variant;
			else
				*LIST_ADD(build->arena, &build->predicate->notes) = variant;
			continue;
		}
		if (is_key(setting->key))
			return COMPLAIN(build, setting, "%s= means nothing in a rule with %s=; remove it",
			                setting->key, kind_keys[build->predicate->kind]);
		return COMPLAIN(build, setting, "there is no key \"%.80s\"; slipway-policy(5) lists them",
		                setting->key);
	}
	return true;
}

/* "kernel.virtio-scsi": words of letters, digits, '_' and '-', joined by dots. */
static bool check_id(struct build *build)
{
	const char *id = build->section->name;
	const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	size_t length = strlen(id);
	if (!strchr(id, '.') || strspn(id, letters) != length || *id == '.' || id[length - 1] == '.' ||
	    strstr(id, ".."))
		return COMPLAIN(build, build->section,
		                "[%.80s] is no rule id; write a section and a name, as in kernel.virtio-scsi",
		                id);
	return true;
}

/* What reports call the wanted value, from the predicate unless Wanted= says it better. */
static const char *wanted_text(const struct predicate *predicate, struct arena *arena)
{
	if (predicate->wanted)
		return predicate->wanted;
	if (predicate->kind != PREDICATE_KCONFIG) {
		const char *text = predicate->want.value ? want_text(&predicate->want, arena) : "";
		for (size_t i = 0; i < predicate->accept.count; i++)
			text = arena_printf(arena, "%s or %s", text,
			                    want_text(&predicate->accept.items[i], arena));
		return text;
	}
	if (predicate->options.count == 1)
		return want_text(&predicate->options.items[0].want, arena);
	const char *text = "";
	for (size_t i = 0; i < predicate->options.count; i++) {
		const struct option *option = &predicate->options.items[i];
		text = arena_printf(arena, "%s%s%s", text, *text ? ", " : "", symbol_wanted(option, arena));
	}
	return text;
}

bool rule_build(const struct document *document, struct section *section, bool has_level, struct arena *arena,
                struct rule *rule, struct error *error)
{
	struct predicate *predicate = arena_alloc(arena, sizeof(*predicate));
	struct build build = { document, section, arena, rule, predicate, error };
	*rule = (struct rule){ .id = section->name, .predicate = predicate, .line = section->line };
	if (!check_id(&build))
		return false;
	rule->section = arena_string(arena, span_of(rule->id, strcspn(rule->id, ".")));
	const struct setting *title = section_take(section, "Title");
	if (!title || !*title->value)
		return COMPLAIN(&build, section,
		                "[%.80s] has no Title=; add one line that says what is asked", section->name);
	rule->title = title->value;
	const struct setting *fix = section_take(section, "Fix");
	if (!take_level(&build, has_level) || !find_kind(&build) || !take_keys(&build) ||
	    !take_the_rest(&build))
		return false;
	rule->wanted = wanted_text(predicate, arena);
	rule->fix = fix ? fix->value : NULL;
	return true;
}
