// What a console says when a boot fails. One row is one mark; the first that matches a line counts, so that
// what names a cause stands before what follows from it.
//
// Sources: the messages of SeaBIOS, OVMF's BdsDxe, GRUB, syslinux, shim, Linux' init/ and fs/, the scripts of
// initramfs-tools, dracut, mkinitcpio and Alpine's mkinitfs, systemd, and the provider's list of what its
// serial diagnostics look for.
#include <string.h>

#include "machine/console.h"

#define NO_DEVICE   "no-bootable-device", "the firmware found nothing to boot on the disk"
#define NO_ROOT     "unable-to-mount-root", "the root file system was not found or not mounted"
#define NO_INIT     "no-init", "no init could be run"
#define EMERGENCY   "emergency-shell", "the system stopped in its emergency shell"
#define CORRUPT     "file-system-corruption", "a file system is damaged"
#define SECURE_BOOT "secure-boot", "Secure Boot refused what was to be booted"
#define NO_METADATA "no-metadata-server", "the guest did not reach the metadata server"
#define NO_TIME     "time-not-synchronised", "the guest's clock found no server to follow"
#define NO_MEMORY   "out-of-memory", "the guest ran out of memory"

#define ROW(name_and_message, pattern, weight) ROW_OF(name_and_message, pattern, weight)
#define ROW_OF(name, message, pattern, weight)                                                               \
	{                                                                                                    \
		name, pattern, message, weight                                                               \
	}

