#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine/bytes.h"
#include "machine/network_private.h"
#include "machine/platform.h"

/*
 * Segments so small that what a server writes at once (the key exchange of SSH has a thousand bytes) fills
 * several: its kernel hands them to the device as one frame. Linux takes no less than 88.
 */
#define SMALL_SEGMENT 256

/* Sent at once to a guest that asks for ordinary segments: our kernel hands those over as large frames. */
#define LARGE_WRITE 24576

#define CONVERSATIONS_MOST 3

#define KEPT_MOST 256 /* of what the other end says first */

/* Where something listens, the likeliest first; what is sent makes it answer at length. */
static const struct service {
	uint16_t port;
	const char *name;
	const char *greeting;
} services[] = {
	{ 22, "SSH", "SSH-2.0-slipway\r\n" },
	{ 80, "HTTP", "GET / HTTP/1.0\r\nHost: " NETWORK_ADDRESS "\r\n\r\n" },
	{ 443, NULL, "" },
	{ 25, "SMTP", "" },
	{ 111, NULL, "" },  /* rpcbind */
	{ 5355, NULL, "" }, /* systemd-resolved's LLMNR */
	{ 8080, "HTTP", "GET / HTTP/1.0\r\nHost: " NETWORK_ADDRESS "\r\n\r\n" },
	{ 7, "echo", "" },
	{ 19, "chargen", "" },
};

enum dial_state {
	DIAL_WAITS,
	DIAL_CONNECTED,
	DIAL_REFUSED, /* something is there, and listens not */
	DIAL_CLOSED,
};

struct dial {
	struct network *network;
	int socket; /* borrowed from the namespace */
	enum dial_state state;
	struct text said; /* its first bytes */
};

static void dial_ready(void *context, int descriptor, short events)
{
	struct dial *dial = context;
	(void)events;
	if (dial->state == DIAL_WAITS) {
		int reason = 0;
		socklen_t length = sizeof(reason);
		getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &reason, &length);
		dial->state = reason == 0 ? DIAL_CONNECTED : DIAL_REFUSED;
		loop_watch(dial->network->loop, descriptor, POLLIN, dial_ready, dial);
		if (reason != 0)
			loop_forget(dial->network->loop, descriptor);
		return;
	}
	ssize_t got = recv(descriptor, dial->network->own->buffer, NETWORK_BUFFER, 0);
	if (got > 0 && dial->said.size < KEPT_MOST) {
		size_t room = KEPT_MOST - dial->said.size;
		text_add_span(&dial->said,
		              span_of(dial->network->own->buffer, (size_t)got < room ? (size_t)got : room));
	}
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		dial->state = DIAL_CLOSED;
		loop_forget(dial->network->loop, descriptor);
	}
}

static bool dial_answered(void *context)
{
	return ((struct dial *)context)->state != DIAL_WAITS;
}

static bool dial_closed(void *context)
{
	return ((struct dial *)context)->state == DIAL_CLOSED;
}

static bool dial_saw_out(void *context)
{
	const struct dial *dial = context;
	return dial->state == DIAL_CLOSED || dial->network->seen.tso_out > 0;
}

/* All that was written is acknowledged, and the frames that show it have come. */
static bool dial_saw_in(void *context)
{
	const struct dial *dial = context;
	return dial->state == DIAL_CLOSED || dial->network->seen.tso_in > 0;
}

/* Makes the socket one that was never connected. */
static void dial_reset(const struct dial *dial)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	loop_forget(dial->network->loop, dial->socket);
	(void)!connect(dial->socket, &nowhere, sizeof(nowhere));
}

