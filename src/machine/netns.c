#include "machine/netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine/network.h"
#include "machine/platform.h"

#define TAP_NAME    "gce0"
#define TAP_ALIAS   TAP_NAME ":1" /* a second address by ioctl has a label of its own */
#define DESCRIPTORS (6 + NETNS_CONVERSATIONS)

/* Frames wait here while the machine is asked something: some megabytes where the system allows it. */
#define FRAMES_WAITING (4 << 20)

static const uint8_t gateway_mac[6] = { 0x42, 0x01, 0x0a, 0x80, 0x00, 0x01 };
static const uint8_t guest_mac[6] = { 0x42, 0x01, 0x0a, 0x80, 0x00, 0x02 };

/* The descriptors in the order in which they are sent. */
static void list(struct netns *netns, int *slots[DESCRIPTORS])
{
	int *first[] = {
		&netns->tap, &netns->frames, &netns->dhcp, &netns->time, &netns->names, &netns->http
	};
	memcpy(slots, first, sizeof(first));
	for (size_t i = 0; i < NETNS_CONVERSATIONS; i++)
		slots[6 + i] = &netns->conversations[i];
}

void netns_close(struct netns *netns)
{
	int *slots[DESCRIPTORS];
	list(netns, slots);
	for (size_t i = 0; i < DESCRIPTORS; i++) {
		if (*slots[i] >= 0)
			close(*slots[i]);
		*slots[i] = -1;
	}
}

static bool refused(struct error *error, const char *what)
{
	return error_set(error, ERROR_UNSUPPORTED, "%s: %s", what, strerror(errno));
}

/* Writes a file of /proc. */
static bool write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	bool written = write(file, text, strlen(text)) == (ssize_t)strlen(text);
	close(file);
	return written;
}

/* Who we are becomes root in the user namespace, and nobody else is anybody. */
static bool map_ids(uid_t user, gid_t group, struct error *error)
{
	char line[40];
	/* Kernels before 3.19 have no such file, and allow the map without it. */
	if (!write_file("/proc/self/setgroups", "deny") && errno != ENOENT)
		return refused(error, "/proc/self/setgroups of a user namespace cannot be written");
	snprintf(line, sizeof(line), "0 %u 1", user);
	if (!write_file("/proc/self/uid_map", line))
		return refused(error, "/proc/self/uid_map of a user namespace cannot be written");
	snprintf(line, sizeof(line), "0 %u 1", group);
	if (!write_file("/proc/self/gid_map", line))
		return refused(error, "/proc/self/gid_map of a user namespace cannot be written");
	return true;
}

static bool refused_namespaces(struct error *error)
{
	if (errno != ENOSPC && errno != EUSERS)
		return refused(error, "user and network namespaces are not allowed here (unshare)");
	return error_set(error, ERROR_UNSUPPORTED,
	                 "user and network namespaces are not allowed here: user.max_user_namespaces or "
	                 "user.max_net_namespaces is reached");
}

static bool enter(struct error *error)
{
	uid_t user = geteuid();
	gid_t group = getegid();
	if (unshare(CLONE_NEWNET) != 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
			return refused_namespaces(error);
		if (!map_ids(user, group, error))
			return false;
	}
	/* Nothing of the kernel's own between the guest and us. Where /proc is read-only it chatters a bit.
	 */
	(void)!write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	(void)!write_file("/proc/sys/net/ipv4/ip_forward", "0");
	return true;
}

static struct sockaddr_in address_of(uint32_t address, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		                     .sin_port = htons(port),
		                     .sin_addr.s_addr = htonl(address) };
}

/* A request of SIOCxxx that takes an address of an interface. */
static bool set_address(int control, const char *name, unsigned long request, uint32_t address)
{
	struct ifreq change = { 0 };
	struct sockaddr_in value = address_of(address, 0);
	snprintf(change.ifr_name, sizeof(change.ifr_name), "%s", name);
	memcpy(&change.ifr_addr, &value, sizeof(value));
	return ioctl(control, request, &change) == 0;
}

/* The guest is known before it speaks: an answer to its DHCP request needs no ARP, which it cannot answer
 * yet. */