const struct symptom_row symptom_rows[] = {
	ROW(NO_DEVICE, "No bootable device*", SYMPTOM_ENDS),
	ROW(NO_DEVICE, "*BdsDxe: No bootable option or device was found*", SYMPTOM_ENDS),
	ROW(NO_DEVICE, "UEFI Interactive Shell v*", SYMPTOM_ENDS),
	ROW(NO_DEVICE, "Shell>", SYMPTOM_ENDS),
	ROW(NO_DEVICE, "Boot failed: not a bootable disk*", SYMPTOM_HINTS),
	/* From the MBR's own code */
	ROW(NO_DEVICE, "Missing operating system*", SYMPTOM_ENDS),
	ROW(NO_DEVICE, "Error loading operating system*", SYMPTOM_ENDS),
	ROW(NO_DEVICE, "Invalid partition table*", SYMPTOM_ENDS),

	ROW(SECURE_BOOT, "*Verification failed: (0x1A) Security Violation*", SYMPTOM_ENDS),
	/* GRUB goes on without a module that it may not load. */
	ROW(SECURE_BOOT, "*prohibited by secure boot policy*", SYMPTOM_HINTS),
	ROW(SECURE_BOOT, "*bad shim signature*", SYMPTOM_HINTS),
	ROW(SECURE_BOOT, "BdsDxe: failed to * Boot*: Access Denied*", SYMPTOM_HINTS),
	ROW(SECURE_BOOT, "BdsDxe: failed to * Boot*: Security Violation*", SYMPTOM_HINTS),

	{ "grub-rescue", "grub rescue>", "GRUB did not find its own files and stands at its rescue prompt",
	  SYMPTOM_ENDS },
	{ "grub-rescue", "Entering rescue mode...*",
	  "GRUB did not find its own files and stands at its rescue prompt", SYMPTOM_ENDS },
	{ "grub-rescue", "grub>", "GRUB has no menu and stands at its command line", SYMPTOM_ENDS },
	{ "grub-rescue", "*Minimal BASH-like line editing is supported*",
	  "GRUB has no menu and stands at its command line", SYMPTOM_ENDS },
	{ "boot-code-silent", NULL,
	  "the firmware started the disk's boot code, and neither a boot loader nor a kernel said a word",
	  SYMPTOM_ENDS },
	{ "boot-loader-failed", "error: *you need to load the kernel first*",
	  "the boot loader could not load the kernel", SYMPTOM_HINTS },
	{ "boot-loader-failed", "*No DEFAULT or UI configuration directive found*",
	  "syslinux has no configuration", SYMPTOM_ENDS },
	{ "boot-loader-failed", "Failed to load ldlinux.c32*", "syslinux did not find its own files",
	  SYMPTOM_ENDS },
	{ "boot-loader-failed", "Could not find kernel image: *", "the boot loader did not find the kernel",
	  SYMPTOM_HINTS },

	/* The panics that name their cause, and what is said before them */
	ROW(NO_ROOT, "*Unable to mount root fs on *", SYMPTOM_ENDS),
	ROW(NO_ROOT, "*Cannot open root device *", SYMPTOM_HINTS),
	ROW(NO_ROOT, "*ALERT!  * does not exist.  Dropping to a shell!*", SYMPTOM_ENDS),
	ROW(NO_ROOT, "*Gave up waiting for root *device*", SYMPTOM_HINTS),
	ROW(NO_ROOT, "*mounting * on /root failed: *", SYMPTOM_HINTS),
	ROW(NO_ROOT, "*mounting * on /sysroot failed: *", SYMPTOM_HINTS),
	ROW(NO_ROOT, "*Mounting root failed.*", SYMPTOM_HINTS),
	ROW(NO_ROOT, "*initramfs emergency recovery shell launched*", SYMPTOM_ENDS),
	ROW(NO_ROOT, "*Warning: /dev/* does not exist*", SYMPTOM_HINTS),
	ROW(NO_ROOT, "*dracut-initqueue*timeout*", SYMPTOM_HINTS),
	ROW(NO_ROOT, "*Failed to mount */sysroot*", SYMPTOM_HINTS),
	ROW(NO_ROOT, "*Failed to mount * on real root*", SYMPTOM_ENDS),
	ROW(NO_ROOT, "*ERROR: device '*' not found*", SYMPTOM_HINTS),
	ROW(NO_INIT, "*No working init found*", SYMPTOM_ENDS),
	ROW(NO_INIT, "*Requested init * failed (error *", SYMPTOM_ENDS),
	ROW(NO_INIT, "*No init found. Try passing init= bootarg*", SYMPTOM_ENDS),
	ROW(NO_INIT, "*Target filesystem doesn't have requested *", SYMPTOM_HINTS),
	ROW(NO_INIT, "*exists but couldn't execute it (error *", SYMPTOM_HINTS),
	ROW(NO_INIT, "*does not seem to be an OS tree*", SYMPTOM_ENDS),
	ROW(NO_INIT, "*Failed to switch root: *", SYMPTOM_ENDS),
	ROW(NO_MEMORY, "*Kernel panic - not syncing: *Out of memory*", SYMPTOM_ENDS),
	ROW(NO_MEMORY, "*System is deadlocked on memory*", SYMPTOM_ENDS),
	ROW(NO_MEMORY, "*Out of memory: Kill* process *", SYMPTOM_LASTS),
	ROW(NO_MEMORY, "error: out of memory.*", SYMPTOM_HINTS),
	{ "initramfs-damaged", "*Initramfs unpacking failed: *", "the kernel could not unpack the initramfs",
	  SYMPTOM_HINTS },
	{ "kernel-panic", "*Kernel panic - not syncing: Attempted to kill init!*",
	  "init ended, which is the kernel's end", SYMPTOM_ENDS },
	{ "kernel-panic", "*Kernel panic - not syncing*", "the kernel panicked", SYMPTOM_ENDS },
	{ "kernel-oops", "*BUG: unable to handle *", "the kernel failed inside", SYMPTOM_HINTS },
	{ "kernel-oops", "*kernel BUG at *", "the kernel failed inside", SYMPTOM_HINTS },
	{ "kernel-panic", "This kernel requires an * CPU, but only detected an *",
	  "the kernel is not for this processor", SYMPTOM_ENDS },

	ROW(CORRUPT, "*EXT[234]-fs error (*", SYMPTOM_LASTS),
	ROW(CORRUPT, "*EXT[234]-fs (*: group descriptors corrupted*", SYMPTOM_LASTS),
	ROW(CORRUPT, "*XFS (*): *orruption *detected*", SYMPTOM_LASTS),
	ROW(CORRUPT, "*Unmount and run xfs_repair*", SYMPTOM_LASTS),
	ROW(CORRUPT, "*BTRFS * (device *): *corrupt*", SYMPTOM_LASTS),
	ROW(CORRUPT, "*UNEXPECTED INCONSISTENCY*", SYMPTOM_LASTS),
	ROW(CORRUPT, "*requires a manual fsck*", SYMPTOM_LASTS),

	/* systemd waits for terminals, too. */
	{ "mount-failed", "*Timed out waiting for device *tty[A-Z]*", "", SYMPTOM_NONE },
	{ "mount-failed", "*Timed out waiting for device *hvc[0-9]*", "", SYMPTOM_NONE },
	{ "mount-failed", "*Timed out waiting for device *tpm*", "", SYMPTOM_NONE },
	{ "mount-failed", "*Timed out waiting for device *", "a file system to mount was not found",
	  SYMPTOM_LASTS },
	{ "mount-failed", "*\\[FAILED\\] Failed to mount *", "a file system was not mounted", SYMPTOM_LASTS },
	ROW(EMERGENCY, "*You are in emergency mode*", SYMPTOM_ENDS),
	ROW(EMERGENCY, "*You are in rescue mode*", SYMPTOM_ENDS),
	ROW(EMERGENCY, "*Welcome to emergency mode*", SYMPTOM_ENDS),
	ROW(EMERGENCY, "*Entering emergency mode*", SYMPTOM_ENDS),
	ROW(EMERGENCY, "*Give root password for maintenance*", SYMPTOM_ENDS),
	ROW(EMERGENCY, "Give root password for maintenance (or*:", SYMPTOM_ENDS),
	ROW(EMERGENCY, "*Press Enter for maintenance*", SYMPTOM_ENDS),
	ROW(EMERGENCY, "*Cannot open access to console, the root account is locked*", SYMPTOM_ENDS),
	ROW(EMERGENCY, "*You are now being dropped into an emergency shell*", SYMPTOM_ENDS),
	/* initramfs-tools' shell: what the image's root= leads to, unless a line before it told more */
	ROW(NO_ROOT, "(initramfs)", SYMPTOM_ENDS),

	ROW(NO_METADATA, "*169.254.169.254*unreachable*", SYMPTOM_LASTS),
	ROW(NO_METADATA, "*169.254.169.254*refused*", SYMPTOM_LASTS),
	ROW(NO_METADATA, "*169.254.169.254*timed out*", SYMPTOM_LASTS),
	ROW(NO_METADATA, "*169.254.169.254*timeout*", SYMPTOM_LASTS),
	ROW(NO_METADATA, "*metadata.google.internal*no such host*", SYMPTOM_LASTS),
	ROW(NO_METADATA, "*metadata.google.internal*name resolution*", SYMPTOM_LASTS),
	ROW(NO_METADATA, "*metadata.google.internal*timeout*", SYMPTOM_LASTS),
	ROW(NO_TIME, "*chronyd\\[*No selectable sources*", SYMPTOM_LASTS),
	ROW(NO_TIME, "*chronyd\\[*Can't synchronise: *", SYMPTOM_LASTS),
	ROW(NO_TIME, "*systemd-timesyncd\\[*Timed out waiting for reply from *", SYMPTOM_LASTS),
	{ "guest-agent-failed", "*Failed to start google-guest*", "the guest agent did not start",
	  SYMPTOM_LASTS },
	{ "sshd-failed", "*Failed to start ssh.service*", "the SSH server did not start", SYMPTOM_LASTS },
	{ "sshd-failed", "*Failed to start sshd.service*", "the SSH server did not start", SYMPTOM_LASTS },
	{ "sshd-failed", "*Failed to start OpenSSH Daemon*", "the SSH server did not start", SYMPTOM_LASTS },
	{ "sshd-failed", "*Failed to start Open*Secure Shell server*", "the SSH server did not start",
	  SYMPTOM_LASTS },
	{ "sshd-failed", "*Failed to start OpenSSH server*", "the SSH server did not start", SYMPTOM_LASTS },

	{ "no-console", NULL, "the kernel runs, but says nothing on its serial console", SYMPTOM_LASTS },
	{ "driver-never-bound", NULL, "no driver of the kernel took over the disk's virtio-scsi controller",
	  SYMPTOM_ENDS },
	{ "hang", NULL, "the system made no progress any more", SYMPTOM_ENDS },
	{ NULL, NULL, NULL, SYMPTOM_HINTS },
};

