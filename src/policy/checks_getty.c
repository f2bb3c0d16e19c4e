// A login on the serial console: who starts it, and what the kernel's command line says on that.
//
// systemd starts one for each unit that is enabled, and its generator one more for each serial console of the
// kernel. Words of the command line take them away again or add one, see systemd-debug-generator(8),
// systemd-getty-generator(8) and systemd(1); those with "rd." in front are for an initramfs alone.
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/command_line.h"
#include "policy/fix.h"

/* What is known of the image's logins on the port. */
struct getty {
	const struct context *context;
	const struct observation *seen;
	const char *serial; /* "ttyS0" */
	const char *unit;   /* "serial-getty@ttyS0.service" */
	const char *word;   /* of the command line, which stops it; NULL */
};

static const struct observation *find_getty(const struct facts *facts)
{
	for (size_t i = 0; i < facts->observations.items.count; i++)
		if (str_equal(facts->observations.items.items[i].name, "guest.serial-getty"))
			return &facts->observations.items.items[i];
	return NULL;
}

/* Is `word` one of several with blanks between? */
static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; at && *at; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == length && strncmp(at, word, length) == 0)
			return true;
	return false;
}

/* Does a word NAME=UNIT name the unit? systemd puts ".service" behind a name without its kind. */
static bool names_unit(struct getty *getty, const char *name, const char *unit)
{
	const char *value;
	for (size_t n = 0; (value = command_line_value(getty->context, name, n)); n++) {
		size_t length = strlen(value);
		if (strncmp(value, unit, length) != 0 ||
		    (unit[length] && !str_equal(unit + length, ".service")))
			continue;
		getty->word = arena_printf(getty->context->arena, "%s=%s", name, value);
		return true;
	}
	return false;
}

/* The target that the command line names; NULL: the image's own. */
static const char *named_target(const struct getty *getty)
{
	static const char *const words[][2] = {
		{ "emergency", "emergency.target" },
		{ "-b", "emergency.target" },
		{ "rescue", "rescue.target" },
		{ "single", "rescue.target" },
		{ "s", "rescue.target" },
		{ "S", "rescue.target" },
		{ "1", "rescue.target" },
	};
	const char *unit = command_line_last(getty->context, "systemd.unit");
	for (size_t i = 0; (!unit || !*unit) && i < ARRAY_SIZE(words); i++)
		if (str_equal(command_line_last(getty->context, words[i][0]), ""))
			unit = words[i][1];
	return unit && *unit ? unit : NULL;
}

/* Does the command line have systemd start something else than the system with its logins? */
static bool starts_otherwise(const struct getty *getty, struct outcome *outcome)
{
	static const char *const usual[] = { "default.target",   "multi-user.target", "graphical.target",
		                             "runlevel2.target", "runlevel3.target",  "runlevel4.target",
		                             "runlevel5.target" };
	static const char *const bare[] = { "emergency.target", "rescue.target", "runlevel1.target" };
	const char *target = named_target(getty);
	if (!target)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (str_equal(target, usual[i]))
			return false;
	bool without = false;
	for (size_t i = 0; i < ARRAY_SIZE(bare); i++)
		without |= str_equal(target, bare[i]);
	outcome_set(getty->context, outcome, without ? VERDICT_FAIL : VERDICT_UNKNOWN,
	            without ? "the command line has systemd start %s, which has no login on %s"
	                    : "the command line has systemd start %s: whether that has a login on %s is not "
	                      "known",
	            target, getty->serial);
	outcome_evidence(getty->context, outcome, &getty->context->command_line_place);
	return true;
}

/* The value of systemd.getty_auto=, as far as it is about consoles. The last one that systemd can read
 * counts. */
