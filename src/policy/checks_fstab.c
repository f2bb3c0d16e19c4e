// /etc/fstab: only file systems of this image, by names that last.
#include <inttypes.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/command_line.h"

/* Does fstab name it by a name that depends on the order in which disks are found? */
static bool is_unstable_name(const char *device)
{
	static const char *const prefixes[] = { "/dev/sd", "/dev/vd", "/dev/hd", "/dev/xvd", "/dev/nvme" };
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts(device, prefixes[i]))
			return true;
	return false;
}

static bool is_of_a_disk(const struct mount_entry *entry)
{
	static const char *const tags[] = { "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "/dev/" };
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (entry->device && str_starts(entry->device, tags[i]))
			return true;
	return false;
}

/* Of systemd's options: one that takes the file system out of what the boot waits for. */
static bool is_for_later(const struct mount_entry *entry)
{
	const char *options = entry->options ? entry->options : "";
	return list_has(options, "x-systemd.automount") || list_has(options, "_netdev");
}

/* What a missing file system of fstab does to the boot. */
static enum boot_effect effect_of(const struct context *context, const struct mount_entry *entry)
{
	if (str_equal(entry->type, "swap"))
		return BOOT_GOES_ON;
	if (str_equal(context->facts->os.init, "systemd") && is_for_later(entry))
		return BOOT_GOES_ON;
	/* The root is mounted already, by root=; other inits than systemd go on or stop, as they please. */
	if (str_equal(entry->path, "/") || !str_equal(context->facts->os.init, "systemd"))
		return BOOT_MAY_STOP;
	return BOOT_STOPS;
}

static enum verdict judge_mount(const struct context *context, const struct mount_entry *entry,
                                struct outcome *outcome)
{
	const char *path = entry->path ? entry->path : "?";
	if (entry->found == ANSWER_NO) {
		outcome_set(context, outcome, VERDICT_FAIL, "%s for %s is no file system of this image",
		            entry->device, path);
		outcome->effect = effect_of(context, entry);
	} else if (is_unstable_name(entry->device)) {
		outcome_set(context, outcome, VERDICT_FAIL,
		            "%s for %s depends on the order in which disks are found", entry->device, path);
		/* /dev/sda1 of a single disk is there; /dev/nvme0n1p1 on some machine series alone. */
		outcome->effect = entry->found == ANSWER_YES ? BOOT_GOES_ON : effect_of(context, entry);
		if (entry->found == ANSWER_UNKNOWN && outcome->effect == BOOT_STOPS)
			outcome->effect = BOOT_MAY_STOP;
	} else if (entry->found == ANSWER_UNKNOWN) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "whether %s for %s is a file system of this image is not known%s%s",
		            entry->device, path, entry->reason ? ": " : "",
		            entry->reason ? entry->reason : "");
		if (effect_of(context, entry) == BOOT_GOES_ON)
			outcome->effect = BOOT_GOES_ON;
	}
	return entry->found == ANSWER_YES && !is_unstable_name(entry->device) ? VERDICT_PASS
	                                                                      : outcome->finding.verdict;
}

static const char *fstab_fix(const struct context *context, const struct mount_entry *entry)
{
	const char *uuid = NULL;
	const struct partition_table *table = &context->facts->table;
	bool found = entry->found == ANSWER_YES;
	uint64_t number = entry->partition;
	/* The root is known by another name. Without its line it would stay read-only. */
	if (!found && str_equal(entry->path, "/") && context->entry &&
	    context->entry->root_found == ANSWER_YES) {
		found = true;
		number = context->entry->root_partition;
	}
	for (size_t i = 0; i < table->partitions.count; i++)
		if (found && table->partitions.items[i].number == number)
			uuid = table->partitions.items[i].uuid;
	if (uuid && (!str_is_plain(uuid) || !str_is_plain(entry->device)))
		return arena_printf(context->arena,
		                    "name the file system by its UUID in line %" PRIu64 " of /etc/fstab",
		                    entry->place.line);
	if (uuid)
		return arena_printf(context->arena, "sed -i '%" PRIu64 "s|%s|UUID=%s|' /etc/fstab",
		                    entry->place.line, entry->device, uuid);
	return arena_printf(context->arena,
	                    "sed -i '%" PRIu64 "d' /etc/fstab, or give the line the option nofail",
	                    entry->place.line);
}

void check_fstab(const struct context *context, struct outcome *outcome)
{
	const struct fstab *fstab = &context->facts->fstab;
	if (fstab->present == ANSWER_UNKNOWN) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "/etc/fstab could not be read");
		return;
	}
	outcome_set(context, outcome, VERDICT_PASS, "%s",
	            fstab->present == ANSWER_NO ? "there is no /etc/fstab"
	                                        : "all file systems are of this image");
	size_t failures = 0;
	for (size_t i = 0; i < fstab->entries.count; i++) {
		const struct mount_entry *entry = &fstab->entries.items[i];
		if (entry->optional || !is_of_a_disk(entry))
			continue;
		struct outcome one = { .finding = { .reason = "" } };
		enum verdict verdict = judge_mount(context, entry, &one);
		if (verdict != VERDICT_PASS)
			outcome_evidence(context, outcome, &entry->place);
		failures += verdict == VERDICT_FAIL;
		bool graver = verdict == VERDICT_FAIL && outcome->finding.verdict == VERDICT_FAIL &&
		              one.effect < outcome->effect;
		bool worse = verdict != outcome->finding.verdict &&
		             verdict_worse(verdict, outcome->finding.verdict) == verdict;
		if (!graver && !worse)
			continue;
		outcome->finding.verdict = verdict;
		outcome->finding.reason = one.finding.reason;
		outcome->finding.found = entry->device;
		outcome->effect = one.effect;
		outcome->finding.fix = verdict == VERDICT_FAIL ? fstab_fix(context, entry) : NULL;
	}
	if (failures > 1)
		outcome_remark(context, outcome, "; %zu more line%s as well", failures - 1,
		               failures == 2 ? " fails" : "s fail");
}
