// What has to be there before the root file system is: drivers in the kernel or in its initramfs.
#include <string.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/fix.h"
#include "policy/symbol.h"

/* A driver that the boot needs before it has a root file system. */
struct driver {
	const char *module;
	const char *symbol;
	const char *file_system; /* needed for this kind of root or /usr only; NULL: always */
};

/* The device-mapper, which logical volumes are devices of. */
static const struct driver volume_driver = { "dm_mod", "BLK_DEV_DM", NULL };

static const struct driver drivers[] = {
	{ "virtio_pci", "VIRTIO_PCI", NULL }, { "virtio_scsi", "SCSI_VIRTIO", NULL },
	{ "sd_mod", "BLK_DEV_SD", NULL },     { "ext4", "EXT4_FS", "ext4" },
	{ "ext4", "EXT4_FS", "ext3" },        { "ext4", "EXT4_FS", "ext2" },
	{ "xfs", "XFS_FS", "xfs" },           { "btrfs", "BTRFS_FS", "btrfs" },
	{ "f2fs", "F2FS_FS", "f2fs" },        { "squashfs", "SQUASHFS", "squashfs" },
	{ "erofs", "EROFS_FS", "erofs" },
};

/* What unpacks the initramfs, by the name that its reader gives the compression. */
static const struct {
	const char *compression, *symbol;
} unpackers[] = {
	{ "gzip", "RD_GZIP" }, { "bzip2", "RD_BZIP2" }, { "lzma", "RD_LZMA" }, { "xz", "RD_XZ" },
	{ "lzo", "RD_LZO" },   { "lz4", "RD_LZ4" },     { "zstd", "RD_ZSTD" },
};

const char *const boot_driver_symbols[] = {
	"VIRTIO_PCI",    "SCSI_VIRTIO",     "BLK_DEV_SD", "EXT4_FS",      "XFS_FS",         "BTRFS_FS",
	"F2FS_FS",       "SQUASHFS",        "EROFS_FS",   "BLK_DEV_NVME", "BLK_DEV_INITRD", "RD_GZIP",
	"RD_BZIP2",      "RD_LZMA",         "RD_XZ",      "RD_LZO",       "RD_LZ4",         "RD_ZSTD",
	"EFI_PARTITION", "MSDOS_PARTITION", "BLK_DEV_DM", NULL,
};
/* The drivers of the image's own root, its file system's and of a volume dm_mod, are always asked for. */
const char *const boot_driver_modules[] = { "virtio_pci", "virtio_scsi", "sd_mod", "nvme", NULL };

/* Is a driver there when it is needed? */
enum presence {
	PRESENCE_UNKNOWN,
	PRESENCE_BUILTIN,
	PRESENCE_CARRIED,
	PRESENCE_MISSING, /* a module that the initramfs lacks */
	PRESENCE_NOWHERE, /* this kernel does not have it at all */
};

static enum presence find_driver(const struct context *context, const char *symbol, const char *name,
                                 struct outcome *outcome)
{
	struct symbol_reading reading = symbol_read(context, symbol, name);
	const struct kernel_module *module = module_find(context->kernel, name);
	bool builtin = module && module->state == MODULE_BUILTIN;
	if (outcome)
		outcome_evidence(context, outcome, builtin ? &module->place : &reading.place);
	if (builtin || (reading.known && str_equal(reading.value, "y")))
		return PRESENCE_BUILTIN;
	if (module && module->in_initramfs == ANSWER_YES)
		return PRESENCE_CARRIED;
	if (reading.known && str_equal(reading.value, "n"))
		return PRESENCE_NOWHERE;
	if (module && module->state == MODULE_ABSENT)
		return PRESENCE_NOWHERE;
	if (!reading.known)
		return PRESENCE_UNKNOWN;
	/* A module: without an initramfs nothing carries it. */
	const struct kernel *kernel = context->kernel;
	if (kernel_has_own_initramfs(kernel))
		return PRESENCE_UNKNOWN;
	if (!kernel->initramfs.path)
		return PRESENCE_MISSING;
	if (!module || module->in_initramfs == ANSWER_UNKNOWN || kernel->initramfs_read == ANSWER_NO)
		return PRESENCE_UNKNOWN;
	return PRESENCE_MISSING;
}

/* What the drivers of one boot come to. */
struct drivers_found {
	struct text builtin, carried, missing, nowhere, unknown;
	struct text enable; /* arguments of scripts/config that give the kernel what is nowhere */
	bool lacks_root;    /* of those that are not there one is of the file system, not of the disk */
};

