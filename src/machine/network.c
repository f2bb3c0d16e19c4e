#include "machine/network_private.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "machine/bytes.h"
#include "machine/dhcp.h"
#include "machine/dns.h"
#include "machine/ntp.h"
#include "machine/platform.h"

/* Frames and datagrams that are served before the others have their turn. */
#define AT_A_TIME 64

/* sizeof(struct virtio_net_hdr), which the socket puts before every frame. */
#define VNET_SIZE 10

static struct timespec real_time(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now;
}

static void frames_ready(void *context, int descriptor, short events)
{
	struct network *network = context;
	struct network_private *own = network->own;
	(void)events;
	for (unsigned i = 0; i < AT_A_TIME; i++) {
		struct sockaddr_ll from = { 0 };
		socklen_t length = sizeof(from);
		ssize_t got = recvfrom(descriptor, own->buffer, NETWORK_BUFFER, 0, (struct sockaddr *)&from,
		                       &length);
		if (got < VNET_SIZE)
			return;
		struct span frame = span_of(own->buffer, (size_t)got);
		pcap_write(&own->pcap, real_time(), span_from(frame, VNET_SIZE));
		frames_look(&own->frames, frame, from.sll_pkttype != PACKET_OUTGOING, &network->seen);
	}
}

/* Where an answer of the DHCP server goes, from the address that it calls its own. */
static void send_dhcp(int descriptor, const struct dhcp_answer *answer)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons(68),
		                  .sin_addr.s_addr =
		                          htonl(answer->broadcast ? INADDR_BROADCAST : answer->address) };
	struct iovec bytes = { .iov_base = answer->datagram.data, .iov_len = answer->datagram.size };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
		                  .cmsg_level = IPPROTO_IP,
		                  .cmsg_type = IP_PKTINFO } };
	struct in_pktinfo source = { .ipi_spec_dst.s_addr = htonl(PLATFORM_METADATA) };
	memcpy(CMSG_DATA(&control.header), &source, sizeof(source));
	struct msghdr message = { .msg_name = &to,
		                  .msg_namelen = sizeof(to),
		                  .msg_iov = &bytes,
		                  .msg_iovlen = 1,
		                  .msg_control = control.bytes,
		                  .msg_controllen = sizeof(control.bytes) };
	(void)!sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

static void dhcp_ready(void *context, int descriptor, short events)
{
	struct network *network = context;
	(void)events;
	for (unsigned i = 0; i < AT_A_TIME; i++) {
		struct dhcp_answer answer;
		ssize_t got = recv(descriptor, network->own->buffer, NETWORK_BUFFER, 0);
		if (got < 0)
			return;
		dhcp_answer(span_of(network->own->buffer, (size_t)got), &answer);
		if (answer.type != DHCP_NONE)
			send_dhcp(descriptor, &answer);
		network->seen.leases += answer.type == DHCP_ACK;
		text_free(&answer.datagram);
	}
}

/* Takes a datagram, has `answer` make one, and sends that back. */
static bool serve_datagram(struct network *network, int descriptor,
                           bool (*answer)(struct span request, struct text *out))
{
	struct sockaddr_in from = { 0 };
	socklen_t length = sizeof(from);
	struct text reply = { 0 };
	ssize_t got = recvfrom(descriptor, network->own->buffer, NETWORK_BUFFER, 0, (struct sockaddr *)&from,
	                       &length);
	if (got >= 0 && answer(span_of(network->own->buffer, (size_t)got), &reply))
		(void)!sendto(descriptor, reply.data, reply.size, MSG_NOSIGNAL, (struct sockaddr *)&from,
		              length);
	text_free(&reply);
	return got >= 0;
}

static bool answer_time(struct span request, struct text *out)
{
	struct timespec now = real_time();
	return ntp_answer(request, now, now, out);
}

static void time_ready(void *context, int descriptor, short events)
{
	struct network *network = context;
	(void)events;
	for (unsigned i = 0; i < AT_A_TIME && serve_datagram(network, descriptor, answer_time); i++)
		network->seen.time_requests++;
}

static void names_ready(void *context, int descriptor, short events)
{
	(void)events;
	for (unsigned i = 0; i < AT_A_TIME && serve_datagram(context, descriptor, dns_answer); i++)
		;
}

void network_open(struct network *network, struct loop *loop, int pcap, struct arena *arena)
{
	struct error error = { 0 };
	*network = (struct network){ .loop = loop, .arena = arena, .tap = -1, .pcap = pcap };
	struct netns netns;
	if (!netns_open(&netns, &error)) {
		network->reason = arena_strdup(arena, error.message);
		return;
	}
	struct network_private *own = arena_alloc(arena, sizeof(*own));
	own->netns = netns;
	own->buffer = xmalloc(NETWORK_BUFFER);
	network->own = own;
	network->tap = netns.tap;
	pcap_begin(&own->pcap, pcap);
	loop_watch(loop, netns.frames, POLLIN, frames_ready, network);
	loop_watch(loop, netns.dhcp, POLLIN, dhcp_ready, network);
	loop_watch(loop, netns.time, POLLIN, time_ready, network);
	loop_watch(loop, netns.names, POLLIN, names_ready, network);
	http_open(network);
}

void network_close(struct network *network)
{
	struct network_private *own = network->own;
	if (!own)
		return;
	network->pcap_error = own->pcap.log.error;
	http_close(network);
	loop_forget(network->loop, own->netns.frames);
	loop_forget(network->loop, own->netns.dhcp);
	loop_forget(network->loop, own->netns.time);
	loop_forget(network->loop, own->netns.names);
	netns_close(&own->netns);
	free(own->buffer);
	network->own = NULL;
	network->tap = -1;
}
