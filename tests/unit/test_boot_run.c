// The director of a boot, with a QEMU that is played (played_qemu.py): how each way to end is told, and that
// nothing is left behind.
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "machine/loop.h"
#include "machine/machine.h"

static struct arena arena;
static struct run run;
static bool kernel_alone; /* and no disk */
static bool inside;       /* it shall tell of itself */
static bool no_cx16;
static bool proves;
static char folder[] = "/tmp/slipway-boot-XXXXXX";
static const char *logs = folder;

/* A program that plays `play`: a copy of that name, for a machine reads nothing of others'. */
static const char *player(const char *play)
{
	char bytes[1 << 15];
	const char *path = arena_printf(&arena, "%s/%s", folder, play);
	FILE *from = fopen(SOURCE_ROOT "/tests/unit/played_qemu.py", "re"), *file = fopen(path, "we");
	assert_true(from && file);
	size_t size = fread(bytes, 1, sizeof(bytes), from);
	assert_true(size > 0 && size < sizeof(bytes) && fwrite(bytes, 1, size, file) == size);
	fclose(from);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
	return path;
}

/* A run finds none. */
static void remove_logs(void)
{
	static const char *const names[] = { RUN_CONSOLE_PATH, RUN_QMP_PATH, RUN_FRAMES_PATH };
	char path[200];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
}

static bool boot(const char *play, double patience, struct error *error)
{
	struct qemu qemu = { .program = player(play),
		             .version = "10.0.2",
		             .arch = "x86_64",
		             .is_reference = true,
		             .piix4_isa = true,
		             .no_cx16 = no_cx16 };
	struct machine_request request = {
		.qemu = &qemu,
		.firmware = MACHINE_BIOS,
		.disk = kernel_alone ? -1 : memfd_create("disk", MFD_CLOEXEC),
		.disk_size = 1 << 20,
		.kernel = -1,
		.initrd = -1,
		.inside = inside,
		.console = -1,
		.logs = logs,
		.prove = proves,
		.patience = patience,
	};
	assert_true(kernel_alone || ftruncate(request.disk, 1 << 20) == 0);
	int capture;
	remove_logs();
	bool on = machine_boot(&request, &arena, &run, &capture, error);
	assert_int_equal(capture >= 0, inside);
	if (capture >= 0)
		close(capture);
	if (request.disk >= 0)
		close(request.disk);
	unlink(qemu.program);
	/* Nobody is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return on;
}

static void expect(const char *play, enum run_end end, const char *ended)
{
	struct error error = { 0 };
	if (!boot(play, 2, &error))
		fail_msg("%s: %s", play, error.message);
	if (run.end != end || !str_glob(ended, run.ended, false))
		fail_msg("%s: %s: %s", play, run_end_names[run.end], run.ended);
}

static void expect_symptom(const char *name, const char *path)
{
	assert_true(run.symptoms.count > 0);
	assert_string_equal(run.symptoms.items[0].name, name);
	assert_string_equal(run.symptoms.items[0].place.path, path);
	assert_true(run.symptoms.items[0].place.line > 0);
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void comes_up(void **state)
{
	(void)state;
	expect("login", RUN_CAME_UP, "a login prompt stands on ttyS0");
	assert_true(run.steps[RUN_KERNEL].reached && run.steps[RUN_INIT].reached &&
	            run.steps[RUN_LOGIN].reached);
	assert_int_equal(run.symptoms.count, 0);
	assert_int_equal(run.last_lines.count, 0);
	assert_string_equal(run.firmware, "BIOS");
	assert_string_equal(run.machine, "QEMU 10.0.2, pc, without KVM");
	/* The log is the console line for line. */
	FILE *log = fopen(arena_printf(&arena, "%s/%s", folder, RUN_CONSOLE_PATH), "re");
	char line[200];
	for (uint64_t i = 0; i < run.steps[RUN_LOGIN].place.line; i++)
		assert_non_null(fgets(line, sizeof(line), log));
	fclose(log);
	assert_string_equal(line, "host login:\n");
}

static void fails_by_its_console(void **state)
{
	(void)state;
	expect("panic", RUN_FAILED, "init ended, which is the kernel's end");
	expect_symptom("kernel-panic", RUN_CONSOLE_PATH);
	assert_int_equal(run.last_lines.count, 1);
	/* Where the processor may be at fault the image is not. */
	no_cx16 = true;
	expect("panic", RUN_MACHINE,
	       "init ended, which is the kernel's end, which may be for the processor*");
	assert_int_equal(run.symptoms.count, 0);
	no_cx16 = false;
	/* That the machine is reset then follows from it. */
	expect("panic_and_reset", RUN_FAILED, "the kernel panicked");
	expect_symptom("kernel-panic", RUN_CONSOLE_PATH);
}

