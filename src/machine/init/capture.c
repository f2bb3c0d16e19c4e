// The other end of machine/inside.h: the same marks that a systemd guest sends. What is sent to it is no more
// than awaited: it knows what to do.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "machine/init/init.h"

#define CAPTURE "/run/slipway.tar"
/* For an answer on ttyS1, and for the line to be silent behind it. */
#define ANSWER_MILLISECONDS 20000
#define QUIET_MILLISECONDS  300

static int open_port(const char *path)
{
	struct termios settings;
	int port = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (port < 0 || tcgetattr(port, &settings) != 0) {
		say("%s cannot be used: %s", path, strerror(errno));
		if (port >= 0)
			close(port);
		return -1;
	}
	cfmakeraw(&settings);
	cfsetspeed(&settings, B115200);
	settings.c_cflag |= CLOCAL | CREAD;
	tcsetattr(port, TCSANOW, &settings);
	return port;
}

static bool send_all(int port, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t sent = write(port, data, size);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		data += sent;
		size -= (size_t)sent;
	}
	return true;
}

static void mark_port(const char *path)
{
	static const char mark[] = "slipway-inside-port\n";
	int port = open_port(path);
	if (port >= 0 && !send_all(port, mark, sizeof(mark) - 1))
		say("%s takes nothing: %s", path, strerror(errno));
}

/* Reads on until nothing more comes; did anything? */
static bool await_answer(int port)
{
	char data[512];
	struct pollfd wanted = { .fd = port, .events = POLLIN };
	int wait = ANSWER_MILLISECONDS;
	while (poll(&wanted, 1, wait) > 0 && read(port, data, sizeof(data)) > 0)
		wait = QUIET_MILLISECONDS;
	return wait == QUIET_MILLISECONDS;
}

static void send_capture(int port, const char *release)
{
	static char chunk[16384];
	long size = capture_write(CAPTURE, release);
	FILE *file = size > 0 ? fopen(CAPTURE, "re") : NULL;
	if (!file) {
		say("there is no room for a capture: %s", strerror(errno));
		return;
	}
	snprintf(chunk, sizeof(chunk), "slipway-inside-begin %ld\n", size);
	bool sent = send_all(port, chunk, strlen(chunk));
	for (size_t got; sent && (got = fread(chunk, 1, sizeof(chunk), file)) > 0;)
		sent = send_all(port, chunk, got);
	fclose(file);
	static const char end[] = "slipway-inside-end\n";
	if (!sent || !send_all(port, end, sizeof(end) - 1))
		say("ttyS1 took no more: %s", strerror(errno));
}

void capture_serve(const char *release)
{
	static const char ready[] = "slipway-inside-ready\n";
	mark_port("/dev/ttyS2");
	mark_port("/dev/ttyS3");
	int port = open_port("/dev/ttyS1");
	if (port < 0 || !send_all(port, ready, sizeof(ready) - 1))
		return;
	if (await_answer(port))
		send_capture(port, release);
	for (;;)
		pause(); /* what is still in the port would be thrown away as it is closed */
}