static bool set_neighbour(int control)
{
	struct arpreq entry = { .arp_flags = ATF_COM | ATF_PERM, .arp_ha.sa_family = ARPHRD_ETHER };
	struct sockaddr_in guest = address_of(PLATFORM_ADDRESS, 0);
	memcpy(&entry.arp_pa, &guest, sizeof(guest));
	memcpy(entry.arp_ha.sa_data, guest_mac, sizeof(guest_mac));
	snprintf(entry.arp_dev, sizeof(entry.arp_dev), "%s", TAP_NAME);
	return ioctl(control, SIOCSARP, &entry) == 0;
}

static bool set_up(int control, struct error *error)
{
	struct ifreq change = { .ifr_name = TAP_NAME };
	change.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(change.ifr_hwaddr.sa_data, gateway_mac, sizeof(gateway_mac));
	if (ioctl(control, SIOCSIFHWADDR, &change) != 0)
		return refused(error, "the tap takes no hardware address");
	change.ifr_mtu = NETWORK_MTU;
	if (ioctl(control, SIOCSIFMTU, &change) != 0)
		return refused(error, "the tap takes no MTU");
	if (!set_address(control, TAP_NAME, SIOCSIFADDR, PLATFORM_GATEWAY) ||
	    !set_address(control, TAP_NAME, SIOCSIFNETMASK, ~(UINT32_MAX >> PLATFORM_PREFIX)) ||
	    !set_address(control, TAP_ALIAS, SIOCSIFADDR, PLATFORM_METADATA) ||
	    !set_address(control, TAP_ALIAS, SIOCSIFNETMASK, UINT32_MAX))
		return refused(error, "the tap takes no address");
	change.ifr_flags = IFF_UP | IFF_BROADCAST | IFF_MULTICAST;
	if (ioctl(control, SIOCSIFFLAGS, &change) != 0)
		return refused(error, "the tap cannot be switched on");
	if (!set_neighbour(control))
		return refused(error, "the tap takes no neighbour");
	return true;
}

static bool make_tap(struct netns *netns, struct error *error)
{
	struct ifreq wanted = { .ifr_name = TAP_NAME };
	wanted.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	netns->tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (netns->tap < 0)
		return refused(error, "/dev/net/tun cannot be opened");
	if (ioctl(netns->tap, TUNSETIFF, &wanted) != 0)
		return refused(error, "/dev/net/tun makes no tap with a vnet header (TUNSETIFF)");
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (control < 0)
		return refused(error, "no socket can be opened in the network namespace");
	bool up = set_up(control, error);
	close(control);
	return up;
}

