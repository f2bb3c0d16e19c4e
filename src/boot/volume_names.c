#include "boot/volume_names.h"

#include <string.h>

#include "base/text.h"

typedef bool named_fn(const struct partition *volume, const char *name);

const struct partition *volume_hiding_place(const struct partition_table *table)
{
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *one = &table->partitions.items[i];
		if (str_equal(one->file_system, "LVM2_member") && one->volumes_read != ANSWER_YES)
			return one;
	}
	return NULL;
}

/* May there be more volumes than those of the table, in what cannot be read or is locked? */
static bool may_be_elsewhere(const struct partition_table *table)
{
	static const char *const containers[] = { "crypto_LUKS", "BitLocker", "linux_raid_member" };
	for (size_t i = 0; i < table->partitions.count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(containers); j++)
			if (str_equal(table->partitions.items[i].file_system, containers[j]))
				return true;
	return volume_hiding_place(table) != NULL || volume_unread(table) != NULL;
}

static bool is_called(const struct partition *volume, const char *name)
{
	return str_equal(volume->volume, name);
}

/* Device-mapper doubles the hyphens of both names, and puts one between them. */
static bool is_mapped_as(const struct partition *volume, const char *name)
{
	for (const char *at = volume->volume; *at; at++, name++) {
		if (*at == '-' && *name++ != '-')
			return false;
		if (*name != (*at == '/' ? '-' : *at))
			return false;
	}
	return *name == '\0';
}

/* The UUIDs of group and volume, as device-mapper has them: "LVM-" and 64 characters. */
static bool has_mapper_uuid(const struct partition *volume, const char *uuid)
{
	if (!volume->volume_id || !str_starts(uuid, "LVM-"))
		return false;
	uuid += strlen("LVM-");
	for (const char *at = volume->volume_id; *at; at++)
		if (*at != '-' && *at != '/' && *at != *uuid++)
			return false;
	return *uuid == '\0';
}

static bool has_id(const struct partition *volume, const char *id)
{
	return str_equal(volume->volume_id, id);
}

const char *volume_grub_name(const struct partition *volume, struct arena *arena)
{
	struct text name CLEANUP(text_free) = { 0 };
	text_add(&name, "lvm/");
	for (const char *at = volume->volume; *at; at++) {
		if (*at == '-')
			text_add_char(&name, '-');
		text_add_char(&name, *at == '/' ? '-' : *at);
	}
	return arena_strdup(arena, text_get(&name));
}

/* How many volumes have this name; *partition is the last one's number. */
static size_t count_named(const char *name, named_fn *is_named, const struct partition_table *table,
                          uint64_t *partition)
{
	size_t found = 0;
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *one = &table->partitions.items[i];
		if (!one->volume || !is_named(one, name))
			continue;
		*partition = one->number;
		found++;
	}
	return found;
}

/* "rhel-root" and "vg--slip-root" are a group and a volume; "luks-1b0c-..." and "cryptroot" are none. */
static bool is_pair(const char *name)
{
	size_t separators = 0;
	for (; *name; name++) {
		if (name[0] == '-' && name[1] == '-')
			name++;
		else if (name[0] == '-')
			separators++;
	}
	return separators == 1;
}

/* Other directories of /dev have names of two parts as well. */
static bool is_group_directory(const char *name)
{
	static const char *const others[] = { "block/", "bus/",   "cciss/", "char/",   "disk/",
		                              "ida/",   "input/", "loop/",  "mapper/", "md/",
		                              "net/",   "rd/",    "zvol/" };
	const char *slash = strchr(name, '/');
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (str_starts(name, others[i]))
			return false;
	return slash && slash != name && slash[1] && !strchr(slash + 1, '/');
}

/* A kind of name: what it begins with, and how each volume's is spelled. */
static const struct naming {
	const char *prefix;
	named_fn *is_named;
	bool (*fits)(const char *rest); /* could a logical volume be called so? NULL: any */
	bool ours;                      /* nothing but a logical volume has such a name, when it fits */
} namings[] = {
	{ "/dev/mapper/", is_mapped_as, is_pair, true },
	{ "/dev/disk/by-id/dm-name-", is_mapped_as, is_pair, true },
	{ "/dev/disk/by-id/dm-uuid-", has_mapper_uuid, NULL, false },
	{ "/dev/", is_called, is_group_directory, true },
};

bool volume_resolve_device(const char *name, const struct partition_table *table, struct arena *arena,
                           enum answer *answer, uint64_t *partition, const char **reason)
{
	*answer = ANSWER_UNKNOWN;
	if (str_starts(name, "/dev/dm-")) {
		*reason = arena_printf(
			arena, "the number in %s depends on the order in which volumes are activated", name);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(namings); i++) {
		const struct naming *naming = &namings[i];
		const char *rest = name + strlen(naming->prefix);
		if (!str_starts(name, naming->prefix) || (naming->fits && !naming->fits(rest)))
			continue;
		size_t found = count_named(rest, naming->is_named, table, partition);
		bool members = false;
		for (size_t j = 0; j < table->partitions.count; j++)
			members |= str_equal(table->partitions.items[j].file_system, "LVM2_member");
		if (found == 1) {
			*answer = ANSWER_YES;
			*reason = arena_printf(arena, "%s is %s", name,
			                       volume_phrase(table, *partition, arena));
		} else if (found > 1) {
			*reason = arena_printf(arena, "the disk has more than one logical volume %s", name);
		} else if (naming->ours && members && !may_be_elsewhere(table)) {
			*answer = ANSWER_NO;
			*reason = arena_printf(arena, "the disk has no logical volume %s", name);
		} else {
			*reason = arena_printf(arena, "%s cannot be tied to a logical volume of this disk",
			                       name);
		}
		return true;
	}
	return false;
}

enum answer volume_resolve_grub(const char *device, const struct partition_table *table, uint64_t *partition)
{
	bool by_id = str_starts(device, "lvmid/");
	size_t found = count_named(strchr(device, '/') + 1, by_id ? has_id : is_mapped_as, table, partition);
	if (found == 1)
		return ANSWER_YES;
	return found > 1 || may_be_elsewhere(table) ? ANSWER_UNKNOWN : ANSWER_NO;
}
