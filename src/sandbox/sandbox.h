// The worker: a child process that turns bytes into facts and can do nothing else.
//
// The child gets no_new_privs, a landlock domain without any file system access (where the kernel has it; for
// a directory, with reading beneath that one), a seccomp filter of some thirty calls, and rlimits. It
// holds the descriptors that its access names, the pipe to its parent, and stderr for the one message of
// xmalloc(). Whatever it does, the parent goes on.
#pragma once

#include "base/error.h"
#include "base/text.h"

struct worker_limits {
	uint64_t memory_bytes; /* address space; 0: none (sanitizers need it) */
	uint64_t cpu_seconds;
	uint64_t wall_seconds;
	uint64_t output_bytes;
};

/* 512 MiB of address space, 120 s of CPU, 300 s on the wall, WIRE_MOST of output. */
struct worker_limits worker_limits_default(void);

enum worker_end {
	WORKER_FINISHED,
	WORKER_CRASHED,   /* a signal, or an exit status that it should not have: a bug of ours */
	WORKER_FORBIDDEN, /* seccomp stopped a system call: a bug of ours, or an attack */
	WORKER_MEMORY,
	WORKER_CPU,
	WORKER_HUNG,   /* wall clock */
	WORKER_OUTPUT, /* said more than the limit */
	WORKER_KILLED, /* by somebody else: by a user, or by a system without memory */
};

struct worker_result {
	enum worker_end end;
	int signal;              /* for WORKER_CRASHED and WORKER_FORBIDDEN; 0: it exited */
	struct text output;      /* all it wrote, also when it ended badly; text_free() */
	uint64_t peak_kilobytes; /* its largest resident set */
};

/* The files that a worker may make. */
#define WORKER_FILES 3

/* What a worker may touch of the world outside; -1 for what it may not. */
struct worker_access {
	int input;   /* read, at any place */
	int scratch; /* read and written, at any place; who has one may have threads of its own, to write with
	              */
	/* A directory, which may be the input: all that lies beneath it is opened and read, nothing else is.
	 */
	int directory;
	int server; /* a connected socket: sent to and received from */
	int made[WORKER_FILES]; /* files for the parent: written at any place, and never read */
};

/* A worker that computes, and says what it is told. */
static inline struct worker_access worker_access_none(void)
{
	return (struct worker_access){
		.input = -1, .scratch = -1, .directory = -1, .server = -1, .made = { -1, -1, -1 }
	};
}

/* Runs in the child: write to `output` (with worker_write) and return. */
typedef void worker_fn(void *context, int input, int output);

/*
 * Forks, locks the child down, runs `work` in it and collects what it writes. False only when no
 * child could be had (ERROR_IO).
 */
NODISCARD bool worker_run(worker_fn *work, void *context, const struct worker_access *access,
                          const struct worker_limits *limits, struct worker_result *out, struct error *error);

/* Writes all of it or ends the process: a worker whose parent is gone has nothing left to do. */
void worker_write(int output, const void *data, size_t size);
