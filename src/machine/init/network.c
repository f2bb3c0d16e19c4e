// The network that the platform would give by DHCP (machine/network.h): a /32 whose gateway is reached on the
// link. Whoever connects to port 22 gets a few KB in one write: a driver with TSO sends them as one frame.
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine/init/init.h"

#define ADDRESS  "10.128.0.2"
#define GATEWAY  "10.128.0.1"
#define MTU      1460
#define PORT     22
#define GREETING "SSH-2.0-slipway-init\r\n"

static char interface[IFNAMSIZ];

static struct sockaddr address_of(const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct sockaddr out = { 0 };
	inet_pton(AF_INET, text, &address.sin_addr);
	memcpy(&out, &address, sizeof(out));
	return out;
}

/* The first interface that is no software's own. */
static bool find_interface(void)
{
	char path[300];
	DIR *folder = opendir("/sys/class/net");
	struct dirent *entry;
	while (folder && !interface[0] && (entry = readdir(folder))) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/device", entry->d_name);
		if (entry->d_name[0] != '.' && access(path, F_OK) == 0)
			snprintf(interface, sizeof(interface), "%.15s", entry->d_name);
	}
	if (folder)
		closedir(folder);
	return interface[0];
}

static void set(int handle, unsigned long request, struct ifreq *value, const char *what)
{
	memcpy(value->ifr_name, interface, sizeof(value->ifr_name));
	if (ioctl(handle, request, value) != 0)
		say("%s: no %s: %s", interface, what, strerror(errno));
}

static void add_route(int handle, const char *to, const char *mask, const char *gateway, unsigned short flags)
{
	struct rtentry route = {
		.rt_dst = address_of(to),
		.rt_genmask = address_of(mask),
		.rt_gateway = address_of(gateway),
		.rt_flags = (unsigned short)(RTF_UP | flags),
		.rt_dev = interface,
	};
	if (ioctl(handle, SIOCADDRT, &route) != 0 && errno != EEXIST)
		say("%s: no route to %s: %s", interface, to, strerror(errno));
}

void network_up(void)
{
	int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (handle < 0 || !find_interface()) {
		say("no network: %s", handle < 0 ? strerror(errno) : "no interface has a device");
		if (handle >= 0)
			close(handle);
		return;
	}
	struct ifreq mtu = { .ifr_mtu = MTU };
	struct ifreq address = { .ifr_addr = address_of(ADDRESS) };
	struct ifreq mask = { .ifr_netmask = address_of("255.255.255.255") };
	struct ifreq flags = { .ifr_flags = IFF_UP };
	set(handle, SIOCSIFMTU, &mtu, "MTU");
	set(handle, SIOCSIFADDR, &address, "address");
	set(handle, SIOCSIFNETMASK, &mask, "netmask");
	set(handle, SIOCSIFFLAGS, &flags, "carrier");
	add_route(handle, GATEWAY, "255.255.255.255", "0.0.0.0", RTF_HOST);
	add_route(handle, "0.0.0.0", "0.0.0.0", GATEWAY, RTF_GATEWAY);
	close(handle);
	say("%s is up, " ADDRESS, interface);
}

/* Sends, and takes what comes, until the other end has enough of it. */
static void converse(int peer)
{
	static char data[32768];
	memset(data, '.', sizeof(data));
	memcpy(data, GREETING, sizeof(GREETING) - 1);
	ssize_t got = send(peer, data, 8192, MSG_NOSIGNAL);
	while (got > 0)
		got = recv(peer, data, sizeof(data), 0);
}

void network_serve(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 4) != 0) {
		say("nobody can connect: %s", strerror(errno));
		return;
	}
	for (;;) {
		int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (peer < 0)
			continue;
		converse(peer);
		close(peer);
	}
}
