#include "machine/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/lockdown.h"

#define SAID_MOST    4096
#define SAID_AT_A_TIME 64 /* what a full pipe takes to be read */
#define EXIT_NO_EXEC 127

#define WIRED_MOST 16

/* The descriptors of the wiring; unused places are -1. */
static void wired(const struct machine_wiring *wiring, int out[WIRED_MOST])
{
	const int descriptors[WIRED_MOST] = {
		wiring->disk.descriptor,
		wiring->overlay.descriptor,
		wiring->spare.descriptor,
		wiring->kernel.descriptor,
		wiring->initrd.descriptor,
		wiring->ovmf_vars.descriptor,
		wiring->serial[0],
		wiring->serial[1],
		wiring->serial[2],
		wiring->serial[3],
		wiring->qmp,
		wiring->tap,
		STDIN_FILENO,
		STDOUT_FILENO,
		STDERR_FILENO,
		-1,
	};
	memcpy(out, descriptors, sizeof(descriptors));
}

/* Leaves it the wired descriptors, under their own numbers, which the command line names. */
static void keep_wired(const struct machine_wiring *wiring)
{
	int kept[WIRED_MOST];
	wired(wiring, kept);
	for (size_t i = 0; i < WIRED_MOST; i++)
		if (kept[i] >= 0)
			fcntl(kept[i], F_SETFD, 0);
	lockdown_close_but(kept, WIRED_MOST);
}

/*
 * Without a network: even a machine that its guest has taken over reaches nobody. In the namespace no user is
 * mapped, and so none of its capabilities outlives exec. Where there are no user namespaces root has a
 * network namespace all the same, and gives its capabilities up. Its user is ours, who may own the image and
 * more: so it opens little for reading, nothing for writing, and no socket, that of a service on this host
 * least of all.
 */
static void confine(const struct machine_words *words, const struct machine_wiring *wiring)
{
	/* Opened by their names, which a descriptor has as well. */
	const int reads[MACHINE_READS] = { wiring->kernel.descriptor, wiring->initrd.descriptor, -1, -1 };
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
		(void)!unshare(CLONE_NEWNET);
		lockdown_machine_capabilities();
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	lockdown_machine(words->items.items[0], reads);
}

/* What it has use for; the rest of our environment is nothing that a guest who breaks out has to see. */
static void run(const struct machine_words *words)
{
	static const char *const names[] = { "PATH", "LD_LIBRARY_PATH", "TMPDIR", "TERM" };
	char *environment[ARRAY_SIZE(names) + 1] = { 0 };
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);
		if (value && asprintf(&environment[count], "%s=%s", names[i], value) >= 0)
			count++;
	}
	environment[count] = NULL;
	char **arguments = xmalloc((words->items.count + 1) * sizeof(*arguments));
	for (size_t i = 0; i < words->items.count; i++)
		arguments[i] = (char *)(uintptr_t)words->items.items[i];
	arguments[words->items.count] = NULL;
	execve(arguments[0], arguments, environment);
	int failure = errno;
	free(arguments);
	errno = failure;
}

NORETURN static void be_machine(const struct machine_words *words, const struct machine_wiring *wiring,
                                int said, pid_t parent)
{
	lockdown_child(parent);
	setsid();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(said, STDERR_FILENO) < 0)
		_exit(EXIT_NO_EXEC);
	keep_wired(wiring);
	confine(words, wiring);
	/* A change of credentials takes the wish away. */
	lockdown_child(parent);
	lockdown_machine_limits(wiring->overlay.descriptor);
	run(words);
	dprintf(STDERR_FILENO, "it cannot be run: %s\n", strerror(errno));
	_exit(EXIT_NO_EXEC);
}

bool process_start(const struct machine_words *words, const struct machine_wiring *wiring,
                   struct machine_process *out, struct error *error)
{
	int said[2];
	*out = (struct machine_process){ .process = -1, .pidfd = -1, .said = -1 };
	if (pipe2(said, O_CLOEXEC | O_NONBLOCK) != 0)
		return error_set(error, ERROR_IO, "no pipe for the machine can be had: %s", strerror(errno));
	/* Its own end waits when it is full. */
	fcntl(said[1], F_SETFL, 0);
	struct sigaction told = { .sa_handler = SIG_DFL };
	sigaction(SIGCHLD, &told, &out->before);
	pid_t parent = getpid();
	pid_t process = fork();
	if (process == 0)
		be_machine(words, wiring, said[1], parent);
	int failure = errno;
	close(said[1]);
	if (process < 0) {
		sigaction(SIGCHLD, &out->before, NULL);
		close(said[0]);
		return error_set(error, ERROR_IO, "no process for the machine can be had: %s",
		                 strerror(failure));
	}
	out->process = process;
	out->said = said[0];
	out->pidfd = (int)syscall(SYS_pidfd_open, process, 0);
	return true;
}

