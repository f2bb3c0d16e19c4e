// Private to the network: its sockets, and what is open on them.
#pragma once

#include <time.h>

#include "machine/frames.h"
#include "machine/metadata.h"
#include "machine/netns.h"
#include "machine/pcap.h"

/* Connections to the metadata server at a time; more wait to be accepted. */
#define HTTP_CONNECTIONS 16

struct http_connection {
	int socket; /* -1: free */
	struct text received;
	struct text sending; /* what is left of the responses */
	bool closes;         /* when all is sent */
	double until;        /* a response that is held back goes out then; 0: none is */
	struct text held;
};

struct network_private {
	struct netns netns;
	struct frames frames;
	struct pcap pcap;
	int timer; /* a timerfd that ticks while responses are held; -1 */
	struct http_connection http[HTTP_CONNECTIONS];
	uint8_t *buffer; /* for what comes: one frame, one datagram; owned */
};

/* More than the largest frame: its header, Ethernet's and 64 KiB. */
#define NETWORK_BUFFER ((size_t)70000)

/* network_http.c: serves the metadata server's listening socket. */
void http_open(struct network *network);
void http_close(struct network *network);
