// What is booted by which options, and what becomes of failures: the machine is played here.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/boot.h"
#include "cmd/bootable.h"
#include "cmd/progress.h"
#include "machine/inside.h"
#include "machine/ovmf.h"

static struct {
	enum error_code qemu, unfit, bootable, machine;
	enum run_end end;
	const char *arch;
	bool no_uefi, direct;
	size_t runs;
	enum machine_firmware firmwares[4];
	const char *logs[4];
	char command_line[256];
	bool inside;
	double patience;
	const char *logs_cut;
} played;

/* What boot.c says goes nowhere else. */
void complain(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char line[1024];
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	check_expected_ptr(line);
}

bool qemu_find(const char *arch, struct arena *arena, struct qemu *out, struct error *error)
{
	(void)arena;
	*out = (struct qemu){ .arch = arch, .ovmf_code = played.no_uefi ? NULL : "code.fd" };
	played.arch = arch;
	return !played.qemu || error_set(error, played.qemu, "install QEMU");
}

bool bootable_check(const struct facts *facts, bool direct, struct error *error)
{
	return !played.unfit || error_set(error, played.unfit, "it is for %s%s", facts->kernels.items[0].arch,
	                                  direct ? ", and has no ports" : "");
}

bool bootable_open(const char *name, const struct examination *examined, bool direct, struct arena *arena,
                   struct bootable *out, struct error *error)
{
	(void)name, (void)examined, (void)arena;
	played.direct = direct;
	*out = (struct bootable){ .disk = -1, .kernel = -1, .initrd = -1, .command_line = "root=/dev/sda1" };
	return !played.bootable || error_set(error, played.bootable, "no room");
}

void bootable_close(struct bootable *bootable)
{
	(void)bootable;
}

void examine_capture(int capture, const struct questions *questions, struct arena *arena,
                     struct examination *out)
{
	(void)capture, (void)questions, (void)arena;
	*out = (struct examination){ .facts = { .kind = INPUT_LIVE, .examined = EXAMINED_FULL } };
}

const char *inside_command_line(const char *command_line, struct arena *arena)
{
	return arena_printf(arena, "%s systemd.run", command_line);
}

