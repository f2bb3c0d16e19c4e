// The machine's process: a real QEMU, started and stopped in every way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine/loop.h"
#include "machine/ovmf.h"
#include "machine/process.h"
#include "machine/workspace.h"
#include "sandbox/lockdown.h"

/* A machine that is stopped before its first instruction, and what it was started with. */
struct machine {
	struct arena arena;
	struct qemu qemu;
	struct workspace workspace;
	struct machine_wiring wiring;
	struct machine_words words;
	struct machine_process process;
	int qmp, serial[4]; /* our ends */
};

static int disk_of_zeros(void)
{
	int writable = memfd_create("disk", MFD_CLOEXEC);
	assert_int_equal(ftruncate(writable, 32 << 20), 0);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", writable);
	int disk = open(path, O_RDONLY | O_CLOEXEC);
	close(writable);
	return disk;
}

static int file_with(const char *text)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	return file;
}

static struct machine_file opened(int descriptor)
{
	return (struct machine_file){ .descriptor = descriptor };
}

static void socket_pair(int *ours, int *theirs)
{
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	*ours = ends[0];
	*theirs = ends[1];
}

static void wire(struct machine *machine, enum machine_firmware firmware)
{
	struct error error;
	struct machine_request request = {
		.qemu = &machine->qemu, .firmware = firmware, .kernel = -1, .initrd = -1
	};
	request.disk = disk_of_zeros();
	request.disk_size = 32 << 20;
	if (!workspace_make(&request, &machine->workspace, &error))
		fail_msg("%s", error.message);
	machine->wiring = machine_wiring_none();
	machine->wiring.firmware = firmware;
	machine->wiring.disk = opened(request.disk);
	machine->wiring.overlay = opened(machine->workspace.overlay);
	machine->wiring.spare = opened(machine->workspace.spare);
	machine->wiring.ovmf_vars = opened(machine->workspace.ovmf_vars);
	if (firmware == MACHINE_KERNEL) {
		/* QEMU reads its header, and says so when that cannot be opened. */
		machine->wiring.kernel = opened(file_with("no kernel"));
		machine->wiring.initrd = opened(file_with("no initramfs"));
		machine->wiring.command_line = "console=ttyS0, a comma";
	}
	socket_pair(&machine->qmp, &machine->wiring.qmp);
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	machine->serial[0] = ends[0];
	machine->wiring.serial[0] = ends[1];
	for (int i = 1; i < 4; i++)
		socket_pair(&machine->serial[i], &machine->wiring.serial[i]);
}

static bool start(struct machine *machine, enum machine_firmware firmware)
{
	struct error error;
	*machine = (struct machine){ 0 };
	if (!qemu_find("x86_64", &machine->arena, &machine->qemu, &error)) {
		print_message("%s\n", error.message);
		return false;
	}
	if (firmware == MACHINE_UEFI && !machine->qemu.ovmf_code) {
		print_message("%s\n", ovmf_missing("x86_64"));
		return false;
	}
	wire(machine, firmware);
	machine_arguments(&machine->qemu, &machine->wiring, &machine->arena, &machine->words);
	*LIST_ADD(&machine->arena, &machine->words.items) = "-S";
	if (!process_start(&machine->words, &machine->wiring, &machine->process, &error))
		fail_msg("%s", error.message);
	close(machine->wiring.qmp);
	for (int i = 0; i < 4; i++)
		close(machine->wiring.serial[i]);
	return true;
}

/* What it says over QMP within ten seconds that holds `wanted`. */
static void expect(struct machine *machine, const char *wanted)
{
	struct text said CLEANUP(text_free) = { 0 };
	double end = seconds_now() + 20;
	while (!strstr(text_get(&said), wanted) && seconds_now() < end) {
		char bytes[4096];
		struct pollfd ready = { .fd = machine->qmp, .events = POLLIN };
		if (poll(&ready, 1, 100) <= 0)
			continue;
		ssize_t got = read(machine->qmp, bytes, sizeof(bytes));
		if (got <= 0)
			break;
		text_add_span(&said, span_of(bytes, (size_t)got));
	}
	process_listen(&machine->process);
	if (!strstr(text_get(&said), wanted))
		fail_msg("no %s in: %s; it complained: %s", wanted, text_get(&said),
		         text_get(&machine->process.complaint));
}

static void ask(struct machine *machine, const char *question, const char *wanted)
{
	assert_int_equal(write(machine->qmp, question, strlen(question)), (ssize_t)strlen(question));
	expect(machine, wanted);
}

