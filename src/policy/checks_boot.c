// From the boot menu to a running system: the entry, its root, its drivers, its console, its mounts.
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/command_line.h"
#include "policy/fix.h"
#include "policy/symbol.h"

void check_default_entry(const struct context *context, struct outcome *outcome)
{
	const struct boot *boot = &context->facts->boot;
	outcome_evidence(context, outcome, &boot->default_place);
	if (boot->default_known != ANSWER_YES || boot->default_index >= boot->entries.count) {
		bool none = boot->default_known == ANSWER_NO;
		outcome_set(context, outcome, none ? VERDICT_FAIL : VERDICT_UNKNOWN, "%s",
		            boot->default_reason ? boot->default_reason
		            : none               ? "the boot menu has no default entry"
		                                 : "which entry boots by default is not known");
		return;
	}
	const struct boot_entry *entry = &boot->entries.items[boot->default_index];
	outcome_evidence(context, outcome, &entry->place);
	outcome->finding.found = entry->title ? entry->title : entry->id ? entry->id : "";
	const struct boot_file *worst = &entry->kernel;
	for (size_t i = 0; i < entry->initrds.count; i++) {
		const struct boot_file *initrd = &entry->initrds.items[i];
		if (worst->found == ANSWER_YES ||
		    (worst->found == ANSWER_UNKNOWN && initrd->found == ANSWER_NO))
			worst = initrd;
	}
	const char *path = worst->path ? worst->path : "a kernel";
	if (worst->found == ANSWER_NO)
		outcome_set(context, outcome, VERDICT_FAIL, "it names %s, which does not exist", path);
	else if (worst->found == ANSWER_UNKNOWN)
		outcome_set(context, outcome, VERDICT_UNKNOWN, "whether %s exists is not known", path);
	else
		outcome_set(context, outcome, VERDICT_PASS, "%s and %zu initramfs file%s exist",
		            entry->kernel.path ? entry->kernel.path : "its kernel", entry->initrds.count,
		            entry->initrds.count == 1 ? "" : "s");
}

/* Says why nothing is known of the entry; false when there is one. */
static bool lacks_entry(const struct context *context, struct outcome *outcome)
{
	if (context->entry)
		return false;
	const struct boot *boot = &context->facts->boot;
	outcome_set(context, outcome, VERDICT_UNKNOWN, "which entry boots the kernel is not known%s%s",
	            boot->default_reason ? ": " : "", boot->default_reason ? boot->default_reason : "");
	outcome_evidence(context, outcome, &boot->default_place);
	return true;
}

void check_root_found(const struct context *context, struct outcome *outcome)
{
	if (lacks_entry(context, outcome))
		return;
	const struct boot_entry *entry = context->entry;
	outcome_evidence(context, outcome, &entry->place);
	outcome->finding.found = entry->root ? entry->root : "";
	if (!entry->root) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the command line has no root=%s%s",
		            entry->root_reason ? ": " : "", entry->root_reason ? entry->root_reason : "");
		return;
	}
	static const enum verdict verdicts[] = {
		[ANSWER_UNKNOWN] = VERDICT_UNKNOWN, [ANSWER_NO] = VERDICT_FAIL, [ANSWER_YES] = VERDICT_PASS
	};
	static const char *const words[] = { [ANSWER_UNKNOWN] =
		                                     "cannot be tied to a file system of this image",
		                             [ANSWER_NO] = "is no file system of this image",
		                             [ANSWER_YES] = "is on this image" };
	if (entry->root_found == ANSWER_YES)
		outcome_set(context, outcome, VERDICT_PASS, "root=%s is partition %" PRIu64, entry->root,
		            entry->root_partition);
	else
		outcome_set(context, outcome, verdicts[entry->root_found], "root=%s %s%s%s", entry->root,
		            words[entry->root_found], entry->root_reason ? ": " : "",
		            entry->root_reason ? entry->root_reason : "");
}

/* A driver that the boot needs before it has a root file system. */
struct driver {
	const char *module;
	const char *symbol;
	const char *file_system; /* needed for this kind of root only; NULL: always */
};

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
	"VIRTIO_PCI", "SCSI_VIRTIO", "BLK_DEV_SD",   "EXT4_FS",        "XFS_FS",  "BTRFS_FS", "F2FS_FS",
	"SQUASHFS",   "EROFS_FS",    "BLK_DEV_NVME", "BLK_DEV_INITRD", "RD_GZIP", "RD_BZIP2", "RD_LZMA",
	"RD_XZ",      "RD_LZO",      "RD_LZ4",       "RD_ZSTD",        NULL,
};
const char *const boot_driver_modules[] = {
	"virtio_pci", "virtio_scsi", "sd_mod", "ext4", "xfs", "btrfs",
	"f2fs",       "squashfs",    "erofs",  "nvme", NULL,
};

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
	const struct config_symbol *own = kernel_config_get(&kernel->config, "INITRAMFS_SOURCE");
	if (own && *own->value && !str_equal(own->value, "n"))
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
	struct text *text = texts[presence];
	text_printf(text, "%s%s", text->size > 0 ? " " : "", name);
}

