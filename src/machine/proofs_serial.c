// The four serial ports. The kernel's own lines say all of it:
//
//   [    3.373899] 00:00: ttyS3 at I/O 0x2e8 (irq = 7, base_baud = 115200) is a 16550A
//   serial8250: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A      (from its own table)
//
// A quiet kernel says nothing. Then the port's modem control register tells that a driver has set it up
// (0x08 after reset and firmware; Linux 0x00, and 0x0b while it is open), and the interrupt controller that
// the port's line fired, beyond what the firmware's own probe made it. That is not yet a kernel that listens
// on that line: ports without ACPI's word are looked for on IRQ 4, 3, 4, 3.
#include <stdio.h>
#include <string.h>

#include "machine/proofs_private.h"

#define MODEM_AT_RESET 0x08

struct port {
	const char *name;
	unsigned io, irq;
	bool is_classic; /* a PC has it on this interrupt without a word from ACPI */
};

static const struct port ports[PROOF_PORTS] = {
	{ "ttyS0", 0x3f8, 4, true },
	{ "ttyS1", 0x2f8, 3, true },
	{ "ttyS2", 0x3e8, 6, false },
	{ "ttyS3", 0x2e8, 7, false },
};

/* What a line of the kernel says of a port. */
struct told {
	unsigned io, irq;
	char type[16];
};

/* "00:03: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A": the device in front is one word. */
static bool read_line(const char *line, const char *name, struct told *out)
{
	const char *words = kernel_words(line);
	const char *device = strchr(words, ' ');
	if (!device || device == words || device[-1] != ':' || !str_starts(device + 1, name))
		return false;
	return sscanf(device + 1 + strlen(name), " at I/O 0x%8x (irq = %4u, base_baud = %*u) is a %15s",
	              &out->io, &out->irq, out->type) == 3;
}

/* The last line on the port: ACPI's word comes behind that of the kernel's own table. */
static bool find_line(const struct machine *machine, const char *name, struct told *out, struct place *place)
{
	const struct console *console = machine->console;
	bool found = false;
	for (size_t i = console->begin; i < console->lines.count; i++) {
		struct told told;
		const char *line = console->lines.items[i].text;
		if (!read_line(line, name, &told))
			continue;
		*out = told;
		*place = (struct place){ .path = RUN_CONSOLE_PATH, .line = i + 1, .text = line };
		found = true;
	}
	return found;
}

/*
 * Is the port as the firmware left it, its register and its line's counter? Every driver of the kernel's sets
 * it up: who says that one did, on the console, is not the kernel.
 */
static bool is_untouched(struct machine *machine, const struct port *port, unsigned index, struct proof *out)
{
	const struct proof_state *state = proof_state(machine);
	uint64_t counts[PROOF_IRQS], line;
	unsigned modem;
	if (!state->begun || !state->has_irqs || !state->has_modem[index] ||
	    state->modem[index] != MODEM_AT_RESET || !port_read(machine, port->io + 4, 1, &modem, &line) ||
	    modem != MODEM_AT_RESET || !irq_read(machine, counts, NULL) ||
	    counts[port->irq] != state->irqs[port->irq])
		return false;
	proof_evidence(machine, out, RUN_QMP_PATH, line, "modem control at 0x%x: 0x%02x, as at reset",
	               port->io + 4, modem);
	return true;
}

static void by_line(struct machine *machine, const struct port *port, const struct told *told,
                    struct proof *out)
{
	unsigned index = (unsigned)(port - ports);
	out->found = arena_printf(machine->arena, "0x%x, IRQ %u, %s", told->io, told->irq, told->type);
	if (told->io != port->io)
		proof_set(machine, out, ANSWER_NO, "the kernel has %s at 0x%x, not at 0x%x", port->name,
		          told->io, port->io);
	else if (told->irq != port->irq)
		proof_set(machine, out, ANSWER_NO, "the kernel has %s on IRQ %u, not on IRQ %u", port->name,
		          told->irq, port->irq);
	else if (!str_equal(told->type, "16550A"))
		proof_set(machine, out, ANSWER_NO, "the kernel takes %s for a %s, not a 16550A", port->name,
		          told->type);
	else if (is_untouched(machine, port, index, out))
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the console says that the kernel drives %s, and nobody has set the port up",
		          port->name);
	else
		proof_set(machine, out, ANSWER_YES, "the kernel drives %s as a 16550A on IRQ %u", port->name,
		          port->irq);
}

