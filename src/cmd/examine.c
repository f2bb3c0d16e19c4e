#include "cmd/examine.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/input.h"
#include "cmd/scratch.h"
#include "cmd/served.h"
#include "facts/wire.h"
#include "live/machine.h"
#include "sandbox/processors.h"
#include "sandbox/sandbox.h"

/* Facts are some hundred kilobytes; this keeps a worker that was talked into more inside its limits. */
#define WORKER_ARENA_MAX (256u << 20)

/* st_blocks counts 512 bytes, whatever the file system does: a MiB. */
#define BLOCKS_A_SECOND 2048
/* What a pipe may take of a processor: as much as 20 GiB in a file. On the wall it is a day. */
#define STREAM_SECONDS ((uint64_t)21600)

struct channel {
	int output;
};

static void close_descriptor(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
}

/* In the worker: what is known so far goes to the parent at once. */
static void send_facts(void *context, const struct facts *facts)
{
	const struct channel *channel = context;
	struct text message CLEANUP(text_free) = { 0 };
	wire_encode(facts, &message);
	worker_write(channel->output, message.data, message.size);
}

/* The worker. */
static void work(void *context, int descriptor, int output)
{
	(void)descriptor; /* the same as the input's */
	const struct examine_job *job = context;
	struct channel channel = { output };
	struct arena arena = { .limit = WORKER_ARENA_MAX };
	struct facts facts = { 0 };
	if (job->files)
		facts_extract(job->input, job->files, &arena, &facts);
	else
		facts_gather(job->input, job->questions, send_facts, &channel, &arena, &facts);
	send_facts(&channel, &facts);
	arena_free(&arena);
}

static void not_examined(struct examination *out, struct arena *arena, enum status status, const char *reason)
{
	out->facts = (struct facts){ .examined = EXAMINED_NONE, .reason = arena_strdup(arena, reason) };
	out->status = status;
}

/* How the worker ended, as the end of "the worker ..."; NULL when all is well. */
static const char *describe_end(const struct worker_result *result, struct arena *arena)
{
	switch (result->end) {
	case WORKER_FINISHED:
		return NULL;
	case WORKER_CRASHED:
		if (result->signal)
			return arena_printf(
				arena,
				"reading it crashed slipway (signal %d): that is a bug, please report it",
				result->signal);
		return "reading it made slipway stop: that is a bug, please report it";
	case WORKER_FORBIDDEN:
		return "reading it made slipway try what its sandbox forbids: that is a bug, please report "
		       "it";
	case WORKER_MEMORY:
		return "reading it takes more memory than slipway allows itself: the image may be damaged";
	case WORKER_CPU:
		return "reading it takes more processor time than slipway allows itself: the image may be "
		       "damaged";
	case WORKER_HUNG:
		return "reading it takes more time than slipway allows itself: the image may be damaged, or "
		       "its disk "
		       "slow";
	case WORKER_OUTPUT:
		return "it holds more than slipway allows itself to report: the image may be damaged";
	case WORKER_KILLED:
		return "the process that read it was killed from outside, as a system does that has no "
		       "memory left: try again";
	}
	return "reading it ended in an unknown way: that is a bug, please report it";
}

static enum status status_of_end(enum worker_end end)
{
	switch (end) {
	case WORKER_FINISHED:
		return STATUS_CONFORMS;
	case WORKER_MEMORY:
	case WORKER_CPU:
	case WORKER_HUNG:
	case WORKER_OUTPUT:
		return STATUS_NOT_EXAMINED;
	case WORKER_KILLED:
		return STATUS_TEMPORARY;
	case WORKER_CRASHED:
	case WORKER_FORBIDDEN:
		break;
	}
	return STATUS_BUG;
}

/* What a worker said, and how it ended. */
static void conclude(const struct worker_result *result, struct arena *arena, struct examination *out)
{
	struct error error = { 0 };
	const char *end = describe_end(result, arena);
	struct span said = span_of(result->output.data, result->output.size);
	out->peak_kilobytes = result->peak_kilobytes;
	out->status = status_of_end(result->end);
	if (!wire_decode(said, arena, &out->facts, &error)) {
		if (!end) {
			end = arena_printf(arena,
			                   "what was read of it did not arrive (%s): that is a bug, please "
			                   "report it",
			                   error.message);
			out->status = STATUS_BUG;
		}
		not_examined(out, arena, out->status, end);
		return;
	}
	if (end) {
		/* What came before the end is sound, and is reported as a part. */
		out->facts.examined = EXAMINED_PARTIAL;
		out->facts.reason = end;
	}
	if (out->facts.examined != EXAMINED_FULL)
		out->status = graver_status(out->status, STATUS_NOT_EXAMINED);
}