int inside_initrd(int initrd, struct error *error)
{
	(void)initrd, (void)error;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool machine_boot(const struct machine_request *request, struct arena *arena, struct run *out,
                  int *inside_capture, struct error *error)
{
	(void)arena;
	*inside_capture = -1;
	if (played.machine)
		return error_set(error, played.machine, "no process");
	played.firmwares[played.runs] = request->firmware;
	played.logs[played.runs++] = request->logs;
	snprintf(played.command_line, sizeof(played.command_line), "%s",
	         request->command_line ? request->command_line : "");
	played.inside = request->inside;
	played.patience = request->patience;
	*out = (struct run){ .end = played.end, .logs = request->logs, .logs_cut = played.logs_cut };
	if (request->inside)
		*inside_capture = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return true;
}

static struct arena arena;

static struct facts *disk(const char *working)
{
	struct facts *facts = arena_alloc(&arena, sizeof(*facts));
	facts->kind = INPUT_DISK;
	facts->examined = EXAMINED_FULL;
	static const char *const firmwares[] = { "bios", "uefi" };
	for (size_t i = 0; i < ARRAY_SIZE(firmwares); i++)
		*LIST_ADD(&arena, &facts->boot.paths) = (struct boot_path){
			.firmware = firmwares[i],
			.works = strstr(working, firmwares[i]) ? ANSWER_YES : ANSWER_NO,
		};
	return facts;
}

static struct booted boot(const struct options *options, const struct facts *facts)
{
	struct questions questions = { 0 };
	struct booted booted;
	struct options quiet = *options;
	quiet.quiet = true;
	played.runs = 0;
	const struct examination examined = { .facts = *facts };
	boot_input(&quiet, "disk.raw", &questions, &examined, &arena, &booted);
	return booted;
}

static void expect_firmwares(const char *expected)
{
	static const char letters[] = { [MACHINE_BIOS] = 'b', [MACHINE_UEFI] = 'u', [MACHINE_KERNEL] = 'k' };
	char got[5] = "";
	for (size_t i = 0; i < played.runs; i++)
		got[i] = letters[played.firmwares[i]];
	assert_string_equal(got, expected);
}

static int reset(void **state)
{
	(void)state;
	memset(&played, 0, sizeof(played));
	played.end = RUN_CAME_UP;
	return 0;
}

static void chooses_the_firmware(void **state)
{
	(void)state;
	static const struct {
		const char *works, *asked;
		bool inside;
		const char *runs;
	} rows[] = {
		{ "bios uefi", NULL, false, "b" }, { "bios", NULL, false, "b" },
		{ "uefi", NULL, false, "u" },      { "", NULL, false, "b" },
		{ "bios", "uefi", false, "u" },    { "uefi", "both", false, "bu" },
		{ "bios", NULL, true, "k" },       { "bios", "both", true, "buk" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct options options = { .firmware = rows[i].asked, .inside = rows[i].inside };
		struct booted booted = boot(&options, disk(rows[i].works));
		assert_int_equal(booted.status, STATUS_CONFORMS);
		assert_int_equal(booted.count, strlen(rows[i].runs));
		expect_firmwares(rows[i].runs);
		assert_int_equal(played.direct, rows[i].inside);
		assert_int_equal(booted.runs[booted.count - 1].inside != NULL, rows[i].inside);
	}
}

static void loads_kernels_directly(void **state)
{
	(void)state;
	struct facts *facts = arena_alloc(&arena, sizeof(*facts));
	facts->kind = INPUT_KERNEL;
	*LIST_ADD(&arena, &facts->kernels) = (struct kernel){ .arch = "i386" };
	struct options options = { .append = "debug", .patience = 7 };
	boot(&options, facts);
	expect_firmwares("k");
	assert_string_equal(played.arch, "i386");
	assert_string_equal(played.command_line,
	                    "root=/dev/sda1 console=ttyS0,38400n8d " INSIDE_INIT " debug");
	assert_true(played.inside && played.patience == 7);
	options = (struct options){ .inside = true, .append = "debug" };
	boot(&options, disk("bios"));
	assert_string_equal(played.command_line, "root=/dev/sda1 debug systemd.run");
	/* What a user adds is told, of the boot that has it. */
	options.firmware = "both";
	options.append = "debug\033[2J";
	struct booted booted = boot(&options, disk("bios"));
	assert_int_equal(booted.count, 3);
	assert_null(booted.runs[0].appended);
	assert_string_equal(booted.runs[2].appended, "debug\\x1b[2J");
	options = (struct options){ 0 };
	boot(&options, disk("bios"));
	assert_string_equal(played.command_line, "");
	assert_false(played.inside);
	options.firmware = "bios";
	expect_string(complain, line, "a kernel is loaded without firmware: leave --firmware out");
	assert_int_equal(boot(&options, facts).status, STATUS_USAGE);
	options = (struct options){ .initrd = "initrd.img" };
	expect_string(complain, line, "--initrd goes with a kernel; an image boots the one of its own");
	assert_int_equal(boot(&options, disk("bios")).status, STATUS_USAGE);
	/* Of a kernel alone it is the caller's slip, too. */
	expect_string(complain, line, "--initrd=initrd.img cannot be opened: No such file or directory");
	assert_int_equal(boot(&options, facts).status, STATUS_USAGE);
}

/* Nothing is booted by the first firmware where the second is not there, and no QEMU is asked for in vain. */
static void refuses_before_it_boots(void **state)
{
	(void)state;
	struct facts *arm = disk("uefi");
	*LIST_ADD(&arena, &arm->kernels) = (struct kernel){ .arch = "arm64" };
	struct options options = { .firmware = "both" };
	expect_string(complain, line, "arm64 machines have no BIOS: write --firmware=uefi");
	assert_int_equal(boot(&options, arm).status, STATUS_USAGE);
	played.no_uefi = true;
	expect_string(complain, line,
	              arena_printf(&arena, "'disk.raw' was not booted: %s", ovmf_missing("x86_64")));
	assert_int_equal(boot(&options, disk("bios uefi")).status, STATUS_NOT_EXAMINED);
	assert_int_equal(played.runs, 0);
	options.firmware = NULL;
	expect_string(complain, line,
	              arena_printf(&arena, "'disk.raw' was not booted: %s", ovmf_missing("arm64")));
	assert_int_equal(boot(&options, arm).status, STATUS_NOT_EXAMINED);
	assert_int_equal(boot(&options, disk("bios")).status, STATUS_CONFORMS);
	played.no_uefi = false;
	boot(&options, arm);
	expect_firmwares("u");
	assert_string_equal(played.arch, "arm64");
	played.arch = NULL;
	played.unfit = ERROR_UNSUPPORTED;
	options.inside = true;
	expect_string(complain, line, "'disk.raw' was not booted: it is for arm64, and has no ports");
	assert_int_equal(boot(&options, arm).status, STATUS_NOT_EXAMINED);
	assert_null(played.arch);
}

static void tells_what_is_worth_a_retry(void **state)
{
	(void)state;
	struct options options = { 0 };
	played.qemu = ERROR_NOT_FOUND;
	expect_string(complain, line, "'disk.raw' was not booted: install QEMU");
	assert_int_equal(boot(&options, disk("bios")).status, STATUS_NOT_EXAMINED);
	reset(state);
	played.bootable = ERROR_IO;
	expect_string(complain, line, "'disk.raw' was not booted: no room");
	assert_int_equal(boot(&options, disk("bios")).status, STATUS_TEMPORARY);
	reset(state);
	played.machine = ERROR_UNSUPPORTED;
	expect_string(complain, line, "'disk.raw' was not booted: no process");
	struct booted booted = boot(&options, disk("bios"));
	assert_int_equal(booted.status, STATUS_NOT_EXAMINED);
	assert_int_equal(booted.count, 0);
	reset(state);
	static const struct {
		enum run_end end;
		enum status status;
		size_t runs;
	} ends[] = {
		{ RUN_CAME_UP, STATUS_CONFORMS, 2 },        { RUN_FAILED, STATUS_CONFORMS, 2 },
		{ RUN_HUNG, STATUS_CONFORMS, 2 },           { RUN_MACHINE, STATUS_TEMPORARY, 2 },
		{ RUN_INTERRUPTED, STATUS_INTERRUPTED, 1 },
	};
	options.firmware = "both";
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		played.end = ends[i].end;
		booted = boot(&options, disk("bios"));
		assert_int_equal(booted.status, ends[i].status);
		assert_int_equal(booted.count, ends[i].runs);
	}
}

/* How the boot ended is true all the same. */
static void says_that_logs_are_cut(void **state)
{
	(void)state;
	static const struct {
		enum run_end end;
		enum status status;
	} ends[] = { { RUN_CAME_UP, STATUS_TEMPORARY },
		     { RUN_FAILED, STATUS_TEMPORARY },
		     { RUN_INTERRUPTED, STATUS_INTERRUPTED } };
	char logs[] = "/tmp/slipway-test-XXXXXX";
	assert_non_null(mkdtemp(logs));
	struct options options = { .logs = logs };
	played.logs_cut = "qmp.log: No space left on device";
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		played.end = ends[i].end;
		expect_string(
			complain, line,
			arena_printf(
				&arena,
				"the logs of 'disk.raw' in '%s' are not complete (qmp.log: No space left "
				"on device): name a directory with more room",
				logs));
		struct booted booted = boot(&options, disk("bios"));
		assert_int_equal(booted.status, ends[i].status);
		assert_int_equal(booted.runs[0].end, ends[i].end);
	}
	assert_int_equal(rmdir(logs), 0);
}

