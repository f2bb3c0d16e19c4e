#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "facts/wire.h"
#include "sandbox/lockdown.h"

#define CHUNK_SIZE ((size_t)64 << 10)

/* A child at work, seen from its parent. */
struct worker {
	pid_t process;
	int output;       /* the end to read */
	int64_t deadline; /* milliseconds on the monotonic clock */
	const struct worker_limits *limits;
};

struct worker_limits worker_limits_default(void)
{
	return (struct worker_limits){
		.memory_bytes = UINT64_C(512) << 20,
		.cpu_seconds = 120,
		.wall_seconds = 300,
		.output_bytes = WIRE_MOST,
	};
}

static int64_t now_milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

NORETURN static void be_worker(worker_fn *work, void *context, const struct worker_access *access, int output,
                               pid_t parent, const struct worker_limits *limits)
{
	lockdown_child(parent);
	/* Messages in another language would be looked up in files; and images are read alike everywhere. */
	setlocale(LC_ALL, "C");
	/* A temporary file that may not grow further is for the worker to report. */
	signal(SIGXFSZ, SIG_IGN);
	lockdown(access, output, limits);
	work(context, access->input, output);
	_exit(EXIT_SUCCESS);
}

/* What a worker's output and time come to; the end that is ours to decide. WORKER_FINISHED: it closed its
 * pipe. */
static enum worker_end collect(const struct worker *worker, struct text *output)
{
	char *chunk = xmalloc(CHUNK_SIZE);
	enum worker_end end = WORKER_FINISHED;
	for (;;) {
		struct pollfd wanted = { .fd = worker->output, .events = POLLIN };
		int64_t left = worker->deadline - now_milliseconds();
		if (left <= 0) {
			end = WORKER_HUNG;
			break;
		}
		int ready = poll(&wanted, 1, left < 60000 ? (int)left : 60000);
		if (ready <= 0)
			continue; /* a signal of the parent's, or time to look at the clock */
		ssize_t got = read(worker->output, chunk, CHUNK_SIZE);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		uint64_t room = worker->limits->output_bytes - output->size;
		bool fits = (uint64_t)got <= room;
		text_add_span(output, span_of(chunk, fits ? (size_t)got : (size_t)room));
		if (!fits) {
			end = WORKER_OUTPUT;
			break;
		}
	}
	free(chunk);
	return end;
}

/* Waits for the end of a worker that closed its pipe; false when it does not come in time. */
static bool wait_until(const struct worker *worker, int *status, struct rusage *usage)
{
	/* It is ending now, or it never will: look often at first. */
	struct timespec pause = { .tv_nsec = 50 * 1000 };
	for (;;) {
		pid_t ended = wait4(worker->process, status, WNOHANG, usage);
		if (ended == worker->process)
			return true;
		if (now_milliseconds() >= worker->deadline)
			return false;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 10 * 1000 * 1000)
			pause.tv_nsec *= 2;
	}
}

static void wait_killed(const struct worker *worker, int *status, struct rusage *usage)
{
	kill(worker->process, SIGKILL);
	while (wait4(worker->process, status, 0, usage) < 0 && errno == EINTR)
		;
}

/* Did it use all the time that it had? A worker can put off SIGXCPU, but not the SIGKILL a second later. */
static bool used_up_cpu(const struct rusage *usage, const struct worker_limits *limits)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) >= limits->cpu_seconds;
}

static enum worker_end classify(int status, const struct rusage *usage, const struct worker_limits *limits)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return WORKER_FINISHED;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_OUT_OF_MEMORY)
		return WORKER_MEMORY;
	if (!WIFSIGNALED(status))
		return WORKER_CRASHED;
	switch (WTERMSIG(status)) {
	case SIGSYS:
		return WORKER_FORBIDDEN;
	case SIGXCPU:
		return WORKER_CPU;
	case SIGKILL:
		return used_up_cpu(usage, limits) ? WORKER_CPU : WORKER_KILLED;
	default:
		return WORKER_CRASHED;
	}
}

static void finish(const struct worker *worker, struct worker_result *result)
{
	int status = 0;
	struct rusage usage = { 0 };
	result->end = collect(worker, &result->output);
	if (result->end == WORKER_FINISHED && !wait_until(worker, &status, &usage))
		result->end = WORKER_HUNG;
	if (result->end == WORKER_FINISHED)
		result->end = classify(status, &usage, worker->limits);
	else
		wait_killed(worker, &status, &usage);
	if ((result->end == WORKER_CRASHED || result->end == WORKER_FORBIDDEN) && WIFSIGNALED(status))
		result->signal = WTERMSIG(status);
	result->peak_kilobytes = (uint64_t)usage.ru_maxrss;
}

/* Forks; the parent gets the read end of the pipe in *worker. */
static bool start(worker_fn *work, void *context, const struct worker_access *access, struct worker *worker,
                  struct error *error)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set(error, ERROR_IO, "a worker cannot be started: no pipe: %s", strerror(errno));
	pid_t parent = getpid();
	worker->process = fork();
	if (worker->process == 0)
		be_worker(work, context, access, ends[1], parent, worker->limits);
	int failure = errno;
	close(ends[1]);
	if (worker->process < 0) {
		close(ends[0]);
		return error_set(error, ERROR_IO, "a worker cannot be started: %s", strerror(failure));
	}
	worker->output = ends[0];
	worker->deadline = now_milliseconds() + (int64_t)worker->limits->wall_seconds * 1000;
	return true;
}

bool worker_run(worker_fn *work, void *context, const struct worker_access *access,
                const struct worker_limits *limits, struct worker_result *out, struct error *error)
{
	/* A process that was started with SIGCHLD ignored is never told how its children end. */
	struct sigaction told = { .sa_handler = SIG_DFL }, before;
	sigaction(SIGCHLD, &told, &before);
	struct worker worker = { .limits = limits };
	bool started = start(work, context, access, &worker, error);
	if (started) {
		*out = (struct worker_result){ 0 };
		finish(&worker, out);
		close(worker.output);
	}
	sigaction(SIGCHLD, &before, NULL);
	return started;
}

void worker_write(int output, const void *data, size_t size)
{
	const uint8_t *from = data;
	while (size > 0) {
		ssize_t written = write(output, from, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			_exit(EXIT_FAILURE);
		from += written;
		size -= (size_t)written;
	}
}
