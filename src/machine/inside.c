#include "machine/inside.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine/embedded.h"

/* A line that is none of ours; longer ones are cut. */
#define LINE_MOST 256

void inside_open(struct inside *inside, int file, int port)
{
	*inside = (struct inside){ .file = file, .port = port };
}

void inside_free(struct inside *inside)
{
	for (size_t i = 0; i < ARRAY_SIZE(inside->pending); i++)
		text_free(&inside->pending[i]);
}

bool inside_done(const struct inside *inside)
{
	return inside->state == INSIDE_BROKEN ||
	       (inside->state == INSIDE_COMPLETE && inside->port_seen[2] && inside->port_seen[3]);
}

static void give_up(struct inside *inside, const char *reason)
{
	inside->state = INSIDE_BROKEN;
	inside->reason = reason;
}

/* The guest listens: it is sent what it shall do. The socket takes that much at once. */
static void send_script(struct inside *inside)
{
	ssize_t sent;
	do {
		sent = send(inside->port, capture_script, capture_script_size, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0 || (size_t)sent < capture_script_size)
		give_up(inside, "the script of the capture could not be sent over ttyS1");
	else
		inside->state = INSIDE_ASKED;
}

static void begin(struct inside *inside, const char *size)
{
	if (!str_to_u64(size, &inside->announced) || inside->announced == 0)
		give_up(inside, "the guest announced a capture without a size");
	else if (inside->announced > INSIDE_MOST)
		give_up(inside, "the guest announced a capture of more than 16 MiB");
	else
		inside->state = INSIDE_SENDING;
	/* It does what it was told there, and answers there. */
	inside->port_seen[1] = inside->state == INSIDE_SENDING;
}

static void take_line(struct inside *inside, unsigned port, const char *line)
{
	if (port != 1)
		inside->port_seen[port] |= str_equal(line, INSIDE_PORT);
	else if (inside->state == INSIDE_WAITING && str_equal(line, INSIDE_READY))
		send_script(inside);
	else if (inside->state == INSIDE_ASKED && str_starts(line, INSIDE_BEGIN))
		begin(inside, line + strlen(INSIDE_BEGIN));
	else if (inside->state == INSIDE_ASKED && str_starts(line, INSIDE_FAILED))
		give_up(inside, "the guest could not make a capture");
	else if (inside->state == INSIDE_SENDING && str_equal(line, INSIDE_END))
		inside->state = INSIDE_COMPLETE;
	else if (inside->state == INSIDE_SENDING)
		give_up(inside, "the capture does not end where the guest said that it would");
}

/* Bytes of the capture; returns how many were. */
static size_t take_bytes(struct inside *inside, struct span bytes)
{
	uint64_t left = inside->announced - inside->size;
	size_t count = bytes.size < left ? bytes.size : (size_t)left;
	for (size_t at = 0; at < count;) {
		ssize_t written = write(inside->file, bytes.data + at, count - at);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			give_up(inside, "the capture cannot be written to a temporary file");
			return count;
		}
		at += (size_t)written;
	}
	inside->size += count;
	return count;
}

static bool in_capture(const struct inside *inside, unsigned port)
{
	return port == 1 && inside->state == INSIDE_SENDING && inside->size < inside->announced;
}

/* A terminal that nobody has set up ends its lines with CR and LF. */
static void end_line(struct inside *inside, unsigned port)
{
	struct text *line = &inside->pending[port];
	while (line->size > 0 && line->data[line->size - 1] == '\r')
		line->data[--line->size] = '\0';
	/* Between two sessions of one line nothing is said. */
	if (line->size > 0)
		take_line(inside, port, text_get(line));
	text_clear(line);
}

void inside_feed(struct inside *inside, unsigned port, struct span bytes)
{
	if (port == 0 || port >= ARRAY_SIZE(inside->pending))
		return;
	for (size_t at = 0; at < bytes.size && inside->state != INSIDE_BROKEN;) {
		if (in_capture(inside, port)) {
			at += take_bytes(inside, span_from(bytes, at));
			continue;
		}
		char next = (char)bytes.data[at++];
		if (next == '\n')
			end_line(inside, port);
		else if (next && inside->pending[port].size < LINE_MOST)
			text_add_char(&inside->pending[port], next);
	}
}

/*
 * The shell opens the port once and for all, so that nothing which is sent to it is lost; in raw mode, so
 * that nothing is changed. No word of it means anything to a kernel, an initramfs or systemd's own reading of
 * the line: no '%', no '$', no double quote.
 */
#define RUN                                                                                                  \
	"systemd.run=\"/bin/sh -c 'exec <>/dev/ttyS1 >&0; stty raw -echo; echo " INSIDE_READY                \
	"; exec sh'\" "                                                                                      \
	"systemd.run_success_action=none systemd.run_failure_action=none"

const char *inside_command_line(const char *command_line, struct arena *arena)
{
	const char *line = command_line ? command_line : "";
	/* What stands behind "--" is init's own. */
	const char *end = strstr(line, " -- ");
	size_t length = end ? (size_t)(end - line) : strlen(line);
	return arena_printf(arena, "%.*s%s%s%s", (int)length, line, length ? " " : "", RUN, end ? end : "");
}