static void writes_over_no_logs(void **state)
{
	(void)state;
	char parent[] = "/tmp/slipway-test-XXXXXX";
	assert_non_null(mkdtemp(parent));
	const char *logs = arena_printf(&arena, "%s/logs", parent);
	struct options options = { .logs = logs };
	assert_int_equal(boot(&options, disk("bios")).status, STATUS_CONFORMS);
	assert_string_equal(played.logs[0], logs);
	/* It is there, and empty. */
	options.firmware = "both";
	assert_int_equal(boot(&options, disk("bios")).status, STATUS_CONFORMS);
	assert_string_equal(played.logs[0], arena_printf(&arena, "%s/bios", logs));
	assert_string_equal(played.logs[1], arena_printf(&arena, "%s/uefi", logs));
	expect_string(complain, line,
	              arena_printf(&arena,
	                           "'%s' for the logs is no empty directory: name one that is, or that is "
	                           "not there",
	                           logs));
	assert_int_equal(boot(&options, disk("bios")).status, STATUS_USAGE);
	assert_int_equal(played.runs, 0);
	options.logs = "/dev/null/logs";
	expect_string(complain, line,
	              "the directory '/dev/null/logs' for the logs cannot be made: Not a directory");
	assert_int_equal(boot(&options, disk("bios")).status, STATUS_USAGE);
	rmdir(arena_printf(&arena, "%s/bios", logs));
	rmdir(arena_printf(&arena, "%s/uefi", logs));
	rmdir(logs);
	assert_int_equal(rmdir(parent), 0);
}

/* The guest's bytes cannot drive the terminal, and nothing goes over its edge. */
static void cuts_the_live_line(void **state)
{
	(void)state;
	struct progress progress = progress_start("BIOS", false, false);
	struct machine_progress now = { .phase = RUN_KERNEL,
		                        .seconds = 12.4,
		                        .last_line = "日本\033[2J login" };
	struct text line CLEANUP(text_free) = { 0 };
	progress_line(&progress, &now, 80, &line);
	assert_string_equal(text_get(&line), "BIOS  12 s  kernel    日本\\x1b[2J login");
	text_clear(&line);
	/* A wide character does not fit half. */
	progress_line(&progress, &now, 26, &line);
	assert_string_equal(text_get(&line), "BIOS  12 s  kernel    日");
	text_clear(&line);
	now.doing = "plugging in a disk";
	progress_line(&progress, &now, 80, &line);
	assert_string_equal(text_get(&line), "BIOS  12 s  proving   plugging in a disk");
	text_clear(&line);
	progress_line(&progress, &now, 1, &line);
	assert_string_equal(text_get(&line), "B");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(chooses_the_firmware, reset),
		cmocka_unit_test_setup(loads_kernels_directly, reset),
		cmocka_unit_test_setup(refuses_before_it_boots, reset),
		cmocka_unit_test_setup(tells_what_is_worth_a_retry, reset),
		cmocka_unit_test_setup(says_that_logs_are_cut, reset),
		cmocka_unit_test_setup(writes_over_no_logs, reset),
		cmocka_unit_test_setup(cuts_the_live_line, reset),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}
