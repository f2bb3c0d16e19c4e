// Keys and values of a policy file, one function a key. All that a user can get wrong is said here.
#include "policy/rule.h"

#include <string.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/predicate.h"
#include "policy/symbol.h"

const char *const level_names[] = { "required", "recommended", "advice", NULL };
const char *const verdict_names[] = { "unknown", "pass", "fail", "n/a", "waived", NULL };

/* What a section is being made into. */
struct build {
	const struct document *document;
	struct section *section;
	struct arena *arena;
	struct rule *rule;
	struct predicate *predicate;
	struct error *error;
};

/* One key: for which predicates it means something, and how its value is taken. */
struct key {
	const char *name;
	unsigned kinds; /* bits: 1 << enum predicate_kind */
	bool (*take)(struct build *build, const struct setting *setting);
};

enum {
	FOR_KCONFIG = 1 << PREDICATE_KCONFIG,
	FOR_SYSCTL = 1 << PREDICATE_SYSCTL,
	FOR_OBSERVE = 1 << PREDICATE_OBSERVE,
	FOR_CHECK = 1 << PREDICATE_CHECK,
	FOR_ALL = FOR_KCONFIG | FOR_SYSCTL | FOR_OBSERVE | FOR_CHECK,
};

#define COMPLAIN(build, setting, ...)                                                                        \
	document_error((build)->document, (setting)->line, (build)->error, __VA_ARGS__)

/* Takes the next word off *text, up to a blank or one of `stops`; "" at the end. */
static const char *next_word(const char **text, const char *stops, struct arena *arena)
{
	char ends[16] = " \t";
	memcpy(ends + 2, stops, strlen(stops) + 1);
	*text += strspn(*text, ends);
	size_t length = strcspn(*text, ends);
	const char *word = arena_string(arena, span_of(*text, length));
	*text += length;
	return word;
}

static bool is_symbol(const char *text)
{
	return *text && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
	                        strlen(text);
}

static bool is_version(const char *text)
{
	return *text >= '0' && *text <= '9' && strchr(text, '.');
}

static bool take_arch(struct build *build, const struct setting *setting)
{
	const char *rest = setting->value, *word;
	while (*(word = next_word(&rest, ",", build->arena))) {
		if (!str_equal(word, "x86_64") && !str_equal(word, "i386") && !str_equal(word, "arm64"))
			return COMPLAIN(build, setting,
			                "\"%.40s\" is no architecture; write x86_64, i386 or arm64", word);
		*LIST_ADD(build->arena, &build->predicate->arches) = word;
	}
	return true;
}

static bool take_decides(struct build *build, const struct setting *setting)
{
	if (!str_equal(setting->value, "boot"))
		return COMPLAIN(build, setting,
		                "Decides=%.40s means nothing; write Decides=boot or no such line",
		                setting->value);
	build->rule->decides_boot = true;
	return true;
}

static bool take_proved_by(struct build *build, const struct setting *setting)
{
	if (!str_equal(setting->value, "boot"))
		return COMPLAIN(build, setting,
		                "ProvedBy=%.40s means nothing; write ProvedBy=boot or no such line",
		                setting->value);
	build->predicate->proved_by_boot = true;
	return true;
}

static bool take_why(struct build *build, const struct setting *setting)
{
	build->rule->why = setting->value;
	return true;
}

static bool take_history(struct build *build, const struct setting *setting)
{
	build->rule->history = setting->value;
	return true;
}

static bool take_elsewhere(struct build *build, const struct setting *setting)
{
	build->predicate->elsewhere = setting->value;
	return true;
}

static bool take_wanted(struct build *build, const struct setting *setting)
{
	build->predicate->wanted = setting->value;
	return true;
}

static bool take_want(struct build *build, const struct setting *setting)
{
	if (!want_parse(setting->value, build->arena, &build->predicate->want))
		return COMPLAIN(build, setting, "Want=%.40s is no value; write y, n, a value or >=NUMBER",
		                setting->value);
	return true;
}

/* "SYMBOL", "SYMBOL=value" or "SYMBOL>=number"; without a value, `fallback` is wanted. */
static bool parse_option(struct build *build, const struct setting *setting, const char *word,
                         const struct want *fallback, struct option *out)
{
	size_t length = strcspn(word, "=>");
	const char *symbol = arena_string(build->arena, span_of(word, length));
	if (str_starts(symbol, "CONFIG_"))
		return COMPLAIN(build, setting, "write %.80s without CONFIG_", symbol);
	if (!is_symbol(symbol))
		return COMPLAIN(build, setting,
		                "\"%.80s\" is no configuration symbol; write as in SCSI_VIRTIO", word);
	*out = (struct option){ .symbol = symbol, .want = *fallback };
	const char *value = word + length;
	if (!*value)
		return true;
	if (!want_parse(*value == '=' ? value + 1 : value, build->arena, &out->want))
		return COMPLAIN(build, setting,
		                "\"%.80s\" compares with nothing; write SYMBOL=VALUE or SYMBOL>=NUMBER",
		                word);
	return true;
}

