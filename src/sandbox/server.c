#include "sandbox/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "sandbox/program.h"

#define SERVER_LISTEN 3 /* where socket activation wants it */
#define SAID_MOST     2048
#define EXIT_NO_EXEC  127

/* For one that has closed the connection and may still be on its way out. */
#define PATIENCE_MILLISECONDS 1000

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* Threads have stacks and arenas of their own, which are address space and not memory. */
static const struct worker_limits server_limits = {
	.memory_bytes = UINT64_C(4) << 30,
	.cpu_seconds = 120,
};

static const char *const library_folders[] = {
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/gnu/store", NULL,
};
static const char *const library_prefix[] = { "lib", "lib64", NULL };
static const struct program_folders libraries = { library_folders, library_prefix };

const char *server_find(const char *name, struct arena *arena)
{
	const char *path = getenv("PATH");
	if (!path)
		path = DEFAULT_PATH;
	while (*path) {
		size_t length = strcspn(path, ":");
		/* A relative folder depends on where we were called, which is no place for programs. */
		if (path[0] == '/') {
			const char *program = arena_printf(arena, "%.*s/%s", (int)length, path, name);
			struct stat status;
			if (stat(program, &status) == 0 && S_ISREG(status.st_mode) &&
			    access(program, X_OK) == 0)
				return program;
		}
		path += length + (path[length] == ':');
	}
	return NULL;
}

/*
 * A socket to listen on, under an abstract address of the kernel's choice, and ours connected to it. The
 * queue has room for one: where another process was faster, ours is refused, which takes a socket that does
 * not wait, and whoever comes later waits for a server that takes one client.
 */
static bool connect_pair(int *listener, int *connected)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = offsetof(struct sockaddr_un, sun_path);
	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*listener >= 0 && *connected >= 0 && bind(*listener, (struct sockaddr *)&address, length) == 0 &&
	    listen(*listener, 0) == 0) {
		length = sizeof(address);
		if (getsockname(*listener, (struct sockaddr *)&address, &length) == 0 &&
		    connect(*connected, (struct sockaddr *)&address, length) == 0 &&
		    fcntl(*connected, F_SETFL, 0) == 0)
			return true;
	}
	int failure = errno;
	close(*listener);
	close(*connected);
	errno = failure;
	return false;
}

static void say_and_end(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	_exit(EXIT_NO_EXEC);
}

/* Puts the descriptors where they belong: all others are closed. */
static void place_descriptors(int listener, int input, int said)
{
	/* First out of the way of each other, then down. */
	const int from[] = { open("/dev/null", O_RDWR | O_CLOEXEC), said, listener, input };
	int high[ARRAY_SIZE(from)];
	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 16);
	if (dup2(high[1], STDERR_FILENO) < 0 || dup2(high[0], STDIN_FILENO) < 0 ||
	    dup2(high[0], STDOUT_FILENO) < 0 || dup2(high[2], SERVER_LISTEN) < 0 ||
	    dup2(high[3], SERVER_INPUT) < 0)
		say_and_end("its descriptors cannot be had");
	lockdown_close_from(SERVER_INPUT + 1);
}

/* What the server may read: its file, itself and libraries. */
static void take_files(const char *program)
{
	struct file_grant grants[PROGRAM_GRANTS + 1];
	size_t count = program_grants(program, &libraries, grants);
	grants[count++] = (struct file_grant){ SERVER_INPUT, GRANT_READ };
	lockdown_files(grants, count);
}

NORETURN static void be_server(const char *program, const char *const *words, int listener, int input,
                               int said, pid_t parent)
{
	char process[32];
	snprintf(process, sizeof(process), "LISTEN_PID=%ld", (long)getpid());
	char *environment[] = { (char[]){ "LISTEN_FDS=1" }, process, NULL };
	lockdown_child(parent);
	place_descriptors(listener, input, said);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	take_files(program);
	lockdown_server_limits(&server_limits);
	lockdown_server_capabilities();
	if (lockdown_has_call_filter())
		call_filter_install_server();
	execve(program, (char *const *)(uintptr_t)words, environment);
	say_and_end("it cannot be run");
	_exit(EXIT_NO_EXEC);
}

bool server_start(const char *program, const char *const *words, int input, struct server *out,
                  struct error *error)
{
	int listener, connected, said[2];
	if (!connect_pair(&listener, &connected))
		return error_set(error, ERROR_IO, "no socket for it can be had: %s", strerror(errno));
	if (pipe2(said, O_CLOEXEC | O_NONBLOCK) != 0) {
		int failure = errno;
		close(listener);
		close(connected);
		return error_set(error, ERROR_IO, "no pipe for it can be had: %s", strerror(failure));
	}
	struct sigaction told = { .sa_handler = SIG_DFL }, before;
	sigaction(SIGCHLD, &told, &before);
	pid_t parent = getpid();
	pid_t process = fork();
	if (process == 0)
		be_server(program, words, listener, input, said[1], parent);
	int failure = errno;
	close(listener);
	close(said[1]);
	if (process < 0) {
		sigaction(SIGCHLD, &before, NULL);
		close(connected);
		close(said[0]);
		return error_set(error, ERROR_IO, "no process for it can be had: %s", strerror(failure));
	}
	*out = (struct server){ .process = process, .socket = connected, .said = said[0], .before = before };
	return true;
}

/* Has it ended by itself, now or within the time given? */
static bool has_ended(pid_t process, unsigned patience, int *status)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	for (unsigned waited = 0;; waited++) {
		pid_t ended = waitpid(process, status, WNOHANG);
		if (ended == process)
			return true;
		if (waited >= patience)
			return false;
		nanosleep(&pause, NULL);
	}
}

/* Has it closed the connection? Then it has ended, or is about to. */
static bool has_hung_up(const struct server *server)
{
	struct pollfd wanted = { .fd = server->socket, .events = POLLRDHUP };
	return poll(&wanted, 1, 0) > 0;
}

/* Its words, as one printable line: what comes from a program that read an image is as untrusted as that. */
static void collect_said(int descriptor, struct text *said)
{
	char bytes[SAID_MOST];
	ssize_t got = read(descriptor, bytes, sizeof(bytes));
	if (got <= 0)
		return;
	for (ssize_t i = 0; i < got; i++)
		if (bytes[i] == '\n')
			bytes[i] = ' ';
	text_add_clean(said, span_trim(span_of(bytes, (size_t)got)));
}

void server_stop(struct server *server, struct server_result *out)
{
	int status = 0;
	*out = (struct server_result){ 0 };
	if (has_ended(server->process, has_hung_up(server) ? PATIENCE_MILLISECONDS : 0, &status)) {
		if (WIFSIGNALED(status)) {
			out->end = SERVER_KILLED;
			out->signal = WTERMSIG(status);
		} else if (WEXITSTATUS(status) != EXIT_SUCCESS) {
			out->end = SERVER_FAILED;
		}
	} else {
		kill(server->process, SIGKILL);
		while (waitpid(server->process, &status, 0) < 0 && errno == EINTR)
			;
	}
	collect_said(server->said, &out->said);
	close(server->said);
	if (server->socket >= 0)
		close(server->socket);
	sigaction(SIGCHLD, &server->before, NULL);
	*server = (struct server){ .process = -1, .socket = -1, .said = -1 };
}
