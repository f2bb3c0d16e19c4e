// What is installed and what is baked in: the guest environment, irqbalance, the machine's identity, a login
// on the serial console.
//
// Sources: machine-id(5), systemd-getty-generator(8), inittab(5).
#include <string.h>

#include "os/guest.h"

void observe_irqbalance(const struct guest *guest, struct observation *out)
{
	static const char *const programs[] = { "/usr/sbin/irqbalance", "/sbin/irqbalance",
		                                "/usr/bin/irqbalance", NULL };
	struct place place;
	if (guest_finds_any(guest, programs, &place)) {
		guest_evidence(guest, out, place);
		guest_say(out, ANSWER_YES, NULL, "irqbalance is installed");
	} else {
		guest_say(out, ANSWER_NO, NULL, "irqbalance is not installed");
	}
}

void observe_environment(const struct guest *guest, struct observation *out)
{
	static const char *const programs[] = { "/usr/bin/google_guest_agent",
		                                "/usr/bin/google_guest_agent_manager",
		                                "/usr/bin/google_metadata_script_runner",
		                                "/usr/bin/google_set_hostname",
		                                "/usr/bin/google_accounts_daemon" };
	struct text found = { 0 };
	bool agent = false;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct place place;
		if (!guest_finds(guest, programs[i], &place))
			continue;
		/* The scripts alone do not make accounts; the agent does, or its predecessor. */
		agent |= strstr(programs[i], "agent") || strstr(programs[i], "accounts");
		guest_add_word(&found, span_text(strrchr(programs[i], '/') + 1));
		guest_evidence(guest, out, place);
	}
	const char *value = found.size ? arena_strdup(guest->arena, text_get(&found)) : NULL;
	text_free(&found);
	if (agent)
		guest_say(out, ANSWER_YES, value, "the guest agent is installed");
	else
		guest_say(out, ANSWER_NO, value, "the guest agent is not installed");
}

/* 32 hexadecimal digits, not all of them 0. */
static bool is_machine_id(struct span text)
{
	if (text.size != 32)
		return false;
	bool zero = true;
	for (size_t i = 0; i < text.size; i++) {
		if (!text.data[i] || !strchr("0123456789abcdefABCDEF", text.data[i]))
			return false;
		zero &= text.data[i] == '0';
	}
	return !zero;
}

void observe_machine_id(const struct guest *guest, struct observation *out)
{
	/* An empty /etc/machine-id is filled from D-Bus's at the first boot. */
	static const char *const paths[] = { "/etc/machine-id", "/var/lib/dbus/machine-id" };
	guest_say(out, ANSWER_NO, NULL, "every machine gets its own at the first boot");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct file_lines file = guest_open(guest, paths[i]);
		struct span line = { 0 };
		bool some = file_lines_next(&file, &line);
		if (!some || !is_machine_id(line))
			continue;
		guest_evidence(guest, out, file_lines_place(&file, line, guest->arena));
		guest_say(out, ANSWER_YES, NULL,
		          arena_printf(guest->arena, "%s holds an id", file.place.path));
		return;
	}
}

/* A line on which the console of a virtual machine may be. */
static bool is_serial(struct span line)
{
	return span_has(line, 0, "ttyS", 4) || span_has(line, 0, "ttyAMA", 6) || span_has(line, 0, "hvc", 3);
}

/* Units of systemd that were enabled by hand: serial-getty@LINE.service or getty@LINE.service. */
static void add_enabled_gettys(const struct guest *guest, struct observation *out, struct text *lines)
{
	static const char *const ttys[] = { "ttyS0", "ttyS1", "ttyS2", "ttyS3", "ttyAMA0", "hvc0" };
	for (size_t i = 0; i < ARRAY_SIZE(ttys); i++) {
		const char *const units[] = { arena_printf(guest->arena, "serial-getty@%s.service", ttys[i]),
			                      arena_printf(guest->arena, "getty@%s.service", ttys[i]) };
		for (size_t j = 0; j < ARRAY_SIZE(units); j++) {
			struct place place;
			if (!guest_unit_enabled(guest, units[j], &place))
				continue;
			guest_add_word(lines, span_text(ttys[i]));
			guest_evidence(guest, out, place);
		}
	}
}

