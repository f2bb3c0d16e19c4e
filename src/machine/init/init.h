// slipway's own init: the whole user space of a kernel that is booted by itself. A static program without a
// dependency; what it is told comes from the kernel and from ttyS1, what it finds goes to the console and to
// ttyS1. Nothing it cannot do is fatal: it says so and goes on, for a kernel that lacks something is what it
// is there to show.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A line on the console, "slipway-init: ..." */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies at most capacity - 1 bytes of a file, NUL behind them; the bytes read, or -1. */
long load_file(const char *path, char *buffer, size_t capacity);

/* modules.c: the modules of /lib/modules that drive the machine, and what they need, as far as they are
 * there. */
void load_modules(const char *release);

/* network.c: the first interface with a device gets the platform's address; who connects is answered. */
void network_up(void);
void network_serve(void); /* a child that does not return */

/* capture.c: over ttyS1 when it is asked for there, and a mark on the other two. Does not return. */
void capture_serve(const char *release);

/* tree.c: a tar of what the kernel shows, gzipped, in the file `path`; its size, or -1. */
long capture_write(const char *path, const char *release);
