#include "machine/proofs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "machine/proofs_private.h"

const struct proof_row proof_rows[] = {
	{ PROOF_CONSOLE, "reading the console", prove_console },
	{ PROOF_ROOT, "reading the console", prove_root },
	{ PROOF_LOGIN, "reading the console", prove_login },
	{ PROOF_ACPI, "reading the registers of power management", prove_acpi },
	{ PROOF_PNP, "reading the console", prove_pnp },
	{ PROOF_SERIAL_TTYS0, "reading the serial ports", prove_serial_ttys0 },
	{ PROOF_SERIAL_TTYS1, "reading the serial ports", prove_serial_ttys1 },
	{ PROOF_SERIAL_TTYS2, "reading the serial ports", prove_serial_ttys2 },
	{ PROOF_SERIAL_TTYS3, "reading the serial ports", prove_serial_ttys3 },
	{ PROOF_KVM_GUEST, "reading the console", prove_kvm_guest },
	{ PROOF_KVM_CLOCK, "reading the console", prove_kvm_clock },
	{ PROOF_SCSI_DRIVEN, "asking the disk controller", prove_scsi_driven },
	{ PROOF_SCSI_ONE_QUEUE, "asking the disk controller", prove_scsi_one_queue },
	/* What comes behind it looks at what the kernel asked the new disk. */
	{ PROOF_SCSI_HOTPLUG, "plugging in a disk", prove_scsi_hotplug },
	{ PROOF_SCSI_COMMAND_SETS, "looking at SCSI commands", prove_scsi_command_sets },
	{ PROOF_SCSI_SECTORS, "looking at SCSI commands", prove_scsi_sectors },
	{ PROOF_SCSI_DISKS_ONLY, "asking the disk controller", prove_scsi_disks_only },
	{ PROOF_SCSI_HOTUNPLUG, "taking the disk away", prove_scsi_hotunplug },
	/* Last: what the guest serves may come up some time behind its login prompt. */
	{ PROOF_NET_DRIVEN, "talking to the guest", prove_net_driven },
	{ PROOF_NET_CHECKSUM, "looking at frames", prove_net_checksum },
	{ PROOF_NET_TSO4, "looking at frames", prove_net_tso4 },
	{ PROOF_NET_GRO4, "looking at frames", prove_net_gro4 },
	{ PROOF_COUNT, NULL, NULL },
};

/* Text that goes into reports: QEMU's words and the guest's. */
__attribute__((format(printf, 2, 0))) static const char *clean_format(struct arena *arena, const char *format,
                                                                      va_list arguments)
{
	char words[1024];
	struct text clean CLEANUP(text_free) = { 0 };
	vsnprintf(words, sizeof(words), format, arguments);
	text_add_clean(&clean, span_text(words));
	return arena_strdup(arena, text_get(&clean));
}

void proof_evidence(struct machine *machine, struct proof *proof, const char *path, uint64_t line,
                    const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	*LIST_ADD(machine->arena, &proof->evidence) = (struct place){
		.path = path, .line = line, .text = clean_format(machine->arena, format, arguments)
	};
	va_end(arguments);
}

void proof_evidence_place(struct machine *machine, struct proof *proof, const struct place *place)
{
	if (place->path)
		*LIST_ADD(machine->arena, &proof->evidence) = *place;
}

void proof_set(struct machine *machine, struct proof *proof, enum answer shown, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	proof->shown = shown;
	proof->reason = clean_format(machine->arena, format, arguments);
	va_end(arguments);
}

static const struct qemu *qemu_of(const struct machine *machine)
{
	return machine->request ? machine->request->qemu : NULL;
}

const char *proof_console(const struct machine *machine)
{
	return qemu_of(machine) ? qemu_console(qemu_of(machine)) : "ttyS0";
}

bool proof_lacks_isa(struct machine *machine, struct proof *proof)
{
	if (!qemu_of(machine) || qemu_of(machine)->is_reference)
		return false;
	proof_set(
		machine, proof, ANSWER_UNKNOWN,
		"QEMU's virt machine has no ISA devices, and so no 16550A ports: its console is a PL011, %s",
		proof_console(machine));
	return true;
}

struct proof_state *proof_state(struct machine *machine)
{
	if (!machine->state)
		machine->state = arena_alloc(machine->arena, sizeof(*machine->state));
	return machine->state;
}

void proofs_begin(struct machine *machine)
{
	struct proof_state *state = proof_state(machine);
	static const unsigned modem_ports[PROOF_PORTS] = { 0x3fc, 0x2fc, 0x3ec, 0x2ec };
	state->begun = true;
	state->console_lines = machine->console->line_count;
	state->has_irqs = irq_read(machine, state->irqs, NULL);
	for (size_t i = 0; i < PROOF_PORTS; i++)
		state->has_modem[i] = port_read(machine, modem_ports[i], 1, &state->modem[i], NULL);
}

bool proof_wait(struct machine *machine, double seconds)
{
	loop_until(machine->loop, seconds, NULL, NULL);
	return !machine->loop->stopped && machine->qmp->socket >= 0;
}

bool userland_ran(const struct machine *machine)
{
	static const char *const marks[] = { "Run /init as init process", "Run /sbin/init as init process",
		                             "Freeing unused kernel image" };
	const struct run *run = machine->run;
	if (run->steps[RUN_ROOT].reached || run->steps[RUN_INIT].reached || run->steps[RUN_LOGIN].reached)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (kernel_line(machine, 0, marks[i], true, NULL))
			return true;
	return false;
}

/* "<6>", "[    1.234567] ", "[    1.234567][    T1] " */
const char *kernel_words(const char *line)
{
	if (line[0] == '<' && strspn(line + 1, "0123456789") > 0 &&
	    line[1 + strspn(line + 1, "0123456789")] == '>')
		line += 2 + strspn(line + 1, "0123456789");
	if (line[0] != '[')
		return line;
	size_t stamp = strspn(line + 1, " .0123456789");
	if (stamp < 8 || line[1 + stamp] != ']')
		return line;
	line += 2 + stamp;
	/* CONFIG_PRINTK_CALLER: the task or processor that spoke. */
	size_t caller = line[0] == '[' ? strspn(line + 1, " TC0123456789") : 0;
	if (caller > 0 && line[1 + caller] == ']')
		line += 2 + caller;
	return line[0] == ' ' ? line + 1 : line;
}

bool is_of_a_program(const char *words)
{
	size_t name = strcspn(words, " :[");
	const char *digits = words + name + 1;
	if (str_starts(words, "kernel: "))
		return true;
	return words[name] == '[' && strspn(digits, "0123456789") > 0 &&
	       str_starts(digits + strspn(digits, "0123456789"), "]: ");
}

const char *kernel_line(const struct machine *machine, size_t from, const char *text, bool begins,
                        struct place *place)
{
	const struct console *console = machine->console;
	for (size_t i = from > console->begin ? from : console->begin; i < console->lines.count; i++) {
		const char *line = console->lines.items[i].text, *words = kernel_words(line);
		if (begins ? !str_starts(words, text)
		           : words == line || is_of_a_program(words) || !strstr(words, text))
			continue;
		if (place)
			*place = (struct place){ .path = RUN_CONSOLE_PATH, .line = i + 1, .text = line };
		return words;
	}
	return NULL;
}