static void ends_by_the_guest(void **state)
{
	(void)state;
	expect("reset", RUN_FAILED,
	       "the guest reset the machine before its kernel spoke*triple fault*\"Loading initial ramdisk "
	       "...\"");
	expect("power_off", RUN_FAILED, "the guest switched the machine off*Power down\"");
	/* Its events are found among many, and its words end where a letter does. */
	expect("flood", RUN_FAILED, "the guest switched the machine off*\"x\xc3\xa9*\xc3\xa9\"");
}

/* A system that fails while proofs are made has not come up. */
static void fails_behind_its_login(void **state)
{
	(void)state;
	proves = true;
	expect("panic_later", RUN_FAILED, "the kernel panicked");
	proves = false;
	expect_symptom("kernel-panic", RUN_CONSOLE_PATH);
	assert_string_equal(run.symptoms.items[1].name, "mount-failed");
}

/* As a first boot may; but not for ever, and not out of a panic. */
static void restarts_once(void **state)
{
	(void)state;
	expect("restart", RUN_CAME_UP,
	       "a login prompt stands on ttyS0, after the guest restarted itself once");
	/* The phases are those of the boot that came up, and so is what it failed at. */
	assert_int_equal(run.steps[RUN_KERNEL].place.line, 4);
	assert_int_equal(run.symptoms.count, 0);
	expect("restart_twice", RUN_FAILED, "the guest restarted itself a second time*Restarting system\"");
	expect("panic_restart", RUN_FAILED, "the kernel panicked");
	expect_symptom("kernel-panic", RUN_CONSOLE_PATH);
	assert_int_equal(run.last_lines.count, 1);
}

static void ends_by_the_machine(void **state)
{
	(void)state;
	expect("stop", RUN_MACHINE, "there was no room, or no way, to write *: set TMPDIR to *");
	expect("killed", RUN_MACHINE, "QEMU was killed by signal 11 (*)");
	expect("dies", RUN_MACHINE, "QEMU ended with status 3 and said \"qemu: it cannot go on\\\\x1b*\"");
	struct error error = { 0 };
	assert_false(boot("no_greeting", 2, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	assert_non_null(strstr(error.message, "it says \"qemu: -device nonsense: no such thing\""));
}

static void makes_no_progress(void **state)
{
	(void)state;
	expect("hang", RUN_HUNG, "nothing came for * seconds; the console's last line is \"*something\"");
	expect_symptom("hang", RUN_CONSOLE_PATH);
	/* Not a word of what follows: it is the boot code that leads nowhere. */
	expect("boot_code", RUN_FAILED, "the firmware started the disk's boot code, and neither *");
	expect_symptom("boot-code-silent", RUN_CONSOLE_PATH);
	assert_int_equal(run.symptoms.count, 1);
	expect("unbound", RUN_FAILED, "no driver of the kernel took over *");
	expect_symptom("driver-never-bound", RUN_QMP_PATH);
	/* Without a disk there are no modules, and nobody is missed. */
	kernel_alone = true;
	expect("unbound", RUN_HUNG, "nothing came for *");
	expect_symptom("hang", RUN_CONSOLE_PATH);
	kernel_alone = false;
	expect("silent", RUN_FAILED, "the kernel runs, but says nothing on its serial console");
	expect_symptom("no-console", RUN_QMP_PATH);
	assert_true(run.steps[RUN_KERNEL].reached);
	assert_string_equal(run.steps[RUN_KERNEL].place.path, RUN_QMP_PATH);
}

/* Words without end are no progress: what counts are new ones. */
static void repeats_itself(void **state)
{
	(void)state;
	struct error error = { 0 };
	double start = seconds_now();
	assert_true(boot("endless", 1.5, &error));
	assert_true(seconds_now() - start >= 5 * 1.5);
	assert_int_equal(run.end, RUN_HUNG);
	if (!str_glob("the console said nothing new for * seconds; the console's last line is \"* A start "
	              "job is "
	              "running (*\"",
	              run.ended, false))
		fail_msg("%s", run.ended);
	expect_symptom("hang", RUN_CONSOLE_PATH);
}

/* What a log takes is no work of the disk; what systemd waits for is named. */
static void waits_for_a_job(void **state)
{
	(void)state;
	static const char ended[] =
		"systemd waits for \"Wait for a Net (of ours)\" and \"dev-sdz.device\", and the console said "
		"nothing new for * seconds; the console's last line is \"*ob *running*\"";
	struct error error = { 0 };
	double start = seconds_now();
	assert_true(boot("job", 0.4, &error));
	/* Not before systemd gives up the one with a limit. */
	assert_true(seconds_now() - start >= 6);
	assert_int_equal(run.end, RUN_HUNG);
	if (!str_glob(ended, run.ended, false))
		fail_msg("%s", run.ended);
	expect_symptom("hang", RUN_CONSOLE_PATH);
}

/* A disk that works is progress, until it has done more than any work takes. */
static void works_in_silence(void **state)
{
	(void)state;
	struct error error = { 0 };
	assert_true(boot("work", 0.4, &error));
	if (run.end != RUN_CAME_UP)
		fail_msg("%s", run.ended);
	assert_true(boot("endless_work", 0.4, &error));
	assert_int_equal(run.end, RUN_HUNG);
}

/* A file system with room for one page. */
static bool mount_full(const char *path)
{
	const struct {
		const char *file, *text;
	} maps[] = {
		{ "/proc/self/setgroups", "deny" },
		{ "/proc/self/uid_map", arena_printf(&arena, "0 %u 1", (unsigned)geteuid()) },
		{ "/proc/self/gid_map", arena_printf(&arena, "0 %u 1", (unsigned)getegid()) },
	};
	bool done = unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
	for (size_t i = 0; done && i < ARRAY_SIZE(maps); i++) {
		int file = open(maps[i].file, O_WRONLY | O_CLOEXEC);
		done = file >= 0 && write(file, maps[i].text, strlen(maps[i].text)) > 0;
		if (file >= 0)
			close(file);
	}
	return done && mount("none", path, "tmpfs", 0, "size=4k") == 0;
}

#define EXIT_SKIP 77

/* The boot ends as it does; of the logs the first one that is cut is told. */
static void fills_the_disk(void **state)
{
	(void)state;
	logs = arena_printf(&arena, "%s/full", folder);
	assert_int_equal(mkdir(logs, 0700), 0);
	pid_t child = fork();
	if (child == 0) {
		struct error error = { 0 };
		if (!mount_full(logs))
			_exit(EXIT_SKIP);
		bool told = boot("flood", 2, &error) && run.end == RUN_FAILED && run.logs_cut &&
		            str_glob("*.log: No space left on device", run.logs_cut, false);
		fprintf(stderr, "%s, %s\n", run.ended ? run.ended : error.message,
		        run.logs_cut ? run.logs_cut : "all logs are there");
		_exit(told ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	rmdir(logs);
	logs = folder;
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == EXIT_SKIP)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	expect("login", RUN_CAME_UP, "*");
	assert_null(run.logs_cut);
}

/* A guest that told all over ttyS1 has told of itself, whatever its other ports do. */
static void tells_of_itself(void **state)
{
	(void)state;
	inside = true;
	expect("tells", RUN_CAME_UP,
	       "the guest told of itself over ttyS1, and nothing came over ttyS2 and ttyS3");
	expect("tells_on_ttyS2", RUN_CAME_UP,
	       "the guest told of itself over ttyS1, and nothing came over ttyS3");
	expect("tells_on_both", RUN_CAME_UP, "the guest told of itself over ttyS1");
	expect("tells_and_panics", RUN_FAILED, "the kernel panicked");
	inside = false;
}

static volatile sig_atomic_t seen;

static void note(int signal)
{
	seen = signal;
}

static void is_interrupted(void **state)
{
	(void)state;
	struct sigaction before = { .sa_handler = note }, now;
	sigaction(SIGTERM, &before, NULL);
	double start = seconds_now();
	/* The machine may signal nobody. */
	struct sigevent by = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGTERM };
	const struct itimerspec soon = { .it_value.tv_sec = 1 };
	timer_t timer;
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &by, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &soon, NULL), 0);
	expect("interrupt", RUN_INTERRUPTED, "signal 15 (*) came");
	assert_true(seconds_now() - start < 10);
	timer_delete(timer);
	/* Taken by the run, and the handler is the caller's again. */
	assert_int_equal(seen, 0);
	sigaction(SIGTERM, NULL, &now);
	assert_ptr_equal(now.sa_handler, note);
	signal(SIGTERM, SIG_DFL);
}

