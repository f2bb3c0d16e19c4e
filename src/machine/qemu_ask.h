// What a QEMU answers when it is started without a guest and asked over QMP; all questions at once, one
// start.
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "base/error.h"

/* Its replies by the name of the question: json_decref(answers.replies). */
struct qemu_answers {
	json_t *replies;     /* an object: the member "return" of each; what failed is not there */
	const char *version; /* "10.0.2", in the arena; NULL: it did not say */
};

/*
 * Starts `program` with this machine ("pc", "virt"), stopped, and asks. It has `seconds` for all of it.
 * ERROR_UNSUPPORTED: it did not start, with its words, or did not answer; ERROR_IO: no process could be had.
 */
NODISCARD bool qemu_ask(const char *program, const char *machine, double seconds, struct arena *arena,
                        struct qemu_answers *out, struct error *error);

/* Does the reply to this question list something of this name, by the member `key` of its items? */
bool qemu_lists(const struct qemu_answers *answers, const char *question, const char *key, const char *name);

/* Was there a reply (which of a device says that it is there)? */
bool qemu_answered(const struct qemu_answers *answers, const char *question);
