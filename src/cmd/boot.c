#include "cmd/boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/bootable.h"
#include "cmd/progress.h"
#include "machine/inside.h"
#include "machine/machine.h"
#include "machine/ovmf.h"

/* The console of the page's machines, for a kernel that comes without a command line. */
#define KERNEL_CONSOLE "console=ttyS0,38400n8d"

#define RUNS_MOST 3

/* What is booted, and by what. */
struct boot_plan {
	const struct options *options;
	const char *name;
	const struct questions *questions;
	const struct facts *facts;
	struct arena *arena;
	const char *arch; /* of the kernel */
	struct qemu qemu;
	enum machine_firmware firmwares[RUNS_MOST];
	size_t count;
	struct bootable bootable;
};

/* Says it; what a second try cannot mend is the input's, or this host's. */
static enum status fail(const struct boot_plan *plan, const struct error *error)
{
	if (error->code == ERROR_USAGE) {
		complain("%s", error->message);
		return STATUS_USAGE;
	}
	complain("'%s' was not booted: %s", plan->name, error->message);
	return error->code == ERROR_IO ? STATUS_TEMPORARY : STATUS_NOT_EXAMINED;
}

static const char *arch_of(const struct facts *facts)
{
	const char *arch = NULL;
	for (size_t i = 0; i < facts->kernels.count; i++) {
		const struct kernel *kernel = &facts->kernels.items[i];
		if (kernel->arch && (!arch || kernel->booted))
			arch = kernel->arch;
	}
	return arch ? arch : "x86_64";
}

/* BIOS, as the platform does by default, unless only UEFI finds a way in. */
static void choose_firmware(struct boot_plan *plan)
{
	const char *asked = plan->options->firmware;
	bool uefi_alone = str_equal(plan->arch, "arm64") ||
	                  (boot_works(&plan->facts->boot, "uefi") && !boot_works(&plan->facts->boot, "bios"));
	bool direct = plan->facts->kind == INPUT_KERNEL || plan->options->inside;
	if (str_equal(asked, "bios") || str_equal(asked, "both") || (!asked && !direct && !uefi_alone))
		plan->firmwares[plan->count++] = MACHINE_BIOS;
	if (str_equal(asked, "uefi") || str_equal(asked, "both") || (!asked && !direct && uefi_alone))
		plan->firmwares[plan->count++] = MACHINE_UEFI;
	if (direct)
		plan->firmwares[plan->count++] = MACHINE_KERNEL;
}

static bool check_plan(const struct boot_plan *plan, struct error *error)
{
	const struct options *options = plan->options;
	bool kernel = plan->facts->kind == INPUT_KERNEL;
	if (options->kernel_file && plan->facts->kind == INPUT_DISK)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "it is a disk image, and no kernel: give it without --kernel");
	if (kernel && options->firmware)
		return error_set(error, ERROR_USAGE,
		                 "a kernel is loaded without firmware: leave --firmware out");
	if (options->initrd && !kernel)
		return error_set(error, ERROR_USAGE,
		                 "--initrd goes with a kernel; an image boots the one of its own");
	if (options->append && !kernel && !options->inside)
		return error_set(
			error, ERROR_USAGE,
			"--append goes with a kernel or --inside: by firmware an image boots its own "
			"command line");
	if (str_equal(plan->arch, "arm64") && options->firmware && !str_equal(options->firmware, "uefi"))
		return error_set(error, ERROR_USAGE, "arm64 machines have no BIOS: write --firmware=uefi");
	return true;
}

/* Before the first of several boots, not after it. */
static bool check_firmware(const struct boot_plan *plan, struct error *error)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->firmwares[i] == MACHINE_UEFI && !plan->qemu.ovmf_code)
			return error_set(error, ERROR_UNSUPPORTED, "%s", ovmf_missing(plan->qemu.arch));
	return true;
}