static bool take_kconfig(struct build *build, const struct setting *setting)
{
	const char *rest = setting->value, *word;
	while (*(word = next_word(&rest, ",", build->arena))) {
		struct option option;
		if (!parse_option(build, setting, word, &build->predicate->want, &option))
			return false;
		*LIST_ADD(build->arena, &build->predicate->options) = option;
	}
	if (build->predicate->options.count == 0)
		return COMPLAIN(build, setting, "Kconfig= names no symbol; write one, as in SCSI_VIRTIO");
	return true;
}

static bool take_stronger(struct build *build, const struct setting *setting)
{
	const struct want yes = { .value = "y" };
	const char *rest = setting->value, *word;
	while (*(word = next_word(&rest, ",", build->arena))) {
		struct option option;
		if (!parse_option(build, setting, word, &yes, &option))
			return false;
		*LIST_ADD(build->arena, &build->predicate->stronger) = option;
	}
	return true;
}

static bool take_module(struct build *build, const struct setting *setting)
{
	struct predicate *predicate = build->predicate;
	const char *rest = setting->value, *word;
	while (*(word = next_word(&rest, ",", build->arena))) {
		if (!is_symbol(word))
			return COMPLAIN(build, setting,
			                "\"%.80s\" is no module name; write it with '_', as in virtio_scsi",
			                word);
		if (predicate->modules.count < predicate->options.count)
			predicate->options.items[predicate->modules.count].module = word;
		*LIST_ADD(build->arena, &predicate->modules) = word;
	}
	return true;
}

static bool take_module_from(struct build *build, const struct setting *setting)
{
	bool root = str_equal(setting->value, "root");
	if (!root && !str_equal(setting->value, "initramfs"))
		return COMPLAIN(build, setting, "ModuleFrom=%.40s is no place; write initramfs or root",
		                setting->value);
	build->predicate->module_from = root ? MODULE_FROM_ROOT : MODULE_FROM_INITRAMFS;
	return true;
}

static bool take_since(struct build *build, const struct setting *setting)
{
	struct predicate *predicate = build->predicate;
	if (predicate->options.count != 1)
		return COMPLAIN(build, setting, "Since= needs a rule with a single symbol; make two rules");
	const char *rest = setting->value, *version, *before = NULL;
	while (*(version = next_word(&rest, ",", build->arena))) {
		const char *symbol = next_word(&rest, ",", build->arena);
		if (!is_version(version) || !is_symbol(symbol))
			return COMPLAIN(
				build, setting,
				"Since= wants a kernel version and a symbol, as in 4.11 STRICT_KERNEL_RWX");
		if (before && version_compare(before, version) >= 0)
			return COMPLAIN(build, setting,
			                "Since= wants the older version first; put %.40s before %.40s",
			                version, before);
		*LIST_ADD(build->arena, &predicate->since) =
			(struct renaming){ .version = version, .symbol = symbol };
		before = version;
	}
	return true;
}

/* "5.13" or "5.13 DEVKMEM": a version for all of the rule's symbols, or for one. */
static bool take_versions(struct build *build, const struct setting *setting, bool added)
{
	struct predicate *predicate = build->predicate;
	const char *rest = setting->value;
	const char *version = next_word(&rest, "", build->arena);
	const char *symbol = next_word(&rest, "", build->arena);
	bool found = false;
	for (size_t i = 0; i < predicate->options.count; i++) {
		struct option *option = &predicate->options.items[i];
		if (*symbol && !str_equal(option->symbol, symbol))
			continue;
		*(added ? &option->added : &option->removed) = version;
		found = true;
	}
	if (!is_version(version) || !found || *next_word(&rest, "", build->arena))
		return COMPLAIN(
			build, setting,
			"%s= wants a kernel version and, if not all are meant, one of the rule's symbols, "
			"as in 5.13 DEVKMEM",
			setting->key);
	return true;
}

static bool take_added(struct build *build, const struct setting *setting)
{
	return take_versions(build, setting, true);
}

static bool take_removed(struct build *build, const struct setting *setting)
{
	return take_versions(build, setting, false);
}

static bool take_only_with(struct build *build, const struct setting *setting)
{
	if (!is_symbol(setting->value))
		return COMPLAIN(build, setting,
		                "OnlyWith=%.80s is no configuration symbol; write one, as in MODULES",
		                setting->value);
	build->predicate->only_with = setting->value;
	return true;
}

static bool take_lsm(struct build *build, const struct setting *setting)
{
	if (!is_symbol(setting->value))
		return COMPLAIN(build, setting, "Lsm=%.80s is no security module; write one, as in yama",
		                setting->value);
	build->predicate->lsm = setting->value;
	return true;
}

