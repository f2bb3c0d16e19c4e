// Logical volumes of LVM2, from the metadata text of their volume group:
//
//   rhel {                                  logical_volumes {
//     id = "..." seqno = 7                    root {
//     extent_size = 8192   # sectors            id = "..." status = ["READ", "WRITE", "VISIBLE"]
//     physical_volumes {                        segment_count = 1
//       pv0 {                                   segment1 {
//         id = "..."                              start_extent = 0 extent_count = 1024
//         pe_start = 2048  # sectors              type = "striped" stripe_count = 1   # linear
//         pe_count = 5119                         stripes = ["pv0", 512]              # from extent 512 on
//
// Linear volumes are read. Every other kind is listed, by its name, as not readable.
#include "volume/lvm.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/text.h"

#define SECTOR UINT64_C(512)
/* Volumes are few on a disk that boots; a crafted text must not fill the report. */
#define VOLUMES_MOST 1024
#define NAME_MOST    127

/* One line of physical_volumes. */
struct lvm_device {
	const char *name;
	const struct lvm_member *member; /* NULL: not on this disk */
	const char *why;                 /* it is not to be used; NULL */
	uint64_t start;                  /* of its first extent, bytes from the start of the disk */
	uint64_t extents;
};

struct lvm_group {
	const struct lvm_node *node;
	const char *id; /* with hyphens */
	uint64_t seqno;
	const struct lvm_member *source; /* whose metadata this is */
	uint64_t extent_size;            /* bytes */
	LIST(struct lvm_device) devices;
	enum answer all_read; /* is every volume readable? NO: the metadata is damaged */
};

struct lvm_disk {
	struct scan *scan;
	LIST(struct lvm_member) members;
	LIST(struct lvm_group) groups;
	size_t volumes;
};

static struct partition *partition_of(const struct lvm_disk *lvm, const struct lvm_member *member)
{
	return &lvm->scan->table->partitions.items[member->partition];
}

static void find_members(struct lvm_disk *lvm)
{
	struct scan *scan = lvm->scan;
	for (size_t i = 0; i < scan->table->partitions.count; i++) {
		const struct partition *partition = &scan->table->partitions.items[i];
		struct lvm_member member;
		if (partition->readable && !scan_is_extended(partition) && lvm_read_member(scan, i, &member))
			*LIST_ADD(scan->arena, &lvm->members) = member;
	}
	for (size_t i = 0; i < lvm->members.count; i++) {
		struct lvm_member *a = &lvm->members.items[i];
		for (size_t j = i + 1; j < lvm->members.count; j++) {
			struct lvm_member *b = &lvm->members.items[j];
			if (!str_equal(a->id, b->id))
				continue;
			a->ambiguous = b->ambiguous = true;
			lvm_problem(scan, "lvm-duplicate", partition_of(lvm, b)->number, b->start,
			            "the partitions %" PRIu64 " and %" PRIu64
			            " hold the same physical volume of LVM: run vgimportclone on the copy",
			            partition_of(lvm, a)->number, partition_of(lvm, b)->number);
		}
	}
}

/* Names stand in paths and in messages: only what LVM itself allows. */
static bool is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-";
	size_t length = strlen(name);
	return length > 0 && length <= NAME_MOST && name[0] != '-' && strspn(name, letters) == length;
}

static void note_damage(struct lvm_disk *lvm, const struct lvm_group *group, const char *what)
{
	lvm_problem(lvm->scan, "lvm-metadata-invalid", partition_of(lvm, group->source)->number,
	            group->source->text_at, "LVM's metadata is damaged: %s", what);
}

/* The newest metadata of each volume group. */
static void find_groups(struct lvm_disk *lvm)
{
	for (size_t i = 0; i < lvm->members.count; i++) {
		const struct lvm_member *member = &lvm->members.items[i];
		const char *id = lvm_string(member->group, "id");
		struct lvm_group *group = NULL;
		if (!member->group || !id)
			continue;
		for (size_t j = 0; j < lvm->groups.count && !group; j++)
			if (str_equal(lvm->groups.items[j].id, id))
				group = &lvm->groups.items[j];
		if (!group)
			group = LIST_ADD(lvm->scan->arena, &lvm->groups);
		else if (member->seqno <= group->seqno)
			continue;
		*group = (struct lvm_group){
			.node = member->group, .id = id, .seqno = member->seqno, .source = member
		};
	}
}

