#include "machine/qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A busy host: the machine starts in some seconds, and answers at once from then on. */
#define GREETING_SECONDS 30.0
#define REPLY_SECONDS    10.0

/* What a line may hold: QEMU's replies are some levels deep and some thousand members long. jansson descends
 * by recursion, and takes a hundred times the bytes of "[[],[],..." */
#define DEPTH_MOST   32
#define MEMBERS_MOST 65536

/* What a run asks takes some hundred KiB: more is events that the guest makes. */
#define LOG_MOST ((uint64_t)64 << 20)

/* One line of the log, for each direction. */
static void log_line(struct qmp *qmp, struct span line)
{
	qmp->line++;
	qmp->logged += line.size;
	if (qmp->logged > LOG_MOST)
		qmp->log.file = -1;
	struct text whole CLEANUP(text_free) = { 0 };
	text_add_span(&whole, line);
	text_add_char(&whole, '\n');
	log_write(&qmp->log, span_of(whole.data, whole.size));
}

/* The other end is not to be talked to any more. */
static void give_up(struct qmp *qmp)
{
	if (qmp->socket >= 0)
		loop_forget(qmp->loop, qmp->socket);
	qmp->socket = -1;
}

/* Is the line small enough to be parsed? Counts what stands outside strings. */
static bool is_modest(struct span line)
{
	size_t depth = 0, members = 0;
	bool string = false;
	for (size_t i = 0; i < line.size; i++) {
		uint8_t byte = line.data[i];
		if (string && byte == '\\')
			i++;
		else if (byte == '"')
			string = !string;
		else if (string)
			continue;
		else if (byte == '{' || byte == '[')
			depth++, members++;
		else if ((byte == '}' || byte == ']') && depth > 0)
			depth--;
		else if (byte == ',')
			members++;
		if (depth > DEPTH_MOST || members > MEMBERS_MOST)
			return false;
	}
	return true;
}

/* Printable, and cut where a character ends: it may go into a report. */
static void copy(char *out, size_t capacity, const char *text)
{
	struct text clean CLEANUP(text_free) = { 0 };
	text_add_clean(&clean, span_text(text ? text : ""));
	snprintf(out, capacity, "%.*s", (int)str_fit(text_get(&clean), capacity - 1), text_get(&clean));
}

static bool is_known(const char *name)
{
	static const char *const names[] = { "GUEST_PANICKED", "SHUTDOWN", "STOP", "RESET",
		                             "DEVICE_DELETED" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_equal(names[i], name))
			return true;
	return false;
}

/* A guest has others sent as often as it likes, and must not take the room of those that count. */
static void take_event(struct qmp *qmp, const char *name, const json_t *data)
{
	if (qmp->event_count == QMP_EVENTS_MOST || !is_known(name))
		return;
	struct qmp_event event = { 0 };
	const char *detail = NULL;
	static const char *const members[] = { "reason", "action", "device" };
	for (size_t i = 0; i < ARRAY_SIZE(members) && !detail; i++)
		detail = json_string_value(json_object_get(data, members[i]));
	copy(event.name, sizeof(event.name), name);
	copy(event.detail, sizeof(event.detail), detail);
	const struct qmp_event *last = qmp->event_count > 0 ? &qmp->events[qmp->event_count - 1] : NULL;
	if (!last || !str_equal(last->name, event.name) || !str_equal(last->detail, event.detail))
		qmp->events[qmp->event_count++] = event;
}

static bool take_message(struct qmp *qmp, const json_t *message, struct error *error)
{
	const json_t *id = json_object_get(message, "id");
	const char *event = json_string_value(json_object_get(message, "event"));
	if (!qmp->greeted) {
		if (!json_is_object(json_object_get(message, "QMP")))
			return error_set(error, ERROR_CORRUPT, "it does not greet as QEMU's monitor does");
		qmp->greeted = true;
	} else if (event) {
		take_event(qmp, event, json_object_get(message, "data"));
	} else if (json_is_integer(id) && qmp->waiting_id > 0 && !qmp->reply &&
	           (uint64_t)json_integer_value(id) == qmp->waiting_id) {
		qmp->reply = json_incref((json_t *)message);
		qmp->reply_line = qmp->line;
	}
	/* Anything else is the reply to a command that was given up. */
	return true;
}