static bool take_defeated_by(struct build *build, const struct setting *setting)
{
	const char *rest = setting->value, *word;
	while (*(word = next_word(&rest, "", build->arena))) {
		struct defeat defeat = { .parameter = word };
		const char *equals = strchr(word, '=');
		if (equals == word || (equals && !equals[1]))
			return COMPLAIN(
				build, setting,
				"\"%.80s\" is no kernel parameter; write as in norandmaps or rodata=off",
				word);
		if (equals) {
			size_t length = (size_t)(equals - word);
			defeat.any_occurrence = word[length - 1] == '+';
			defeat.value = equals + 1;
			defeat.parameter = arena_string(
				build->arena, span_of(word, length - (defeat.any_occurrence ? 1 : 0)));
		}
		*LIST_ADD(build->arena, &build->predicate->defeats) = defeat;
	}
	return true;
}

static bool take_overridden_by(struct build *build, const struct setting *setting)
{
	struct override *override = &build->predicate->override;
	const char *rest = setting->value;
	override->symbol = next_word(&rest, "", build->arena);
	const char *what = next_word(&rest, "", build->arena);
	override->name = next_word(&rest, "", build->arena);
	override->parameter = str_equal(what, "parameter");
	bool ours = false;
	for (size_t i = 0; i < build->predicate->options.count; i++)
		ours = ours || str_equal(build->predicate->options.items[i].symbol, override->symbol);
	if (!ours || !*override->name || *next_word(&rest, "", build->arena) ||
	    !(override->parameter || str_equal(what, "sysctl")))
		return COMPLAIN(
			build, setting,
			"OverriddenBy= wants one of the rule's symbols, then sysctl KEY or parameter NAME");
	return true;
}

static bool take_sysctl(struct build *build, const struct setting *setting)
{
	if (!strchr(setting->value, '.') || strpbrk(setting->value, " \t/*"))
		return COMPLAIN(build, setting,
		                "Sysctl=%.80s is no key; write one with dots, as in kernel.kptr_restrict",
		                setting->value);
	build->predicate->key = setting->value;
	return true;
}

static bool take_observe(struct build *build, const struct setting *setting)
{
	if (!*setting->value || strpbrk(setting->value, " \t"))
		return COMPLAIN(build, setting, "Observe= wants one observation, as in guest.irqbalance");
	build->predicate->key = setting->value;
	return true;
}

static bool take_accept(struct build *build, const struct setting *setting)
{
	const char *rest = setting->value, *word;
	while (*(word = next_word(&rest, ",", build->arena))) {
		struct want want;
		if (!want_parse(word, build->arena, &want))
			return COMPLAIN(build, setting, "Accept= holds \"%.40s\"; write values or >=NUMBER",
			                word);
		*LIST_ADD(build->arena, &build->predicate->accept) = want;
	}
	return true;
}

static bool take_effective(struct build *build, const struct setting *setting)
{
	build->predicate->effective = str_equal(setting->value, "judge");
	if (!build->predicate->effective && !str_equal(setting->value, "note"))
		return COMPLAIN(build, setting, "Effective=%.40s means nothing; write judge or note",
		                setting->value);
	return true;
}

static bool take_check(struct build *build, const struct setting *setting)
{
	build->predicate->check = check_find(setting->value);
	if (!build->predicate->check)
		return COMPLAIN(build, setting,
		                "there is no built-in check \"%.80s\"; slipway-policy(5) lists them",
		                setting->value);
	return true;
}

/* In the order in which they are taken: a later one may look at what an earlier one set. */
static const struct key keys[] = {
	{ "Decides", FOR_ALL, take_decides },
	{ "ProvedBy", FOR_ALL, take_proved_by },
	{ "Arch", FOR_ALL, take_arch },
	{ "Elsewhere", FOR_ALL, take_elsewhere },
	{ "Why", FOR_ALL, take_why },
	{ "History", FOR_ALL, take_history },
	{ "Wanted", FOR_ALL, take_wanted },
	{ "Want", FOR_KCONFIG | FOR_SYSCTL | FOR_OBSERVE, take_want },
	{ "Kconfig", FOR_KCONFIG, take_kconfig },
	{ "Since", FOR_KCONFIG, take_since },
	{ "Added", FOR_KCONFIG, take_added },
	{ "Removed", FOR_KCONFIG, take_removed },
	{ "Module", FOR_KCONFIG, take_module },
	{ "ModuleFrom", FOR_KCONFIG, take_module_from },
	{ "Stronger", FOR_KCONFIG, take_stronger },
	{ "OnlyWith", FOR_KCONFIG, take_only_with },
	{ "Lsm", FOR_KCONFIG, take_lsm },
	{ "DefeatedBy", FOR_KCONFIG, take_defeated_by },
	{ "OverriddenBy", FOR_KCONFIG, take_overridden_by },
	{ "Sysctl", FOR_SYSCTL, take_sysctl },
	{ "Observe", FOR_OBSERVE, take_observe },
	{ "Accept", FOR_SYSCTL | FOR_OBSERVE, take_accept },
	{ "Effective", FOR_SYSCTL, take_effective },
	{ "Check", FOR_CHECK, take_check },
};

static const char *const kind_keys[] = { "Kconfig", "Sysctl", "Observe", "Check" };

static bool is_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_equal(keys[i].name, name))
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
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!(keys[i].kinds & kind))
			continue;
		const struct setting *setting = section_take(build->section, keys[i].name);
		if (setting && !keys[i].take(build, setting))
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
