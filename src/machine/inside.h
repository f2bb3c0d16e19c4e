// What the guest says of itself: its /proc and /sys as a tar over ttyS1, with ttyS2 and ttyS3 proved by a
// line each.
//
// A systemd guest runs a command (systemd.run=) that says on ttyS1 that it is ready, and then does what it is
// told there: the script that makes the capture is sent to it, which proves that direction too, and keeps the
// kernel's command line short. A kernel by itself runs slipway's own init (src/machine/init/), which waits
// for the same bytes and answers alike. What is sent:
//
//   ttyS1   INSIDE_READY, and for the script: INSIDE_BEGIN, the size of the tar as decimal digits, a newline,
//           the tar (which may be gzipped), INSIDE_END; or INSIDE_FAILED in the place of all that
//   ttyS2   INSIDE_PORT
//   ttyS3   INSIDE_PORT
//
// The tar is read by a worker like any other input (cmd/bootable.h).
#pragma once

#include "base/span.h"
#include "base/text.h"
#include "machine/machine.h"

#define INSIDE_READY  "slipway-inside-ready"
#define INSIDE_BEGIN  "slipway-inside-begin "
#define INSIDE_FAILED "slipway-inside-failed"
#define INSIDE_END    "slipway-inside-end"
#define INSIDE_PORT   "slipway-inside-port"

/* What a capture may take. */
#define INSIDE_MOST ((uint64_t)16 << 20)

enum inside_state {
	INSIDE_WAITING,
	INSIDE_ASKED, /* the guest was ready, and has been sent the script */
	INSIDE_SENDING,
	INSIDE_COMPLETE,
	INSIDE_BROKEN, /* too much, or not what it should be: inside->reason */
};

/* Takes what the guest sends on ttyS1 to ttyS3. */
struct inside {
	enum inside_state state;
	const char *reason;       /* one sentence; NULL */
	int file;                 /* what lies between the marks is written here; borrowed */
	int port;                 /* our end of ttyS1, a socket; borrowed */
	uint64_t size, announced; /* of the tar: what came, and what was promised */
	bool port_seen[4];        /* ttyS1, ttyS2, ttyS3 said their mark; [0] is not used */
	struct text pending[4];   /* the line that is not complete */
};

/* `file`: empty, written to; `port`: our end of ttyS1, which the script is sent to. */
void inside_open(struct inside *inside, int file, int port);
void inside_feed(struct inside *inside, unsigned port, struct span bytes); /* port 1 to 3 */
void inside_free(struct inside *inside);

/* Has all come that will come: the capture, and a mark on each port? Also true when it is broken. */
bool inside_done(const struct inside *inside);

/* What is put behind the image's own command line for a systemd guest; in `arena`. */
const char *inside_command_line(const char *command_line, struct arena *arena);

/*
 * An initramfs with slipway's own init behind the bytes of `initrd` (-1: none): a file without a name, for
 * the caller to close; -1: *error says why. The kernel runs it with INSIDE_INIT.
 */
NODISCARD int inside_initrd(int initrd, struct error *error);
#define INSIDE_INIT "rdinit=/slipway-init"

/* What slipway's own init prints on the console once it has set everything up: it has come as far as a login.
 */
#define INSIDE_INIT_UP "slipway-init: up"
