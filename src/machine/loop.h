// What the machine waits for: descriptors, and a clock. One loop, one thread, no callback that waits.
//
// A director runs the boot as straight code and waits with loop_until(); meanwhile watchers are called as
// their descriptors become ready (the console, QMP, the network), and only store what came.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

/* `events` as poll() tells them. */
typedef void loop_ready_fn(void *context, int descriptor, short events);
typedef bool loop_done_fn(void *context);

struct loop_watch {
	int descriptor;
	short events; /* of poll(): POLLIN, POLLOUT */
	loop_ready_fn *ready;
	void *context;
};

#define LOOP_WATCHES_MOST 64

struct loop {
	struct loop_watch watches[LOOP_WATCHES_MOST];
	size_t count;
	bool stopped; /* the user interrupted, or the machine is gone: every wait ends */
};

/* Watches a descriptor, which stays the caller's. A descriptor is watched once: a second call changes it. */
void loop_watch(struct loop *loop, int descriptor, short events, loop_ready_fn *ready, void *context);
void loop_forget(struct loop *loop, int descriptor);

/*
 * Serves the watchers until `done` (NULL: never) says so, `seconds` have passed or the loop is stopped. True:
 * `done` said so. It is asked before the first wait, and after everything that came.
 */
bool loop_until(struct loop *loop, double seconds, loop_done_fn *done, void *context);
