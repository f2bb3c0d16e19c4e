#include "policy/live.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policy/command_line.h"
#include "policy/judge.h"

static const struct live_check live_checks[] = {
	{ "pci", "id", "subsystem revision driver", live_pci },
	{ "virtio", "id", "features offloads", live_virtio },
	{ "scsi-queues", "id count", "", live_scsi_queues },
	{ "scsi-version", "id version", "", live_scsi_version },
	{ "scsi-sectors", "id sectors", "", live_scsi_sectors },
	{ "scsi-disks", "id", "", live_scsi_disks },
	{ "serial-port", "port irq", "", live_serial_port },
	{ "serial-ports", "count", "", live_serial_ports },
};

const struct live_check *live_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(live_checks); i++)
		if (str_equal(live_checks[i].name, name))
			return &live_checks[i];
	return NULL;
}

const char *live_argument(const struct predicate *predicate, const char *key)
{
	for (size_t i = 0; i < predicate->live_arguments.count; i++)
		if (str_equal(predicate->live_arguments.items[i].key, key))
			return predicate->live_arguments.items[i].value;
	return NULL;
}

bool live_allows(const struct predicate *predicate, const char *key, const char *word)
{
	const char *list = live_argument(predicate, key);
	return !list || (word && list_has(list, word));
}

const struct pci_device *live_pci_device(const struct context *context, const struct predicate *predicate,
                                         size_t n)
{
	const struct hardware *hardware = &context->facts->hardware;
	for (size_t i = 0; i < hardware->pci_devices.count; i++) {
		const struct pci_device *device = &hardware->pci_devices.items[i];
		char id[16], subsystem[8];
		snprintf(id, sizeof(id), "%04x:%04x", (unsigned)device->vendor, (unsigned)device->device);
		snprintf(subsystem, sizeof(subsystem), "%04x", (unsigned)device->subsystem_device & 0xffff);
		if (live_allows(predicate, "id", id) && live_allows(predicate, "subsystem", subsystem) &&
		    n-- == 0)
			return device;
	}
	return NULL;
}

bool live_lacks_device(const struct context *context, const struct predicate *predicate,
                       struct outcome *outcome)
{
	if (live_pci_device(context, predicate, 0))
		return false;
	const struct hardware *hardware = &context->facts->hardware;
	if (hardware->pci != ANSWER_YES || hardware->pci_devices.count == 0)
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "/sys/bus/pci/devices shows none of the machine's devices");
	else
		outcome_set(context, outcome, VERDICT_NOT_APPLICABLE, "this machine has no PCI device %s%s%s",
		            live_argument(predicate, "id"),
		            live_argument(predicate, "subsystem") ? ", subsystem " : "",
		            live_argument(predicate, "subsystem") ? live_argument(predicate, "subsystem")
		                                                  : "");
	return true;
}

const struct virtio_device *live_virtio_device(const struct context *context, const struct pci_device *device)
{
	const struct hardware *hardware = &context->facts->hardware;
	for (size_t i = 0; i < hardware->virtio_devices.count; i++)
		if (str_equal(hardware->virtio_devices.items[i].pci, device->address))
			return &hardware->virtio_devices.items[i];
	return NULL;
}

void live_undriven(const struct context *context, const struct predicate *predicate,
                   const struct pci_device *device, struct outcome *outcome)
{
	const char *modules = "";
	for (size_t i = 0; i < predicate->modules.count; i++)
		modules = arena_printf(context->arena, "%s %s", modules, predicate->modules.items[i]);
	if (*modules)
		outcome->finding.fix = arena_printf(context->arena, "modprobe -a%s", modules);
	outcome_evidence(context, outcome, &device->id_place);
	outcome->finding.found = "no driver";
	outcome_set(context, outcome, VERDICT_FAIL, "nothing drives the PCI device %04x:%04x at %s",
	            (unsigned)device->vendor, (unsigned)device->device, device->address);
}

/* "revision 03, id 8086:7113": what the check asks for. */
static const char *wanted_text(const struct context *context, const struct predicate *predicate)
{
	const char *text = "";
	for (size_t i = 0; i < predicate->live_arguments.count; i++) {
		const struct live_argument *argument = &predicate->live_arguments.items[i];
		text = arena_printf(context->arena, "%s%s%s %s", text, *text ? ", " : "", argument->key,
		                    argument->value);
	}
	return text;
}

/* What was seen takes the place of what the kernel's options promise. */
static void take(const struct outcome *seen, struct outcome *outcome)
{
	const char *fix = outcome->finding.fix;
	*outcome = *seen;
	outcome->finding.how = "live";
	/* What mends the kernel comes before what loads a module of it. */
	if (seen->finding.verdict == VERDICT_FAIL && fix)
		outcome->finding.fix = fix;
}

void judge_live(const struct context *context, const struct rule *rule, struct outcome *outcome)
{
	const struct hardware *hardware = &context->facts->hardware;
	const struct predicate *predicate = rule->predicate;
	if (!predicate->live || context->facts->kind != INPUT_LIVE)
		return;
	if (hardware->platform != ANSWER_YES) {
		if (outcome->finding.verdict != VERDICT_NOT_APPLICABLE)
			outcome_remark(
				context, outcome,
				"; judged by its kernel alone, since this machine is not of Compute Engine");
		return;
	}
	struct outcome seen = { .finding = outcome->finding };
	seen.finding.found = "";
	seen.finding.reason = "";
	seen.finding.fix = NULL;
	seen.finding.by_equivalent = false;
	seen.finding.verdict = VERDICT_UNKNOWN;
	memset(&seen.finding.evidence, 0, sizeof(seen.finding.evidence));
	seen.finding.wanted = wanted_text(context, predicate);
	predicate->live->judge(context, predicate, &seen);
	if (seen.finding.verdict != VERDICT_UNKNOWN) {
		take(&seen, outcome);
		return;
	}
	outcome_remark(context, outcome, "; judged by its kernel alone: %s", seen.finding.reason);
	for (size_t i = 0; i < seen.finding.evidence.count; i++)
		outcome_evidence(context, outcome, &seen.finding.evidence.items[i]);
}
