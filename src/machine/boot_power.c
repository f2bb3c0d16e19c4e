// Everything that a machine needs, switched on and off again.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine/boot.h"

/* How long QEMU may take to end when it is asked to, seconds. */
#define QUIT_SECONDS 3

/* Of a port at once, bytes. */
#define TAKEN 16384

/* What a full pipe takes to be read, twice. */
#define DRAIN_MOST (2 * SERIAL_PIPE_BYTES / TAKEN)

static void close_end(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

double boot_seconds(const struct boot *boot)
{
	return boot->switched_on > 0 ? seconds_now() - boot->switched_on : 0;
}

double boot_cpu_seconds(struct boot *boot)
{
	/* A guest writes a byte at a time: a look at /proc for each would cost more than the guest. */
	double now = seconds_now();
	if (now - boot->cpu_read >= 0.2) {
		double seconds = process_cpu_seconds(&boot->process);
		if (seconds > boot->cpu_seconds)
			boot->cpu_seconds = seconds;
		boot->cpu_read = now;
	}
	return boot->cpu_seconds;
}

double boot_given_seconds(const struct boot *boot)
{
	double starved = process_starved_seconds(&boot->process), seconds = boot_seconds(boot);
	return starved < 0 ? seconds : starved > seconds ? 0 : seconds - starved;
}

bool boot_is_gone(struct boot *boot)
{
	if (!boot->ended && boot->process.process > 0 && process_ended(&boot->process, &boot->status)) {
		boot->ended = true;
		/* Nothing is worth waiting for any more, for the proofs neither; but for what QMP still
		 * holds, while it greets. */
		boot->loop.stopped |= boot->on;
	}
	return boot->ended;
}

/* The console for those who watch; one who does not read any more is left alone. */
static void copy_out(struct boot *boot, struct span bytes)
{
	while (bytes.size > 0 && boot->copy >= 0) {
		/* Where nobody reads, Ctrl-C and its like end the wait: a call of write() would go on. */
		struct pollfd ready[] = { { .fd = boot->copy, .events = POLLOUT },
			                  { .fd = boot->interrupt.descriptor, .events = POLLIN } };
		if (poll(ready, ARRAY_SIZE(ready), -1) < 0 && errno != EINTR)
			boot->copy = -1;
		if (ready[1].revents)
			return;
		if (!ready[0].revents)
			continue;
		ssize_t wrote = write(boot->copy, bytes.data, bytes.size < PIPE_BUF ? bytes.size : PIPE_BUF);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			boot->copy = -1;
		else
			bytes = span_from(bytes, (size_t)wrote);
	}
}

/* Those who watch sit at a terminal, which is not the guest's. */
static void watch(struct boot *boot, struct span said)
{
	if (boot->copy < 0)
		return;
	struct text shown CLEANUP(text_free) = { 0 };
	terminal_filter(&boot->watched, said, &shown);
	copy_out(boot, span_of(shown.data, shown.size));
}

/* Also after Ctrl-C, and without waiting for one who does not read. */
static void restore_terminal(struct boot *boot)
{
	const char *words = terminal_restore(&boot->watched);
	struct pollfd ready = { .fd = boot->copy, .events = POLLOUT };
	if (boot->copy >= 0 && *words && poll(&ready, 1, 0) > 0)
		(void)!write(boot->copy, words, strlen(words));
}

/* Takes what port `port` says. False: that was all. */
static bool take(struct boot *boot, unsigned port)
{
	uint8_t bytes[TAKEN];
	ssize_t got = read(boot->ports[port], bytes, sizeof(bytes));
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		loop_forget(&boot->loop, boot->ports[port]);
		/* The guest's own view talks to its port until it is told otherwise. */
		if (port == 0)
			close_end(&boot->ports[port]);
		return false;
	}
	struct span said = span_of(bytes, (size_t)got);
	if (port == 0) {
		watch(boot, said);
		console_feed(&boot->console, said, boot_seconds(boot), boot_cpu_seconds(boot));
	} else if (boot->has_inside) {
		inside_feed(&boot->inside, port, said);
	}
	return true;
}

static void port_ready(void *context, int descriptor, short events)
{
	struct boot *boot = context;
	(void)events;
	for (unsigned i = 0; i < ARRAY_SIZE(boot->ports); i++)
		if (boot->ports[i] == descriptor) {
			(void)take(boot, i);
			return;
		}
}

void boot_drain(struct boot *boot)
{
	/* A machine that lives may fill it as fast. */
	for (unsigned i = 0; i < ARRAY_SIZE(boot->ports); i++)
		for (unsigned times = 0; times < DRAIN_MOST && boot->ports[i] >= 0 && take(boot, i);)
			times++;
}

static void ended_ready(void *context, int descriptor, short events)
{
	struct boot *boot = context;
	(void)events;
	if (boot_is_gone(boot))
		loop_forget(&boot->loop, descriptor);
}

