// SCSI hosts and what is attached to them. The kernel keeps each device's INQUIRY data and shows it to
// everybody, so that no command has to be sent to a disk.
//
// Standard INQUIRY data (SPC-4, 6.4.2): byte 2 the version, bytes 58 to 73 eight version descriptors of 16
// bits, big-endian. scsi_level in sysfs is the version plus one (include/scsi/scsi.h).
#include <string.h>

#include "live/sysfs.h"

#define HOSTS   "/sys/class/scsi_host"
#define DEVICES "/sys/bus/scsi/devices"

#define DESCRIPTORS_AT 58
#define DESCRIPTORS    8

/* The part of a path behind the last but `up` slashes. */
static const char *part_from_end(struct arena *arena, const char *path, unsigned up)
{
	size_t end = strlen(path), start;
	for (;; up--, end = start - 1) {
		start = end;
		while (start > 0 && path[start - 1] != '/')
			start--;
		if (up == 0)
			return arena_string(arena, span_of(path + start, end - start));
		if (start == 0)
			return NULL;
	}
}

static void read_host(struct machine_reader *reader, const char *name)
{
	struct arena *arena = reader->arena;
	const char *directory = arena_printf(arena, HOSTS "/%s", name);
	struct scsi_host host = { .name = name };
	host.driver = sysfs_text(reader, arena_printf(arena, "%s/proc_name", directory), NULL);
	/* ".../virtio0/host0/scsi_host/host0" */
	const char *real = sysfs_real_path(reader, directory);
	host.device = real ? part_from_end(arena, real, 3) : NULL;
	(void)sysfs_number(reader, arena_printf(arena, "%s/nr_hw_queues", directory), &host.queues,
	                   &host.place);
	*LIST_ADD(arena, &reader->out->scsi_hosts) = host;
}

/* Before 5.10 no host tells its number of queues; each of its disks does. */
static void count_queues(struct machine_reader *reader, const struct scsi_device *device)
{
	struct names names;
	const char *path = arena_printf(reader->arena, "/sys/block/%s/mq", device->block);
	for (size_t i = 0; i < reader->out->scsi_hosts.count; i++) {
		struct scsi_host *host = &reader->out->scsi_hosts.items[i];
		if (!str_equal(host->name, device->host) || host->queues ||
		    !tree_exists(reader->tree, path) || !sysfs_names(reader, path, &names))
			continue;
		host->queues = names.count;
		host->place = (struct place){ .path = path };
	}
}

static const char *read_standards(struct machine_reader *reader, const char *directory)
{
	struct span inquiry;
	uint16_t standard;
	struct text CLEANUP(text_free) words = { 0 };
	if (!sysfs_bytes(reader, arena_printf(reader->arena, "%s/inquiry", directory), &inquiry))
		return "";
	for (size_t i = 0; i < DESCRIPTORS && get_be16(inquiry, DESCRIPTORS_AT + 2 * i, &standard); i++)
		if (standard)
			text_printf(&words, "%s%04x", words.size ? " " : "", standard);
	return arena_strdup(reader->arena, text_get(&words));
}

static void read_block(struct machine_reader *reader, const char *directory, struct scsi_device *device)
{
	struct arena *arena = reader->arena;
	struct names names;
	const char *blocks = arena_printf(arena, "%s/block", directory);
	if (!tree_exists(reader->tree, blocks) || !sysfs_names(reader, blocks, &names) || names.count == 0)
		return;
	device->block = names.items[0];
	const char *queue = arena_printf(arena, "/sys/block/%s/queue", device->block);
	(void)sysfs_number(reader, arena_printf(arena, "%s/logical_block_size", queue), &device->logical,
	                   NULL);
	(void)sysfs_number(reader, arena_printf(arena, "%s/physical_block_size", queue), &device->physical,
	                   &device->sector_place);
	count_queues(reader, device);
}

static void read_device(struct machine_reader *reader, const char *name)
{
	struct arena *arena = reader->arena;
	const char *directory = arena_printf(arena, DEVICES "/%s", name);
	struct scsi_device device = { .name = name };
	uint64_t type, level;
	if (sysfs_number(reader, arena_printf(arena, "%s/type", directory), &type, &device.type_place))
		device.disk = type == 0 ? ANSWER_YES : ANSWER_NO;
	device.host = arena_printf(arena, "host%.*s", (int)strcspn(name, ":"), name);
	device.vendor = sysfs_text(reader, arena_printf(arena, "%s/vendor", directory), NULL);
	device.model = sysfs_text(reader, arena_printf(arena, "%s/model", directory), NULL);
	device.revision = sysfs_text(reader, arena_printf(arena, "%s/rev", directory), NULL);
	if (sysfs_number(reader, arena_printf(arena, "%s/scsi_level", directory), &level, &device.place) &&
	    level > 1)
		device.version = level - 1;
	device.standards = read_standards(reader, directory);
	read_block(reader, directory, &device);
	*LIST_ADD(arena, &reader->out->scsi_devices) = device;
}

void scsi_read(struct machine_reader *reader)
{
	struct names names;
	if (tree_exists(reader->tree, HOSTS) && sysfs_names(reader, HOSTS, &names))
		for (size_t i = 0; i < names.count; i++)
			read_host(reader, names.items[i]);
	/* Hosts and targets are in the same directory: "host0", "target0:0:1". */
	if (tree_exists(reader->tree, DEVICES) && sysfs_names(reader, DEVICES, &names))
		for (size_t i = 0; i < names.count; i++)
			if (names.items[i][0] >= '0' && names.items[i][0] <= '9')
				read_device(reader, names.items[i]);
}
