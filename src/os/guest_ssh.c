// SSH: may root log in with a password, and are there host keys that every machine would share?
//
// Source: sshd_config(5): of each keyword the first value counts; Include stands for the files' lines; what
// follows Match holds for some connections only, up to the end of that file. Defaults are those of
// OpenSSH 7.0 and later.
#include <string.h>

#include "os/guest.h"

#define INCLUDE_DEPTH 16 /* OpenSSH's own limit */

enum setting {
	SETTING_ROOT_LOGIN,
	SETTING_PASSWORD,
	SETTING_INTERACTIVE,
	SETTING_EMPTY,
	SETTING_COUNT,
};

static const struct {
	const char *keyword;
	enum setting setting;
} keywords[] = {
	{ "PermitRootLogin", SETTING_ROOT_LOGIN },
	{ "PasswordAuthentication", SETTING_PASSWORD },
	{ "KbdInteractiveAuthentication", SETTING_INTERACTIVE },
	{ "ChallengeResponseAuthentication", SETTING_INTERACTIVE },
	{ "PermitEmptyPasswords", SETTING_EMPTY },
};

struct sshd {
	const struct guest *guest;
	const char *values[SETTING_COUNT]; /* NULL: not set */
	struct place places[SETTING_COUNT];
	/* A Match block says yes, for some connections. */
	bool conditional[SETTING_COUNT];
	struct place conditional_places[SETTING_COUNT];
};

static void take(struct sshd *sshd, const struct file_lines *file, struct span line, struct span keyword,
                 struct span value, bool matching)
{
	const struct guest *guest = sshd->guest;
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		enum setting setting = keywords[i].setting;
		if (!span_equal_word(keyword, keywords[i].keyword))
			continue;
		if (matching && span_equal_word(value, "yes")) {
			sshd->conditional[setting] = true;
			sshd->conditional_places[setting] = file_lines_place(file, line, guest->arena);
		} else if (!matching && !sshd->values[setting]) {
			sshd->values[setting] = arena_string(guest->arena, value);
			sshd->places[setting] = file_lines_place(file, line, guest->arena);
		}
	}
}

static void read_sshd_config(struct sshd *sshd, const char *path, bool matching, unsigned depth)
{
	const struct guest *guest = sshd->guest;
	struct file_lines file = guest_open(guest, path);
	struct span line, keyword, value;
	while (file_lines_next(&file, &line)) {
		struct span rest = line;
		if (line.data[0] == '#' || !next_word(&rest, "=\"", &keyword))
			continue;
		while (next_word(&rest, "=\"", &value)) {
			if (span_equal_word(keyword, "Match")) {
				matching = !span_equal_word(value, "all");
				break;
			}
			if (!span_equal_word(keyword, "Include")) {
				take(sshd, &file, line, keyword, value, matching);
				break;
			}
			const char *pattern = arena_string(guest->arena, value);
			if (pattern[0] != '/')
				pattern = arena_printf(guest->arena, "/etc/ssh/%s", pattern);
			struct names more = guest_glob(guest, pattern);
			for (size_t i = 0; depth > 0 && i < more.count; i++)
				read_sshd_config(sshd, more.items[i], matching, depth - 1);
		}
	}
}

/* Has root no password that could be typed? UNKNOWN when shadow cannot be read. */
static enum answer root_locked(const struct sshd *sshd, struct place *place)
{
	const struct guest *guest = sshd->guest;
	const char *empty = sshd->values[SETTING_EMPTY];
	bool takes_empty =
		(empty && span_equal_word(span_text(empty), "yes")) || sshd->conditional[SETTING_EMPTY];
	struct file_lines file = guest_open(guest, "/etc/shadow");
	struct span line;
	while (file_lines_next(&file, &line)) {
		if (!span_has(line, 0, "root:", 5))
			continue;
		/* The text would be a password's hash: evidence names the line alone. */
		*place = file_lines_place(&file, span_text("root:"), guest->arena);
		if (line.size == 5 || line.data[5] == ':')
			return takes_empty ? ANSWER_NO : ANSWER_YES;
		return line.data[5] == '*' || line.data[5] == '!' ? ANSWER_YES : ANSWER_NO;
	}
	return ANSWER_UNKNOWN;
}

