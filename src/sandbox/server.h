// A program of others that reads one file for us and serves it on a socket: confined, bounded, and gone with
// us.
//
// It gets no_new_privs, a landlock domain in which it may read that file, itself and the system's libraries
// (where the kernel has landlock), a filter that denies it new sockets, new programs' tools and tracing
// (where slipway was built with libseccomp), limits on memory and processor time, an environment of two
// variables, and of root's capabilities the one to read files.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

/* The file that the server is to read is open there, in the server. */
#define SERVER_INPUT      4
#define SERVER_INPUT_PATH "/proc/self/fd/4"

struct server {
	pid_t process;
	int socket; /* connected to it, blocking: close it, or leave it to server_stop(); -1: closed */
	int said;                /* the end to read of its standard error output */
	struct sigaction before; /* of SIGCHLD: who ignores it is never told how children end */
};

enum server_end {
	SERVER_STOPPED, /* served until it was stopped, or until its client was gone */
	SERVER_FAILED,  /* ended by itself, with a status that says so */
	SERVER_KILLED,  /* ended by a signal that is not ours */
};

struct server_result {
	enum server_end end;
	int signal;       /* SERVER_KILLED */
	struct text said; /* what it wrote to its standard error output, made printable and one line;
	                     text_free() */
};

/* The program `name` along PATH: an absolute path, or NULL when there is none. In `arena`. */
struct arena;
const char *server_find(const char *name, struct arena *arena);

/*
 * Starts `program` with `words` (NULL behind the last) on `input`, which stays the caller's, with a socket to
 * listen on as systemd's socket activation hands it over. The connection to it is made here: no one else gets
 * one. ERROR_IO when no process could be had.
 */
NODISCARD bool server_start(const char *program, const char *const *words, int input, struct server *out,
                            struct error *error);

/* Ends it, whatever it does, and says how it was found. */
void server_stop(struct server *server, struct server_result *out);
