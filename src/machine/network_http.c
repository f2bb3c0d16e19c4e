#include "machine/network_private.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PATHS_MOST 64

static void accept_ready(void *context, int descriptor, short events);
static void connection_ready(void *context, int descriptor, short events);

static struct http_connection *find_connection(struct network *network, int socket)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		if (network->own->http[i].socket == socket)
			return &network->own->http[i];
	return NULL;
}

static void close_connection(struct network *network, struct http_connection *connection)
{
	loop_forget(network->loop, connection->socket);
	close(connection->socket);
	text_free(&connection->received);
	text_free(&connection->sending);
	text_free(&connection->held);
	*connection = (struct http_connection){ .socket = -1 };
	/* There is room for another one. */
	loop_watch(network->loop, network->own->netns.http, POLLIN, accept_ready, network);
}

/* Bytes at the front that are done with. */
static void drop_front(struct text *text, size_t count)
{
	struct text rest = { 0 };
	text_add_span(&rest, span_from(span_of(text_get(text), text->size), count));
	text_free(text);
	*text = rest;
}

static void keep_path(struct network *network, const char *path)
{
	struct network_seen *seen = &network->seen;
	seen->metadata_requests++;
	if (seen->metadata_paths.count < PATHS_MOST && *path)
		*LIST_ADD(network->arena, &seen->metadata_paths) = arena_strdup(network->arena, path);
}

/* One tick a second while a response is held. */
static void set_timer(struct network *network)
{
	bool held = false;
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		held = held || network->own->http[i].until > 0;
	struct itimerspec ticks = { .it_interval.tv_sec = held, .it_value.tv_sec = held };
	timerfd_settime(network->own->timer, 0, &ticks, NULL);
}

/* Answers the requests that have come whole; one that waits stops those behind it. */
static void answer(struct network *network, struct http_connection *connection)
{
	while (!connection->closes && connection->until <= 0 && connection->received.size > 0) {
		struct metadata_reply reply;
		metadata_answer(span_of(connection->received.data, connection->received.size), &reply);
		if (reply.outcome == METADATA_MORE) {
			metadata_reply_free(&reply);
			return;
		}
		keep_path(network, text_get(&reply.path));
		drop_front(&connection->received, reply.consumed);
		bool waits = reply.outcome == METADATA_WAIT && network->own->timer >= 0;
		text_add_span(waits ? &connection->held : &connection->sending,
		              span_of(reply.response.data, reply.response.size));
		connection->closes = reply.close;
		if (waits) {
			connection->until = seconds_now() + reply.wait_seconds;
			set_timer(network);
		}
		metadata_reply_free(&reply);
	}
}

/* Sends what can be sent; false: the connection is over. */
static bool send_some(struct http_connection *connection)
{
	while (connection->sending.size > 0) {
		ssize_t sent = send(connection->socket, connection->sending.data, connection->sending.size,
		                    MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR;
		drop_front(&connection->sending, (size_t)sent);
	}
	return !connection->closes || connection->until > 0;
}

/* What is to be done after anything has changed. */
static void go_on(struct network *network, struct http_connection *connection)
{
	answer(network, connection);
	if (!send_some(connection)) {
		close_connection(network, connection);
		return;
	}
	/* A guest that asks and does not read is not read from either. */
	short events = connection->sending.size > 0 ? POLLOUT : POLLIN;
	loop_watch(network->loop, connection->socket, events, connection_ready, network);
}

static void connection_ready(void *context, int descriptor, short events)
{
	struct network *network = context;
	struct http_connection *connection = find_connection(network, descriptor);
	if (!connection)
		return;
	if (events & (POLLIN | POLLHUP | POLLERR)) {
		ssize_t got = recv(descriptor, network->own->buffer, METADATA_REQUEST_MOST, 0);
		bool flood = connection->received.size > 2 * METADATA_REQUEST_MOST;
		if (got == 0 || flood || (got < 0 && errno != EAGAIN && errno != EINTR)) {
			close_connection(network, connection);
			return;
		}
		if (got > 0)
			text_add_span(&connection->received, span_of(network->own->buffer, (size_t)got));
	}
	go_on(network, connection);
}

static void accept_ready(void *context, int descriptor, short events)
{
	struct network *network = context;
	(void)events;
	struct http_connection *connection = find_connection(network, -1);
	if (!connection) {
		loop_forget(network->loop, descriptor);
		return;
	}
	int accepted = accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (accepted < 0)
		return;
	connection->socket = accepted;
	loop_watch(network->loop, accepted, POLLIN, connection_ready, network);
}

/* Responses whose time has come go out as they are: nothing has changed. */
static void timer_ready(void *context, int descriptor, short events)
{
	struct network *network = context;
	uint64_t ticks;
	(void)events;
	(void)!read(descriptor, &ticks, sizeof(ticks));
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		struct http_connection *connection = &network->own->http[i];
		if (connection->until <= 0 || connection->until > seconds_now())
			continue;
		connection->until = 0;
		text_add_span(&connection->sending, span_of(connection->held.data, connection->held.size));
		text_clear(&connection->held);
		go_on(network, connection);
	}
	set_timer(network);
}

void http_open(struct network *network)
{
	struct network_private *own = network->own;
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		own->http[i] = (struct http_connection){ .socket = -1 };
	own->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (own->timer >= 0)
		loop_watch(network->loop, own->timer, POLLIN, timer_ready, network);
	loop_watch(network->loop, own->netns.http, POLLIN, accept_ready, network);
}

void http_close(struct network *network)
{
	struct network_private *own = network->own;
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		if (own->http[i].socket >= 0)
			close_connection(network, &own->http[i]);
	loop_forget(network->loop, own->netns.http);
	if (own->timer >= 0) {
		loop_forget(network->loop, own->timer);
		close(own->timer);
	}
}