enum status graver_status(enum status a, enum status b)
{
	static const enum status order[] = {
		STATUS_CONFORMS, STATUS_FAILURES, STATUS_NOT_EXAMINED, STATUS_TEMPORARY,
		STATUS_BUG,      STATUS_USAGE,    STATUS_INTERRUPTED,
	};
	for (size_t i = ARRAY_SIZE(order); i-- > 0;)
		if (a == order[i] || b == order[i])
			return order[i];
	return STATUS_BUG;
}

/*
 * What is packed takes its time to unpack: a second of a processor for each MiB of the input, which the
 * slowest formats (xz, bzip2) need a tenth of. A pipe does not say how much will come, or when.
 */
static struct worker_limits limits_for(const struct input *input)
{
	struct worker_limits limits = worker_limits_default();
	struct stat status;
	uint64_t more = input->source == SOURCE_STREAM ? STREAM_SECONDS : 0;
	if (input->source == SOURCE_FILE && fstat(input->descriptor, &status) == 0)
		more = (uint64_t)status.st_blocks / BLOCKS_A_SECOND;
	limits.cpu_seconds += more;
	limits.wall_seconds += 4 * more;
	return limits;
}

void examine_job(const struct examine_job *job, const struct worker_access *access, struct arena *arena,
                 struct examination *out)
{
	struct error error = { 0 };
	struct examine_job given = *job;
	struct worker_limits limits = limits_for(job->input);
	struct worker_result result = { 0 };
	limits.cpu_seconds += job->more_seconds;
	limits.wall_seconds += 4 * job->more_seconds;
	if (worker_run(work, &given, access, &limits, &result, &error))
		conclude(&result, arena, out);
	else
		not_examined(out, arena, STATUS_TEMPORARY, error.message);
	text_free(&result.output);
}

/* The first worker found a sound container of this format: a second one reads the disk that a server serves.
 */
static void examine_served(const char *name, int descriptor, const struct questions *questions,
                           struct arena *arena, struct examination *out)
{
	struct examination first = *out;
	enum served format = first.facts.served;
	struct server server;
	struct processors before;
	/* Each waits for the other all the time: they take turns. */
	processors_stay_on_one(&before);
	if (!served_start(descriptor, format, arena, &server, out)) {
		processors_release(&before);
		return;
	}
	struct input input = {
		.name = name,
		.source = SOURCE_SERVER,
		.descriptor = server.socket,
		.scratch = -1,
		.container = served_name(format),
	};
	struct worker_access access = worker_access_none();
	access.server = server.socket;
	examine_job(&(struct examine_job){ .input = &input, .questions = questions }, &access, arena, out);
	served_stop(&server, format, arena, out);
	processors_release(&before);
	for (size_t i = 0; i < first.facts.problems.count; i++)
		*LIST_ADD(arena, &out->facts.problems) = first.facts.problems.items[i];
	if (out->peak_kilobytes < first.peak_kilobytes)
		out->peak_kilobytes = first.peak_kilobytes;
}

void examine(const char *name, const struct questions *questions, struct arena *arena,
             struct examination *out)
{
	double start = seconds_now();
	struct error error = { 0 };
	*out = (struct examination){ 0 };
	enum input_source source = SOURCE_FILE;
	if (str_equal(name, EXAMINE_LIVE))
		source = SOURCE_MACHINE;
	int descriptor CLEANUP(close_descriptor) =
		source == SOURCE_MACHINE ? input_open_machine(&error) : input_open(name, &source, &error);
	if (descriptor < 0) {
		not_examined(out, arena, STATUS_NOT_EXAMINED, error.message);
	} else {
		struct input_identity identity = input_identify(descriptor);
		struct input input = input_of_file(name, descriptor);
		input.source = source;
		/* Nothing of a directory is unpacked, and its worker needs no thread for that. */
		if (source == SOURCE_FILE || source == SOURCE_STREAM)
			scratch_open(&input, arena);
		struct worker_access access = worker_access_none();
		struct machine_answers answers CLEANUP(machine_answers_free) = { 0 };
		if (source == SOURCE_MACHINE) {
			machine_ask(&answers);
			input.machine = &answers;
		}
		if (source == SOURCE_DIRECTORY || source == SOURCE_MACHINE)
			access.directory = descriptor;
		else
			access.input = descriptor;
		access.scratch = input.scratch;
		examine_job(&(struct examine_job){ .input = &input, .questions = questions }, &access, arena,
		            out);
		close_descriptor(&input.scratch);
		if (source == SOURCE_FILE && out->facts.served != SERVED_NOT)
			examine_served(name, descriptor, questions, arena, out);
		out->identity = identity;
	}
	out->seconds = seconds_now() - start;
}

struct questions examination_questions(const struct policy *policy, const struct options *options,
                                       struct arena *arena)
{
	struct questions questions = { 0 };
	policy_questions(policy, arena, &questions);
	questions.kernel = options->kernel;
	questions.all_kernels = options->all_kernels;
	return questions;
}