static void add_driver(const struct context *context, struct outcome *outcome, const struct driver *driver,
                       struct drivers_found *found)
{
	const char *name = driver->module;
	const struct kernel_module *module = module_find(context->kernel, name);
	struct text *texts[] = { &found->unknown, &found->builtin, &found->carried, &found->missing,
		                 &found->nowhere };
	enum presence presence = find_driver(context, driver->symbol, name, outcome);
	if (presence == PRESENCE_MISSING && module && module->missing && *module->missing)
		name = module->missing;
	if (presence == PRESENCE_NOWHERE) {
		fix_add_menus(&found->enable, driver->symbol);
		fix_add_enable(&found->enable, driver->symbol);
	}
	if (presence == PRESENCE_MISSING || presence == PRESENCE_NOWHERE)
		found->lacks_root = found->lacks_root || driver->file_system || driver == &volume_driver;
	text_add_words(texts[presence], name);
}

/* The kernel's own means to unpack this initramfs that it lacks; NULL: none is known to be lacking. */
static const char *lacking_unpacker(const struct context *context)
{
	const struct kernel *kernel = context->kernel;
	struct symbol_reading initrd = symbol_read(context, "BLK_DEV_INITRD", NULL);
	if (initrd.known && str_equal(initrd.value, "n"))
		return "BLK_DEV_INITRD";
	for (size_t i = 0; kernel->initramfs_compression && i < ARRAY_SIZE(unpackers); i++) {
		const char *at = strstr(kernel->initramfs_compression, unpackers[i].compression);
		size_t length = strlen(unpackers[i].compression);
		if (!at || (at != kernel->initramfs_compression && at[-1] != ' ') ||
		    (at[length] && at[length] != ' '))
			continue;
		struct symbol_reading reading = symbol_read(context, unpackers[i].symbol, NULL);
		if (reading.known && str_equal(reading.value, "n"))
			return unpackers[i].symbol;
	}
	return NULL;
}

/* What reads the disk's partition table, when this kernel is known to lack it; NULL. */
static const char *lacking_table(const struct context *context)
{
	const char *kind = context->facts->table.kind;
	const char *symbol = str_equal(kind, "gpt")   ? "EFI_PARTITION"
	                     : str_equal(kind, "mbr") ? "MSDOS_PARTITION"
	                                              : NULL;
	if (!symbol)
		return NULL;
	struct symbol_reading reading = symbol_read(context, symbol, NULL);
	return reading.known && str_equal(reading.value, "n") ? symbol : NULL;
}

/* The drivers are there; does the kernel get from the disk to the root with them? */
static void judge_way(const struct context *context, struct outcome *outcome)
{
	const char *table = lacking_table(context), *unpacker = lacking_unpacker(context);
	const char *root = context->entry->root;
	if (outcome->finding.verdict == VERDICT_FAIL)
		return;
	if (table) {
		outcome->finding.found = table;
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the kernel cannot read this disk's partition table: CONFIG_%s is not set",
		            table);
		outcome->finding.fix =
			fix_rebuild(context, arena_printf(context->arena, "--enable %s", table));
	} else if (unpacker && context->entry->initrds.count > 0 && needs_initramfs(context)) {
		outcome->finding.found = unpacker;
		outcome_set(
			context, outcome, VERDICT_FAIL,
			"the kernel cannot unpack the initramfs that would look for root=%s: CONFIG_%s is "
			"not set",
			root, unpacker);
		outcome->finding.fix =
			fix_rebuild(context, arena_printf(context->arena, "--enable %s", unpacker));
	}
}

/* A volume is no device before a program activates it; the drivers alone do not. */
static void judge_volume_tools(const struct context *context, struct outcome *outcome,
                               const struct partition *root)
{
	const struct kernel *kernel = context->kernel;
	if (!root || !root->volume || !kernel->initramfs.path || outcome->finding.verdict != VERDICT_PASS)
		return;
	if (kernel->initramfs_lvm == ANSWER_NO) {
		outcome->finding.found = "no lvm";
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the initramfs does not carry the program lvm, which activates logical volume %s",
		            root->volume);
		outcome->finding.fix = fix_initramfs_lvm(context);
	} else if (kernel->initramfs_lvm == ANSWER_UNKNOWN) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "the drivers are there, but whether the initramfs carries the program lvm for "
		            "logical volume %s is not known",
		            root->volume);
	} else {
		outcome_remark(context, outcome, "; and the program lvm");
	}
}