static bool take_line(struct qmp *qmp, struct span line, struct error *error)
{
	line = span_trim(line);
	log_line(qmp, line);
	if (line.size == 0)
		return true;
	if (!is_modest(line))
		return error_set(error, ERROR_LIMIT, "a line of more than %d levels or %d members",
		                 DEPTH_MOST, MEMBERS_MOST);
	json_error_t where;
	json_t *message = json_loadb((const char *)line.data, line.size, 0, &where);
	bool taken = json_is_object(message)
	                     ? take_message(qmp, message, error)
	                     : error_set(error, ERROR_CORRUPT, "a line is no JSON object: %.80s", where.text);
	json_decref(message);
	return taken;
}

/* Takes the lines that are complete, and keeps the rest. */
static bool take_lines(struct qmp *qmp, struct error *error)
{
	struct span all = span_of(qmp->received.data, qmp->received.size);
	size_t begin = 0, end;
	while ((end = span_find(all, qmp->searched, "\n", 1)) != SIZE_MAX) {
		if (!take_line(qmp, span_of(all.data + begin, end - begin), error))
			return false;
		begin = qmp->searched = end + 1;
	}
	qmp->searched = all.size;
	if (all.size - begin > QMP_LINE_MOST)
		return error_set(error, ERROR_LIMIT, "a line of more than %zu bytes", QMP_LINE_MOST);
	if (begin == 0)
		return true;
	struct text rest = { 0 };
	text_add_span(&rest, span_from(all, begin));
	text_free(&qmp->received);
	qmp->received = rest;
	qmp->searched = rest.size;
	return true;
}

static void ready(void *context, int descriptor, short events)
{
	(void)events;
	struct qmp *qmp = context;
	static const char gone[] = "it has ended";
	char bytes[65536];
	ssize_t got = recv(descriptor, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		error_fill(&qmp->broken, ERROR_IO, "%s%s%s", gone, got < 0 ? ": " : "",
		           got < 0 ? strerror(errno) : "");
		give_up(qmp);
		return;
	}
	text_add_span(&qmp->received, span_of(bytes, (size_t)got));
	if (!take_lines(qmp, &qmp->broken)) {
		text_clear(&qmp->received);
		give_up(qmp);
	}
}

static bool is_answered(void *context)
{
	const struct qmp *qmp = context;
	return qmp->reply || qmp->socket < 0;
}

static bool is_greeted(void *context)
{
	const struct qmp *qmp = context;
	return qmp->greeted || qmp->socket < 0;
}

static bool is_gone(const struct qmp *qmp, struct error *error)
{
	if (qmp->socket >= 0)
		return false;
	error_fill(error, qmp->broken.code == ERROR_NONE ? ERROR_IO : qmp->broken.code, "%s",
	           qmp->broken.code == ERROR_NONE ? "it has ended" : qmp->broken.message);
	return true;
}

static bool send_line(struct qmp *qmp, struct span line, struct error *error)
{
	double end = seconds_now() + qmp->patience;
	for (size_t done = 0; done < line.size;) {
		ssize_t sent =
			send(qmp->socket, line.data + done, line.size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent >= 0) {
			done += (size_t)sent;
			continue;
		}
		if (errno == EAGAIN && seconds_now() < end && !qmp->loop->stopped) {
			struct pollfd writable = { .fd = qmp->socket, .events = POLLOUT };
			(void)poll(&writable, 1, 100);
			continue;
		}
		if (errno == EINTR)
			continue;
		error_fill(error, errno == EAGAIN ? ERROR_LIMIT : ERROR_IO, "%s",
		           errno == EAGAIN ? "it takes no commands" : "it has ended");
		/* Half a command may be out: there is no way on. */
		qmp->broken = *error;
		give_up(qmp);
		return false;
	}
	return true;
}

static bool send_command(struct qmp *qmp, const char *command, json_t *arguments, struct error *error)
{
	json_t *message = json_pack("{s:s, s:o*, s:I}", "execute", command, "arguments", arguments, "id",
	                            (json_int_t)qmp->waiting_id);
	char *line = message ? json_dumps(message, JSON_COMPACT) : NULL;
	json_decref(message);
	if (!line)
		return error_set(error, ERROR_USAGE, "the command has words that are not UTF-8");
	struct text whole CLEANUP(text_free) = { 0 };
	text_printf(&whole, "%s\n", line);
	log_line(qmp, span_text(line));
	free(line);
	return send_line(qmp, span_of(whole.data, whole.size), error);
}

