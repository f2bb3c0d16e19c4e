// Live=serial: the ports of the 8250 driver and their interrupts.
#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "policy/live.h"

/* include/uapi/linux/serial_core.h */
#define TYPE_NONE   "0"
#define TYPE_16550A "4"

static const struct serial_port *port_of(const struct context *context, const char *name)
{
	const struct hardware *hardware = &context->facts->hardware;
	for (size_t i = 0; i < hardware->serial_ports.count; i++)
		if (str_equal(hardware->serial_ports.items[i].name, name))
			return &hardware->serial_ports.items[i];
	return NULL;
}

/* What was said where an attribute of a port could not be read. */
static const char *why_unread(const struct context *context, const char *name)
{
	const struct hardware *hardware = &context->facts->hardware;
	const char *prefix = arena_printf(context->arena, "/sys/class/tty/%s/", name);
	for (size_t i = 0; i < hardware->unread.count; i++)
		if (hardware->unread.items[i].place.path &&
		    str_starts(hardware->unread.items[i].place.path, prefix))
			return hardware->unread.items[i].message;
	return arena_printf(context->arena, "what is at %s cannot be read", name);
}

void live_serial_port(const struct context *context, const struct predicate *predicate,
                      struct outcome *outcome)
{
	const char *name = live_argument(predicate, "port");
	const struct serial_port *port = port_of(context, name);
	const char *wanted = live_argument(predicate, "irq");
	if (!port || str_equal(port->type, TYPE_NONE)) {
		outcome->finding.found = "absent";
		if (port)
			outcome_evidence(context, outcome, &port->type_place);
		outcome_set(context, outcome, VERDICT_FAIL, "the kernel has found no serial port %s", name);
	} else if (!port->irq) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "%s", why_unread(context, name));
	} else {
		bool right = str_equal(port->irq, wanted);
		outcome_evidence(context, outcome, &port->place);
		outcome->finding.found = arena_printf(context->arena, "IRQ %s", port->irq);
		outcome_set(context, outcome, right ? VERDICT_PASS : VERDICT_FAIL, "%s is on IRQ %s%s%s",
		            name, port->irq, right ? "" : ", not ", right ? "" : wanted);
	}
}

void live_serial_ports(const struct context *context, const struct predicate *predicate,
                       struct outcome *outcome)
{
	const struct hardware *hardware = &context->facts->hardware;
	uint64_t wanted = strtoull(live_argument(predicate, "count"), NULL, 10), count = 0;
	const char *unread = NULL;
	for (size_t i = 0; i < hardware->serial_ports.count; i++) {
		const struct serial_port *port = &hardware->serial_ports.items[i];
		if (!port->type && !unread)
			unread = why_unread(context, port->name);
		if (!str_equal(port->type, TYPE_16550A))
			continue;
		count++;
		outcome_evidence(context, outcome, &port->type_place);
	}
	outcome->finding.found = arena_printf(context->arena, "%" PRIu64, count);
	if (count < wanted && unread) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "%s", unread);
		return;
	}
	outcome_set(context, outcome, count >= wanted ? VERDICT_PASS : VERDICT_FAIL,
	            "the kernel has found %" PRIu64 " serial port%s of type 16550A", count,
	            count == 1 ? "" : "s");
}
