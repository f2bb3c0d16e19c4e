// The platform's DHCP server, as a function of bytes: one request in, the answer to it out.
//
// It leases the one address as a /32: the gateway is reached by a route of its own (option 121), as the
// platform has it.
#pragma once

#include "base/text.h"

/* RFC 2131's message types, the values of option 53. */
enum dhcp_type {
	DHCP_NONE = 0,
	DHCP_DISCOVER,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
};

struct dhcp_answer {
	enum dhcp_type type;  /* DHCP_NONE: nothing is to be sent */
	bool broadcast;       /* to 255.255.255.255; else to `address` */
	uint32_t address;     /* of the client, as a number */
	struct text datagram; /* owned: text_free() */
};

/* Reads `request`, a UDP payload from a client, and fills *out. What is no request has no answer. */
void dhcp_answer(struct span request, struct dhcp_answer *out);