static bool open_frames(struct netns *netns, struct error *error)
{
	const int on = 1, room = FRAMES_WAITING;
	struct sockaddr_ll place = { .sll_family = AF_PACKET,
		                     .sll_protocol = htons(ETH_P_ALL),
		                     .sll_ifindex = (int)if_nametoindex(TAP_NAME) };
	netns->frames = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (netns->frames < 0 ||
	    setsockopt(netns->frames, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) != 0 ||
	    bind(netns->frames, (struct sockaddr *)&place, sizeof(place)) != 0)
		return refused(error,
		               "no socket shows the frames of the tap (AF_PACKET with PACKET_VNET_HDR)");
	setsockopt(netns->frames, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return true;
}

/* A socket that serves a port of ours; -1, errno is set. */
static int serve(int type, uint32_t address, uint16_t port)
{
	const int on = 1;
	struct sockaddr_in place = address_of(address, port);
	int served = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (served < 0)
		return -1;
	if (setsockopt(served, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(served, (struct sockaddr *)&place, sizeof(place)) == 0 &&
	    (type == SOCK_DGRAM || listen(served, 16) == 0))
		return served;
	int reason = errno;
	close(served);
	errno = reason;
	return -1;
}

/* The least that Linux takes for TCP_MAXSEG (TCP_MIN_MSS). */
#define SMALLEST_SEGMENT 88

static bool open_servers(struct netns *netns, struct error *error)
{
	const int on = 1, segment = SMALLEST_SEGMENT;
	/* A client without an address asks 255.255.255.255; the broadcast back needs a device. */
	netns->dhcp = serve(SOCK_DGRAM, INADDR_ANY, 67);
	if (netns->dhcp < 0 || setsockopt(netns->dhcp, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) != 0 ||
	    setsockopt(netns->dhcp, SOL_SOCKET, SO_BINDTODEVICE, TAP_NAME, sizeof(TAP_NAME)) != 0)
		return refused(error, "no DHCP server can be opened on the tap");
	netns->time = serve(SOCK_DGRAM, PLATFORM_METADATA, 123);
	netns->names = serve(SOCK_DGRAM, PLATFORM_METADATA, 53);
	netns->http = serve(SOCK_STREAM, PLATFORM_METADATA, 80);
	if (netns->time < 0 || netns->names < 0 || netns->http < 0)
		return refused(error, "no server can be opened on the tap");
	/*
	 * A guest that may send no more than so many bytes in a segment hands each question that it asks the
	 * metadata server to the device as one large frame: its offload shows while it boots.
	 */
	setsockopt(netns->http, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
	for (size_t i = 0; i < NETNS_CONVERSATIONS; i++) {
		netns->conversations[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (netns->conversations[i] < 0)
			return refused(error, "no socket can be opened in the network namespace");
	}
	return true;
}

/* Room for the control message, aligned as one. */
union passed {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS)];
};

/* Sends all of them with a byte, or the sentence that says why not. */
static bool report(int channel, struct netns *netns, const struct error *error)
{
	struct iovec text = { .iov_base = (void *)error->message, .iov_len = strlen(error->message) + 1 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1 };
	union passed passed = { 0 };
	if (error->code == ERROR_NONE) {
		int *slots[DESCRIPTORS], descriptors[DESCRIPTORS];
		list(netns, slots);
		for (size_t i = 0; i < DESCRIPTORS; i++)
			descriptors[i] = *slots[i];
		message.msg_control = passed.bytes;
		message.msg_controllen = sizeof(passed.bytes);
		passed.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(descriptors)),
			                          .cmsg_level = SOL_SOCKET,
			                          .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&passed.header), descriptors, sizeof(descriptors));
	}
	return sendmsg(channel, &message, MSG_NOSIGNAL) > 0;
}

NORETURN static void make(int channel, pid_t parent)
{
	struct netns netns = NETNS_NONE;
	struct error error = { 0 };
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	bool made = enter(&error) && make_tap(&netns, &error) && open_frames(&netns, &error) &&
	            open_servers(&netns, &error);
	(void)made; /* the error's code tells it */
	_exit(report(channel, &netns, &error) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* What the child sent. */
static bool receive(int channel, struct netns *out, struct error *error)
{
	char sentence[sizeof(error->message)];
	struct iovec text = { .iov_base = sentence, .iov_len = sizeof(sentence) - 1 };
	union passed passed = { 0 };
	struct msghdr message = { .msg_iov = &text,
		                  .msg_iovlen = 1,
		                  .msg_control = passed.bytes,
		                  .msg_controllen = sizeof(passed.bytes) };
	ssize_t got;
	do
		got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(int) * DESCRIPTORS)) {
		int *slots[DESCRIPTORS], descriptors[DESCRIPTORS];
		memcpy(descriptors, CMSG_DATA(header), sizeof(descriptors));
		list(out, slots);
		for (size_t i = 0; i < DESCRIPTORS; i++)
			*slots[i] = descriptors[i];
		return true;
	}
	if (got <= 1)
		return error_set(error, ERROR_UNSUPPORTED, "the process that was to make the network ended");
	sentence[got] = '\0';
	return error_set(error, ERROR_UNSUPPORTED, "%s", sentence);
}

bool netns_open(struct netns *out, struct error *error)
{
	int ends[2];
	*out = (struct netns)NETNS_NONE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return refused(error, "no pair of sockets can be opened");
	pid_t parent = getpid(), child = fork();
	if (child == 0)
		make(ends[1], parent);
	close(ends[1]);
	bool made = child > 0 ? receive(ends[0], out, error) : refused(error, "no process can be started");
	close(ends[0]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return made;
}
