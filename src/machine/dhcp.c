#include "machine/dhcp.h"

#include "machine/bytes.h"
#include "machine/network.h"
#include "machine/platform.h"

/*
 * RFC 2131, section 2:
 *    0 op (1 request, 2 reply)   1 htype (1 Ethernet)   2 hlen   3 hops   4 xid   8 secs   10 flags
 *   12 ciaddr   16 yiaddr   20 siaddr   24 giaddr   28 chaddr[16]   44 sname[64]   108 file[128]
 *  236 the magic 99.130.83.99   240 options: code, length, value; 0 is padding, 255 the end
 */
#define OP_REQUEST     1
#define OP_REPLY       2
#define ETHERNET       1
#define FLAG_BROADCAST 0x8000u
#define MAGIC          UINT32_C(0x63825363)
#define OPTIONS_OFFSET 240
#define SMALLEST       300 /* BOOTP's size; relays and old clients drop what is shorter */
#define LEASE_SECONDS  86400
#define OPTION_PAD     0
#define OPTION_END     255
#define OPTION_ADDRESS 50
#define OPTION_TYPE    53
#define OPTION_SERVER  54
#define OPTION_CLIENT  61

/* What is asked. */
struct request {
	enum dhcp_type type;
	uint32_t client;      /* ciaddr: the address that it has; 0 */
	uint32_t wanted;      /* option 50; 0 */
	uint32_t server;      /* option 54; 0 */
	bool broadcast;       /* it cannot take unicast before it has an address */
	struct span header;   /* the fixed part */
	struct span identity; /* option 61, sent back (RFC 6842); empty */
};

/* The options that decide; false: they do not hold together. */
static bool read_options(struct span options, struct request *request)
{
	for (size_t at = 0; at < options.size;) {
		uint8_t code, length;
		struct span value;
		if (!get_u8(options, at++, &code))
			return false;
		if (code == OPTION_END)
			return true;
		if (code == OPTION_PAD)
			continue;
		if (!get_u8(options, at++, &length) || !span_slice(options, at, length, &value))
			return false;
		at += length;
		uint8_t type;
		if (code == OPTION_TYPE && length == 1 && get_u8(value, 0, &type) && type <= DHCP_INFORM)
			request->type = type;
		else if (code == OPTION_ADDRESS && length == 4)
			(void)!get_be32(value, 0, &request->wanted);
		else if (code == OPTION_SERVER && length == 4)
			(void)!get_be32(value, 0, &request->server);
		else if (code == OPTION_CLIENT)
			request->identity = value;
	}
	return true; /* an end that is missing has never stopped a server */
}

static bool read_request(struct span bytes, struct request *request)
{
	uint8_t op, hardware, length;
	uint16_t flags;
	uint32_t relay, magic;
	*request = (struct request){ 0 };
	if (!get_u8(bytes, 0, &op) || !get_u8(bytes, 1, &hardware) || !get_u8(bytes, 2, &length) ||
	    !get_be16(bytes, 10, &flags) || !get_be32(bytes, 12, &request->client) ||
	    !get_be32(bytes, 24, &relay) || !get_be32(bytes, 236, &magic) ||
	    !span_slice(bytes, 0, OPTIONS_OFFSET, &request->header))
		return false;
	if (op != OP_REQUEST || hardware != ETHERNET || length != 6 || relay != 0 || magic != MAGIC)
		return false;
	request->broadcast = flags & FLAG_BROADCAST;
	return read_options(span_from(bytes, OPTIONS_OFFSET), request) && request->type != DHCP_NONE;
}

/* RFC 2131, section 4.3: what each request has for an answer. */
static enum dhcp_type decide(const struct request *request)
{
	uint32_t address = request->wanted ? request->wanted : request->client;
	switch (request->type) {
	case DHCP_DISCOVER:
		return DHCP_OFFER;
	case DHCP_REQUEST:
		if (request->server && request->server != PLATFORM_METADATA)
			return DHCP_NONE; /* it chose another server's offer */
		return address == PLATFORM_ADDRESS ? DHCP_ACK : DHCP_NAK;
	case DHCP_INFORM:
		return request->client ? DHCP_ACK : DHCP_NONE;
	default:
		return DHCP_NONE;
	}
}

static void put_option(struct text *out, unsigned code, const char *value)
{
	struct span text = span_text(value);
	put_u8(out, code);
	put_u8(out, (unsigned)text.size);
	text_add_span(out, text);
}

