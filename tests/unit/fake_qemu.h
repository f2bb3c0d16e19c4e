// A QEMU that is played: what it says is written before, in parts, and each command that it gets releases the
// next part. It is served by the same loop as what asks it, so that nothing depends on time.
#pragma once

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "machine/qmp.h"

enum fake_end {
	FAKE_FALLS_SILENT, /* behind the last part */
	FAKE_ENDS,         /* it goes away behind the last part */
	FAKE_HURRIES,      /* it goes away as soon as more is waited for than it was asked for, too */
};

/* Rounds of the loop that nothing comes in: what asks has read all by then, and waits. */
#define FAKE_ROUNDS 3

struct fake_qemu {
	struct loop loop;
	int ours, theirs; /* the two ends: the asker's and the player's */
	struct span left; /* what it has still to say */
	size_t sent;      /* of the part that is being said */
	size_t step;      /* bytes that it says at a time; 0: as many as go out */
	struct text got;  /* all that it was told */
	enum fake_end end;
	bool saying;   /* a part, of which some is left */
	unsigned idle; /* rounds in which it had nothing to say and was told nothing */
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
	/* Nothing has no address to add to. */
	const uint8_t *from = fake->left.size > 0 ? fake->left.data + fake->sent : NULL;
	size_t part = fake_part(fake), size = part - fake->sent;
	if (fake->step > 0 && size > fake->step)
		size = fake->step;
	ssize_t sent = send(fake->theirs, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	fake->sent += sent > 0 ? (size_t)sent : 0;
	bool said = fake->sent == part;
	if (said) {
		bool last = part == fake->left.size;
		fake->left = span_from(fake->left, part + 1);
		fake->sent = 0;
		if (last && fake->end != FAKE_FALLS_SILENT)
			shutdown(fake->theirs, SHUT_RDWR);
	}
	fake->saying = !said;
	fake->idle = 0;
	bool more = fake->saying || fake->end == FAKE_HURRIES;
	loop_watch(&fake->loop, fake->theirs, more ? POLLIN | POLLOUT : POLLIN, fake_ready, fake);
}

/* Is told something. */
static void fake_hear(struct fake_qemu *fake)
{
	char bytes[4096];
	ssize_t got = recv(fake->theirs, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got <= 0) {
		loop_forget(&fake->loop, fake->theirs);
		return;
	}
	text_add_span(&fake->got, span_of(bytes, (size_t)got));
	if (fake->left.size > 0)
		fake_say(fake);
	else if (fake->end != FAKE_FALLS_SILENT)
		shutdown(fake->theirs, SHUT_RDWR);
}

static void fake_ready(void *context, int descriptor, short events)
{
	(void)descriptor;
	struct fake_qemu *fake = context;
	if (fake->saying && (events & POLLOUT)) {
		fake_say(fake);
	} else if (events & ~POLLOUT) {
		fake->idle = 0;
		fake_hear(fake);
	} else if (++fake->idle > FAKE_ROUNDS) {
		shutdown(fake->theirs, SHUT_RDWR);
	}
}

/* `script`: what it says at once, NUL, what it says when it was asked for the first time, NUL, ... */
static void fake_open(struct fake_qemu *fake, struct span script, enum fake_end end)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	*fake = (struct fake_qemu){ .ours = pair[0], .theirs = pair[1], .left = script, .end = end };
	fake_say(fake);
}

static void fake_close(struct fake_qemu *fake)
{
	close(fake->ours);
	close(fake->theirs);
	text_free(&fake->got);
}
