// Names of block devices, tied to the partitions and logical volumes of the image's one disk.
#include "boot/root.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "boot/volume_names.h"

/* What identifies a partition, and how its name is spelled. */
struct identity {
	const char *prefix;    /* of root= and fstab */
	const char *directory; /* of udev's links */
	const char *what;
	size_t member;   /* offset of the string in struct partition */
	bool folded;     /* upper and lower case are the same */
	bool of_content; /* of what lies in the partition, which may be a logical volume's content as well */
};

static const struct identity identities[] = {
	{ "UUID=", "/dev/disk/by-uuid/", "UUID", offsetof(struct partition, uuid), true, true },
	{ "LABEL=", "/dev/disk/by-label/", "label", offsetof(struct partition, label), false, true },
	{ "PARTUUID=", "/dev/disk/by-partuuid/", "PARTUUID", offsetof(struct partition, part_uuid), true,
	  false },
	{ "PARTLABEL=", "/dev/disk/by-partlabel/", "partition name", offsetof(struct partition, name), false,
	  false },
};

static const char *identity_of(const struct partition *partition, const struct identity *identity)
{
	const char *value;
	memcpy(&value, (const char *)partition + identity->member, sizeof(value));
	return value ? value : "";
}

/* Without the quotes of fstab and with udev's "\x20" turned back. */
static const char *plain_value(const char *value, struct arena *arena)
{
	struct text plain CLEANUP(text_free) = { 0 };
	size_t length = strlen(value);
	if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
		value++;
		length -= 2;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned byte;
		char digits[3] = { 0 };
		if (length - i >= 4 && value[i] == '\\' && value[i + 1] == 'x') {
			memcpy(digits, value + i + 2, 2);
			if (strspn(digits, "0123456789abcdefABCDEF") == 2) {
				static const char hex[] = "0123456789abcdef";
				byte = (unsigned)(strchr(hex, digits[0] | 0x20) - hex) << 4 |
				       (unsigned)(strchr(hex, digits[1] | 0x20) - hex);
				text_add_char(&plain, (char)byte);
				i += 3;
				continue;
			}
		}
		text_add_char(&plain, value[i]);
	}
	return arena_strdup(arena, text_get(&plain));
}

/* Nothing that was read has it. May a partition have it whose head could not be read? Says so. */
static bool note_unread(const struct identity *identity, const char *value,
                        const struct partition_table *table, struct arena *arena, const char **reason)
{
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *one = &table->partitions.items[i];
		if (!one->unread || *identity_of(one, identity))
			continue;
		*reason = arena_printf(arena, "the %s %s may be that of %s, which cannot be read: %s",
		                       identity->what, value, volume_phrase(table, one->number, arena),
		                       one->unread);
		return true;
	}
	return false;
}

static enum answer find_identity(const struct identity *identity, const char *value,
                                 const struct partition_table *table, struct arena *arena,
                                 uint64_t *partition, const char **reason)
{
	const struct partition *found = NULL;
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *one = &table->partitions.items[i];
		const char *own = identity_of(one, identity);
		if (!*own || (identity->folded ? strcasecmp(own, value) : strcmp(own, value)) != 0)
			continue;
		if (found) {
			*reason =
				arena_printf(arena, "%s and %s have the same %s %s",
			                     volume_phrase(table, found->number, arena),
			                     volume_phrase(table, one->number, arena), identity->what, value);
			return ANSWER_UNKNOWN;
		}
		found = one;
	}
	if (!found && table->unread) {
		*reason = arena_printf(arena, "whether a partition has the %s %s is not known: %s",
		                       identity->what, value, table->unread);
		return ANSWER_UNKNOWN;
	}
	if (!found && identity->of_content && note_unread(identity, value, table, arena, reason))
		return ANSWER_UNKNOWN;
	if (!found) {
		const struct partition *hiding = identity->of_content ? volume_hiding_place(table) : NULL;
		*reason = hiding ? arena_printf(arena,
		                                "no partition has the %s %s, but not all logical volumes in "
		                                "partition %" PRIu64 " can be read",
		                                identity->what, value, hiding->number)
		                 : arena_printf(arena, "no partition has the %s %s", identity->what, value);
		return hiding ? ANSWER_UNKNOWN : ANSWER_NO;
	}
	*partition = found->number;
	*reason = arena_printf(arena, "%s has the %s %s", volume_phrase(table, found->number, arena),
	                       identity->what, value);
	return ANSWER_YES;
}

