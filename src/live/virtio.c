// Devices of virtio transports, and what their drivers negotiated: drivers/virtio/virtio.c prints one
// character for each feature bit, from bit 0 on.
#include <string.h>

#include "live/sysfs.h"

#define BUS "/sys/bus/virtio/devices"

/* "0000:00:03.0" of ".../0000:00:03.0/virtio0": the device's parent, where that is on the PCI bus. */
static const char *carrier(struct machine_reader *reader, const char *directory)
{
	const char *path = sysfs_real_path(reader, directory);
	const char *own = path ? strrchr(path, '/') : NULL;
	if (!own || own == path)
		return NULL;
	const char *parent = own - 1;
	while (parent > path && *parent != '/')
		parent--;
	const char *name = arena_string(reader->arena, span_of(parent + 1, (size_t)(own - parent - 1)));
	for (size_t i = 0; i < reader->out->pci_devices.count; i++)
		if (str_equal(reader->out->pci_devices.items[i].address, name))
			return name;
	return NULL;
}

static bool is_bits(const char *text)
{
	return text && *text && text[strspn(text, "01")] == 0;
}

static void read_device(struct machine_reader *reader, const char *name)
{
	struct arena *arena = reader->arena;
	const char *directory = arena_printf(arena, BUS "/%s", name);
	struct virtio_device device = { .name = name };
	if (!sysfs_number(reader, arena_printf(arena, "%s/device", directory), &device.type, NULL))
		return;
	device.pci = carrier(reader, directory);
	device.driver =
		sysfs_link_name(reader, arena_printf(arena, "%s/driver", directory), &device.driver_place);
	const char *features =
		sysfs_text(reader, arena_printf(arena, "%s/features", directory), &device.place);
	device.features = is_bits(features) ? features : NULL;
	*LIST_ADD(arena, &reader->out->virtio_devices) = device;
}

void virtio_read(struct machine_reader *reader)
{
	struct names names;
	if (tree_exists(reader->tree, BUS) && sysfs_names(reader, BUS, &names))
		for (size_t i = 0; i < names.count; i++)
			read_device(reader, names.items[i]);
}
