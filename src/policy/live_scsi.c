// Live=scsi: the hosts of a virtio-scsi controller, and what is attached to them. That a disk is another than
// the page describes is the machine's doing; that it is not driven, the system's.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/live.h"

/* The controller's first host; NULL, with the verdict, when there is none. */
static const struct scsi_host *host_of(const struct context *context, const struct predicate *predicate,
                                       struct outcome *outcome)
{
	if (live_lacks_device(context, predicate, outcome))
		return NULL;
	const struct hardware *hardware = &context->facts->hardware;
	const struct pci_device *pci;
	for (size_t n = 0; (pci = live_pci_device(context, predicate, n)); n++) {
		const struct virtio_device *device = live_virtio_device(context, pci);
		for (size_t i = 0; device && i < hardware->scsi_hosts.count; i++)
			if (str_equal(hardware->scsi_hosts.items[i].device, device->name))
				return &hardware->scsi_hosts.items[i];
	}
	live_undriven(context, predicate, live_pci_device(context, predicate, 0), outcome);
	return NULL;
}

void live_scsi_queues(const struct context *context, const struct predicate *predicate,
                      struct outcome *outcome)
{
	const struct scsi_host *host = host_of(context, predicate, outcome);
	uint64_t wanted = strtoull(live_argument(predicate, "count"), NULL, 10);
	if (!host)
		return;
	if (host->queues == 0) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the number of queues of %s cannot be read",
		            host->name);
		return;
	}
	outcome_evidence(context, outcome, &host->place);
	outcome->finding.found = arena_printf(context->arena, "%" PRIu64, host->queues);
	outcome->finding.by_equivalent = host->queues != wanted;
	outcome_set(context, outcome, VERDICT_PASS, "%s works with %" PRIu64 " request queue%s", host->name,
	            host->queues, host->queues == 1 ? "" : "s");
	if (host->queues != wanted)
		outcome_remark(context, outcome, ", which is what VIRTIO_SCSI_MULTIQUEUE gives");
}

static const char *name_of(const struct scsi_device *device)
{
	return device->block ? device->block : device->name;
}

/* The devices that passed so far, with one more: what stands in front of the reason. */
static const char *names_with(const struct context *context, const struct scsi_device *device,
                              const struct outcome *outcome)
{
	if (outcome->finding.verdict != VERDICT_PASS)
		return name_of(device);
	const char *reason = outcome->finding.reason;
	return arena_printf(context->arena, "%.*s, %s", (int)strcspn(reason, ":"), reason, name_of(device));
}

static void judge_version(const struct context *context, const struct predicate *predicate,
                          const struct scsi_device *device, struct outcome *outcome)
{
	uint64_t wanted = strtoull(live_argument(predicate, "version"), NULL, 10);
	outcome_evidence(context, outcome, &device->place);
	if (device->version < wanted) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "this machine's %s speaks version %" PRIu64 " of the SCSI commands, not %" PRIu64,
		            name_of(device), device->version, wanted);
		return;
	}
	outcome->finding.found = arena_printf(context->arena, "version %" PRIu64, device->version);
	outcome_set(context, outcome, VERDICT_PASS, "%s: version %" PRIu64 " of the SCSI commands%s",
	            names_with(context, device, outcome), device->version,
	            device->version == 6 ? " (SPC-4)" : "");
	if (device->standards && *device->standards)
		outcome_remark(context, outcome, ", of the standards %s", device->standards);
}

static void judge_sectors(const struct context *context, const struct predicate *predicate,
                          const struct scsi_device *device, struct outcome *outcome)
{
	const char *sectors =
		arena_printf(context->arena, "%" PRIu64 "/%" PRIu64, device->logical, device->physical);
	outcome_evidence(context, outcome, &device->sector_place);
	if (!live_allows(predicate, "sectors", sectors)) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "this machine's %s has sectors of %" PRIu64 " bytes, %" PRIu64 " physically",
		            name_of(device), device->logical, device->physical);
		return;
	}
	outcome->finding.found = sectors;
	outcome_set(context, outcome, VERDICT_PASS,
	            "%s: sectors of %" PRIu64 " bytes, %" PRIu64 " physically",
	            names_with(context, device, outcome), device->logical, device->physical);
}

static void judge_type(const struct context *context, const struct predicate *predicate,
                       const struct scsi_device *device, struct outcome *outcome)
{
	(void)predicate;
	outcome_evidence(context, outcome, &device->type_place);
	if (device->disk != ANSWER_YES) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "this machine's %s is not known to be a disk",
		            device->name);
		return;
	}
	outcome->finding.found = "disks";
	outcome_set(context, outcome, VERDICT_PASS, "all that is attached to %s are disks", device->host);
}

/* A disk that the driver of disks did not take over. */
static bool is_undriven(const struct context *context, const struct scsi_device *device,
                        struct outcome *outcome)
{
	if (device->disk != ANSWER_YES || device->block)
		return false;
	outcome_evidence(context, outcome, &device->type_place);
	outcome->finding.found = "no driver";
	outcome_set(context, outcome, VERDICT_FAIL, "the disk %s is there, and nothing drives it",
	            device->name);
	return true;
}

typedef void judge_fn(const struct context *context, const struct predicate *predicate,
                      const struct scsi_device *device, struct outcome *outcome);

/* Everything that is attached to the controller, or the disks of it; the first that does not pass decides. */
static void judge_each(const struct context *context, const struct predicate *predicate, bool disks_only,
                       judge_fn *judge, struct outcome *outcome)
{
	const struct hardware *hardware = &context->facts->hardware;
	const struct scsi_host *host = host_of(context, predicate, outcome);
	if (!host)
		return;
	outcome_set(context, outcome, VERDICT_UNKNOWN, "no disk is attached to %s", host->name);
	for (size_t i = 0; i < hardware->scsi_devices.count; i++) {
		const struct scsi_device *device = &hardware->scsi_devices.items[i];
		if (!str_equal(device->host, host->name) || (disks_only && device->disk != ANSWER_YES))
			continue;
		if (is_undriven(context, device, outcome))
			return;
		judge(context, predicate, device, outcome);
		if (outcome->finding.verdict != VERDICT_PASS)
			return;
	}
}

void live_scsi_version(const struct context *context, const struct predicate *predicate,
                       struct outcome *outcome)
{
	judge_each(context, predicate, true, judge_version, outcome);
}

void live_scsi_sectors(const struct context *context, const struct predicate *predicate,
                       struct outcome *outcome)
{
	judge_each(context, predicate, true, judge_sectors, outcome);
}

void live_scsi_disks(const struct context *context, const struct predicate *predicate,
                     struct outcome *outcome)
{
	judge_each(context, predicate, false, judge_type, outcome);
}
