// ACPI and PNP, and what the console shows of the way from the kernel to the login.
#include <stdio.h>
#include <string.h>

#include "machine/arguments.h"
#include "machine/inside.h"
#include "machine/proofs_private.h"

/* Where the firmware of QEMU's pc puts the PIIX4's power management: SeaBIOS 0x600, OVMF 0xb000. */
static const unsigned pm_bases[] = { 0x600, 0xb000 };

/* PM1 enable and control, ACPI 4.8.3. */
#define PM1_ENABLE        2
#define PM1_CONTROL       4
#define PM1_GLOBAL_ENABLE 0x0020 /* the operating system listens for the firmware's use of the global lock   \
	                          */
#define PM1_SCI_ENABLE 0x0001

/*
 * SCI_EN alone proves nothing: OVMF sets it. GBL_EN is set by ACPI's own start in an operating system, as no
 * firmware does.
 */
static bool acpi_registers(struct machine *machine, unsigned base, struct proof *out)
{
	unsigned enable, control;
	uint64_t line;
	if (!port_read(machine, base + PM1_CONTROL, 2, &control, NULL) ||
	    !port_read(machine, base + PM1_ENABLE, 2, &enable, &line))
		return false;
	if (enable == 0xffff || !(enable & PM1_GLOBAL_ENABLE) || !(control & PM1_SCI_ENABLE))
		return false;
	proof_evidence(machine, out, RUN_QMP_PATH, line, "PM1 enable 0x%04x, PM1 control 0x%04x", enable,
	               control);
	out->found = "SCI_EN, GBL_EN";
	proof_set(machine, out, ANSWER_YES,
	          "the kernel has switched power management to ACPI and listens to it");
	return true;
}

void prove_acpi(struct machine *machine, struct proof *out)
{
	struct place place;
	static const char *const off[] = { "ACPI: Interpreter disabled", "ACPI: Disabling ACPI support" };
	if (kernel_line(machine, 0, "ACPI: Interpreter enabled", true, &place))
		proof_evidence_place(machine, out, &place);
	for (size_t i = 0; i < ARRAY_SIZE(pm_bases); i++)
		if (acpi_registers(machine, pm_bases[i], out))
			return;
	if (out->evidence.count > 0) {
		proof_set(machine, out, ANSWER_YES, "the kernel says that it runs the machine through ACPI");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(off); i++) {
		if (!kernel_line(machine, 0, off[i], true, &place))
			continue;
		proof_evidence_place(machine, out, &place);
		proof_set(machine, out, ANSWER_NO, "the kernel runs without ACPI");
		return;
	}
	proof_set(machine, out, ANSWER_UNKNOWN,
	          "no kernel was seen to take over the power management of the machine");
}

void prove_pnp(struct machine *machine, struct proof *out)
{
	struct place place;
	if (proof_lacks_isa(machine, out))
		return;
	const char *words = kernel_line(machine, 0, "pnp: PnP ACPI: found ", true, &place);
	unsigned devices = 0;
	if (words && sscanf(words, "pnp: PnP ACPI: found %4u devices", &devices) == 1) {
		proof_evidence_place(machine, out, &place);
		out->found = arena_printf(machine->arena, "%u devices", devices);
		proof_set(machine, out, devices > 0 ? ANSWER_YES : ANSWER_NO,
		          devices > 0 ? "the kernel has the ISA devices and their interrupts from ACPI"
		                      : "the kernel found no ISA device in ACPI");
	} else if (kernel_line(machine, 0, "pnp: PnP ACPI: disabled", true, &place)) {
		proof_evidence_place(machine, out, &place);
		proof_set(machine, out, ANSWER_NO, "the kernel does not take the ISA devices from ACPI");
	} else {
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the console has no line of the kernel on the devices that ACPI lists");
	}
}

/* What the kernel says of KVM, where there is one: emulation never shows it to a guest. */
static void by_kvm(struct machine *machine, const char *line, const char *words, struct proof *out)
{
	struct place place;
	if (!machine->request || machine->request->qemu->accelerator != QEMU_KVM) {
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the machine has no KVM to show: it is not verified at run time");
	} else if (kernel_line(machine, 0, line, true, &place)) {
		proof_evidence_place(machine, out, &place);
		proof_set(machine, out, ANSWER_YES, "%s", words);
	} else {
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the console has no line of the kernel that says \"%s\"", line);
	}
}

void prove_kvm_guest(struct machine *machine, struct proof *out)
{
	by_kvm(machine, "Booting paravirtualized kernel on KVM", "the kernel runs paravirtualised on KVM",
	       out);
}

void prove_kvm_clock(struct machine *machine, struct proof *out)
{
	by_kvm(machine, "kvm-clock: Using msrs", "the kernel has its clock from KVM", out);
}

/* The kernel's first line. Without its stamp a program may print the same, /proc/version. */
static bool find_banner(const struct machine *machine, struct place *place)
{
	const struct run_step *steps = machine->run->steps;
	if (!kernel_line(machine, 0, "Linux version ", true, place))
		return false;
	if (kernel_words(place->text) != place->text)
		return true;
	for (enum run_phase phase = RUN_INIT; phase <= RUN_LOGIN; phase++)
		if (steps[phase].reached && steps[phase].place.line <= place->line)
			return false;
	return true;
}

