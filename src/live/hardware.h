// The hardware of a machine that runs, as its kernel shows it, each thing with its place below /sys or /proc.
// It says nothing of what should be there. A member that is NULL, or 0 where that is no value, is not known.
#pragma once

#include "base/arena.h"
#include "base/place.h"

struct pci_device {
	const char *address; /* "0000:00:03.0" */
	uint64_t vendor, device, subsystem_vendor, subsystem_device;
	uint64_t class_code; /* 24 bits: 0x010000 */
	const char *driver;  /* bound to it: "virtio-pci"; NULL: none */
	struct place place;  /* its revision, "0x03" as text */
	struct place id_place;
	struct place driver_place;
};

/* A device of a virtio transport: the function behind a PCI device. */
struct virtio_device {
	const char *name;   /* "virtio0" */
	const char *pci;    /* address of the PCI device that carries it; NULL: another transport */
	uint64_t type;      /* 1: network, 8: SCSI host */
	const char *driver; /* "virtio_scsi"; NULL: none */
	const char
		*features;  /* those that driver and device agreed on: "0110...", the first is bit 0; NULL */
	struct place place; /* of the features */
	struct place driver_place;
};

/* A network interface that has a device; those that software makes up are not listed. */
struct network_interface {
	const char *name;         /* "ens4" */
	const char *device;       /* "virtio1", "0000:00:04.0" */
	const char *driver;       /* "virtio_net", "gve"; NULL */
	const char *offloads;     /* switched on, by ethtool's names, blank between; NULL: not known */
	const char *offloads_off; /* that could be switched on; "" */
	uint64_t receive_queues, transmit_queues;
	struct place place;
};

/* A SCSI host: what a controller is to the kernel. */
struct scsi_host {
	const char *name;   /* "host0" */
	const char *driver; /* as it calls itself: "Virtio SCSI HBA" */
	const char *device; /* "virtio0"; NULL */
	uint64_t queues;    /* for requests; 0: not known */
	struct place place; /* of their number */
};

struct scsi_device {
	const char *name; /* "0:0:1:0" */
	const char *host; /* "host0" */
	enum answer disk; /* is it of type 0? */
	const char *vendor, *model, *revision;
	uint64_t version;      /* of the INQUIRY data: 5 is SPC-3, 6 is SPC-4, 7 is SPC-5; 0: not known */
	const char *standards; /* it names in its INQUIRY data, in hexadecimal, blank between: "0460 04c0" */
	const char *block;     /* "sda"; NULL: no driver made a disk of it */
	uint64_t logical, physical; /* bytes of a sector; 0: not known */
	struct place place;         /* of the version */
	struct place type_place;
	struct place sector_place; /* of the physical size */
};

/* One of the ports that the 8250 driver has room for. All text as the kernel prints it. */
struct serial_port {
	const char *name;   /* "ttyS0" */
	const char *irq;    /* "4"; NULL: not known */
	const char *type;   /* "0": nothing there, "4": 16550A; NULL: not known */
	const char *io;     /* "0x3F8"; NULL */
	struct place place; /* of the interrupt */
	struct place type_place;
};

struct hardware {
	enum answer platform; /* is it a machine of Compute Engine? */
	const char *product;  /* what its firmware calls it; NULL */
	struct place product_place;
	enum answer pci; /* could the bus be listed? */
	LIST(struct pci_device) pci_devices;
	LIST(struct virtio_device) virtio_devices;
	LIST(struct network_interface) interfaces;
	LIST(struct scsi_host) scsi_hosts;
	LIST(struct scsi_device) scsi_devices;
	LIST(struct serial_port) serial_ports;
	LIST(struct problem) unread; /* what could not be read, and why */
};

/* The product name of the platform's machines. */
#define HARDWARE_PLATFORM "Google Compute Engine"
