// slipway machine: the command line of the reference machine, to type or to run.

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/examine.h"
#include "machine/ovmf.h"
#include "machine/process.h"
#include "machine/workspace.h"

/* What the printed command makes in the current folder, since it is run by a shell. */
#define OVERLAY_FILE "slipway-overlay.qcow2"
#define VARS_FILE    "slipway-vars.fd"

/* The place of an image when none was named. */
#define ANY_IMAGE "disk.raw"

/* What is to be started. */
struct plan {
	struct arena arena;
	const char *image;
	uint64_t size; /* bytes; 0: not known */
	const char *arch;
	enum machine_firmware firmware;
	struct qemu qemu;
};

/* A word as a shell takes it. */
static void print_word(const char *word)
{
	if (*word && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                               "%+,-./:=@_")] == '\0') {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*word);
	}
	putchar('\'');
}

/* One option a line, with its value. */
static void print_command(const struct machine_words *words)
{
	for (size_t i = 0; i < words->items.count; i++) {
		const char *word = words->items.items[i];
		if (i > 0)
			fputs(word[0] == '-' ? " \\\n\t" : " ", stdout);
		print_word(word);
	}
	putchar('\n');
}

static void print_preparation(const struct plan *plan)
{
	fputs("qemu-img create -q -f qcow2 " OVERLAY_FILE " ", stdout);
	if (plan->size > 0)
		printf("%llu\n", (unsigned long long)plan->size);
	else
		fputs("\"$(stat -L -c %s " ANY_IMAGE ")\"\n", stdout);
	if (plan->firmware != MACHINE_UEFI)
		return;
	fputs("cp ", stdout);
	print_word(plan->qemu.ovmf_vars);
	fputs(" " VARS_FILE "\n", stdout);
}

/* The platform's own choice: UEFI for images that are declared so, and BIOS else; here what boots decides. */
static enum machine_firmware choose_firmware(const struct facts *facts)
{
	return boot_works(&facts->boot, "uefi") && !boot_works(&facts->boot, "bios") ? MACHINE_UEFI
	                                                                             : MACHINE_BIOS;
}

/* Looks the image over, as check does. */
static enum status examine_image(const struct options *options, struct plan *plan)
{
	struct examination examination;
	struct policy policy;
	if (!load_policy(options, &policy))
		return STATUS_BUG;
	struct questions questions = examination_questions(&policy, options, &plan->arena);
	examine(plan->image, &questions, &plan->arena, &examination);
	policy_free(&policy);
	const struct facts *facts = &examination.facts;
	if (facts->examined == EXAMINED_NONE && !facts->container) {
		complain("'%s': %s", plan->image, facts->reason);
		return examination.status;
	}
	if (facts->kind != INPUT_DISK || facts->size == 0) {
		complain("'%s' is no disk image: the machine starts from a raw one", plan->image);
		return STATUS_NOT_EXAMINED;
	}
	if (!str_equal(facts->container, "raw")) {
		complain("'%s' is a disk in %s, and the machine takes raw ones: unpack or convert it, or let "
		         "'slipway boot' do that",
		         plan->image, facts->container);
		return STATUS_NOT_EXAMINED;
	}
	plan->size = facts->size;
	plan->firmware = choose_firmware(facts);
	if (facts->kernels.count > 0 && facts->kernels.items[0].arch)
		plan->arch = facts->kernels.items[0].arch;
	return STATUS_CONFORMS;
}

static enum status status_of(const struct error *error)
{
	complain("%s", error->message);
	return error->code == ERROR_IO ? STATUS_TEMPORARY : STATUS_NOT_EXAMINED;
}

static enum status find_qemu(const struct options *options, struct plan *plan)
{
	struct error error;
	if (!qemu_find(plan->arch, &plan->arena, &plan->qemu, &error))
		return status_of(&error);
	if (options->firmware)
		plan->firmware = str_equal(options->firmware, "uefi") ? MACHINE_UEFI : MACHINE_BIOS;
	else if (!plan->qemu.is_reference)
		plan->firmware = MACHINE_UEFI;
	if (plan->firmware == MACHINE_UEFI && !plan->qemu.ovmf_code) {
		complain("%s", ovmf_missing(plan->qemu.arch));
		return STATUS_NOT_EXAMINED;
	}
	if (plan->firmware == MACHINE_BIOS && !plan->qemu.is_reference) {
		complain("%s machines have no BIOS: write --firmware=uefi", plan->qemu.arch);
		return STATUS_USAGE;
	}
	return STATUS_CONFORMS;
}

static enum status print_machine(struct plan *plan)
{
	struct machine_wiring wiring = machine_wiring_none();
	struct machine_words words;
	wiring.firmware = plan->firmware;
	wiring.disk.path = plan->image;
	wiring.overlay.path = OVERLAY_FILE;
	if (plan->firmware == MACHINE_UEFI)
		wiring.ovmf_vars.path = VARS_FILE;
	machine_arguments(&plan->qemu, &wiring, &plan->arena, &words);
	/* Beside the command, which may be going to a file; before it, for that is what is to be copied. */
	for (size_t i = 0; i < plan->qemu.limits.count; i++)
		fprintf(stderr, "slipway: note: %s\n", plan->qemu.limits.items[i]);
	print_preparation(plan);
	print_command(&words);
	return STATUS_CONFORMS;
}

/* Becomes the machine: what it writes goes into files without names, which end with it. */
static enum status run_machine(struct plan *plan)
{
	struct error error;
	struct workspace workspace;
	struct machine_wiring wiring = machine_wiring_none();
	struct machine_words words;
	const struct machine_request request = {
		.qemu = &plan->qemu,
		.firmware = plan->firmware,
		.disk = open(plan->image, O_RDONLY | O_CLOEXEC),
		.disk_size = plan->size,
		.kernel = -1,
		.initrd = -1,
	};
	if (request.disk < 0) {
		complain("'%s' cannot be opened: %s", plan->image, strerror(errno));
		return STATUS_NOT_EXAMINED;
	}
	if (!workspace_make(&request, &workspace, &error)) {
		close(request.disk);
		return status_of(&error);
	}
	wiring.firmware = plan->firmware;
	wiring.disk.descriptor = request.disk;
	wiring.overlay.descriptor = workspace.overlay;
	wiring.ovmf_vars.descriptor = workspace.ovmf_vars;
	machine_arguments(&plan->qemu, &wiring, &plan->arena, &words);
	if (isatty(STDIN_FILENO))
		fputs("slipway: the machine starts; Ctrl-A X ends it\n", stderr);
	process_become(&words, &wiring, &error);
	return status_of(&error);
}

static enum status start(const struct options *options, struct plan *plan)
{
	enum status status = STATUS_CONFORMS;
	if (options->operand_count > 0)
		status = examine_image(options, plan);
	if (status == STATUS_CONFORMS)
		status = find_qemu(options, plan);
	if (status != STATUS_CONFORMS)
		return status;
	return options->execute ? run_machine(plan) : print_machine(plan);
}

enum status command_machine(const struct options *options)
{
	struct plan plan = { .image = ANY_IMAGE, .arch = "x86_64", .firmware = MACHINE_BIOS };
	if (options->operand_count > 0)
		plan.image = options->operands[0];
	else if (options->execute) {
		complain("name the image that the machine is to start from");
		return STATUS_USAGE;
	}
	if (str_equal(plan.image, "-") || str_equal(plan.image, EXAMINE_LIVE)) {
		complain("the machine starts from a file or a block device, not from '%s'", plan.image);
		return STATUS_USAGE;
	}
	enum status status = start(options, &plan);
	arena_free(&plan.arena);
	return status;
}
