// What the guest says of itself: its /proc and /sys as a tar over ttyS1, with ttyS2 and ttyS3 proved by a
// line each.
//
// A systemd guest runs a short command (systemd.run=), a kernel by itself runs slipway's own init
// (src/machine/init/). Both send the same: marks around a tar. The tar is read by a worker like any other
// input.
#pragma once

#include "base/span.h"
#include "base/text.h"
#include "machine/machine.h"

/* On each of the ports; the tar stands between the first two on ttyS1. */
#define INSIDE_BEGIN "slipway-inside-begin\n"
#define INSIDE_END   "slipway-inside-end\n"
#define INSIDE_PORT  "slipway-inside-port\n" /* on ttyS2 and ttyS3 */

/* What a capture may take. */
#define INSIDE_MOST ((uint64_t)16 << 20)

enum inside_state {
	INSIDE_WAITING,
	INSIDE_SENDING,
	INSIDE_COMPLETE,
	INSIDE_BROKEN, /* too much, or not what it should be */
};

/* Takes what the guest sends on ttyS1 to ttyS3. */
struct inside {
	enum inside_state state;
	int file; /* what lies between the marks is written here; borrowed */
	uint64_t size;
	bool port_seen[4]; /* ttyS1, ttyS2, ttyS3 said their mark; [0] is not used */
	struct text pending[4];
};

void inside_open(struct inside *inside, int file);
void inside_feed(struct inside *inside, unsigned port, struct span bytes); /* port 1 to 3 */
void inside_free(struct inside *inside);

/* What is put behind the image's own command line for a systemd guest; in `arena`. */
const char *inside_command_line(const char *command_line, struct arena *arena);

/*
 * An initramfs with slipway's own init behind the bytes of `initrd` (-1: none): a file without a name, for
 * the caller to close; -1: *error says why. The kernel runs it with INSIDE_INIT.
 */
NODISCARD int inside_initrd(int initrd, struct error *error);
#define INSIDE_INIT "rdinit=/slipway-init"