/* What a kernel's first code says by the firmware is not said on the kernel's console. */
static bool is_of_loading(const char *line)
{
	return !*line || str_starts(line, "Booting from ROM...") || str_starts(line, "Probing EDD ");
}

/* Has nothing come since the loader began its work? */
static bool is_silent(struct machine *machine)
{
	const struct console *console = machine->console;
	const struct proof_state *state = proof_state(machine);
	for (uint64_t i = state->console_lines; i < console->line_count; i++)
		if (i >= console->lines.count || !is_of_loading(console->lines.items[i].text))
			return false;
	return state->begun && is_of_loading(text_get(&console->last));
}

/* Was it told to say little? Of the command line of an image nothing is known here. */
static bool is_told_to_be_quiet(const struct machine *machine)
{
	const char *line = machine->request ? machine->request->command_line : NULL;
	return line &&
	       (command_line_has(line, "quiet", NULL, 0) || command_line_has(line, "loglevel", NULL, 0));
}

void prove_console(struct machine *machine, struct proof *out)
{
	struct place place;
	size_t stamped = 0;
	const char *port = proof_console(machine);
	bool banner = find_banner(machine, &place);
	for (size_t i = machine->console->begin; i < machine->console->lines.count && !banner && stamped < 3;
	     i++) {
		const char *line = machine->console->lines.items[i].text, *words = kernel_words(line);
		if (words == line || is_of_a_program(words))
			continue;
		place = (struct place){ .path = RUN_CONSOLE_PATH, .line = i + 1, .text = line };
		stamped++;
	}
	if (banner || stamped == 3) {
		proof_evidence_place(machine, out, &place);
		proof_set(machine, out, ANSWER_YES, "the kernel writes its messages to %s", port);
		return;
	}
	struct virtio_view scsi;
	virtio_view(machine, MACHINE_SCSI, &scsi);
	if (!scsi.known || scsi.features == 0) {
		proof_set(machine, out, ANSWER_UNKNOWN, "no line of a kernel came out of %s", port);
	} else if (is_told_to_be_quiet(machine)) {
		proof_set(
			machine, out, ANSWER_UNKNOWN,
			"the kernel's command line tells it to say little, and no line of it came out of %s",
			port);
	} else if (!is_silent(machine)) {
		/* Programs write there: the kernel is quiet, which is no matter of where its console is. */
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "a kernel drives the machine, and other lines than its own came out of %s", port);
	} else {
		proof_evidence(machine, out, RUN_QMP_PATH, scsi.line, "virtio-scsi: %s", scsi.names);
		proof_set(machine, out, ANSWER_NO,
		          "a kernel drives the machine, and nothing of what it says came out of %s", port);
	}
}

static void from_step(struct machine *machine, enum run_phase phase, const char *words, struct proof *out)
{
	const struct run_step *step = &machine->run->steps[phase];
	proof_evidence_place(machine, out, &step->place);
	out->found = arena_printf(machine->arena, "%.1f s", step->seconds);
	proof_set(machine, out, ANSWER_YES, "%s", words);
}

/* A kernel by itself runs our own init, which has neither a root nor a login. */
static bool is_alone(struct machine *machine, struct proof *out)
{
	const char *line = machine->request ? machine->request->command_line : NULL;
	char init[64];
	if (!line || !command_line_has(line, "rdinit", init, sizeof(init)) ||
	    !str_equal(init, strchr(INSIDE_INIT, '=') + 1))
		return false;
	proof_set(machine, out, ANSWER_UNKNOWN,
	          "the kernel ran by itself, with slipway's own init in the place of a system");
	return true;
}

static const struct symptom *find_rootless(const struct run *run)
{
	for (size_t i = 0; i < run->symptoms.count; i++)
		if (str_equal(run->symptoms.items[i].name, "unable-to-mount-root"))
			return &run->symptoms.items[i];
	return NULL;
}

void prove_root(struct machine *machine, struct proof *out)
{
	const struct run *run = machine->run;
	const struct symptom *symptom = find_rootless(run);
	enum run_phase works = RUN_INIT;
	while (works < RUN_PHASES && !run->steps[works].reached)
		works++;
	if (is_alone(machine, out))
		return;
	if (symptom && works == RUN_PHASES) {
		/* What was mounted all the same was another file system. */
		proof_evidence_place(machine, out, &symptom->place);
		proof_set(machine, out, ANSWER_NO, "%s", symptom->message);
	} else if (run->steps[RUN_ROOT].reached) {
		from_step(machine, RUN_ROOT, "the root file system was mounted", out);
	} else if (works < RUN_PHASES) {
		from_step(machine, works, "the root file system was mounted, for its programs run", out);
	} else {
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "nothing on the console tells that the root file system was mounted");
	}
}

void prove_login(struct machine *machine, struct proof *out)
{
	if (is_alone(machine, out))
		return;
	if (machine->run->steps[RUN_LOGIN].reached)
		from_step(machine, RUN_LOGIN,
		          arena_printf(machine->arena, "a login prompt stands on %s", proof_console(machine)),
		          out);
	else
		proof_set(machine, out, ANSWER_UNKNOWN, "no login prompt came on %s", proof_console(machine));
}
