// From an input's name to its facts: opened here, read in a worker.
#pragma once

#include "cmd/command.h"
#include "cmd/input.h"
#include "facts/extract.h"
#include "facts/facts.h"
#include "sandbox/sandbox.h"

struct examination {
	struct facts facts; /* always there: why not more is in `examined` and `reason` */
	enum status status; /* STATUS_CONFORMS when fully examined */
	struct input_identity identity; /* of what was read */
	double seconds;
	uint64_t peak_kilobytes;
};

/* Of two the one that the whole call ends with: a bug before a failure of the moment before what was not
 * read. */
enum status graver_status(enum status a, enum status b);

/* What stands for the running machine in the place of an input; a file of that name is "./live". */
#define EXAMINE_LIVE "live"

/* Strings live in `arena`. */
void examine(const char *name, const struct questions *questions, struct arena *arena,
             struct examination *out);

/* What the rules of a policy and the options ask of an input. */
struct questions examination_questions(const struct policy *policy, const struct options *options,
                                       struct arena *arena);

/* What a worker does with an input that is open: gather its facts, or take files out of it. */
struct examine_job {
	const struct input *input;
	const struct questions *questions;
	const struct extract_files *files; /* NULL: facts are gathered */
	uint64_t more_seconds;             /* of processor time, beyond what reading takes */
};

/* One worker; what it found, and how it ended, in *out. */
void examine_job(const struct examine_job *job, const struct worker_access *access, struct arena *arena,
                 struct examination *out);
