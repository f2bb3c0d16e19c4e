// The next step for a disk whose size or partition table is wrong: what is asked for has to work on that very
// disk.
#include "policy/fix_disk.h"

#include <inttypes.h>

#include "base/checked.h"
#include "base/text.h"

#define GIB  (UINT64_C(1) << 30)
#define MOST (2048 * GIB)
/* Behind the last partition lie the backup's 32 sectors of entries, and its header. */
#define BACKUP_GPT (UINT64_C(33) * 512)

#define MOVE_BACKUP "sgdisk --move-second-header disk.raw"
/* Tools ask which table is meant while both are there; the boot code in front stays. */
#define WRITE_PROTECTIVE "dd if=/dev/zero of=disk.raw bs=1 seek=510 count=2 conv=notrunc && " MOVE_BACKUP

static const char colliding[] =
	"Of partitions that collide, or lie where none can, one system sees others than "
	"the next, or writes over them.";

static bool is_gpt(const struct context *context)
{
	return str_equal(context->facts->table.kind, "gpt");
}

/* Where a partition of the table ends, in bytes; false for a logical volume and for an end that no disk has.
 */
static bool ends_at(const struct partition *partition, uint64_t *end)
{
	return !partition->volume && add_u64(partition->start, partition->size, end) && *end <= MOST;
}

const struct partition *fix_disk_cut(const struct facts *facts)
{
	uint64_t end;
	for (size_t i = 0; i < facts->table.partitions.count; i++)
		if (ends_at(&facts->table.partitions.items[i], &end) && end > facts->size)
			return &facts->table.partitions.items[i];
	return NULL;
}

/* The GiB of the smallest disk that has room for what this one holds, and for its table. */
static uint64_t whole_gib(const struct context *context)
{
	const struct facts *facts = context->facts;
	uint64_t end, needed = facts->size, backup = is_gpt(context) ? BACKUP_GPT : 0;
	for (size_t i = 0; i < facts->table.partitions.count; i++)
		if (ends_at(&facts->table.partitions.items[i], &end) && end + backup > needed)
			needed = end + backup;
	return needed / GIB + (needed % GIB != 0);
}

static const char *copy_again(const struct context *context)
{
	return arena_printf(
		context->arena,
		"copy the image again, or build it anew: it was cut, and its partitions need a disk of "
		"%" PRIu64 " GiB",
		whole_gib(context));
}

const char *fix_disk_resize(const struct context *context, uint64_t gib)
{
	/* The backup GPT lies at the end of the disk and has to move there. */
	return arena_printf(context->arena, "truncate -s %" PRIu64 "G disk.raw%s", gib,
	                    is_gpt(context) ? " && " MOVE_BACKUP : "");
}

const char *fix_disk_size(const struct context *context)
{
	return fix_disk_cut(context->facts) ? copy_again(context)
	                                    : fix_disk_resize(context, whole_gib(context));
}

static bool has_problem(const struct partition_table *table, const char *code)
{
	for (size_t i = 0; i < table->problems.count; i++)
		if (str_equal(table->problems.items[i].code, code))
			return true;
	return false;
}

static bool partitions_collide(const struct partition_table *table)
{
	for (size_t i = 0; i < table->partitions.count; i++)
		if (!table->partitions.items[i].volume && !table->partitions.items[i].readable)
			return true;
	return has_problem(table, "gpt-partition-outside");
}

static struct disk_advice advise_gpt(const struct context *context)
{
	static const char no_backup[] =
		"Linux boots from the primary table, but there is no copy to mend that one with.";
	const struct partition_table *table = &context->facts->table;
	const char *why = table->primary_sound == ANSWER_YES && table->protective_mbr == ANSWER_YES &&
	                                  table->backup_sound == ANSWER_NO
	                          ? no_backup
	                          : NULL;
	if (table->sector_size != 512)
		return (struct disk_advice){ "make the disk anew with sectors of 512 bytes, as in: sfdisk "
			                     "--sector-size 512 disk.raw",
			                     NULL };
	if (partitions_collide(table))
		return (struct disk_advice){
			"correct the partitions with gdisk disk.raw, or build the image again", colliding
		};
	if (table->primary_sound == ANSWER_NO && table->backup_sound == ANSWER_NO &&
	    table->partitions.count == 0)
		return (struct disk_advice){ "build the image again: neither copy of its GPT is left", NULL };
	if (table->protective_mbr == ANSWER_NO)
		return (struct disk_advice){ WRITE_PROTECTIVE, NULL };
	if (has_problem(table, "gpt-hybrid-disagrees"))
		return (struct disk_advice){
			WRITE_PROTECTIVE, "Who reads the MBR sees other partitions than who reads the GPT."
		};
	if (whole_gib(context) * GIB != context->facts->size)
		return (struct disk_advice){ fix_disk_size(context), why };
	return (struct disk_advice){ MOVE_BACKUP, why };
}

/* Without a table: what is there must not be written over. */
static struct disk_advice advise_bare(const struct context *context)
{
	static const char why[] = "The platform boots disks that have a partition table.";
	const struct partition_table *table = &context->facts->table;
	if (table->partitions.count == 0)
		return (struct disk_advice){
			"make the disk anew with a partition table, as in: sfdisk disk.raw", why
		};
	const char *what = table->partitions.items[0].file_system;
	return (struct disk_advice){
		arena_printf(
			context->arena,
			"make another disk with a partition table, and copy this %s into a partition of it: "
			"a table that is written here destroys it",
			str_equal(what, "LVM2_member") ? "physical volume of LVM"
			: what                         ? "file system"
						       : "data"),
		why
	};
}

struct disk_advice fix_disk_table(const struct context *context)
{
	const char *kind = context->facts->table.kind;
	if (fix_disk_cut(context->facts))
		return (struct disk_advice){
			copy_again(context),
			"What lay behind the end is lost, and Linux leaves out a partition "
			"that ends there, or cannot mount what it holds."
		};
	if (str_equal(kind, "gpt"))
		return advise_gpt(context);
	if (str_equal(kind, "none"))
		return advise_bare(context);
	return (struct disk_advice){ "correct the partitions with fdisk disk.raw, or build the image again",
		                     colliding };
}