static const struct lvm_member *member_of(const struct lvm_disk *lvm, const char *uuid)
{
	char id[LVM_ID_SIZE + 1];
	if (!lvm_plain_id(uuid, id))
		return NULL;
	for (size_t i = 0; i < lvm->members.count; i++)
		if (str_equal(lvm->members.items[i].id, id))
			return &lvm->members.items[i];
	return NULL;
}

static bool add_device(struct lvm_disk *lvm, struct lvm_group *group, const struct lvm_node *node,
                       struct error *error)
{
	uint64_t start;
	struct lvm_device *device = LIST_ADD(lvm->scan->arena, &group->devices);
	device->name = node->name;
	device->member = member_of(lvm, lvm_string(node, "id"));
	if (!lvm_number(node, "pe_start", &start) || !lvm_number(node, "pe_count", &device->extents) ||
	    !mul_u64(start, SECTOR, &start))
		return error_set(error, ERROR_CORRUPT, "%s does not say where its extents lie", node->name);
	if (!device->member)
		return budget_step(lvm->scan->budget, lvm->members.count, "the metadata of LVM", error);
	if (!add_u64(device->member->start, start, &device->start))
		return error_set(error, ERROR_CORRUPT, "%s starts behind every disk", node->name);
	if (device->member->ambiguous)
		device->why = "is there twice";
	else if (lvm_list_has(node, "flags", "MISSING"))
		device->why = "is marked as missing";
	return true;
}

static bool read_group(struct lvm_disk *lvm, struct lvm_group *group, struct error *error)
{
	const struct lvm_node *devices = lvm_find(group->node, "physical_volumes");
	if (!is_name(group->node->name))
		return error_set(error, ERROR_CORRUPT, "the volume group has no valid name");
	if (!lvm_number(group->node, "extent_size", &group->extent_size) || group->extent_size == 0 ||
	    !mul_u64(group->extent_size, SECTOR, &group->extent_size))
		return error_set(error, ERROR_CORRUPT, "the volume group %s has no valid extent_size",
		                 group->node->name);
	for (const struct lvm_node *node = lvm_first_section(devices); node; node = lvm_next_section(node))
		if (!add_device(lvm, group, node, error))
			return false;
	return true;
}

/* Where a segment of a linear volume lies: on which device, and from which extent on. */
struct segment {
	uint64_t first, count; /* extents in the volume */
	const char *device;
	uint64_t from; /* extent of the device */
};

static bool read_segment(const struct lvm_node *node, struct segment *out, struct error *error)
{
	const char *type = lvm_string(node, "type");
	const struct lvm_node *stripes = lvm_find(node, "stripes");
	uint64_t count;
	if (!type || !lvm_number(node, "start_extent", &out->first) ||
	    !lvm_number(node, "extent_count", &out->count) || out->count == 0)
		return error_set(error, ERROR_CORRUPT, "its %s is not described", node->name);
	if (!str_equal(type, "striped") && !str_equal(type, "linear"))
		return error_set(error, ERROR_UNSUPPORTED, "it is of the type %.40s, which is not read",
		                 type);
	if (lvm_number(node, "stripe_count", &count) && count != 1)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "it is striped over %" PRIu64 " physical volumes, which is not read", count);
	const struct lvm_node *device = stripes && stripes->kind == LVM_LIST ? stripes->first : NULL;
	if (!device || device->kind != LVM_STRING || !device->next || device->next->kind != LVM_NUMBER)
		return error_set(error, ERROR_CORRUPT, "its %s does not say where it lies", node->name);
	out->device = device->text;
	out->from = device->next->number;
	return true;
}

static bool find_device(const struct lvm_disk *lvm, const struct lvm_group *group, const char *name,
                        const struct lvm_device **out, struct error *error)
{
	*out = NULL;
	if (!budget_step(lvm->scan->budget, group->devices.count, "the metadata of LVM", error))
		return false;
	for (size_t i = 0; i < group->devices.count && !*out; i++)
		if (str_equal(group->devices.items[i].name, name))
			*out = &group->devices.items[i];
	if (!*out)
		return error_set(
			error, ERROR_UNSUPPORTED,
			"a part of it lies in %.130s, which is no physical volume: is a pvmove under way?",
			name);
	if (!(*out)->member)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "a part of it lies on the physical volume %.130s, which is not on this disk",
		                 name);
	if ((*out)->why)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "a part of it lies on the physical volume %.130s, which %s", name,
		                 (*out)->why);
	return true;
}

