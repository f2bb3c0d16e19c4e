// Live=: what is really there, where the machine that runs is one of the platform's. Each check is a function
// and a row; the numbers it compares with are the policy's.
#pragma once

#include "policy/outcome.h"
#include "policy/predicate.h"

struct live_check {
	const char *name;
	const char *required, *optional; /* keys of the arguments that it takes, blank between */
	/*
	 * Leaves the verdict unknown, with the reason, where it could not see: then the kernel's options
	 * decide. What is the machine's own doing is no failure of the system that runs on it.
	 */
	void (*judge)(const struct context *context, const struct predicate *predicate,
	              struct outcome *outcome);
};

/* NULL: there is none of that name. */
const struct live_check *live_find(const char *name);

/* The value of an argument, NULL: it is not given. */
const char *live_argument(const struct predicate *predicate, const char *key);

/* Is `word` one of the values in a comma-separated argument? True when the argument is not given. */
bool live_allows(const struct predicate *predicate, const char *key, const char *word);

/* The PCI devices that the argument id=VENDOR:DEVICE (and subsystem=DEVICE) names: the n-th, from 0. */
const struct pci_device *live_pci_device(const struct context *context, const struct predicate *predicate,
                                         size_t n);

/* Says that the machine has no such device, or that nobody knows. False: it has one. */
bool live_lacks_device(const struct context *context, const struct predicate *predicate,
                       struct outcome *outcome);

/* The device behind a virtio device of PCI; NULL: no driver has taken it over, or it is no virtio device. */
const struct virtio_device *live_virtio_device(const struct context *context,
                                               const struct pci_device *device);

/* A failure: nothing drives the device. */
void live_undriven(const struct context *context, const struct predicate *predicate,
                   const struct pci_device *device, struct outcome *outcome);

/* One file each. */
void live_pci(const struct context *context, const struct predicate *predicate, struct outcome *outcome);
void live_virtio(const struct context *context, const struct predicate *predicate, struct outcome *outcome);
void live_scsi_queues(const struct context *context, const struct predicate *predicate,
                      struct outcome *outcome);
void live_scsi_version(const struct context *context, const struct predicate *predicate,
                       struct outcome *outcome);
void live_scsi_sectors(const struct context *context, const struct predicate *predicate,
                       struct outcome *outcome);
void live_scsi_disks(const struct context *context, const struct predicate *predicate,
                     struct outcome *outcome);
void live_serial_port(const struct context *context, const struct predicate *predicate,
                      struct outcome *outcome);
void live_serial_ports(const struct context *context, const struct predicate *predicate,
                       struct outcome *outcome);