/* systemd.getty_auto= came with systemd 250: a program that knows the word holds it. */
#define GETTY_AUTO     "systemd.getty_auto"
#define GENERATOR_MOST ((size_t)1 << 20)

static const char *known_word(const struct guest *guest, const char *program)
{
	struct error error = { 0 };
	struct span content;
	bool loaded = tree_load(guest->tree, program, GENERATOR_MOST, guest->arena, &content, NULL, &error);
	/* What is too large to look through is new. */
	return !loaded || span_find(content, 0, GETTY_AUTO, sizeof(GETTY_AUTO) - 1) != SIZE_MAX ? GETTY_AUTO
	                                                                                        : NULL;
}

/* The generator starts a login on every console that the kernel's command line names, unless it is masked. */
static void observe_systemd_getty(const struct guest *guest, struct observation *out)
{
	static const char *const generator[] = { "/usr/lib/systemd/system-generators/systemd-getty-generator",
		                                 "/lib/systemd/system-generators/systemd-getty-generator",
		                                 NULL };
	static const char disabled[] = "/etc/systemd/system-generators/systemd-getty-generator";
	char target[TREE_PATH_MAX];
	struct text lines = { 0 };
	struct place place = { 0 }, masked = { 0 };
	add_enabled_gettys(guest, out, &lines);
	bool no_template = guest_unit_masked(guest, "serial-getty@.service", &masked) ||
	                   guest_unit_masked(guest, "serial-getty@ttyS0.service", &masked);
	bool off = guest_read_link(guest, disabled, target, sizeof(target)) && str_equal(target, "/dev/null");
	bool generates = !off && guest_finds_any(guest, generator, &place);
	if (no_template) {
		out->places.count = 0;
		guest_evidence(guest, out, masked);
		guest_say(out, ANSWER_NO, NULL, arena_printf(guest->arena, "%s is masked", masked.path));
	} else if (generates) {
		place.text = known_word(guest, place.path);
		guest_evidence(guest, out, place);
		guest_add_word(&lines, span_text("console"));
		guest_say(out, ANSWER_YES, arena_strdup(guest->arena, text_get(&lines)),
		          "systemd starts a login on every serial console that the kernel's command line "
		          "names");
	} else if (lines.size > 0) {
		guest_say(out, ANSWER_YES, arena_strdup(guest->arena, text_get(&lines)),
		          "a getty is enabled");
	} else {
		guest_say(out, ANSWER_NO, NULL,
		          off ? "systemd-getty-generator is masked and no getty is enabled"
		              : "no getty is enabled on a serial line");
	}
	text_free(&lines);
}

/* "id:levels:respawn:/sbin/getty -L ttyS0 ..." of sysvinit and "ttyS0::respawn:..." of busybox. */
static void observe_inittab(const struct guest *guest, struct observation *out)
{
	struct file_lines file = guest_open(guest, "/etc/inittab");
	struct text lines = { 0 };
	struct span line, word;
	while (file_lines_next(&file, &line)) {
		struct span rest = line;
		if (line.data[0] == '#' || span_find(line, 0, "getty", 5) == SIZE_MAX)
			continue;
		while (next_word(&rest, ":/", &word)) {
			if (!is_serial(word))
				continue;
			guest_add_word(&lines, word);
			guest_evidence(guest, out, file_lines_place(&file, line, guest->arena));
			break;
		}
	}
	if (lines.size > 0)
		guest_say(out, ANSWER_YES, arena_strdup(guest->arena, text_get(&lines)),
		          "/etc/inittab starts a getty there");
	else
		guest_say(out, file.present == ANSWER_YES ? ANSWER_NO : ANSWER_UNKNOWN, NULL,
		          file.present == ANSWER_YES ? "/etc/inittab starts no getty on a serial line"
		                                     : "the init is not known, and there is no /etc/inittab");
	text_free(&lines);
}

void observe_serial_getty(const struct guest *guest, struct observation *out)
{
	if (str_equal(guest->os->init, "systemd"))
		observe_systemd_getty(guest, out);
	else
		observe_inittab(guest, out);
}