static bool known(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->symptoms.count; i++)
		if (str_equal(run->symptoms.items[i].name, name))
			return true;
	return false;
}

static void add(struct run *run, struct arena *arena, const struct symptom_row *row, struct place place)
{
	if (known(run, row->name))
		return;
	*LIST_ADD(arena, &run->symptoms) =
		(struct symptom){ .name = row->name, .message = row->message, .place = place };
}

/* The first row that matches; NULL: none. */
static const struct symptom_row *match(const char *line, bool complete)
{
	const char *kernel = console_kernel_line(line);
	for (const struct symptom_row *row = symptom_rows; row->name; row++)
		if (row->pattern && (complete || !str_ends(row->pattern, "*")) &&
		    str_glob(row->pattern, kernel ? kernel : line, false))
			return row;
	return NULL;
}

bool console_read_symptom(struct console *console, const char *line, bool complete)
{
	const struct symptom_row *row = match(line, complete);
	if (!row || row->weight == SYMPTOM_NONE)
		return false;
	bool is_new = !known(console->run, row->name);
	bool ends = row->weight == SYMPTOM_ENDS && !console->failed;
	console->failed |= ends;
	/* A guest that repeats itself takes no more memory. */
	if (is_new)
		add(console->run, console->arena, row,
		    (struct place){ .path = RUN_CONSOLE_PATH,
		                    .line = console->line_count + 1,
		                    .text = arena_strdup(console->arena, line) });
	return is_new || ends;
}

