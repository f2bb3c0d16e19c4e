// The network: who configures the first interface, rules that bind names to cards, and firewalls.
//
// Sources: interfaces(5), systemd.network(5), netplan(5), NetworkManager.conf(5), nm-settings-keyfile(5),
// ifcfg(5), udev(7).
#include <string.h>

#include "os/guest.h"

/* Names that the first interface may have: predictable ones on the platform's PCI slots, and the kernel's. */
static const char *const first_interfaces[] = { "ens4", "eth0", "enp0s4", "ens3", "enp0s3" };

static bool names_first_interface(struct span word)
{
	char pattern[64];
	if (word.size == 0 || word.size >= sizeof(pattern))
		return false;
	memcpy(pattern, word.data, word.size);
	pattern[word.size] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(first_interfaces); i++)
		if (str_glob(pattern, first_interfaces[i], false))
			return true;
	return false;
}

static bool is_yes(struct span word)
{
	return span_equal_word(word, "yes") || span_equal_word(word, "true") || span_equal_word(word, "1") ||
	       span_equal_word(word, "on");
}

static const char *const network_directories[] = { "/etc/systemd/network", "/run/systemd/network",
	                                           "/usr/local/lib/systemd/network",
	                                           "/usr/lib/systemd/network", NULL };

/* What one .network file of systemd-networkd says of the first interface. */
struct network_file {
	bool by_name, named; /* is there a Name=, and does it name the interface? */
	bool is_ether;
	bool dhcp, mtu;
	struct place dhcp_place;
};

static void read_network_file(const struct guest *guest, const char *path, struct network_file *out)
{
	struct file_lines file = guest_open(guest, path);
	struct span line, key, value, word, section = { 0 };
	while (file_lines_next(&file, &line)) {
		if (line.data[0] == '[')
			section = line;
		if (!guest_assignment(line, &key, &value))
			continue;
		if (span_equal_text(section, "[Match]")) {
			bool by_name = span_equal_text(key, "Name");
			out->is_ether |= span_equal_text(key, "Type") && span_equal_text(value, "ether");
			out->by_name |= by_name;
			bool others = by_name && value.size > 0 && value.data[0] == '!';
			bool named = false;
			value = span_from(value, others);
			while (by_name && next_word(&value, NULL, &word))
				named |= names_first_interface(word);
			out->named |= by_name && named != others;
		}
		if (span_equal_text(section, "[Network]") && span_equal_text(key, "DHCP")) {
			out->dhcp = is_yes(value) || span_equal_word(value, "ipv4") ||
			            span_equal_word(value, "v4") || span_equal_word(value, "both");
			out->dhcp_place = file_lines_place(&file, line, guest->arena);
		}
		if ((span_equal_text(section, "[DHCPv4]") || span_equal_text(section, "[DHCP]")) &&
		    span_equal_text(key, "UseMTU"))
			out->mtu = is_yes(value);
		if (span_equal_text(section, "[Link]") && span_equal_text(key, "MTUBytes"))
			out->mtu = span_equal_text(value, "1460");
	}
}

/* Drop-ins of a file come behind it, in the order of their names. */
static void read_network_drop_ins(const struct guest *guest, const char *path, struct network_file *out)
{
	const char *directories[ARRAY_SIZE(network_directories)] = { NULL };
	const char *name = strrchr(path, '/') + 1;
	for (size_t i = 0; network_directories[i]; i++)
		directories[i] = arena_printf(guest->arena, "%s/%s.d", network_directories[i], name);
	struct names paths = guest_drop_ins(guest, directories, ".conf");
	for (size_t i = 0; i < paths.count; i++)
		read_network_file(guest, paths.items[i], out);
}