/* The kind of the root file system; NULL: not known. */
static const char *root_file_system(const struct context *context)
{
	const struct partition_table *table = &context->facts->table;
	if (context->entry->root_found != ANSWER_YES)
		return NULL;
	for (size_t i = 0; i < table->partitions.count; i++)
		if (table->partitions.items[i].number == context->entry->root_partition)
			return table->partitions.items[i].file_system;
	return NULL;
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

static void judge_drivers(const struct context *context, struct outcome *outcome,
                          const struct drivers_found *found, bool root_known)
{
	const struct kernel *kernel = context->kernel;
	const char *lacking = found->carried.size > 0 ? lacking_unpacker(context) : NULL;
	if (found->nowhere.size > 0) {
		outcome->finding.found = arena_strdup(context->arena, text_get(&found->nowhere));
		outcome_set(context, outcome, VERDICT_FAIL, "this kernel does not have %s",
		            text_get(&found->nowhere));
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

void check_boot_drivers(const struct context *context, struct outcome *outcome)
{
	if (!context->kernel) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "no kernel was found to judge");
		return;
	}
	if (lacks_entry(context, outcome))
		return;
	const char *file_system = root_file_system(context);
	struct drivers_found found = { 0 };
	bool root_known = false;
	outcome_evidence(context, outcome, &context->kernel->initramfs);
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		bool of_root = drivers[i].file_system && str_equal(drivers[i].file_system, file_system);
		root_known = root_known || of_root;
		if (!drivers[i].file_system || of_root)
			add_driver(context, outcome, &drivers[i], &found);
	}
	judge_drivers(context, outcome, &found, root_known);
	enum presence nvme = find_driver(context, "BLK_DEV_NVME", "nvme", NULL);
	if (outcome->finding.verdict == VERDICT_PASS &&
	    (nvme == PRESENCE_MISSING || nvme == PRESENCE_NOWHERE))
		outcome_remark(context, outcome, "; machine series that boot from NVMe need nvme as well");
	text_free(&found.builtin);
	text_free(&found.carried);
	text_free(&found.missing);
	text_free(&found.nowhere);
	text_free(&found.unknown);
}

/* "ttyS0" of "ttyS0,38400n8d". */
static const char *device_of(const struct context *context, const char *value)
{
	return arena_string(context->arena, span_of(value, strcspn(value, ",")));
}

static const char *serial_device(const struct context *context)
{
	return str_equal(context->arch, "arm64") ? "ttyAMA0" : "ttyS0";
}

/* The port of ttyS0, addressed without the driver's name: "uart8250,io,0x3f8". */
static bool is_first_uart(const char *value)
{
	return str_starts(value, "uart") && list_has(value, "io") && list_has(value, "0x3f8");
}

void check_console(const struct context *context, struct outcome *outcome)
{
	if (!context->command_line) {
		if (!lacks_entry(context, outcome))
			outcome_set(context, outcome, VERDICT_UNKNOWN,
			            "the kernel's command line is not known");
		return;
	}
	outcome_evidence(context, outcome, &context->command_line_place);
	const char *serial = serial_device(context), *last = command_line_last(context, "console");
	const char *speed = str_equal(serial, "ttyS0") ? ",38400n8d" : "";
	const char *add = arena_printf(context->arena, "console=%s%s", serial, speed);
	if (!last) {
		outcome->finding.found = "none";
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the command line has no console=, so that the serial console stays silent");
		outcome->finding.fix = fix_command_line(context, NULL, add);
		return;
	}
	const char *device = device_of(context, last);
	outcome->finding.found = device;
	bool uart = str_equal(serial, "ttyS0") && is_first_uart(last);
	if (str_equal(device, serial) || uart) {
		outcome->finding.by_equivalent = uart;
		outcome_set(context, outcome, VERDICT_PASS, "console=%s is the last one", last);
		return;
	}
	bool earlier = false;
	const char *value;
	for (size_t n = 0; (value = command_line_value(context, "console", n)); n++)
		earlier = earlier || str_equal(device_of(context, value), serial);
	outcome_set(context, outcome, VERDICT_FAIL, "the last console is %s, not %s%s", device, serial,
	            earlier ? ", which stands before it: the last one owns /dev/console" : "");
	outcome->finding.fix =
		fix_command_line(context, earlier ? arena_printf(context->arena, "console=%s", last) : NULL,
	                         earlier ? NULL : add);
}