static void stop(struct machine *machine)
{
	process_stop(&machine->process);
	process_stop(&machine->process); /* a second time is nothing */
	close(machine->qmp);
	for (int i = 0; i < 4; i++)
		close(machine->serial[i]);
	close(machine->wiring.disk.descriptor);
	if (machine->wiring.kernel.descriptor >= 0) {
		close(machine->wiring.kernel.descriptor);
		close(machine->wiring.initrd.descriptor);
	}
	workspace_free(&machine->workspace);
	arena_free(&machine->arena);
}

static bool lives(pid_t process)
{
	char path[64], state = 'X';
	snprintf(path, sizeof(path), "/proc/%d/stat", process);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	bool got = fscanf(file, "%*d (%*[^)]) %c", &state) == 1;
	fclose(file);
	return got && state != 'Z' && state != 'X';
}

static bool gone_within(pid_t process, double seconds)
{
	double end = seconds_now() + seconds;
	while (lives(process) && seconds_now() < end)
		usleep(10000);
	return !lives(process);
}

/* QEMU takes the whole command line of each firmware, and the overlay has the disk's size. */
static void check_starts(enum machine_firmware firmware)
{
	struct machine machine;
	int status;
	if (!start(&machine, firmware))
		skip();
	expect(&machine, "\"QMP\"");
	ask(&machine, "{\"execute\":\"qmp_capabilities\"}\n", "return");
	ask(&machine, "{\"execute\":\"query-named-block-nodes\",\"arguments\":{\"flat\":true}}\n",
	    "\"" MACHINE_SPARE_NODE "\"");
	ask(&machine, "{\"execute\":\"query-block\"}\n", "\"virtual-size\": 33554432");
	ask(&machine,
	    "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"scsi-hd\",\"bus\":\"" MACHINE_SCSI
	    ".0\",\"drive\":\"" MACHINE_SPARE_NODE "\",\"scsi-id\":2},\"id\":\"added\"}\n",
	    "\"return\": {}, \"id\": \"added\"");
	assert_false(process_ended(&machine.process, &status));
	assert_true(process_cpu_seconds(&machine.process) > 0);
	/* As long as it ran, or this kernel does not tell. */
	assert_true(process_starved_seconds(&machine.process) < 600);
	pid_t process = machine.process.process;
	assert_string_equal(text_get(&machine.process.complaint), "");
	stop(&machine);
	assert_false(lives(process));
	assert_true(machine.process.cpu_seconds > 0);
}

static void starts_with_bios(void **state)
{
	(void)state;
	check_starts(MACHINE_BIOS);
}

static void starts_with_uefi(void **state)
{
	(void)state;
	check_starts(MACHINE_UEFI);
}

static void starts_with_a_kernel(void **state)
{
	(void)state;
	struct machine machine;
	int status;
	if (!start(&machine, MACHINE_KERNEL))
		skip();
	/* It opens and refuses what is no kernel: the descriptor came over. */
	double end = seconds_now() + 20;
	while (!process_ended(&machine.process, &status) && seconds_now() < end)
		usleep(10000);
	assert_non_null(strstr(text_get(&machine.process.complaint), "kernel"));
	assert_null(strstr(text_get(&machine.process.complaint), "could not open"));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_int_equal(machine.process.process, -1);
	stop(&machine);
}

/* One that was killed from outside is seen to have ended, with its signal. */
static void an_end_is_seen(void **state)
{
	(void)state;
	struct machine machine;
	int status = 0;
	if (!start(&machine, MACHINE_BIOS))
		skip();
	expect(&machine, "\"QMP\"");
	assert_true(machine.process.pidfd >= 0);
	struct pollfd end = { .fd = machine.process.pidfd, .events = POLLIN };
	assert_int_equal(poll(&end, 1, 0), 0);
	kill(machine.process.process, SIGKILL);
	assert_int_equal(poll(&end, 1, 20000), 1);
	assert_true(process_ended(&machine.process, &status));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_false(process_ended(&machine.process, &status));
	stop(&machine);
}

/* Killed without a chance to clean up, the parent leaves no machine behind, whatever that is doing. */
static void a_killed_parent_leaves_nothing(void **state)
{
	(void)state;
	int told[2];
	pid_t machine_process = 0;
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	pid_t parent = fork();
	if (parent == 0) {
		struct machine machine;
		if (!start(&machine, MACHINE_BIOS))
			_exit(1);
		expect(&machine, "\"QMP\"");
		(void)!write(told[1], &machine.process.process, sizeof(pid_t));
		pause();
	}
	close(told[1]);
	ssize_t got = read(told[0], &machine_process, sizeof(pid_t));
	close(told[0]);
	if (got != sizeof(pid_t)) {
		waitpid(parent, NULL, 0);
		skip();
	}
	assert_true(lives(machine_process));
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	assert_true(gone_within(machine_process, 10));
}