/* True when systemd-networkd configures the first interface: the first file that matches it counts. */
static bool observe_networkd(const struct guest *guest, struct observation *out)
{
	struct place enabled;
	if (!guest_unit_enabled(guest, "systemd-networkd.service", &enabled))
		return false;
	struct names paths = guest_drop_ins(guest, network_directories, ".network");
	for (size_t i = 0; i < paths.count; i++) {
		struct network_file file = { 0 };
		read_network_file(guest, paths.items[i], &file);
		read_network_drop_ins(guest, paths.items[i], &file);
		if (file.by_name ? !file.named : !file.is_ether)
			continue;
		guest_evidence(guest, out,
		               file.dhcp_place.path ? file.dhcp_place
		                                    : (struct place){ .path = paths.items[i] });
		if (!file.dhcp)
			guest_say(out, ANSWER_NO, "networkd",
			          "systemd-networkd configures the interface without DHCP");
		else if (!file.mtu)
			guest_say(out, ANSWER_NO, "networkd",
			          "systemd-networkd takes the address by DHCP, but not the MTU: UseMTU=yes "
			          "is missing in [DHCPv4]");
		else
			guest_say(out, ANSWER_YES, "networkd",
			          "systemd-networkd takes address and MTU by DHCP");
		return true;
	}
	return false;
}

/* "iface NAME inet METHOD" of /etc/network/interfaces and the files that it sources. */
static void read_interfaces(const struct guest *guest, struct observation *out, const char *path,
                            unsigned depth)
{
	struct file_lines file = guest_open(guest, path);
	struct span line, word, name, family, method;
	while (file_lines_next(&file, &line)) {
		struct span rest = line;
		if (line.data[0] == '#' || !next_word(&rest, NULL, &word) || !next_word(&rest, NULL, &name))
			continue;
		const char *text = arena_string(guest->arena, name);
		if (text[0] != '/')
			text = arena_printf(guest->arena, "/etc/network/%s", text);
		struct names more = { 0 };
		if (span_equal_text(word, "source"))
			more = guest_glob(guest, text);
		else if (span_equal_text(word, "source-directory"))
			more = guest_glob(guest, arena_printf(guest->arena, "%s/*", text));
		for (size_t i = 0; depth > 0 && i < more.count; i++)
			read_interfaces(guest, out, more.items[i], depth - 1);
		if (!span_equal_text(word, "iface") || !names_first_interface(name) ||
		    !next_word(&rest, NULL, &family) || !next_word(&rest, NULL, &method) ||
		    !span_equal_text(family, "inet"))
			continue;
		bool dhcp = span_equal_text(method, "dhcp");
		guest_evidence(guest, out, file_lines_place(&file, line, guest->arena));
		/* Not one that says otherwise may be left: the last word here is "no". */
		if (!dhcp || out->state == ANSWER_UNKNOWN)
			guest_say(out, dhcp ? ANSWER_YES : ANSWER_NO, "ifupdown",
			          arena_printf(guest->arena, "ifupdown configures %s %s DHCP",
			                       arena_string(guest->arena, name), dhcp ? "by" : "without"));
	}
}

static bool observe_ifupdown(const struct guest *guest, struct observation *out)
{
	static const char *const programs[] = { "/usr/sbin/ifup", "/sbin/ifup", NULL };
	if (!guest_finds_any(guest, programs, NULL))
		return false;
	read_interfaces(guest, out, "/etc/network/interfaces", 4);
	return out->state != ANSWER_UNKNOWN;
}

/* netplan's YAML, as far as one line tells: it sets the MTU by DHCP unless told otherwise. */
static bool observe_netplan(const struct guest *guest, struct observation *out)
{
	static const char *const programs[] = { "/usr/sbin/netplan", NULL };
	static const char *const directories[] = { "/run/netplan", "/etc/netplan", "/usr/lib/netplan",
		                                   "/lib/netplan", NULL };
	if (!guest_finds_any(guest, programs, NULL))
		return false;
	struct names paths = guest_drop_ins(guest, directories, ".yaml");
	for (size_t i = 0; i < paths.count; i++) {
		struct file_lines file = guest_open(guest, paths.items[i]);
		struct span line, word;
		while (file_lines_next(&file, &line)) {
			struct span rest = line;
			if (!next_word(&rest, ":", &word) || !span_equal_text(word, "dhcp4") ||
			    !next_word(&rest, ":", &word))
				continue;
			guest_evidence(guest, out, file_lines_place(&file, line, guest->arena));
			if (is_yes(word) && out->state == ANSWER_UNKNOWN)
				guest_say(out, ANSWER_YES, "netplan", "netplan asks for DHCP");
			else if (!is_yes(word))
				guest_say(out, ANSWER_NO, "netplan", "netplan turns DHCP off");
		}
	}
	return out->state != ANSWER_UNKNOWN;
}