static bool is_empty_directory(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	bool empty = directory != NULL;
	while (directory && (entry = readdir(directory)))
		empty = empty && (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."));
	if (directory)
		closedir(directory);
	return empty;
}

/* Nothing that is there already is written over. */
static bool make_logs(const char *path, struct error *error)
{
	if (mkdir(path, 0777) == 0)
		return true;
	if (errno != EEXIST)
		return error_set(error, errno == ENOSPC || errno == EDQUOT ? ERROR_IO : ERROR_USAGE,
		                 "the directory '%s' for the logs cannot be made: %s", path, strerror(errno));
	return is_empty_directory(path) ||
	       error_set(error, ERROR_USAGE,
	                 "'%s' for the logs is no empty directory: name one that is, or that is not there",
	                 path);
}

static const char *firmware_name(enum machine_firmware firmware)
{
	return firmware == MACHINE_BIOS ? "BIOS" : firmware == MACHINE_UEFI ? "UEFI" : "kernel";
}

/* With several runs each has a directory of its own below. */
static bool logs_of_run(const struct boot_plan *plan, enum machine_firmware firmware, const char **out,
                        struct error *error)
{
	*out = plan->options->logs;
	if (!*out || plan->count < 2)
		return true;
	*out = arena_printf(plan->arena, "%s/%s", *out, run_folder(firmware_name(firmware)));
	return make_logs(*out, error);
}

static bool open_initrd(const char *path, int *out, struct error *error)
{
	*out = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat status;
	if (*out < 0)
		return error_set(error, ERROR_USAGE, "--initrd=%s cannot be opened: %s", path,
		                 strerror(errno));
	if (fstat(*out, &status) == 0 && S_ISREG(status.st_mode))
		return true;
	close(*out);
	*out = -1;
	return error_set(error, ERROR_USAGE, "--initrd=%s is no file", path);
}

/* A kernel by itself runs our init, behind what it came with; an image its own, which is asked to report. */
static bool load_directly(const struct boot_plan *plan, struct machine_request *request, int *own_initrd,
                          struct error *error)
{
	const struct options *options = plan->options;
	const char *words = plan->bootable.command_line;
	request->kernel = plan->bootable.kernel;
	request->initrd = plan->bootable.initrd;
	request->inside = true;
	if (plan->facts->kind == INPUT_KERNEL) {
		int given = -1;
		if (options->initrd && !open_initrd(options->initrd, &given, error))
			return false;
		*own_initrd = inside_initrd(given >= 0 ? given : plan->bootable.initrd, error);
		if (given >= 0)
			close(given);
		if (*own_initrd < 0)
			return false;
		request->initrd = *own_initrd;
		/* Who names consoles wants those and no other: each console= adds one. */
		bool named = options->append && command_line_has(options->append, "console", NULL, 0);
		words = arena_printf(plan->arena, "%s%s%s" INSIDE_INIT, words ? words : "", words ? " " : "",
		                     named ? "" : KERNEL_CONSOLE " ");
	}
	if (options->append)
		words = arena_printf(plan->arena, "%s %s", words ? words : "", options->append);
	request->command_line = plan->facts->kind == INPUT_KERNEL
	                                ? words
	                                : inside_command_line(words ? words : "", plan->arena);
	return true;
}

/* The guest's own view. */
static void take_capture(const struct boot_plan *plan, int capture, struct run *run)
{
	struct examination *inside = arena_alloc(plan->arena, sizeof(*inside));
	if (capture < 0)
		return;
	examine_capture(capture, plan->questions, plan->arena, inside);
	close(capture);
	if (inside->facts.examined == EXAMINED_NONE)
		run->inside_reason = inside->facts.reason;
	else
		run->inside = &inside->facts;
}

static const char *printable(const char *words, struct arena *arena)
{
	struct text clean CLEANUP(text_free) = { 0 };
	text_add_clean(&clean, span_text(words));
	return arena_strdup(arena, text_get(&clean));
}

static bool run_once(const struct boot_plan *plan, enum machine_firmware firmware, struct run *run,
                     struct error *error)
{
	const struct options *options = plan->options;
	struct progress progress = progress_start(firmware_name(firmware), options->quiet, options->console);
	struct machine_request request = {
		.qemu = &plan->qemu,
		.firmware = firmware,
		.disk = plan->bootable.disk,
		.disk_size = plan->bootable.disk_size,
		.kernel = -1,
		.initrd = -1,
		.prove = !options->no_proofs,
		.console = options->console ? STDERR_FILENO : -1,
		.patience = (double)options->patience,
		.progress = progress_show,
		.context = &progress,
	};
	int capture = -1, initrd = -1;
	bool ready = logs_of_run(plan, firmware, &request.logs, error) &&
	             (firmware != MACHINE_KERNEL || load_directly(plan, &request, &initrd, error));
	bool ran = ready && machine_boot(&request, plan->arena, run, &capture, error);
	if (ran && firmware == MACHINE_KERNEL && options->append)
		run->appended = printable(options->append, plan->arena);
	progress_end(&progress);
	if (initrd >= 0)
		close(initrd);
	if (ran)
		take_capture(plan, capture, run);
	return ran;
}

/* A machine that died may do better next time; a user who ended it wants no more of them. */
static enum status status_of_run(const struct run *run)
{
	if (run->end == RUN_INTERRUPTED)
		return STATUS_INTERRUPTED;
	return run->end == RUN_MACHINE || run->end == RUN_NOT_STARTED ? STATUS_TEMPORARY : STATUS_CONFORMS;
}

/* What was asked to be kept is not all there; how the boot ended is true all the same. */
static enum status status_of_logs(const struct boot_plan *plan, const struct run *run)
{
	if (!run->logs_cut)
		return STATUS_CONFORMS;
	complain("the logs of '%s' in '%s' are not complete (%s): name a directory with more room",
	         plan->name, run->logs ? run->logs : "", run->logs_cut);
	return STATUS_TEMPORARY;
}

static enum status run_all(const struct boot_plan *plan, struct booted *out)
{
	enum status status = STATUS_CONFORMS;
	for (size_t i = 0; i < plan->count && status != STATUS_INTERRUPTED; i++) {
		struct error error = { 0 };
		if (!run_once(plan, plan->firmwares[i], &out->runs[out->count], &error))
			return graver_status(status, fail(plan, &error));
		const struct run *run = &out->runs[out->count++];
		status = graver_status(status, graver_status(status_of_run(run), status_of_logs(plan, run)));
	}
	return status;
}

void boot_input(const struct options *options, const char *name, const struct questions *questions,
                const struct examination *examined, struct arena *arena, struct booted *out)
{
	const struct facts *facts = &examined->facts;
	struct boot_plan plan = {
		.options = options,
		.name = name,
		.questions = questions,
		.facts = facts,
		.arena = arena,
		.arch = arch_of(facts),
		.bootable = { .disk = -1, .kernel = -1, .initrd = -1 },
	};
	struct error error = { 0 };
	*out = (struct booted){ .runs = arena_alloc_array(arena, RUNS_MOST, sizeof(struct run)) };
	choose_firmware(&plan);
	bool direct = plan.firmwares[plan.count - 1] == MACHINE_KERNEL;
	/* Nobody is told to install a QEMU for what it will not boot. */
	bool ready = check_plan(&plan, &error) && bootable_check(facts, direct, &error) &&
	             qemu_find(plan.arch, arena, &plan.qemu, &error) && check_firmware(&plan, &error) &&
	             bootable_open(name, examined, direct, arena, &plan.bootable, &error) &&
	             (!options->logs || make_logs(options->logs, &error));
	out->status = ready ? run_all(&plan, out) : fail(&plan, &error);
	bootable_close(&plan.bootable);
}
