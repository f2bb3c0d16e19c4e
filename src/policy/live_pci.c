// Live=pci: a device on the PCI bus, its revision, and what drives it.
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/live.h"

/* The devices that passed so far, with one more. */
static const char *addresses_with(const struct context *context, const struct pci_device *device,
                                  const struct outcome *outcome)
{
	if (outcome->finding.verdict != VERDICT_PASS)
		return device->address;
	const char *before = strstr(outcome->finding.reason, " at ");
	return arena_printf(context->arena, "%s, %s", before + strlen(" at "), device->address);
}

/* Two digits without "0x", as the page writes revisions; "" when it is not known. */
static const char *revision_of(const struct context *context, const struct pci_device *device)
{
	const char *text = device->place.text;
	if (!text || !str_starts(text, "0x"))
		return "";
	return arena_printf(context->arena, "%02lx", strtoul(text + 2, NULL, 16) & 0xff);
}

static void judge_driver(const struct context *context, const struct predicate *predicate,
                         const struct pci_device *device, struct outcome *outcome)
{
	const struct virtio_device *behind = live_virtio_device(context, device);
	const char *driver = behind ? behind->driver : device->driver;
	if (!driver || !live_allows(predicate, "driver", driver)) {
		live_undriven(context, predicate, device, outcome);
		if (driver)
			outcome_remark(context, outcome, " but %s", driver);
		return;
	}
	outcome_evidence(context, outcome, behind ? &behind->driver_place : &device->driver_place);
	outcome->finding.found = driver;
	outcome_set(context, outcome, VERDICT_PASS, "%s drives the PCI device %04x:%04x at %s", driver,
	            (unsigned)device->vendor, (unsigned)device->device,
	            addresses_with(context, device, outcome));
}

void live_pci(const struct context *context, const struct predicate *predicate, struct outcome *outcome)
{
	const struct pci_device *device;
	if (live_lacks_device(context, predicate, outcome))
		return;
	for (size_t n = 0; (device = live_pci_device(context, predicate, n)); n++) {
		const char *revision = revision_of(context, device);
		if (live_argument(predicate, "driver")) {
			judge_driver(context, predicate, device, outcome);
		} else if (live_allows(predicate, "revision", revision)) {
			const char *found =
				arena_printf(context->arena, "%04x:%04x, revision %s",
			                     (unsigned)device->vendor, (unsigned)device->device, revision);
			outcome->finding.found = found;
			outcome_set(context, outcome, VERDICT_PASS, "there is %s at %s", found,
			            addresses_with(context, device, outcome));
		} else {
			outcome_set(context, outcome, VERDICT_UNKNOWN,
			            "this machine's %04x:%04x has revision %s, not %s",
			            (unsigned)device->vendor, (unsigned)device->device,
			            *revision ? revision : "unknown", live_argument(predicate, "revision"));
		}
		outcome_evidence(context, outcome, &device->place);
		if (outcome->finding.verdict != VERDICT_PASS)
			return;
	}
}