/* Red Hat's and SUSE's ifcfg files: BOOTPROTO=. */
static bool observe_ifcfg(const struct guest *guest, struct observation *out)
{
	static const char *const directories[] = { "/etc/sysconfig/network-scripts",
		                                   "/etc/sysconfig/network" };
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		for (size_t j = 0; j < ARRAY_SIZE(first_interfaces); j++) {
			const char *path = arena_printf(guest->arena, "%s/ifcfg-%s", directories[i],
			                                first_interfaces[j]);
			struct file_lines file = guest_open(guest, path);
			struct span line, key, value, word;
			while (file_lines_next(&file, &line)) {
				if (!guest_assignment(line, &key, &value) ||
				    !span_equal_text(key, "BOOTPROTO") || !next_word(&value, "\"'", &word))
					continue;
				bool dhcp = span_equal_word(word, "dhcp") || span_equal_word(word, "dhcp4");
				guest_evidence(guest, out, file_lines_place(&file, line, guest->arena));
				guest_say(out, dhcp ? ANSWER_YES : ANSWER_NO, "ifcfg",
				          dhcp ? "the ifcfg file asks for DHCP"
				               : "the ifcfg file configures the interface without DHCP");
			}
			if (out->state != ANSWER_UNKNOWN)
				return true;
		}
	return false;
}

/* NetworkManager brings up every wired card by DHCP unless a profile says otherwise. */
static bool observe_network_manager(const struct guest *guest, struct observation *out)
{
	static const char *const directories[] = { "/etc/NetworkManager/system-connections", NULL };
	struct place enabled;
	if (!guest_unit_enabled(guest, "NetworkManager.service", &enabled))
		return false;
	guest_evidence(guest, out, enabled);
	guest_say(out, ANSWER_YES, "NetworkManager",
	          "NetworkManager configures wired interfaces by DHCP when nothing else is set");
	struct names paths = guest_drop_ins(guest, directories, ".nmconnection");
	for (size_t i = 0; i < paths.count; i++) {
		struct file_lines file = guest_open(guest, paths.items[i]);
		struct span line, key, value, section = { 0 };
		while (file_lines_next(&file, &line)) {
			if (line.data[0] == '[')
				section = line;
			if (!span_equal_text(section, "[ipv4]") || !guest_assignment(line, &key, &value) ||
			    !span_equal_text(key, "method") || !span_equal_text(value, "manual"))
				continue;
			guest_evidence(guest, out, file_lines_place(&file, line, guest->arena));
			guest_say(out, ANSWER_UNKNOWN, NULL,
			          "a NetworkManager profile has a fixed address; whether it is for the "
			          "first interface is not known");
		}
	}
	return true;
}

/* cloud-init writes the configuration at boot, and falls back to DHCP on the first interface. */
static bool observe_cloud_init(const struct guest *guest, struct observation *out)
{
	static const char *const programs[] = { "/usr/bin/cloud-init", NULL };
	struct place place;
	if (!guest_finds_any(guest, programs, &place) ||
	    guest_finds(guest, "/etc/cloud/cloud-init.disabled", NULL))
		return false;
	guest_evidence(guest, out, place);
	guest_say(out, ANSWER_YES, "cloud-init", "cloud-init configures the first interface by DHCP");
	return true;
}

/* A DHCP client that runs by itself on all interfaces. */
static bool observe_dhcpcd(const struct guest *guest, struct observation *out)
{
	struct place place;
	if (!guest_unit_enabled(guest, "dhcpcd.service", &place) &&
	    !guest_finds(guest, "/etc/runlevels/default/dhcpcd", &place) &&
	    !guest_finds(guest, "/etc/runlevels/boot/dhcpcd", &place))
		return false;
	guest_evidence(guest, out, place);
	guest_say(out, ANSWER_YES, "dhcpcd", "dhcpcd configures all interfaces by DHCP");
	return true;
}

void observe_dhcp(const struct guest *guest, struct observation *out)
{
	static bool (*const managers[])(const struct guest *, struct observation *) = {
		observe_netplan,         observe_networkd,   observe_ifupdown, observe_ifcfg,
		observe_network_manager, observe_cloud_init, observe_dhcpcd,
	};
	for (size_t i = 0; i < ARRAY_SIZE(managers); i++)
		if (managers[i](guest, out))
			return;
	guest_say(out, ANSWER_UNKNOWN, NULL,
	          "nothing that configures the first interface was recognised: ifupdown, systemd-networkd, "
	          "netplan, NetworkManager, ifcfg files, cloud-init, dhcpcd");
}