/* Has a driver changed the port since the firmware left it? */
static bool is_set_up(struct machine *machine, unsigned index)
{
	const struct proof_state *state = proof_state(machine);
	unsigned modem;
	return state->begun && state->has_modem[index] &&
	       port_read(machine, ports[index].io + 4, 1, &modem, NULL) && modem != state->modem[index];
}

/* Has the kernel announced others, or said that it takes no more? Then it has not got this one. */
static bool by_absence(struct machine *machine, unsigned index, struct proof *out)
{
	struct place place;
	struct told told;
	unsigned count;
	const char *driver = kernel_line(machine, 0, "Serial: 8250/16550 driver, ", true, &place);
	if (driver && sscanf(driver, "Serial: 8250/16550 driver, %4u ports", &count) == 1 && count <= index) {
		proof_evidence_place(machine, out, &place);
		proof_set(machine, out, ANSWER_NO, "the kernel's driver was told to take %u ports", count);
		return true;
	}
	/* A line may be lost, where another was written into it; a driver's traces are not. */
	if (!userland_ran(machine) || is_set_up(machine, index))
		return false;
	for (unsigned i = 0; i < PROOF_PORTS; i++) {
		if (!find_line(machine, ports[i].name, &told, &place))
			continue;
		proof_evidence_place(machine, out, &place);
		proof_set(machine, out, ANSWER_NO, "the kernel announced %s, and never %s", ports[i].name,
		          ports[index].name);
		return true;
	}
	return false;
}

/* Without a word of the kernel. */
static void by_registers(struct machine *machine, const struct port *port, unsigned index, struct proof *out)
{
	const struct proof_state *state = proof_state(machine);
	uint64_t counts[PROOF_IRQS], irq_line, modem_line;
	unsigned modem;
	if (!state->begun || !state->has_irqs || !state->has_modem[index] ||
	    !port_read(machine, port->io + 4, 1, &modem, &modem_line) ||
	    !irq_read(machine, counts, &irq_line)) {
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the kernel says nothing of %s on the console, and QEMU did not tell", port->name);
		return;
	}
	uint64_t before = state->irqs[port->irq], now = counts[port->irq];
	bool set_up = modem != state->modem[index];
	proof_evidence(machine, out, RUN_QMP_PATH, modem_line, "modem control at 0x%x: 0x%02x, before 0x%02x",
	               port->io + 4, modem, state->modem[index]);
	proof_evidence(machine, out, RUN_QMP_PATH, irq_line, "IRQ %u: %llu, before %llu", port->irq,
	               (unsigned long long)now, (unsigned long long)before);
	if (!set_up || now <= before)
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the kernel says nothing of %s on the console, and was not seen to set it up",
		          port->name);
	else if (port->is_classic)
		proof_set(machine, out, ANSWER_YES, "a driver has set %s up, and its line, IRQ %u, fired",
		          port->name, port->irq);
	else
		proof_set(
			machine, out, ANSWER_UNKNOWN,
			"a driver has set %s up, and its line, IRQ %u, fired; the kernel does not say on the "
			"console that it listens there",
			port->name, port->irq);
}

static void prove(struct machine *machine, unsigned index, struct proof *out)
{
	const struct port *port = &ports[index];
	struct told told;
	struct place place;
	if (proof_lacks_isa(machine, out))
		return;
	if (find_line(machine, port->name, &told, &place)) {
		proof_evidence_place(machine, out, &place);
		by_line(machine, port, &told, out);
	} else if (!by_absence(machine, index, out)) {
		by_registers(machine, port, index, out);
	}
}

void prove_serial_ttys0(struct machine *machine, struct proof *out)
{
	prove(machine, 0, out);
}

void prove_serial_ttys1(struct machine *machine, struct proof *out)
{
	prove(machine, 1, out);
}

void prove_serial_ttys2(struct machine *machine, struct proof *out)
{
	prove(machine, 2, out);
}

void prove_serial_ttys3(struct machine *machine, struct proof *out)
{
	prove(machine, 3, out);
}
