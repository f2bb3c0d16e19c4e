#include "machine/frames.h"

#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "machine/platform.h"

/*
 * linux/virtio_net.h, struct virtio_net_hdr, in the byte order of this machine:
 *    0 flags   1 gso_type   2 hdr_len   4 gso_size   6 csum_start   8 csum_offset
 * then Ethernet (0 to, 6 from, 12 type), then
 * IPv4  0 version, header words   2 total length   6 fragment   9 protocol   12 source   16 destination
 * TCP   0 source port   2 destination port   4 sequence   8 acknowledged   12 header words   13 flags
 */
#define VNET_SIZE     10
#define ETHERNET_SIZE 14
#define TCP_ACK       0x10

struct tcp {
	uint16_t from, to; /* ports */
	uint32_t sequence, acknowledged;
	bool acknowledges;
	size_t data; /* bytes of payload */
};

/* One frame, taken apart as far as it goes. */
struct view {
	bool needs_checksum;
	bool large; /* several TCP segments in one */
	uint16_t segment;
	size_t size; /* of the Ethernet frame */
	bool is_tcp;
	struct tcp tcp;
	uint32_t source; /* of IPv4 or ARP; 0 */
};

static bool read_tcp(struct span segment, struct tcp *tcp)
{
	uint8_t words, flags;
	if (!get_be16(segment, 0, &tcp->from) || !get_be16(segment, 2, &tcp->to) ||
	    !get_be32(segment, 4, &tcp->sequence) || !get_be32(segment, 8, &tcp->acknowledged) ||
	    !get_u8(segment, 12, &words) || !get_u8(segment, 13, &flags))
		return false;
	size_t header = (size_t)(words >> 4) * 4;
	if (header < 20 || header > segment.size)
		return false;
	tcp->acknowledges = flags & TCP_ACK;
	tcp->data = segment.size - header;
	return true;
}

static void read_ipv4(struct span packet, struct view *view)
{
	uint8_t first, protocol;
	uint16_t total, fragment;
	struct span segment;
	if (!get_u8(packet, 0, &first) || !get_be16(packet, 2, &total) || !get_be16(packet, 6, &fragment) ||
	    !get_u8(packet, 9, &protocol) || first >> 4 != 4)
		return;
	size_t header = (size_t)(first & 15) * 4;
	if (header < 20 || total < header || !span_slice(packet, header, total - header, &segment) ||
	    !get_be32(packet, 12, &view->source))
		return;
	/* Of a fragment nothing behind the header of IP is sure. */
	view->is_tcp = protocol == IPPROTO_TCP && (fragment & 0x3fff) == 0 && read_tcp(segment, &view->tcp);
}

/* RFC 826: 0 hardware, 2 protocol, 4 their sizes, 6 operation, 8 sender's MAC, 14 sender's address. */
static void read_arp(struct span packet, struct view *view)
{
	uint16_t protocol;
	if (get_be16(packet, 2, &protocol) && protocol == ETHERTYPE_IP)
		(void)!get_be32(packet, 14, &view->source);
}