void symptom_add(struct run *run, struct arena *arena, const char *name, struct place place)
{
	for (const struct symptom_row *row = symptom_rows; row->name; row++) {
		if (!str_equal(row->name, name))
			continue;
		add(run, arena, row, place);
		return;
	}
}

void symptoms_put_first(struct run *run, size_t from)
{
	struct symptom *items = run->symptoms.items;
	size_t count = run->symptoms.count;
	/* One by one from the front to the end. */
	for (size_t moved = 0; moved < from && from < count; moved++) {
		struct symptom first = items[0];
		memmove(items, items + 1, (count - 1) * sizeof(*items));
		items[count - 1] = first;
	}
}

/* What becomes of it where the system comes up. */
static bool lasts(const struct symptom *symptom)
{
	const struct symptom_row *row = symptom->place.text ? match(symptom->place.text, true) : NULL;
	if (row)
		return row->weight == SYMPTOM_LASTS;
	for (row = symptom_rows; row->name; row++)
		if (!row->pattern && str_equal(row->name, symptom->name))
			return row->weight == SYMPTOM_LASTS;
	return false;
}

void symptoms_came_up(struct run *run)
{
	size_t kept = 0;
	for (size_t i = 0; i < run->symptoms.count; i++) {
		if (lasts(&run->symptoms.items[i]))
			run->symptoms.items[kept++] = run->symptoms.items[i];
	}
	run->symptoms.count = kept;
}