static enum answer generates(const char *value)
{
	static const char *const yes[] = { "", "1", "yes", "y", "true", "t", "on" };
	static const char *const no[] = { "0", "no", "n", "false", "f", "off" };
	static const char *const sources[] = { "credential", "container", "builtin" };
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (strcasecmp(value, yes[i]) == 0)
			return ANSWER_YES;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (strcasecmp(value, no[i]) == 0)
			return ANSWER_NO;
	/* Lists came with systemd 258; an older one ignores them, and starts all. */
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (list_has(value, sources[i]) && !list_has(value, "console"))
			return ANSWER_UNKNOWN;
	return ANSWER_YES;
}

/* Does this systemd know the word? It is in the generator's program from systemd 250 on. */
static bool knows_getty_auto(const struct getty *getty)
{
	for (size_t i = 0; i < getty->seen->places.count; i++)
		if (str_equal(getty->seen->places.items[i].text, "systemd.getty_auto"))
			return true;
	return false;
}

/* NO: the generator is told to leave consoles alone. */
static enum answer may_generate(struct getty *getty)
{
	const char *last = command_line_last(getty->context, "systemd.getty_auto");
	/* What the kernel does not know it hands to init as a variable, unless an initramfs drops it. */
	const char *variable = command_line_last(getty->context, "SYSTEMD_GETTY_AUTO");
	if (!knows_getty_auto(getty))
		return ANSWER_YES;
	enum answer may = last ? generates(last) : ANSWER_YES;
	if (may != ANSWER_YES)
		getty->word = arena_printf(getty->context->arena, "systemd.getty_auto=%s", last);
	if (variable && generates(variable) != may) {
		getty->word = arena_printf(getty->context->arena, "SYSTEMD_GETTY_AUTO=%s", variable);
		may = ANSWER_UNKNOWN;
	}
	return may;
}

/* A getty on every serial console that the command line names: is the right one among them? */
static void judge_generated(struct getty *getty, struct outcome *outcome)
{
	const struct context *context = getty->context;
	const char *serial = getty->serial, *value;
	if (!context->command_line) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "systemd starts a getty on the consoles of the command line, which is not known");
		return;
	}
	outcome_evidence(context, outcome, &context->command_line_place);
	for (size_t n = 0; (value = command_line_value(context, "console", n)); n++) {
		if (!str_equal(console_device(context, value), serial))
			continue;
		enum answer may = may_generate(getty);
		outcome->finding.found = may == ANSWER_NO ? "none" : serial;
		if (may == ANSWER_YES)
			outcome_set(context, outcome, VERDICT_PASS, "systemd starts a getty on console=%s",
			            value);
		else if (may == ANSWER_NO)
			outcome_set(context, outcome, VERDICT_FAIL,
			            "the command line has %s: systemd starts no getty on console=%s",
			            getty->word, value);
		else
			outcome_set(context, outcome, VERDICT_UNKNOWN,
			            "the command line has %s, which not every systemd takes for an order to "
			            "start no getty on console=%s",
			            getty->word, value);
		return;
	}
	outcome_set(context, outcome, VERDICT_FAIL,
	            "no getty is enabled on %s, and the command line has no console=%s", serial, serial);
}

/* Is one enabled that the command line does not mask? serial-getty@ is what the units are called mostly. */
static bool is_enabled(struct getty *getty, bool masked)
{
	const char *other = arena_printf(getty->context->arena, "getty@%s.service", getty->serial);
	if (!has_word(getty->seen->value, getty->serial))
		return false;
	if (!masked)
		return true;
	for (size_t i = 0; i < getty->seen->places.count; i++) {
		const char *path = getty->seen->places.items[i].path;
		const char *name = path ? strrchr(path, '/') : NULL;
		if (name && str_equal(name + 1, other))
			return !names_unit(getty, "systemd.mask", other) &&
			       !names_unit(getty, "systemd.mask", "getty@.service");
	}
	return false;
}

static void judge_masked(const struct getty *getty, struct outcome *outcome)
{
	outcome->finding.found = "none";
	outcome_set(getty->context, outcome, VERDICT_FAIL, "the command line has %s: no getty starts on %s",
	            getty->word, getty->serial);
	outcome_evidence(getty->context, outcome, &getty->context->command_line_place);
}