static void put_option_32(struct text *out, unsigned code, uint32_t value)
{
	put_u8(out, code);
	put_u8(out, 4);
	put_be32(out, value);
}

/* A domain name in DNS's form, without compression: labels with their length, and an empty one. */
static void put_domain(struct text *out, const char *name)
{
	while (*name) {
		size_t length = 0;
		while (name[length] && name[length] != '.')
			length++;
		put_u8(out, (unsigned)length);
		text_add_span(out, span_of(name, length));
		name += length + (name[length] == '.');
	}
	put_u8(out, 0);
}

/* 119, RFC 3397: the platform has names looked up in the project's zone, then in its own. */
static void put_search(struct text *out)
{
	struct text domains = { 0 };
	put_domain(&domains, PLATFORM_DOMAIN);
	put_domain(&domains, "google.internal");
	put_u8(out, 119);
	put_u8(out, (unsigned)domains.size);
	text_add_span(out, text_bytes(&domains));
	text_free(&domains);
}

/* 121, RFC 3442: 10.128.0.1/32 lies on the link, everything else behind it. */
static void put_routes(struct text *out)
{
	put_u8(out, 121);
	put_u8(out, 14);
	put_u8(out, 32);
	put_be32(out, PLATFORM_GATEWAY);
	put_be32(out, 0);
	put_u8(out, 0);
	put_be32(out, PLATFORM_GATEWAY);
}

static void put_settings(struct text *out)
{
	put_option_32(out, 1, UINT32_MAX); /* netmask: the address stands alone */
	put_option_32(out, 3, PLATFORM_GATEWAY);
	put_option_32(out, 6, PLATFORM_METADATA); /* DNS */
	put_option(out, 12, PLATFORM_HOST);
	put_option(out, 15, PLATFORM_DOMAIN);
	put_u8(out, 26);
	put_u8(out, 2);
	put_be16(out, NETWORK_MTU);
	put_option_32(out, 42, PLATFORM_METADATA); /* NTP */
	put_search(out);
	put_routes(out);
}

static void put_reply(struct text *out, const struct request *request, enum dhcp_type type)
{
	struct span xid, relayed, hardware;
	bool leases = request->type != DHCP_INFORM && type != DHCP_NAK;
	if (!span_slice(request->header, 4, 4, &xid) || !span_slice(request->header, 10, 2, &relayed) ||
	    !span_slice(request->header, 28, 16, &hardware))
		return; /* read_request() took the whole header */
	put_u8(out, OP_REPLY);
	put_u8(out, ETHERNET);
	put_u8(out, 6);
	put_u8(out, 0);
	text_add_span(out, xid);
	put_be16(out, 0);
	text_add_span(out, relayed); /* the flags */
	put_be32(out, type == DHCP_NAK ? 0 : request->client);
	put_be32(out, leases ? PLATFORM_ADDRESS : 0);
	put_zeros(out, 8); /* no next server, no relay */
	text_add_span(out, hardware);
	put_zeros(out, 64 + 128);
	put_be32(out, MAGIC);
	put_u8(out, OPTION_TYPE);
	put_u8(out, 1);
	put_u8(out, type);
	put_option_32(out, OPTION_SERVER, PLATFORM_METADATA);
	if (leases)
		put_option_32(out, 51, LEASE_SECONDS);
	if (type != DHCP_NAK)
		put_settings(out);
	if (request->identity.size) {
		put_u8(out, OPTION_CLIENT);
		put_u8(out, (unsigned)request->identity.size);
		text_add_span(out, request->identity);
	}
	put_u8(out, OPTION_END);
	if (out->size < SMALLEST)
		put_zeros(out, SMALLEST - out->size);
}

void dhcp_answer(struct span bytes, struct dhcp_answer *out)
{
	struct request request;
	*out = (struct dhcp_answer){ .address = PLATFORM_ADDRESS };
	if (!read_request(bytes, &request))
		return;
	out->type = decide(&request);
	if (out->type == DHCP_NONE)
		return;
	/* A refusal goes to all: the client may have no address, or believe in a wrong one. */
	out->broadcast = out->type == DHCP_NAK || (request.broadcast && request.client == 0);
	if (request.type == DHCP_INFORM)
		out->address = request.client;
	put_reply(&out->datagram, &request, out->type);
}
