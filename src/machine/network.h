// The platform's network on a tap of our own: a DHCP server, the metadata server, the time server, and every
// frame looked at, with the virtio-net header that tells of offloads.
//
// The tap lives in a user and network namespace that a short-lived child makes; its sockets come back over
// SCM_RIGHTS, so that all of it is served by the one loop, and nothing of it reaches the host's network.
// Frames are the guest's, hostile.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/place.h"
#include "facts/run.h"
#include "machine/loop.h"

/* The first frame of a kind, as evidence. */
struct network_sample {
	uint64_t frame; /* its number in frames.pcap, from 1 on; 0: there was none */
	char what[112]; /* "TCP 22 > 40000, 1054 bytes of data, NEEDS_CSUM, GSO TCPv4 in segments of 244
	                   bytes" */
};

/* What the frames showed. "From the guest" are those that it sent. */
struct network_seen {
	uint64_t frames_out, frames_in; /* from the guest, to the guest */
	uint64_t checksum_out,
		checksum_in; /* of them with the checksum left to the other side (NEEDS_CSUM) */
	uint64_t tso_out;    /* TCPv4 GSO frames with more payload than one segment, from the guest */
	uint64_t tso_in;     /* the same to the guest, acknowledged by it to the last byte */
	uint64_t largest_out, largest_in;   /* bytes of the largest frame */
	uint64_t tcp_data_out, tcp_data_in; /* TCP payload bytes that went over in conversations */
	uint64_t tcp_frames_out;            /* frames from the guest with such bytes in them */
	struct network_sample first_checksum_out, first_checksum_in, first_tso_out, first_tso_in;
	uint64_t leases;                   /* DHCP requests that were granted */
	bool has_address;                  /* the guest uses the address that DHCP offers */
	uint64_t metadata_requests;        /* it asked the metadata server */
	LIST(const char *) metadata_paths; /* the first 64, printable */
	uint64_t time_requests;
};

struct network {
	struct loop *loop;
	struct arena *arena;
	int tap;            /* for the machine; -1: there is no such network here */
	const char *reason; /* why not, one sentence; NULL */
	int pcap;           /* frames are written here with their time; -1 */
	int pcap_error;     /* why not all of them are there; set by network_close() */
	struct network_seen seen;
	const char *conversation; /* what came about: "SSH-2.0-OpenSSH_9.2p1 on TCP port 22"; NULL: nothing */
	const char *silence;      /* why nothing did, one sentence; NULL: not tried */
	struct network_private *own;
};

/* The machine's and the platform's addresses. */
#define NETWORK_MAC      "42:01:0a:80:00:02"
#define NETWORK_ADDRESS  "10.128.0.2"
#define NETWORK_GATEWAY  "10.128.0.1"
#define NETWORK_METADATA "169.254.169.254"
#define NETWORK_MTU      1460

/* Always gives a network: one without a tap (and with the reason) where namespaces are not allowed. */
void network_open(struct network *network, struct loop *loop, int pcap, struct arena *arena);
void network_close(struct network *network);

/* Has all been seen that offloads can show? */
bool network_seen_all(const struct network_seen *seen);

/*
 * Talks to the guest so that its offloads show: TCP to a port where it listens (SSH), large frames to it,
 * small segments asked of it. Takes `seconds` at most, and less when all has been seen.
 */
void network_converse(struct network *network, double seconds);

/* Does a service of the guest's answer? Asks for `seconds` at most, whatever frames have shown. */
bool network_answers(struct network *network, double seconds);
