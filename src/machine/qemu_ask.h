// What a QEMU answers when it is started without a guest and asked over QMP; all questions at once, one
// start.
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "machine/process.h"

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

/*
 * What a QEMU says that is started with these words on the machine's QMP until it ends or closes it,
 * `questions` asked: *timely tells whether that came within `seconds`. ends[1] is the machine's. It is still
 * to be stopped. ERROR_IO: no process could be had.
 */
NODISCARD bool qemu_hear(const struct machine_words *words, struct machine_wiring *wiring, const int ends[2],
                         const char *questions, double seconds, struct machine_process *process,
                         struct text *said, bool *timely, struct error *error);

/* Does the reply to this question list something of this name, by the member `key` of its items? */
bool qemu_lists(const struct qemu_answers *answers, const char *question, const char *key, const char *name);

/* Was there a reply (which of a device says that it is there)? */
bool qemu_answered(const struct qemu_answers *answers, const char *question);