void observe_persistent_net_rules(const struct guest *guest, struct observation *out)
{
	static const char *const directories[] = { "/etc/udev/rules.d", "/run/udev/rules.d",
		                                   "/usr/lib/udev/rules.d", "/lib/udev/rules.d", NULL };
	struct names paths = guest_drop_ins(guest, directories, ".rules");
	guest_say(out, ANSWER_NO, NULL, "no udev rule binds names to network cards");
	for (size_t i = 0; i < paths.count; i++) {
		struct span line;
		if (!strstr(paths.items[i], "persistent-net"))
			continue;
		/* An empty file or a link to /dev/null masks the rules. */
		struct file_lines file = guest_open(guest, paths.items[i]);
		while (file_lines_next(&file, &line)) {
			if (line.data[0] == '#')
				continue;
			guest_say(out, ANSWER_YES, NULL, "udev rules bind names to network cards");
			guest_evidence(guest, out, file_lines_place(&file, line, guest->arena));
		}
		if (out->state == ANSWER_YES)
			return;
	}
}

/* Does OpenRC or sysvinit start a service? */
static bool is_started_by_scripts(const struct guest *guest, const char *service, struct place *place)
{
	static const char *const patterns[] = { "/etc/runlevels/boot/", "/etc/runlevels/default/",
		                                "/etc/rcS.d/S??", "/etc/rc2.d/S??" };
	if (str_equal(guest->os->init, "systemd"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct names paths =
			guest_glob(guest, arena_printf(guest->arena, "%s%s", patterns[i], service));
		for (size_t j = 0; j < paths.count; j++)
			if (guest_finds(guest, paths.items[j], place))
				return true;
	}
	return false;
}

/* Is ufw switched on? Its service runs either way and looks here. */
static bool ufw_enabled(const struct guest *guest, struct place *place)
{
	struct file_lines file = guest_open(guest, "/etc/ufw/ufw.conf");
	struct span line, key, value;
	while (file_lines_next(&file, &line)) {
		if (!guest_assignment(line, &key, &value) || !span_equal_text(key, "ENABLED"))
			continue;
		*place = file_lines_place(&file, line, guest->arena);
		return span_equal_word(value, "yes") || span_equal_word(value, "\"yes\"");
	}
	return false;
}

void observe_firewall(const struct guest *guest, struct observation *out)
{
	static const struct {
		const char *name, *unit;
		const char *needs; /* rules without which it does nothing; NULL */
	} firewalls[] = {
		{ "firewalld", "firewalld.service", NULL },
		{ "nftables", "nftables.service", NULL },
		{ "iptables-persistent", "netfilter-persistent.service", "/etc/iptables/rules.v4" },
		{ "iptables", "iptables.service", "/etc/sysconfig/iptables" },
		{ "SuSEfirewall2", "SuSEfirewall2.service", NULL },
		{ "shorewall", "shorewall.service", NULL },
	};
	struct text names = { 0 };
	struct place place;
	if (ufw_enabled(guest, &place)) {
		out->by = "ufw";
		guest_add_word(&names, span_text("ufw"));
		guest_evidence(guest, out, place);
	}
	for (size_t i = 0; i < ARRAY_SIZE(firewalls); i++) {
		const char *service = arena_string(
			guest->arena, span_of(firewalls[i].unit, strcspn(firewalls[i].unit, ".")));
		if ((!guest_unit_enabled(guest, firewalls[i].unit, &place) &&
		     !is_started_by_scripts(guest, service, &place)) ||
		    (firewalls[i].needs && !guest_finds(guest, firewalls[i].needs, NULL)))
			continue;
		out->by = out->by ? out->by : firewalls[i].name;
		guest_add_word(&names, span_text(firewalls[i].name));
		guest_evidence(guest, out, place);
	}
	if (names.size > 0)
		guest_say(out, ANSWER_YES, arena_strdup(guest->arena, text_get(&names)),
		          arena_printf(guest->arena, "enabled: %s", text_get(&names)));
	else
		guest_say(out, ANSWER_NO, NULL, "no service of a known firewall is enabled");
	text_free(&names);
}
