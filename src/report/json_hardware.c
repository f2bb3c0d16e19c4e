// The running machine's hardware for a program.
#include "report/json.h"

static json_t *number_or_null(uint64_t number)
{
	return number ? json_number(number) : json_null();
}

/* "8086:7113", as lspci -n has it. */
static json_t *id_json(uint64_t vendor, uint64_t device)
{
	char id[16];
	snprintf(id, sizeof(id), "%04x:%04x", (unsigned)vendor & 0xffff, (unsigned)device & 0xffff);
	return json_text(id);
}

static json_t *pci_json(const struct pci_device *device)
{
	char class_code[16];
	json_t *object = json_object();
	snprintf(class_code, sizeof(class_code), "%06x", (unsigned)device->class_code & 0xffffff);
	json_add(object, "address", json_text(device->address));
	json_add(object, "id", id_json(device->vendor, device->device));
	json_add(object, "subsystem", id_json(device->subsystem_vendor, device->subsystem_device));
	json_add(object, "class", json_text(class_code));
	json_add(object, "revision", json_text(device->place.text));
	json_add(object, "driver", json_text(device->driver));
	json_add(object, "evidence", place_or_null(&device->place, NULL));
	return object;
}

static json_t *virtio_json(const struct virtio_device *device)
{
	json_t *object = json_object();
	json_add(object, "name", json_text(device->name));
	json_add(object, "pci", json_text(device->pci));
	json_add(object, "type", json_number(device->type));
	json_add(object, "driver", json_text(device->driver));
	json_add(object, "features", json_text(device->features));
	json_add(object, "evidence", place_or_null(&device->place, NULL));
	return object;
}

static json_t *interface_json(const struct network_interface *interface)
{
	json_t *object = json_object();
	json_add(object, "name", json_text(interface->name));
	json_add(object, "device", json_text(interface->device));
	json_add(object, "driver", json_text(interface->driver));
	json_add(object, "offloads", interface->offloads ? json_words(interface->offloads) : json_null());
	json_add(object, "offloads_off", json_words(interface->offloads_off));
	json_add(object, "receive_queues", json_number(interface->receive_queues));
	json_add(object, "transmit_queues", json_number(interface->transmit_queues));
	json_add(object, "evidence", place_or_null(&interface->place, NULL));
	return object;
}

static json_t *scsi_host_json(const struct scsi_host *host)
{
	json_t *object = json_object();
	json_add(object, "name", json_text(host->name));
	json_add(object, "driver", json_text(host->driver));
	json_add(object, "device", json_text(host->device));
	json_add(object, "queues", number_or_null(host->queues));
	json_add(object, "evidence", place_or_null(&host->place, NULL));
	return object;
}

static json_t *scsi_device_json(const struct scsi_device *device)
{
	json_t *object = json_object();
	json_add(object, "name", json_text(device->name));
	json_add(object, "host", json_text(device->host));
	json_add(object, "disk", json_answer(device->disk));
	json_add(object, "vendor", json_text(device->vendor));
	json_add(object, "model", json_text(device->model));
	json_add(object, "revision", json_text(device->revision));
	json_add(object, "version", number_or_null(device->version));
	json_add(object, "standards", json_words(device->standards));
	json_add(object, "block", json_text(device->block));
	json_add(object, "logical_sector", number_or_null(device->logical));
	json_add(object, "physical_sector", number_or_null(device->physical));
	json_add(object, "evidence", place_or_null(&device->place, NULL));
	return object;
}

static json_t *serial_json(const struct serial_port *port)
{
	json_t *object = json_object();
	json_add(object, "name", json_text(port->name));
	json_add(object, "irq", json_text(port->irq));
	json_add(object, "type", json_text(port->type));
	json_add(object, "io", json_text(port->io));
	json_add(object, "evidence", place_or_null(&port->place, NULL));
	return object;
}

/* A list of records by the function that makes JSON of one. */
#define ADD_LIST(object, key, list, one)                                                                     \
	do {                                                                                                 \
		json_t *added_array = json_array();                                                          \
		for (size_t added = 0; added < (list)->count; added++)                                       \
			json_append(added_array, one(&(list)->items[added]));                                \
		json_add((object), (key), added_array);                                                      \
	} while (0)

static json_t *unread_json(const struct problem *problem)
{
	return json_text(problem->message);
}

json_t *json_hardware(const struct hardware *hardware)
{
	json_t *object = json_object();
	json_add(object, "compute_engine", json_answer(hardware->platform));
	json_add(object, "product", json_text(hardware->product));
	json_add(object, "product_evidence", place_or_null(&hardware->product_place, NULL));
	ADD_LIST(object, "pci", &hardware->pci_devices, pci_json);
	ADD_LIST(object, "virtio", &hardware->virtio_devices, virtio_json);
	ADD_LIST(object, "interfaces", &hardware->interfaces, interface_json);
	ADD_LIST(object, "scsi_hosts", &hardware->scsi_hosts, scsi_host_json);
	ADD_LIST(object, "scsi_devices", &hardware->scsi_devices, scsi_device_json);
	ADD_LIST(object, "serial_ports", &hardware->serial_ports, serial_json);
	ADD_LIST(object, "unread", &hardware->unread, unread_json);
	return object;
}
