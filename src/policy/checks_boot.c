// From the boot menu to a running system: the entry, its root, its drivers, its console, its mounts.
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "policy/checks.h"
#include "policy/command_line.h"
#include "policy/fix.h"

/* Nobody is there to press a key or to type a password: an entry that waits for it never boots. */
static void judge_unattended(const struct context *context, struct outcome *outcome)
{
	const struct boot *boot = &context->facts->boot;
	if (boot->timeout && *boot->timeout == '-') {
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the boot menu waits for ever for somebody to choose an entry: %s",
		            boot->timeout_place.path ? "its timeout is no time after which it ends"
		                                     : "its timeout is not set");
		outcome->finding.fix = fix_menu_timeout(context);
		outcome_evidence(context, outcome, &boot->timeout_place);
		return;
	}
	for (size_t i = 0; i < boot->problems.count; i++) {
		const struct problem *problem = &boot->problems.items[i];
		if (!str_equal(problem->code, "grub-password"))
			continue;
		outcome_set(context, outcome, VERDICT_FAIL, "%s", problem->message);
		outcome->finding.fix = "add --unrestricted to the default entry, or take superusers out of "
				       "GRUB's configuration";
		outcome_evidence(context, outcome, &problem->place);
		return;
	}
}

/* Is what the entry boots a kernel at all? */
static void judge_kernel_file(const struct context *context, struct outcome *outcome)
{
	const struct facts *facts = context->facts;
	for (size_t i = 0; i < facts->kernels.count; i++) {
		const struct kernel *kernel = &facts->kernels.items[i];
		if (!kernel->booted || !kernel->reason || kernel->sound == ANSWER_YES)
			continue;
		outcome_evidence(context, outcome, &kernel->place);
		if (kernel->sound == ANSWER_NO)
			outcome_set(context, outcome, VERDICT_FAIL, "it names %s, which cannot boot: %s",
			            kernel->place.path, kernel->reason);
		else
			outcome_set(context, outcome, VERDICT_UNKNOWN,
			            "it names %s, of which nothing is known: %s", kernel->place.path,
			            kernel->reason);
	}
}

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
	if (worst->found == ANSWER_YES)
		judge_kernel_file(context, outcome);
	if (outcome->finding.verdict != VERDICT_FAIL)
		judge_unattended(context, outcome);
}

bool lacks_entry(const struct context *context, struct outcome *outcome)
{
	if (context->entry)
		return false;
	const struct boot *boot = &context->facts->boot;
	outcome_set(context, outcome, VERDICT_UNKNOWN, "which entry boots the kernel is not known%s%s",
	            boot->default_reason ? ": " : "", boot->default_reason ? boot->default_reason : "");
	outcome_evidence(context, outcome, &boot->default_place);
	return true;
}

const struct partition *root_partition(const struct context *context)
{
	const struct boot_entry *entry = context->entry;
	return entry->root_found == ANSWER_YES ? volume_find(&context->facts->table, entry->root_partition)
	                                       : NULL;
}

bool needs_initramfs(const struct context *context)
{
	const struct partition *partition = root_partition(context);
	const char *root = context->entry->root;
	if (partition && partition->volume)
		return true;
	return root &&
	       (str_starts(root, "UUID=") || str_starts(root, "LABEL=") || str_starts(root, "/dev/disk/"));
}

static const char *root_phrase(const struct context *context)
{
	return volume_phrase(&context->facts->table, context->entry->root_partition, context->arena);
}

/* The kernel alone looks for no file system by UUID or label, and for no logical volume at all. */
static void judge_name_without_initramfs(const struct context *context, struct outcome *outcome)
{
	const struct boot_entry *entry = context->entry;
	if (entry->initrds.count > 0 || !needs_initramfs(context) || !context->kernel)
		return;
	if (kernel_has_own_initramfs(context->kernel))
		return;
	const struct partition *partition = root_partition(context);
	bool sure = context->kernel->config.source != NULL;
	if (partition && partition->volume) {
		outcome_set(
			context, outcome, sure ? VERDICT_FAIL : VERDICT_UNKNOWN,
			"the entry has no initramfs, and a kernel %s activates no logical volume: root=%s "
			"is %s",
			sure ? "by itself" : "without one inside", entry->root, root_phrase(context));
		return;
	}
	outcome_set(context, outcome, sure ? VERDICT_FAIL : VERDICT_UNKNOWN,
	            "the entry has no initramfs, and a kernel %s cannot find root=%s: it knows PARTUUID= and "
	            "/dev/sda%" PRIu64 " alone",
	            sure ? "by itself" : "without one inside", entry->root, entry->root_partition);
}