static void judge_drivers(const struct context *context, struct outcome *outcome,
                          const struct drivers_found *found, bool root_known)
{
	const struct kernel *kernel = context->kernel;
	const char *lacking = found->carried.size > 0 ? lacking_unpacker(context) : NULL;
	if (found->nowhere.size > 0) {
		outcome->finding.found = arena_strdup(context->arena, text_get(&found->nowhere));
		outcome_set(context, outcome, VERDICT_FAIL, "this kernel does not have %s",
		            text_get(&found->nowhere));
		outcome->finding.fix = fix_rebuild(context, text_get(&found->enable));
	} else if (found->missing.size > 0) {
		outcome->finding.found = arena_strdup(context->arena, text_get(&found->missing));
		outcome_set(context, outcome, VERDICT_FAIL, "%s %s",
		            kernel->initramfs.path ? "the initramfs does not carry"
		                                   : "the entry has no initramfs that could carry",
		            text_get(&found->missing));
		outcome->finding.fix = fix_initramfs(context, text_get(&found->missing));
	} else if (lacking) {
		outcome->finding.found = lacking;
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the kernel cannot unpack its initramfs: CONFIG_%s is not set", lacking);
		outcome->finding.fix =
			fix_rebuild(context, arena_printf(context->arena, "--enable %s", lacking));
	} else if (found->unknown.size > 0) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "whether %s is there in time is not known%s%s",
		            text_get(&found->unknown), kernel->initramfs_reason ? ": " : "",
		            kernel->initramfs_reason ? kernel->initramfs_reason : "");
	} else if (!root_known) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "the drivers of the boot disk are there, but which file system the root has is "
		            "not known");
	} else if (found->carried.size == 0) {
		outcome_set(context, outcome, VERDICT_PASS, "%s are built in", text_get(&found->builtin));
	} else {
		outcome_set(context, outcome, VERDICT_PASS, "the initramfs carries %s%s%s",
		            text_get(&found->carried), found->builtin.size > 0 ? "; built in: " : "",
		            text_get(&found->builtin));
	}
}

/*
 * Some machine series have the boot disk behind NVMe. On x86 they are the exception. Machines of arm64 have
 * the one or the other, and the image does not say which: with one of the drivers it boots on some of them.
 */
static void judge_nvme(const struct context *context, struct outcome *outcome,
                       const struct drivers_found *found)
{
	enum presence nvme = find_driver(context, "BLK_DEV_NVME", "nvme", NULL);
	bool there = nvme == PRESENCE_BUILTIN || nvme == PRESENCE_CARRIED;
	bool lacks_scsi = (found->missing.size > 0 || found->nowhere.size > 0) && !found->lacks_root;
	if (!str_equal(context->arch, "arm64")) {
		if (outcome->finding.verdict == VERDICT_PASS && !there && nvme != PRESENCE_UNKNOWN)
			outcome_remark(context, outcome,
			               "; machine series that boot from NVMe need nvme as well");
	} else if (outcome->finding.verdict == VERDICT_FAIL && there && lacks_scsi) {
		outcome->effect = BOOT_MAY_STOP;
		outcome_remark(context, outcome,
		               "; nvme is there, with which arm64 machines boot that have NVMe disks");
	} else if (outcome->finding.verdict == VERDICT_PASS && !there) {
		outcome_set(
			context, outcome, VERDICT_UNKNOWN,
			"virtio_scsi is there, and nvme %s: which of them the boot disk of an arm64 machine "
			"needs depends on its series, which the image does not name",
			nvme == PRESENCE_UNKNOWN ? "may be missing" : "is not");
	}
}

/* A /usr of its own is mounted by the initramfs, too: what the boot goes on with lies there. */
static const char *usr_file_system(const struct context *context)
{
	const struct partition_table *table = &context->facts->table;
	for (size_t i = 0; i < table->partitions.count; i++)
		if (str_equal(table->partitions.items[i].mount, "/usr"))
			return table->partitions.items[i].file_system;
	return NULL;
}

void check_boot_drivers(const struct context *context, struct outcome *outcome)
{
	if (!context->kernel) {
		outcome_no_kernel(context, outcome);
		return;
	}
	if (lacks_entry(context, outcome))
		return;
	const struct partition *root = root_partition(context);
	const char *file_system = root ? root->file_system : NULL, *usr = usr_file_system(context);
	struct drivers_found found = { 0 };
	bool root_known = false;
	outcome_evidence(context, outcome, &context->kernel->initramfs);
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		bool of_root = drivers[i].file_system && str_equal(drivers[i].file_system, file_system);
		root_known = root_known || of_root;
		if (!drivers[i].file_system || of_root || str_equal(drivers[i].file_system, usr))
			add_driver(context, outcome, &drivers[i], &found);
	}
	if (root && root->volume)
		add_driver(context, outcome, &volume_driver, &found);
	judge_drivers(context, outcome, &found, root_known);
	judge_way(context, outcome);
	judge_volume_tools(context, outcome, root);
	judge_nvme(context, outcome, &found);
	text_free(&found.builtin);
	text_free(&found.carried);
	text_free(&found.missing);
	text_free(&found.nowhere);
	text_free(&found.enable);
	text_free(&found.unknown);
}
