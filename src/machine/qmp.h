// QMP, QEMU's own protocol: one JSON object a line, replies told from events by their id.
//
// QEMU is trusted half: it has a hostile guest inside. Lines have a limit, replies are checked member by
// member, and an end in the middle of anything is an error and no more.
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "machine/log.h"
#include "machine/loop.h"

/*
 * An event that came: "STOP", "GUEST_PANICKED", "RESET", "SHUTDOWN", "DEVICE_DELETED". Of others, and of the
 * same again and again, nothing is kept. Printable.
 */
struct qmp_event {
	char name[40];
	char detail[80]; /* data.reason, data.action or data.device where it has one; "" */
};

#define QMP_EVENTS_MOST 256

/* A line: a reply as large as QEMU's lists of itself, with room. */
#define QMP_LINE_MOST ((size_t)4 << 20)

struct qmp {
	struct loop *loop;
	int socket; /* borrowed; -1: the other end is gone */
	struct log log; /* every line of both ends is written here, 64 MiB at most */
	struct text received;
	size_t searched; /* bytes of it that hold no end of a line */
	bool greeted;
	double patience; /* seconds that a reply may take: ten */
	uint64_t next_id;
	uint64_t waiting_id; /* of the command that waits for its reply; 0: none does */
	json_t *reply;       /* to the command that waits; owned */
	struct qmp_event events[QMP_EVENTS_MOST];
	size_t event_count;  /* those that came later than the most are dropped */
	uint64_t line;       /* of the log: how many were written */
	uint64_t logged;     /* bytes of them */
	uint64_t reply_line; /* of the log: where the last reply stands; evidence names it */
	json_t *commands;    /* what query-commands lists; owned */
	struct error broken; /* why the other end is gone */
};

/* Greets. The socket is watched by `loop` from here on. *out must stay where it is until qmp_close(). */
NODISCARD bool qmp_open(int socket, struct loop *loop, int log, struct qmp *out, struct error *error);
/* Also after a qmp_open() that failed, and twice. */
void qmp_close(struct qmp *qmp);

/* Does this QEMU have the command? Asked for those with x- in front, which come and go. */
bool qmp_has(const struct qmp *qmp, const char *command);

/*
 * Asks and waits, while the loop serves the rest. `arguments` (NULL: none) is stolen. *out is the member
 * "return", new, for json_decref(); NULL: it is not wanted. ERROR_UNSUPPORTED: QEMU refused, with its words;
 * ERROR_IO: gone, or the loop was stopped; ERROR_LIMIT: no reply within qmp->patience; ERROR_CORRUPT.
 */
NODISCARD bool qmp_ask(struct qmp *qmp, const char *command, json_t *arguments, json_t **out,
                       struct error *error);

/* The human monitor's answer as text, in `out`. */
NODISCARD bool qmp_monitor(struct qmp *qmp, const char *command, struct text *out, struct error *error);

/* A line of our own in the log, {"kind": text}: what QEMU told by another way. Its number. */
uint64_t qmp_note(struct qmp *qmp, const char *kind, const char *text);

/* Was there such an event (of this detail, unless it is NULL) at or behind the place `from` in qmp->events?
 */
bool qmp_saw(const struct qmp *qmp, size_t from, const char *name, const char *detail);
