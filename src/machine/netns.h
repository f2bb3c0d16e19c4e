// A network namespace of our own with a tap in it, and sockets that live there.
#pragma once

#include "base/error.h"

/* What converses with the guest: connected, closed and connected again. */
#define NETNS_CONVERSATIONS 4

/* Descriptors, -1 where there is none. All are non-blocking and close when a program is executed. */
struct netns {
	int tap;                                /* with a virtio_net_hdr before every frame */
	int frames;                             /* AF_PACKET on the tap, the same header before every frame */
	int dhcp, time, names;                  /* UDP on 67, 123 and 53 */
	int http;                               /* listens on port 80 of the metadata server's address */
	int conversations[NETNS_CONVERSATIONS]; /* TCP, not connected */
};

#define NETNS_NONE                                                                                           \
	{                                                                                                    \
		-1, -1, -1, -1, -1, -1,                                                                      \
		{                                                                                            \
			-1, -1, -1, -1                                                                       \
		}                                                                                            \
	}

/*
 * Has a child make the namespace: as root a network namespace, else one in a user namespace of its own.
 * ERROR_UNSUPPORTED says what is not allowed here.
 */
NODISCARD bool netns_open(struct netns *out, struct error *error);
void netns_close(struct netns *netns);
