// Time: who sets the clock, from where, and the zone.
//
// Sources: chrony.conf(5), ntp.conf(5), timesyncd.conf(5), localtime(5), tzfile(5).
#include <string.h>

#include "os/guest.h"

#define INCLUDES_MOST 16 /* depth of files that include files */
#define SERVERS_MOST  4096

/* Servers of one client, and the lines that name them. */
struct servers {
	const struct guest *guest;
	struct observation *out;
	struct text list;
};

static void add_server(struct servers *servers, const struct file_lines *file, struct span line,
                       struct span name)
{
	if (servers->list.size < SERVERS_MOST)
		guest_add_word(&servers->list, name);
	guest_evidence(servers->guest, servers->out, file_lines_place(file, line, servers->guest->arena));
}

/* The files that a directive of chrony or ntpd brings in. */
static struct names included(const struct guest *guest, struct span directive, const char *argument)
{
	const char *const directories[] = { argument, NULL };
	if (span_equal_word(directive, "confdir"))
		return guest_drop_ins(guest, directories, ".conf");
	if (span_equal_word(directive, "sourcedir"))
		return guest_drop_ins(guest, directories, ".sources");
	if (span_equal_word(directive, "include") || span_equal_word(directive, "includefile"))
		return guest_glob(guest, argument);
	return (struct names){ 0 };
}

/* The configuration of chrony or ntpd: "server NAME options" and what brings in more files. */
static void read_ntp_file(struct servers *servers, const char *path, unsigned depth)
{
	const struct guest *guest = servers->guest;
	struct file_lines file = guest_open(guest, path);
	struct span line, word, argument;
	while (file_lines_next(&file, &line)) {
		struct span rest = line;
		if (strchr("#!;%", line.data[0]) || !next_word(&rest, NULL, &word))
			continue;
		bool server = span_equal_word(word, "server") || span_equal_word(word, "pool") ||
		              span_equal_word(word, "peer");
		bool read_on = true;
		while (read_on && next_word(&rest, NULL, &argument)) {
			/* ntpd has options in front of the name, chrony several directories for one word. */
			read_on = server ? argument.data[0] == '-' : span_equal_word(word, "confdir");
			if (server && !read_on)
				add_server(servers, &file, line, argument);
			if (server || depth == 0)
				continue;
			struct names more = included(guest, word, arena_string(guest->arena, argument));
			for (size_t i = 0; i < more.count; i++)
				read_ntp_file(servers, more.items[i], depth - 1);
		}
	}
}

/* NTP= of timesyncd.conf and its drop-ins: lists add up, an empty one starts anew. */
static bool read_timesyncd(struct servers *servers)
{
	static const char *const directories[] = { "/etc/systemd/timesyncd.conf.d",
		                                   "/run/systemd/timesyncd.conf.d",
		                                   "/usr/local/lib/systemd/timesyncd.conf.d",
		                                   "/usr/lib/systemd/timesyncd.conf.d", NULL };
	const struct guest *guest = servers->guest;
	struct names paths = guest_drop_ins(guest, directories, ".conf");
	for (size_t i = 0; i <= paths.count; i++) {
		const char *path = i ? paths.items[i - 1] : "/etc/systemd/timesyncd.conf";
		struct file_lines file = guest_open(guest, path);
		struct span line, key, value, word;
		while (file_lines_next(&file, &line)) {
			if (!guest_assignment(line, &key, &value) || !span_equal_text(key, "NTP"))
				continue;
			if (value.size == 0) {
				text_clear(&servers->list);
				servers->out->places.count = 0;
			}
			while (next_word(&value, NULL, &word))
				add_server(servers, &file, line, word);
		}
	}
	return servers->list.size > 0;
}

static void report_servers(struct servers *servers, const char *client)
{
	const struct guest *guest = servers->guest;
	servers->out->by = client;
	if (servers->list.size > 0)
		guest_say(servers->out, ANSWER_YES, arena_strdup(guest->arena, text_get(&servers->list)),
		          arena_printf(guest->arena, "%s is installed", client));
	else
		guest_say(servers->out, ANSWER_YES, "no server",
		          arena_printf(guest->arena, "%s is installed, but no server is configured", client));
	text_free(&servers->list);
}

static void observe_timesyncd(struct servers *servers)
{
	const struct guest *guest = servers->guest;
	struct place place;
	if (read_timesyncd(servers)) {
		report_servers(servers, "systemd-timesyncd");
		return;
	}
	text_free(&servers->list);
	servers->out->by = "systemd-timesyncd";
	if (guest_unit_enabled(guest, "systemd-networkd.service", &place))
		guest_say(servers->out, ANSWER_UNKNOWN, NULL,
		          "systemd-timesyncd has no NTP= and takes the servers that DHCP gives to "
		          "systemd-networkd");
	else
		guest_say(servers->out, ANSWER_YES, "the built-in fallback servers",
		          "systemd-timesyncd is enabled without NTP=");
}