static bool is_no(const char *value)
{
	return value && span_equal_word(span_text(value), "no");
}

static void judge_root(const struct sshd *sshd, struct observation *out)
{
	const struct guest *guest = sshd->guest;
	const char *login = sshd->values[SETTING_ROOT_LOGIN];
	struct place shadow = { 0 };
	if (login)
		guest_evidence(guest, out, sshd->places[SETTING_ROOT_LOGIN]);
	else
		login = "prohibit-password";
	bool yes = span_equal_word(span_text(login), "yes");
	if (sshd->conditional[SETTING_ROOT_LOGIN] && !yes) {
		guest_evidence(guest, out, sshd->conditional_places[SETTING_ROOT_LOGIN]);
		guest_say(out, ANSWER_UNKNOWN, login, "a Match block permits root to log in");
		return;
	}
	if (!yes) {
		guest_say(out, ANSWER_NO, login,
		          sshd->values[SETTING_ROOT_LOGIN]
		                  ? arena_printf(guest->arena, "PermitRootLogin %s", login)
		                  : "PermitRootLogin is not set, which means prohibit-password");
		return;
	}
	if (is_no(sshd->values[SETTING_PASSWORD]) && is_no(sshd->values[SETTING_INTERACTIVE])) {
		guest_evidence(guest, out, sshd->places[SETTING_PASSWORD]);
		for (size_t i = SETTING_PASSWORD; i <= SETTING_INTERACTIVE; i++) {
			if (!sshd->conditional[i])
				continue;
			guest_evidence(guest, out, sshd->conditional_places[i]);
			guest_say(out, ANSWER_UNKNOWN, login,
			          "PermitRootLogin yes, and a Match block permits passwords");
			return;
		}
		guest_say(out, ANSWER_NO, login, "PermitRootLogin yes, but nobody logs in by password");
		return;
	}
	enum answer locked = root_locked(sshd, &shadow);
	if (shadow.path)
		guest_evidence(guest, out, shadow);
	if (locked == ANSWER_YES)
		guest_say(out, ANSWER_NO, login, "PermitRootLogin yes, but root has no password");
	else
		guest_say(out, ANSWER_YES, login, "PermitRootLogin yes");
}

void observe_root_ssh(const struct guest *guest, struct observation *out)
{
	static const char *const programs[] = { "/usr/sbin/sshd", "/sbin/sshd", "/usr/bin/sshd", NULL };
	static const char *const dropbear[] = { "/usr/sbin/dropbear", "/sbin/dropbear", NULL };
	static const char *const files[] = { "/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config",
		                             "/usr/share/openssh/sshd_config", NULL };
	struct sshd sshd = { .guest = guest };
	struct place place;
	if (guest_finds_any(guest, dropbear, &place)) {
		guest_evidence(guest, out, place);
		guest_say(out, ANSWER_UNKNOWN, NULL,
		          "dropbear is installed: its options are on its command line");
		return;
	}
	if (!guest_finds_any(guest, programs, &place)) {
		guest_say(out, ANSWER_NO, NULL, "no SSH server is installed");
		return;
	}
	const char *path = guest_finds_any(guest, files, NULL);
	if (path)
		read_sshd_config(&sshd, path, false, INCLUDE_DEPTH);
	judge_root(&sshd, out);
	if (out->places.count == 0)
		guest_evidence(guest, out, place);
}

void observe_host_keys(const struct guest *guest, struct observation *out)
{
	struct names paths = guest_glob(guest, "/etc/ssh/ssh_host_*_key");
	unsigned keys = 0;
	for (size_t i = 0; i < paths.count; i++) {
		struct tree_file file;
		struct error error = { 0 };
		if (!tree_lookup(guest->tree, paths.items[i], &file, &error) || file.node.type != NODE_FILE ||
		    file.node.size == 0)
			continue;
		keys++;
		guest_evidence(guest, out, tree_place(&file, 0, NULL, guest->arena));
	}
	if (keys > 0)
		guest_say(out, ANSWER_YES, arena_printf(guest->arena, "%u", keys),
		          "private SSH host keys are in the image");
	else
		guest_say(out, ANSWER_NO, NULL, "no private SSH host key is in the image");
}