/* A volume while it is put together. */
struct assembly {
	LIST(struct reader_run) runs;
	uint64_t size; /* bytes so far */
	uint64_t within;
};

static bool add_run(struct lvm_disk *lvm, const struct lvm_group *group, const struct segment *segment,
                    struct assembly *volume, struct error *error)
{
	const struct lvm_device *device;
	uint64_t from, size, start;
	if (!find_device(lvm, group, segment->device, &device, error))
		return false;
	const struct partition *partition = partition_of(lvm, device->member);
	if (!range_inside(segment->from, segment->count, device->extents) ||
	    !mul_u64(segment->from, group->extent_size, &from) ||
	    !mul_u64(segment->count, group->extent_size, &size) || !add_u64(device->start, from, &start) ||
	    !range_inside(start - partition->start, size, partition->size))
		return error_set(error, ERROR_CORRUPT,
		                 "a part of it lies behind the end of partition %" PRIu64, partition->number);
	struct reader_run *last = volume->runs.count > 0 ? &volume->runs.items[volume->runs.count - 1] : NULL;
	if (last && last->from + last->size == start)
		last->size += size;
	else
		*LIST_ADD(lvm->scan->arena, &volume->runs) =
			(struct reader_run){ .at = volume->size, .from = start, .size = size };
	if (!last)
		volume->within = partition->number;
	return add_u64(volume->size, size, &volume->size) ||
	       error_set(error, ERROR_CORRUPT, "its size is no number");
}

static bool add_runs(struct lvm_disk *lvm, const struct lvm_group *group, const struct lvm_node *node,
                     struct assembly *volume, struct error *error)
{
	uint64_t extents = 0;
	for (const struct lvm_node *at = lvm_first_section(node); at; at = lvm_next_section(at)) {
		struct segment segment;
		if (!read_segment(at, &segment, error))
			return false;
		if (segment.first != extents || !add_u64(extents, segment.count, &extents))
			return error_set(error, ERROR_CORRUPT,
			                 "its %s does not start where the one before ends", at->name);
		if (!add_run(lvm, group, &segment, volume, error))
			return false;
	}
	return volume->runs.count > 0 || error_set(error, ERROR_CORRUPT, "it has no segments");
}

/*
 * A classic snapshot is kept in a volume of its own, whose bytes are a list of changed blocks; its name
 * stands in the segment of a hidden volume.
 */
static bool check_snapshots(struct lvm_disk *lvm, const struct lvm_node *volumes, const char *name,
                            struct error *error)
{
	for (const struct lvm_node *at = lvm_first_section(volumes); at; at = lvm_next_section(at)) {
		const struct lvm_node *segment = lvm_first_section(at);
		if (!budget_step(lvm->scan->budget, 1, "the metadata of LVM", error))
			return false;
		if (!str_equal(lvm_string(segment, "type"), "snapshot"))
			continue;
		const char *origin = lvm_string(segment, "origin"),
			   *merging = lvm_string(segment, "merging_store");
		if (str_equal(lvm_string(segment, "cow_store"), name) || str_equal(merging, name))
			return error_set(error, ERROR_UNSUPPORTED,
			                 "it is a snapshot of %.130s, which is not read",
			                 origin ? origin : "another volume");
		if (merging && str_equal(origin, name))
			return error_set(error, ERROR_UNSUPPORTED,
			                 "the snapshot %.130s is being merged into it", merging);
	}
	return true;
}

/* What a volume that is not readable spans, as far as it says so. */
static uint64_t promised_size(const struct lvm_group *group, const struct lvm_node *node)
{
	uint64_t extents = 0, count = 0, size = 0;
	for (const struct lvm_node *at = lvm_first_section(node); at; at = lvm_next_section(at))
		if (!lvm_number(at, "extent_count", &count) || !add_u64(extents, count, &extents))
			return 0;
	return mul_u64(extents, group->extent_size, &size) ? size : 0;
}

static const struct reader_map *map_of(const struct lvm_disk *lvm, const struct assembly *volume)
{
	struct reader_map *map = arena_alloc(lvm->scan->arena, sizeof(*map));
	*map = (struct reader_map){ *lvm->scan->disk, volume->runs.items, volume->runs.count };
	return map;
}

