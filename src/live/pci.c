// PCI devices. Documentation/ABI/testing/sysfs-bus-pci; `revision` came with Linux 4.10.
#include "live/sysfs.h"

#define BUS "/sys/bus/pci/devices"

/* The configuration space itself, of which everybody may read 64 bytes: the revision is byte 8. */
static void read_old_revision(struct machine_reader *reader, const char *directory, struct pci_device *device)
{
	struct span space;
	uint8_t revision;
	const char *path = arena_printf(reader->arena, "%s/config", directory);
	if (sysfs_bytes(reader, path, &space) && get_u8(space, 8, &revision))
		device->place = (struct place){ .path = path,
			                        .text = arena_printf(reader->arena, "0x%02x", revision) };
}

static void read_device(struct machine_reader *reader, const char *address)
{
	struct arena *arena = reader->arena;
	const char *directory = arena_printf(arena, BUS "/%s", address);
	struct pci_device device = { .address = address };
	if (!sysfs_number(reader, arena_printf(arena, "%s/vendor", directory), &device.vendor, NULL) ||
	    !sysfs_number(reader, arena_printf(arena, "%s/device", directory), &device.device,
	                  &device.id_place))
		return;
	(void)sysfs_number(reader, arena_printf(arena, "%s/subsystem_vendor", directory),
	                   &device.subsystem_vendor, NULL);
	(void)sysfs_number(reader, arena_printf(arena, "%s/subsystem_device", directory),
	                   &device.subsystem_device, NULL);
	(void)sysfs_number(reader, arena_printf(arena, "%s/class", directory), &device.class_code, NULL);
	if (!sysfs_text(reader, arena_printf(arena, "%s/revision", directory), &device.place))
		read_old_revision(reader, directory, &device);
	device.driver =
		sysfs_link_name(reader, arena_printf(arena, "%s/driver", directory), &device.driver_place);
	*LIST_ADD(arena, &reader->out->pci_devices) = device;
}

void pci_read(struct machine_reader *reader)
{
	struct names names;
	if (!tree_exists(reader->tree, BUS))
		reader->out->pci = ANSWER_NO;
	else if (sysfs_names(reader, BUS, &names))
		reader->out->pci = ANSWER_YES;
	for (size_t i = 0; reader->out->pci == ANSWER_YES && i < names.count; i++)
		read_device(reader, names.items[i]);
}
