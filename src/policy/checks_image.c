// The disk as the platform imports it, and as its firmware finds a way into it.
#include <inttypes.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/command_line.h"
#include "policy/fix_disk.h"

#define GIB      ((uint64_t)1 << 30)
#define MOST_GIB ((uint64_t)2048)
/* Persistent disks have 4 KiB physical and 512-byte logical sectors; partition tables count logical ones. */
#define LOGICAL_SECTOR 512

void check_whole_gib(const struct context *context, struct outcome *outcome)
{
	uint64_t size = context->facts->size;
	if (size == 0) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the disk's size is not known");
		return;
	}
	outcome->finding.found = arena_printf(context->arena, "%" PRIu64 " bytes", size);
	if (size % GIB == 0) {
		outcome_set(context, outcome, VERDICT_PASS, "%" PRIu64 " GiB", size / GIB);
		return;
	}
	uint64_t whole = size / GIB + 1;
	outcome_set(context, outcome, VERDICT_FAIL, "%" PRIu64 " bytes, %" PRIu64 " short of %" PRIu64 " GiB",
	            size, GIB - size % GIB, whole);
	outcome->finding.fix = fix_disk_size(context);
}

void check_max_size(const struct context *context, struct outcome *outcome)
{
	uint64_t size = context->facts->size;
	if (size == 0) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the disk's size is not known");
		return;
	}
	bool fits = size <= MOST_GIB * GIB;
	outcome->finding.found = arena_printf(context->arena, "%" PRIu64 " bytes", size);
	outcome_set(context, outcome, fits ? VERDICT_PASS : VERDICT_FAIL,
	            "%" PRIu64 " bytes, %s than 2048 GiB", size, fits ? "no more" : "more");
	if (!fits)
		outcome->finding.fix = arena_printf(context->arena, "shrink the last partition, then %s",
		                                    fix_disk_resize(context, MOST_GIB));
}

/* Damage that leaves the table readable: with a root that was found in it, the boot goes on. */
static enum boot_effect effect_of_damage(const struct context *context)
{
	return context->entry && context->entry->root_found == ANSWER_YES ? BOOT_GOES_ON : BOOT_MAY_STOP;
}

/* Evidence of everything that the reader found wrong with the table, and the first of it as a remark. */
static void add_problems(const struct context *context, struct outcome *outcome)
{
	const struct partition_table *table = &context->facts->table;
	for (size_t i = 0; i < table->problems.count; i++) {
		struct place place = table->problems.items[i].place;
		if (!place.text)
			place.text = table->problems.items[i].message;
		outcome_evidence(context, outcome, &place);
	}
	if (table->problems.count > 0)
		outcome_remark(context, outcome, ": %s", table->problems.items[0].message);
}

/* UEFI firmware (EDK II) writes a damaged primary GPT anew from its backup; a kernel with `gpt` reads that.
 */
static bool backup_may_help(const struct context *context)
{
	const struct boot *boot = &context->facts->boot;
	if (context->facts->table.backup_sound != ANSWER_YES)
		return false;
	if (context->command_line && command_line_last(context, "gpt"))
		return true;
	for (size_t i = 0; i < boot->paths.count; i++)
		if (str_equal(boot->paths.items[i].firmware, "uefi") &&
		    boot->paths.items[i].works != ANSWER_NO)
			return true;
	return false;
}

static void judge_gpt(const struct context *context, struct outcome *outcome)
{
	const struct partition_table *table = &context->facts->table;
	if (table->primary_sound == ANSWER_NO) {
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the primary GPT is damaged, and the kernel does not use the backup");
		if (backup_may_help(context)) {
			outcome_remark(context, outcome,
			               ", unless UEFI firmware mends the primary with it first or the "
			               "command line has gpt");
			outcome->effect = BOOT_MAY_STOP;
		}
	} else if (table->protective_mbr == ANSWER_NO) {
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the MBR has no protective entry, so that the kernel ignores the GPT");
	} else if (table->sector_size != LOGICAL_SECTOR) {
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the GPT is made for sectors of %" PRIu64
		            " bytes; the platform's disks have logical sectors of 512, where the kernel "
		            "finds no table",
		            table->sector_size);
	} else if (table->primary_sound == ANSWER_UNKNOWN || table->protective_mbr == ANSWER_UNKNOWN) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the GPT could not be read");
	} else if (table->backup_sound == ANSWER_NO) {
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the backup GPT is damaged or not at the end of the disk");
		outcome->effect = BOOT_GOES_ON;
	} else if (table->backup_sound == ANSWER_UNKNOWN) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the backup GPT could not be read");
		outcome->effect = BOOT_GOES_ON;
	} else if (table->problems.count > 0) {
		outcome_set(context, outcome, VERDICT_FAIL, "the GPT is inconsistent");
		outcome->effect = effect_of_damage(context);
	} else {
		outcome_set(context, outcome, VERDICT_PASS,
		            table->hybrid ? "both copies of the GPT are sound; the MBR is a hybrid one"
		                          : "both copies of the GPT and the protective MBR are sound");
	}
}

/* Why the table fails is not all the same, and what mends one makes another worse. */
static void advise(const struct context *context, struct outcome *outcome)
{
	const struct partition *cut = fix_disk_cut(context->facts);
	const struct disk_advice advice = fix_disk_table(context);
	outcome->finding.fix = advice.fix;
	outcome->finding.why = advice.why;
	if (cut)
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the disk ends at byte %" PRIu64 ", before its partition %" PRIu64 " does",
		            context->facts->size, cut->number);
}