static bool read_frame(struct span frame, struct view *view)
{
	uint8_t flags, type;
	uint16_t kind;
	*view = (struct view){ 0 };
	if (!get_u8(frame, 0, &flags) || !get_u8(frame, 1, &type) || !get_le16(frame, 4, &view->segment) ||
	    !get_be16(frame, VNET_SIZE + 12, &kind))
		return false;
	view->needs_checksum = flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	view->size = frame.size - VNET_SIZE;
	struct span packet = span_from(frame, VNET_SIZE + ETHERNET_SIZE);
	if (kind == ETHERTYPE_IP)
		read_ipv4(packet, view);
	else if (kind == ETHERTYPE_ARP)
		read_arp(packet, view);
	view->large = view->is_tcp && (type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4 &&
	              view->segment > 0 && view->tcp.data > view->segment;
	return true;
}

static struct network_sample sample_of(const struct view *view, uint64_t number)
{
	struct network_sample sample = { .frame = number };
	size_t used = 0, room = sizeof(sample.what);
	if (view->is_tcp)
		used = (size_t)snprintf(sample.what, room, "TCP %u > %u, %zu bytes of data", view->tcp.from,
		                        view->tcp.to, view->tcp.data);
	else
		used = (size_t)snprintf(sample.what, room, "%zu bytes", view->size);
	if (view->needs_checksum)
		used += (size_t)snprintf(sample.what + used, room - used, ", NEEDS_CSUM");
	if (view->large)
		snprintf(sample.what + used, room - used, ", GSO TCPv4 in segments of %u bytes",
		         view->segment);
	return sample;
}

static void keep_first(struct network_sample *first, const struct network_sample *sample)
{
	if (first->frame == 0)
		*first = *sample;
}

/* Is `a` before `b`? Sequence numbers go round. */
static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/*
 * A large frame counts once the guest has acknowledged it to its last byte. What is sent again in single
 * segments counts no more: those may have brought it.
 */
static void follow_sent(struct frames *frames, const struct view *view, uint64_t number)
{
	const struct tcp *tcp = &view->tcp;
	for (size_t i = 0; i < FRAMES_PENDING; i++) {
		struct frames_pending *old = &frames->pending[i];
		if (old->waits && old->our_port == tcp->from && old->guest_port == tcp->to && !view->large &&
		    tcp->data > 0 && !before(old->start, tcp->sequence) &&
		    before(old->start, tcp->sequence + (uint32_t)tcp->data))
			old->waits = false;
	}
	if (!view->large)
		return;
	frames->pending[frames->next] = (struct frames_pending){
		.waits = true,
		.our_port = tcp->from,
		.guest_port = tcp->to,
		.start = tcp->sequence,
		.end = tcp->sequence + (uint32_t)tcp->data,
		.sample = sample_of(view, number),
	};
	frames->next = (frames->next + 1) % FRAMES_PENDING;
}

static void follow_acknowledged(struct frames *frames, const struct tcp *tcp, struct network_seen *seen)
{
	for (size_t i = 0; tcp->acknowledges && i < FRAMES_PENDING; i++) {
		struct frames_pending *old = &frames->pending[i];
		if (!old->waits || old->our_port != tcp->to || old->guest_port != tcp->from ||
		    before(tcp->acknowledged, old->end))
			continue;
		old->waits = false;
		seen->tso_in++;
		keep_first(&seen->first_tso_in, &old->sample);
	}
}

static void look_out(struct frames *frames, const struct view *view, struct network_seen *seen,
                     const struct network_sample *sample)
{
	if (view->size > seen->largest_out)
		seen->largest_out = view->size;
	if (view->source == PLATFORM_ADDRESS)
		seen->has_address = true;
	if (view->needs_checksum) {
		seen->checksum_out++;
		keep_first(&seen->first_checksum_out, sample);
	}
	if (view->large) {
		seen->tso_out++;
		keep_first(&seen->first_tso_out, sample);
	}
	if (view->is_tcp) {
		seen->tcp_data_out += view->tcp.data;
		seen->tcp_frames_out += view->tcp.data > 0;
		follow_acknowledged(frames, &view->tcp, seen);
	}
}

static void look_in(struct frames *frames, const struct view *view, struct network_seen *seen,
                    const struct network_sample *sample)
{
	if (view->size > seen->largest_in)
		seen->largest_in = view->size;
	if (view->needs_checksum) {
		seen->checksum_in++;
		keep_first(&seen->first_checksum_in, sample);
	}
	if (view->is_tcp) {
		seen->tcp_data_in += view->tcp.data;
		follow_sent(frames, view, sample->frame);
	}
}

void frames_look(struct frames *frames, struct span frame, bool from_guest, struct network_seen *seen)
{
	struct view view;
	bool whole = read_frame(frame, &view);
	uint64_t *count = from_guest ? &seen->frames_out : &seen->frames_in;
	++*count;
	if (!whole)
		return;
	struct network_sample sample = sample_of(&view, seen->frames_out + seen->frames_in);
	if (from_guest)
		look_out(frames, &view, seen, &sample);
	else
		look_in(frames, &view, seen, &sample);
}

bool network_seen_all(const struct network_seen *seen)
{
	return seen->checksum_out && seen->checksum_in && seen->tso_out && seen->tso_in;
}