/* Connects with segments of at most `segment` bytes, 0 for the usual. */
static void dial_begin(struct dial *dial, struct network *network, int socket, uint16_t port, int segment)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons(port),
		                  .sin_addr.s_addr = htonl(PLATFORM_ADDRESS) };
	const int on = 1;
	*dial = (struct dial){ .network = network, .socket = socket };
	dial_reset(dial);
	setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(socket, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
	if (connect(socket, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS) {
		dial->state = DIAL_REFUSED;
		return;
	}
	loop_watch(network->loop, socket, POLLOUT, dial_ready, dial);
}

static void say(const struct dial *dial, struct span bytes)
{
	if (dial->state == DIAL_CONNECTED && bytes.size > 0)
		(void)!send(dial->socket, bytes.data, bytes.size, MSG_NOSIGNAL);
}

/*
 * RFC 4253, section 6: a packet of SSH before keys are exchanged is its length behind these four bytes, the
 * length of the padding (4 at least, all together a multiple of 8), the message, the padding.
 */
static void put_ssh_packet(struct text *out, struct span message)
{
	size_t padding = 8 - (4 + 1 + message.size) % 8;
	if (padding < 4)
		padding += 8;
	put_be32(out, (uint32_t)(1 + message.size + padding));
	put_u8(out, (unsigned)padding);
	text_add_span(out, message);
	put_zeros(out, padding);
}

/* SSH_MSG_IGNORE (2): a string that the other end throws away. */
static void put_ssh_ignore(struct text *out, size_t size)
{
	struct text message = { 0 };
	put_u8(&message, 2);
	put_be32(&message, (uint32_t)size);
	put_zeros(&message, size);
	put_ssh_packet(out, text_bytes(&message));
	text_free(&message);
}

/* SSH_MSG_DISCONNECT (1), "by application" (11), with a description and no language. */
static void put_ssh_disconnect(struct text *out)
{
	struct text message = { 0 };
	put_u8(&message, 1);
	put_be32(&message, 11);
	put_be32(&message, 4);
	text_add(&message, "done");
	put_be32(&message, 0);
	put_ssh_packet(out, text_bytes(&message));
	text_free(&message);
}

/* Something large that does no harm where it arrives. */
static void say_much(const struct dial *dial, const struct service *service)
{
	struct text much = { 0 };
	if (str_equal(service->name, "SSH")) {
		text_add(&much, service->greeting);
		put_ssh_ignore(&much, LARGE_WRITE);
	} else if (str_equal(service->name, "HTTP")) {
		text_printf(&much,
		            "POST / HTTP/1.0\r\nHost: " NETWORK_ADDRESS "\r\nContent-Length: %d\r\n\r\n",
		            LARGE_WRITE);
		put_zeros(&much, LARGE_WRITE);
	} else {
		for (size_t i = 0; i < LARGE_WRITE; i++)
			text_add_char(&much, '\n');
	}
	say(dial, text_bytes(&much));
	text_free(&much);
}

static void dial_end(struct dial *dial, const struct service *service)
{
	struct text goodbye = { 0 };
	if (str_equal(service->name, "SSH"))
		put_ssh_disconnect(&goodbye);
	say(dial, text_bytes(&goodbye));
	text_free(&goodbye);
	if (dial->state == DIAL_CONNECTED) {
		shutdown(dial->socket, SHUT_WR);
		loop_until(dial->network->loop, 1, dial_closed, dial);
	}
	dial_reset(dial);
	text_free(&dial->said);
}

/* "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7 on TCP port 22" */
static void keep_conversation(struct network *network, const struct dial *dial, const struct service *service)
{
	struct text clean = { 0 };
	struct span rest = span_of(dial->said.data, dial->said.size), line = { 0 };
	bool greets = span_has(rest, 0, "SSH-", 4) && span_next_line(&rest, &line);
	if (greets)
		text_add_clean(&clean, span_trim(line));
	else
		text_add(&clean, service->name ? service->name : "a conversation");
	network->conversation =
		arena_printf(network->arena, "%s on TCP port %u", text_get(&clean), service->port);
	text_free(&clean);
}

static double left_of(double end, double most)
{
	double left = end - seconds_now();
	return left < most ? left : most;
}

/*
 * Asks for small segments, so that what the service writes at once leaves the guest as a large frame. What
 * came of the connection.
 */
static enum dial_state ask_for_much(struct network *network, const struct service *service, double end)
{
	struct dial dial;
	dial_begin(&dial, network, network->own->netns.conversations[0], service->port, SMALL_SEGMENT);
	loop_until(network->loop, left_of(end, 3), dial_answered, &dial);
	enum dial_state state = dial.state;
	if (state == DIAL_CONNECTED) {
		say(&dial, span_text(service->greeting));
		loop_until(network->loop, left_of(end, 8), dial_saw_out, &dial);
		keep_conversation(network, &dial, service);
	}
	dial_end(&dial, service);
	return state;
}

static void send_much(struct network *network, const struct service *service, double end)
{
	struct dial dial;
	dial_begin(&dial, network, network->own->netns.conversations[1], service->port, 0);
	loop_until(network->loop, left_of(end, 3), dial_answered, &dial);
	if (dial.state == DIAL_CONNECTED) {
		say_much(&dial, service);
		loop_until(network->loop, left_of(end, 5), dial_saw_in, &dial);
	}
	dial_end(&dial, service);
}

/* Is all seen that is looked for: that something `answers` alone, or all that frames can show? */
static bool is_enough(const struct network *network, bool answers)
{
	return answers ? network->conversation != NULL : network_seen_all(&network->seen);
}

/* Tries each service in turn. False: the guest does not answer at all. */
static bool try_services(struct network *network, bool any, double end, unsigned *conversations)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		if (is_enough(network, any) || network->loop->stopped || left_of(end, 1) <= 0)
			return true;
		enum dial_state state = ask_for_much(network, &services[i], end);
		if (state == DIAL_WAITS)
			return false; /* nor will it on other ports */
		if (state != DIAL_CONNECTED)
			continue;
		++*conversations;
		if (network->seen.tso_in == 0)
			send_much(network, &services[i], end);
	}
	return true;
}

static const char *silence_of(const struct network *network, bool answers)
{
	if (answers)
		return "no TCP conversation came about: nothing in the guest listens";
	if (network->seen.has_address)
		return "no TCP conversation came about: the guest does not answer";
	return "no TCP conversation came about: the guest does not use the address " NETWORK_ADDRESS;
}

static void converse(struct network *network, bool any, double seconds)
{
	double end = seconds_now() + seconds;
	unsigned conversations = 0;
	if (!network->own)
		return;
	/* What has not shown itself in so many will not. */
	while (!is_enough(network, any) && conversations < CONVERSATIONS_MOST && left_of(end, 1) > 0 &&
	       !network->loop->stopped) {
		bool answers = try_services(network, any, end, &conversations);
		network->silence = silence_of(network, answers);
		/* The guest may be on its way up, and what it sent last on its way here. */
		loop_until(network->loop, left_of(end, 1), NULL, NULL);
	}
	if (network->conversation)
		network->silence = NULL;
}

void network_converse(struct network *network, double seconds)
{
	converse(network, false, seconds);
}

bool network_answers(struct network *network, double seconds)
{
	converse(network, true, seconds);
	return network->conversation != NULL;
}