void check_partition_table(const struct context *context, struct outcome *outcome)
{
	const struct partition_table *table = &context->facts->table;
	if (!table->kind) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "%s",
		            context->facts->reason ? context->facts->reason
		                                   : "the partition table could not be read");
		return;
	}
	outcome->finding.found = table->kind;
	if (str_equal(table->kind, "gpt")) {
		judge_gpt(context, outcome);
	} else if (str_equal(table->kind, "none")) {
		outcome_set(context, outcome, VERDICT_FAIL, "the disk has no partition table");
		/* Whether there is a way in all the same is for the boot path to say. */
		outcome->effect = BOOT_GOES_ON;
	} else if (table->problems.count > 0) {
		outcome_set(context, outcome, VERDICT_FAIL, "the MBR is inconsistent");
		outcome->effect = effect_of_damage(context);
	} else {
		outcome_set(context, outcome, VERDICT_PASS, "the MBR is sound");
	}
	if (outcome->finding.verdict == VERDICT_FAIL)
		advise(context, outcome);
	if (outcome->finding.verdict != VERDICT_PASS)
		add_problems(context, outcome);
}

/* Can this machine start from it? arm64 machines have UEFI alone. */
static bool is_way_in(const struct context *context, const struct boot_path *path)
{
	return str_equal(path->firmware, "uefi") || !str_equal(context->arch, "arm64");
}

static const char *firmware_text(const struct boot_path *path)
{
	return str_equal(path->firmware, "uefi")   ? "UEFI"
	       : str_equal(path->firmware, "bios") ? "BIOS"
	                                           : path->firmware;
}

/* Judges the paths of one firmware, or of all (NULL). */
static void judge_paths(const struct context *context, struct outcome *outcome, const char *firmware)
{
	const struct boot *boot = &context->facts->boot;
	CLEANUP(text_free) struct text working = { 0 };
	CLEANUP(text_free) struct text broken = { 0 };
	bool unknown = context->facts->examined != EXAMINED_FULL && boot->paths.count == 0;
	for (size_t i = 0; i < boot->paths.count; i++) {
		const struct boot_path *path = &boot->paths.items[i];
		if ((firmware && !str_equal(firmware, path->firmware)) || !is_way_in(context, path))
			continue;
		outcome_evidence(context, outcome, &path->place);
		struct text *text = path->works == ANSWER_YES ? &working : &broken;
		text_printf(text, "%s%s", text->size > 0 ? ", " : "", firmware_text(path));
		if (path->works != ANSWER_YES && path->reason)
			text_printf(text, " (%s)", path->reason);
		unknown = unknown || path->works == ANSWER_UNKNOWN;
	}
	if (working.size > 0) {
		outcome->finding.found = arena_strdup(context->arena, text_get(&working));
		outcome_set(context, outcome, VERDICT_PASS, "boots with %s", text_get(&working));
	} else if (unknown) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "whether the firmware finds a loader is not known%s%s",
		            broken.size > 0 ? ": " : "", text_get(&broken));
	} else {
		outcome->finding.found = "none";
		outcome_set(context, outcome, VERDICT_FAIL, "no firmware finds a loader%s%s",
		            broken.size > 0 ? ": " : "", text_get(&broken));
	}
}

void check_boot_path(const struct context *context, struct outcome *outcome)
{
	judge_paths(context, outcome, NULL);
}

void check_uefi_path(const struct context *context, struct outcome *outcome)
{
	judge_paths(context, outcome, "uefi");
}

static bool is_encrypted(const struct partition *partition)
{
	return str_equal(partition->file_system, "crypto_LUKS") ||
	       str_equal(partition->file_system, "BitLocker");
}

void check_no_encryption(const struct context *context, struct outcome *outcome)
{
	const struct facts *facts = context->facts;
	if (!facts->table.kind) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the partitions could not be read");
		return;
	}
	size_t partitions = 0, volumes = 0;
	const struct partition *hiding = NULL;
	const char *unread = volume_unread(&facts->table);
	for (size_t i = 0; i < facts->table.partitions.count; i++) {
		const struct partition *partition = &facts->table.partitions.items[i];
		partitions += !partition->volume;
		volumes += partition->volume != NULL;
		if (str_equal(partition->file_system, "LVM2_member") && partition->volumes_read != ANSWER_YES)
			hiding = partition;
		if (!is_encrypted(partition))
			continue;
		const struct place place = { .partition = partition->number,
			                     .offset = partition->start,
			                     .text = partition->file_system };
		outcome_evidence(context, outcome, &place);
		outcome->finding.found = partition->file_system;
		outcome_set(context, outcome, VERDICT_FAIL, "%s is encrypted (%s)",
		            volume_phrase(&facts->table, partition->number, context->arena),
		            partition->file_system);
		outcome->finding.fix =
			"make the image anew without encryption: the platform encrypts its disks";
		/* Data partitions may be left locked; a root that was found is not the encrypted one. */
		outcome->effect = effect_of_damage(context);
		return;
	}
	if (hiding) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "not all logical volumes in partition %" PRIu64 " can be read", hiding->number);
		outcome->effect = effect_of_damage(context);
	} else if (unread) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "not all partitions can be read: %s", unread);
		outcome->effect = effect_of_damage(context);
	} else if (volumes > 0) {
		outcome_set(context, outcome, VERDICT_PASS,
		            "none of the %zu partitions and %zu logical volumes is encrypted", partitions,
		            volumes);
	} else {
		outcome_set(context, outcome, VERDICT_PASS, "none of the %zu partitions is encrypted",
		            partitions);
	}
}