static void said_ready(void *context, int descriptor, short events)
{
	struct boot *boot = context;
	(void)events;
	if (process_listen(&boot->process))
		return;
	loop_forget(&boot->loop, descriptor);
	(void)boot_is_gone(boot);
}

static void interrupt_ready(void *context, int descriptor, short events)
{
	struct boot *boot = context;
	(void)events;
	loop_forget(&boot->loop, descriptor);
	boot->outcome = BOOT_INTERRUPTED;
	boot->loop.stopped = true;
}

static bool open_log(const struct boot *boot, const char *name, int *out, struct error *error)
{
	*out = -1;
	if (!boot->request->logs)
		return true;
	const char *path = arena_printf(boot->arena, "%s/%s", boot->request->logs, name);
	/* The folder was empty: what is there now was put there for us to write over what it leads to. */
	*out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (*out < 0)
		return error_set(error, ERROR_IO, "%s cannot be written: %s", path, strerror(errno));
	return true;
}

/* The ends of what is between us and the machine. */
static bool wire_up(struct boot *boot, struct error *error)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set(error, ERROR_IO, "no pipe could be had: %s", strerror(errno));
	boot->ports[0] = ends[0];
	boot->port_ends[0] = ends[1];
	/* See arguments.h. A smaller one works as well until we are kept waiting. */
	(void)fcntl(ends[1], F_SETPIPE_SZ, SERIAL_PIPE_BYTES);
	for (unsigned i = 1; i < ARRAY_SIZE(boot->ports); i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
			return error_set(error, ERROR_IO, "no sockets could be had: %s", strerror(errno));
		boot->ports[i] = ends[0];
		boot->port_ends[i] = ends[1];
	}
	for (unsigned i = 0; i < ARRAY_SIZE(boot->ports); i++)
		if (fcntl(boot->ports[i], F_SETFL, O_NONBLOCK) != 0)
			return error_set(error, ERROR_IO, "a pipe cannot be used: %s", strerror(errno));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, boot->qmp_ends) != 0)
		return error_set(error, ERROR_IO, "no sockets could be had: %s", strerror(errno));
	return true;
}

static void fill_wiring(struct boot *boot)
{
	const struct machine_request *request = boot->request;
	struct machine_wiring *wiring = &boot->wiring;
	*wiring = machine_wiring_none();
	wiring->firmware = request->firmware;
	wiring->disk.descriptor = request->disk >= 0 ? request->disk : boot->workspace.empty;
	wiring->overlay.descriptor = boot->workspace.overlay;
	wiring->spare.descriptor = boot->workspace.spare;
	wiring->ovmf_vars.descriptor = boot->workspace.ovmf_vars;
	if (request->firmware == MACHINE_KERNEL) {
		wiring->kernel.descriptor = request->kernel;
		wiring->initrd.descriptor = request->initrd;
		wiring->command_line = request->command_line;
	}
	memcpy(wiring->serial, boot->port_ends, sizeof(wiring->serial));
	wiring->qmp = boot->qmp_ends[1];
	wiring->tap = boot->network.tap;
}

static void watch_all(struct boot *boot)
{
	struct loop *loop = &boot->loop;
	for (unsigned i = 0; i < ARRAY_SIZE(boot->ports); i++)
		loop_watch(loop, boot->ports[i], POLLIN, port_ready, boot);
	if (boot->process.pidfd >= 0)
		loop_watch(loop, boot->process.pidfd, POLLIN, ended_ready, boot);
	boot->machine.said = boot->process.said;
	if (boot->process.said >= 0)
		loop_watch(loop, boot->process.said, POLLIN, said_ready, boot);
}

/* What the run says of the machine. */
static void describe(struct boot *boot)
{
	static const char *const firmware[] = { "BIOS", "UEFI", "none" };
	const struct qemu *qemu = boot->request->qemu;
	struct run *run = boot->run;
	run->firmware = firmware[boot->request->firmware];
	run->machine = arena_printf(boot->arena, "QEMU %s, %s, %s KVM", qemu->version,
	                            qemu->is_reference ? "pc" : "virt",
	                            qemu->accelerator == QEMU_KVM ? "with" : "without");
	run->is_reference = qemu->is_reference;
	for (size_t i = 0; i < qemu->limits.count; i++)
		*LIST_ADD(boot->arena, &run->limits) = qemu->limits.items[i];
	if (boot->network.tap < 0 && boot->network.reason)
		*LIST_ADD(boot->arena, &run->limits) = boot->network.reason;
	run->logs = boot->request->logs;
}

static bool open_inside(struct boot *boot, struct error *error)
{
	if (!boot->request->inside)
		return true;
	boot->capture = memfd_create("inside", MFD_CLOEXEC);
	if (boot->capture < 0)
		return error_set(error, ERROR_IO, "no memory file could be had: %s", strerror(errno));
	inside_open(&boot->inside, boot->capture, boot->ports[1]);
	boot->has_inside = true;
	return true;
}

