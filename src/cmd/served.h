// A container that a server reads for us: qemu-nbd, on the file that is open already.
#pragma once

#include "cmd/examine.h"
#include "sandbox/server.h"

/*
 * Starts it on `input`. What keeps it from being had is the end of the examination, in *out; then this is
 * false.
 */
bool served_start(int input, enum served format, struct arena *arena, struct server *server,
                  struct examination *out);

/* The name of a container in reports. */
const char *served_name(enum served format);

/* The format of that name; SERVED_NOT: it needs no server. */
enum served served_of_name(const char *name);

/* Ends it; where it failed, *out, which a worker has filled, says so. */
void served_stop(struct server *server, enum served format, struct arena *arena, struct examination *out);