/* A program of a test's own in the machine's place. */
static void start_shell(const char *script, const struct machine_wiring *wiring, struct arena *arena,
                        struct machine_process *out)
{
	struct machine_words words = { 0 };
	struct error error;
	*LIST_ADD(arena, &words.items) = "/bin/sh";
	*LIST_ADD(arena, &words.items) = "-c";
	*LIST_ADD(arena, &words.items) = script;
	if (!process_start(&words, wiring, out, &error))
		fail_msg("%s", error.message);
}

static const char *complaint_of(struct machine_process *process)
{
	int status;
	double end = seconds_now() + 20;
	while (!process_ended(process, &status) && seconds_now() < end) {
		process_listen(process);
		usleep(5000);
	}
	return text_get(&process->complaint);
}

static void no_other_descriptors(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct machine_process process;
	struct machine_wiring wiring = machine_wiring_none();
	int ours;
	/* One that would be inherited, were it not closed. */
	int leaking = fcntl(STDERR_FILENO, F_DUPFD, 50);
	socket_pair(&ours, &wiring.qmp);
	/* 3 is the shell's own, for the folder. */
	start_shell("cd /proc/$$/fd && echo * >&2", &wiring, &arena, &process);
	char *wanted = arena_printf(&arena, "0 1 2 3 %d ", wiring.qmp);
	assert_string_equal(complaint_of(&process), wanted);
	process_stop(&process);
	close(leaking);
	close(ours);
	close(wiring.qmp);
	arena_free(&arena);
}

/* What it runs with: no privileges to gain, no network, no memory image, no terminal, little environment. */
static void it_is_confined(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct machine_process process;
	struct machine_wiring wiring = machine_wiring_none();
	setenv("SECRET_OF_A_TEST", "secret", 1);
	/* It reads what /proc shows of itself, and of no other process. */
	start_shell("show() { while read -r line; do echo $line; done <$1; }; "
	            "{ show /proc/$$/status; show /proc/$$/net/dev; ulimit -c; env; "
	            "readlink /proc/self/fd/0 /proc/self/ns/net; } >&2",
	            &wiring, &arena, &process);
	const char *said = complaint_of(&process);
	assert_non_null(strstr(said, "NoNewPrivs: 1"));
	assert_null(strstr(said, "SECRET"));
	assert_non_null(strstr(said, "/dev/null"));
	char ours[64] = { 0 };
	assert_true(readlink("/proc/self/ns/net", ours, sizeof(ours) - 1) > 0);
	if (strstr(said, ours)) {
		print_message("no network namespace can be had here\n");
	} else {
		assert_non_null(strstr(said, "lo:"));
		assert_null(strstr(said, "eth"));
		assert_non_null(strstr(said, "CapEff: 0000000000000000"));
		assert_non_null(strstr(said, "CapPrm: 0000000000000000"));
	}
	process_stop(&process);
	unsetenv("SECRET_OF_A_TEST");
	arena_free(&arena);
}

/* Files of its own user's are not its to read or write, nor are sockets its to make: a service's may be one
 * file away. What it is to load is its to read. */
static void it_opens_no_file_and_makes_no_socket(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct machine_process process;
	struct machine_wiring wiring = machine_wiring_none();
	char path[] = "/tmp/slipway-test-XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0 && write(file, "image", 5) == 5);
	wiring.kernel = opened(file_with("a kernel;"));
	setenv("TMPDIR", path, 1); /* one of those that it is told */
	start_shell(
		arena_printf(
			&arena,
			"{ cat /proc/self/fd/%d; cat $TMPDIR 2>/dev/null || echo not read; "
			"cat /etc/shadow /etc/passwd | wc -c; ls /root /home /var/tmp 2>/dev/null | wc -l; "
	                "echo changed >$TMPDIR; echo new >$TMPDIR.new; rm $TMPDIR; "
			"python3 -c 'import socket\nfor kind in socket.AF_UNIX, socket.AF_INET:\n try:\n  "
			"socket.socket(kind)\n  print(\"made\")\n except PermissionError:\n  "
			"print(\"denied\")'; } >&2",
			wiring.kernel.descriptor),
		&wiring, &arena, &process);
	const char *said = complaint_of(&process);
	char bytes[16] = { 0 };
	assert_true(str_starts(said, "a kernel;"));
	if (lockdown_has_landlock()) {
		if (!strstr(said, "not read") || !strstr(said, " 0 0 "))
			fail_msg("%s", said);
		assert_int_equal(pread(file, bytes, sizeof(bytes), 0), 5);
		assert_int_equal(access(path, F_OK), 0);
		assert_int_not_equal(access(arena_printf(&arena, "%s.new", path), F_OK), 0);
	}
	if (lockdown_has_call_filter() && !strstr(said, "denied denied"))
		fail_msg("%s", said);
	process_stop(&process);
	unsetenv("TMPDIR");
	unlink(path);
	unlink(arena_printf(&arena, "%s.new", path));
	close(file);
	arena_free(&arena);
}

