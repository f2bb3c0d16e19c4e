// Private to live/: attributes of /sys and /proc, small files of one value each.
#pragma once

#include "base/text.h"
#include "live/machine.h"

struct machine_reader {
	const struct tree *tree;
	const struct machine_answers *answers;
	struct budget *budget;
	struct arena *arena;
	struct hardware *out;
};

/* The whole content without white space around it, and its place; NULL: it is not there or cannot be read. */
const char *sysfs_text(struct machine_reader *reader, const char *path, struct place *place);

/* A number of any base that C knows by its prefix; false: it is not there, or none. */
bool sysfs_number(struct machine_reader *reader, const char *path, uint64_t *out, struct place *place);

/* Bytes that are no text; false: they are not there or cannot be read. */
bool sysfs_bytes(struct machine_reader *reader, const char *path, struct span *out);

/* The last part of what a link leads to: the name of a driver. NULL: there is no link. */
const char *sysfs_link_name(struct machine_reader *reader, const char *path, struct place *place);

/* The real path, without links: "/sys/devices/pci0000:00/0000:00:03.0/virtio0". NULL: it is not there. */
const char *sysfs_real_path(struct machine_reader *reader, const char *path);

/* The names in a directory; no more than a machine can have. False: it cannot be listed. */
bool sysfs_names(struct machine_reader *reader, const char *path, struct names *out);

/* One file each; they fill lists of reader->out. */
void pci_read(struct machine_reader *reader);
void virtio_read(struct machine_reader *reader);
void network_read(struct machine_reader *reader);
void scsi_read(struct machine_reader *reader);
void serial_read(struct machine_reader *reader);
