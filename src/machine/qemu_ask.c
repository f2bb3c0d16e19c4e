#include "machine/qemu_ask.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "machine/loop.h"
#include "machine/process.h"

/* A QEMU 10 says 60 KiB. */
#define ANSWERS_MOST ((size_t)4 << 20)

/* One device a line: its properties tell that it is there. */
#define DEVICE(name)                                                                                         \
	"{\"execute\":\"device-list-properties\",\"arguments\":{\"typename\":\"" name "\"},\"id\":\"" name   \
	"\"}\n"

static const char questions[] =
	"{\"execute\":\"qmp_capabilities\"}\n"
	"{\"execute\":\"qom-list-types\",\"arguments\":{\"implements\":\"accel\"},\"id\":\"accelerators\"}\n"
	/* By its type alone: a default among its properties is beyond what a JSON integer holds here. */
	"{\"execute\":\"qom-list-types\",\"arguments\":{\"implements\":\"pcie-root-port\"},\"id\":"
	"\"root-ports\"}\n"
	"{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/machine\"},\"id\":\"machine\"}\n"
	"{\"execute\":\"query-command-line-options\",\"id\":\"options\"}\n"
	"{\"execute\":\"netdev_add\",\"arguments\":{\"type\":\"user\",\"id\":\"asked\",\"restrict\":true},"
	"\"id\":\"user-network\"}\n" DEVICE("isa-serial") DEVICE("isa-fdc") DEVICE("virtio-scsi-pci")
		DEVICE("scsi-hd") DEVICE("virtio-net-pci")
			DEVICE("virtio-rng-pci") "{\"execute\":\"quit\"}\n";

/* All that it sends until it closes the socket. */
static bool collect(int socket, struct machine_process *process, double deadline, struct text *out)
{
	char bytes[1 << 14];
	while (out->size < ANSWERS_MOST) {
		double left = deadline - seconds_now();
		struct pollfd wanted[2] = { { .fd = socket, .events = POLLIN },
			                    { .fd = process->said, .events = POLLIN } };
		if (left <= 0 || (poll(wanted, 2, (int)(left * 1000) + 1) < 0 && errno != EINTR))
			return false;
		if (wanted[1].revents)
			process_listen(process);
		if (!wanted[0].revents)
			continue;
		ssize_t got = recv(socket, bytes, sizeof(bytes), MSG_DONTWAIT);
		/* Gone with questions unread is a reset. */
		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return true;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (got > 0)
			text_add_span(out, span_of(bytes, (size_t)got));
	}
	return false;
}

static void take_version(const json_t *greeting, struct arena *arena, struct qemu_answers *out)
{
	const json_t *version = json_object_get(json_object_get(greeting, "version"), "qemu");
	if (json_is_object(version))
		out->version = arena_printf(arena, "%lld.%lld.%lld",
		                            (long long)json_integer_value(json_object_get(version, "major")),
		                            (long long)json_integer_value(json_object_get(version, "minor")),
		                            (long long)json_integer_value(json_object_get(version, "micro")));
}

static void take_lines(struct span said, struct arena *arena, struct qemu_answers *out)
{
	struct span line;
	out->replies = json_object();
	while (span_next_line(&said, &line)) {
		json_t *object = json_loadb((const char *)line.data, line.size, 0, NULL);
		const char *id = json_string_value(json_object_get(object, "id"));
		json_t *reply = json_object_get(object, "return");
		if (json_object_get(object, "QMP"))
			take_version(json_object_get(object, "QMP"), arena, out);
		if (id && reply)
			json_object_set(out->replies, id, reply);
		json_decref(object);
	}
}

/* Why there is no answer: its own words, if it had any. */
static bool no_answer(struct machine_process *process, const char *program, const char *machine, bool timely,
                      size_t said, double seconds, struct error *error)
{
	int status;
	if (said >= ANSWERS_MOST)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "%s says more than 4 MiB when it is asked what it can do", program);
	if (!timely)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "%s does not answer within %.0f seconds when it is asked what it can do",
		                 program, seconds);
	/* It has closed its end, and is about to be gone. */
	struct pollfd end = { .fd = process->pidfd, .events = POLLIN };
	poll(&end, 1, 1000);
	process_ended(process, &status);
	struct span complaint = span_trim(span_of(process->complaint.data, process->complaint.size));
	const char *words = (const char *)complaint.data;
	if (process_is_starved(text_get(&process->complaint)))
		return error_set(error, ERROR_IO, "this host has not enough to start %s: it says \"%.*s\"",
		                 program, (int)complaint.size, words);
	return error_set(error, ERROR_UNSUPPORTED, "%s does not start the machine '%s': %.*s", program,
	                 machine, complaint.size ? (int)complaint.size : INT_MAX,
	                 complaint.size ? words : "it ended without a word");
}

static void words_for(const char *program, const char *machine, int qmp, struct arena *arena,
                      struct machine_words *out)
{
	/* The accelerator is a wish, and each of them will do: nothing is run. */
	const char *const words[] = { program,
		                      "-nodefaults",
		                      "-no-user-config",
		                      "-machine",
		                      machine,
		                      "-accel",
		                      "tcg",
		                      "-accel",
		                      "kvm",
		                      "-display",
		                      "none",
		                      "-S",
		                      "-chardev",
		                      arena_printf(arena, "socket,id=qmp,fd=%d", qmp),
		                      "-mon",
		                      "chardev=qmp,mode=control" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		*LIST_ADD(arena, &out->items) = words[i];
}

bool qemu_hear(const struct machine_words *words, struct machine_wiring *wiring, const int ends[2],
               const char *asked, double seconds, struct machine_process *process, struct text *said,
               bool *timely, struct error *error)
{
	wiring->qmp = ends[1];
	bool started = process_start(words, wiring, process, error);
	close(ends[1]);
	if (started) {
		/* It fits the socket's buffer; one who is gone is told of by the end. */
		(void)!send(ends[0], asked, strlen(asked), MSG_NOSIGNAL);
		*timely = collect(ends[0], process, seconds_now() + seconds, said);
	}
	close(ends[0]);
	return started;
}

bool qemu_ask(const char *program, const char *machine, double seconds, struct arena *arena,
              struct qemu_answers *out, struct error *error)
{
	int ends[2];
	*out = (struct qemu_answers){ 0 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return error_set(error, ERROR_IO, "no socket can be had: %s", strerror(errno));
	struct machine_words words = { 0 };
	struct machine_wiring wiring = machine_wiring_none();
	struct machine_process process;
	struct text said CLEANUP(text_free) = { 0 };
	bool timely;
	words_for(program, machine, ends[1], arena, &words);
	if (!qemu_hear(&words, &wiring, ends, questions, seconds, &process, &said, &timely, error))
		return false;
	if (timely)
		take_lines(span_of(said.data, said.size), arena, out);
	bool answered = timely && qemu_answered(out, "machine");
	if (!answered) {
		no_answer(&process, program, machine, timely, said.size, seconds, error);
		json_decref(out->replies);
		out->replies = NULL;
	}
	process_stop(&process);
	return answered;
}

bool qemu_answered(const struct qemu_answers *answers, const char *question)
{
	return json_object_get(answers->replies, question) != NULL;
}

bool qemu_lists(const struct qemu_answers *answers, const char *question, const char *key, const char *name)
{
	const json_t *list = json_object_get(answers->replies, question);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *value = json_string_value(json_object_get(json_array_get(list, i), key));
		if (value && str_equal(value, name))
			return true;
	}
	return false;
}