/* Unmasking what is not masked does no harm; elsewhere init itself starts it. */
static const char *getty_fix(const struct getty *getty)
{
	const struct context *context = getty->context;
	const char *init = context->facts->os.init, *serial = getty->serial;
	if (str_equal(init, "sysvinit"))
		return arena_printf(context->arena,
		                    "echo 'S0:2345:respawn:/sbin/getty -L 38400 %s vt100' >> /etc/inittab",
		                    serial);
	if (str_equal(init, "openrc") || str_equal(init, "busybox"))
		return arena_printf(context->arena,
		                    "echo '%s::respawn:/sbin/getty -L 38400 %s vt100' >> /etc/inittab",
		                    serial, serial);
	if (getty->word)
		return fix_command_line(context, getty->word, NULL);
	return arena_printf(context->arena,
	                    "systemctl unmask serial-getty@.service serial-getty@%s.service && "
	                    "systemctl enable serial-getty@%s.service",
	                    serial, serial);
}

/* The words of the command line that are systemd's. False: none of them decides it. */
static bool judge_words(struct getty *getty, struct outcome *outcome)
{
	const struct observation *seen = getty->seen;
	if (starts_otherwise(getty, outcome))
		return true;
	bool off_in_image = seen->state == ANSWER_NO && seen->places.count > 0;
	bool masked = names_unit(getty, "systemd.mask", getty->unit) ||
	              names_unit(getty, "systemd.mask", "serial-getty@.service");
	if (!masked && !off_in_image && names_unit(getty, "systemd.wants", getty->unit)) {
		outcome->finding.found = getty->serial;
		outcome_set(getty->context, outcome, VERDICT_PASS,
		            "the command line has %s, which starts a getty on %s", getty->word,
		            getty->serial);
		outcome_evidence(getty->context, outcome, &getty->context->command_line_place);
		return true;
	}
	/* What takes no login away is no reason for its absence. */
	if (seen->state == ANSWER_NO)
		return false;
	if (names_unit(getty, "systemd.mask", "getty.target") || (masked && !is_enabled(getty, masked))) {
		judge_masked(getty, outcome);
		return true;
	}
	getty->word = NULL;
	return false;
}

void check_serial_getty(const struct context *context, struct outcome *outcome)
{
	struct getty getty = { .context = context,
		               .seen = find_getty(context->facts),
		               .serial = serial_device(context) };
	const struct observation *seen = getty.seen;
	getty.unit = arena_printf(context->arena, "serial-getty@%s.service", getty.serial);
	if (!seen || seen->state == ANSWER_UNKNOWN) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "whether a getty runs on %s is not known%s%s",
		            getty.serial, seen && seen->reason ? ": " : "",
		            seen && seen->reason ? seen->reason : "");
		return;
	}
	for (size_t i = 0; i < seen->places.count; i++)
		outcome_evidence(context, outcome, &seen->places.items[i]);
	outcome->finding.found = seen->state == ANSWER_YES && seen->value ? seen->value : "none";
	if (str_equal(context->facts->os.init, "systemd") && judge_words(&getty, outcome)) {
		/* That was all. */
	} else if (seen->state == ANSWER_NO) {
		outcome_set(context, outcome, VERDICT_FAIL, "%s",
		            seen->reason ? seen->reason : "no getty is enabled");
	} else if (has_word(seen->value, getty.serial)) {
		outcome_set(context, outcome, VERDICT_PASS, "a getty is enabled on %s", getty.serial);
	} else if (has_word(seen->value, "console")) {
		judge_generated(&getty, outcome);
	} else {
		outcome_set(context, outcome, VERDICT_FAIL, "no getty is enabled on %s", getty.serial);
	}
	if (outcome->finding.verdict == VERDICT_FAIL)
		outcome->finding.fix = getty_fix(&getty);
}
