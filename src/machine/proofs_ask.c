// What QEMU is asked for the proofs, member by member: a reply that lacks one is one that tells nothing.
//
//   x-query-virtio-status: {"num-vqs": 3, "guest-features": {"transports": ["VIRTIO_RING_F_..: .."],
//                           "dev-features": ["VIRTIO_SCSI_F_HOTPLUG: Reporting ..."], "unknown-dev-features":
//                           1}}
//   x-query-virtio-queue-status: {"used-idx": 326, ...}, counted by QEMU
//   x-query-virtio-queue-element: {"avail": {"idx": 9, ...}, ...}, read from the guest's memory
//   human monitor, "i /1xb 0x3fc": "portb[0x03fc] = 0x0b"; "info irq": lines " 4: 412"
#include <stdlib.h>
#include <string.h>

#include "machine/proofs_private.h"

/* Of a device that was given an id; the function behind its PCI proxy. */
static json_t *device_arguments(struct machine *machine, const char *device)
{
	return json_pack("{s:s}", "path",
	                 arena_printf(machine->arena, "/machine/peripheral/%s/virtio-backend", device));
}

/* The part of "VIRTIO_SCSI_F_HOTPLUG: Reporting..." that names it: "HOTPLUG" */
static struct span feature_name(const char *text)
{
	const char *end = text + strcspn(text, ":"), *mark = strstr(text, "_F_");
	const char *begin = mark && mark < end ? mark + 3 : text;
	return span_of(begin, (size_t)(end - begin));
}

static const char *names_of(struct machine *machine, const json_t *features)
{
	struct text names CLEANUP(text_free) = { 0 };
	size_t index;
	json_t *item, *own = json_object_get(features, "dev-features");
	json_array_foreach(own, index, item)
	{
		const char *text = json_string_value(item);
		if (!text)
			continue;
		text_add(&names, names.size > 0 ? ", " : "");
		text_add_clean(&names, feature_name(text));
	}
	return arena_strdup(machine->arena, text_get(&names));
}

void virtio_view(struct machine *machine, const char *device, struct virtio_view *out)
{
	struct error error = { 0 };
	json_t *value = NULL;
	*out = (struct virtio_view){ .names = "" };
	if (!qmp_has(machine->qmp, "x-query-virtio-status")) {
		out->unknown = "this QEMU does not show what a guest agreed on with a virtio device";
		return;
	}
	if (!qmp_ask(machine->qmp, "x-query-virtio-status", device_arguments(machine, device), &value,
	             &error)) {
		out->unknown = arena_strdup(machine->arena, error.message);
		return;
	}
	const json_t *queues = json_object_get(value, "num-vqs");
	const json_t *features = json_object_get(value, "guest-features");
	out->known = json_is_integer(queues) && json_integer_value(queues) >= 0 && json_is_object(features);
	out->line = machine->qmp->reply_line;
	if (out->known) {
		out->queues = (uint64_t)json_integer_value(queues);
		out->names = names_of(machine, features);
		out->features = json_array_size(json_object_get(features, "dev-features")) +
		                json_array_size(json_object_get(features, "transports"));
		if (json_object_get(value, "host-features"))
			out->offered = names_of(machine, json_object_get(value, "host-features"));
	} else {
		out->unknown = "QEMU's reply on a virtio device has no features";
	}
	json_decref(value);
}

/* A number of a reply about a queue: the member, or the member of its member. */
static bool ask_queue(struct machine *machine, const char *command, const char *device, unsigned queue,
                      const char *outer, const char *member, uint64_t *out, uint64_t *line)
{
	struct error error;
	json_t *value = NULL, *arguments = device_arguments(machine, device);
	json_object_set_new(arguments, "queue", json_integer(queue));
	if (!qmp_has(machine->qmp, command)) {
		json_decref(arguments);
		return false;
	}
	if (!qmp_ask(machine->qmp, command, arguments, &value, &error))
		return false;
	const json_t *number = json_object_get(outer ? json_object_get(value, outer) : value, member);
	bool known = json_is_integer(number) && json_integer_value(number) >= 0;
	if (known)
		*out = (uint64_t)json_integer_value(number);
	if (line)
		*line = machine->qmp->reply_line;
	json_decref(value);
	return known;
}

bool virtio_used(struct machine *machine, const char *device, unsigned queue, uint64_t *used, uint64_t *line)
{
	return ask_queue(machine, "x-query-virtio-queue-status", device, queue, NULL, "used-idx", used, line);
}

bool virtio_offered(struct machine *machine, const char *device, unsigned queue, uint64_t *offered,
                    uint64_t *line)
{
	return ask_queue(machine, "x-query-virtio-queue-element", device, queue, "avail", "idx", offered,
	                 line);
}

bool port_read(struct machine *machine, unsigned port, unsigned size, unsigned *out, uint64_t *line)
{
	struct error error;
	struct text answer CLEANUP(text_free) = { 0 };
	const char *command = arena_printf(machine->arena, "i /1x%c 0x%x", size == 1 ? 'b' : 'h', port);
	if (!qmp_monitor(machine->qmp, command, &answer, &error))
		return false;
	if (line)
		*line = machine->qmp->reply_line;
	const char *at = strstr(text_get(&answer), "] = 0x");
	char *end = NULL;
	unsigned long value = at ? strtoul(at + 6, &end, 16) : 0;
	if (!at || end == at + 6 || value > 0xffff)
		return false;
	*out = (unsigned)value;
	return true;
}

bool irq_read(struct machine *machine, uint64_t counts[PROOF_IRQS], uint64_t *line)
{
	struct error error;
	struct text answer CLEANUP(text_free) = { 0 };
	memset(counts, 0, PROOF_IRQS * sizeof(counts[0]));
	if (!qmp_monitor(machine->qmp, "info irq", &answer, &error))
		return false;
	if (line)
		*line = machine->qmp->reply_line;
	struct span rest = span_of(answer.data, answer.size), row;
	bool controller = false;
	while (span_next_line(&rest, &row)) {
		char text[64] = "", *end;
		memcpy(text, row.data, row.size < sizeof(text) ? row.size : sizeof(text) - 1);
		controller |= str_starts(text, "IRQ statistics");
		unsigned long irq = strtoul(text, &end, 10);
		if (end == text || *end != ':' || irq >= PROOF_IRQS)
			continue;
		/* Each controller counts, and a line goes to both: the larger one has all of it. */
		uint64_t count = strtoull(end + 1, NULL, 10);
		counts[irq] = count > counts[irq] ? count : counts[irq];
	}
	return controller;
}