static enum answer find_number(const char *name, uint64_t number, const struct partition_table *table,
                               struct arena *arena, uint64_t *partition, const char **reason)
{
	for (size_t i = 0; i < table->partitions.count; i++) {
		if (table->partitions.items[i].number != number || table->partitions.items[i].volume)
			continue;
		*partition = number;
		*reason = number ? arena_printf(arena, "%s is partition %" PRIu64, name, number)
		                 : arena_printf(arena, "%s is the whole disk", name);
		return ANSWER_YES;
	}
	if (number && table->unread) {
		*reason = arena_printf(arena, "whether the disk has a partition %s is not known: %s", name,
		                       table->unread);
		return ANSWER_UNKNOWN;
	}
	*reason =
		number ? arena_printf(arena, "the disk has no partition %s", name)
		       : arena_printf(arena, "%s is the whole disk, which is divided into partitions", name);
	return ANSWER_NO;
}

/* "/dev/nvme0n1p3": the boot disk of machine series whose disks are NVMe, and of those alone. */
static enum answer find_nvme(const char *name, const struct partition_table *table, struct arena *arena,
                             uint64_t *partition, const char **reason)
{
	static const char first[] = "/dev/nvme0n1";
	uint64_t number = 0;
	const char *part = name + strlen(first);
	if (!str_starts(name, first) || (*part && *part != 'p')) {
		*reason = arena_printf(arena, "%s is another disk, and the image is the only one", name);
		return ANSWER_NO;
	}
	if (*part && (!str_to_u64(part + 1, &number) || number == 0)) {
		*reason = arena_printf(arena, "%s is no name of a partition", name);
		return ANSWER_NO;
	}
	enum answer found = find_number(name, number, table, arena, partition, reason);
	if (found != ANSWER_YES)
		return found;
	*reason =
		arena_printf(arena,
	                     "%s exists on machine series with NVMe disks alone, elsewhere the boot disk is "
	                     "/dev/sda: name the file system by UUID",
	                     name);
	return ANSWER_UNKNOWN;
}

/* Names that drivers give to disks. The image is the one disk of an instance: sda, through virtio-scsi. */
static enum answer find_disk(const char *name, const struct partition_table *table, struct arena *arena,
                             uint64_t *partition, const char **reason)
{
	static const char *const other_drivers[] = { "vd", "xvd", "hd", "mmcblk" };
	const char *device = name + strlen("/dev/");
	if (str_starts(device, "sd") && device[2] >= 'a' && device[2] <= 'z') {
		const char *digits = device + 2 + strspn(device + 2, "abcdefghijklmnopqrstuvwxyz");
		uint64_t number = 0;
		if (*digits && (!str_to_u64(digits, &number) || number == 0)) {
			*reason = arena_printf(arena, "%s is no name of a partition", name);
			return ANSWER_NO;
		}
		if (digits - device == 3 && device[2] == 'a')
			return find_number(name, number, table, arena, partition, reason);
		*reason = arena_printf(arena, "%s is another disk, and the image is the only one", name);
		return ANSWER_NO;
	}
	if (str_starts(device, "nvme"))
		return find_nvme(name, table, arena, partition, reason);
	for (size_t i = 0; i < ARRAY_SIZE(other_drivers); i++) {
		if (!str_starts(device, other_drivers[i]))
			continue;
		*reason = arena_printf(arena,
		                       "%s does not exist where disks are virtio-scsi disks (sda): name the "
		                       "file system by UUID",
		                       name);
		return ANSWER_NO;
	}
	*reason = arena_printf(arena, "%s cannot be tied to a partition: RAID and device-mapper are not read",
	                       name);
	return ANSWER_UNKNOWN;
}

