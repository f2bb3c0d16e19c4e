// Serial ports of the 8250 driver. Interrupt, type and address of /sys/class/tty/ttyS* are for root; without
// it the resources that ACPI gave the port tell the interrupt:
//
//   /sys/class/tty/ttyS2/device -> ../../../00:05
//   /sys/bus/pnp/devices/00:05/resources: "state = active\nio 0x3e8-0x3ef\nirq 6\n"
//
// Since Linux 6.5 the port lies between the two: device -> ../../../00:05:0.0, "00:05:0", "00:05".
#include <string.h>

#include "live/sysfs.h"

#define CLASS "/sys/class/tty"
#define PNP   "/sys/bus/pnp/devices"

/* Attributes that could not be read are complained of once: they are all root's. */
static const char *read_attribute(struct machine_reader *reader, const char *name, const char *attribute,
                                  struct place *place)
{
	return sysfs_text(reader, arena_printf(reader->arena, CLASS "/%s/%s", name, attribute), place);
}

/* The word behind "irq " or "io " at the start of a line. */
static const char *resource(struct span text, const char *kind, struct arena *arena)
{
	struct span line;
	while (span_next_line(&text, &line)) {
		size_t length = strlen(kind);
		if (!span_has(line, 0, kind, length))
			continue;
		struct span word = span_from(line, length);
		for (word.size = 0; length + word.size < line.size; word.size++)
			if (strchr(" -", word.data[word.size]))
				break;
		return arena_string(arena, word);
	}
	return NULL;
}

static bool is_pnp_address(const char *name)
{
	return strlen(name) == 5 && name[2] == ':' && strspn(name, "0123456789abcdef") == 2 &&
	       strspn(name + 3, "0123456789abcdef") == 2;
}

/* The part of the port's real path that is a device of PNP; NULL: it is none's. */
static const char *pnp_address(struct machine_reader *reader, const char *name)
{
	const char *at = sysfs_real_path(reader, arena_printf(reader->arena, CLASS "/%s/device", name));
	while (at && (at = strchr(at, '/'))) {
		at++;
		const char *part = arena_string(reader->arena, span_of(at, strcspn(at, "/")));
		if (is_pnp_address(part))
			return part;
	}
	return NULL;
}

static void read_resources(struct machine_reader *reader, struct serial_port *port)
{
	struct span text;
	const char *address = pnp_address(reader, port->name);
	if (!address)
		return;
	const char *path = arena_printf(reader->arena, PNP "/%s/resources", address);
	if (!sysfs_bytes(reader, path, &text))
		return;
	port->irq = resource(text, "irq ", reader->arena);
	port->io = resource(text, "io ", reader->arena);
	if (port->irq)
		port->place = (struct place){ .path = path,
			                      .text = arena_printf(reader->arena, "irq %s", port->irq) };
}

static void read_port(struct machine_reader *reader, const char *name)
{
	struct serial_port port = { .name = name };
	port.irq = read_attribute(reader, name, "irq", &port.place);
	port.type = read_attribute(reader, name, "type", &port.type_place);
	port.io = read_attribute(reader, name, "port", NULL);
	if (!port.irq)
		read_resources(reader, &port);
	*LIST_ADD(reader->arena, &reader->out->serial_ports) = port;
}

void serial_read(struct machine_reader *reader)
{
	struct names names;
	if (!tree_exists(reader->tree, CLASS) || !sysfs_names(reader, CLASS, &names))
		return;
	for (size_t i = 0; i < names.count; i++)
		if (str_starts(names.items[i], "ttyS") && names.items[i][4] >= '0' &&
		    names.items[i][4] <= '9')
			read_port(reader, names.items[i]);
}