/* The reply's member "return"; its error as ours. */
static bool open_reply(const json_t *reply, json_t **out, struct error *error)
{
	json_t *value = json_object_get(reply, "return");
	const json_t *refused = json_object_get(reply, "error");
	const char *words = json_string_value(json_object_get(refused, "desc"));
	if (refused) {
		struct text clean CLEANUP(text_free) = { 0 };
		text_add_clean(&clean, span_text(words ? words : "no reason was given"));
		return error_set(error, ERROR_UNSUPPORTED, "%s", text_get(&clean));
	}
	if (!value)
		return error_set(error, ERROR_CORRUPT, "a reply without a value");
	if (out)
		*out = json_incref(value);
	return true;
}

static bool wait_reply(struct qmp *qmp, json_t **out, struct error *error)
{
	loop_until(qmp->loop, qmp->patience, is_answered, qmp);
	if (qmp->reply)
		return open_reply(qmp->reply, out, error);
	if (is_gone(qmp, error))
		return false;
	if (qmp->loop->stopped)
		return error_set(error, ERROR_IO, "interrupted");
	return error_set(error, ERROR_LIMIT, "no reply within %.0f seconds", qmp->patience);
}

bool qmp_ask(struct qmp *qmp, const char *command, json_t *arguments, json_t **out, struct error *error)
{
	if (out)
		*out = NULL;
	if (is_gone(qmp, error)) {
		json_decref(arguments);
		return error_wrap(error, "QEMU, asked for %s", command);
	}
	qmp->waiting_id = ++qmp->next_id;
	bool answered = send_command(qmp, command, arguments, error) && wait_reply(qmp, out, error);
	qmp->waiting_id = 0;
	json_decref(qmp->reply);
	qmp->reply = NULL;
	return answered || error_wrap(error, "QEMU, asked for %s", command);
}

bool qmp_open(int socket, struct loop *loop, int log, struct qmp *out, struct error *error)
{
	*out = (struct qmp){ .loop = loop, .socket = socket, .log.file = log, .patience = REPLY_SECONDS };
	loop_watch(loop, socket, POLLIN, ready, out);
	if (!loop_until(loop, GREETING_SECONDS, is_greeted, out) || !out->greeted) {
		if (is_gone(out, error))
			return error_wrap(error, "QEMU's monitor");
		return error_set(error, loop->stopped ? ERROR_IO : ERROR_LIMIT, "QEMU's monitor: %s",
		                 loop->stopped ? "interrupted" : "it does not greet");
	}
	return qmp_ask(out, "qmp_capabilities", NULL, NULL, error) &&
	       qmp_ask(out, "query-commands", NULL, &out->commands, error);
}

void qmp_close(struct qmp *qmp)
{
	give_up(qmp);
	json_decref(qmp->reply);
	json_decref(qmp->commands);
	text_free(&qmp->received);
	qmp->reply = qmp->commands = NULL;
}

bool qmp_has(const struct qmp *qmp, const char *command)
{
	size_t index;
	json_t *item;
	json_array_foreach(
		qmp->commands, index,
		item) if (str_equal(json_string_value(json_object_get(item, "name")), command)) return true;
	return false;
}

bool qmp_monitor(struct qmp *qmp, const char *command, struct text *out, struct error *error)
{
	json_t *answer = NULL;
	text_clear(out);
	if (!qmp_ask(qmp, "human-monitor-command", json_pack("{s:s}", "command-line", command), &answer,
	             error))
		return false;
	bool is_text = json_is_string(answer);
	if (is_text)
		text_add(out, json_string_value(answer));
	json_decref(answer);
	return is_text || error_set(error, ERROR_CORRUPT, "QEMU, asked for '%s': no text", command);
}

uint64_t qmp_note(struct qmp *qmp, const char *kind, const char *text)
{
	struct text clean CLEANUP(text_free) = { 0 };
	text_add_clean(&clean, span_text(text));
	json_t *note = json_pack("{s:s}", kind, text_get(&clean));
	char *line = json_dumps(note, JSON_COMPACT);
	log_line(qmp, span_text(line ? line : "{}"));
	free(line);
	json_decref(note);
	return qmp->line;
}

bool qmp_saw(const struct qmp *qmp, size_t from, const char *name, const char *detail)
{
	for (size_t i = from; i < qmp->event_count; i++)
		if (str_equal(qmp->events[i].name, name) &&
		    (!detail || str_equal(qmp->events[i].detail, detail)))
			return true;
	return false;
}
