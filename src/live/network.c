// Network interfaces with a device behind them, and their offloads.
#include "live/ethtool.h"
#include "live/sysfs.h"

#define CLASS "/sys/class/net"

static void count_queues(struct machine_reader *reader, const char *directory,
                         struct network_interface *interface)
{
	struct names names;
	const char *path = arena_printf(reader->arena, "%s/queues", directory);
	if (!tree_exists(reader->tree, path) || !sysfs_names(reader, path, &names))
		return;
	for (size_t i = 0; i < names.count; i++) {
		interface->receive_queues += str_starts(names.items[i], "rx-");
		interface->transmit_queues += str_starts(names.items[i], "tx-");
	}
}

static void read_interface(struct machine_reader *reader, const char *name)
{
	struct arena *arena = reader->arena;
	const char *directory = arena_printf(arena, CLASS "/%s", name);
	struct network_interface interface = { .name = name, .offloads_off = "" };
	interface.device = sysfs_link_name(reader, arena_printf(arena, "%s/device", directory), NULL);
	if (!interface.device)
		return;
	interface.place = (struct place){ .path = directory };
	interface.driver = sysfs_link_name(reader, arena_printf(arena, "%s/device/driver", directory), NULL);
	count_queues(reader, directory, &interface);
	ethtool_find(reader->answers->offloads, name, arena, &interface.offloads, &interface.offloads_off);
	*LIST_ADD(arena, &reader->out->interfaces) = interface;
}

void network_read(struct machine_reader *reader)
{
	struct names names;
	if (tree_exists(reader->tree, CLASS) && sysfs_names(reader, CLASS, &names))
		for (size_t i = 0; i < names.count; i++)
			read_interface(reader, names.items[i]);
}