/* A guest does not fill the host's disk, or its memory: what is too much fails, and kills nobody. */
static void what_it_takes_has_an_end(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct machine_process process;
	struct machine_wiring wiring = machine_wiring_none();
	int overlay = memfd_create("overlay", MFD_CLOEXEC);
	wiring.overlay = opened(overlay);
	start_shell(arena_printf(&arena,
	                         "{ ulimit -f; ulimit -v; ulimit -c; } >&2; python3 -c 'import os\ntry:\n "
	                         "os.pwrite(%d, b\"x\", 1 << 50)\nexcept OSError as no:\n print(no)' >&2",
	                         overlay),
	            &wiring, &arena, &process);
	const char *said = complaint_of(&process);
	unsigned long long blocks = 0;
	char memory[20] = { 0 };
	if (sscanf(said, "%llu %19s 0 [Errno 27] File too large", &blocks, memory) != 2 ||
	    !strstr(said, "too large"))
		fail_msg("%s", said);
	assert_true(blocks > 0);
	/* In KiB. */
	assert_string_equal(memory, UNDER_SANITIZER ? "unlimited" : "8388608");
	process_stop(&process);
	close(overlay);
	arena_free(&arena);
}

/* A machine with much to say is heard in part and does not stand still. */
static void much_is_said(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct machine_process process;
	struct machine_wiring wiring = machine_wiring_none();
	start_shell("i=0; while [ $i -lt 5000 ]; do echo 'a line of thirty-two characters.' >&2; i=$((i+1)); "
	            "done; exit 3",
	            &wiring, &arena, &process);
	assert_int_equal(strlen(complaint_of(&process)), 4096);
	assert_int_equal(process.process, -1);
	process_stop(&process);
	arena_free(&arena);
}

/* Nor does one that never ends keep anybody from Ctrl-C. */
static void what_is_said_without_end(void **state)
{
	(void)state;
	struct machine_process process = { .process = -1,
		                           .pidfd = -1,
		                           .said = open("/dev/zero", O_RDONLY | O_CLOEXEC) };
	alarm(60); /* the end of this test, where it is heard without end */
	assert_true(process_listen(&process));
	alarm(0);
	process_stop(&process);
}

static void a_program_that_is_not_there(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct machine_process process;
	struct machine_wiring wiring = machine_wiring_none();
	struct machine_words words = { 0 };
	struct error error;
	*LIST_ADD(&arena, &words.items) = "/nonexistent/qemu";
	assert_true(process_start(&words, &wiring, &process, &error));
	assert_string_equal(complaint_of(&process), "it cannot be run: No such file or directory ");
	process_stop(&process);
	arena_free(&arena);
}

/* Who ignores SIGCHLD is never told of children, were it not set aside. */
static void ignored_children(void **state)
{
	signal(SIGCHLD, SIG_IGN);
	a_program_that_is_not_there(state);
	struct sigaction after;
	sigaction(SIGCHLD, NULL, &after);
	assert_true(after.sa_handler == SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_with_bios),
		cmocka_unit_test(starts_with_uefi),
		cmocka_unit_test(starts_with_a_kernel),
		cmocka_unit_test(an_end_is_seen),
		cmocka_unit_test(a_killed_parent_leaves_nothing),
		cmocka_unit_test(no_other_descriptors),
		cmocka_unit_test(it_is_confined),
		cmocka_unit_test(it_opens_no_file_and_makes_no_socket),
		cmocka_unit_test(what_it_takes_has_an_end),
		cmocka_unit_test(what_is_said_without_end),
		cmocka_unit_test(much_is_said),
		cmocka_unit_test(a_program_that_is_not_there),
		cmocka_unit_test(ignored_children),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
