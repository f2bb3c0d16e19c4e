#include "machine/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

static struct loop_watch *find(struct loop *loop, int descriptor)
{
	for (size_t i = 0; i < loop->count; i++)
		if (loop->watches[i].descriptor == descriptor)
			return &loop->watches[i];
	return NULL;
}

void loop_watch(struct loop *loop, int descriptor, short events, loop_ready_fn *ready, void *context)
{
	struct loop_watch *watch = find(loop, descriptor);
	if (!watch) {
		if (loop->count == LOOP_WATCHES_MOST)
			abort(); /* there are some twenty, all opened by ourselves */
		watch = &loop->watches[loop->count++];
	}
	*watch = (struct loop_watch){ descriptor, events, ready, context };
}

void loop_forget(struct loop *loop, int descriptor)
{
	struct loop_watch *watch = find(loop, descriptor);
	if (watch)
		*watch = loop->watches[--loop->count];
}

/* Waits once, for `milliseconds` at most, and serves what is ready. */
static void serve(struct loop *loop, int milliseconds)
{
	struct pollfd polled[LOOP_WATCHES_MOST];
	size_t count = loop->count;
	for (size_t i = 0; i < count; i++)
		polled[i] = (struct pollfd){ .fd = loop->watches[i].descriptor,
			                     .events = loop->watches[i].events };
	if (poll(polled, count, milliseconds) <= 0)
		return;
	for (size_t i = 0; i < count && !loop->stopped; i++) {
		/* One that was served before this one may have ended its watch. */
		struct loop_watch *watch = polled[i].revents ? find(loop, polled[i].fd) : NULL;
		if (watch)
			watch->ready(watch->context, watch->descriptor, polled[i].revents);
	}
}

bool loop_until(struct loop *loop, double seconds, loop_done_fn *done, void *context)
{
	double end = seconds_now() + seconds;
	while (!loop->stopped) {
		if (done && done(context))
			return true;
		double left = end - seconds_now();
		if (left <= 0)
			return false;
		/* Up to a second at a time: a wait for years fits no int. */
		serve(loop, left > 1 ? 1000 : (int)(left * 1000) + 1);
	}
	return false;
}