const char *boot_complaint(const struct boot *boot)
{
	struct span said = span_trim(span_text(text_get(&boot->process.complaint)));
	return arena_string(boot->arena, said);
}

/* Why QEMU did not even greet. */
static bool not_started(struct boot *boot, struct error *error)
{
	/* Its last words may be on the way. */
	(void)loop_until(&boot->loop, boot_is_gone(boot) ? 0 : 1, NULL, NULL);
	(void)boot_is_gone(boot);
	const char *said = boot_complaint(boot);
	if (process_is_starved(said))
		return error_set(error, ERROR_IO,
		                 "this host has not enough for a machine of 1 GiB: %s says \"%s\"",
		                 boot->request->qemu->program, said);
	if (*said)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "%s cannot be the reference machine: it says \"%s\"",
		                 boot->request->qemu->program, said);
	return error_wrap(error, "%s does not start", boot->request->qemu->program);
}

bool boot_switch_on(struct boot *boot, struct error *error)
{
	const struct machine_request *request = boot->request;
	if (interrupt_catch(&boot->interrupt))
		loop_watch(&boot->loop, boot->interrupt.descriptor, POLLIN, interrupt_ready, boot);
	if (!open_log(boot, RUN_CONSOLE_PATH, &boot->console_log, error) ||
	    !open_log(boot, RUN_QMP_PATH, &boot->qmp_log, error) ||
	    !open_log(boot, RUN_FRAMES_PATH, &boot->pcap, error) ||
	    !workspace_make(request, &boot->workspace, error) || !wire_up(boot, error) ||
	    !open_inside(boot, error))
		return false;
	network_open(&boot->network, &boot->loop, boot->pcap, boot->arena);
	describe(boot);
	fill_wiring(boot);
	struct machine_words words;
	machine_arguments(request->qemu, &boot->wiring, boot->arena, &words);
	if (!process_start(&words, &boot->wiring, &boot->process, error))
		return false;
	boot->switched_on = seconds_now();
	for (unsigned i = 0; i < ARRAY_SIZE(boot->port_ends); i++)
		close_end(&boot->port_ends[i]);
	close_end(&boot->qmp_ends[1]);
	console_open(&boot->console, boot->run, boot->arena);
	boot->console.log.file = boot->console_log;
	boot->run->steps[RUN_FIRMWARE].reached = true;
	watch_all(boot);
	if (!qmp_open(boot->qmp_ends[0], &boot->loop, boot->qmp_log, &boot->qmp, error))
		return boot->outcome == BOOT_INTERRUPTED || not_started(boot, error);
	boot->on = true;
	boot->loop.stopped |= boot->ended;
	return true;
}

static bool gone(void *context)
{
	return boot_is_gone(context);
}

/* Overlay and all are thrown away: the guest need not be asked to shut down. */
static void quit(struct boot *boot)
{
	struct error error = { 0 };
	if (boot->process.process <= 0 || boot_is_gone(boot) || boot->loop.stopped)
		return;
	if (qmp_ask(&boot->qmp, "quit", NULL, NULL, &error))
		(void)loop_until(&boot->loop, QUIT_SECONDS, gone, boot);
}

/* The first log that a full disk cut, or another failure. */
static void say_what_is_cut(struct boot *boot)
{
	const struct {
		const char *name;
		int error;
	} logs[] = {
		{ RUN_CONSOLE_PATH, boot->console.log.error },
		{ RUN_QMP_PATH, boot->qmp.log.error },
		{ RUN_FRAMES_PATH, boot->network.pcap_error },
	};
	for (size_t i = 0; i < ARRAY_SIZE(logs) && !boot->run->logs_cut; i++)
		if (logs[i].error)
			boot->run->logs_cut =
				arena_printf(boot->arena, "%s: %s", logs[i].name, strerror(logs[i].error));
}

void boot_switch_off(struct boot *boot)
{
	if (boot->switched_on > 0) {
		quit(boot);
		boot_drain(boot);
		restore_terminal(boot);
		console_end(&boot->console);
		boot->cpu_read = 0;
		boot->run->seconds = boot_seconds(boot);
		boot->run->cpu_seconds = boot_cpu_seconds(boot);
		qmp_close(&boot->qmp);
		process_stop(&boot->process);
		console_free(&boot->console);
	}
	network_close(&boot->network);
	say_what_is_cut(boot);
	if (boot->has_inside)
		inside_free(&boot->inside);
	workspace_free(&boot->workspace);
	for (unsigned i = 0; i < ARRAY_SIZE(boot->ports); i++) {
		close_end(&boot->ports[i]);
		close_end(&boot->port_ends[i]);
	}
	close_end(&boot->qmp_ends[0]);
	close_end(&boot->qmp_ends[1]);
	close_end(&boot->console_log);
	close_end(&boot->qmp_log);
	close_end(&boot->pcap);
	interrupt_release(&boot->interrupt);
}