enum answer boot_resolve_device(const char *specification, const struct partition_table *table,
                                struct arena *arena, uint64_t *partition, const char **reason)
{
	const char *name = plain_value(specification, arena);
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++) {
		const struct identity *identity = &identities[i];
		const char *value = NULL;
		if (str_starts(name, identity->prefix))
			value = name + strlen(identity->prefix);
		else if (str_starts(name, identity->directory))
			value = name + strlen(identity->directory);
		/* The kernel's "PARTUUID=.../PARTNROFF=1" counts on from that partition. */
		if (value && str_equal(identity->prefix, "PARTUUID=") && strstr(value, "/PARTNROFF="))
			break;
		if (value)
			return find_identity(identity, plain_value(value, arena), table, arena, partition,
			                     reason);
	}
	enum answer answer;
	if (volume_resolve_device(name, table, arena, &answer, partition, reason))
		return answer;
	if (str_starts(name, "/dev/") && !strchr(name + strlen("/dev/"), '/'))
		return find_disk(name, table, arena, partition, reason);
	*reason = arena_printf(arena, "%s cannot be tied to a partition of this disk", name);
	return ANSWER_UNKNOWN;
}

/* Types that the Discoverable Partitions Specification gives to root file systems. */
static bool is_root_type(const struct partition *partition)
{
	return str_equal(partition->type, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709") || /* x86-64 */
	       str_equal(partition->type, "b921b045-1df0-41c3-af44-4c6f280d3fae");   /* arm64 */
}

static void discover_root(const struct partition_table *table, struct arena *arena, struct boot_entry *entry)
{
	entry->root_reason = "the command line names no root=";
	for (size_t i = 0; i < table->partitions.count; i++) {
		if (!is_root_type(&table->partitions.items[i]))
			continue;
		entry->root_partition = table->partitions.items[i].number;
		entry->root_reason = arena_printf(arena,
		                                  "the command line names no root=; systemd in the initramfs "
		                                  "may discover partition %" PRIu64 " by its type",
		                                  entry->root_partition);
		return;
	}
}

void root_find(const struct partition_table *table, struct arena *arena, struct boot_entry *entry)
{
	if (!entry->command_line)
		return;
	size_t size = strlen(entry->command_line) + 1;
	char *value = arena_alloc(arena, size);
	if (!command_line_has(entry->command_line, "root", value, size) || !*value) {
		discover_root(table, arena, entry);
		return;
	}
	entry->root = value;
	/* The kernel and dracut allow for a word before the name, as in root=block:UUID=... */
	const char *name = str_starts(value, "block:") ? value + strlen("block:") : value;
	entry->root_found =
		boot_resolve_device(name, table, arena, &entry->root_partition, &entry->root_reason);
}

const char *boot_root_options(const struct boot_entry *entry, struct arena *arena)
{
	size_t size = entry->command_line ? strlen(entry->command_line) + 1 : 1;
	char *options = arena_alloc(arena, size);
	if (entry->command_line && !command_line_has(entry->command_line, "rootflags", options, size))
		options[0] = '\0';
	return options;
}

void root_check_mount(const struct filesystem *fs, struct arena *arena, struct boot_entry *entry)
{
	struct error error = { 0 };
	struct node node;
	const char *path;
	if (entry->root_found != ANSWER_YES || !fs || !fs_is_open(fs) ||
	    fs_find_mounted(fs, boot_root_options(entry, arena), &node, &path, &error) ||
	    error.code != ERROR_NOT_FOUND)
		return;
	entry->root_found = ANSWER_NO;
	entry->root_reason =
		arena_printf(arena, "%s, and cannot be mounted: %s", entry->root_reason, error.message);
}
