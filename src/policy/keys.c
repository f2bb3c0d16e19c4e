// Values of a policy file, one function a key. What a user can get wrong in them is said here.
#include "policy/keys.h"

#include <string.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/live.h"

enum {
	FOR_KCONFIG = 1 << PREDICATE_KCONFIG,
	FOR_SYSCTL = 1 << PREDICATE_SYSCTL,
	FOR_OBSERVE = 1 << PREDICATE_OBSERVE,
	FOR_CHECK = 1 << PREDICATE_CHECK,
	FOR_ALL = FOR_KCONFIG | FOR_SYSCTL | FOR_OBSERVE | FOR_CHECK,
};

const char *policy_word(const char **text, const char *stops, struct arena *arena)
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

static bool take_architectures(struct build *build, const struct setting *setting, struct arches *arches)
{
	const char *rest = setting->value, *word;
	while (*(word = policy_word(&rest, ",", build->arena))) {
		if (!str_equal(word, "x86_64") && !str_equal(word, "i386") && !str_equal(word, "arm64"))
			return COMPLAIN(build, setting,
			                "\"%.40s\" is no architecture; write x86_64, i386 or arm64", word);
		*LIST_ADD(build->arena, arches) = word;
	}
	return true;
}

static bool take_arch(struct build *build, const struct setting *setting)
{
	return take_architectures(build, setting, &build->predicate->arches);
}

static bool take_stops_on(struct build *build, const struct setting *setting)
{
	return take_architectures(build, setting, &build->predicate->stops_on);
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
	while (*(word = policy_word(&rest, ",", build->arena))) {
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
	while (*(word = policy_word(&rest, ",", build->arena))) {
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
	while (*(word = policy_word(&rest, ",", build->arena))) {
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
	while (*(version = policy_word(&rest, ",", build->arena))) {
		const char *symbol = policy_word(&rest, ",", build->arena);
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
	const char *version = policy_word(&rest, "", build->arena);
	const char *symbol = policy_word(&rest, "", build->arena);
	bool found = false;
	for (size_t i = 0; i < predicate->options.count; i++) {
		struct option *option = &predicate->options.items[i];
		if (*symbol && !str_equal(option->symbol, symbol))
			continue;
		*(added ? &option->added : &option->removed) = version;
		found = true;
	}
	for (size_t i = 0; added && *symbol && i < predicate->stronger.count; i++) {
		struct option *option = &predicate->stronger.items[i];
		if (!str_equal(option->symbol, symbol))
			continue;
		option->added = version;
		found = true;
	}
	if (!is_version(version) || !found || *policy_word(&rest, "", build->arena))
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
	while (*(word = policy_word(&rest, "", build->arena))) {
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
	override->symbol = policy_word(&rest, "", build->arena);
	const char *what = policy_word(&rest, "", build->arena);
	override->name = policy_word(&rest, "", build->arena);
	override->parameter = str_equal(what, "parameter");
	bool ours = false;
	for (size_t i = 0; i < build->predicate->options.count; i++)
		ours = ours || str_equal(build->predicate->options.items[i].symbol, override->symbol);
	if (!ours || !*override->name || *policy_word(&rest, "", build->arena) ||
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
	while (*(word = policy_word(&rest, ",", build->arena))) {
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
	static const char *const names[] = { "note", "judge", "only" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_equal(setting->value, names[i])) {
			build->predicate->effective = (enum effective)i;
			return true;
		}
	return COMPLAIN(build, setting, "Effective=%.40s means nothing; write note, judge or only",
	                setting->value);
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

static bool take_live_argument(struct build *build, const struct setting *setting, const char *word)
{
	const struct live_check *live = build->predicate->live;
	size_t length = strcspn(word, "=");
	const char *key = arena_string(build->arena, span_of(word, length));
	const char *value = word[length] ? word + length + 1 : "";
	uint64_t number;
	if (!words_have(live->required, key) && !words_have(live->optional, key))
		return COMPLAIN(build, setting, "Live=%s takes %s%s%s, not \"%.40s\"", live->name,
		                live->required, *live->optional ? " " : "", live->optional, word);
	if (!*value || live_argument(build->predicate, key) ||
	    (words_have("count version irq", key) && !str_to_u64(value, &number)))
		return COMPLAIN(build, setting, "\"%.40s\" is no value for Live=%s; write %s=VALUE, once",
		                word, live->name, key);
	*LIST_ADD(build->arena, &build->predicate->live_arguments) =
		(struct live_argument){ .key = key, .value = value };
	return true;
}

static bool take_live(struct build *build, const struct setting *setting)
{
	const char *rest = setting->value, *word = policy_word(&rest, "", build->arena);
	build->predicate->live = live_find(word);
	if (!build->predicate->live)
		return COMPLAIN(build, setting,
		                "there is no live check \"%.80s\"; slipway-policy(5) lists them", word);
	while (*(word = policy_word(&rest, "", build->arena)))
		if (!take_live_argument(build, setting, word))
			return false;
	const char *keys = build->predicate->live->required;
	while (*(word = policy_word(&keys, "", build->arena)))
		if (!live_argument(build->predicate, word))
			return COMPLAIN(build, setting, "Live=%s wants %s=VALUE as well",
			                build->predicate->live->name, word);
	return true;
}

static bool take_not_live(struct build *build, const struct setting *setting)
{
	build->predicate->not_live = setting->value;
	return true;
}

/* In the order in which they are taken: a later one may look at what an earlier one set. */
const struct key predicate_keys[] = {
	{ "Decides", FOR_ALL, take_decides },
	{ "StopsOn", FOR_ALL, take_stops_on },
	{ "ProvedBy", FOR_ALL, take_proved_by },
	{ "Arch", FOR_ALL, take_arch },
	{ "Elsewhere", FOR_ALL, take_elsewhere },
	{ "Why", FOR_ALL, take_why },
	{ "History", FOR_ALL, take_history },
	{ "Wanted", FOR_ALL, take_wanted },
	{ "Want", FOR_KCONFIG | FOR_SYSCTL | FOR_OBSERVE, take_want },
	{ "Kconfig", FOR_KCONFIG, take_kconfig },
	{ "Since", FOR_KCONFIG, take_since },
	{ "Stronger", FOR_KCONFIG, take_stronger },
	{ "Added", FOR_KCONFIG, take_added },
	{ "Removed", FOR_KCONFIG, take_removed },
	{ "Module", FOR_KCONFIG, take_module },
	{ "ModuleFrom", FOR_KCONFIG, take_module_from },
	{ "OnlyWith", FOR_KCONFIG, take_only_with },
	{ "Lsm", FOR_KCONFIG, take_lsm },
	{ "DefeatedBy", FOR_KCONFIG, take_defeated_by },
	{ "OverriddenBy", FOR_KCONFIG, take_overridden_by },
	{ "Sysctl", FOR_SYSCTL, take_sysctl },
	{ "Observe", FOR_OBSERVE, take_observe },
	{ "Accept", FOR_SYSCTL | FOR_OBSERVE, take_accept },
	{ "Effective", FOR_SYSCTL, take_effective },
	{ "Check", FOR_CHECK, take_check },
	{ "Live", FOR_ALL, take_live },
	{ "NotLive", FOR_ALL, take_not_live },
	{ "Ran", FOR_ALL, take_ran },
	{ "RanPass", FOR_ALL, take_ran_pass },
	{ "Symptom", FOR_ALL, take_symptom },
	{ NULL, 0, NULL },
};
