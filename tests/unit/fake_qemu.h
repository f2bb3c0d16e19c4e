// A QEMU that is played: what it says is written before, in parts, and each command that it gets releases the
// next part. It is served by the same loop as what asks it, so that nothing depends on time.
#pragma once

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "machine/qmp.h"

struct fake_qemu {
	struct loop loop;
	int ours, theirs; /* the two ends: the asker's and the player's */
	struct span left; /* what it has still to say */
	size_t sent;      /* of the part that is being said */
	size_t step;      /* bytes that it says at a time; 0: as many as go out */
	struct text got;  /* all that it was told */
	bool ends;        /* it goes away behind the last part; else it falls silent */
};

static size_t fake_part(const struct fake_qemu *fake)
{
	size_t end = span_find(fake->left, 0, "\0", 1);
	return end == SIZE_MAX ? fake->left.size : end;
}

static void fake_ready(void *context, int descriptor, short events);

/* Says as much of the part as goes out. */
static void fake_say(struct fake_qemu *fake)
{
	size_t part = fake_part(fake), size = part - fake->sent;
	if (fake->step > 0 && size > fake->step)
		size = fake->step;
	ssize_t sent = send(fake->theirs, fake->left.data + fake->sent, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	fake->sent += sent > 0 ? (size_t)sent : 0;
	bool said = fake->sent == part;
	if (said) {
		bool last = part == fake->left.size;
		fake->left = span_from(fake->left, part + 1);
		fake->sent = 0;
		if (last && fake->ends)
			shutdown(fake->theirs, SHUT_RDWR);
	}
	loop_watch(&fake->loop, fake->theirs, said ? POLLIN : POLLIN | POLLOUT, fake_ready, fake);
}

static void fake_ready(void *context, int descriptor, short events)
{
	struct fake_qemu *fake = context;
	char bytes[4096];
	if (events & POLLOUT) {
		fake_say(fake);
		return;
	}
	ssize_t got = recv(descriptor, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got <= 0) {
		loop_forget(&fake->loop, descriptor);
		return;
	}
	text_add_span(&fake->got, span_of(bytes, (size_t)got));
	if (fake->left.size > 0)
		fake_say(fake);
	else if (fake->ends)
		shutdown(fake->theirs, SHUT_RDWR);
}

/* `script`: what it says at once, NUL, what it says when it was asked for the first time, NUL, ... */
static void fake_open(struct fake_qemu *fake, struct span script, bool ends)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	*fake = (struct fake_qemu){ .ours = pair[0], .theirs = pair[1], .left = script, .ends = ends };
	fake_say(fake);
}

static void fake_close(struct fake_qemu *fake)
{
	close(fake->ours);
	close(fake->theirs);
	text_free(&fake->got);
}