/* Was the running system's tree put together, with /usr in its place? */
static bool is_tree_whole(const struct context *context)
{
	const struct facts *facts = context->facts;
	bool root = false, usr = true;
	for (size_t i = 0; i < facts->fstab.entries.count; i++)
		if (str_equal(facts->fstab.entries.items[i].path, "/usr"))
			usr = false;
	for (size_t i = 0; i < facts->table.partitions.count; i++) {
		const struct partition *partition = &facts->table.partitions.items[i];
		if (str_equal(partition->mount, "/"))
			root = partition->number == context->entry->root_partition;
		usr = usr || str_equal(partition->mount, "/usr");
	}
	return root && usr;
}

/* A root file system without an init: the kernel tries /bin/sh last, and some initramfs stop before that. */
static void judge_init(const struct context *context, struct outcome *outcome)
{
	if (context->facts->os.init_found != ANSWER_NO || !is_tree_whole(context) ||
	    command_line_last(context, "init"))
		return;
	outcome_set(context, outcome, VERDICT_FAIL,
	            "root=%s is %s, which holds no /sbin/init: at best a bare shell starts",
	            context->entry->root, root_phrase(context));
	outcome->finding.fix = "install an init, as in: apt-get install systemd-sysv";
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
	if (entry->root_found == ANSWER_YES) {
		outcome_set(context, outcome, VERDICT_PASS, "root=%s is %s", entry->root,
		            root_phrase(context));
		judge_init(context, outcome);
		judge_name_without_initramfs(context, outcome);
	} else {
		outcome_set(context, outcome, verdicts[entry->root_found], "root=%s %s%s%s", entry->root,
		            words[entry->root_found], entry->root_reason ? ": " : "",
		            entry->root_reason ? entry->root_reason : "");
	}
}

const char *console_device(const struct context *context, const char *value)
{
	return arena_string(context->arena, span_of(value, strcspn(value, ",")));
}

const char *serial_device(const struct context *context)
{
	return str_equal(context->arch, "arm64") ? "ttyAMA0" : "ttyS0";
}

/* The port of ttyS0, addressed without the driver's name: "uart8250,io,0x3f8". */
static bool is_first_uart(const char *value)
{
	return str_starts(value, "uart") && list_has(value, "io") && list_has(value, "0x3f8");
}

static bool lacks_command_line(const struct context *context, struct outcome *outcome)
{
	if (context->command_line)
		return false;
	if (!lacks_entry(context, outcome))
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the kernel's command line is not known");
	return true;
}

void check_console(const struct context *context, struct outcome *outcome)
{
	if (lacks_command_line(context, outcome))
		return;
	outcome_evidence(context, outcome, &context->command_line_place);
	const char *serial = serial_device(context), *last = command_line_last(context, "console");
	const char *speed = str_equal(serial, "ttyS0") ? ",38400n8d" : "";
	const char *add = arena_printf(context->arena, "console=%s%s", serial, speed);
	/* Documentation/arch/arm64/acpi_object_usage.rst, SPCR: there it names the console, unless one is
	 * given. */
	if (!last && str_equal(context->arch, "arm64")) {
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "the command line has no console=: the kernel takes the port that the firmware's "
		            "SPCR table names, and the firmware is not in the image");
		return;
	}
	if (!last) {
		outcome->finding.found = "none";
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the command line has no console=, so that the serial console stays silent");
		outcome->finding.fix = fix_command_line(context, NULL, add);
		return;
	}
	const char *device = console_device(context, last);
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
		earlier = earlier || str_equal(console_device(context, value), serial);
	outcome_set(context, outcome, VERDICT_FAIL, "the last console is %s, not %s%s", device, serial,
	            earlier ? ", which stands before it: the last one owns /dev/console" : "");
	outcome->finding.fix =
		fix_command_line(context, earlier ? arena_printf(context->arena, "console=%s", last) : NULL,
	                         earlier ? NULL : add);
}

void check_no_quiet(const struct context *context, struct outcome *outcome)
{
	static const char *const words[] = { "quiet", "rhgb", "splash", "splashimage" };
	if (lacks_command_line(context, outcome))
		return;
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