void process_become(const struct machine_words *words, const struct machine_wiring *wiring,
                    struct error *error)
{
	keep_wired(wiring);
	confine(words, wiring);
	signal(SIGPIPE, SIG_DFL);
	lockdown_machine_limits(wiring->overlay.descriptor);
	run(words);
	error_fill(error, ERROR_IO, "%s cannot be run: %s", words->items.items[0], strerror(errno));
}

bool process_listen(struct machine_process *process)
{
	char bytes[1024];
	for (unsigned times = 0; process->said >= 0; times++) {
		/* Others have their turn, whoever speaks without end. */
		if (times == SAID_AT_A_TIME)
			return true;
		ssize_t got = read(process->said, bytes, sizeof(bytes));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return true;
		if (got <= 0) {
			close(process->said);
			process->said = -1;
			break;
		}
		if (process->complaint.size >= SAID_MOST)
			continue;
		size_t room = SAID_MOST - process->complaint.size;
		for (ssize_t i = 0; i < got; i++)
			if (bytes[i] == '\n')
				bytes[i] = ' ';
		text_add_clean(&process->complaint, span_of(bytes, (size_t)got < room ? (size_t)got : room));
	}
	return false;
}

bool process_is_starved(const char *complaint)
{
	/* ENOMEM, EAGAIN, EMFILE and ENFILE; no locale of ours reaches it. */
	static const char *const words[] = { "Cannot allocate memory", "Resource temporarily unavailable",
		                             "Too many open files" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(complaint, words[i]))
			return true;
	return false;
}

double process_cpu_seconds(const struct machine_process *process)
{
	clockid_t clock;
	struct timespec used;
	if (process->process < 0)
		return process->cpu_seconds;
	if (clock_getcpuclockid(process->process, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return -1;
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* The second number of /proc/PID/task/TID/schedstat: nanoseconds on the run queue. Below 0: not known. */
static double waited_seconds(int folder, const char *thread)
{
	char path[NAME_MAX + sizeof("/schedstat")], text[128];
	snprintf(path, sizeof(path), "%s/schedstat", thread);
	int file = openat(folder, path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	ssize_t got = read(file, text, sizeof(text) - 1);
	close(file);
	text[got > 0 ? got : 0] = '\0';
	unsigned long long waited;
	return sscanf(text, "%*u %20llu", &waited) == 1 ? (double)waited / 1e9 : -1;
}

double process_starved_seconds(const struct machine_process *process)
{
	char path[64];
	double most = -1;
	snprintf(path, sizeof(path), "/proc/%ld/task", (long)process->process);
	DIR *folder = process->process > 0 ? opendir(path) : NULL;
	const struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		double waited = entry->d_name[0] == '.' ? -1 : waited_seconds(dirfd(folder), entry->d_name);
		most = waited > most ? waited : most;
	}
	if (folder)
		closedir(folder);
	return most;
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Collects its end, with `flags` of waitpid(). */
static bool collect(struct machine_process *process, int *status, int flags)
{
	struct rusage used = { 0 };
	pid_t ended;
	*status = 0;
	do
		ended = wait4(process->process, status, flags, &used);
	while (ended < 0 && errno == EINTR);
	if (ended == 0)
		return false;
	sigaction(SIGCHLD, &process->before, NULL);
	process->process = -1;
	process->cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
	return true;
}

bool process_ended(struct machine_process *process, int *status)
{
	process_listen(process);
	if (process->process < 0 || !collect(process, status, WNOHANG))
		return false;
	process_listen(process);
	return true;
}

void process_stop(struct machine_process *process)
{
	int status;
	if (process->process > 0) {
		kill(process->process, SIGKILL);
		(void)!collect(process, &status, 0);
	}
	if (process->said >= 0)
		close(process->said);
	if (process->pidfd >= 0)
		close(process->pidfd);
	text_free(&process->complaint);
	double used = process->cpu_seconds;
	*process = (struct machine_process){ .process = -1, .pidfd = -1, .said = -1, .cpu_seconds = used };
}
