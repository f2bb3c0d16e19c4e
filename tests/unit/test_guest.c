// Guest settings: each observation with what makes it yes, no and unknown.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memory_fs.h"
#include "os/system.h"

static struct memory_fs files;
static struct arena arena;
static struct os os;

static int set_up(void **state)
{
	(void)state;
	files = (struct memory_fs){ 0 };
	os = (struct os){ .init = "systemd" };
	memory_file(&files, "/etc/hosts", "127.0.0.1 localhost\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	memory_free(&files);
	arena_free(&arena);
	return 0;
}

static const struct observation *observe(const char *name)
{
	struct observations all = { 0 };
	struct tree tree = memory_tree(&files);
	guest_observe(&tree, &os, &arena, &all);
	assert_int_equal(all.items.count, 11);
	const struct observation *found = NULL;
	for (size_t i = 0; i < all.items.count; i++) {
		assert_non_null(all.items.items[i].reason);
		if (str_equal(all.items.items[i].name, name))
			found = &all.items.items[i];
	}
	assert_non_null(found);
	return found;
}

static void expect(const char *name, enum answer state, const char *value)
{
	const struct observation *seen = observe(name);
	if (seen->state != state || !str_equal(seen->value, value))
		fail_msg("%s: state %d, value %s (%s)", name, (int)seen->state,
		         seen->value ? seen->value : "none", seen->reason);
}

/* A tree of /usr alone: what is installed there may be set up in an /etc to come. */
static void without_settings(void **state)
{
	(void)state;
	memory_free(&files);
	files = (struct memory_fs){ 0 };
	memory_file(&files, "/usr/sbin/chronyd", "ELF");
	expect("guest.ntp", ANSWER_UNKNOWN, NULL);
	expect("guest.root-ssh", ANSWER_UNKNOWN, NULL);
	expect("guest.host-keys", ANSWER_UNKNOWN, NULL);
}

/* The first evidence. */
static void expect_place(const char *name, const char *path, uint64_t line)
{
	const struct observation *seen = observe(name);
	assert_true(seen->places.count > 0);
	assert_string_equal(seen->places.items[0].path, path);
	assert_int_equal(seen->places.items[0].line, line);
}

static void an_empty_image(void **state)
{
	(void)state;
	os.init = "unknown";
	expect("guest.ntp", ANSWER_NO, NULL);
	expect("guest.timezone", ANSWER_YES, "UTC");
	expect("guest.dhcp", ANSWER_UNKNOWN, NULL);
	expect("guest.persistent-net-rules", ANSWER_NO, NULL);
	expect("guest.irqbalance", ANSWER_NO, NULL);
	expect("guest.firewall", ANSWER_NO, NULL);
	expect("guest.root-ssh", ANSWER_NO, NULL);
	expect("guest.environment", ANSWER_NO, NULL);
	expect("guest.machine-id", ANSWER_NO, NULL);
	expect("guest.host-keys", ANSWER_NO, NULL);
	expect("guest.serial-getty", ANSWER_UNKNOWN, NULL);
}

static void chrony(void **state)
{
	(void)state;
	memory_file(&files, "/usr/sbin/chronyd", "ELF");
	expect("guest.ntp", ANSWER_YES, "no server");
	memory_file(&files, "/etc/chrony/chrony.conf",
	            "# the vendor's\nconfdir /etc/chrony/conf.d\npool 2.debian.pool.ntp.org iburst\n"
	            "sourcedir /etc/chrony/sources.d\nkeyfile /etc/chrony/chrony.keys\n");
	expect("guest.ntp", ANSWER_YES, "2.debian.pool.ntp.org");
	expect_place("guest.ntp", "/etc/chrony/chrony.conf", 3);
	memory_file(&files, "/etc/chrony/sources.d/gce.sources", "server metadata.google.internal iburst\n");
	expect("guest.ntp", ANSWER_YES, "2.debian.pool.ntp.org metadata.google.internal");
}

static void chrony_with_the_platforms_server(void **state)
{
	(void)state;
	memory_file(&files, "/usr/sbin/chronyd", "ELF");
	memory_file(&files, "/etc/chrony.conf",
	            "Server metadata.google.internal iburst\nserver metadata.google.internal\n");
	expect("guest.ntp", ANSWER_YES, "metadata.google.internal");
}

static void files_that_include_each_other_end(void **state)
{
	(void)state;
	memory_file(&files, "/usr/sbin/chronyd", "ELF");
	memory_file(&files, "/etc/chrony.conf", "include /etc/chrony.conf\ninclude /etc/chrony.conf\n");
	expect("guest.ntp", ANSWER_UNKNOWN, NULL);
}

static void timesyncd(void **state)
{
	(void)state;
	memory_file(&files, "/usr/lib/systemd/systemd-timesyncd", "ELF");
	expect("guest.ntp", ANSWER_NO, NULL);
	memory_link(&files, "/etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service",
	            "/usr/lib/systemd/system/systemd-timesyncd.service");
	expect("guest.ntp", ANSWER_YES, "the built-in fallback servers");
	memory_file(&files, "/etc/systemd/timesyncd.conf", "[Time]\n#NTP=\nNTP=a.example b.example\n");
	expect("guest.ntp", ANSWER_YES, "a.example b.example");
	memory_file(&files, "/etc/systemd/timesyncd.conf.d/gce.conf",
	            "[Time]\nNTP=\nNTP=metadata.google.internal\n");
	expect("guest.ntp", ANSWER_YES, "metadata.google.internal");
}

static void time_zones(void **state)
{
	(void)state;
	memory_link(&files, "/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin");
	expect("guest.timezone", ANSWER_YES, "UTC");
	memory_file(&files, "/usr/share/zoneinfo/Europe/Berlin", "TZif");
	expect("guest.timezone", ANSWER_YES, "Europe/Berlin");
	expect_place("guest.timezone", "/etc/localtime", 0);
}

static void a_copied_zone_file(void **state)
{
	(void)state;
	memory_file(&files, "/etc/timezone", "Etc/UTC\n");
	memory_file(&files, "/etc/localtime", "TZif2 ... TZif2 ...\nCET-1CEST,M3.5.0,M10.5.0/3\n");
	expect("guest.timezone", ANSWER_YES, "Etc/UTC");
	files.entries.count--;
	memory_file(&files, "/etc/localtime", "TZif2 ... TZif2 ...\nUTC0\n");
	expect("guest.timezone", ANSWER_YES, "UTC");
}

static void ifupdown(void **state)
{
	(void)state;
	memory_file(&files, "/usr/sbin/ifup", "ELF");
	memory_file(&files, "/etc/network/interfaces",
	            "source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n");
	expect("guest.dhcp", ANSWER_UNKNOWN, NULL);
	memory_file(&files, "/etc/network/interfaces.d/eth0", "auto eth0\niface eth0 inet dhcp\n");
	expect("guest.dhcp", ANSWER_YES, "ifupdown");
	expect_place("guest.dhcp", "/etc/network/interfaces.d/eth0", 2);
	/* Whether the card gets that name is another question: the reader sees which it is. */
	assert_string_equal(observe("guest.dhcp")->reason, "ifupdown configures eth0 by DHCP");
	memory_file(&files, "/etc/network/interfaces.d/ens4", "iface ens4 inet static\n");
	expect("guest.dhcp", ANSWER_NO, "ifupdown");
}

static void networkd(void **state)
{
	(void)state;
	memory_link(&files, "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service", "x");
	memory_file(&files, "/etc/systemd/network/80-b.network",
	            "[Match]\nName=en*\n[Network]\nDHCP=yes\n[DHCPv4]\nUseMTU=true\n");
	expect("guest.dhcp", ANSWER_YES, "networkd");
	memory_file(&files, "/usr/lib/systemd/network/70-a.network",
	            "[Match]\nName=eth* ens4\n[Network]\nDHCP=ipv4\n");
	expect("guest.dhcp", ANSWER_NO, "networkd");
	memory_link(&files, "/etc/systemd/network/70-a.network", "/dev/null");
	expect("guest.dhcp", ANSWER_YES, "networkd");
	/* A drop-in comes behind its file, and a type without a name means every card. */
	files.entries.count--;
	memory_file(&files, "/run/systemd/network/70-a.network.d/mtu.conf", "[DHCPv4]\nUseMTU=yes\n");
	expect("guest.dhcp", ANSWER_YES, "networkd");
	memory_file(&files, "/etc/systemd/network/20-wlan.network",
	            "[Match]\nType=ether\nName=wl*\n[Network]\nDHCP=no\n");
	memory_file(&files, "/etc/systemd/network/30-lo.network", "[Match]\nName=!en* eth*\n");
	expect("guest.dhcp", ANSWER_YES, "networkd");
	memory_file(&files, "/etc/systemd/network/10-fixed.network",
	            "[Match]\nName=ens4\n[Network]\nAddress=10.0.0.2/24\n");
	expect("guest.dhcp", ANSWER_NO, "networkd");
}

static void network_manager_and_ifcfg(void **state)
{
	(void)state;
	memory_link(&files, "/etc/systemd/system/multi-user.target.wants/NetworkManager.service", "x");
	expect("guest.dhcp", ANSWER_YES, "NetworkManager");
	memory_file(&files, "/etc/NetworkManager/system-connections/a.nmconnection",
	            "[ipv6]\nmethod=manual\n[ipv4]\nmethod=auto\n");
	expect("guest.dhcp", ANSWER_YES, "NetworkManager");
	memory_file(&files, "/etc/NetworkManager/system-connections/b.nmconnection",
	            "[ipv4]\nmethod=manual\n");
	expect("guest.dhcp", ANSWER_UNKNOWN, NULL);
	memory_file(&files, "/etc/sysconfig/network-scripts/ifcfg-eth0", "BOOTPROTO=\"none\"\n");
	expect("guest.dhcp", ANSWER_NO, "ifcfg");
}

static void persistent_net_rules(void **state)
{
	(void)state;
	memory_link(&files, "/etc/udev/rules.d/75-persistent-net-generator.rules", "/dev/null");
	memory_file(&files, "/lib/udev/rules.d/75-persistent-net-generator.rules", "ACTION==\"add\"\n");
	memory_file(&files, "/etc/udev/rules.d/70-persistent-net.rules", "# made by the generator\n\n");
	expect("guest.persistent-net-rules", ANSWER_NO, NULL);
	files.entries.count--;
	memory_file(&files, "/etc/udev/rules.d/70-persistent-net.rules",
	            "# card\nSUBSYSTEM==\"net\", ATTR{address}==\"52:54:00:00:00:01\", NAME=\"eth0\"\n");
	expect("guest.persistent-net-rules", ANSWER_YES, NULL);
	expect_place("guest.persistent-net-rules", "/etc/udev/rules.d/70-persistent-net.rules", 2);
}

static void firewalls(void **state)
{
	(void)state;
	memory_file(&files, "/etc/ufw/ufw.conf", "# ENABLED=yes\nENABLED=no\n");
	memory_file(&files, "/usr/lib/systemd/system/nftables.service", "[Unit]\n");
	expect("guest.firewall", ANSWER_NO, NULL);
	memory_link(&files, "/etc/systemd/system/sysinit.target.wants/nftables.service", "x");
	memory_link(&files, "/etc/systemd/system/multi-user.target.wants/firewalld.service", "x");
	expect("guest.firewall", ANSWER_YES, "firewalld nftables");
	memory_link(&files, "/etc/systemd/system/firewalld.service", "/dev/null");
	expect("guest.firewall", ANSWER_YES, "nftables");
	assert_string_equal(observe("guest.firewall")->by, "nftables");
}

static void firewalls_of_other_inits(void **state)
{
	(void)state;
	os.init = "sysvinit";
	memory_file(&files, "/etc/rc2.d/S01nftables", "#!/bin/sh\n");
	expect("guest.firewall", ANSWER_YES, "nftables");
	memory_file(&files, "/etc/runlevels/default/firewalld", "#!/sbin/openrc-run\n");
	expect("guest.firewall", ANSWER_YES, "firewalld nftables");
}

/* What a folder of wants that cannot be listed asks for, nobody knows: "no" would be a guess. */
static void wants_that_cannot_be_listed(void **state)
{
	(void)state;
	memory_link(&files, "/etc/systemd/system/loop.target.wants", "loop.target.wants");
	memory_link(&files, "/usr/lib/systemd/system/sysinit.target.wants/nftables.service", "x");
	expect("guest.firewall", ANSWER_UNKNOWN, NULL);
	files.entries.items[2].path = "/etc/systemd/system/a.target.requires/firewalld.service";
	expect("guest.firewall", ANSWER_YES, "firewalld nftables");
}

static void more_wants_than_any_system_has(void **state)
{
	(void)state;
	for (int i = 0; i < 4097; i++)
		memory_link(&files, arena_printf(&arena, "/etc/systemd/system/a.wants/%d.service", i), "x");
	expect("guest.firewall", ANSWER_UNKNOWN, NULL);
	files.entries.count--;
	expect("guest.firewall", ANSWER_NO, NULL);
}

static void root_over_ssh(void **state)
{
	(void)state;
	memory_file(&files, "/usr/sbin/sshd", "ELF");
	memory_file(&files, "/etc/shadow", "daemon:*:1::::::\nroot:$y$j9T$x:19000:0:99999:7:::\n");
	expect("guest.root-ssh", ANSWER_NO, "prohibit-password");
	memory_file(&files, "/etc/ssh/sshd_config",
	            "Include /etc/ssh/sshd_config.d/*.conf\n#PermitRootLogin no\npermitrootlogin=yes\n"
	            "PermitRootLogin no\n");
	expect("guest.root-ssh", ANSWER_YES, "yes");
	expect_place("guest.root-ssh", "/etc/ssh/sshd_config", 3);
	/* A hash is no evidence to print. */
	const struct observation *seen = observe("guest.root-ssh");
	for (size_t i = 0; i < seen->places.count; i++)
		assert_null(strstr(seen->places.items[i].text, "$y$"));
	memory_file(&files, "/etc/ssh/sshd_config.d/10-a.conf", "PermitRootLogin no\n");
	expect("guest.root-ssh", ANSWER_NO, "no");
	expect_place("guest.root-ssh", "/etc/ssh/sshd_config.d/10-a.conf", 1);
}

static void root_without_a_password(void **state)
{
	(void)state;
	memory_file(&files, "/usr/sbin/sshd", "ELF");
	memory_file(&files, "/etc/ssh/sshd_config", "PermitRootLogin yes\n");
	expect("guest.root-ssh", ANSWER_YES, "yes");
	memory_file(&files, "/etc/shadow", "root:*:19000:0:99999:7:::\n");
	expect("guest.root-ssh", ANSWER_NO, "yes");
}

static void passwords_for_nobody(void **state)
{
	(void)state;
	memory_file(&files, "/usr/sbin/sshd", "ELF");
	memory_file(&files, "/etc/ssh/sshd_config",
	            "PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n");
	expect("guest.root-ssh", ANSWER_NO, "yes");
	files.entries.count--;
	/* For nobody but some. */
	memory_file(&files, "/etc/ssh/sshd_config",
	            "PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
	            "Match Address 10.0.0.0/8\nPasswordAuthentication yes\n");
	expect("guest.root-ssh", ANSWER_UNKNOWN, "yes");
}

static void root_with_an_empty_password(void **state)
{
	(void)state;
	memory_file(&files, "/usr/sbin/sshd", "ELF");
	memory_file(&files, "/etc/shadow", "root::19000:0:99999:7:::\n");
	memory_file(&files, "/etc/ssh/sshd_config", "PermitRootLogin yes\n");
	expect("guest.root-ssh", ANSWER_NO, "yes");
	files.entries.count--;
	memory_file(&files, "/etc/ssh/sshd_config", "PermitRootLogin yes\nPermitEmptyPasswords yes\n");
	expect("guest.root-ssh", ANSWER_YES, "yes");
}

static void root_in_a_match_block(void **state)
{
	(void)state;
	memory_file(&files, "/usr/sbin/sshd", "ELF");
	memory_file(&files, "/etc/ssh/sshd_config", "Match Address 10.0.0.0/8\n  PermitRootLogin yes\n");
	expect("guest.root-ssh", ANSWER_UNKNOWN, "prohibit-password");
	files.entries.count--;
	memory_file(&files, "/etc/ssh/sshd_config",
	            "Match User x\n  PermitRootLogin no\nMatch all\nPermitRootLogin yes\n");
	expect("guest.root-ssh", ANSWER_YES, "yes");
}

static void identities(void **state)
{
	(void)state;
	memory_file(&files, "/etc/machine-id", "uninitialized\n");
	memory_file(&files, "/etc/ssh/ssh_host_rsa_key", "");
	memory_file(&files, "/etc/ssh/ssh_host_rsa_key.pub", "ssh-rsa AAAA\n");
	expect("guest.machine-id", ANSWER_NO, NULL);
	expect("guest.host-keys", ANSWER_NO, NULL);
	memory_file(&files, "/var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n");
	memory_file(&files, "/etc/ssh/ssh_host_ed25519_key", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	expect("guest.machine-id", ANSWER_YES, NULL);
	expect_place("guest.machine-id", "/var/lib/dbus/machine-id", 1);
	expect("guest.host-keys", ANSWER_YES, "1");
	expect_place("guest.host-keys", "/etc/ssh/ssh_host_ed25519_key", 0);
}

static void installed_programs(void **state)
{
	(void)state;
	memory_file(&files, "/usr/sbin/irqbalance", "ELF");
	memory_file(&files, "/usr/bin/google_metadata_script_runner", "ELF");
	expect("guest.irqbalance", ANSWER_YES, NULL);
	expect("guest.environment", ANSWER_NO, "google_metadata_script_runner");
	memory_file(&files, "/usr/bin/google_guest_agent", "ELF");
	expect("guest.environment", ANSWER_YES, "google_guest_agent google_metadata_script_runner");
}

static void a_serial_login_of_systemd(void **state)
{
	(void)state;
	expect("guest.serial-getty", ANSWER_NO, NULL);
	memory_link(&files, "/etc/systemd/system/getty.target.wants/serial-getty@ttyS0.service", "x");
	expect("guest.serial-getty", ANSWER_YES, "ttyS0");
	memory_file(&files, "/usr/lib/systemd/system-generators/systemd-getty-generator", "ELF");
	/* The one that was enabled by hand runs without console=, too. */
	expect("guest.serial-getty", ANSWER_YES, "ttyS0 console");
	const struct observation *seen = observe("guest.serial-getty");
	assert_null(seen->places.items[seen->places.count - 1].text);
	memory_link(&files, "/etc/systemd/system/serial-getty@ttyS0.service", "/dev/null");
	expect("guest.serial-getty", ANSWER_NO, NULL);
}

/* A generator that can be told to stay away is told from an older one. */
static void a_generator_that_reads_the_command_line(void **state)
{
	(void)state;
	memory_file(&files, "/usr/lib/systemd/system-generators/systemd-getty-generator",
	            "ELF systemd.getty_auto");
	const struct observation *seen = observe("guest.serial-getty");
	assert_string_equal(seen->places.items[0].text, "systemd.getty_auto");
}

static void a_serial_login_of_inittab(void **state)
{
	(void)state;
	os.init = "sysvinit";
	memory_file(&files, "/etc/inittab",
	            "1:2345:respawn:/sbin/getty 38400 tty1\n#T0:23:respawn:/sbin/getty -L ttyS0 9600\n");
	expect("guest.serial-getty", ANSWER_NO, NULL);
	files.entries.count--;
	memory_file(&files, "/etc/inittab", "T0:23:respawn:/sbin/getty -L ttyS0 9600 vt100\n");
	expect("guest.serial-getty", ANSWER_YES, "ttyS0");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_image),
		TEST(chrony),
		TEST(chrony_with_the_platforms_server),
		TEST(files_that_include_each_other_end),
		TEST(timesyncd),
		TEST(time_zones),
		TEST(a_copied_zone_file),
		TEST(ifupdown),
		TEST(networkd),
		TEST(network_manager_and_ifcfg),
		TEST(persistent_net_rules),
		TEST(firewalls),
		TEST(firewalls_of_other_inits),
		TEST(without_settings),
		TEST(wants_that_cannot_be_listed),
		TEST(more_wants_than_any_system_has),
		TEST(root_over_ssh),
		TEST(root_without_a_password),
		TEST(passwords_for_nobody),
		TEST(root_with_an_empty_password),
		TEST(root_in_a_match_block),
		TEST(identities),
		TEST(installed_programs),
		TEST(a_serial_login_of_systemd),
		TEST(a_generator_that_reads_the_command_line),
		TEST(a_serial_login_of_inittab),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
