#include "machine/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const int signals[INTERRUPT_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

/* A handler is one for the process, and may touch only these. */
static volatile sig_atomic_t wake = -1, came;

static void note(int signal)
{
	int saved = errno;
	came = signal;
	if (wake >= 0 && write(wake, "", 1) < 0) {
		/* Full: it has been woken before. */
	}
	errno = saved;
}

bool interrupt_catch(struct interrupt *interrupt)
{
	int ends[2];
	*interrupt = (struct interrupt){ .descriptor = -1 };
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	interrupt->descriptor = ends[0];
	came = 0;
	wake = ends[1];
	for (unsigned i = 0; i < INTERRUPT_SIGNALS; i++) {
		/* Calls are not begun again: a write to somebody who does not read ends. */
		struct sigaction action = { .sa_handler = note };
		sigemptyset(&action.sa_mask);
		if (sigaction(signals[i], NULL, &interrupt->before[i]) == 0 &&
		    interrupt->before[i].sa_handler != SIG_IGN)
			interrupt->caught[i] = sigaction(signals[i], &action, NULL) == 0;
	}
	return true;
}

void interrupt_release(struct interrupt *interrupt)
{
	if (interrupt->descriptor < 0)
		return;
	for (unsigned i = 0; i < INTERRUPT_SIGNALS; i++)
		if (interrupt->caught[i])
			sigaction(signals[i], &interrupt->before[i], NULL);
	int end = wake;
	wake = -1;
	close(end);
	close(interrupt->descriptor);
	interrupt->descriptor = -1;
}

int interrupt_signal(void)
{
	return came;
}
