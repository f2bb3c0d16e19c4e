// Live=virtio: features that a driver and its virtio device agreed on, and offloads of the interface above
// them.
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/live.h"

/* Virtual I/O Device (VIRTIO) 1.2, 5.1.3 and 5.6.3; of the bits that rules ask for. */
static const struct {
	uint64_t type;
	size_t bit;
	const char *name;
} feature_names[] = {
	{ 1, 0, "VIRTIO_NET_F_CSUM" },       { 1, 1, "VIRTIO_NET_F_GUEST_CSUM" },
	{ 1, 7, "VIRTIO_NET_F_GUEST_TSO4" }, { 1, 11, "VIRTIO_NET_F_HOST_TSO4" },
	{ 8, 1, "VIRTIO_SCSI_F_HOTPLUG" },   { 8, 2, "VIRTIO_SCSI_F_CHANGE" },
};

static const char *feature_name(const struct context *context, uint64_t type, size_t bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(feature_names); i++)
		if (feature_names[i].type == type && feature_names[i].bit == bit)
			return feature_names[i].name;
	return arena_printf(context->arena, "feature %zu", bit);
}

/* The next item of a comma-separated list; NULL at its end. */
static const char *next_item(const struct context *context, const char **list)
{
	if (!*list || !**list)
		return NULL;
	size_t length = strcspn(*list, ",");
	const char *item = arena_string(context->arena, span_of(*list, length));
	*list += length + ((*list)[length] == ',');
	return item;
}

static void judge_features(const struct context *context, const struct predicate *predicate,
                           const struct virtio_device *device, struct outcome *outcome)
{
	const char *rest = live_argument(predicate, "features"), *item, *agreed = "";
	if (!rest)
		return;
	outcome_evidence(context, outcome, &device->place);
	if (!device->features) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the features of %s cannot be read",
		            device->name);
		return;
	}
	while ((item = next_item(context, &rest))) {
		size_t bit = strtoul(item, NULL, 10);
		const char *name = feature_name(context, device->type, bit);
		if (bit >= strlen(device->features) || device->features[bit] != '1') {
			outcome->finding.found = "not agreed on";
			outcome_set(context, outcome, VERDICT_FAIL,
			            "%s and its driver %s did not agree on %s", device->name, device->driver,
			            name);
			return;
		}
		agreed = arena_printf(context->arena, "%s%s%s", agreed, *agreed ? " and " : "", name);
	}
	outcome->finding.found = agreed;
	outcome_set(context, outcome, VERDICT_PASS, "%s and its driver %s agreed on %s", device->name,
	            device->driver, agreed);
}

static const struct network_interface *interface_of(const struct context *context,
                                                    const struct virtio_device *device)
{
	const struct hardware *hardware = &context->facts->hardware;
	for (size_t i = 0; i < hardware->interfaces.count; i++)
		if (str_equal(hardware->interfaces.items[i].device, device->name))
			return &hardware->interfaces.items[i];
	return NULL;
}

/* One offload: switched on, or one that could be. */
static void judge_offload(const struct context *context, const struct network_interface *interface,
                          const char *offload, struct outcome *outcome)
{
	bool on = words_have(interface->offloads, offload);
	if (!on && !words_have(interface->offloads_off, offload)) {
		outcome->finding.found = "absent";
		outcome_set(context, outcome, VERDICT_FAIL, "%s does not have %s", interface->name, offload);
		return;
	}
	if (!*outcome->finding.reason) {
		outcome->finding.found = offload;
		outcome_set(context, outcome, VERDICT_PASS, "%s has %s", interface->name, offload);
	} else {
		outcome_remark(context, outcome, "; %s has %s", interface->name, offload);
	}
	if (!on)
		outcome_remark(context, outcome, ", which is switched off now (ethtool -K %s %s on)",
		               interface->name, offload);
}

static void judge_offloads(const struct context *context, const struct predicate *predicate,
                           const struct virtio_device *device, struct outcome *outcome)
{
	const char *rest = live_argument(predicate, "offloads"), *item;
	const struct network_interface *interface = interface_of(context, device);
	if (!rest)
		return;
	if (!interface || !interface->offloads) {
		/* Features that were agreed on prove enough by themselves. */
		if (outcome->finding.verdict != VERDICT_PASS)
			outcome_set(context, outcome, VERDICT_UNKNOWN, "the offloads of %s cannot be read",
			            interface ? interface->name : device->name);
		return;
	}
	outcome_evidence(context, outcome, &interface->place);
	while ((item = next_item(context, &rest))) {
		judge_offload(context, interface, item, outcome);
		if (outcome->finding.verdict != VERDICT_PASS)
			return;
	}
}

void live_virtio(const struct context *context, const struct predicate *predicate, struct outcome *outcome)
{
	const struct pci_device *pci;
	if (live_lacks_device(context, predicate, outcome))
		return;
	for (size_t n = 0; (pci = live_pci_device(context, predicate, n)); n++) {
		const struct virtio_device *device = live_virtio_device(context, pci);
		outcome->finding.reason = "";
		if (!device || !device->driver) {
			live_undriven(context, predicate, pci, outcome);
			return;
		}
		judge_features(context, predicate, device, outcome);
		if (outcome->finding.verdict == VERDICT_PASS || !live_argument(predicate, "features"))
			judge_offloads(context, predicate, device, outcome);
		if (outcome->finding.verdict != VERDICT_PASS)
			return;
	}
}