/* What lies in the place of a log, somebody put there: it is not written to. */
static void logs_are_new(void **state)
{
	(void)state;
	struct error error = { 0 };
	char path[200];
	snprintf(path, sizeof(path), "%s/%s", folder, RUN_QMP_PATH);
	struct qemu qemu = { .program = player("login"), .version = "", .arch = "x86_64" };
	struct machine_request request = {
		.qemu = &qemu, .disk = -1, .kernel = -1, .initrd = -1, .console = -1
	};
	int capture;
	request.logs = folder;
	remove_logs();
	assert_int_equal(symlink("/tmp/slipway-nobody-wants-this", path), 0);
	assert_false(machine_boot(&request, &arena, &run, &capture, &error));
	assert_true(strstr(error.message, RUN_QMP_PATH) && strstr(error.message, "File exists"));
	assert_int_not_equal(access("/tmp/slipway-nobody-wants-this", F_OK), 0);
	unlink(qemu.program);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	remove_logs();
	return rmdir(folder);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_teardown(function, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(restarts_once),        TEST(comes_up),
		TEST(fails_by_its_console), TEST(ends_by_the_guest),
		TEST(ends_by_the_machine),  TEST(makes_no_progress),
		TEST(repeats_itself),       TEST(waits_for_a_job),
		TEST(fills_the_disk),       TEST(tells_of_itself),
		TEST(works_in_silence),     TEST(is_interrupted),
		TEST(logs_are_new),         TEST(fails_behind_its_login),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