static void add_volume(struct lvm_disk *lvm, struct lvm_group *group, const struct lvm_node *volumes,
                       const struct lvm_node *node)
{
	struct arena *arena = lvm->scan->arena;
	struct assembly volume = { 0 };
	struct error error = { 0 };
	const char *id = lvm_string(node, "id");
	uint64_t number = VOLUME_FIRST_NUMBER + lvm->volumes++;
	bool readable = check_snapshots(lvm, volumes, node->name, &error);
	if (readable && lvm_list_has(group->node, "status", "EXPORTED"))
		readable = error_set(&error, ERROR_UNSUPPORTED, "its volume group was exported by vgexport");
	readable = readable && add_runs(lvm, group, node, &volume, &error);
	if (!readable)
		volume.within = partition_of(lvm, group->source)->number;

	struct partition *partition =
		scan_partition(lvm->scan, number,
	                       readable ? volume.runs.items[0].from : partition_of(lvm, group->source)->start,
	                       readable ? volume.size : promised_size(group, node));
	partition->volume = arena_printf(arena, "%s/%s", group->node->name, node->name);
	partition->volume_id = id ? arena_printf(arena, "%s/%s", group->id, id) : NULL;
	partition->within = volume.within;
	partition->readable = readable;
	partition->map = readable ? map_of(lvm, &volume) : NULL;
	if (readable)
		return;
	group->all_read = ANSWER_UNKNOWN;
	lvm_problem(lvm->scan,
	            error.code == ERROR_UNSUPPORTED ? "lvm-volume-unsupported" : "lvm-volume-damaged", number,
	            group->source->text_at, "the logical volume %s cannot be read: %s", partition->volume,
	            error.message);
}

static void add_volumes(struct lvm_disk *lvm, struct lvm_group *group)
{
	const struct lvm_node *volumes = lvm_find(group->node, "logical_volumes");
	struct error error = { 0 };
	if (!read_group(lvm, group, &error)) {
		group->all_read = ANSWER_NO;
		note_damage(lvm, group, error.message);
		return;
	}
	group->all_read = ANSWER_YES;
	for (const struct lvm_node *node = lvm_first_section(volumes); node; node = lvm_next_section(node)) {
		/* The others are parts of these: the legs of a mirror, the data of a pool. */
		if (!lvm_list_has(node, "status", "VISIBLE"))
			continue;
		if (is_name(node->name) && lvm->volumes < VOLUMES_MOST) {
			add_volume(lvm, group, volumes, node);
			continue;
		}
		group->all_read = ANSWER_NO;
		note_damage(lvm, group,
		            lvm->volumes < VOLUMES_MOST ? "a logical volume has no valid name"
		                                        : "it has more volumes than any disk that boots");
		return;
	}
}

/* The volume group that a physical volume is in; NULL when no metadata lists it. */
static const struct lvm_group *group_of(const struct lvm_disk *lvm, const struct lvm_member *member)
{
	for (size_t i = 0; i < lvm->groups.count; i++)
		for (size_t j = 0; j < lvm->groups.items[i].devices.count; j++)
			if (lvm->groups.items[i].devices.items[j].member == member)
				return &lvm->groups.items[i];
	return NULL;
}

static enum answer volumes_read(struct lvm_disk *lvm, const struct lvm_member *member)
{
	const struct lvm_group *group = group_of(lvm, member);
	const struct partition *partition = partition_of(lvm, member);
	if (group)
		return group->all_read == ANSWER_YES && member->ambiguous ? ANSWER_UNKNOWN : group->all_read;
	if (member->damaged)
		return ANSWER_NO;
	if (member->unused)
		return ANSWER_YES;
	/* One whose group was damaged has been reported with it. */
	if (!member->group)
		lvm_problem(lvm->scan, "lvm-group-unknown", partition->number, member->start,
		            "no metadata on this disk says which volume group the physical volume is in");
	return member->group ? ANSWER_NO : ANSWER_UNKNOWN;
}

void lvm_scan(struct scan *scan)
{
	struct lvm_disk lvm = { .scan = scan };
	find_members(&lvm);
	find_groups(&lvm);
	for (size_t i = 0; i < lvm.groups.count; i++)
		add_volumes(&lvm, &lvm.groups.items[i]);
	for (size_t i = 0; i < lvm.members.count; i++) {
		const struct lvm_member *member = &lvm.members.items[i];
		partition_of(&lvm, member)->volumes_read = volumes_read(&lvm, member);
	}
}