void observe_ntp(const struct guest *guest, struct observation *out)
{
	static const char *const chrony[] = { "/usr/sbin/chronyd", "/sbin/chronyd", NULL };
	static const char *const chrony_files[] = { "/etc/chrony/chrony.conf", "/etc/chrony.conf", NULL };
	static const char *const ntpd[] = { "/usr/sbin/ntpd", "/sbin/ntpd", NULL };
	static const char *const ntpd_files[] = { "/etc/ntpsec/ntp.conf", "/etc/ntp.conf",
		                                  "/etc/openntpd/ntpd.conf", NULL };
	static const char *const timesyncd[] = { "/usr/lib/systemd/systemd-timesyncd",
		                                 "/lib/systemd/systemd-timesyncd", NULL };
	struct servers servers = { .guest = guest, .out = out };
	struct place place;
	if (guest_finds_any(guest, chrony, &place)) {
		const char *path = guest_finds_any(guest, chrony_files, NULL);
		if (path)
			read_ntp_file(&servers, path, INCLUDES_MOST);
		report_servers(&servers, "chrony");
	} else if (guest_finds_any(guest, ntpd, &place)) {
		const char *path = guest_finds_any(guest, ntpd_files, NULL);
		if (path)
			read_ntp_file(&servers, path, INCLUDES_MOST);
		report_servers(&servers, "ntpd");
	} else if (guest_finds_any(guest, timesyncd, &place) &&
	           (guest_unit_enabled(guest, "systemd-timesyncd.service", &place) ||
	            guest_finds(guest, "/etc/systemd/system/dbus-org.freedesktop.timesync1.service", NULL))) {
		observe_timesyncd(&servers);
	} else {
		guest_say(out, ANSWER_NO, NULL, "no time client is installed: chrony, ntpd, timesyncd");
		return;
	}
	if (out->places.count == 0)
		guest_evidence(guest, out, place);
}

/* The zone of a compiled file by its last line, the TZ string; NULL when that does not say UTC. */
static const char *zone_of_file(struct span content)
{
	struct span rest = content, line, last = { 0 };
	if (!span_has(content, 0, "TZif", 4))
		return NULL;
	while (span_next_line(&rest, &line))
		last = line;
	return span_equal_text(last, "UTC0") ? "UTC" : NULL;
}

static void observe_zone_file(const struct guest *guest, struct observation *out)
{
	struct error error = { 0 };
	struct span content, line;
	struct place place;
	if (!tree_load(guest->tree, "/etc/localtime", GUEST_FILE_MOST, guest->arena, &content, &place,
	               &error)) {
		if (error.code == ERROR_NOT_FOUND)
			guest_say(out, ANSWER_YES, "UTC", "/etc/localtime is missing, which means UTC");
		else
			guest_say(out, ANSWER_UNKNOWN, NULL, arena_strdup(guest->arena, error.message));
		return;
	}
	const char *zone = zone_of_file(content);
	guest_evidence(guest, out, place);
	if (zone) {
		guest_say(out, ANSWER_YES, zone, "/etc/localtime is a copy of that zone's file");
		return;
	}
	struct file_lines file = guest_open(guest, "/etc/timezone");
	if (file_lines_next(&file, &line)) {
		guest_evidence(guest, out, file_lines_place(&file, line, guest->arena));
		guest_say(out, ANSWER_YES, arena_string(guest->arena, line),
		          "/etc/localtime is a copy of a zone's file, and /etc/timezone names it");
		return;
	}
	guest_say(out, ANSWER_YES, "not UTC", "/etc/localtime is a copy of some zone's file");
}

void observe_timezone(const struct guest *guest, struct observation *out)
{
	static const char zones[] = "zoneinfo/";
	char target[TREE_PATH_MAX];
	if (!guest_read_link(guest, "/etc/localtime", target, sizeof(target))) {
		observe_zone_file(guest, out);
		return;
	}
	guest_evidence(
		guest, out,
		(struct place){ .path = "/etc/localtime", .text = arena_strdup(guest->arena, target) });
	const char *zone = strstr(target, zones);
	if (!guest_finds(guest, "/etc/localtime", NULL))
		guest_say(out, ANSWER_YES, "UTC",
		          "/etc/localtime names a zone that is not installed, which means UTC");
	else if (zone)
		guest_say(out, ANSWER_YES, arena_strdup(guest->arena, zone + strlen(zones)),
		          "/etc/localtime names it");
	else
		guest_say(out, ANSWER_UNKNOWN, NULL, "/etc/localtime leads outside the zone files");
}