void check_no_quiet(const struct context *context, struct outcome *outcome)
{
	static const char *const words[] = { "quiet", "rhgb", "splash", "splashimage" };
	if (!context->command_line) {
		if (!lacks_entry(context, outcome))
			outcome_set(context, outcome, VERDICT_UNKNOWN,
			            "the kernel's command line is not known");
		return;
	}
	outcome_evidence(context, outcome, &context->command_line_place);
	const char *found = "";
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *value = command_line_last(context, words[i]);
		/* splash=0 and splash=verbose hide nothing. */
		if (value && !str_equal(value, "0") && !str_equal(value, "verbose"))
			found = arena_printf(context->arena, "%s%s%s", found, *found ? " " : "", words[i]);
	}
	if (!*found) {
		outcome_set(context, outcome, VERDICT_PASS, "the command line hides no messages");
		return;
	}
	outcome->finding.found = found;
	outcome_set(context, outcome, VERDICT_FAIL, "the command line has %s", found);
	outcome->finding.fix = fix_command_line(context, found, NULL);
}

void check_menu_timeout(const struct context *context, struct outcome *outcome)
{
	const struct boot *boot = &context->facts->boot;
	outcome_evidence(context, outcome, &boot->timeout_place);
	if (!boot->timeout) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "how long the boot menu waits is not known");
		return;
	}
	outcome->finding.found = boot->timeout;
	if (str_equal(boot->timeout, "0"))
		outcome_set(context, outcome, VERDICT_PASS, "the boot menu does not wait");
	else if (*boot->timeout == '-')
		outcome_set(context, outcome, VERDICT_FAIL, "the boot menu waits for ever");
	else
		outcome_set(context, outcome, VERDICT_FAIL, "the boot menu waits %s seconds", boot->timeout);
}

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

/* What a missing file system of fstab does to the boot. */
static enum boot_effect effect_of(const struct context *context, const struct mount_entry *entry)
{
	if (str_equal(entry->type, "swap"))
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
		/* /dev/sda1 of a single disk is there; /dev/vda1 is not, on this platform. */
		outcome->effect = entry->found == ANSWER_YES ? BOOT_GOES_ON : effect_of(context, entry);
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
	for (size_t i = 0; i < table->partitions.count; i++)
		if (entry->found == ANSWER_YES && table->partitions.items[i].number == entry->partition)
			uuid = table->partitions.items[i].uuid;
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

static const struct observation *find_getty(const struct facts *facts)
{
	for (size_t i = 0; i < facts->observations.items.count; i++)
		if (str_equal(facts->observations.items.items[i].name, "guest.serial-getty"))
			return &facts->observations.items.items[i];
	return NULL;
}

/* A getty on every serial console that the command line names: is the right one among them? */
static void judge_generated_getty(const struct context *context, struct outcome *outcome)
{
	const char *serial = serial_device(context), *value;
	if (!context->command_line) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "systemd starts a getty on the consoles of the command line, which is not known");
		return;
	}
	outcome_evidence(context, outcome, &context->command_line_place);
	for (size_t n = 0; (value = command_line_value(context, "console", n)); n++) {
		if (!str_equal(device_of(context, value), serial))
			continue;
		outcome->finding.found = serial;
		outcome_set(context, outcome, VERDICT_PASS, "systemd starts a getty on console=%s", value);
		return;
	}
	outcome_set(context, outcome, VERDICT_FAIL,
	            "no getty is enabled on %s, and the command line has no console=%s", serial, serial);
}

/* Is `word` one of several with blanks between? */
static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; at && *at; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == length && strncmp(at, word, length) == 0)
			return true;
	return false;
}

void check_serial_getty(const struct context *context, struct outcome *outcome)
{
	const struct observation *seen = find_getty(context->facts);
	const char *serial = serial_device(context);
	if (!seen || seen->state == ANSWER_UNKNOWN) {
		outcome_set(context, outcome, VERDICT_UNKNOWN, "whether a getty runs on %s is not known%s%s",
		            serial, seen && seen->reason ? ": " : "",
		            seen && seen->reason ? seen->reason : "");
		return;
	}
	for (size_t i = 0; i < seen->places.count; i++)
		outcome_evidence(context, outcome, &seen->places.items[i]);
	outcome->finding.found = seen->state == ANSWER_YES && seen->value ? seen->value : "none";
	if (seen->state == ANSWER_NO)
		outcome_set(context, outcome, VERDICT_FAIL, "%s",
		            seen->reason ? seen->reason : "no getty is enabled");
	else if (has_word(seen->value, serial))
		outcome_set(context, outcome, VERDICT_PASS, "a getty is enabled on %s", serial);
	else if (has_word(seen->value, "console"))
		judge_generated_getty(context, outcome);
	else
		outcome_set(context, outcome, VERDICT_FAIL, "no getty is enabled on %s", serial);
}
