// What a worker is given to read: one input, opened by the parent, and room for what has to be unpacked of
// it.
#pragma once

#include <stdint.h>

enum input_source {
	SOURCE_FILE,   /* a regular file or a block device: read at any place */
	SOURCE_STREAM, /* a pipe: read once, in order */
	SOURCE_SERVER, /* a connected NBD socket that blocks, behind which another process holds a container's
	                  disk */
	SOURCE_DIRECTORY, /* the root directory of a system */
	SOURCE_MACHINE,   /* the running machine */
	SOURCE_CAPTURE,   /* a tar of what another machine's kernel shows of it, while it runs */
};

struct machine_answers;

struct input {
	const char *name; /* as the caller has it: for messages, and for what is told by its ending */
	enum input_source source;
	int descriptor;                        /* borrowed; of SOURCE_MACHINE its root directory */
	int scratch;                           /* borrowed: an empty file without a name; -1: there is none */
	uint64_t scratch_most;                 /* bytes that may be written to it */
	const char *scratch_reason;            /* why there is none: one sentence; NULL */
	const struct machine_answers *machine; /* borrowed; of SOURCE_MACHINE (live/machine.h), else NULL */
	const char *container;                 /* SOURCE_SERVER: the format's name in reports; else NULL */
};

/* A file that is open for reading, and nothing else. */
static inline struct input input_of_file(const char *name, int descriptor)
{
	return (struct input){ .name = name, .source = SOURCE_FILE, .descriptor = descriptor, .scratch = -1 };
}
